/**
 * Group keys as plain doubles, so that hashing and comparing a key is arithmetic whatever its types are.
 *
 * Every key has one or two "parts" (a window has its start and its end), each a Float64Array with one slot a group:
 *
 *  | key type                                   | part                                                             |
 *  |--------------------------------------------|------------------------------------------------------------------|
 *  | integers, dates, times, intervals, boolean | the number; a long outside ±2^53: 2^60 + 256 * (id of the bigint)|
 *  | struct of two timestamps (a window)        | two parts: start and end                                         |
 *  | all others                                 | id of the value in the key's dictionary, 0 for null              |
 *
 * Invariants. P1: two keys are equal to SQL's GROUP BY exactly when their parts are equal (`===`): null is Infinity in
 * a numeric part, -0 is 0. P2: ids are of this process only; nothing that leaves this file shows them.
 */
import type { DataType } from "../core/data-type.ts";
import { hashNumber } from "../core/hash.ts";
import type { Value } from "../core/value.ts";
import { type Dictionary as Strings, layoutOf, stringAt, type Vector, vectorOf } from "../core/vector.ts";
import { encodeValue, hashValue } from "../state/key-codec.ts";
import { type ColumnBlob, dictionaryBlob, numbersBlob, packColumn, pairsBlob } from "./column-blob.ts";

const UNSAFE_BASE = 2 ** 60;
const UNSAFE_STEP = 256;
const NULL_PART = Infinity;
/** A struct that is there but has a null bound. */
const NULL_FIELD = -Infinity;

type Form = "number" | "window" | "interned";

const isTime = (t: DataType): boolean => t.kind === "timestamp" || t.kind === "timestamp_ntz";

const formOf = (type: DataType): Form => {
  switch (type.kind) {
    case "boolean":
    case "byte":
    case "short":
    case "int":
    case "long":
    case "date":
    case "timestamp":
    case "timestamp_ntz":
    case "dayTimeInterval":
    case "yearMonthInterval":
      return "number";
    case "struct":
      return type.fields.length === 2 && type.fields.every((f) => isTime(f.type)) ? "window" : "interned";
    default:
      return "interned";
  }
};

/** Values and their ids, 1, 2, …; 0 is null. */
class Dictionary {
  readonly #type: DataType;
  readonly #byValue: boolean;
  #ids = new Map<unknown, number>();
  values: Value[] = [null];

  constructor(type: DataType) {
    this.#type = type;
    this.#byValue = ["string", "float", "double", "decimal", "long"].includes(type.kind);
  }

  idOf(value: Value): number {
    if (value === null) return 0;
    const v = typeof value === "number" ? value + 0 : value;
    const key = this.#byValue ? v : encodeValue(v, this.#type);
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.values.length;
      this.values.push(v);
      this.#ids.set(key, id);
    }
    return id;
  }

  clear(): void {
    this.#ids = new Map();
    this.values = [null];
  }
}

/** One key: how vectors become parts and parts become values and vectors again. */
export class KeyColumn {
  readonly type: DataType;
  readonly form: Form;
  readonly parts: 1 | 2;
  readonly #dictionary: Dictionary;
  #seen: Strings | undefined;
  #translation = new Int32Array(0);
  #hashes: number[] = [];
  #lastWindow: readonly [number, number, number] = [NaN, NaN, 0];

  constructor(type: DataType) {
    this.type = type;
    this.form = formOf(type);
    this.parts = this.form === "window" ? 2 : 1;
    this.#dictionary = new Dictionary(type);
  }

  /** Values of this process's dictionary, dead ones included. */
  get internedCount(): number {
    return this.#dictionary.values.length - 1;
  }

