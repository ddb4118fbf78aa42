/**
 * A leader that leaves on SIGTERM plans nothing more and commits what is planned; what cannot end in time is left to the next one (laws 6, 9, 12). Rows are
 * the same either way.
 */
import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { TestCluster } from "../../src/testing/cluster.ts";
import { settle } from "../../src/testing/virtual-clock.ts";
import { BEGIN_MS, END_MS, prepare, problemOf, shape } from "./shapes.ts";

const LEAVE_MS = 4_000;

const scene = async (t: TestContext) => {
  let go = (): void => {};
  let gate: Promise<void> | undefined;
  let held = 0;
  const cluster = new TestCluster({
    nodes: 2,
    partitions: 2,
    settings: { leaveMs: LEAVE_MS },
    // The sink of the query, wherever it runs, waits at the gate.
    probe: (_, { stage }, point) => {
      if (stage !== 3 || point !== "delivered" || gate === undefined) return undefined;
      held++;
      return gate;
    },
  });
  t.after(() => cluster.close());
  const query = prepare(shape("two sources, windowed count, append"));
  await cluster.start(query.request);
  const [first, second] = [await cluster.node(0), await cluster.node(1)];
  assert.ok(first.membership.token !== undefined, "node 0 leads");
  let n = 0;
  const add = async (): Promise<void> => {
    for (const source of ["a", "b"]) await query.add(source, [["k", n, BEGIN_MS + n++]]);
    await cluster.advanceTime(200);
  };
  await add();
  const { follower } = second.runtime.hosts.get("q")!;
  return {
    cluster,
    query,
    first,
    second,
    follower,
    add,
    held: () => held,
    close: () => void (gate = new Promise((resolve) => (go = resolve))),
    open: () => {
      gate = undefined;
      go();
    },
    finish: async () => {
      for (const source of ["a", "b"]) await query.add(source, [["end", 0, END_MS]]);
      for (let i = 0; i < 40; i++) await cluster.advanceTime(250);
      assert.equal(problemOf(query), undefined);
    },
  };
};

test("a leader that leaves commits what is planned and plans nothing more", async (t) => {
  const s = await scene(t);
  const { follower, cluster } = s;
  s.close();
  await s.add();
  const planned = follower.latest!.entry.epoch;
  assert.ok(planned > follower.committed && s.held() > 0, "an epoch is under way");
  const token = s.first.membership.token!;
  const left = cluster.leave(0);
  await s.add();
  await s.add();
  await cluster.advanceTime(1_500);
  assert.equal(follower.latest!.entry.epoch, planned, "nothing is planned while it leaves");
  assert.equal(s.first.membership.token, token, "it still leads");
  s.open();
  await settle(50);
  await cluster.advanceTime(100);
  assert.ok(follower.committed >= planned, "committed without another leader");
  assert.equal(follower.known(planned)?.token, token);
  assert.ok((follower.lastCommit?.token ?? 0) === token || follower.committed > planned);
  for (let i = 0; i < 40; i++) await cluster.advanceTime(250);
  await left;
  assert.ok(s.second.membership.token! > token, "then the other one leads");
  await s.finish();
});

test("what does not end in time is left to the next leader", async (t) => {
  const s = await scene(t);
  const { follower, cluster } = s;
  s.close();
  await s.add();
  const planned = follower.latest!.entry.epoch;
  const left = cluster.leave(0);
  await cluster.advanceTime(LEAVE_MS - 500);
  assert.ok(s.first.membership.token !== undefined);
  for (let i = 0; i < 80; i++) await cluster.advanceTime(250);
  assert.ok(follower.committed < planned);
  s.open();
  await settle(50);
  for (let i = 0; i < 40; i++) await cluster.advanceTime(250);
  await left;
  assert.ok(follower.committed >= planned);
  assert.ok(s.second.membership.token !== undefined);
  await s.finish();
});
