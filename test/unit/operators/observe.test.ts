import assert from "node:assert/strict";
import { test } from "node:test";
import { batchFromRows } from "../../../src/core/batch.ts";
import { field, INT, LONG } from "../../../src/core/data-type.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import type { Row } from "../../../src/core/value.ts";
import { isObserver, mergeObserved, observeKind, type ObserveSpec } from "../../../src/operators/observe.ts";
import { aggregate, call, literal, slot } from "../../support/typed-exprs.ts";

const input = schemaOf([field("v", INT)]);
const results = schemaOf([field("a0", LONG), field("a1", LONG)]);
const spec: ObserveSpec = {
  name: "seen",
  aggregates: [aggregate("count", []), aggregate("max", [slot(input, "v")], INT)],
  metrics: [
    { name: "rows", expr: slot(results, "a0") },
    { name: "double", expr: call("+", [slot(results, "a0"), literal(1, LONG)], LONG) },
    { name: "max", expr: { ...slot(results, "a1"), type: INT } },
  ],
};
const context = { clockMs: 0, timeZone: "UTC" };

test("the metrics of an epoch come from all partitions' states; an epoch starts anew", () => {
  const partition = (): ((epoch: number, ...values: number[]) => unknown) => {
    const operator = observeKind.create(spec, [input], input);
    assert.ok(isObserver(operator));
    operator.open!({ onRowError: (e: unknown) => assert.fail(String(e)) } as never);
    return (epoch, ...values) => {
      operator.begin!({ ...context, epoch, lateWatermarkMs: 0, watermarkMs: 0, final: false });
      const rows = values.map((v): Row => [v]);
      let passed = 0;
      for (const row of rows)
        void operator.process(batchFromRows(input, [row]), 0, { emit: () => passed++, late: () => {} });
      assert.equal(passed, values.length);
      return operator.observed();
    };
  };
  const [p, q] = [partition(), partition()];
  const states = [p(1, 5, 7), q(1, 6)] as Row[];
  assert.deepEqual(mergeObserved(spec, states, context), [3, 4, 7]);
  assert.equal(q(2), undefined);
  assert.deepEqual(mergeObserved(spec, [p(2, 1)] as Row[], context), [1, 2, 1]);
  assert.deepEqual(mergeObserved(spec, [], context), [0, 1, null]);
});
