/** Keys of rows for keyed tables: order-preserving bytes, key groups and the values themselves, from evaluated key columns. */
import type { DataType } from "../core/data-type.ts";
import { combineHash, keyGroupOf } from "../core/hash.ts";
import type { Row, Value } from "../core/value.ts";
import { type Dictionary, stringAt, valueAt, type Vector } from "../core/vector.ts";
import { encodeValue, hashValue } from "../state/key-codec.ts";
import type { StateKey } from "../state/table.ts";

export interface RowKeys {
  readonly keys: readonly StateKey[];
  keyGroup(row: number): number;
  values(row: number): Row;
}

/** Encoded keys of a dictionary's strings, kept while the dictionary is the same. */
interface Known {
  dictionary: Dictionary;
  encoded: (string | undefined)[];
}

export class KeyEncoder {
  readonly #types: readonly DataType[];
  readonly #routeBy: readonly number[];
  readonly #known: (Known | undefined)[];

  /** `routeBy`: ordinals of the keys whose hash routed the rows to this actor; all when absent. */
  constructor(types: readonly DataType[], routeBy?: readonly number[]) {
    this.#types = types;
    this.#routeBy = routeBy ?? types.map((_, i) => i);
    this.#known = types.map(() => undefined);
  }

  #encodeColumn(v: Vector, column: number, n: number): string[] {
    const type = this.#types[column]!;
    const out: string[] = new Array(n);
    if (v.layout === "dict") {
      let known = this.#known[column];
      if (known?.dictionary !== v.dictionary || known.encoded.length < v.dictionary.length)
        known = this.#known[column] = { dictionary: v.dictionary, encoded: new Array(v.dictionary.length) };
      for (let i = 0; i < n; i++) {
        const id = v.data[i]!;
        out[i] =
          v.nulls?.[i] === 1 ? "\0" : (known.encoded[id] ??= encodeValue(stringAt(v.dictionary, id), type));
      }
      return out;
    }
    let last: Value | undefined;
    let encoded = "";
    for (let i = 0; i < n; i++) {
      const x = valueAt(v, i);
      if (x !== last) encoded = encodeValue((last = x), type);
      out[i] = encoded;
    }
    return out;
  }

  /** `vectors` are dense, one a key. */
  encode(vectors: readonly Vector[], n: number): RowKeys {
    const columns = vectors.map((v, c) => this.#encodeColumn(v, c, n));
    const keys: StateKey[] = columns.length === 1 ? columns[0]! : new Array(n).fill("");
    if (columns.length > 1) for (const column of columns) for (let i = 0; i < n; i++) keys[i] += column[i]!;
    return {
      keys,
      keyGroup: (i) => {
        let h = 0;
        for (const c of this.#routeBy)
          h = combineHash(h, hashValue(valueAt(vectors[c]!, i), this.#types[c]!));
        return keyGroupOf(h);
      },
      values: (i) => vectors.map((v) => valueAt(v, i)),
    };
  }
}

/** Eight order-preserving bytes of a non-negative integer below 2^53: the part of a key that orders rows of one key. */
export const encodeIndex = (index: number): string => {
  let high = Math.floor(index / 4294967296);
  let low = index % 4294967296;
  let out = "";
  for (let i = 0; i < 4; i++, low = Math.floor(low / 256)) out = String.fromCharCode(low % 256) + out;
  for (let i = 0; i < 4; i++, high = Math.floor(high / 256)) out = String.fromCharCode(high % 256) + out;
  return out;
};

export const decodeIndex = (bytes: string): number => {
  let index = 0;
  for (let i = 0; i < bytes.length; i++) index = index * 256 + bytes.charCodeAt(i);
  return index;
};
