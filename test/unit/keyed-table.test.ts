import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DOUBLE, LONG, STRING, array, decimal, struct, field, INT } from "../../src/core/data-type.ts";
import type { DataType } from "../../src/core/data-type.ts";
import type { Value } from "../../src/core/value.ts";
import { encodeKey, encodeValue } from "../../src/state/key-codec.ts";
import { createKeyedTable } from "../../src/state/keyed-table.ts";

const order = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const ordered = <T extends Value>(
  type: DataType,
  arb: fc.Arbitrary<T>,
  compare: (a: T, b: T) => number,
): void =>
  fc.assert(
    fc.property(arb, arb, (a, b) => {
      assert.equal(order(encodeValue(a, type), encodeValue(b, type)), Math.sign(compare(a, b)));
    }),
  );

test("keys of numbers, longs, decimals and strings sort as their values do", () => {
  ordered(DOUBLE, fc.double({ noNaN: true }), (a, b) => (a < b ? -1 : a > b ? 1 : 0));
  ordered(
    LONG,
    fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.maxSafeInteger()),
    (a, b) => (BigInt(a) < BigInt(b) ? -1 : BigInt(a) > BigInt(b) ? 1 : 0),
  );
  ordered(decimal(38, 2), fc.bigInt({ min: -(10n ** 38n), max: 10n ** 38n }), (a, b) =>
    a < b ? -1 : a > b ? 1 : 0,
  );
  ordered(STRING, fc.string({ unit: "binary" }), (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
});

test("keys of several columns are equal only when every column is", () => {
  const types = [STRING, array(INT), struct([field("a", STRING), field("b", LONG)])];
  const row = fc.tuple(
    fc.option(fc.string({ unit: "binary", maxLength: 3 })),
    fc.option(fc.array(fc.option(fc.integer({ min: 0, max: 2 })), { maxLength: 2 })),
    fc.option(fc.tuple(fc.option(fc.string({ maxLength: 2 })), fc.option(fc.integer({ min: 0, max: 3 })))),
  );
  fc.assert(
    fc.property(row, row, (a, b) => {
      assert.equal(encodeKey(a, types) === encodeKey(b, types), JSON.stringify(a) === JSON.stringify(b));
    }),
  );
});

test("null sorts first, 0 equals -0, NaN equals NaN and is greatest", () => {
  assert.ok(encodeValue(null, LONG) < encodeValue(-5, LONG));
  assert.equal(encodeValue(0, DOUBLE), encodeValue(-0, DOUBLE));
  assert.equal(encodeValue(NaN, DOUBLE), encodeValue(-NaN, DOUBLE));
  assert.ok(encodeValue(NaN, DOUBLE) > encodeValue(Infinity, DOUBLE));
});

const step = fc.oneof(
  fc.record({ put: fc.string({ maxLength: 2 }), value: fc.integer() }),
  fc.record({ del: fc.string({ maxLength: 2 }) }),
  fc.constant("drain" as const),
  fc.constant("fold" as const),
  fc.constant("scan" as const),
);

test("a table rebuilt from base and deltas equals the one drained, and scans in key order (T1, T2)", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const table = createKeyedTable<number>("t");
      const model = new Map<string, number>();
      let blobs: Uint8Array[] = [];
      for (const s of [...steps, "drain" as const]) {
        if (s === "drain") {
          const blob = table.drain();
          if (blob) blobs.push(blob);
        } else if (s === "fold") {
          table.drain();
          blobs = [table.base()];
        } else if (s === "scan") {
          assert.deepEqual(
            [...table.scan()],
            [...model].sort(([a], [b]) => order(a, b)),
          );
        } else if ("put" in s) {
          table.put(s.put, s.value, s.put.length);
          model.set(s.put, s.value);
        } else {
          table.delete(s.del);
          model.delete(s.del);
        }
      }
      const again = createKeyedTable<number>("t");
      for (const blob of blobs) again.load(blob, () => true);
      assert.deepEqual(
        [...again.scan()],
        [...model].sort(([a], [b]) => order(a, b)),
      );
      const half = createKeyedTable<number>("t");
      for (const blob of blobs) half.load(blob, (g) => g === 1);
      assert.deepEqual(
        [...half.scan("a", "c")],
        [...model].filter(([k]) => k.length === 1 && k >= "a" && k < "c").sort(([a], [b]) => order(a, b)),
      );
    }),
  );
});
