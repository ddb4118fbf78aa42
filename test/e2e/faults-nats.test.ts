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

const exact = async (bed: Bed, node: QueryNode): Promise<void> => {
  await eventually(
    () => `all rows are out\n${node.log}`,
    () => complete(bed.nats, expected, "append"),
  );
  const { examples, ...verdict } = verdictOn(expected, await outputRows(bed.nats), "append");
  assert.deepEqual(
    verdict,
    { checked: expected.size, lost: 0, doubled: 0, wrong: 0, back: 0 },
    examples.join("\n"),
  );
};

/** A query that has read the events; the node runs on. */
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
  const late = setTimeout(() => void node.kill(), 30_000);
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
  await node.kill("SIGTERM");
  // One more block in every stream, of which one stream loses a part before anybody read it.
  const lost = makeEvents(3_200, 3, 5).slice(3_000);
  await publish(bed.nats, lost);
  const { lastSequence } = (await bed.nats.stream("IN_1"))!;
  const jsm = await manager(t, bed);
  await jsm.streams.purge("IN_1", { seq: lastSequence - 9 });
  node.start();
  await failed(node, /stream IN_1 no longer holds sequences \d+ to \d+/, /failOnDataLoss/);
  node.start({ env: { COUNTS_LOSS: "false" } });
  await publishEnd(bed.nats, [...events, ...lost]);
  await eventually(
    () => `the rest comes out\n${node.log}`,
    async () => (await outputRows(bed.nats)).length >= expectedRows([...events, ...lost]).size - 5,
  );
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
    await failed(node, /query wide failed/, /14\d{5} bytes/, /1048576/);
  }
});

for (const mode of ["dropMalformed", "permissive"] as const)
  test(`poison rows in mode ${mode} change no window`, { skip }, async (t) => {
    const { bed, node } = await running(t, { COUNTS_BAD: mode });
    for (const text of ["{", '{"k": "k1", "v": "x", "ts": "2024-05-01T12:00:00Z"}', "", "[1]"])
      await bed.nats.publishAll([{ subject: "in.3.rows", payload: Buffer.from(text) }]);
    await publishEnd(bed.nats, events);
    await eventually(
      () => `all rows are out\n${node.log}`,
      () => complete(bed.nats, expected, "append"),
    );
    if (mode === "dropMalformed") await exact(bed, node);
    assert.ok(node.running);
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
