import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { BOOLEAN, DOUBLE, field, INT, LONG, STRING, TIMESTAMP, WINDOW } from "../../../src/core/data-type.ts";
import { keyGroupOf } from "../../../src/core/hash.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import type { Row } from "../../../src/core/value.ts";
import { aggregateKind, type AggregateSpec, partialSchema } from "../../../src/operators/aggregate.ts";
import { hashRow } from "../../../src/state/key-codec.ts";
import {
  assertSameAnyhow,
  bag,
  type EpochInput,
  runOperator,
  type Subject,
} from "../../support/operator-harness.ts";
import { aggregate, slot } from "../../support/typed-exprs.ts";

const input = schemaOf([field("w", WINDOW), field("k", STRING), field("v", LONG)]);
const output = schemaOf([field("w", WINDOW), field("k", STRING), field("n", LONG), field("total", LONG)]);
const keys = [slot(input, "w"), slot(input, "k")];
const calls = [aggregate("count", []), aggregate("sum", [slot(input, "v")])];

const windowed = (mode: AggregateSpec["mode"], closes = true): Subject<AggregateSpec> => ({
  kind: aggregateKind,
  spec: {
    phase: "single",
    mode,
    keys,
    aggregates: calls,
    eventTime: closes ? { key: 0, form: "window" } : undefined,
  },
  inputs: [input],
  output,
  route: (_, row) => keyGroupOf(hashRow(row.slice(0, 2), [WINDOW, STRING])),
});

/** [k, v, ts] rows by epoch as the golden case agg/tumble/wm has them; watermark after each. */
const at = (k: string, v: number, ts: number): readonly [number, Row] => {
  const start = Math.floor(ts / 10000) * 10000;
  return [0, [[start, start + 10000], k, v]];
};
const TUMBLE: EpochInput[] = [
  { rows: [at("a", 1, 1000), at("b", 2, 2000), at("a", 3, 4000)], watermarkMs: 0 },
  { rows: [at("b", 1, 9000), at("a", 2, 25000)], watermarkMs: 2000 },
  { rows: [], watermarkMs: 15000 },
  { rows: [at("a", 4, 3000), at("b", 6, 26000)], watermarkMs: 15000 },
  { rows: [], watermarkMs: 16000 },
];

test("append emits a window once, when the watermark passes its end, and drops late rows", async () => {
  const out = await assertSameAnyhow(windowed("append"), TUMBLE);
  assert.deepEqual(
    out.map((e) => e.rows),
    [
      [],
      [],
      [
        [[0, 10000], "a", 2, 4],
        [[0, 10000], "b", 2, 3],
      ],
      [],
      [],
    ],
  );
  assert.deepEqual(out[3]!.late, [[[0, 10000], "a", 4]]);
  assert.deepEqual(out[3]!.metrics, { rowsUpdated: 1, rowsRemoved: 0, rowsDroppedByWatermark: 1 });
  assert.deepEqual(
    out.map((e) => e.stateRows),
    [2, 3, 1, 2, 2],
  );
});

test("update emits what the epoch changed and forgets closed windows without a row", async () => {
  const out = await assertSameAnyhow(windowed("update"), TUMBLE);
  assert.deepEqual(
    out.map((e) => e.rows.length),
    [2, 2, 0, 1, 0],
  );
  assert.deepEqual(out[1]!.rows[0], [[0, 10000], "b", 2, 3]);
  assert.equal(out[2]!.stateRows, 1);
});

test("complete emits everything in every epoch, late rows included", async () => {
  const out = await assertSameAnyhow(windowed("complete"), TUMBLE);
  assert.deepEqual(
    out.map((e) => e.rows.length),
    [2, 3, 3, 4, 4],
  );
  assert.deepEqual(
    out[4]!.rows.find((r) => r[1] === "a"),
    [[0, 10000], "a", 3, 8],
  );
});