  /** Writes the parts of the `n` rows of a dense vector. */
  encode(v: Vector, n: number, first: Float64Array, second: Float64Array): void {
    if (this.form === "window") this.#encodeWindows(v, n, first, second);
    else if (this.form === "interned") this.#encodeInterned(v, n, first);
    else if (v.layout === "i64" || v.layout === "any" || v.layout === "dict")
      for (let i = 0; i < n; i++)
        first[i] = isNull(v, i)
          ? NULL_PART
          : this.#numberPart(v.layout === "i64" ? v.data[i]! : (v.data[i] as Value));
    else {
      const data = v.data;
      for (let i = 0; i < n; i++) first[i] = data[i]! + 0;
      if (v.nulls !== undefined) for (let i = 0; i < n; i++) if (v.nulls[i] === 1) first[i] = NULL_PART;
    }
  }

  /** The parts of one value, for keys that come out of a blob. */
  encodeValue(value: Value, at: number, first: Float64Array, second: Float64Array): void {
    if (this.form === "window") {
      const w = value as readonly (number | null)[] | null;
      first[at] = w === null ? NULL_PART : (w[0] ?? NULL_FIELD) + 0;
      second[at] = w === null ? NULL_PART : (w[1] ?? NULL_FIELD) + 0;
    } else if (this.form === "interned") first[at] = this.#dictionary.idOf(value);
    else first[at] = value === null ? NULL_PART : this.#numberPart(value);
  }

