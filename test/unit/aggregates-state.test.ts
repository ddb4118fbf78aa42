/**
 * The law of states, for every aggregate: rows taken live, through save and load after every row, and in parts merged in order give the same result (exactly for
 * save and load; for merges of doubles within rounding).
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import {
  BOOLEAN,
  type DataType,
  decimal,
  DOUBLE,
  INT,
  LONG,
  NULL,
  STRING,
} from "../../src/core/data-type.ts";
import type { Value } from "../../src/core/value.ts";
import { vectorOf } from "../../src/core/vector.ts";
import {
  accumulatorInputs,
  aggregateDefinition,
  createAccumulator,
} from "../../src/expr/aggregates/registry.ts";
import type { AggregateCall, SortOrder, TypedExpr } from "../../src/expr/ast.ts";

const slot = (type: DataType, index: number): TypedExpr => ({
  kind: "slot",
  index,
  name: `c${index}`,
  type,
  nullable: true,
});
const literal = (value: Value, type: DataType): TypedExpr => ({
  kind: "literal",
  value,
  type,
  nullable: value === null,
});

const callOf = (
  fn: string,
  args: readonly TypedExpr[],
  more: { distinct?: boolean; orderBy?: readonly SortOrder<TypedExpr>[] } = {},
): AggregateCall => {
  const orderBy = more.orderBy ?? [];
  const r = aggregateDefinition(fn)!.resolve(args, { fn, timeZone: "UTC" }, orderBy);
  return {
    fn,
    args: r.args,
    type: r.type,
    nullable: r.nullable,
    distinct: more.distinct ?? false,
    filter: undefined,
    orderBy,
    ignoreNulls: false,
  };
};

const NUMBERS: fc.Arbitrary<Value> = fc.oneof(fc.constant(null), fc.integer({ min: -50, max: 50 }));
const LARGE: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.constantFrom(9007199254740991, -9007199254740991, 7, 9223372036854775000n),
);
const DOUBLES: fc.Arbitrary<Value> = fc.oneof(
  fc.constant(null),
  fc.double({ noNaN: false, min: -1e6, max: 1e6 }),
  fc.constant(Number.NaN),
);
const TEXTS: fc.Arbitrary<Value> = fc.oneof(fc.constant(null), fc.constantFrom("a", "b", "ä", "😀", ""));
const TRUTHS: fc.Arbitrary<Value> = fc.constantFrom(null, true, false);
const DECIMALS: fc.Arbitrary<Value> = fc.oneof(fc.constant(null), fc.bigInt({ min: -9999n, max: 9999n }));

type Case = readonly [AggregateCall, readonly (readonly [DataType, fc.Arbitrary<Value>])[]];
const one = (fn: string, type: DataType, values: fc.Arbitrary<Value>, more = {}): Case => [
  callOf(fn, [slot(type, 0)], more),
  [[type, values]],
];

const CASES: readonly Case[] = [
  ...[
    "sum",
    "avg",
    "min",
    "max",
    "count",
    "first",
    "last",
    "any_value",
    "collect_list",
    "collect_set",
    "mode",
    "median",
    "stddev",
    "kurtosis",
    "skewness",
    "approx_count_distinct",
    "bit_and",
    "bit_or",
    "bit_xor",
    "try_sum",
  ].map((fn) => one(fn, INT, NUMBERS)),
  ...["try_sum", "min", "max", "count", "avg", "collect_list"].map((fn) => one(fn, LONG, LARGE)),
  ...["sum", "avg", "min", "max", "var_pop", "mode", "collect_set"].map((fn) => one(fn, DOUBLE, DOUBLES)),
  ...["min", "max", "mode", "count", "listagg", "approx_count_distinct"].map((fn) => one(fn, STRING, TEXTS)),
  ...["sum", "avg", "min", "max", "mode"].map((fn) => one(fn, decimal(10, 2), DECIMALS)),
  ...["bool_and", "bool_or", "count_if"].map((fn) => one(fn, BOOLEAN, TRUTHS)),
  ...["count", "sum", "avg", "collect_list"].map((fn) => one(fn, INT, NUMBERS, { distinct: true })),
  one("count", LONG, LARGE, { distinct: true }),
  one("count", STRING, TEXTS, { distinct: true }),
  ...["corr", "covar_pop", "regr_slope", "regr_r2", "regr_count"].map((fn): Case => [
    callOf(fn, [slot(DOUBLE, 0), slot(DOUBLE, 1)]),
    [
      [DOUBLE, NUMBERS],
      [DOUBLE, NUMBERS],
    ],
  ]),
  ...["min_by", "max_by"].map((fn): Case => [
    callOf(fn, [slot(STRING, 0), slot(INT, 1)]),
    [
      [STRING, TEXTS],
      [INT, NUMBERS],
    ],
  ]),
  [
    callOf("percentile", [
      slot(INT, 0),
      literal([0.1, 0.5], { kind: "array", element: DOUBLE, containsNull: false }),
    ]),
    [
      [INT, NUMBERS],
      [NULL, fc.constant(null)],
    ],
  ],
  [
    callOf("percentile_approx", [slot(INT, 0), literal(0.5, DOUBLE)]),
    [
      [INT, NUMBERS],
      [NULL, fc.constant(null)],
    ],
  ],
  [
    callOf("percentile_cont", [literal(0.25, DOUBLE)], {
      orderBy: [{ expr: slot(INT, 0), descending: false, nullsFirst: true }],
    }),
    [
      [NULL, fc.constant(null)],
      [INT, NUMBERS],
    ],
  ],
  [
    callOf("listagg", [slot(STRING, 0), literal("|", STRING)], {
      orderBy: [{ expr: slot(STRING, 0), descending: true, nullsFirst: false }],
    }),
    [
      [STRING, TEXTS],
      [STRING, fc.constant("|")],
      [STRING, TEXTS],
    ],
  ],
  [
    callOf("histogram_numeric", [slot(INT, 0), literal(3, INT)]),
    [
      [INT, NUMBERS],
      [INT, fc.constant(3)],
    ],
  ],
];

const feed = (
  call: AggregateCall,
  types: readonly DataType[],
  rows: readonly (readonly Value[])[],
  every: boolean,
): Value => {
  let a = createAccumulator(call);
  a.ensure(3);
  const step = (part: readonly (readonly Value[])[]): void =>
    a.update(
      new Int32Array(part.length).fill(1),
      part.length,
      types.map((t, c) =>
        vectorOf(
          t,
          part.map((r) => r[c]!),
        ),
      ),
      undefined,
    );
  if (!every) step(rows);
  else
    for (const r of rows) {
      step([r]);
      const saved = structuredClone(a.save(1));
      a = createAccumulator(call);
      a.ensure(2);
      a.load(1, saved);
    }
  return a.result(1);
};

const merged = (
  call: AggregateCall,
  types: readonly DataType[],
  parts: readonly (readonly (readonly Value[])[])[],
): Value => {
  const target = createAccumulator(call);
  target.ensure(1);
  for (const part of parts) {
    const a = createAccumulator(call);
    a.ensure(1);
    a.update(
      new Int32Array(part.length),
      part.length,
      types.map((t, c) =>
        vectorOf(
          t,
          part.map((r) => r[c]!),
        ),
      ),
      undefined,
    );
    target.merge(0, structuredClone(a.save(0)));
  }
  return target.result(0);
};

/** `largest`: the inputs' largest number. Where large numbers cancel out, what rounding leaves is measured by them, not by the result. */
const close = (a: Value, b: Value, what: string, largest: number): void => {
  if (typeof a === "number" && typeof b === "number" && Number.isFinite(a) && Number.isFinite(b)) {
    const most = 1e-6 * Math.max(1, Math.abs(a)) + 4 * Number.EPSILON * largest;
    assert.ok(Math.abs(a - b) <= most, `${what}: ${a} and ${b}`);
  } else assert.deepEqual(a, b, what);
};

