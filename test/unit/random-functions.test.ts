/** rand, randn, uniform, randstr, shuffle, uuid: Spark's numbers for a seed, the epoch's own without one (Q1, Q2 of functions/random.ts). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { batchFromRows } from "../../src/core/batch.ts";
import { field, LONG } from "../../src/core/data-type.ts";
import { MillraceError } from "../../src/core/errors.ts";
import { schemaOf } from "../../src/core/schema.ts";
import type { Value } from "../../src/core/value.ts";
import { valueAt } from "../../src/core/vector.ts";
import { compileExprs } from "../../src/expr/compile.ts";
import type { EvaluationContext } from "../../src/expr/contract.ts";
import { fold } from "../../src/expr/fold.ts";
import { interpret } from "../../src/expr/interpret.ts";
import { columnScope } from "../../src/expr/scope.ts";
import { typeExpr } from "../../src/expr/typing.ts";
import { parseExpression } from "../../src/sql/parser.ts";

const COLUMN = { kind: "slot", index: 0, name: "c", type: LONG, nullable: true } as const;
const SCOPE = columnScope([{ name: "c", qualifier: [], expr: COLUMN }], { timeZone: "UTC" });
const typed = (sql: string) => typeExpr(parseExpression(sql, { timeZone: "UTC" }), SCOPE);

/** `rows` values of one epoch in one partition. */
const drawn = (sql: string, rows: number, clockMs = 1, partition = 0): readonly Value[] => {
  const context: EvaluationContext = { clockMs, timeZone: "UTC", partition };
  const e = fold(typed(sql));
  return Array.from({ length: rows }, () => interpret(e, [1], context));
};

test("a seed gives Spark's numbers, row after row, and in partition p those of seed + p", () => {
  assert.deepEqual(drawn("randstr(10, 1)", 2), ["fYxVfArnv7", "iSIv0VT2XL"]);
  assert.deepEqual(drawn("randstr(10, 0)", 2, 7, 1), ["fYxVfArnv7", "iSIv0VT2XL"]);
  assert.deepEqual(drawn("rand(0)", 1), [0.7604953758285915]);
  assert.deepEqual(drawn("uniform(-20L, -10L, 0)", 1), [-12]);
  assert.deepEqual(drawn("rand(3)", 3, 1), drawn("rand(3)", 3, 2));
});

test("without a seed an epoch that is replayed draws the same, another epoch or partition does not", () => {
  for (const sql of ["rand()", "randn()", "randstr(20)", "uuid()", "shuffle(sequence(1, 40))"]) {
    const first = drawn(sql, 4, 5);
    assert.deepEqual(drawn(sql, 4, 5), first, sql);
    assert.notDeepEqual(drawn(sql, 4, 6), first, sql);
    assert.notDeepEqual(drawn(sql, 4, 5, 1), first, sql);
    assert.equal(new Set(first.map(String)).size, 4, sql);
  }
  assert.notDeepEqual(
    drawn("rand() + 0 * rand()", 2),
    drawn("0 * rand() + rand()", 2),
    "two places, two seeds",
  );
});

test("compiled code draws what the interpreter draws, over the batches of an epoch", () => {
  const schema = schemaOf([field("c", LONG)]);
  const exprs = ["rand(9)", "uniform(1, 1000, 4)", "shuffle(array(c, 2, 3, 4, 5), 8)"].map(typed);
  const run = compileExprs(exprs);
  const context: EvaluationContext = { clockMs: 3, timeZone: "UTC" };
  const got = [3, 2].flatMap((n) => {
    const vectors = run(
      batchFromRows(
        schema,
        Array.from({ length: n }, () => [1]),
      ),
      context,
    );
    return Array.from({ length: n }, (_, k) => vectors.map((v) => valueAt(v, k)));
  });
  const other: EvaluationContext = { ...context };
  const wanted = got.map(() => exprs.map((e) => interpret(e, [1], other)));
  assert.deepEqual(got, wanted);
});

test("the values lie where they should", () => {
  const numbers = drawn("rand(11)", 2000) as number[];
  assert.ok(numbers.every((x) => x >= 0 && x < 1));
  assert.ok(Math.abs(numbers.reduce((a, b) => a + b, 0) / 2000 - 0.5) < 0.05);
  const normal = drawn("randn(11)", 2000) as number[];
  assert.ok(Math.abs(normal.reduce((a, b) => a + b * b, 0) / 2000 - 1) < 0.15);
  const [order] = drawn("shuffle(array(4, 1, 3, 2), 5)", 1) as number[][];
  assert.deepEqual(
    order!.toSorted((a, b) => a - b),
    [1, 2, 3, 4],
  );
  const [id] = drawn("uuid(5)", 1);
  assert.match(id as string, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

test("what Spark refuses", () => {
  const refusals: readonly (readonly [string, string])[] = [
    ["rand('7')", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"],
    ["rand(7.5)", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"],
    ["rand(c)", "SEED_EXPRESSION_IS_UNFOLDABLE"],
    ["rand(1, 2)", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"],
    ["uniform(c, 9)", "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT"],
    ["uniform(0, 'x')", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"],
    ["randstr(c)", "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT"],
    ["randstr(-4, 0)", "INVALID_PARAMETER_VALUE.LENGTH"],
    ["shuffle(7)", "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE"],
  ];
  for (const [sql, errorClass] of refusals)
    assert.throws(
      () => drawn(sql, 1),
      (e) => e instanceof MillraceError && (assert.equal(e.errorClass, errorClass, sql), true),
      sql,
    );
});
