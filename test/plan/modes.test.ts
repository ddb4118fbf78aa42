/** Which streaming queries run in which mode: every recorded case as Spark decided it, and what "extended" allows beyond. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import type { OutputMode } from "../../src/connectors/sink.ts";
import { BOOLEAN, type DataType, DOUBLE, INT, LONG, STRING, TIMESTAMP } from "../../src/core/data-type.ts";
import { AnalysisError } from "../../src/core/errors.ts";
import { analyse } from "../../src/plan/analyse.ts";
import { textMs } from "../../src/plan/analyse-time-window.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import { checkBatch, checkStreaming } from "../../src/plan/modes.ts";
import type { Relation } from "../../src/plan/relation.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { OPTIONS, planOf, refusal, sourceOf, watermarked } from "../support/plans.ts";

interface Stage {
  readonly sql?: string;
  readonly from?: string;
  readonly as?: string;
  readonly dropDuplicates?: readonly string[];
  readonly dropDuplicatesWithinWatermark?: readonly string[];
}
interface Case {
  readonly name: string;
  readonly sources: Record<
    string,
    {
      readonly schema: Record<string, string>;
      readonly watermark?: { readonly column: string; readonly delay: string };
      readonly static?: unknown;
    }
  >;
  readonly pipeline: readonly Stage[];
  readonly outputMode: OutputMode;
  readonly spark: { readonly refused?: string; readonly message?: string };
}

const TYPES: Record<string, DataType> = {
  string: STRING,
  long: LONG,
  int: INT,
  double: DOUBLE,
  boolean: BOOLEAN,
  timestamp: TIMESTAMP,
};

const catalogOf = (c: Case): SessionCatalog => {
  const catalog = new SessionCatalog();
  for (const [name, s] of Object.entries(c.sources)) {
    const columns = Object.fromEntries(Object.entries(s.schema).map(([n, t]) => [n, TYPES[t]!]));
    const source = sourceOf(name, columns, s.static === undefined);
    const relation =
      s.watermark === undefined ? source : watermarked(source, s.watermark.column, textMs(s.watermark.delay));
    catalog.define({ name, kind: "view", relation });
  }
  return catalog;
};

const stageOf = (stage: Stage, before: Relation | undefined): Relation => {
  if (stage.sql !== undefined) return parseQuery(stage.sql);
  const child: Relation = stage.from === undefined ? before! : { kind: "table", name: [stage.from] };
  const within = stage.dropDuplicatesWithinWatermark;
  return {
    kind: "dropDuplicates",
    child,
    columns: within ?? stage.dropDuplicates,
    withinWatermark: within !== undefined,
  };
};

const start = (c: Case): void => {
  const catalog = catalogOf(c);
  let relation: Relation | undefined;
  for (const stage of c.pipeline) {
    relation = stageOf(stage, relation);
    if (stage.as !== undefined) catalog.define({ name: stage.as, kind: "view", relation }, true);
  }
  checkStreaming(analyse(relation!, catalog, { ...OPTIONS, compatibility: "spark" }), c.outputMode, "spark");
};

const { cases } = JSON.parse(
  readFileSync(new URL("../golden/cases/streams.json", import.meta.url), "utf8"),
) as { readonly cases: readonly Case[] };

test("every recorded case is refused or not as Spark did, with its class and words", () => {
  for (const c of cases) {
    let error: unknown;
    try {
      start(c);
    } catch (e) {
      error = e;
    }
    if (c.spark.refused === undefined) {
      assert.equal(error, undefined, `${c.name}: ${String(error)}`);
      continue;
    }
    assert.ok(error instanceof AnalysisError, `${c.name} was not refused`);
    assert.equal(error.errorClass ?? "AnalysisException", c.spark.refused, c.name);
    const words = c.spark.message!.split(/ SQLSTATE|;/)[0]!.slice(0, 120);
    assert.ok(error.message.startsWith(words.replace(/\.$/, "")), `${c.name}:\n${error.message}\n${words}`);
  }
});

const refused = (
  sql: string,
  mode: OutputMode,
  compatibility: "extended" | "spark" = "extended",
): AnalysisError => refusal(() => checkStreaming(planOf(sql, { compatibility }), mode, compatibility));

test("a refusal names the operator, the rule and the remedy", () => {
  const e = refused("SELECT k, count(*) FROM s GROUP BY k", "append");
  assert.equal(
    e.message,
    "[STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION] Invalid streaming output mode: append. This output mode is not supported for streaming aggregations without watermark on streaming DataFrames/DataSets. Operator: Aggregate [k] [count() as count(1)]. To run it: call withWatermark on the event-time column and group by it or by a window of it, or use update or complete.",
  );
});

const EXTENDED: readonly (readonly [string, OutputMode])[] = [
  [
    "SELECT session_window(ts, '5 seconds') AS w, count(*) FROM s GROUP BY session_window(ts, '5 seconds')",
    "update",
  ],
  ["SELECT k, count(DISTINCT v) FROM s GROUP BY k", "update"],
  ["SELECT k FROM s LIMIT 3", "update"],
  [
    "SELECT s.k FROM s LEFT JOIN r ON s.k = r.k AND r.ts2 BETWEEN s.ts AND s.ts + INTERVAL 1 MINUTE",
    "update",
  ],
  [
    "SELECT s.k FROM s ANTI JOIN r ON s.k = r.k AND r.ts2 BETWEEN s.ts AND s.ts + INTERVAL 1 MINUTE",
    "append",
  ],
  ["SELECT k, count(*) FROM (SELECT s.k FROM s JOIN r ON s.k = r.k) GROUP BY k", "complete"],
  ["SELECT k FROM s INTERSECT SELECT k FROM d", "update"],
  ["SELECT k FROM s EXCEPT SELECT k FROM d", "append"],
];

for (const [sql, mode] of EXTENDED)
  test(`extended only, ${mode}: ${sql}`, () => {
    checkStreaming(planOf(sql), mode, "extended");
    assert.ok(refused(sql, mode, "spark") instanceof AnalysisError);
  });

const NEVER: readonly (readonly [string, OutputMode])[] = [
  ["SELECT k FROM t", "append"],
  ["SELECT k FROM s UNION ALL SELECT k FROM d", "append"],
  ["SELECT k FROM s LIMIT 3 OFFSET 1", "append"],
  ["SELECT k FROM s TABLESAMPLE (10 PERCENT)", "append"],
  ["SELECT k FROM d EXCEPT SELECT k FROM s", "append"],
  ["SELECT s.k FROM s RIGHT JOIN d ON s.k = d.k", "append"],
  ["SELECT s.k FROM s FULL JOIN d ON s.k = d.k", "append"],
  ["SELECT d.k FROM d SEMI JOIN s ON s.k = d.k", "append"],
  ["SELECT d.k FROM d ANTI JOIN s ON s.k = d.k", "append"],
  ["SELECT s.k FROM s ANTI JOIN r0 ON s.k = r0.k", "append"],
  ["SELECT s.k FROM s LEFT JOIN r ON s.k = r.k", "append"],
  ["SELECT k, row_number() OVER (ORDER BY ts) FROM s", "update"],
  ["SELECT sum(n) FROM (SELECT k, count(*) AS n FROM s GROUP BY k)", "complete"],
];

for (const [sql, mode] of NEVER)
  test(`never, ${mode}: ${sql}`, () => {
    refused(sql, mode);
    refused(sql, mode, "spark");
  });

test("a batch run of a stream is refused", () => {
  assert.match(refusal(() => checkBatch(planOf("SELECT k FROM s"))).message, /writeStream/);
  checkBatch(planOf("SELECT k FROM t"));
});
