/**
 * count(DISTINCT x) of integers, times and strings: the values of all groups in one set of pairs; strings by their number among those met. What the state
 * keeps of an epoch is what was added to it. D1: nulls do not count. D2: a group's values are saved in the order in which they came.
 */
import type { DataType } from "../../core/data-type.ts";
import { StateCorruptError } from "../../core/errors.ts";
import { canonicalLong, type Value } from "../../core/value.ts";
import { stringAt, type StringVector, type Vector } from "../../core/vector.ts";
import type { Accumulator, Growth } from "../contract.ts";
import { isTaken } from "./definition.ts";
import { PAIR_BYTES, PairSet } from "./pair-set.ts";

const NUMBERS = new Set<DataType["kind"]>([
  "byte",
  "short",
  "int",
  "long",
  "date",
  "timestamp",
  "timestamp_ntz",
  "dayTimeInterval",
  "yearMonthInterval",
]);

export const countsByPairs = (type: DataType): boolean => NUMBERS.has(type.kind) || type.kind === "string";

const bytesOf = (a: ArrayBufferView): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
const int32s = (bytes: Uint8Array): Int32Array => new Int32Array(bytes.slice().buffer);

/** How many values of each group were saved before (0: what follows is all of it), how many follow, the numbers, strings where they are such, longs beyond 2^53 by row. */
type Taken = [
  before: Uint8Array,
  counts: Uint8Array,
  numbers: Uint8Array,
  bytesPerNumber: number,
  strings: readonly string[] | null,
  wide: readonly (readonly Value[])[],
];

/** Numbers in the fewest bytes that hold them. */
const packed = (numbers: Float64Array): readonly [Uint8Array, number] => {
  const small = new Int32Array(numbers.length);
  for (let i = 0; i < numbers.length; i++)
    if ((small[i] = numbers[i]!) !== small[i]) return [bytesOf(numbers), 8];
  return [bytesOf(small), 4];
};

const STRINGS_COMPACT = 4096;

/** Numbers for strings. */
class StringNumbers {
  #ids = new Map<string, number>();
  texts: string[] = [];

  of(s: string): number {
    let id = this.#ids.get(s);
    if (id === undefined) {
      id = this.texts.length;
      this.texts.push(s);
      this.#ids.set(s, id);
    }
    return id;
  }

  /** Forgets strings that no pair has, when they are most. */
  compact(pairs: PairSet): void {
    if (this.texts.length <= STRINGS_COMPACT + 4 * pairs.size) return;
    const before = this.texts;
    this.texts = [];
    this.#ids = new Map();
    for (let e = 0; e < pairs.used; e++)
      if (pairs.groups[e]! >= 0) pairs.values[e] = this.of(before[pairs.values[e]!]!);
    pairs.rehash();
  }
}

class DistinctCount implements Accumulator, Growth {
  readonly #pairs = new PairSet();
  readonly #strings: StringNumbers | undefined;
  /** By group: the newest pair, how many, how many of them were taken. */
  #heads = new Int32Array(0);
  #counts = new Int32Array(0);
  #taken = new Int32Array(0);
  /** Longs beyond 2^53, by group: taken whole each time, they are rare. */
  readonly #wide = new Map<number, Set<bigint>>();
  readonly growth: Growth = this;

  constructor(type: DataType) {
    this.#strings = type.kind === "string" ? new StringNumbers() : undefined;
  }

  ensure(groups: number): void {
    if (this.#heads.length >= groups) return;
    const more = (data: Int32Array<ArrayBuffer>, fill: number): Int32Array<ArrayBuffer> => {
      const bigger = new Int32Array(Math.max(groups, data.length * 2)).fill(fill, data.length);
      bigger.set(data);
      return bigger;
    };
    this.#heads = more(this.#heads, -1);
    this.#counts = more(this.#counts, 0);
    this.#taken = more(this.#taken, 0);
  }

  #add(g: number, v: number): void {
    const e = this.#pairs.add(g, v, this.#heads[g]!);
    if (e < 0) return;
    this.#heads[g] = e;
    this.#counts[g]!++;
  }

