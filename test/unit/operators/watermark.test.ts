import assert from "node:assert/strict";
import { test } from "node:test";
import { batchFromRows, rowsOf } from "../../../src/core/batch.ts";
import { field, INT, TIMESTAMP, WINDOW } from "../../../src/core/data-type.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import type { Row } from "../../../src/core/value.ts";
import { isWatermarkObserver } from "../../../src/operators/operator.ts";
import { watermarkKind } from "../../../src/operators/watermark.ts";
import { slot } from "../../support/typed-exprs.ts";

const input = schemaOf([field("v", INT), field("ts", TIMESTAMP), field("w", WINDOW)]);

const running = (column: "ts" | "w") => {
  const form = column === "ts" ? "column" : "window";
  const spec = { name: "w", time: slot(input, column), form, delayMs: 5 } as const;
  const operator = watermarkKind.create(spec, [input], input);
  assert.ok(isWatermarkObserver(operator));
  const passed: Row[] = [];
  operator.open!({ onRowError: (e: unknown) => assert.fail(String(e)) } as never);
  operator.begin!({
    epoch: 1,
    lateWatermarkMs: 0,
    watermarkMs: 0,
    final: false,
    clockMs: 0,
    timeZone: "UTC",
  });
  const feed = (...rows: Row[]): void => {
    const out = { emit: (b: Parameters<typeof rowsOf>[0]) => void passed.push(...rowsOf(b)), late: () => {} };
    void operator.process(batchFromRows(input, rows), 0, out);
  };
  return { operator, passed, feed };
};

test("rows pass, late ones too; the maximum is of what came since it was last taken, nulls left out", () => {
  const { operator, passed, feed } = running("ts");
  assert.equal(operator.takeMaximum(), undefined);
  feed([1, 5, null], [2, null, null]);
  feed([3, -7, null]);
  assert.equal(operator.takeMaximum(), 5);
  feed([4, null, null]);
  assert.equal(operator.takeMaximum(), undefined);
  feed([5, -3, null]);
  assert.equal(operator.takeMaximum(), -3);
  assert.deepEqual(
    passed.map((r) => r[0]),
    [1, 2, 3, 4, 5],
  );
});

test("a window's time is its last instant, in whole milliseconds as Spark counts", () => {
  const { operator, feed } = running("w");
  feed([1, null, [0, 10]], [2, null, null], [3, null, [-10, 0]]);
  assert.equal(operator.takeMaximum(), 9);
});
