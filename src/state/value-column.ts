/** Columns of rows in state whose values are numbers, booleans and times (typed arrays) or plain values; strings: string-column.ts. */
import type { DataType } from "../core/data-type.ts";
import { grown } from "../core/growing-array.ts";
import { canonicalLong, type Value } from "../core/value.ts";
import { layoutOf, valueAt, type Vector, vectorOf } from "../core/vector.ts";
import { NullMarks, type RowColumn } from "./row-column.ts";
import { StringColumn } from "./string-column.ts";

type Fixed = Float64Array | Int32Array | Uint8Array | BigInt64Array;
type FixedLayout = "f64" | "i32" | "bool" | "i64";

const MAKE: Readonly<Record<FixedLayout, (n: number) => Fixed>> = {
  f64: (n) => new Float64Array(n),
  i32: (n) => new Int32Array(n),
  bool: (n) => new Uint8Array(n),
  i64: (n) => new BigInt64Array(n),
};

// One loop a layout, so that each stays monomorphic.
const copy64 = (to: Float64Array, from: Float64Array, rows: Int32Array, slots: Int32Array, n: number) => {
  for (let k = 0; k < n; k++) to[slots[k]!] = from[rows[k]!]!;
};
const copy32 = (to: Int32Array, from: Int32Array, rows: Int32Array, slots: Int32Array, n: number) => {
  for (let k = 0; k < n; k++) to[slots[k]!] = from[rows[k]!]!;
};
const copy8 = (to: Uint8Array, from: Uint8Array, rows: Int32Array, slots: Int32Array, n: number) => {
  for (let k = 0; k < n; k++) to[slots[k]!] = from[rows[k]!]!;
};
const copyBig = (to: BigInt64Array, from: BigInt64Array, rows: Int32Array, slots: Int32Array, n: number) => {
  for (let k = 0; k < n; k++) to[slots[k]!] = from[rows[k]!]!;
};
const take64 = (from: Float64Array, slots: Int32Array, n: number): Float64Array => {
  const out = new Float64Array(n);
  for (let k = 0; k < n; k++) if (slots[k]! >= 0) out[k] = from[slots[k]!]!;
  return out;
};
const take32 = (from: Int32Array, slots: Int32Array, n: number): Int32Array => {
  const out = new Int32Array(n);
  for (let k = 0; k < n; k++) if (slots[k]! >= 0) out[k] = from[slots[k]!]!;
  return out;
};
const take8 = (from: Uint8Array, slots: Int32Array, n: number): Uint8Array => {
  const out = new Uint8Array(n);
  for (let k = 0; k < n; k++) if (slots[k]! >= 0) out[k] = from[slots[k]!]!;
  return out;
};
const takeBig = (from: BigInt64Array, slots: Int32Array, n: number): BigInt64Array => {
  const out = new BigInt64Array(n);
  for (let k = 0; k < n; k++) if (slots[k]! >= 0) out[k] = from[slots[k]!]!;
  return out;
};

/** Numbers, booleans, times. */
class FixedColumn implements RowColumn {
  #layout: FixedLayout;
  #data: Fixed;
  readonly #nulls = new NullMarks();
  readonly #type: DataType;

  constructor(type: DataType) {
    this.#type = type;
    this.#layout = layoutOf(type) as FixedLayout;
    this.#data = MAKE[this.#layout](0);
  }

  grow(capacity: number): void {
    this.#data = grown(this.#data, capacity);
    this.#nulls.grow(capacity);
  }

  write(v: Vector, rows: Int32Array, slots: Int32Array, n: number): void {
    if (v.layout !== this.#layout) return this.#writeOther(v, rows, slots, n);
    this.#nulls.write(v.nulls, rows, slots, n);
    switch (v.layout) {
      case "f64":
        return copy64(this.#data as Float64Array, v.data, rows, slots, n);
      case "i32":
        return copy32(this.#data as Int32Array, v.data, rows, slots, n);
      case "bool":
        return copy8(this.#data as Uint8Array, v.data, rows, slots, n);
      case "i64":
        return copyBig(this.#data as BigInt64Array, v.data, rows, slots, n);
    }
  }

  /** A layout that the type may have besides its usual one (R2). */
  #writeOther(v: Vector, rows: Int32Array, slots: Int32Array, n: number): void {
    const values = Array.from({ length: n }, (_, k) => valueAt(v, rows[k]!));
    const same = vectorOf(this.#type, values);
    const all = Int32Array.from({ length: n }, (_, k) => k);
    if (same.layout === this.#layout) return this.write(same, all, slots, n);
    if (this.#layout !== "i64") {
      const wide = new BigInt64Array(this.#data.length);
      for (let i = 0; i < wide.length; i++) wide[i] = BigInt(this.#data[i]!);
      this.#data = wide;
      this.#layout = "i64";
    }
    const data = BigInt64Array.from(values, (x) => (x === null ? 0n : BigInt(x as number | bigint)));
    this.write({ layout: "i64", data, nulls: same.nulls }, all, slots, n);
  }

  gather(slots: Int32Array, n: number): Vector {
    const nulls = this.#nulls.gather(slots, n);
    switch (this.#layout) {
      case "f64":
        return { layout: "f64", data: take64(this.#data as Float64Array, slots, n), nulls };
      case "i32":
        return { layout: "i32", data: take32(this.#data as Int32Array, slots, n), nulls };
      case "bool":
        return { layout: "bool", data: take8(this.#data as Uint8Array, slots, n), nulls };
      case "i64":
        return { layout: "i64", data: takeBig(this.#data as BigInt64Array, slots, n), nulls };
    }
  }

  clear(_slot: number): void {}

  valueAt(slot: number): Value {
    if (this.#nulls.has(slot)) return null;
    const x = this.#data[slot]!;
    if (typeof x === "bigint") return canonicalLong(x);
    return this.#layout === "bool" ? x === 1 : x;
  }

  numbers(): Float64Array | Int32Array | undefined {
    if (this.#nulls.marks !== undefined) return undefined;
    return this.#layout === "f64" || this.#layout === "i32"
      ? (this.#data as Float64Array | Int32Array)
      : undefined;
  }

  bytes(): number {
    return this.#data.byteLength + (this.#nulls.marks?.length ?? 0);
  }
}

const ANY_BYTES = 48;

/** Decimals, binary, nested values. */
class AnyColumn implements RowColumn {
  readonly #data: Value[] = [];

  grow(capacity: number): void {
    for (let i = this.#data.length; i < capacity; i++) this.#data.push(null);
  }

  write(v: Vector, rows: Int32Array, slots: Int32Array, n: number): void {
    for (let k = 0; k < n; k++) this.#data[slots[k]!] = valueAt(v, rows[k]!);
  }

  gather(slots: Int32Array, n: number): Vector {
    const data: Value[] = new Array(n);
    let nulls: Uint8Array | undefined;
    for (let k = 0; k < n; k++) {
      data[k] = slots[k]! < 0 ? null : this.#data[slots[k]!]!;
      if (data[k] === null) (nulls ??= new Uint8Array(n))[k] = 1;
    }
    return { layout: "any", data, nulls };
  }

  clear(slot: number): void {
    this.#data[slot] = null;
  }

  valueAt(slot: number): Value {
    return this.#data[slot]!;
  }

  numbers(): undefined {
    return undefined;
  }

  bytes(): number {
    return this.#data.length * ANY_BYTES;
  }
}

export const createRowColumn = (type: DataType): RowColumn => {
  const layout = layoutOf(type);
  if (layout === "dict") return new StringColumn();
  return layout === "any" ? new AnyColumn() : new FixedColumn(type);
};
