/** Columns of values inside state blobs: numbers as one bin, pairs of numbers too, repeated values as dictionary and ids, all else as msgpack. */
import type { Value } from "../core/value.ts";

const NUMBERS = 0;
const DICTIONARY = 1;
const VALUES = 2;
const PAIRS = 3;
const GROWTH = 4;

export type ColumnBlob =
  | readonly [typeof NUMBERS, Uint8Array]
  | readonly [typeof DICTIONARY, readonly Value[], Uint8Array]
  | readonly [typeof VALUES, readonly Value[]]
  | readonly [typeof PAIRS, Uint8Array];

/** States of a column whose accumulator packs them itself (`Growth` of src/expr/contract.ts). */
export type GrowthBlob = readonly [typeof GROWTH, Value];

export const growthBlob = (taken: Value): GrowthBlob => [GROWTH, taken];
export const isGrowth = (blob: ColumnBlob | GrowthBlob): blob is GrowthBlob => blob[0] === GROWTH;

const bytesOf = (a: ArrayBufferView): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);

/** Numbers, for whoever has them in a typed array already. */
export const numbersBlob = (numbers: Float64Array): ColumnBlob => [NUMBERS, bytesOf(numbers)];

/** Pairs [a, b] as a, b, a, b, …; they come back as arrays. */
export const pairsBlob = (pairs: Float64Array): ColumnBlob => [PAIRS, bytesOf(pairs)];

/** `codes[i]` is the index in `values` of value i. */
export const dictionaryBlob = (values: readonly Value[], codes: Int32Array): ColumnBlob => [
  DICTIONARY,
  values,
  bytesOf(codes),
];

const DICTIONARY_AT_MOST = 0.5;

export const packColumn = (values: readonly Value[]): ColumnBlob => {
  const n = values.length;
  const numbers = new Float64Array(n);
  let i = 0;
  for (; i < n && typeof values[i] === "number"; i++) numbers[i] = values[i] as number;
  if (i === n) return numbersBlob(numbers);
  const ids = new Map<Value, number>();
  const codes = new Int32Array(n);
  for (let k = 0; k < n; k++) {
    const v = values[k]!;
    if (v !== null && typeof v !== "string") return [VALUES, values];
    let id = ids.get(v);
    if (id === undefined) {
      id = ids.size;
      if (id > n * DICTIONARY_AT_MOST) return [VALUES, values];
      ids.set(v, id);
    }
    codes[k] = id;
  }
  return dictionaryBlob([...ids.keys()], codes);
};

/** Plain loops: `Array.from` asks an iterator for every element. */
export const unpackColumn = (blob: ColumnBlob): readonly Value[] => {
  if (blob[0] === VALUES) return blob[1];
  const { buffer } = (blob[0] === DICTIONARY ? blob[2] : blob[1]).slice();
  if (blob[0] === DICTIONARY) {
    const codes = new Int32Array(buffer);
    const values: Value[] = new Array(codes.length);
    for (let i = 0; i < codes.length; i++) values[i] = blob[1][codes[i]!]!;
    return values;
  }
  const numbers = new Float64Array(buffer);
  const n = blob[0] === PAIRS ? numbers.length / 2 : numbers.length;
  const values: Value[] = new Array(n);
  if (blob[0] === PAIRS) for (let i = 0; i < n; i++) values[i] = [numbers[2 * i]!, numbers[2 * i + 1]!];
  else for (let i = 0; i < n; i++) values[i] = numbers[i]!;
  return values;
};
