/** Faults of what a query on NATS reads and writes: each ends it with a message that says what, and nothing else does (issue 3, "Bad input, faults"). */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { connect, type JetStreamManager } from "nats";
import { brokers } from "../support/broker.ts";
import { eventually, QueryNode } from "../support/query-nodes.ts";
import { fileURLToPath } from "node:url";
import {
  type Bed,
  complete,
  countsBed,
  expectedRows,
  makeEvents,
  type OutRow,
  outputRows,
  publish,
  publishEnd,
  verdictOn,
} from "./counts-bed.ts";

const program = brokers().at(-1);
const skip = program === undefined ? "no nats-server: make brokers says why" : false;
const STACK = /^\s+at .*:\d+:\d+/m;

const manager = async (t: TestContext, bed: Bed): Promise<JetStreamManager> => {
  const nc = await connect({ servers: bed.broker.url });
  t.after(() => nc.close());
  return nc.jetstreamManager();
};

const events = makeEvents(3_000, 3, 5);
const expected = expectedRows(events);

const exact = async (bed: Bed, node: QueryNode, rows = expected): Promise<void> => {
  await eventually(
    () => `all rows are out\n${node.log}`,
    () => complete(bed.nats, rows, "append"),
  );
  const { examples, ...verdict } = verdictOn(rows, await outputRows(bed.nats), "append");
  assert.deepEqual(
    verdict,
    { checked: rows.size, lost: 0, doubled: 0, wrong: 0, back: 0 },
    examples.join("\n"),
  );
};

/** Rows that the node's sources have read. */
const rowsRead = async (node: QueryNode): Promise<number> => {
  const text = await (await fetch(`${await node.url()}/metrics`)).text();
  return [...text.matchAll(/^millrace_input_rows_total\{.*stage="0".*\} (\d+)$/gm)].reduce(
    (sum, [, rows]) => sum + Number(rows),
    0,
  );
};

/** A query that has written its first windows; the node runs on. */
const running = async (t: TestContext, env: Readonly<Record<string, string>> = {}) => {
  const bed = await countsBed(t, { path: program!.path });
  const node = new QueryNode({ t, nats: bed.broker.url, leaseMs: 2_000, partitions: 2, env });
  await publish(bed.nats, events);
  node.start();
  await eventually(
    () => `the first windows are out\n${node.log}`,
    async () => (await bed.nats.stream("OUT"))!.messages > 0,
  );
  return { bed, node };
};

const failed = async (node: QueryNode, ...says: readonly RegExp[]): Promise<void> => {
  const late = setTimeout(() => void node.kill(), 90_000);
  const { code, stderr } = await node.process.ended;
  clearTimeout(late);
  assert.equal(code, 1, stderr);
  for (const pattern of says) assert.match(stderr, pattern);
  assert.doesNotMatch(stderr, STACK);
};

test("an input stream that is deleted and created again fails the query", { skip }, async (t) => {
  const { bed, node } = await running(t);
  const jsm = await manager(t, bed);
  await jsm.streams.delete("IN_2");
  await bed.nats.createStream({ name: "IN_2", subjects: ["in.2.>"] });
  await failed(node, /query counts failed/, /stream IN_2 .*(deleted and created again|is gone)/);
});

test("messages that are gone fail the query, or are passed over when it says so", { skip }, async (t) => {
  const { bed, node } = await running(t);
  await eventually("all events are read", async () => (await rowsRead(node)) === events.length);
  assert.equal((await node.kill("SIGTERM")).code, 0, node.log);
  // One more block in every stream, of which one stream loses all but the last ten before anybody read them.
  const block = makeEvents(3_200, 3, 5).slice(3_000);
  await publish(bed.nats, block);
  const { lastSequence } = (await bed.nats.stream("IN_1"))!;
  const jsm = await manager(t, bed);
  await jsm.streams.purge("IN_1", { seq: lastSequence - 9 });
  node.start();
  await failed(
    node,
    new RegExp(`stream IN_1 no longer holds sequences ${lastSequence - 49} to ${lastSequence - 10}`),
    /failOnDataLoss/,
  );
  node.start({ env: { COUNTS_LOSS: "false" } });
  await publishEnd(bed.nats, [...events, ...block]);
  const gone = new Set(block.filter((_, i) => i % 4 === 1).slice(0, 40));
  await exact(bed, node, expectedRows([...events, ...block.filter((e) => !gone.has(e))]));
});

