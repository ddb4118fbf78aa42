import assert from "node:assert/strict";
import { test } from "node:test";
import { field, INT } from "../../../src/core/data-type.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import { unionKind } from "../../../src/operators/union.ts";
import { assertSameAnyhow } from "../../support/operator-harness.ts";

test("rows of all ports, in the order in which they come", async () => {
  const inputs = [schemaOf([field("a", INT)]), schemaOf([field("b", INT)])];
  const [out] = await assertSameAnyhow({ kind: unionKind, spec: { ports: 2 }, inputs, output: inputs[0]! }, [
    {
      rows: [
        [1, [1]],
        [0, [2]],
        [1, [3]],
      ],
      watermarkMs: 0,
    },
  ]);
  assert.deepEqual(out!.rows, [[1], [2], [3]]);
});
