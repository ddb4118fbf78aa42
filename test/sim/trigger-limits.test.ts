/** minOffsetsPerTrigger and maxTriggerDelay in virtual time: the first epoch of a start waits for nothing (Spark's rule), later ones for so many rows or so long. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { MemorySource } from "../../src/connectors/memory-input.ts";
import type { BatchFunction } from "../../src/connectors/function-sink.ts";
import { rowCount } from "../../src/core/batch.ts";
import { field, LONG } from "../../src/core/data-type.ts";
import { schemaOf } from "../../src/core/schema.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { TestCluster } from "../../src/testing/cluster.ts";

const rows = (n: number): { v: number }[] => Array.from({ length: n }, (_, v) => ({ v }));

test("an epoch waits for minOffsetsPerTrigger rows, for maxTriggerDelay at most, the first one for nothing", async () => {
  const cluster = new TestCluster();
  const source = new MemorySource(schemaOf([field("v", LONG)]));
  await source.addData(rows(2));
  const sizes: number[] = [];
  const sink: BatchFunction = (batches) => {
    const n = batches.reduce((sum, b) => sum + rowCount(b), 0);
    if (n > 0) sizes.push(n);
    return Promise.resolve();
  };
  const catalog = new SessionCatalog();
  const options = { minOffsetsPerTrigger: "10", maxTriggerDelay: "2 minutes" };
  const spec = { format: "memory", options, handle: source, schema: source.schema, pushed: [] };
  const relation = { kind: "source", source: spec, streaming: true, name: "rows" } as const;
  catalog.define({ name: "rows", kind: "view", relation });
  await cluster.start({
    name: "q",
    relation: parseQuery("SELECT v FROM rows"),
    catalog,
    outputMode: "append",
    trigger: { kind: "default" },
    partitions: 1,
    sink: { format: "foreachBatch", options: {}, partitionBy: [], handle: sink },
  });
  const after = async (seconds: number, expected: readonly number[]): Promise<void> => {
    for (let i = 0; i < seconds; i++) await cluster.advanceTime(1_000);
    assert.deepEqual(sizes, expected);
  };
  await after(5, [2]);
  await source.addData(rows(6));
  await after(20, [2]);
  await source.addData(rows(5));
  await after(20, [2, 11]);
  await source.addData(rows(3));
  await after(80, [2, 11]);
  await after(60, [2, 11, 3]);
  await cluster.close();
});
