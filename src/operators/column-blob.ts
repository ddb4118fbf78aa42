/** Columns of values inside state blobs: numbers as one bin, interned values as dictionary and ids, all else as msgpack. */
import type { Value } from "../core/value.ts";

const NUMBERS = 0;
const DICTIONARY = 1;
const VALUES = 2;

export type ColumnBlob =
  | readonly [typeof NUMBERS, Uint8Array]
  | readonly [typeof DICTIONARY, readonly Value[], Uint8Array]
  | readonly [typeof VALUES, readonly Value[]];

const bytesOf = (a: ArrayBufferView): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);

const DICTIONARY_AT_MOST = 0.5;

export const packColumn = (values: readonly Value[]): ColumnBlob => {
  const n = values.length;
  const numbers = new Float64Array(n);
  let i = 0;
  for (; i < n && typeof values[i] === "number"; i++) numbers[i] = values[i] as number;
  if (i === n) return [NUMBERS, bytesOf(numbers)];
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
  return [DICTIONARY, [...ids.keys()], bytesOf(codes)];
};

export const unpackColumn = (blob: ColumnBlob): readonly Value[] => {
  if (blob[0] === NUMBERS) return Array.from(new Float64Array(blob[1].slice().buffer));
  if (blob[0] === VALUES) return blob[1];
  const dictionary = blob[1];
  return Array.from(new Int32Array(blob[2].slice().buffer), (id) => dictionary[id]!);
};
