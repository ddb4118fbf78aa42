/**
 * A streaming query cut into random epochs, with random kills, restarts and partitions, writes the rows that a batch over all of its input gives.
 * In update mode: the last row of each key. MILLRACE_SEED and MILLRACE_COUNT or MILLRACE_SECONDS choose the run.
 *
 * S1  No row is late: the watermark's delay is longer than all event times of a case.
 * S2  At the end each stream gets a row of the key `end` so late that it closes everything before it; rows of that key are not compared.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemorySource } from "../../src/connectors/memory-input.ts";
import { MemorySink } from "../../src/connectors/memory-sink.ts";
import { field, LONG, STRING, TIMESTAMP } from "../../src/core/data-type.ts";
import { type Schema, schemaOf } from "../../src/core/schema.ts";
import type { Row } from "../../src/core/value.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import type { Relation } from "../../src/plan/relation.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import { rowsDifference, toGolden } from "../golden/values.ts";
import { budget, Random, seedOfRun } from "./random.ts";
import { randomStreamQuery, type StreamQuery } from "./stream-shapes.ts";

const SCHEMA = schemaOf([field("k", STRING), field("v", LONG), field("ts", TIMESTAMP)]);
const BEGIN_MS = 1_700_000_000_000;
const SPAN_MS = 120_000;
const DELAY_MS = 600_000;
const END_MS = BEGIN_MS + 100 * DELAY_MS;
const STREAMS = ["a", "b"] as const;
type Input = readonly [k: string | null, v: number | null, ts: number];
type Inputs = Readonly<Record<(typeof STREAMS)[number], readonly Input[]>>;

const randomRow = (r: Random): Input => [
  r.chance(0.08) ? null : r.pick(["a", "b", "c", "d"]),
  r.chance(0.08) ? null : r.int(0, 12),
  BEGIN_MS + r.int(0, SPAN_MS / 500) * 500,
];

const TABLE = "SELECT * FROM VALUES ('a', 2), ('b', 3), ('b', 1), ('x', 9), (NULL, 7) AS t(k, w)";

const source = (schema: Schema, handle: MemorySource): Relation => ({
  kind: "watermark",
  column: ["ts"],
  delayMs: DELAY_MS,
  child: {
    kind: "source",
    streaming: true,
    name: "memory",
    source: { format: "memory", options: {}, schema, pushed: [], handle },
  },
});

const catalogOf = (views: Readonly<Record<string, Relation>>): SessionCatalog => {
  const catalog = new SessionCatalog();
  for (const [name, relation] of Object.entries({ ...views, c: parseQuery(TABLE) }))
    catalog.define({ name, kind: "view", relation });
  return catalog;
};

const shown = (schema: Schema, rows: readonly Row[]): unknown[][] =>
  rows
    .map((row) => row.map((v, i) => toGolden(v, schema.fields[i]!.type)))
    .filter((row) => !row.some(isOfTheEnd));

/** The key `end`, or a window of its row. */
const isOfTheEnd = (v: unknown): boolean =>
  v === "end" ||
  v === "END" ||
  (typeof v === "object" && v !== null && Number((v as { start?: number }).start) > BEGIN_MS + DELAY_MS);

/** What a batch over the input without its end gives. */
const batchRows = async (query: StreamQuery, inputs: Inputs): Promise<unknown[][]> => {
  const cluster = new TestCluster();
  try {
    const views = Object.fromEntries(
      STREAMS.map((name): [string, Relation] => [name, { kind: "rows", schema: SCHEMA, rows: inputs[name] }]),
    );
    const { runtime } = await cluster.node(0);
    const { schema, rows } = await runtime.collect(parseQuery(query.sql), catalogOf(views));
    return shown(schema, rows);
  } finally {
    await cluster.close();
  }
};

/** The rows cut into steps; each step is an epoch or more. */
const steps = (r: Random, inputs: Inputs): Partial<Record<(typeof STREAMS)[number], Input[]>>[] => {
  const queue = STREAMS.flatMap((name) => inputs[name].map((row) => ({ name, row, at: r.next() }))).sort(
    (x, y) => x.at - y.at,
  );
  const out: Partial<Record<(typeof STREAMS)[number], Input[]>>[] = [];
  while (queue.length > 0) {
    const step: Partial<Record<(typeof STREAMS)[number], Input[]>> = {};
    for (const { name, row } of queue.splice(0, r.int(1, 12))) (step[name] ??= []).push(row);
    out.push(step);
  }
  out.push(Object.fromEntries(STREAMS.map((name) => [name, [["end", 100, END_MS] as const]])));
  return out;
};

const disturb = async (r: Random, cluster: TestCluster): Promise<void> => {
  const chance = r.next();
  if (chance < 0.15) {
    await cluster.kill(0, r.chance(0.3) ? "lost" : "kept");
    await cluster.restart(0);
  } else if (chance < 0.25) await cluster.stopAndStart("q");
};

const streamRows = async (r: Random, query: StreamQuery, inputs: Inputs): Promise<unknown[][]> => {
  const cluster = new TestCluster({ partitions: r.int(1, 5) });
  try {
    const handles = { a: new MemorySource(SCHEMA), b: new MemorySource(SCHEMA) };
    const sink = new MemorySink();
    await cluster.start({
      name: "q",
      relation: parseQuery(query.sql),
      catalog: catalogOf({ a: source(SCHEMA, handles.a), b: source(SCHEMA, handles.b) }),
      outputMode: query.mode,
      trigger: { kind: "processingTime", intervalMs: 1_000 },
      sink: { format: "memory", options: {}, partitionBy: [], handle: sink },
      partitions: undefined,
    });
    for (const step of steps(r, inputs)) {
      for (const name of STREAMS)
        if (step[name] !== undefined) await handles[name].addData(step[name].map((row) => [...row]));
      await cluster.processAllAvailable("q");
      await disturb(r, cluster);
    }
    await cluster.processAllAvailable("q");
    const rows = sink.rowsByEpoch().flatMap(([, written]) => written);
    const all = sink.schema === undefined ? [] : shown(sink.schema, rows);
    return query.mode === "append" ? all : lastOfEachKey(all, query.keys);
  } finally {
    await cluster.close();
  }
};

const lastOfEachKey = (rows: readonly unknown[][], keys: number): unknown[][] => [
  ...new Map(rows.map((row) => [JSON.stringify(row.slice(0, keys)), row])).values(),
];

test("streams write what a batch over the same rows gives", async () => {
  const seed = seedOfRun();
  const more = budget();
  let done = 0;
  for (; more(done); done++) {
    const r = new Random(seed + done);
    const inputs: Inputs = { a: r.many(0, 40, () => randomRow(r)), b: r.many(0, 40, () => randomRow(r)) };
    const query = randomStreamQuery(r);
    const label = `MILLRACE_SEED=${seed + done} MILLRACE_COUNT=1 (${query.mode})\n${query.sql}\n${JSON.stringify(inputs)}`;
    try {
      const expected = await batchRows(query, inputs);
      const difference = rowsDifference(await streamRows(r, query, inputs), expected, false);
      assert.equal(difference, undefined, difference);
    } catch (e) {
      throw new Error(`${e instanceof Error ? e.message : String(e)}\n${label}`, { cause: e });
    }
  }
  process.stdout.write(`# seed ${seed}: ${done} streaming queries\n`);
});
