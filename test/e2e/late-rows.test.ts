/** `late()`: the rows that a windowed count refuses, as rows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemorySink } from "../../src/connectors/memory-sink.ts";
import { MemorySource } from "../../src/connectors/memory-input.ts";
import { field, LONG, STRING, TIMESTAMP } from "../../src/core/data-type.ts";
import { schemaOf } from "../../src/core/schema.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { TestCluster } from "../../src/testing/cluster.ts";

test("late rows of a windowed count come out as they came in, once, through a kill", async () => {
  const schema = schemaOf([field("k", STRING), field("v", LONG), field("ts", TIMESTAMP)]);
  const input = new MemorySource(schema);
  const sink = new MemorySink();
  const catalog = new SessionCatalog();
  const spec = { format: "memory", options: {}, schema, pushed: [], handle: input };
  const stream = { kind: "source", source: spec, streaming: true, name: "s" } as const;
  catalog.define({
    name: "s",
    kind: "view",
    relation: { kind: "watermark", child: stream, column: ["ts"], delayMs: 1_000 },
  });
  const counts = parseQuery(
    "SELECT window(ts, '10 seconds') AS w, k, count(*) AS n FROM s GROUP BY window(ts, '10 seconds'), k",
  );
  const cluster = new TestCluster({ partitions: 3 });
  await cluster.start({
    name: "late",
    relation: { kind: "late", child: counts },
    catalog,
    outputMode: "append",
    trigger: { kind: "default" },
    sink: { format: "memory", options: {}, partitionBy: [], handle: sink },
    partitions: undefined,
  });
  const add = async (rows: readonly (readonly [string, number, number])[]): Promise<void> => {
    await input.addData(rows);
    await cluster.processAllAvailable("late");
  };
  await add([
    ["a", 1, 1_000],
    ["b", 2, 42_000],
  ]);
  await add([
    ["a", 3, 2_000],
    ["b", 4, 43_000],
  ]);
  await cluster.kill(0, "lost");
  await cluster.restart(0);
  await add([
    ["c", 5, 9_999],
    ["c", 6, 60_000],
  ]);
  assert.deepEqual(
    sink.rows().map((r) => [r[0], r[1], r[2]]),
    [
      ["a", 3, 2_000],
      ["c", 5, 9_999],
    ],
  );
  await cluster.close();
});
