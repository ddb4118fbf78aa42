/** The number of partitions of a running query changes, and of a stopped one; its rows stay exact (law 13). */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { Catalogue, type QueryRecord } from "../../src/node/catalogue.ts";
import { brokers } from "../support/broker.ts";
import { eventually, millrace, QueryNode } from "../support/query-nodes.ts";
import { systemClock } from "../support/system-clock.ts";
import {
  type Bed,
  complete,
  countsBed,
  type Event,
  expectedRows,
  makeEvents,
  outputRows,
  publish,
  publishEnd,
  verdictOn,
} from "./counts-bed.ts";

const program = brokers().at(-1);
const skip = program === undefined ? "no nats-server: make brokers says why" : false;

const status = (bed: Bed): Promise<QueryRecord> => new Catalogue(bed.store, systemClock).find("counts");

const rowsAreExact = async (bed: Bed, events: readonly Event[], mode: "append" | "update"): Promise<void> => {
  const expected = expectedRows(events);
  await eventually("all rows are out", () => complete(bed.nats, expected, mode));
  const { examples, ...verdict } = verdictOn(expected, await outputRows(bed.nats), mode);
  const exact = { checked: expected.size, lost: 0, doubled: 0, wrong: 0, back: 0 };
  assert.deepEqual(verdict, exact, examples.join("\n"));
};

const start = async (
  t: TestContext,
  bed: Bed,
  count: number,
  options: { readonly partitions: number; readonly env?: Readonly<Record<string, string>> },
): Promise<readonly QueryNode[]> => {
  const nodes = Array.from(
    { length: count },
    () => new QueryNode({ t, nats: bed.broker.url, leaseMs: 2_000, ...options }),
  );
  for (const node of nodes) node.start();
  await Promise.all(nodes.map((n) => n.ready()));
  return nodes;
};

test("rescaling a running query on two nodes, and restarting it with another number", { skip }, async (t) => {
  const bed = await countsBed(t, { path: program!.path });
  const nodes = await start(t, bed, 2, { partitions: 3 });
  const stop = new AbortController();
  t.after(() => stop.abort());
  const events: Event[] = [];
  const all = makeEvents(200_000, 5);
  const published = publish(bed.nats, all, 2_000, stop.signal, (block) => events.push(...block));
  const until = (what: string, holds: (q: QueryRecord) => boolean): Promise<void> =>
    eventually(
      () => `${what}\n${nodes.map((n) => n.log.slice(-3_000)).join("\n---\n")}`,
      async () => {
        const query = await status(bed).catch(() => undefined);
        return query !== undefined && holds(query);
      },
    );
  await until("epochs are committed", (q) => q.committedEpoch > 2);
  for (const partitions of [7, 2]) {
    const { code, stdout, stderr } = await millrace(
      ...["rescale", "counts", "--partitions", String(partitions), "--nats", bed.broker.url, "--json"],
    );
    assert.equal(code, 0, stderr);
    assert.equal((JSON.parse(stdout) as { partitions: number }).partitions, partitions);
    const { plannedEpoch } = await status(bed);
    await until(
      `${partitions} partitions commit`,
      (q) => q.partitions.includes(partitions) && q.committedEpoch > plannedEpoch + 2,
    );
  }
  const { code, stderr } = await millrace("stop", "counts", "--nats", bed.broker.url);
  assert.equal(code, 0, stderr);
  const endings = await Promise.all(nodes.map((n) => n.process.ended));
  assert.deepEqual(
    endings.map((e) => e.code),
    [0, 0],
    endings.map((e) => e.stderr).join("\n"),
  );
  for (const node of nodes) node.start({ partitions: 5 });
  await until("the restarted query has the new number", (q) => q.partitions.includes(5));
  stop.abort();
  await published;
  await publishEnd(bed.nats, events);
  await rowsAreExact(bed, events, "append");
});

const shapes = [
  { name: "1 partition, 1 node", nodes: 1, partitions: 1, rows: 12_000, env: {} },
  { name: "8 partitions, 3 nodes", nodes: 3, partitions: 8, rows: 12_000, env: {} },
  { name: "epochs of one row", nodes: 1, partitions: 3, rows: 600, env: { COUNTS_TRIGGER: "1" } },
  { name: "one epoch of all rows", nodes: 2, partitions: 3, rows: 12_000, env: { COUNTS_OFFSETS: "100000" } },
] as const;

// The expected rows are those of a plain count: what equals them is equal in all shapes.
for (const mode of ["append", "update"] as const)
  test(`${mode} mode: the same rows in every shape`, { skip }, async (t) => {
    for (const { name, nodes, partitions, rows, env } of shapes)
      await t.test(name, async (tt) => {
        const bed = await countsBed(tt, { path: program!.path });
        const events = makeEvents(rows, 21, 10);
        await publish(bed.nats, events);
        await publishEnd(bed.nats, events);
        await start(tt, bed, nodes, { partitions, env: { ...env, COUNTS_MODE: mode } });
        await rowsAreExact(bed, events, mode);
        const { committedEpoch } = await status(bed);
        if (name === "epochs of one row") assert.ok(committedEpoch >= rows, `${committedEpoch} epochs`);
        if (name === "one epoch of all rows") assert.ok(committedEpoch <= 4, `${committedEpoch} epochs`);
      });
  });
