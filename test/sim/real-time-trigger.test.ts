/** `trigger({ realTime })` in virtual time: a backlog comes in epochs that are through in the interval, where the default trigger takes it in one. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { MemorySource } from "../../src/connectors/memory-input.ts";
import type { BatchFunction } from "../../src/connectors/function-sink.ts";
import { rowCount } from "../../src/core/batch.ts";
import { field, LONG } from "../../src/core/data-type.ts";
import { schemaOf } from "../../src/core/schema.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import type { Trigger } from "../../src/runtime/trigger.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { TestCluster } from "../../src/testing/cluster.ts";

const ROWS = 20_000;
/** What the sink takes. */
const ROWS_PER_MS = 100;

const epochsOf = async (trigger: Trigger): Promise<readonly number[]> => {
  const cluster = new TestCluster();
  const source = new MemorySource(schemaOf([field("v", LONG)]));
  await source.addData(Array.from({ length: ROWS }, (_, v) => ({ v })));
  const sizes: number[] = [];
  const sink: BatchFunction = async (batches) => {
    const rows = batches.reduce((n, b) => n + rowCount(b), 0);
    await new Promise<void>((resolve) => cluster.clock.after(rows / ROWS_PER_MS, resolve));
    sizes.push(rows);
  };
  const catalog = new SessionCatalog();
  const spec = { format: "memory", options: {}, handle: source, schema: source.schema, pushed: [] };
  const relation = { kind: "source", source: spec, streaming: true, name: "rows" } as const;
  catalog.define({ name: "rows", kind: "view", relation });
  await cluster.start({
    name: "q",
    relation: parseQuery("SELECT v FROM rows"),
    catalog,
    outputMode: "append",
    trigger,
    partitions: 1,
    sink: { format: "foreachBatch", options: {}, partitionBy: [], handle: sink },
  });
  for (let ms = 0; ms < 5_000 && sizes.reduce((a, b) => a + b, 0) < ROWS; ms++) await cluster.advanceTime(1);
  await cluster.close();
  assert.equal(
    sizes.reduce((a, b) => a + b, 0),
    ROWS,
  );
  return sizes.filter((n) => n > 0);
};

test("the default trigger takes what waits in one epoch", async () => {
  assert.deepEqual(await epochsOf({ kind: "default" }), [ROWS]);
});

test("a realTime trigger of 5 ms gives epochs that are through in 5 ms", async () => {
  const sizes = await epochsOf({ kind: "realTime", intervalMs: 5 });
  assert.ok(Math.max(...sizes) <= 5 * ROWS_PER_MS * 1.2, String(sizes));
  const settled = sizes.slice(20, -1);
  assert.ok(settled.length > 10, String(sizes));
  // They take it, too: smaller ones would be no gain.
  assert.ok(Math.max(...settled) >= 5 * ROWS_PER_MS * 0.25, String(sizes));
});
