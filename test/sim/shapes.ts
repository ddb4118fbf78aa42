/** The queries of the simulation: small, each another way through the machine, with what a batch run over all rows gives. */
import { MemorySource } from "../../src/connectors/memory-input.ts";
import { MemorySink } from "../../src/connectors/memory-sink.ts";
import type { OutputMode } from "../../src/connectors/sink.ts";
import { field, LONG, STRING, TIMESTAMP } from "../../src/core/data-type.ts";
import { schemaOf } from "../../src/core/schema.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import type { Relation } from "../../src/plan/relation.ts";
import type { Trigger } from "../../src/runtime/trigger.ts";
import type { StartRequest } from "../../src/query/runtime.ts";
import type { writtenRows } from "./fenced-log.ts";
import { parseQuery } from "../../src/sql/parser.ts";

/** key, value, event time in milliseconds */
export type InputTriple = readonly [k: string, v: number, ts: number];
export type Inputs = Readonly<Record<string, readonly InputTriple[]>>;

export interface Shape {
  readonly name: string;
  readonly sources: readonly string[];
  /** Each becomes a view of its name; the last is the query. */
  readonly pipeline: readonly (readonly [name: string, sql: string])[];
  readonly outputMode: OutputMode;
  /** Rows as strings, without order; of the update shape the last row per key. */
  readonly expected: (inputs: Inputs) => readonly string[];
  /** What the sink's rows say; see `versions` for update mode. */
  readonly key?: (row: readonly unknown[]) => string;
}

const SCHEMA = schemaOf([field("k", STRING), field("v", LONG), field("ts", TIMESTAMP)]);
/** Far above the disorder of the data: no row is late, so the batch result is the expected one. */
const DELAY_MS = 60_000;
/** A time so late that it closes every window; rows of it stay open. */
export const END_MS = 100_000_000;
export const END_KEY = "end";
/** Event times begin here, not at the watermark's own beginning. */
export const BEGIN_MS = 1_000_000;

const floor = (ts: number, size: number): number => Math.floor(ts / size) * size;

const counted = (rows: readonly InputTriple[], key: (r: InputTriple) => string): Map<string, number[]> => {
  const out = new Map<string, number[]>();
  for (const r of rows) {
    if (r[2] >= END_MS) continue;
    const c = out.get(key(r)) ?? [0, 0];
    out.set(key(r), [c[0]! + 1, c[1]! + r[1]]);
  }
  return out;
};

const rowsOfCounts = (counts: Map<string, number[]>): string[] =>
  [...counts].map(([k, [n, total]]) => `${k},${n},${total}`);

const both = (i: Inputs): readonly InputTriple[] => [...i["a"]!, ...i["b"]!];
const UNION = "SELECT k, v, ts FROM a UNION ALL SELECT k, v, ts FROM b";
const WINDOWED =
  "SELECT unix_millis(w.start) AS s, k, n, total FROM (SELECT window(ts,'10 seconds') AS w, k, count(*) AS n, sum(v) AS total FROM u GROUP BY window(ts,'10 seconds'), k)";

const windowCounts = (i: Inputs): string[] =>
  rowsOfCounts(counted(both(i), (r) => `${floor(r[2], 10_000)},${r[0]}`));

const chained = (i: Inputs): string[] => {
  const out = new Map<string, number[]>();
  for (const key of counted(i["a"]!, (r) => `${floor(r[2], 5_000)},${r[0]}`)) {
    const start = String(floor(Number(key[0].split(",")[0]), 20_000));
    const c = out.get(start) ?? [0, 0];
    out.set(start, [c[0]! + key[1][0]!, c[1]! + 1]);
  }
  return rowsOfCounts(out);
};

const joined = (i: Inputs): string[] =>
  i["a"]!.flatMap((l) =>
    i["b"]!.filter((r) => l[2] < END_MS && l[0] === r[0] && r[2] >= l[2] && r[2] <= l[2] + 8_000).map(
      (r) => `${l[0]},${l[1]},${r[1]}`,
    ),
  );

