/** count(DISTINCT x): results are those of plain sets, and the state's changes give the same sets again, whenever they were taken. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type DataType, LONG, STRING, TIMESTAMP } from "../../../src/core/data-type.ts";
import { StateCorruptError } from "../../../src/core/errors.ts";
import type { Value } from "../../../src/core/value.ts";
import { vectorOf } from "../../../src/core/vector.ts";
import { AggregateTable } from "../../../src/operators/aggregate-table.ts";
import { accumulatorsOf } from "../../../src/operators/aggregate-calls.ts";
import { aggregate, literal } from "../../support/typed-exprs.ts";

const all = (): boolean => true;
type Item = readonly [time: number, number: Value, text: Value];

const tableOf = () => {
  const accumulators = accumulatorsOf(
    [LONG, STRING].map((t) => aggregate("count", [literal(null, t)], LONG, { distinct: true })),
  );
  const table = new AggregateTable({
    name: "t",
    keyTypes: [TIMESTAMP],
    routeBy: [0],
    accumulators,
    eventTime: 0,
  });
  const add = (items: readonly Item[]): void => {
    const column = (type: DataType, i: 0 | 1 | 2) =>
      vectorOf(
        type,
        items.map((item) => item[i]),
      );
    const groups = new Int32Array(items.length);
    table.lookup([column(TIMESTAMP, 0)], items.length, groups);
    accumulators[0]!.update(groups, items.length, [column(LONG, 1)], undefined);
    accumulators[1]!.update(groups, items.length, [column(STRING, 2)], undefined);
  };
  const live = (): Value[][] =>
    [...table.live()].map((g) => [table.columns.value(0, g), ...accumulators.map((a) => a.result(g))]);
  return { table, add, live };
};

const item: fc.Arbitrary<Item> = fc.tuple(
  fc.constantFrom(10, 20, 30),
  fc.oneof(fc.nat(40), fc.constantFrom(null, 0, -1, 2 ** 40, 2n ** 60n, -(2n ** 62n), 2n ** 60n + 1n)),
  fc.oneof(fc.constantFrom("a", "b", "", null), fc.string({ maxLength: 2 })),
);
const step = fc.oneof(
  { weight: 5, arbitrary: fc.record({ add: fc.array(item, { maxLength: 30 }) }) },
  { weight: 1, arbitrary: fc.record({ close: fc.constantFrom(10, 20, 30) }) },
  { weight: 3, arbitrary: fc.record({ drain: fc.constantFrom("delta", "fold", "restart") }) },
);

test("property: sets as a model, base and deltas give them again, restarts between", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      let own = tableOf();
      let blobs: Uint8Array[] = [];
      const model = new Map<number, [Set<Value>, Set<Value>]>();
      for (const s of steps) {
        if ("add" in s) {
          own.add(s.add);
          for (const [time, n, text] of s.add) {
            const sets = model.get(time) ?? [new Set<Value>(), new Set<Value>()];
            model.set(time, sets);
            if (n !== null) sets[0].add(n);
            if (text !== null) sets[1].add(text);
          }
        } else if ("close" in s) {
          own.table.release(own.table.close(s.close));
          for (const time of model.keys()) if (time <= s.close) model.delete(time);
        } else {
          const delta = own.table.drain();
          if (delta !== undefined) blobs.push(delta);
          if (s.drain === "fold") blobs = [own.table.base()];
          if (s.drain !== "restart") continue;
          own = tableOf();
          for (const b of blobs) own.table.load(b, all);
        }
      }
      const want = [...model].map(([time, [a, b]]) => [time, a.size, b.size]);
      assert.deepEqual(
        own.live().toSorted((a, b) => (a[0] as number) - (b[0] as number)),
        want.toSorted((a, b) => a[0]! - b[0]!),
      );
    }),
    { numRuns: 300 },
  );
});

test("a change has what was added only, and does not go without what is before it", () => {
  const { table, add } = tableOf();
  add(Array.from({ length: 5000 }, (_, i): Item => [10, i * 2 ** 33, `text ${i}`]));
  const first = table.drain()!;
  add([[10, 1, "one more"]]);
  const second = table.drain()!;
  assert.ok(first.length > 80_000 && second.length < 200, `${first.length} and ${second.length} bytes`);
  const copy = tableOf();
  assert.throws(() => copy.table.load(second, all), StateCorruptError);
  const whole = tableOf();
  whole.table.load(first, all);
  whole.table.load(second, all);
  assert.deepEqual(whole.live(), [[10, 5001, 5001]]);
});

test("strings are forgotten with their groups", () => {
  const { table, add, live } = tableOf();
  for (let w = 1; w <= 30; w++) {
    add(Array.from({ length: 2000 }, (_, i): Item => [w, i, `w${w}-${i}`]));
    table.release(table.close(w - 1));
    assert.deepEqual(live(), [[w, 2000, 2000]]);
  }
});

test("states of versions before, a row of one value for each, are read", () => {
  const [numbers, texts] = accumulatorsOf(
    [LONG, STRING].map((t) => aggregate("count", [literal(null, t)], LONG, { distinct: true })),
  );
  numbers!.ensure(1);
  numbers!.load(0, [[1], [2n ** 60n], [3]]);
  assert.equal(numbers!.result(0), 3);
  texts!.ensure(1);
  texts!.load(0, [["a"], ["b"]]);
  assert.equal(texts!.result(0), 2);
});