test("a row above max_payload fails the query with its size", { skip }, async (t) => {
  const app = fileURLToPath(new URL("programs/wide.ts", import.meta.url));
  for (const subject of ["out.rows", "out.{partition}"]) {
    const bed = await countsBed(t, { path: program!.path });
    const node = new QueryNode({
      t,
      nats: bed.broker.url,
      app,
      partitions: 2,
      env: { WIDE_SUBJECT: subject },
    });
    const payload = Buffer.from(JSON.stringify({ s: "x".repeat(700_000) }));
    await bed.nats.publishAll([{ subject: "in.0.rows", payload }]);
    node.start();
    await failed(
      node,
      /query wide failed/,
      /row 0 of epoch 1 /,
      /14\d{5} bytes/,
      subject === "out.rows" ? /1048064/ : /1048576/,
    );
  }
});

const textsIn = async ({ nats }: Bed): Promise<readonly { k: string; n: number; s: string }[]> => {
  const { firstSequence, lastSequence } = (await nats.stream("OUT"))!;
  const reader = nats.reader("OUT", { from: firstSequence, to: lastSequence + 1 });
  const out: { k: string; n: number; s: string }[] = [];
  for (;;) {
    const records = await reader.next();
    if (records.length === 0) break;
    for (const r of records)
      for (const line of Buffer.from(r.payload).toString().trim().split("\n")) out.push(JSON.parse(line));
  }
  reader.close();
  return out;
};

test(
  "a broker with a small max_payload: frames, snapshots and messages of many rows keep below it",
  { skip },
  async (t) => {
    const bed = await countsBed(t, { path: program!.path, maxPayload: 64 * 1024 });
    const app = fileURLToPath(new URL("programs/wide-state.ts", import.meta.url));
    const node = new QueryNode({ t, nats: bed.broker.url, app, partitions: 2 });
    const round = (n: number) =>
      Array.from({ length: 400 }, (_, i) => {
        const row = { k: `k${i}`, s: String(n).padEnd(2_000 + (i % 50) * 60, "x") };
        return { subject: "in.0.rows", payload: Buffer.from(JSON.stringify(row)) };
      });
    const counted = async (n: number): Promise<void> =>
      eventually(
        () => `every key has ${n} rows\n${node.log}`,
        async () => {
          const newest = new Map((await textsIn(bed)).map((r) => [r.k, r]));
          return (
            newest.size === 400 && [...newest.values()].every((r) => r.n === n && r.s.startsWith(String(n)))
          );
        },
      );
    await bed.nats.publishAll(round(1));
    node.start();
    await counted(1);
    // Its end is a snapshot; without its disk the next start comes from there.
    assert.equal((await node.kill("SIGTERM")).code, 0, node.log);
    node.deleteFolder();
    await bed.nats.publishAll(round(2));
    node.start();
    await counted(2);
    assert.equal((await node.kill("SIGTERM")).code, 0, node.log);
  },
);

for (const mode of ["dropMalformed", "permissive"] as const)
  test(`poison rows in mode ${mode} change no window of other rows`, { skip }, async (t) => {
    const { bed, node } = await running(t, { COUNTS_BAD: mode });
    // The window is open: a row that is there shows.
    const ts = new Date(Math.max(...events.map((e) => e.ts))).toISOString();
    for (const text of ["{", `{"k": "poison", "v": "x", "ts": "${ts}"}`, "", "[1]"])
      await bed.nats.publishAll([{ subject: "in.3.rows", payload: Buffer.from(text) }]);
    await publishEnd(bed.nats, events);
    const start = `${ts.slice(0, -6)}0.000Z`;
    // Permissive: what can be read of the row counts, its value is null.
    const half = { start, k: "poison", n: 1, total: null } as unknown as OutRow;
    const rows = mode === "permissive" ? new Map([...expected, [`${start} poison`, half]]) : expected;
    await exact(bed, node, rows);
    assert.ok(node.running, node.log);
    assert.equal((await outputRows(bed.nats)).length, rows.size);
  });

test("a poison row in mode failFast fails the query with stream and sequence", { skip }, async (t) => {
  const { bed, node } = await running(t, { COUNTS_BAD: "failFast" });
  const { lastSequence } = (await bed.nats.stream("IN_3"))!;
  await bed.nats.publishAll([{ subject: "in.3.rows", payload: Buffer.from('{"k": ') }]);
  await failed(node, new RegExp(`stream IN_3, sequence ${lastSequence + 1}`));
  // The failure is the query's, so it is there for who starts it again; the row is still there too.
  node.start();
  await failed(node, new RegExp(`stream IN_3, sequence ${lastSequence + 1}`));
});
