/**
 * A batch: rows as columns. `selection`, when present, lists the live rows (ascending, in order); a filter makes one instead of
 * copying columns. `length` counts the physical rows of the vectors, `rowCount` the live ones.
 */
import type { Schema } from "./schema.ts";
import type { Row, Value } from "./value.ts";
import { takeVector, valueAt, type Vector, vectorOf } from "./vector.ts";

export interface Batch {
  readonly schema: Schema;
  readonly length: number;
  readonly columns: readonly Vector[];
  readonly selection: Int32Array | undefined;
}

export const batchOf = (
  schema: Schema,
  length: number,
  columns: readonly Vector[],
  selection?: Int32Array,
): Batch => ({ schema, length, columns, selection });

export const rowCount = (b: Batch): number => (b.selection === undefined ? b.length : b.selection.length);

/** Builds a batch from rows of values. */
export const batchFromRows = (schema: Schema, rows: readonly Row[]): Batch =>
  batchOf(
    schema,
    rows.length,
    schema.fields.map((f, c) =>
      vectorOf(
        f.type,
        rows.map((r) => r[c] as Value),
      ),
    ),
  );

/** The live rows of a batch as arrays of values. For edges and tests. */
export const rowsOf = (b: Batch): Row[] => {
  const n = rowCount(b);
  const out: Row[] = new Array(n);
  for (let k = 0; k < n; k++) {
    const i = b.selection === undefined ? k : b.selection[k]!;
    out[k] = b.columns.map((v) => valueAt(v, i));
  }
  return out;
};

/** The physical rows `rows`, in that order, as a compact batch. */
export const takeRows = (b: Batch, rows: Int32Array): Batch =>
  batchOf(
    b.schema,
    rows.length,
    b.columns.map((v) => takeVector(v, rows)),
  );

/** The same rows without a selection vector. */
export const compact = (b: Batch): Batch => (b.selection === undefined ? b : takeRows(b, b.selection));
