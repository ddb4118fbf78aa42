/**
 * Rows that throw. Generated loops run over whole batches; when one throws, the batch is run again row by row, every bad row goes to
 * the query's `onError` policy (which throws when it is "fail") and the rest goes on as one batch.
 */
import { type Batch, batchOf, rowCount, rowsOf } from "../core/batch.ts";
import { MillraceError } from "../core/errors.ts";
import type { OperatorContext } from "./operator.ts";

export type OnRowError = OperatorContext["onRowError"];

/** Physical row numbers of the live rows. */
export const liveRows = (batch: Batch): Int32Array => {
  if (batch.selection !== undefined) return batch.selection;
  const rows = new Int32Array(batch.length);
  for (let i = 0; i < rows.length; i++) rows[i] = i;
  return rows;
};

/** The same columns with other live rows (physical numbers, ascending). */
export const select = (batch: Batch, rows: Int32Array): Batch =>
  batchOf(batch.schema, batch.length, batch.columns, rows);

/** Live rows `k` (not physical) with mask[k] === 1. */
export const keepRows = (batch: Batch, mask: Uint8Array): Batch => {
  const rows = liveRows(batch);
  return select(
    batch,
    rows.filter((_, k) => mask[k] === 1),
  );
};

const isRowError = (e: unknown): boolean => !(e instanceof MillraceError) || e.decision === "fail";

/** Runs `f` over the batch; if it throws, over what is left without the rows that throw alone. */
export const overRows = <R>(
  batch: Batch,
  onRowError: OnRowError,
  f: (batch: Batch) => R,
): { readonly batch: Batch; readonly result: R } => {
  try {
    return { batch, result: f(batch) };
  } catch (e) {
    if (!isRowError(e)) throw e;
    const rows = liveRows(batch);
    const good = rows.filter((row) => {
      const one = select(batch, Int32Array.of(row));
      try {
        f(one);
        return true;
      } catch (error) {
        onRowError(error, () => rowsOf(one)[0]);
        return false;
      }
    });
    // A batch that throws where none of its rows does is not about a row.
    if (good.length === rowCount(batch)) throw e;
    const rest = select(batch, good);
    return { batch: rest, result: f(rest) };
  }
};
