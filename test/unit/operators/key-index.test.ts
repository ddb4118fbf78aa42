/** Keys to ids, and slots by expiry, against plain models. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LONG, STRING } from "../../../src/core/data-type.ts";
import type { Value } from "../../../src/core/value.ts";
import { vectorOf } from "../../../src/core/vector.ts";
import { KeyIndex } from "../../../src/operators/key-index.ts";
import { SlotExpiry } from "../../../src/operators/slot-expiry.ts";

type Key = readonly [Value, Value];

/** Ids of keys, and how many rows are kept under each. */
class Model {
  capacity = 0;
  readonly index = new KeyIndex([STRING, LONG], undefined, (capacity) => (this.capacity = capacity));
  readonly ids = new Map<string, number>();
  readonly refs = new Map<number, number>();
  readonly groups = new Map<string, number>();

  /** Looks up keys, keeps those of which the bit is set, sweeps the others. */
  batch(keys: readonly Key[], kept: readonly boolean[]): void {
    const found = new Int32Array(keys.length);
    const vectors = [STRING, LONG].map((type, c) =>
      vectorOf(
        type,
        keys.map((k) => k[c]!),
      ),
    );
    this.index.lookup(vectors, keys.length, found);
    keys.forEach((key, i) => {
      const text = key.map(String).join("|");
      const id = found[i]!;
      assert.ok(id < this.capacity);
      if (this.ids.has(text)) assert.equal(id, this.ids.get(text));
      else {
        assert.ok(![...this.ids.values()].includes(id), "two keys have one id");
        this.ids.set(text, id);
        this.refs.set(id, 0);
      }
      const group = this.index.group(id);
      assert.equal(this.groups.get(text) ?? group, group, "a key has one group");
      this.groups.set(text, group);
      if (kept[i] === true) {
        this.index.retain(id);
        this.refs.set(id, this.refs.get(id)! + 1);
      }
    });
    this.#sweep(found);
  }

  /** One row less under a key. */
  release(at: number): void {
    const [id, refs] = [...this.refs][at % Math.max(1, this.refs.size)] ?? [0, 0];
    if (refs === 0) return;
    this.index.release(id);
    this.refs.set(id, refs - 1);
    this.#sweep(Int32Array.of(id, id));
  }

  #sweep(ids: Int32Array): void {
    this.index.sweep(ids, ids.length);
    for (const [text, id] of this.ids)
      if (ids.includes(id) && this.refs.get(id) === 0) {
        this.ids.delete(text);
        this.refs.delete(id);
      }
    assert.equal(this.index.size, this.ids.size);
  }
}

const KEY: fc.Arbitrary<Key> = fc.tuple(
  fc.oneof(fc.constantFrom(null, "", "a", "b"), fc.string({ maxLength: 2 })),
  fc.oneof(fc.constantFrom(null, 2n ** 60n, -(2n ** 62n)), fc.nat(40)),
);
const STEP = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.array(fc.tuple(KEY, fc.boolean()), { minLength: 1, maxLength: 40, size: "max" }),
  },
  { weight: 3, arbitrary: fc.nat() },
);

test("KeyIndex finds every key that rows are kept under, and forgets the others", () => {
  fc.assert(
    fc.property(fc.array(STEP, { maxLength: 30, size: "max" }), (steps) => {
      const model = new Model();
      for (const s of steps)
        if (typeof s === "number") model.release(s);
        else
          model.batch(
            s.map(([key]) => key),
            s.map(([, kept]) => kept),
          );
    }),
    { numRuns: 60 },
  );
});

test("KeyIndex: strings of keys that are gone are forgotten, those that stay keep their ids", () => {
  const model = new Model();
  const stays: Key[] = Array.from({ length: 20 }, (_, i) => [`stays ${i}`, i]);
  model.batch(
    stays,
    stays.map(() => true),
  );
  for (let from = 0; from < 12_000; from += 1000) {
    const keys: Key[] = Array.from({ length: 1000 }, (_, i) => [`goes ${from + i}`, null]);
    const found = new Int32Array(1000);
    const vectors = [STRING, LONG].map((type, c) =>
      vectorOf(
        type,
        keys.map((k) => k[c]!),
      ),
    );
    model.index.lookup(vectors, 1000, found);
    model.index.sweep(found, 1000);
  }
  assert.equal(model.index.size, 20);
  model.batch(stays, []);
});

test("SlotExpiry gives what a filter over all slots gives", () => {
  const step = fc.oneof(
    { weight: 5, arbitrary: fc.record({ slot: fc.nat(30), time: fc.integer({ min: -5000, max: 20_000 }) }) },
    { weight: 1, arbitrary: fc.record({ slot: fc.nat(30), time: fc.constantFrom(Infinity, NaN) }) },
    {
      weight: 1,
      arbitrary: fc.record({
        limit: fc.oneof(fc.integer({ min: -6000, max: 21_000 }), fc.constant(Infinity)),
      }),
    },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 120, size: "max" }), (steps) => {
      const expiry = new SlotExpiry();
      const times = new Map<number, number>();
      for (const s of steps) {
        if ("limit" in s) {
          const taken = expiry.takeThrough(s.limit, (slot) => times.get(slot) ?? NaN);
          const wanted = [...times].filter(([, t]) => t <= s.limit && t !== Infinity).map(([slot]) => slot);
          assert.deepEqual(
            [...taken],
            wanted.sort((a, b) => a - b),
          );
          for (const slot of taken) times.delete(slot);
        } else if (Number.isNaN(s.time))
          // The row goes by another way; the slot stays filed.
          times.delete(s.slot);
        else if (!times.has(s.slot)) {
          times.set(s.slot, s.time);
          expiry.add(s.time, s.slot);
        }
      }
    }),
    { numRuns: 500 },
  );
});
