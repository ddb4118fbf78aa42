/**
 * Rows in state as columns against a plain model: random rows come, go and are marked; the table is drained at random points, and restored from what was
 * drained, which loses what came since.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { BOOLEAN, decimal, DOUBLE, INT, LONG, STRING, type DataType } from "../../src/core/data-type.ts";
import { Utf8Strings } from "../../src/core/utf8-strings.ts";
import type { Value } from "../../src/core/value.ts";
import { type Vector, vectorOf } from "../../src/core/vector.ts";
import { RowTable } from "../../src/state/row-table.ts";

const TYPES: readonly DataType[] = [LONG, STRING, INT, DOUBLE, BOOLEAN, decimal(10, 2)];
const orNull = <T extends Value>(a: fc.Arbitrary<T>): fc.Arbitrary<Value> => fc.option(a, { freq: 6 });
const ROW: fc.Arbitrary<readonly Value[]> = fc.tuple(
  orNull(fc.oneof({ weight: 20, arbitrary: fc.nat(9) }, { weight: 1, arbitrary: fc.constant(2n ** 62n) })),
  orNull(fc.oneof(fc.constantFrom("a", "", "ä😀", "constructor"), fc.string({ maxLength: 5 }))),
  orNull(fc.integer()),
  orNull(fc.double()),
  orNull(fc.boolean()),
  orNull(fc.bigInt({ min: -99n, max: 99n })),
);

type Step =
  | { readonly add: readonly (readonly Value[])[]; readonly group: number }
  | { readonly remove: number }
  | { readonly mark: number }
  | { readonly drain: "delta" | "base" }
  | { readonly restore: true };
const STEP: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ add: fc.array(ROW, { minLength: 1, maxLength: 6 }), group: fc.nat(255) }),
  },
  { weight: 4, arbitrary: fc.record({ remove: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ mark: fc.nat() }) },
  { weight: 2, arbitrary: fc.record({ drain: fc.constantFrom("delta", "delta", "base") }) },
  { weight: 1, arbitrary: fc.record({ restore: fc.constant(true as const) }) },
);

interface ModelRow {
  readonly values: readonly Value[];
  readonly group: number;
  readonly slot: number;
  marked: boolean;
}

/** Strings as decoders give them when `bytes`. */
const vectorsOf = (rows: readonly (readonly Value[])[], bytes: boolean): readonly Vector[] =>
  TYPES.map((type, c) => {
    const v = vectorOf(
      type,
      rows.map((r) => r[c]!),
    );
    if (!bytes || v.layout !== "dict") return v;
    const dictionary = new Utf8Strings();
    for (const s of v.dictionary as readonly string[]) dictionary.push(s);
    return { ...v, dictionary };
  });

const add = (
  table: RowTable,
  rows: readonly (readonly Value[])[],
  group: number,
  bytes: boolean,
): number[] => {
  const slots = rows.map(() => table.take(group));
  const all = Int32Array.from(rows.keys());
  table.write(vectorsOf(rows, bytes), all, Int32Array.from(slots), rows.length);
  return slots;
};

const contents = (table: RowTable): unknown[] =>
  Array.from(table.live(), (slot) => [
    TYPES.map((_, c) => table.valueAt(c, slot)),
    table.group(slot),
    table.isMarked(slot),
  ]);

const gathered = (table: RowTable): unknown[] => {
  const live = table.live();
  const empty = new RowTable("copy", TYPES);
  const slots = Array.from(live, (slot) => empty.take(table.group(slot)));
  const all = Int32Array.from(slots.keys());
  const vectors = TYPES.map((_, c) => table.column(c).gather(live, live.length));
  empty.write(vectors, all, Int32Array.from(slots), live.length);
  return contents(empty).map((r) => (r as unknown[])[0]);
};

const loaded = (blobs: readonly Uint8Array[], keeps = (_: number): boolean => true): RowTable => {
  const table = new RowTable("rows", TYPES);
  for (const b of blobs) table.load(b, keeps);
  table.loaded();
  return table;
};

class Run {
  table = new RowTable("rows", TYPES);
  model: ModelRow[] = [];
  drained: ModelRow[] = [];
  blobs: Uint8Array[] = [];

