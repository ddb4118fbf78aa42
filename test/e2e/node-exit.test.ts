/** How nodes end, or do not: a second signal, a lease that cannot be had again, a broker that was away for long, or came back empty (issue 3, section 6). */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { constants } from "node:os";
import { test, type TestContext } from "node:test";
import { type Broker, brokers, startBroker } from "../support/broker.ts";
import { eventually, QueryNode } from "../support/query-nodes.ts";
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

const skip = brokers().length === 0 ? "no nats-server: make brokers says why" : false;
const LEASE_MS = 1_000;
const STACK = /^\s+at .*:\d+:\d+/m;
/** Far below what leaving may take (20 s), far above what the end of a process takes on a busy machine. */
const AT_ONCE_MS = 6_000;

const events = makeEvents(2_000, 5, 5);

const wait = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** A query that has written its first windows. */
const running = async (t: TestContext, path = brokers().at(-1)!.path) => {
  const bed = await countsBed(t, { path });
  const node = new QueryNode({ t, nats: bed.broker.url, leaseMs: LEASE_MS, partitions: 2 });
  await publish(bed.nats, events);
  node.start();
  await eventually(
    () => `the first windows are out\n${node.log}`,
    async () => (await bed.nats.stream("OUT"))!.messages > 0,
  );
  return { bed, node };
};

const exact = async (bed: Bed, node: QueryNode): Promise<void> => {
  const all = [...events, ...makeEvents(3_000, 5, 5).slice(2_000)];
  await publish(bed.nats, all.slice(2_000));
  await publishEnd(bed.nats, all);
  const expected = expectedRows(all);
  await eventually(
    () => `all rows are out\n${node.log}`,
    () => complete(bed.nats, expected, "append"),
  );
  const { examples, ...verdict } = verdictOn(expected, await outputRows(bed.nats), "append");
  const right = { checked: expected.size, lost: 0, doubled: 0, wrong: 0, back: 0 };
  assert.deepEqual(verdict, right, examples.join("\n"));
};

for (const signal of ["SIGTERM", "SIGINT"] as const)
  test(`a second ${signal} ends a node at once, though it cannot leave in order`, { skip }, async (t) => {
    const { bed, node } = await running(t);
    // Leaving needs the broker, so it takes all the time it may.
    await bed.broker.pause();
    node.process.signal(signal);
    await node.process.waitFor(/finishing the epoch and leaving/);
    // Two signals of one key press count as one.
    await wait(400);
    assert.ok(node.running, "the first signal waits");
    const from = performance.now();
    const { code } = await node.kill(signal);
    assert.equal(code, 128 + constants.signals[signal]);
    assert.ok(performance.now() - from < AT_ONCE_MS);
    bed.broker.resume();
  });

test("a node that was paused past its lease and cannot join again ends with code 3", { skip }, async (t) => {
  const { bed, node } = await running(t);
  await node.process.pause();
  await wait(LEASE_MS * 1.5);
  // Meanwhile the server wants credentials that the node does not have.
  const { broker } = bed;
  await broker.kill();
  const port = Number(new URL(broker.url).port);
  const program = brokers().at(-1)!.path;
  await startBroker({ t, path: program, dir: broker.dir, port, auth: { token: "secret" } });
  node.process.resume();
  const late = setTimeout(() => void node.kill(), 90_000);
  const { code, stderr } = await node.process.ended;
  clearTimeout(late);
  assert.equal(code, 3, stderr);
  assert.match(stderr, /cannot join again: .*refuses the credentials/);
  assert.doesNotMatch(stderr, STACK);
});

for (const { version, path } of brokers())
  test(
    `a broker that was away for longer than the lease: the node joins again, rows stay exact (${version})`,
    { skip },
    async (t) => {
      const { bed, node } = await running(t, path);
      await bed.broker.kill();
      await wait(LEASE_MS * 3);
      assert.ok(node.running, node.log);
      await bed.broker.start();
      await node.process.waitFor(/joined again/, 90_000);
      await exact(bed, node);
      assert.doesNotMatch(node.log, STACK);
      assert.equal((await node.kill("SIGTERM")).code, 0, node.log);
    },
  );

for (const { version, path } of brokers())
  test(
    `a broker that comes back empty fails the query, and says what is gone (${version})`,
    { skip },
    async (t) => {
      const { bed, node } = await running(t, path);
      const { broker }: { broker: Broker } = bed;
      await broker.kill();
      rmSync(broker.dir, { recursive: true, force: true });
      await wait(LEASE_MS * 2);
      await broker.start();
      const late = setTimeout(() => void node.kill(), 90_000);
      const { code, stderr } = await node.process.ended;
      clearTimeout(late);
      assert.equal(code, 1, stderr);
      assert.match(stderr, /query counts failed/);
      assert.match(stderr, /is gone|was deleted|deleted and created again|acknowledged records are lost/);
      assert.doesNotMatch(stderr, STACK);
    },
  );
