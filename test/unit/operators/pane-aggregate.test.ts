/** Panes give what the partial aggregate over expanded windows gives: the same states of the same windows, the same count of late rows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { batchFromRows, rowsOf } from "../../../src/core/batch.ts";
import { field, LONG, STRING, TIMESTAMP, WINDOW } from "../../../src/core/data-type.ts";
import { type Schema, schemaOf } from "../../../src/core/schema.ts";
import type { Row } from "../../../src/core/value.ts";
import { aggregateKind, type AggregateSpec, partialSchema } from "../../../src/operators/aggregate.ts";
import { expandWindowKind } from "../../../src/operators/expand-window.ts";
import type { Operator, Output } from "../../../src/operators/operator.ts";
import { aggregate, slot } from "../../support/typed-exprs.ts";

const input = schemaOf([field("k", STRING), field("ts", TIMESTAMP), field("v", LONG)]);
const expanded = schemaOf([...input.fields, field("w", WINDOW)]);
type Mode = AggregateSpec["mode"];

const aggregates = [
  aggregate("count", []),
  aggregate("sum", [slot(input, "v")]),
  aggregate("avg", [slot(input, "v")]),
  aggregate("max", [slot(input, "k")]),
  aggregate("min", [slot(input, "v")]),
];
const keys = (s: Schema): AggregateSpec["keys"] => [slot(s, "w"), slot(s, "k")];
const spec = (mode: Mode, s: Schema): AggregateSpec => ({
  phase: "partial",
  mode,
  keys: s === input ? [slot(expanded, "w"), slot(input, "k")] : keys(s),
  aggregates,
  eventTime: { key: 0, form: "window" },
});
const output = partialSchema(spec("append", expanded), ["w", "k"]);

interface Result {
  readonly rows: readonly string[];
  readonly late: number;
}

/** The rows through the operators, two epochs of them; the second knows a watermark. */
const run = (chain: readonly Operator[], epochs: readonly (readonly Row[])[], watermark: number): Result => {
  const context = {
    tables: undefined as never,
    partition: 0,
    partitions: 1,
    ownsKeyGroup: () => true,
    onRowError: (e: unknown): never => {
      throw e;
    },
  };
  const rows: Row[] = [];
  const into = (at: number): Output => ({
    emit: (b) =>
      void (at === chain.length ? rows.push(...rowsOf(b)) : chain[at]!.process(b, 0, into(at + 1))),
    late: () => {},
  });
  let late = 0;
  for (const o of chain) o.open?.(context);
  epochs.forEach((list, i) => {
    const lateWatermarkMs = i === 0 ? 0 : watermark;
    for (const o of chain)
      o.begin?.({
        epoch: i + 1,
        clockMs: 0,
        timeZone: "UTC",
        final: false,
        lateWatermarkMs,
        watermarkMs: watermark,
      });
    into(0).emit(batchFromRows(input, list));
    chain.forEach((o, k) => void o.end?.(into(k + 1)));
    late += chain.at(-1)!.metrics?.().rowsDroppedByWatermark ?? 0;
  });
  return { rows: rows.map((r) => JSON.stringify(r)).sort(), late };
};

test("property: panes equal windows one by one, late rows included", () => {
  fc.assert(
    fc.property(
      fc.record({
        slideMs: fc.integer({ min: 1, max: 7 }),
        perPane: fc.integer({ min: 1, max: 6 }),
        offsetMs: fc.integer({ min: -5, max: 5 }),
        watermark: fc.integer({ min: 0, max: 60 }),
        mode: fc.constantFrom<Mode>("append", "update", "complete"),
        epochs: fc.array(
          fc.array(
            fc.tuple(
              fc.option(fc.constantFrom("a", "b")),
              fc.option(fc.integer({ min: -20, max: 60 })),
              fc.option(fc.integer({ min: -9, max: 9 })),
            ),
            { maxLength: 20 },
          ),
          { minLength: 2, maxLength: 2 },
        ),
      }),
      ({ slideMs, perPane, offsetMs, watermark, mode, epochs }) => {
        const sizeMs = slideMs * perPane;
        const window = { time: slot(input, "ts"), sizeMs, slideMs, offsetMs };
        const apart = [
          expandWindowKind.create(window, [input], expanded),
          aggregateKind.create(spec(mode, expanded), [expanded], output),
        ];
        const panes = aggregateKind.create(
          { ...spec(mode, input), panes: { key: 0, ...window } },
          [input],
          output,
        );
        assert.deepEqual(run([panes], epochs, watermark), run(apart, epochs, watermark));
      },
    ),
    { numRuns: 300 },
  );
});