  #numberPart(value: Value): number {
    if (typeof value === "boolean") return value ? 1 : 0;
    if (typeof value === "number") return value + 0;
    const x = value as bigint;
    if (x >= -9007199254740991n && x <= 9007199254740991n) return Number(x);
    return UNSAFE_BASE + this.#dictionary.idOf(x) * UNSAFE_STEP;
  }

  #encodeWindows(v: Vector, n: number, first: Float64Array, second: Float64Array): void {
    const data = v.data as readonly (readonly (number | null)[] | null)[];
    let last: readonly (number | null)[] | null | undefined;
    let start = 0;
    let end = 0;
    for (let i = 0; i < n; i++) {
      const w = isNull(v, i) ? null : data[i]!;
      if (w !== last) {
        last = w;
        start = w === null ? NULL_PART : (w[0] ?? NULL_FIELD) + 0;
        end = w === null ? NULL_PART : (w[1] ?? NULL_FIELD) + 0;
      }
      first[i] = start;
      second[i] = end;
    }
  }

  #encodeInterned(v: Vector, n: number, first: Float64Array): void {
    if (v.layout !== "dict") {
      for (let i = 0; i < n; i++) first[i] = isNull(v, i) ? 0 : this.#dictionary.idOf(v.data[i] as Value);
      return;
    }
    if (this.#seen !== v.dictionary) {
      this.#seen = v.dictionary;
      this.#translation = new Int32Array(v.dictionary.length);
    } else if (this.#translation.length < v.dictionary.length) {
      // A dictionary that goes on from batch to batch only grows: what is translated stays.
      const longer = new Int32Array(v.dictionary.length + (v.dictionary.length >> 1));
      longer.set(this.#translation);
      this.#translation = longer;
    }
    const { data, nulls, dictionary } = v;
    const translation = this.#translation;
    for (let i = 0; i < n; i++) {
      if (nulls !== undefined && nulls[i] === 1) {
        first[i] = 0;
        continue;
      }
      let id = translation[data[i]!]!;
      if (id === 0) id = translation[data[i]!] = this.#dictionary.idOf(stringAt(dictionary, data[i]!));
      first[i] = id;
    }
  }

  value(first: number, second: number): Value {
    if (this.form === "interned") return this.#dictionary.values[first]!;
    if (first === NULL_PART) return null;
    if (this.form === "window")
      return [first === NULL_FIELD ? null : first, second === NULL_FIELD ? null : second];
    if (this.type.kind === "boolean") return first === 1;
    if (first >= UNSAFE_BASE) return this.#dictionary.values[(first - UNSAFE_BASE) / UNSAFE_STEP]!;
    return first;
  }

  /** The values of groups `groups` as a vector. */
  gather(groups: Int32Array, first: Float64Array, second: Float64Array): Vector {
    const n = groups.length;
    if (this.form === "number" && layoutOf(this.type) === "f64") {
      const data = new Float64Array(n);
      let plain = true;
      for (let i = 0; i < n; i++) {
        const x = (data[i] = first[groups[i]!]!);
        if (x >= UNSAFE_BASE) plain = false;
      }
      if (plain) return { layout: "f64", data, nulls: undefined };
    }
    const values: Value[] = new Array(n);
    let lastStart = NaN;
    let lastEnd = NaN;
    let last: Value = null;
    for (let i = 0; i < n; i++) {
      const a = first[groups[i]!]!;
      const b = this.parts === 2 ? second[groups[i]!]! : 0;
      if (a !== lastStart || b !== lastEnd) {
        last = this.value(a, b);
        lastStart = a;
        lastEnd = b;
      }
      values[i] = last;
    }
    return vectorOf(this.type, values);
  }

  /** The keys of groups for a blob. Null parts go as they are: `encodeValue` takes them back for what they are. */
  pack(groups: Int32Array, first: Float64Array, second: Float64Array): ColumnBlob {
    const n = groups.length;
    if (this.form === "interned") {
      const codes = new Int32Array(n);
      const values: Value[] = [];
      const known = new Map<number, number>();
      for (let i = 0; i < n; i++) {
        const id = first[groups[i]!]!;
        let code = known.get(id);
        if (code === undefined) {
          known.set(id, (code = values.length));
          values.push(this.#dictionary.values[id]!);
        }
        codes[i] = code;
      }
      return dictionaryBlob(values, codes);
    }
    if (this.form === "window") return packWindows(groups, first, second);
    const numbers = new Float64Array(n);
    for (let i = 0; i < n; i++) {
      const x = (numbers[i] = first[groups[i]!]!);
      if (x >= UNSAFE_BASE && x !== NULL_PART)
        return packColumn(Array.from(groups, (g) => this.value(first[g]!, 0)));
    }
    return numbersBlob(numbers);
  }

  /** `hashValue` of the key: cached, because a window's is expensive. */
  hash(first: number, second: number): number {
    if (this.form === "window") {
      if (this.#lastWindow[0] !== first || this.#lastWindow[1] !== second)
        this.#lastWindow = [first, second, hashValue(this.value(first, second), this.type)];
      return this.#lastWindow[2];
    }
    if (this.form === "interned") return (this.#hashes[first] ??= hashValue(this.value(first, 0), this.type));
    if (first !== NULL_PART && first < UNSAFE_BASE) return hashNumber(first);
    return hashValue(this.value(first, 0), this.type);
  }

  /** Forgets values that no live group has; gives the parts of the live groups new ids, in place. */
  compact(groups: Int32Array, first: Float64Array): void {
    const old = this.#dictionary.values;
    this.#dictionary.clear();
    this.#hashes = [];
    this.#seen = undefined;
    for (const g of groups) {
      const part = first[g]!;
      if (this.form === "interned") first[g] = this.#dictionary.idOf(old[part]!);
      else if (part >= UNSAFE_BASE && part !== NULL_PART)
        first[g] = this.#numberPart(old[(part - UNSAFE_BASE) / UNSAFE_STEP]!);
    }
  }
}

const isNull = (v: Vector, i: number): boolean => v.nulls !== undefined && v.nulls[i] === 1;

/** Windows are few: a dictionary by start, unless windows of several sizes share one. */
const packWindows = (groups: Int32Array, first: Float64Array, second: Float64Array): ColumnBlob => {
  const n = groups.length;
  const codes = new Int32Array(n);
  const values: [number, number][] = [];
  const known = new Map<number, number>();
  for (let i = 0; i < n; i++) {
    const start = first[groups[i]!]!;
    const end = second[groups[i]!]!;
    let code = known.get(start);
    if (code === undefined) {
      known.set(start, (code = values.length));
      values.push([start, end]);
    }
    if (values[code]![1] !== end) break;
    codes[i] = code;
    if (i === n - 1) return dictionaryBlob(values, codes);
  }
  const pairs = new Float64Array(2 * n);
  for (let i = 0; i < n; i++) {
    pairs[2 * i] = first[groups[i]!]!;
    pairs[2 * i + 1] = second[groups[i]!]!;
  }
  return pairsBlob(pairs);
};