  #addValue(g: number, v: Value): void {
    if (typeof v === "bigint") {
      const set = this.#wide.get(g);
      if (set === undefined) this.#wide.set(g, new Set([v]));
      else set.add(v);
    } else this.#add(g, this.#strings === undefined ? (v as number) + 0 : this.#strings.of(v as string));
  }

  update(groups: Int32Array, n: number, args: readonly Vector[], mask: Uint8Array | undefined): void {
    const v = args[0]!;
    if (v.layout === "dict") return this.#updateStrings(groups, n, v, mask);
    if (v.layout === "i64") {
      for (let k = 0; k < n; k++)
        if (isTaken(v, k, mask)) this.#addValue(groups[k]!, canonicalLong(v.data[k]!));
      return;
    }
    const { nulls } = v;
    const data = v.data as Float64Array | Int32Array;
    for (let k = 0; k < n; k++) {
      if ((mask !== undefined && mask[k] !== 1) || (nulls !== undefined && nulls[k] === 1)) continue;
      this.#add(groups[k]!, data[k]! + 0);
    }
  }

  #updateStrings(groups: Int32Array, n: number, v: StringVector, mask: Uint8Array | undefined): void {
    const strings = this.#strings!;
    strings.compact(this.#pairs);
    // The numbers of this dictionary's strings, + 1.
    const known = new Int32Array(v.dictionary.length);
    for (let k = 0; k < n; k++) {
      if (!isTaken(v, k, mask)) continue;
      const id = v.data[k]!;
      const number = known[id]! || (known[id] = strings.of(stringAt(v.dictionary, id)) + 1);
      this.#add(groups[k]!, number - 1);
    }
  }

  /** The newest `n` values of a group, as they came, to `into` from `at` on. */
  #newest(g: number, n: number, into: Float64Array, at: number): void {
    let e = this.#heads[g]!;
    for (let k = n - 1; k >= 0; k--, e = this.#pairs.next[e]!) into[at + k] = this.#pairs.values[e]!;
  }

  save(g: number): Value {
    const numbers = new Float64Array(this.#counts[g]!);
    this.#newest(g, numbers.length, numbers, 0);
    const texts = this.#strings?.texts;
    const values: Value[] = Array.from(numbers, (x) => (texts === undefined ? x : texts[x]!));
    return [...values, ...(this.#wide.get(g) ?? [])];
  }

  load(g: number, saved: Value): void {
    this.clear(g);
    this.merge(g, saved);
  }

  merge(g: number, saved: Value): void {
    // Older states have a row of one value for each.
    for (const v of saved as readonly Value[]) this.#addValue(g, Array.isArray(v) ? (v[0] as Value) : v);
  }

  result(g: number): Value {
    return this.#counts[g]! + (this.#wide.get(g)?.size ?? 0);
  }

  clear(g: number): void {
    if (this.#heads[g]! >= 0) this.#pairs.removeAll(this.#heads[g]!);
    this.#heads[g] = -1;
    this.#counts[g] = this.#taken[g] = 0;
    if (this.#wide.size > 0) this.#wide.delete(g);
  }

  take(groups: Int32Array, all: boolean): Value {
    const n = groups.length;
    const before = new Int32Array(n);
    const counts = new Int32Array(n);
    let total = 0;
    for (let i = 0; i < n; i++) {
      const g = groups[i]!;
      before[i] = all ? 0 : this.#taken[g]!;
      total += counts[i] = this.#counts[g]! - before[i]!;
    }
    const numbers = new Float64Array(total);
    const wide: Value[][] = [];
    for (let i = 0, at = 0; i < n; at += counts[i++]!) {
      const g = groups[i]!;
      this.#newest(g, counts[i]!, numbers, at);
      if (!all) this.#taken[g] = this.#counts[g]!;
      const set = this.#wide.size === 0 ? undefined : this.#wide.get(g);
      if (set !== undefined) wide.push([i, ...set]);
    }
    const texts = this.#strings?.texts;
    const strings = texts === undefined ? null : Array.from(numbers, (x) => texts[x]!);
    const [bytes, width] = packed(strings === null ? numbers : new Float64Array(0));
    const taken: Taken = [bytesOf(before), bytesOf(counts), bytes, width, strings, wide];
    return taken as unknown as Value;
  }

  apply(groups: Int32Array, rows: Int32Array, value: Value): void {
    const [beforeBytes, countBytes, bytes, width, strings, wide] = value as unknown as Taken;
    const [before, counts] = [int32s(beforeBytes), int32s(countBytes)];
    const numbers = width === 4 ? int32s(bytes) : new Float64Array(bytes.slice().buffer);
    const groupOf = new Map<number, number>();
    let at = 0;
    let row = 0;
    for (let i = 0; i < counts.length; at += counts[i++]!) {
      if (rows[row] !== i) continue;
      const g = groups[row++]!;
      if (wide.length > 0) groupOf.set(i, g);
      if (before[i] === 0) this.clear(g);
      if (before[i] !== this.#counts[g])
        throw new StateCorruptError(
          `a group has ${this.#counts[g]} distinct values where the state's change follows ${before[i]}`,
        );
      for (let k = at; k < at + counts[i]!; k++)
        this.#add(g, strings === null ? numbers[k]! : this.#strings!.of(strings[k]!));
    }
    for (const [i, ...values] of wide) {
      const g = groupOf.get(i as number);
      if (g !== undefined) for (const v of values) this.#addValue(g, v);
    }
  }

  bytes(): number {
    return this.#pairs.size * PAIR_BYTES;
  }
}

/** `type`: of the one argument, one that `countsByPairs`. */
export const distinctCount = (type: DataType): Accumulator => new DistinctCount(type);
