/**
 * What an operator keeps of a row: its columns, then the values of those expressions (keys, orders) that are not columns themselves. Kept, not computed
 * again: an expression may read the clock of its epoch.
 */
import type { Batch } from "../core/batch.ts";
import type { DataType } from "../core/data-type.ts";
import type { Schema } from "../core/schema.ts";
import type { Vector } from "../core/vector.ts";
import type { TypedExpr } from "../expr/ast.ts";
import type { RowTable } from "../state/row-table.ts";
import { liveRows } from "./row-errors.ts";

export class StoredColumns {
  readonly types: readonly DataType[];
  /** Ordinal of the stored column of each expression. */
  readonly of: readonly number[];
  readonly width: number;
  /** Ordinals of the expressions that have a column of their own. */
  readonly #own: readonly number[];

  constructor(schema: Schema, exprs: readonly TypedExpr[]) {
    this.width = schema.fields.length;
    const own: number[] = [];
    this.of = exprs.map((e, i) => (e.kind === "slot" ? e.index : this.width + own.push(i) - 1));
    this.#own = own;
    this.types = [...schema.fields.map((f) => f.type), ...own.map((i) => exprs[i]!.type)];
  }

  /** Writes the live rows `rows` (not physical) of a batch; `values`: the dense vectors of the expressions. */
  write(
    table: RowTable,
    batch: Batch,
    values: readonly Vector[],
    rows: Int32Array,
    slots: Int32Array,
    n: number,
  ): void {
    const physical = batch.selection === undefined ? rows : physicalRows(liveRows(batch), rows, n);
    for (let c = 0; c < this.width; c++) table.column(c).write(batch.columns[c]!, physical, slots, n);
    this.#own.forEach((i, c) => table.column(this.width + c).write(values[i]!, rows, slots, n));
  }

  /** The expressions' values of rows in the table. */
  gather(table: RowTable, slots: Int32Array): Vector[] {
    return this.of.map((c) => table.column(c).gather(slots, slots.length));
  }
}

/** Physical numbers of live rows. */
export const physicalRows = (live: Int32Array, rows: Int32Array, n: number): Int32Array => {
  const out = new Int32Array(n);
  for (let k = 0; k < n; k++) out[k] = live[rows[k]!]!;
  return out;
};
