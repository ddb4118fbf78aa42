/**
 * Columns of a batch. One layout per type, so that generated loops stay monomorphic:
 *
 *  | type                                              | layout                                               |
 *  |---------------------------------------------------|------------------------------------------------------|
 *  | boolean                                           | `bool`  Uint8Array of 0/1                            |
 *  | byte short int date yearMonthInterval             | `i32`   Int32Array                                   |
 *  | long dayTimeInterval                              | `f64`   Float64Array while every value is safe, else `i64` BigInt64Array |
 *  | float double timestamp timestamp_ntz              | `f64`   Float64Array                                 |
 *  | string                                            | `dict`  Int32Array of ids into a string[], or into strings as bytes (`Utf8Strings`) |
 *  | all others (decimal, binary, nested, variant, …)  | `any`   Value[]                                      |
 *
 * Invariants. V1: `nulls` is absent when nothing is null; `nulls[i] === 1` means row i is null. V2: at a null row the
 * data slot holds the zero of its layout (0, 0n, id 0, null) so that loops may read it. V3: vectors are never
 * changed once they are in a Batch; they may be shared between batches.
 */
import type { DataType } from "./data-type.ts";
import { Utf8Strings } from "./utf8-strings.ts";
import { canonicalLong, type Value } from "./value.ts";

export interface BoolVector {
  readonly layout: "bool";
  readonly data: Uint8Array;
  readonly nulls: Uint8Array | undefined;
}
export interface Int32Vector {
  readonly layout: "i32";
  readonly data: Int32Array;
  readonly nulls: Uint8Array | undefined;
}
export interface Float64Vector {
  readonly layout: "f64";
  readonly data: Float64Array;
  readonly nulls: Uint8Array | undefined;
}
export interface BigInt64Vector {
  readonly layout: "i64";
  readonly data: BigInt64Array;
  readonly nulls: Uint8Array | undefined;
}
/** The strings of a vector by id. Different ids may be equal strings. It may have more entries than a batch uses, and get more. */
export type Dictionary = readonly string[] | Utf8Strings;

/** The string of an id; of bytes a text is made when it is first asked for. */
export const stringAt = (d: Dictionary, id: number): string => (d instanceof Utf8Strings ? d.at(id) : d[id]!);

export interface StringVector {
  readonly layout: "dict";
  readonly data: Int32Array;
  readonly dictionary: Dictionary;
  readonly nulls: Uint8Array | undefined;
}
export interface AnyVector {
  readonly layout: "any";
  readonly data: readonly Value[];
  readonly nulls: Uint8Array | undefined;
}
export type Vector = BoolVector | Int32Vector | Float64Vector | BigInt64Vector | StringVector | AnyVector;
export type Layout = Vector["layout"];

const LAYOUTS: Partial<Record<DataType["kind"], Layout>> = {
  boolean: "bool",
  byte: "i32",
  short: "i32",
  int: "i32",
  date: "i32",
  yearMonthInterval: "i32",
  long: "f64",
  dayTimeInterval: "f64",
  float: "f64",
  double: "f64",
  timestamp: "f64",
  timestamp_ntz: "f64",
  string: "dict",
};

/** The layout a vector of this type has unless its longs leave the safe range. */
export const layoutOf = (type: DataType): Layout => LAYOUTS[type.kind] ?? "any";

/** The value of one row. For tests, edges and the interpreter: loops over rows read `data` themselves. */
export const valueAt = (v: Vector, i: number): Value => {
  if (v.nulls !== undefined && v.nulls[i] === 1) return null;
  switch (v.layout) {
    case "bool":
      return v.data[i] === 1;
    case "i64":
      return canonicalLong(v.data[i]!);
    case "dict":
      return stringAt(v.dictionary, v.data[i]!);
    default:
      return v.data[i]!;
  }
};

const numeric = (values: readonly Value[], nulls: Uint8Array | undefined, int32: boolean): Vector => {
  const n = values.length;
  const data = int32 ? new Int32Array(n) : new Float64Array(n);
  for (let i = 0; i < n; i++) {
    const x = values[i];
    if (typeof x === "bigint") return wide(values, nulls);
    data[i] = (x as number | null | undefined) ?? 0;
  }
  return data instanceof Int32Array ? { layout: "i32", data, nulls } : { layout: "f64", data, nulls };
};

const wide = (values: readonly Value[], nulls: Uint8Array | undefined): Vector => {
  const data = BigInt64Array.from(values, (x) => (x === null ? 0n : BigInt(x as number | bigint)));
  return { layout: "i64", data, nulls };
};

const strings = (values: readonly Value[], nulls: Uint8Array | undefined): Vector => {
  const ids = new Map<string, number>();
  const dictionary: string[] = [];
  const data = new Int32Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const s = (values[i] as string | null) ?? "";
    let id = ids.get(s);
    if (id === undefined) {
      id = dictionary.length;
      dictionary.push(s);
      ids.set(s, id);
    }
    data[i] = id;
  }
  return { layout: "dict", data, dictionary, nulls };
};

/** Builds the vector of a type from values. */
export const vectorOf = (type: DataType, values: readonly Value[]): Vector => {
  let nulls: Uint8Array | undefined;
  for (let i = 0; i < values.length; i++)
    if (values[i] === null) (nulls ??= new Uint8Array(values.length))[i] = 1;
  switch (layoutOf(type)) {
    case "bool":
      return { layout: "bool", data: Uint8Array.from(values, (x) => (x === true ? 1 : 0)), nulls };
    case "i32":
      return numeric(values, nulls, true);
    case "f64":
      return numeric(values, nulls, false);
    case "dict":
      return strings(values, nulls);
    default:
      return { layout: "any", data: values, nulls };
  }
};

const takeNulls = (nulls: Uint8Array | undefined, rows: Int32Array): Uint8Array | undefined => {
  if (nulls === undefined) return undefined;
  const out = new Uint8Array(rows.length);
  let any = 0;
  for (let i = 0; i < rows.length; i++) any |= out[i] = nulls[rows[i]!]!;
  return any ? out : undefined;
};

/** The rows `rows` of a vector, in that order, as a new vector. */
export const takeVector = (v: Vector, rows: Int32Array): Vector => {
  const n = rows.length;
  const nulls = takeNulls(v.nulls, rows);
  if (v.layout === "any") {
    const data: Value[] = new Array(n);
    for (let i = 0; i < n; i++) data[i] = v.data[rows[i]!]!;
    return { layout: "any", data, nulls };
  }
  if (v.layout === "i64") {
    const data = new BigInt64Array(n);
    for (let i = 0; i < n; i++) data[i] = v.data[rows[i]!]!;
    return { layout: "i64", data, nulls };
  }
  if (v.layout === "f64") {
    const data = new Float64Array(n);
    for (let i = 0; i < n; i++) data[i] = v.data[rows[i]!]!;
    return { layout: "f64", data, nulls };
  }
  if (v.layout === "bool") {
    const data = new Uint8Array(n);
    for (let i = 0; i < n; i++) data[i] = v.data[rows[i]!]!;
    return { layout: "bool", data, nulls };
  }
  const data = new Int32Array(n);
  for (let i = 0; i < n; i++) data[i] = v.data[rows[i]!]!;
  return v.layout === "dict" ? { ...v, data, nulls } : { layout: "i32", data, nulls };
};