export const SHAPES: readonly Shape[] = [
  {
    name: "two sources, windowed count, append",
    sources: ["a", "b"],
    pipeline: [
      ["u", UNION],
      ["q", WINDOWED],
    ],
    outputMode: "append",
    expected: windowCounts,
  },
  {
    name: "two sources, windowed count, update",
    sources: ["a", "b"],
    pipeline: [
      ["u", UNION],
      ["q", WINDOWED],
    ],
    outputMode: "update",
    expected: windowCounts,
    key: (r) => `${String(r[0])},${String(r[1])}`,
  },
  {
    name: "window of a window, two exchanges",
    sources: ["a"],
    pipeline: [
      [
        "one",
        "SELECT window(ts, '5 seconds') AS w, k, count(*) AS n FROM a GROUP BY window(ts, '5 seconds'), k",
      ],
      [
        "q",
        "SELECT unix_millis(w20.start) AS s, n, c FROM (SELECT window(window_time(w), '20 seconds') AS w20, sum(n) AS n, count(*) AS c FROM one GROUP BY window(window_time(w), '20 seconds'))",
      ],
    ],
    outputMode: "append",
    expected: chained,
  },
  {
    name: "stream-stream join",
    sources: ["a", "b"],
    pipeline: [
      [
        "q",
        "SELECT a.k, a.v, b.v AS w FROM a JOIN b ON a.k = b.k AND b.ts BETWEEN a.ts AND a.ts + INTERVAL 8 SECONDS",
      ],
    ],
    outputMode: "append",
    expected: joined,
  },
  {
    name: "stateless",
    sources: ["a"],
    pipeline: [["q", "SELECT k, v * 2 AS v FROM a WHERE v % 3 <> 0"]],
    outputMode: "append",
    expected: (i) => i["a"]!.filter((r) => r[1] % 3 !== 0).map((r) => `${r[0]},${r[1] * 2}`),
  },
];

export const shape = (name: string): Shape => SHAPES.find((s) => s.name === name)!;

export interface Prepared {
  readonly shape: Shape;
  readonly inputs: Readonly<Record<string, MemorySource>>;
  readonly sink: MemorySink;
  readonly request: StartRequest;
  /** Everything added so far. */
  readonly added: Record<string, InputTriple[]>;
  add(source: string, rows: readonly InputTriple[]): Promise<void>;
}

export const prepare = (s: Shape, options: Partial<StartRequest> & { trigger?: Trigger } = {}): Prepared => {
  const catalog = new SessionCatalog();
  const inputs: Record<string, MemorySource> = {};
  const added: Record<string, InputTriple[]> = {};
  for (const name of s.sources) {
    const handle = (inputs[name] = new MemorySource(SCHEMA));
    added[name] = [];
    const source = { format: "memory", options: {}, schema: SCHEMA, pushed: [], handle };
    const child: Relation = { kind: "source", source, streaming: true, name };
    catalog.define({
      name,
      kind: "view",
      relation: { kind: "watermark", child, column: ["ts"], delayMs: DELAY_MS },
    });
  }
  let relation: Relation | undefined;
  for (const [name, sql] of s.pipeline) {
    relation = parseQuery(sql);
    catalog.define({ name, kind: "view", relation });
  }
  const sink = new MemorySink();
  const request: StartRequest = {
    name: "q",
    relation: relation!,
    catalog,
    outputMode: s.outputMode,
    trigger: { kind: "default" },
    sink: { format: "memory", options: {}, partitionBy: [], handle: sink },
    partitions: undefined,
    ...options,
  };
  const add = async (source: string, rows: readonly InputTriple[]): Promise<void> => {
    added[source]!.push(...rows);
    await inputs[source]!.addData(rows.map((r) => [...r]) as never);
  };
  return { shape: s, inputs, sink, request, added, add };
};

const text = (row: readonly unknown[]): string => row.map(String).join(",");
/** Rows of the key that only closes windows. */
const isEnd = (r: string): boolean => r.startsWith(`${END_KEY},`);

/** What is wrong with the rows in the sink; undefined when nothing is. */
export const problemOf = (
  p: Prepared,
  epochs:
    ReturnType<MemorySink["rowsByEpoch"]> | Awaited<ReturnType<typeof writtenRows>> = p.sink.rowsByEpoch(),
): string | undefined => {
  const got = p.shape.key === undefined ? epochs.flatMap(([, rows]) => rows.map(text)) : [];
  const { key } = p.shape;
  if (key !== undefined) {
    const newest = new Map<string, readonly unknown[]>();
    for (const [epoch, rows] of epochs)
      for (const row of rows) {
        const before = newest.get(key(row));
        if (before !== undefined && Number(row[2]) < Number(before[2]))
          return `epoch ${epoch}: ${text(row)} after ${text(before)}: a version went back`;
        newest.set(key(row), row);
      }
    got.push(...[...newest.values()].filter((r) => Number(r[0]) < END_MS).map(text));
  }
  return differenceOf(
    got.filter((r) => !isEnd(r)),
    p.shape.expected(p.added).filter((r) => !isEnd(r)),
  );
};

/** Rows that are missing (lost) or too many (doubled or wrong). */
export const differenceOf = (got: readonly string[], expected: readonly string[]): string | undefined => {
  const left = new Map<string, number>();
  for (const r of expected) left.set(r, (left.get(r) ?? 0) + 1);
  for (const r of got) left.set(r, (left.get(r) ?? 0) - 1);
  const lost = [...left].filter(([, n]) => n > 0);
  const more = [...left].filter(([, n]) => n < 0);
  if (lost.length === 0 && more.length === 0) return undefined;
  return `lost ${JSON.stringify(lost.slice(0, 5))}, too many ${JSON.stringify(more.slice(0, 5))} of ${expected.length} rows`;
};