  step(s: Step, i: number): void {
    if ("add" in s) {
      const slots = add(this.table, s.add, s.group, i % 2 === 0);
      s.add.forEach((values, k) =>
        this.model.push({ values, group: s.group, slot: slots[k]!, marked: false }),
      );
    } else if ("remove" in s) {
      if (this.model.length > 0)
        this.table.remove(this.model.splice(s.remove % this.model.length, 1)[0]!.slot);
    } else if ("mark" in s) {
      const row = this.model[s.mark % this.model.length];
      if (row !== undefined) {
        this.table.mark(row.slot);
        row.marked = true;
      }
    } else if ("drain" in s) this.#drain(s.drain);
    else this.#restore();
  }

  #drain(how: "delta" | "base"): void {
    const blob = how === "base" ? this.table.rebased() : this.table.drain();
    this.drained = this.model.map((r) => ({ ...r }));
    if (blob === undefined) return;
    // As the store does: an empty table has no blobs.
    if (this.table.size === 0) this.blobs = [];
    else if (how === "base") this.blobs = [blob];
    else this.blobs.push(blob);
  }

  #restore(): void {
    this.table = loaded(this.blobs);
    const slots = this.table.live();
    assert.equal(slots.length, this.drained.length);
    this.model = this.drained.map((r, k) => ({ ...r, slot: slots[k]! }));
  }

  check(): void {
    assert.deepEqual(
      contents(this.table),
      this.model.map((r) => [r.values, r.group, r.marked]),
    );
    assert.equal(this.table.size, this.model.length);
    for (const r of this.model) assert.ok(this.table.isLive(r.slot));
  }
}

describe("RowTable", () => {
  test("is what a list of rows is, whatever comes, goes and is restored", () => {
    fc.assert(
      fc.property(fc.array(STEP, { maxLength: 40 }), (steps) => {
        const run = new Run();
        steps.forEach((s, i) => {
          run.step(s, i);
          run.check();
        });
        run.step({ drain: "delta" }, 0);
        run.step({ restore: true }, 0);
        run.check();
        assert.deepEqual(
          gathered(run.table),
          run.model.map((r) => r.values),
        );
      }),
      { numRuns: 300 },
    );
  });

  test("gives the groups that are kept, of several tables one behind the other", () => {
    fc.assert(
      fc.property(fc.array(fc.array(STEP, { maxLength: 20 }), { minLength: 2, maxLength: 3 }), (runs) => {
        const done = runs.map((steps) => {
          const run = new Run();
          steps.forEach((s, i) => run.step(s, i));
          run.step({ drain: "delta" }, 0);
          return run;
        });
        const keeps = (g: number): boolean => g % 3 !== 0;
        const table = loaded(
          done.flatMap((r) => r.blobs),
          keeps,
        );
        assert.deepEqual(
          contents(table),
          done.flatMap((r) =>
            r.drained.filter((x) => keeps(x.group)).map((x) => [x.values, x.group, x.marked]),
          ),
        );
      }),
      { numRuns: 200 },
    );
  });

  test("many rows go into a blob piece by piece, and strings of rows that are gone leave no trace", () => {
    const rowOf = (i: number): Value[] => [
      i,
      i % 10 === 0 ? null : `text ${i} ä`,
      i,
      i / 2,
      i % 2 === 0,
      BigInt(i),
    ];
    const table = new RowTable("rows", TYPES);
    let slots: number[] = [];
    const kept: Value[][] = [];
    const blobs: Uint8Array[] = [];
    for (let from = 0; from < 60_000; from += 20_000) {
      const rows = Array.from({ length: 20_000 }, (_, i) => rowOf(from + i));
      slots = add(table, rows, 1, true);
      blobs.push(table.drain()!);
      slots.forEach((slot, i) => (i % 8 === 0 ? kept.push(rows[i]!) : table.remove(slot)));
      const delta = table.drain();
      if (delta !== undefined) blobs.push(delta);
    }
    const rowsOf = (t: RowTable): unknown[] => contents(t).map((r) => (r as unknown[])[0]);
    assert.deepEqual(rowsOf(table), kept);
    assert.deepEqual(rowsOf(loaded(blobs)), kept);
    assert.deepEqual(rowsOf(loaded([table.base()])), kept);
    assert.ok(table.base().length < blobs[0]!.length);
    assert.equal(
      table.base().buffer.byteLength,
      table.base().length,
      "a blob holds no memory beside its own",
    );
  });

  test("a blob of another format is refused", () => {
    assert.throws(() => loaded([Uint8Array.of(0x99, 1, 0)]), { name: "StateCorruptError" });
  });
});