const largestOf = (rows: readonly (readonly Value[])[]): number =>
  rows
    .flat()
    .filter((x) => typeof x === "bigint" || (typeof x === "number" && Number.isFinite(x)))
    .reduce((most: number, x) => Math.max(most, Math.abs(Number(x))), 0);

describe("aggregates: live, restored and merged states agree", () => {
  for (const [call, columns] of CASES)
    test(`${call.fn}(${call.distinct ? "distinct " : ""}${columns.map(([t]) => t.kind).join(", ")})`, () => {
      assert.equal(accumulatorInputs(call).length, columns.length);
      const types = columns.map(([t]) => t);
      const rows = fc.array(fc.tuple(...columns.map(([, v]) => v)), { maxLength: 12 });
      fc.assert(
        fc.property(rows, fc.nat(12), (data, cut) => {
          const live = feed(call, types, data, false);
          assert.deepEqual(feed(call, types, data, true), live);
          const exact = call.fn === "histogram_numeric" ? [data] : [data.slice(0, cut), data.slice(cut)];
          close(merged(call, types, exact), live, call.fn, largestOf(data));
        }),
        { numRuns: 60 },
      );
    });
});

test("a cleared group starts anew and others keep theirs", () => {
  for (const fn of ["sum", "count", "min", "avg", "collect_list", "mode"]) {
    const a = createAccumulator(callOf(fn, [slot(INT, 0)]));
    a.ensure(2);
    a.update(new Int32Array([0, 1]), 2, [vectorOf(INT, [3, 4])], undefined);
    const kept = a.result(1);
    a.clear(0);
    const empty = createAccumulator(callOf(fn, [slot(INT, 0)]));
    empty.ensure(1);
    assert.deepEqual(a.result(0), empty.result(0), fn);
    assert.deepEqual(a.result(1), kept, fn);
  }
});

test("a mask leaves rows out", () => {
  for (const [fn, want] of [
    ["sum", 5],
    ["count", 2],
    ["max", 4],
    ["avg", 2.5],
  ] as const) {
    const a = createAccumulator(callOf(fn, [slot(INT, 0)]));
    a.ensure(1);
    a.update(new Int32Array(4), 4, [vectorOf(INT, [1, 4, 100, null])], Uint8Array.from([1, 1, 0, 1]));
    assert.equal(a.result(0), want, fn);
  }
});

test("a sum beyond 64 bits is an error, try_sum gives null", () => {
  const rows = [vectorOf(LONG, [9223372036854775807n, 1])];
  const groups = new Int32Array(2);
  const strict = createAccumulator(callOf("sum", [slot(LONG, 0)]));
  strict.ensure(1);
  strict.update(groups, 2, rows, undefined);
  assert.throws(() => strict.result(0), { errorClass: "ARITHMETIC_OVERFLOW" });
  const lenient = createAccumulator(callOf("try_sum", [slot(LONG, 0)]));
  lenient.ensure(1);
  lenient.update(groups, 2, rows, undefined);
  assert.equal(lenient.result(0), null);
});
