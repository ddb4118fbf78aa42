import assert from "node:assert/strict";
import { test } from "node:test";
import { field, INT, LONG } from "../../../src/core/data-type.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import { calcKind } from "../../../src/operators/calc.ts";
import { runOperator, type Subject } from "../../support/operator-harness.ts";
import { call, literal, slot } from "../../support/typed-exprs.ts";

const input = schemaOf([field("a", INT), field("b", INT)]);
const output = schemaOf([field("q", LONG)]);
const a = slot(input, "a");
const b = slot(input, "b");

const divide: Subject<Parameters<typeof calcKind.create>[0]> = {
  kind: calcKind,
  spec: {
    steps: [
      { kind: "filter", condition: call(">", [a, literal(0, INT)]) },
      { kind: "project", exprs: [call("div", [a, b], LONG)], names: ["q"] },
    ],
  },
  inputs: [input],
  output,
};

const epoch = (rows: (number | null)[][]) => ({ rows: rows.map((r) => [0, r] as const), watermarkMs: 0 });

test("calc filters and projects", async () => {
  const [out] = await runOperator(divide, [
    epoch([
      [6, 3],
      [-1, 0],
      [9, 3],
      [null, 1],
    ]),
  ]);
  assert.deepEqual(out!.rows, [[2], [3]]);
});

test("a row that throws goes to onRowError, the others go on, whatever the batch", async () => {
  for (const cut of [1, 2, 10]) {
    const rowErrors: Error[] = [];
    const [out] = await runOperator(
      divide,
      [
        epoch([
          [6, 3],
          [5, 0],
          [9, 3],
        ]),
      ],
      { cut: () => cut, rowErrors },
    );
    assert.deepEqual(out!.rows, [[2], [3]]);
    assert.equal(rowErrors.length, 1);
    assert.match(rowErrors[0]!.message, /zero/i);
  }
});

test("without a policy the error leaves the operator", async () => {
  await assert.rejects(runOperator(divide, [epoch([[5, 0]])]), /zero/i);
});

test("describe names the steps", () => {
  assert.equal(calcKind.describe(divide.spec), "Calc [filter((a > 0)), project(div(a, b) AS q)]");
});
