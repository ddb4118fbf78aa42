import assert from "node:assert/strict";
import { test } from "node:test";
import { array, type DataType, field, INT, map, STRING, struct } from "../../../src/core/data-type.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import type { Row, Value } from "../../../src/core/value.ts";
import type { TypedExpr } from "../../../src/expr/ast.ts";
import { generatorDefinition } from "../../../src/expr/generators.ts";
import { generateKind } from "../../../src/operators/generate.ts";
import { assertSameAnyhow, runOperator } from "../../support/operator-harness.ts";
import { literal, slot } from "../../support/typed-exprs.ts";

const resolved = (fn: string, args: readonly TypedExpr[]): readonly TypedExpr[] =>
  generatorDefinition(fn)?.resolve(args, { fn, timeZone: "UTC" }).args ?? args;

const generate = async (
  fn: string,
  type: DataType,
  values: readonly Value[],
  generated: readonly DataType[],
  outer = false,
): Promise<readonly Row[]> => {
  const input = schemaOf([field("id", INT), field("x", type)]);
  const output = schemaOf([...input.fields, ...generated.map((t, i) => field(`g${i}`, t))]);
  const [out] = await assertSameAnyhow(
    {
      kind: generateKind,
      spec: { fn, args: resolved(fn, [slot(input, "x")]), outer },
      inputs: [input],
      output,
    },
    [{ rows: values.map((v, i) => [0, [i, v]] as const), watermarkMs: 0 }],
  );
  return out!.rows.map((r) => [r[0]!, ...r.slice(2)]);
};

test("explode and posexplode of arrays and maps, outer or not", async () => {
  const lists = [[1, null], [], null, [3]];
  assert.deepEqual(await generate("explode", array(INT), lists, [INT]), [
    [0, 1],
    [0, null],
    [3, 3],
  ]);
  assert.deepEqual(await generate("explode", array(INT), lists, [INT], true), [
    [0, 1],
    [0, null],
    [1, null],
    [2, null],
    [3, 3],
  ]);
  assert.deepEqual(await generate("posexplode_outer", array(INT), lists, [INT, INT]), [
    [0, 0, 1],
    [0, 1, null],
    [1, null, null],
    [2, null, null],
    [3, 0, 3],
  ]);
  const entries = [
    [
      ["a", 1],
      ["b", null],
    ],
  ];
  assert.deepEqual(await generate("explode", map(STRING, INT), entries, [STRING, INT]), [
    [0, "a", 1],
    [0, "b", null],
  ]);
  assert.deepEqual(await generate("posexplode", map(STRING, INT), entries, [INT, STRING, INT]), [
    [0, 0, "a", 1],
    [0, 1, "b", null],
  ]);
});

test("inline gives a row a struct, nulls for a null struct", async () => {
  const type = array(struct([field("a", INT), field("b", STRING)]));
  assert.deepEqual(await generate("inline", type, [[[1, "x"], null]], [INT, STRING]), [
    [0, 1, "x"],
    [0, null, null],
  ]);
});

test("stack fills rows from its arguments; json_tuple takes fields of a text", async () => {
  const input = schemaOf([field("j", STRING)]);
  const run = async (fn: string, args: Parameters<typeof literal>[], columns: DataType[], value: Value) => {
    const output = schemaOf([...input.fields, ...columns.map((t, i) => field(`g${i}`, t))]);
    const exprs = args.map((a) => (a[0] === "$" ? slot(input, "j") : literal(...a)));
    const [out] = await runOperator(
      { kind: generateKind, spec: { fn, args: resolved(fn, exprs), outer: false }, inputs: [input], output },
      [{ rows: [[0, [value]]], watermarkMs: 0 }],
    );
    return out!.rows.map((r) => r.slice(1));
  };
  const numbers = [2, 1, 2, 3].map((n): Parameters<typeof literal> => [n, INT]);
  assert.deepEqual(await run("stack", numbers, [INT, INT], null), [
    [1, 2],
    [3, null],
  ]);
  const names = ["$", "a", "b", "__proto__"].map((n): Parameters<typeof literal> => [n, STRING]);
  const strings = [STRING, STRING, STRING];
  assert.deepEqual(await run("json_tuple", names, strings, '{"a": {"x":1}, "b": "t"}'), [
    ['{"x":1}', "t", null],
  ]);
  assert.deepEqual(await run("json_tuple", names, strings, "no json"), [[null, null, null]]);
});

test("an unknown generator is refused", async () => {
  await assert.rejects(generate("explod", array(INT), [], [INT]), /no table-generating function explod/);
});
