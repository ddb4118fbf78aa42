import assert from "node:assert/strict";
import { test } from "node:test";
import { field, INT, LONG, STRING } from "../../../src/core/data-type.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import { expandKind } from "../../../src/operators/expand.ts";
import { assertSameAnyhow } from "../../support/operator-harness.ts";
import { literal, slot } from "../../support/typed-exprs.ts";

test("every row once for each projection, in an order that batch cuts do not change", async () => {
  const input = schemaOf([field("k", STRING), field("v", LONG)]);
  const [k, v] = [slot(input, "k"), slot(input, "v")];
  const spec = {
    projections: [
      [k, v, literal(0, INT)],
      [k, literal(null, LONG), literal(1, INT)],
      [literal(null, STRING), literal(null, LONG), literal(3, INT)],
    ],
  };
  const [out] = await assertSameAnyhow(
    { kind: expandKind, spec, inputs: [input], output: schemaOf([...input.fields, field("id", INT)]) },
    [
      {
        rows: [
          [0, ["a", 1]],
          [0, [null, 2]],
        ],
        watermarkMs: 0,
      },
    ],
  );
  assert.deepEqual(out!.rows, [
    ["a", 1, 0],
    ["a", null, 1],
    [null, null, 3],
    [null, 2, 0],
    [null, null, 1],
    [null, null, 3],
  ]);
});