test("a time column as key closes at the time itself; null never closes, and comes out at the end of input", async () => {
  const rows = schemaOf([field("ts", TIMESTAMP)]);
  const subject: Subject<AggregateSpec> = {
    kind: aggregateKind,
    spec: {
      phase: "single",
      mode: "append",
      keys: [slot(rows, "ts")],
      aggregates: [aggregate("count", [])],
      eventTime: { key: 0, form: "column" },
    },
    inputs: [rows],
    output: schemaOf([field("ts", TIMESTAMP), field("n", LONG)]),
  };
  const row = (ts: number | null): readonly [number, Row] => [0, [ts]];
  const out = await assertSameAnyhow(subject, [
    { rows: [row(0), row(500), row(999), row(null), row(12999)], watermarkMs: 999 },
    { rows: [row(500), row(1000)], watermarkMs: 1000 },
    { rows: [], watermarkMs: 1000, final: true },
  ]);
  // 0 is late already: the watermark starts at 0 and closes what is <= it.
  assert.deepEqual(
    out.map((e) => e.rows),
    [
      [
        [500, 1],
        [999, 1],
      ],
      [[1000, 1]],
      [
        [12999, 1],
        [null, 1],
      ],
    ],
  );
});

test("without keys there is one group from the start, on the owner of key group 0 only", async () => {
  const subject: Subject<AggregateSpec> = {
    kind: aggregateKind,
    spec: { phase: "single", mode: "update", keys: [], aggregates: calls, eventTime: undefined },
    inputs: [input],
    output: schemaOf([field("n", LONG), field("total", LONG)]),
    route: () => 0,
  };
  const out = await assertSameAnyhow(subject, [
    { rows: [], watermarkMs: 0 },
    { rows: [at("a", 5, 0), at("b", 6, 0)], watermarkMs: 0 },
    { rows: [], watermarkMs: 9 },
  ]);
  assert.deepEqual(
    out.map((e) => e.rows),
    [[[0, null]], [[2, 11]], [[2, 11]]],
  );
});

test("partial and final phases give what a single phase gives; late rows leave at the partial phase", async () => {
  const names = ["w", "k"];
  const single = windowed("append");
  const between = partialSchema(single.spec, names);
  const partial: Subject<AggregateSpec> = {
    kind: aggregateKind,
    spec: { ...single.spec, phase: "partial" },
    inputs: [input],
    output: between,
  };
  const final: Subject<AggregateSpec> = {
    kind: aggregateKind,
    spec: { ...single.spec, phase: "final", keys: [slot(between, "w"), slot(between, "k")] },
    inputs: [between],
    output,
    route: single.route!,
  };
  const folded = await runOperator(partial, TUMBLE, { cut: () => 2 });
  assert.deepEqual(folded[3]!.late, [[[0, 10000], "a", 4]]);
  assert.equal(folded[0]!.rows.length, 2);
  const epochs = TUMBLE.map((e, i) => ({ ...e, rows: folded[i]!.rows.map((r) => [0, r] as const) }));
  const plain = await runOperator(single, TUMBLE);
  const merged = await assertSameAnyhow(final, epochs);
  assert.deepEqual(
    merged.map((e) => bag(e.rows)),
    plain.map((e) => bag(e.rows)),
  );
});

test("FILTER, DISTINCT keys of every form, exact longs", async () => {
  const rows = schemaOf([field("d", DOUBLE), field("l", LONG), field("b", BOOLEAN), field("i", INT)]);
  const subject: Subject<AggregateSpec> = {
    kind: aggregateKind,
    spec: {
      phase: "single",
      mode: "complete",
      keys: [slot(rows, "d"), slot(rows, "l"), slot(rows, "b")],
      aggregates: [
        aggregate("count", [], LONG, { filter: slot(rows, "b") }),
        aggregate("sum", [slot(rows, "i")]),
      ],
      eventTime: undefined,
    },
    inputs: [rows],
    output: schemaOf([...rows.fields.slice(0, 3), field("n", LONG), field("s", LONG)]),
    route: (_, row) => keyGroupOf(hashRow(row.slice(0, 3), [DOUBLE, LONG, BOOLEAN])),
  };
  const big = 9223372036854775807n;
  const out = await assertSameAnyhow(subject, [
    {
      rows: [
        [0, [NaN, big, true, 1]],
        [0, [0, 1, null, 2]],
        [0, [null, null, false, 4]],
      ],
      watermarkMs: 0,
    },
    {
      rows: [
        [0, [NaN, big, true, 10]],
        [0, [-0, 1, null, 20]],
        [0, [null, null, false, 40]],
      ],
      watermarkMs: 0,
    },
    { rows: [[0, [NaN, big - 1n, true, 5]]], watermarkMs: 0 },
  ]);
  assert.deepEqual(
    bag(out[1]!.rows),
    bag([
      [NaN, big, true, 2, 11],
      [0, 1, null, 0, 22],
      [null, null, false, 0, 44],
    ]),
  );
  assert.equal(out[2]!.rows.length, 4);
});

