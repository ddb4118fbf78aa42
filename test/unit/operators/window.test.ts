import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DAY_TIME_INTERVAL, field, INT, LONG, STRING, TIMESTAMP } from "../../../src/core/data-type.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import type { Row } from "../../../src/core/value.ts";
import type { AggregateCall, FrameBound, TypedExpr, WindowFrame } from "../../../src/expr/ast.ts";
import { windowKind, type WindowSpec } from "../../../src/operators/window.ts";
import { assertSameAnyhow } from "../../support/operator-harness.ts";
import { aggregate, ascending, call, literal, slot } from "../../support/typed-exprs.ts";

const input = schemaOf([field("k", STRING), field("v", INT), field("ts", TIMESTAMP)]);
const v = slot(input, "v");
const UNBOUNDED: FrameBound<TypedExpr> = { kind: "unboundedPreceding" };
const CURRENT: FrameBound<TypedExpr> = { kind: "currentRow" };
const rows = (start: FrameBound<TypedExpr>, end: FrameBound<TypedExpr>): WindowFrame<TypedExpr> => ({
  unit: "rows",
  start,
  end,
});
const range = (start: FrameBound<TypedExpr>, end: FrameBound<TypedExpr>): WindowFrame<TypedExpr> => ({
  unit: "range",
  start,
  end,
});
const by = (kind: "preceding" | "following", n: number, type = INT): FrameBound<TypedExpr> => ({
  kind,
  offset: literal(n, type),
});

const over = async (
  functions: readonly (readonly [AggregateCall, WindowFrame<TypedExpr>])[],
  data: readonly Row[],
  orderBy: WindowSpec["orderBy"] = [ascending(v)],
): Promise<readonly Row[]> => {
  const spec: WindowSpec = {
    partitionBy: [slot(input, "k")],
    orderBy,
    functions: functions.map(([c, frame]) => ({ call: c, frame })),
  };
  const output = schemaOf([...input.fields, ...functions.map(([c], i) => field(`f${i}`, c.type))]);
  const epochs = [{ rows: data.map((r) => [0, r] as const), watermarkMs: 0 }];
  const [out] = await assertSameAnyhow({ kind: windowKind, spec, inputs: [input], output }, epochs);
  return out!.rows;
};

const DATA: Row[] = [
  ["b", 5, 0],
  ["a", 3, 0],
  ["a", 1, 1],
  ["a", 3, 2],
  [null, 9, 3],
  ["a", null, 4],
];

test("ranks and running aggregates by partition, peers together in a range frame", async () => {
  const running = range(UNBOUNDED, CURRENT);
  const got = await over(
    [
      [aggregate("row_number", [], INT), running],
      [aggregate("rank", [], INT), running],
      [aggregate("dense_rank", [], INT), running],
      [aggregate("sum", [v]), running],
      [aggregate("sum", [v]), rows(UNBOUNDED, CURRENT)],
      [aggregate("count", [], LONG, { filter: call(">", [v, literal(1, INT)]) }), running],
    ],
    DATA,
  );
  assert.deepEqual(
    got.map((r) => [r[0], r[1], ...r.slice(3)]),
    [
      [null, 9, 1, 1, 1, 9, 9, 1],
      ["a", null, 1, 1, 1, null, null, 0],
      ["a", 1, 2, 2, 2, 1, 1, 0],
      ["a", 3, 3, 3, 3, 7, 4, 2],
      ["a", 3, 4, 3, 3, 7, 7, 2],
      ["b", 5, 1, 1, 1, 5, 5, 1],
    ],
  );
});

test("range offsets in values, descending too, and in time", async () => {
  const data: Row[] = [1, 2, 4, 7, null].map((x, i) => ["a", x, i * 1000]);
  const near = range(by("preceding", 2), by("following", 2));
  const sum = aggregate("sum", [v]);
  const values = (got: readonly Row[]): unknown[] => got.map((r) => [r[1], r[3]]);
  assert.deepEqual(values(await over([[sum, near]], data)), [
    [null, null],
    [1, 3],
    [2, 7],
    [4, 6],
    [7, 7],
  ]);
  const descending = [{ expr: v, descending: true, nullsFirst: false }];
  const back = range(by("preceding", 2), CURRENT);
  assert.deepEqual(values(await over([[sum, back]], data, descending)), [
    [7, 7],
    [4, 4],
    [2, 6],
    [1, 3],
    [null, null],
  ]);
  const second = range({ kind: "preceding", offset: literal(1_000_000, DAY_TIME_INTERVAL) }, CURRENT);
  const timed = await over([[sum, second]], data, [ascending(slot(input, "ts"))]);
  assert.deepEqual(
    timed.map((r) => r[3]),
    [1, 3, 6, 11, 7],
  );
});

test("property: an aggregate over a rows frame is the aggregate of those rows", async () => {
  const bound = fc.integer({ min: -3, max: 3 });
  const side = (n: number): FrameBound<TypedExpr> => by(n < 0 ? "preceding" : "following", Math.abs(n));
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat({ max: 9 }), { maxLength: 9 }), bound, bound, async (list, a, b) => {
      const order = [ascending(slot(input, "ts"))];
      const got = await over(
        [[aggregate("sum", [v]), rows(side(a), side(b))]],
        list.map((x, i): Row => ["a", x, i]),
        order,
      );
      const expected = list.map((_, i) => {
        const part = list.slice(Math.max(0, i + a), Math.max(0, i + b + 1));
        return a > b || part.length === 0 ? null : part.reduce((x, y) => x + y);
      });
      assert.deepEqual(
        got.map((r) => r[3]),
        expected,
      );
    }),
    { numRuns: 50 },
  );
});
