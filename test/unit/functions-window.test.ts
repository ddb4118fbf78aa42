/** Window functions over one partition, and generators. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { array, INT, LONG, map, STRING } from "../../src/core/data-type.ts";
import type { Value } from "../../src/core/value.ts";
import type { TypedExpr } from "../../src/expr/ast.ts";
import { generatorDefinition } from "../../src/expr/generators.ts";
import { evaluateWindow } from "../../src/expr/window-functions.ts";

/** Values in order, null-free order keys: equal values are peers; the frame is the whole partition. */
const over = (
  name: string,
  values: readonly Value[],
  more: readonly Value[] = [],
  ignoreNulls = false,
): Value[] => {
  let group = 0;
  return evaluateWindow(name, {
    length: values.length,
    peers: values.map((v, i) => (i > 0 && v !== values[i - 1] ? ++group : group)),
    args: values.map((v) => [v, ...more]),
    frames: values.map(() => [0, values.length] as const),
    ignoreNulls,
  });
};

test("ranks", () => {
  const v = [1, 1, 2, 3, 3];
  assert.deepEqual(over("row_number", v), [1, 2, 3, 4, 5]);
  assert.deepEqual(over("rank", v), [1, 1, 3, 4, 4]);
  assert.deepEqual(over("dense_rank", v), [1, 1, 2, 3, 3]);
  assert.deepEqual(over("percent_rank", v), [0, 0, 0.5, 0.75, 0.75]);
  assert.deepEqual(over("cume_dist", v), [0.4, 0.4, 0.6, 1, 1]);
  assert.deepEqual(over("percent_rank", [7]), [0]);
});

test("ntile gives the first buckets one row more", () => {
  const ntile = (rows: number, buckets: number): Value[] =>
    over("ntile", new Array<Value>(rows).fill(buckets));
  assert.deepEqual(ntile(5, 2), [1, 1, 1, 2, 2]);
  assert.deepEqual(ntile(2, 4), [1, 2]);
});

test("lag and lead with defaults and IGNORE NULLS", () => {
  assert.deepEqual(over("lag", [1, 2, 3], [1, null]), [null, 1, 2]);
  assert.deepEqual(over("lead", [1, 2, 3], [2, -1]), [3, -1, -1]);
  assert.deepEqual(over("lag", [1, null, 3, null], [1, null], true), [null, 1, 1, 3]);
});

test("values of the frame", () => {
  assert.deepEqual(over("first_value", [null, 2, 3]), [null, null, null]);
  assert.deepEqual(over("first_value", [null, 2, 3], [], true), [2, 2, 2]);
  assert.deepEqual(over("last_value", [1, 2, null], [], true), [2, 2, 2]);
  assert.deepEqual(over("nth_value", [5, 6], [2]), [6, 6]);
  assert.deepEqual(over("nth_value", [5, 6], [3]), [null, null]);
});

const generated = (name: string, args: readonly TypedExpr[]): readonly (readonly Value[])[] => {
  const d = generatorDefinition(name)!;
  const r = d.resolve(args, { fn: name, timeZone: "UTC" });
  const rows = d.generate(r.args.map((a) => (a.kind === "literal" ? a.value : null)));
  for (const row of rows) assert.equal(row.length, r.output.length);
  return rows;
};
const literal = (value: Value, type: TypedExpr["type"]): TypedExpr => ({
  kind: "literal",
  value,
  type,
  nullable: value === null,
});

test("explode tells an array of arrays from a map", () => {
  assert.deepEqual(generated("explode", [literal([[1, 2]], array(array(INT)))]), [[[1, 2]]]);
  assert.deepEqual(generated("explode", [literal([["a", 1]], map(STRING, INT))]), [["a", 1]]);
  assert.deepEqual(generated("posexplode", [literal([7, 8], array(INT))]), [
    [0, 7],
    [1, 8],
  ]);
});

test("outer forms give a row of nulls", () => {
  assert.deepEqual(generated("explode", [literal([], array(INT))]), []);
  assert.deepEqual(generated("explode_outer", [literal(null, array(INT))]), [[null]]);
  assert.deepEqual(generated("posexplode_outer", [literal([], map(STRING, INT))]), [[null, null, null]]);
});

test("stack, range, json_tuple", () => {
  const int = (n: number): TypedExpr => literal(n, INT);
  const long = (n: number): TypedExpr => literal(n, LONG);
  assert.deepEqual(generated("stack", [int(2), int(1), int(2), int(3)]), [
    [1, 2],
    [3, null],
  ]);
  assert.deepEqual(generated("range", [long(3)]), [[0], [1], [2]]);
  assert.deepEqual(generated("range", [long(5), long(1), long(-2)]), [[5], [3]]);
  const text = (s: string): TypedExpr => literal(s, STRING);
  assert.deepEqual(generated("json_tuple", [text('{"a":1,"b":{"c":2}}'), text("a"), text("b"), text("x")]), [
    ["1", '{"c":2}', null],
  ]);
});
