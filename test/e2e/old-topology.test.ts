/** After a rescale the logs of the old partitions go, once nobody can need them (law 13). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemorySink } from "../../src/connectors/memory-sink.ts";
import { MemorySource } from "../../src/connectors/memory-input.ts";
import { field, STRING } from "../../src/core/data-type.ts";
import { schemaOf } from "../../src/core/schema.ts";
import { MemoryStore } from "../../src/log/memory-log.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { TestCluster } from "../../src/testing/cluster.ts";

test("mailboxes and snapshots of the old topology are removed behind the new one's snapshots, and counts go on", async () => {
  const schema = schemaOf([field("k", STRING)]);
  const input = new MemorySource(schema);
  const sink = new MemorySink();
  const catalog = new SessionCatalog();
  const source = { format: "memory", options: {}, schema, pushed: [], handle: input };
  catalog.define({
    name: "t",
    kind: "view",
    relation: { kind: "source", source, streaming: true, name: "t" },
  });
  let store: MemoryStore | undefined;
  const cluster = new TestCluster({
    partitions: 2,
    store: (clock) => Promise.resolve((store = new MemoryStore({ clock }))),
  });
  const query = await cluster.start({
    name: "q",
    relation: parseQuery("SELECT k, count(*) AS n FROM t GROUP BY k"),
    catalog,
    outputMode: "update",
    trigger: { kind: "default" },
    sink: { format: "memory", options: {}, partitionBy: [], handle: sink },
    partitions: undefined,
  });
  const epochs = async (n: number): Promise<void> => {
    for (let i = 0; i < n; i++) {
      await input.addData([[`k${i % 7}`]]);
      await cluster.processAllAvailable("q");
    }
  };
  await epochs(3);
  await query.rescale(3);
  await epochs(3);
  const logs = async (topology: number): Promise<readonly string[]> =>
    (await store!.list("test.q.")).filter((l) =>
      new RegExp(`\\.(mail|snap)\\.\\d+\\.${topology}\\.`).test(l),
    );
  assert.ok((await logs(1)).length > 0);
  // Two snapshots of every new actor: one interval each.
  for (let i = 0; i < 4; i++) {
    await cluster.advanceTime(11_000);
    await epochs(2);
  }
  await epochs(64);
  assert.deepEqual(await logs(1), []);
  assert.ok((await logs(2)).length > 0);
  const last = new Map(sink.rows().map((r) => [r[0], r[1]]));
  const total = [...last.values()].reduce((sum: number, n) => sum + Number(n), 0);
  assert.equal(total, 3 + 3 + 8 + 64);
  await cluster.close();
});
