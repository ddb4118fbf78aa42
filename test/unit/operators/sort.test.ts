import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DOUBLE, field, INT, STRING } from "../../../src/core/data-type.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import type { Row } from "../../../src/core/value.ts";
import { sortKind, type SortSpec } from "../../../src/operators/sort.ts";
import { assertSameAnyhow } from "../../support/operator-harness.ts";
import { ascending, slot } from "../../support/typed-exprs.ts";

const input = schemaOf([field("s", STRING), field("d", DOUBLE), field("i", INT)]);
const [s, d] = [slot(input, "s"), slot(input, "d")];
const sorted = async (spec: SortSpec, rows: readonly Row[]): Promise<unknown[]> => {
  const epochs = [{ rows: rows.map((r) => [0, r] as const), watermarkMs: 0 }];
  const [out] = await assertSameAnyhow({ kind: sortKind, spec, inputs: [input], output: input }, epochs);
  return out!.rows.map((r) => r[2]);
};

test("orders by several keys, nulls where they are wanted, NaN last, equal rows as they came", async () => {
  const rows: Row[] = [
    ["b", 1, 0],
    [null, 1, 1],
    ["a", NaN, 2],
    ["a", 7, 3],
    ["b", 1, 4],
    ["a", null, 5],
  ];
  const descending = { expr: d, descending: true, nullsFirst: false };
  assert.deepEqual(await sorted({ orders: [ascending(s), descending] }, rows), [1, 2, 3, 5, 0, 4]);
  assert.deepEqual(
    await sorted({ orders: [{ ...ascending(s), nullsFirst: false }, ascending(d)] }, rows),
    [5, 3, 2, 0, 4, 1],
  );
});

test("property: a limit keeps the first of the whole order", async () => {
  const row = fc.tuple(fc.constantFrom("a", "b", null), fc.constantFrom(0, 1, 2), fc.nat());
  await fc.assert(
    fc.asyncProperty(fc.array(row, { maxLength: 12 }), fc.nat({ max: 5 }), async (rows, limit) => {
      const orders = [ascending(s), ascending(d)];
      assert.deepEqual(
        await sorted({ orders, limit }, rows),
        (await sorted({ orders }, rows)).slice(0, limit),
      );
    }),
    { numRuns: 40 },
  );
});
