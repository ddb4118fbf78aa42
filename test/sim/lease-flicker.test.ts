/**
 * A lease that is late for a moment and then confirmed after all (the broker was away for a little more than two thirds of it): nobody else takes over, so
 * what the node ended or skipped meanwhile must begin again, although no record says that anything changed.
 */
import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { MemoryStore } from "../../src/log/memory-log.ts";
import { leaseLog } from "../../src/log/names.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import { settle } from "../../src/testing/virtual-clock.ts";
import { BEGIN_MS, prepare, shape } from "./shapes.ts";

const LEASE_MS = 3_000;
const LATE_MS = (LEASE_MS * 2) / 3;

interface Scene {
  readonly cluster: TestCluster;
  readonly store: MemoryStore;
  readonly committed: () => number;
  readonly add: () => Promise<void>;
}

const scene = async (t: TestContext): Promise<Scene> => {
  let store!: MemoryStore;
  const cluster = new TestCluster({
    nodes: 2,
    partitions: 2,
    leaseMs: LEASE_MS,
    store: (clock) => Promise.resolve((store = new MemoryStore({ clock }))),
  });
  t.after(() => cluster.close());
  const query = prepare(shape("two sources, windowed count, append"));
  let n = 0;
  const add = async (): Promise<void> => {
    for (const source of ["a", "b"]) await query.add(source, [["k", n, BEGIN_MS + n++]]);
  };
  await cluster.start(query.request);
  const host = (await cluster.node(0)).runtime.hosts.get("q")!;
  await add();
  for (let i = 0; i < 20; i++) await cluster.advanceTime(100);
  return { cluster, store, add, committed: () => host.follower.committed };
};

test("a leader whose lease was late for a moment goes on planning", async (t) => {
  const { cluster, store, add, committed } = await scene(t);
  const { membership } = await cluster.node(0);
  const token = membership.token;
  assert.ok(token !== undefined);
  const before = committed();
  assert.ok(before > 0);
  // No renewal arrives; time stops between the end of two thirds of the lease and the next renewal's turn, which would find it lost.
  store.faults = { onAppend: (log) => (log === leaseLog("test") ? "hold" : "store") };
  for (let i = 0; membership.alive(); i++) {
    assert.ok(i < LATE_MS);
    await cluster.advanceTime(10);
  }
  await add();
  await settle(20);
  store.faults = {};
  store.release();
  await settle(20);
  assert.equal(membership.lost, false);
  assert.equal(membership.token, token);
  for (let i = 0; i < 50; i++) await cluster.advanceTime(100);
  await add();
  for (let i = 0; i < 50; i++) await cluster.advanceTime(100);
  assert.equal(membership.token, token);
  assert.ok(committed() > before, "nobody plans");
});
