/** Runs the cases of streams.json through the real engine: embedded log, actors, stores, virtual time. */
import { LevelBackend } from "../../src/state/level-backend.ts";
import { EmbeddedStore } from "../../src/log/embedded-log.ts";
import { MemorySource, type InputRow } from "../../src/connectors/memory-input.ts";
import { MemorySink } from "../../src/connectors/memory-sink.ts";
import {
  BOOLEAN,
  DOUBLE,
  field,
  INT,
  LONG,
  STRING,
  TIMESTAMP,
  type DataType,
} from "../../src/core/data-type.ts";
import { parseDuration } from "../../src/core/duration.ts";
import { MillraceError } from "../../src/core/errors.ts";
import { schemaOf, type Schema } from "../../src/core/schema.ts";
import type { Value } from "../../src/core/value.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import type { Relation } from "../../src/plan/relation.ts";
import type { OutputMode } from "../../src/connectors/sink.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { StateMemory } from "../../src/state/parts.ts";
import type { StreamingQueryProgress } from "../../src/query/streaming-query.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import { removeTemporary, temporaryDirectory } from "../support/temporary.ts";
import { join } from "node:path";
import { rowObject, rowsDifference } from "./values.ts";

const TYPES: Readonly<Record<string, DataType>> = {
  string: STRING,
  long: LONG,
  int: INT,
  double: DOUBLE,
  boolean: BOOLEAN,
  timestamp: TIMESTAMP,
};

export interface StreamCase {
  readonly name: string;
  readonly sources: Readonly<
    Record<
      string,
      {
        schema: Record<string, string>;
        watermark?: { column: string; delay: string };
        static?: readonly InputRow[];
      }
    >
  >;
  readonly pipeline: readonly {
    sql?: string;
    dropDuplicates?: readonly string[];
    dropDuplicatesWithinWatermark?: readonly string[];
    from?: string;
    as?: string;
  }[];
  readonly outputMode: OutputMode;
  readonly ordered?: boolean;
  readonly steps: readonly { add?: Record<string, readonly InputRow[]>; restart?: boolean }[];
  readonly spark: { refused?: string; message?: string; steps?: readonly StepResult[] };
}
interface StepResult {
  readonly rows?: readonly unknown[];
  readonly epochs?: readonly (readonly unknown[])[];
  readonly watermark?: number | null;
  readonly stateRows?: readonly number[];
  readonly droppedByWatermark?: number;
  readonly restarted?: boolean;
}

export interface StreamOptions {
  readonly partitions: number;
  readonly restartEveryEpoch: boolean;
  /** More state than so many bytes goes to disk. */
  readonly stateMemory?: number | undefined;
  /** Compares the rows of each epoch and the counts of state and of late rows too. */
  readonly strict?: boolean;
}

const TICK_MS = 1_000;

const schemaOfSource = (columns: Record<string, string>): Schema =>
  schemaOf(Object.entries(columns).map(([name, type]) => field(name, TYPES[type]!)));

/** A row object as values: absent keys are null. */
const values = (row: InputRow, schema: Schema): InputRow =>
  schema.fields.map((f) => ((row as Record<string, never>)[f.name] ?? null) as never);

const buildCatalog = (c: StreamCase, inputs: Map<string, MemorySource>): SessionCatalog => {
  const catalog = new SessionCatalog();
  for (const [name, source] of Object.entries(c.sources)) {
    const schema = schemaOfSource(source.schema);
    if (source.static !== undefined) {
      const rows = source.static.map((r) => values(r, schema) as never);
      catalog.define({ name, kind: "view", relation: { kind: "rows", schema, rows } });
      continue;
    }
    const handle = new MemorySource(schema);
    inputs.set(name, handle);
    const spec = { format: "memory", options: {}, schema, pushed: [], handle };
    let relation: Relation = { kind: "source", source: spec, streaming: true, name };
    const { watermark } = source;
    if (watermark !== undefined)
      relation = {
        kind: "watermark",
        child: relation,
        column: [watermark.column],
        delayMs: parseDuration(watermark.delay),
      };
    catalog.define({ name, kind: "view", relation });
  }
  return catalog;
};

const buildPipeline = (c: StreamCase, catalog: SessionCatalog): Relation => {
  let last: Relation | undefined;
  for (const stage of c.pipeline) {
    const child = stage.from === undefined ? last : catalog.table([stage.from])?.relation;
    if (stage.sql !== undefined) last = parseQuery(stage.sql);
    else {
      const columns = stage.dropDuplicates ?? stage.dropDuplicatesWithinWatermark!;
      const withinWatermark = stage.dropDuplicatesWithinWatermark !== undefined;
      last = {
        kind: "dropDuplicates",
        child: child!,
        columns: columns.length === 0 ? undefined : columns,
        withinWatermark,
      };
    }
    if (stage.as !== undefined) catalog.define({ name: stage.as, kind: "view", relation: last });
  }
  return last!;
};

