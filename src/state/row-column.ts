/**
 * One column of the rows that a table keeps: a growing vector indexed by slot. Slots are written, read and used again in any order.
 *
 * Invariants. R1: a null slot has nulls[slot] === 1 and the zero of the layout (V2 of vector.ts); `nulls` is absent until something is null. R2: a column of
 * longs is `f64` until a value leaves ±2^53, `i64` from then on. R3: what `gather` gives shares nothing with the column that later writes change.
 */
import { grown } from "../core/growing-array.ts";
import type { Value } from "../core/value.ts";
import type { Vector } from "../core/vector.ts";

export interface RowColumn {
  /** Makes room for slots below `capacity`. */
  grow(capacity: number): void;
  /** Row `rows[k]` of `v` becomes slot `slots[k]`, for k < n. */
  write(v: Vector, rows: Int32Array, slots: Int32Array, n: number): void;
  /** The first `n` of `slots` as a vector; a slot below 0 is null. */
  gather(slots: Int32Array, n: number): Vector;
  /** Lets go of what the slot holds outside of typed arrays. */
  clear(slot: number): void;
  valueAt(slot: number): Value;
  /** Numbers without nulls, for loops that compare; undefined when the column is something else now. */
  numbers(): Float64Array | Int32Array | undefined;
  /** Estimated bytes. */
  bytes(): number;
}

/** Null marks of slots; absent until one is set (R1). */
export class NullMarks {
  marks: Uint8Array | undefined;
  #capacity = 0;

  grow(capacity: number): void {
    this.#capacity = capacity;
    if (this.marks !== undefined) this.marks = grown(this.marks, capacity);
  }

  write(nulls: Uint8Array | undefined, rows: Int32Array, slots: Int32Array, n: number): void {
    if (nulls === undefined) {
      if (this.marks !== undefined) for (let k = 0; k < n; k++) this.marks[slots[k]!] = 0;
      return;
    }
    this.marks ??= new Uint8Array(this.#capacity);
    const { marks } = this;
    for (let k = 0; k < n; k++) marks[slots[k]!] = nulls[rows[k]!]!;
  }

  gather(slots: Int32Array, n: number): Uint8Array | undefined {
    const { marks } = this;
    let out: Uint8Array | undefined;
    for (let k = 0; k < n; k++) {
      const slot = slots[k]!;
      if (slot < 0 || (marks !== undefined && marks[slot] === 1)) (out ??= new Uint8Array(n))[k] = 1;
    }
    return out;
  }

  has(slot: number): boolean {
    return this.marks !== undefined && this.marks[slot] === 1;
  }
}
