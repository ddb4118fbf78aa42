/** A changed program: its state goes on where it can, another state is refused with the difference, half an epoch of each is refused (law 13). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemorySink } from "../../src/connectors/memory-sink.ts";
import { MemorySource } from "../../src/connectors/memory-input.ts";
import { field, LONG, STRING } from "../../src/core/data-type.ts";
import { PlanMismatchError } from "../../src/core/errors.ts";
import { schemaOf } from "../../src/core/schema.ts";
import { MemoryStore } from "../../src/log/memory-log.ts";
import { planLog } from "../../src/log/names.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { TestCluster } from "../../src/testing/cluster.ts";

const bed = () => {
  const schema = schemaOf([field("k", STRING), field("v", LONG)]);
  const input = new MemorySource(schema);
  const sink = new MemorySink();
  const catalog = new SessionCatalog();
  const source = { format: "memory", options: {}, schema, pushed: [], handle: input };
  catalog.define({
    name: "t",
    kind: "view",
    relation: { kind: "source", source, streaming: true, name: "t" },
  });
  const request = (sql: string) => ({
    name: "q",
    relation: parseQuery(sql),
    catalog,
    outputMode: "update" as const,
    trigger: { kind: "default" } as const,
    sink: { format: "memory", options: {}, partitionBy: [], handle: sink },
    partitions: undefined,
  });
  return { input, sink, request };
};
const COUNT = "SELECT k, count(*) AS n FROM t GROUP BY k";

test("a new filter goes on from the state; another aggregate is refused and the difference named", async () => {
  const { input, sink, request } = bed();
  const cluster = new TestCluster({ partitions: 2 });
  await cluster.start(request(COUNT));
  await input.addData([["a", 1]]);
  await cluster.processAllAvailable("q");
  await cluster.kill(0);
  await cluster.start(request("SELECT k, count(*) AS n FROM t WHERE v > 5 GROUP BY k"));
  await input.addData([
    ["a", 2],
    ["a", 7],
  ]);
  await cluster.processAllAvailable("q");
  assert.deepEqual(sink.rows().at(-1), ["a", 2]);
  await cluster.kill(0);
  await assert.rejects(cluster.start(request("SELECT k, sum(v) AS n FROM t GROUP BY k")), (e: Error) => {
    assert.ok(e instanceof PlanMismatchError);
    assert.match(e.message, /- .*count/);
    assert.match(e.message, /\+ .*sum/);
    return true;
  });
  await cluster.close();
});

test("the difference is named long after the record of the start was trimmed", async () => {
  const { input, request } = bed();
  let store: MemoryStore;
  const cluster = new TestCluster({
    partitions: 2,
    nodes: 1,
    store: (clock) => Promise.resolve((store = new MemoryStore({ clock }))),
  });
  await cluster.start(request(COUNT));
  const { follower } = (await cluster.node(0)).runtime.hosts.get("q")!;
  const bounds = async () => (await store.open(planLog("test", "q"))).bounds();
  for (let e = 0; e < 200; e++) {
    await input.addData([["a", e]]);
    await cluster.processAllAvailable("q");
    if (e % 20 === 0) await cluster.advanceTime(15_000);
  }
  assert.ok(follower.committed >= 200);
  assert.ok((await bounds()).first > 100, "the log is trimmed all the same");
  await cluster.kill(0);
  await assert.rejects(cluster.start(request("SELECT k, sum(v) AS n FROM t GROUP BY k")), (e: Error) => {
    assert.match(e.message, /- .*count/);
    assert.match(e.message, /\+ .*sum/);
    return true;
  });
  await cluster.close();
});

test("another version of the program may not join nodes that run, nor finish an epoch that the old one began", async () => {
  const { input, request } = bed();
  let hold = false;
  const cluster = new TestCluster({
    partitions: 2,
    nodes: 1,
    probe: (_node, actor, point) =>
      hold && actor.stage === 1 && point === "input" ? new Promise(() => {}) : undefined,
  });
  await cluster.start(request(COUNT));
  const changed = request("SELECT k, count(*) AS n FROM t WHERE v > 5 GROUP BY k");
  const { runtime } = await cluster.node(1);
  await assert.rejects(runtime.start(changed), (e: Error) => {
    assert.match(e.message, /runs on other nodes by another version/);
    assert.match(e.message, /\n {2}\+ .*v#?\d* > 5/);
    return true;
  });
  await cluster.kill(1);
  hold = true;
  await input.addData([["a", 1]]);
  const { follower } = (await cluster.node(0)).runtime.hosts.get("q")!;
  await follower.until(() => (follower.latest?.entry.epoch ?? 0) > follower.committed);
  void cluster.kill(0);
  await new Promise((resolve) => setImmediate(resolve));
  hold = false;
  await assert.rejects(cluster.start(changed), /unfinished epochs/);
});
