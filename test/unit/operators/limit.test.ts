import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { field, INT } from "../../../src/core/data-type.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import { limitKind, type LimitSpec } from "../../../src/operators/limit.ts";
import { assertSameAnyhow, type EpochInput, type Subject } from "../../support/operator-harness.ts";

const input = schemaOf([field("v", INT)]);
const limit = (spec: LimitSpec): Subject<LimitSpec> => ({
  kind: limitKind,
  spec,
  inputs: [input],
  output: input,
});
const epoch = (...values: number[]): EpochInput => ({
  rows: values.map((v) => [0, [v]] as const),
  watermarkMs: 0,
});
const values = async (spec: LimitSpec, ...epochs: EpochInput[]): Promise<unknown[]> =>
  (await assertSameAnyhow(limit(spec), epochs)).map((e) => e.rows.map((r) => r[0]));

test("on a stream the limit runs over the whole query", async () => {
  const epochs = [epoch(1, 2, 3), epoch(4, 5), epoch(6)];
  assert.deepEqual(await values({ limit: 4, offset: 0, scope: "query" }, ...epochs), [[1, 2, 3], [4], []]);
});

test("in complete mode and batch it runs over one epoch", async () => {
  assert.deepEqual(await values({ limit: 2, offset: 1, scope: "epoch" }, epoch(1, 2, 3, 4), epoch(5)), [
    [2, 3],
    [],
  ]);
});

test("property: limit and offset are a slice of all rows", async () => {
  const natural = fc.nat({ max: 9 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.nat({ max: 5 }), { maxLength: 5 }), { maxLength: 5 }),
      fc.option(natural, { nil: undefined }),
      natural,
      async (steps, n, offset) => {
        const got = await values({ limit: n, offset, scope: "query" }, ...steps.map((s) => epoch(...s)));
        assert.deepEqual(got.flat(), steps.flat().slice(offset, n === undefined ? undefined : offset + n));
      },
    ),
    { numRuns: 40 },
  );
});