const rowOf = fc.tuple(
  fc.constantFrom("a", "b", "c", null),
  fc.integer({ min: -3, max: 9 }),
  fc.integer({ min: 0, max: 60000 }),
);
const epochsOf = fc.array(fc.tuple(fc.array(rowOf, { maxLength: 12 }), fc.integer({ min: 0, max: 15000 })), {
  maxLength: 8,
});

test("property: any epochs, cuts, restores and partitions give the rows of a plain model", async () => {
  await fc.assert(
    fc.asyncProperty(
      epochsOf,
      fc.constantFrom("append" as const, "update" as const, "complete" as const),
      async (steps, mode) => {
        let watermarkMs = 0;
        const epochs = steps.map(([rows, step]) => ({
          rows: rows.map(([k, v, ts]) => at(k as string, v, ts)),
          watermarkMs: (watermarkMs += step),
        }));
        const out = await assertSameAnyhow(windowed(mode), epochs);
        const groups = new Map<string, { row: Row; n: number; total: number }>();
        let late = 0;
        epochs.forEach((e, i) => {
          const touched = new Set<string>();
          for (const [, [w, k, v]] of e.rows) {
            const end = (w as number[])[1]!;
            if (mode !== "complete" && end <= late) continue;
            const id = JSON.stringify([w, k]);
            const g = groups.get(id) ?? { row: [w!, k!], n: 0, total: 0 };
            groups.set(id, { ...g, n: g.n + 1, total: g.total + (v as number) });
            touched.add(id);
          }
          late = e.watermarkMs;
          const closed = [...groups].filter(([, g]) => (g.row[0] as number[])[1]! <= late).map(([id]) => id);
          const emitted = mode === "append" ? closed : mode === "update" ? [...touched] : [...groups.keys()];
          const expected = emitted.map((id) => [
            ...groups.get(id)!.row,
            groups.get(id)!.n,
            groups.get(id)!.total,
          ]);
          assert.deepEqual(bag(out[i]!.rows), bag(expected));
          if (mode !== "complete") for (const id of closed) groups.delete(id);
          assert.equal(out[i]!.stateRows, groups.size);
        });
      },
    ),
    { numRuns: 60 },
  );
});

test("an empty epoch is wanted when the watermark moved, except in complete mode", () => {
  const wants = (mode: AggregateSpec["mode"], before: number, after: number): boolean =>
    aggregateKind.wantsEmptyEpoch!(windowed(mode).spec, before, after);
  assert.deepEqual(
    [wants("append", 1, 2), wants("update", 1, 2), wants("append", 2, 2), wants("complete", 1, 2)],
    [true, true, false, false],
  );
});

test("the fingerprint says what decides the state, not the mode", () => {
  const fingerprint = (s: Subject<AggregateSpec>): string => aggregateKind.stateFingerprint(s.spec);
  assert.equal(fingerprint(windowed("append")), fingerprint(windowed("update")));
  assert.match(
    fingerprint(windowed("append")),
    /keys=\[w struct<start:timestamp,end:timestamp>, k string\] calls=\[count\(\*\), sum\(v\)\]/,
  );
});
