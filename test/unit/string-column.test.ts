/** The column of strings in state, and appending many strings at once, against plain arrays. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { STRING } from "../../src/core/data-type.ts";
import { Utf8Strings } from "../../src/core/utf8-strings.ts";
import { valueAt, vectorOf } from "../../src/core/vector.ts";
import { StringColumn } from "../../src/state/string-column.ts";

const TEXT = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.string({ unit: "grapheme", maxLength: 400 }),
  fc.constant(""),
);

const stringsOf = (texts: readonly string[]): Utf8Strings => {
  const strings = new Utf8Strings();
  for (const t of texts) strings.push(t);
  return strings;
};
const textsOf = (s: Utf8Strings): string[] => Array.from({ length: s.length }, (_, i) => s.at(i));

test("appendAll and take give the strings asked for, in that order", () => {
  const lists = fc.tuple(
    fc.array(TEXT, { maxLength: 20 }),
    fc.array(TEXT, { minLength: 1, maxLength: 200, size: "medium" }),
  );
  fc.assert(
    fc.property(
      lists,
      fc.array(fc.tuple(fc.nat(), fc.nat(80)), { maxLength: 8, size: "max" }),
      ([first, other], runs) => {
        const from = stringsOf(other);
        // Runs of neighbours, as a selection has them.
        const ids = runs.flatMap(([at, n]) =>
          Array.from({ length: n }, (_, i) => (at % other.length) + i).filter((id) => id < other.length),
        );
        const to = stringsOf(first);
        to.appendAll(from, Int32Array.from(ids), ids.length);
        assert.deepEqual(textsOf(to), [...first, ...ids.map((id) => other[id]!)]);
        to.push("last");
        assert.equal(to.at(to.length - 1), "last");
        assert.deepEqual(
          textsOf(from.take(Int32Array.from(ids), ids.length)),
          ids.map((id) => other[id]!),
        );
      },
    ),
    { numRuns: 300 },
  );
});

/** Writes and clears against an array; `distinct`: how many different strings come, so that both ways of keeping them are seen. */
for (const distinct of [50, 100_000])
  test(`StringColumn is an array of strings: ${distinct} different ones`, () => {
    const write = fc.array(fc.nat(distinct), { minLength: 1, maxLength: 400, size: "max" });
    const step = fc.oneof({ weight: 3, arbitrary: write }, { weight: 1, arbitrary: fc.nat(1) });
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 10, maxLength: 60, size: "max" }),
        fc.boolean(),
        (steps, bytes) => {
          const column = new StringColumn();
          const capacity = 20_000;
          column.grow(capacity);
          const model: (string | null)[] = [];
          const free: number[] = [];
          for (const s of steps) {
            if (typeof s === "number") {
              // Half of all rows go.
              for (let slot = s; slot < model.length; slot += 2) {
                if (model[slot] !== null) free.push(slot);
                column.clear(slot);
                model[slot] = null;
              }
              continue;
            }
            const texts = s.map((x) => (x % 7 === 0 ? null : `täxt ${x}`));
            const slots = Int32Array.from(texts, () => free.pop() ?? model.push(null) - 1);
            const v = vectorOf(STRING, texts);
            const dictionary = stringsOf((v as { dictionary: readonly string[] }).dictionary);
            const all = Int32Array.from(texts.keys());
            column.write(bytes ? ({ ...v, dictionary } as typeof v) : v, all, slots, texts.length);
            texts.forEach((t, i) => (model[slots[i]!] = t));
          }
          const slots = Int32Array.from([-1, ...model.keys()]);
          const v = column.gather(slots, slots.length);
          const got = Array.from(slots, (_, i) => valueAt(v, i));
          assert.deepEqual(got, [null, ...model]);
          assert.deepEqual(
            model.map((_, slot) => column.valueAt(slot)),
            model,
          );
        },
      ),
      { numRuns: 12 },
    );
  });

test("strings of rows that are gone give their memory back", () => {
  const column = new StringColumn();
  column.grow(10_000);
  const slots = Int32Array.from({ length: 10_000 }, (_, i) => i);
  let most = 0;
  for (let round = 0; round < 20; round++) {
    const texts = Array.from(slots, (i) => `round ${round} row ${i}`);
    column.write(vectorOf(STRING, texts), slots, slots, slots.length);
    if (round === 2) most = column.bytes();
    assert.equal(column.valueAt(77), texts[77]);
    for (const slot of slots) column.clear(slot);
  }
  assert.ok(column.bytes() <= 2 * most, `${column.bytes()} bytes after ${most}`);
});