/** Undefined when the case agrees with Spark, else what differs. */
export const runStreamCase = async (c: StreamCase, options: StreamOptions): Promise<string | undefined> => {
  const inputs = new Map<string, MemorySource>();
  const sink = new MemorySink();
  const directory = temporaryDirectory();
  const memory = options.stateMemory === undefined ? undefined : new StateMemory(options.stateMemory);
  const cluster = new TestCluster({
    partitions: options.partitions,
    compatibility: "spark",
    store: (clock) => EmbeddedStore.open({ directory: join(directory, "log"), clock }),
    backend: (n) => LevelBackend.open(join(directory, `state${n}`), memory),
  });
  try {
    try {
      const catalog = buildCatalog(c, inputs);
      const relation = buildPipeline(c, catalog);
      const trigger = { kind: "processingTime", intervalMs: TICK_MS } as const;
      const to = { format: "memory", options: {}, partitionBy: [], handle: sink };
      await cluster.start({
        name: "q",
        relation,
        catalog,
        outputMode: c.outputMode,
        trigger,
        sink: to,
        partitions: undefined,
      });
    } catch (e) {
      return refusal(e, c);
    }
    if (c.spark.refused !== undefined)
      return `  Spark refuses this (${c.spark.refused}): ${c.spark.message ?? ""}`;
    return await runSteps(c, cluster, inputs, sink, options);
  } catch (e) {
    return `  failed: ${e instanceof Error ? (e.stack ?? e.message) : String(e)}`;
  } finally {
    await cluster.close();
    removeTemporary(directory);
  }
};

const refusal = (e: unknown, c: StreamCase): string | undefined => {
  const { refused } = c.spark;
  if (refused === undefined || !(e instanceof MillraceError))
    return `  refused: ${e instanceof Error ? (e.stack ?? e.message) : String(e)}`;
  if (refused === "AnalysisException" || refused === e.errorClass) return undefined;
  return `  refused with ${e.errorClass ?? e.name} (${e.message.slice(0, 160)}), Spark with ${refused}`;
};

const runSteps = async (
  c: StreamCase,
  cluster: TestCluster,
  inputs: Map<string, MemorySource>,
  sink: MemorySink,
  options: StreamOptions,
): Promise<string | undefined> => {
  let seen = 0;
  for (const [i, step] of c.steps.entries()) {
    const expected = c.spark.steps![i]!;
    if (step.restart === true) {
      await cluster.stopAndStart("q");
      continue;
    }
    for (const [name, rows] of Object.entries(step.add ?? {})) {
      const input = inputs.get(name)!;
      await input.addData(rows.map((r) => values(r, input.schema)));
    }
    await cluster.processAllAvailable("q");
    const fields = sink.schema?.fields ?? [];
    const epochs = sink.rowsByEpoch().filter(([e]) => e > seen);
    seen = Math.max(seen, ...epochs.map(([e]) => e));
    const ours = epochs.map(([, rows]) =>
      rows.map((r) =>
        rowObject(
          r.map((v, k) => wholeMs(v, fields[k]!.type)),
          fields,
        ),
      ),
    );
    const query = await cluster.query("q");
    const difference =
      compareStep(c, expected, ours, query.lastProgress?.eventTime["watermark"]) ??
      (options.strict === true
        ? strictDifference(c, expected, ours, query.recentProgress, epochs[0]?.[0] ?? 0)
        : undefined);
    if (difference !== undefined)
      return `  step ${i + 1} ${JSON.stringify(step).slice(0, 300)}:\n${difference}`;
    if (options.restartEveryEpoch) {
      await cluster.kill(0);
      await cluster.restart(0);
    }
  }
  return undefined;
};

/** Timestamps as the recorder writes them: without the part below a millisecond, which `window_time` has. */
const wholeMs = (v: Value, type: DataType): Value => {
  if (v === null) return null;
  if (type.kind === "timestamp" || type.kind === "timestamp_ntz") return Math.floor(v as number);
  if (type.kind === "struct") return (v as readonly Value[]).map((x, i) => wholeMs(x, type.fields[i]!.type));
  return type.kind === "array" ? (v as readonly Value[]).map((x) => wholeMs(x, type.element)) : v;
};

const compareStep = (
  c: StreamCase,
  expected: StepResult,
  ours: readonly (readonly unknown[])[],
  watermark: string | undefined,
): string | undefined => {
  const complete = c.outputMode === "complete";
  const [mine, theirs] = complete
    ? [ours.at(-1) ?? [], expected.epochs?.at(-1) ?? []]
    : [ours.flat(), expected.rows ?? []];
  const rows = rowsDifference(mine, theirs, c.ordered === true);
  if (rows !== undefined) return rows;
  const at = watermark === undefined ? null : Date.parse(watermark);
  if (
    expected.watermark !== undefined &&
    at !== expected.watermark &&
    !(expected.watermark === null && at === null)
  )
    return `  watermark ${at}, Spark's ${expected.watermark}`;
  return undefined;
};

/** Rows epoch by epoch; the sizes of all operators' states; whether rows were late since epoch `first`. */
const strictDifference = (
  c: StreamCase,
  expected: StepResult,
  ours: readonly (readonly unknown[])[],
  progress: readonly StreamingQueryProgress[],
  first: number,
): string | undefined => {
  const theirs = expected.epochs ?? [];
  if (theirs.length !== ours.length) return `  ${ours.length} epochs, Spark's ${theirs.length}`;
  for (const [i, rows] of ours.entries()) {
    const difference = rowsDifference(rows, theirs[i]!, c.ordered === true);
    if (difference !== undefined) return `  epoch ${i}\n${difference}`;
  }
  const state = (progress.at(-1)?.stateOperators ?? []).map((o) => o.numRowsTotal).toSorted((a, b) => a - b);
  const wanted = (expected.stateRows ?? []).toSorted((a, b) => a - b);
  if (JSON.stringify(state) !== JSON.stringify(wanted)) return `  state rows ${state}, Spark's ${wanted}`;
  const late = progress
    .filter((p) => p.batchId >= first - 1)
    .flatMap((p) => p.stateOperators)
    .reduce((n, o) => n + o.numRowsDroppedByWatermark, 0);
  // Spark counts the groups of a partial aggregate that are late, not their rows, and misses some of a first epoch
  return late === 0 && (expected.droppedByWatermark ?? 0) > 0
    ? `  no late rows, Spark's ${expected.droppedByWatermark}`
    : undefined;
};
