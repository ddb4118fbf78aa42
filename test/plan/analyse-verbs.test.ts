/** The verbs of the typed API, and how event time flows through them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { LONG, STRING } from "../../src/core/data-type.ts";
import type { Expr } from "../../src/expr/ast.ts";
import { interpret } from "../../src/expr/interpret.ts";
import type { LogicalPlan } from "../../src/plan/logical.ts";
import { findNode } from "../../src/plan/nodes.ts";
import { optimise } from "../../src/plan/optimise.ts";
import { replace } from "../../src/plan/typed.ts";
import type { Relation } from "../../src/plan/relation.ts";
import { parseExpression } from "../../src/sql/parser.ts";
import { plain, planOf, planOfRelation, refusal, textOf } from "../support/plans.ts";

const S: Relation = { kind: "table", name: ["s"] };
const e = (text: string): Expr => parseExpression(text);
const as = (text: string, name: string): Expr => ({ kind: "alias", child: e(text), names: [name] });

const names = (p: LogicalPlan): string => p.output.map((a) => a.name).join(",");
const eventTimes = (p: LogicalPlan): string =>
  p.output
    .flatMap((a) => (a.eventTimeDelayMs === undefined ? [] : [`${a.name} ${a.eventTimeDelayMs}`]))
    .join(",");

test("withColumns replaces in place and adds behind; one pass sees the columns before it", () => {
  const plan = planOfRelation({
    kind: "withColumns",
    child: S,
    columns: [
      ["V", e("v + 1")],
      ["w", e("v * 2")],
    ],
  });
  assert.equal(
    textOf(plan),
    plain(`
      Project [k#1, (v#2 + cast(1 as bigint)) as V#4, ts#3, (v#2 * cast(2 as bigint)) as w#5]
      +- Watermark ts#3 delay 10000 ms
         +- Source memory s [k#1, v#2, ts#3]`),
  );
  const twice: Relation = {
    kind: "withColumns",
    child: S,
    columns: [
      ["w", e("1")],
      ["W", e("2")],
    ],
  };
  assert.equal(refusal(() => planOfRelation(twice)).errorClass, "COLUMN_ALREADY_EXISTS");
});

test("renamed and drop ignore names that do not exist", () => {
  assert.equal(
    names(planOfRelation({ kind: "renamed", child: S, names: { K: "key", zz: "y" } })),
    "key,v,ts",
  );
  assert.equal(names(planOfRelation({ kind: "drop", child: S, names: ["V", "zz"] })), "k,ts");
});

test("groupBy().agg() gives the keys, then the aggregates", () => {
  const plan = planOfRelation({
    kind: "aggregate",
    child: S,
    keys: [e("window(ts, '10 seconds')"), e("k"), as("v % 2", "odd")],
    aggregates: [as("count(*)", "n"), as("sum(v) + 1", "total")],
  });
  assert.equal(names(plan), "window,k,odd,n,total");
  const aggregate = findNode(plan, (p) => p.kind === "aggregate");
  assert.equal(aggregate?.kind === "aggregate" && aggregate.eventTime?.form, "window");
});

test("names with quotes, dots and __proto__ are names like any other", () => {
  const plan = planOfRelation({
    kind: "withColumns",
    child: S,
    columns: [
      ["__proto__", e("v")],
      ["a.b`c", e("k")],
      ["constructor", e("1")],
    ],
  });
  assert.equal(names(plan), "k,v,ts,__proto__,a.b`c,constructor");
  const select: Relation = {
    kind: "select",
    child: { kind: "withColumns", child: S, columns: [["a.b`c", e("k")]] },
    exprs: [e("`a.b``c`")],
  };
  assert.equal(names(planOfRelation(select)), "a.b`c");
  assert.equal(
    refusal(() => planOf("SELECT __proto__ FROM s")).errorClass,
    "UNRESOLVED_COLUMN.WITH_SUGGESTION",
  );
});

test("the typed select may hold aliases of qualified columns", () => {
  const join: Relation = {
    kind: "join",
    left: { kind: "alias", child: S, name: "l" },
    right: { kind: "alias", child: S, name: "r" },
    how: "inner",
    condition: e("l.k = r.k AND l.v < r.v"),
  };
  assert.equal(
    names(planOfRelation({ kind: "select", child: join, exprs: [e("l.k"), as("r.v", "rv")] })),
    "k,rv",
  );
});

const FLOW: readonly (readonly [string, string])[] = [
  ["SELECT * FROM s", "ts 10000"],
  ["SELECT ts AS t, ts + INTERVAL 1 SECOND AS u, CAST(ts AS TIMESTAMP) AS c FROM s", "t 10000,c 10000"],
  ["SELECT window(ts, '10 seconds') AS w FROM s", "w 10000"],
  ["SELECT window(ts, '10 seconds').end AS e FROM s", ""],
  ["SELECT window_time(w) AS t FROM (SELECT window(ts, '10 seconds') AS w FROM s)", "t 10000"],
  ["SELECT window(w, '1 minute') AS ww FROM (SELECT window(ts, '10 seconds') AS w FROM s)", "ww 10000"],
  [
    "SELECT session_window(ts, '10 seconds') AS w FROM s GROUP BY session_window(ts, '10 seconds')",
    "w 10000",
  ],
  ["SELECT s.ts, r.ts2 FROM s JOIN r ON s.k = r.k", "ts 10000,ts2 5000"],
  ["SELECT ts FROM s UNION ALL SELECT ts2 FROM r", "ts 10000"],
  ["SELECT DISTINCT ts FROM s", "ts 10000"],
  ["SELECT max(ts) AS m FROM s GROUP BY k", ""],
  ["SELECT ts FROM s0", ""],
];

for (const [sql, wanted] of FLOW)
  test(`event time of ${sql}`, () => assert.equal(eventTimes(planOf(sql)), wanted));

test("a second watermark takes the mark of the first", () => {
  const again: Relation = {
    kind: "watermark",
    child: { kind: "withColumns", child: S, columns: [["t2", e("ts")]] },
    column: ["t2"],
    delayMs: 7,
  };
  assert.equal(eventTimes(planOfRelation(again)), "t2 7");
  const text: Relation = { kind: "watermark", child: S, column: ["k"], delayMs: 7 };
  assert.equal(refusal(() => planOfRelation(text)).errorClass, "EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE");
});

test("sessions: the gap in milliseconds, constant or by row", () => {
  const gap = (text: string): string =>
    textOf(planOf(`SELECT count(*) AS n FROM s GROUP BY session_window(ts, ${text})`)).match(
      /gap (.*) ms/,
    )![1]!;
  assert.equal(gap("'5 seconds'"), "5000");
  assert.equal(gap("INTERVAL 2 MINUTES"), "120000");
  assert.equal(
    gap("CASE WHEN k = 'a' THEN '3 seconds' ELSE '8 seconds' END"),
    "case when (k#1 = 'a') then 3000 else 8000 end",
  );
});

test("a session's gap of the row's own text is what it adds to the row's time", () => {
  const plan = planOf("SELECT count(*) AS n FROM s GROUP BY session_window(ts, concat(v, ' seconds'))");
  const aggregate = findNode(plan, (p) => p.kind === "aggregate");
  assert.ok(aggregate?.kind === "aggregate" && aggregate.session !== undefined);
  const { gap } = aggregate.session;
  const bound = replace(gap, (x) =>
    x.kind === "attribute"
      ? { kind: "literal", value: x.name === "v" ? 7 : 1000, type: x.type, nullable: false }
      : undefined,
  );
  assert.equal(interpret(bound, [], { clockMs: 0, timeZone: "UTC" }), 7000);
});

test("dropDuplicates keeps all columns; an unknown one is refused", () => {
  const plan = planOfRelation({ kind: "dropDuplicates", child: S, columns: ["K"], withinWatermark: true });
  assert.match(textOf(plan), /^DedupWithinWatermark \[k#1\]/);
  assert.equal(names(plan), "k,v,ts");
  const bad: Relation = { kind: "dropDuplicates", child: S, columns: ["zz"], withinWatermark: false };
  assert.equal(refusal(() => planOfRelation(bad)).errorClass, "UNRESOLVED_COLUMN_AMONG_FIELD_NAMES");
});

test("keyed state, row functions and observed metrics", () => {
  const output = { fields: [{ name: "out", type: STRING, nullable: true }] };
  const mapped: Relation = {
    kind: "mapRows",
    child: S,
    fn: { name: "f", mode: "map", apply: () => ({}), output },
  };
  const state: Relation = {
    kind: "groupState",
    child: S,
    keys: [e("upper(k)")],
    fn: {
      name: "g",
      mode: "flatMapGroups",
      outputMode: "append",
      timeout: "none",
      apply: undefined,
      output,
      stateType: LONG,
      initial: undefined,
    },
  };
  const observed: Relation = { kind: "observe", child: S, name: "m", metrics: [as("count(*) * 2", "n2")] };
  assert.equal(names(planOfRelation(mapped)), "out");
  assert.equal(
    textOf(planOfRelation(state)).split("\n")[1],
    "+- Project [k#1, v#2, ts#3, upper(k#1) as upper(k)#4]",
  );
  assert.equal(names(planOfRelation(observed)), "k,v,ts");
  const kept = optimise(planOfRelation({ kind: "select", child: observed, exprs: [e("k")] }), {
    timeZone: "UTC",
  });
  assert.match(textOf(kept), /Observe m \[n2\]/);
});

test("late() has the columns of the operator's input, and keeps them when pruned", () => {
  const counts: Relation = {
    kind: "aggregate",
    child: S,
    keys: [e("window(ts, '10 seconds')")],
    aggregates: [as("count(*)", "n")],
  };
  const late = planOfRelation({ kind: "late", child: counts });
  assert.equal(names(late), "k,v,ts");
  assert.match(textOf(optimise(late, { timeZone: "UTC" })), /Source memory s \[k#1, v#2, ts#3\]/);
  assert.equal(
    refusal(() => planOfRelation({ kind: "late", child: S })).errorClass,
    "LATE_ROWS_WITHOUT_STATE",
  );
});
