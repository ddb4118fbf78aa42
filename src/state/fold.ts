/** When a table's deltas become a new base, and what a table adds to its blobs at the end of an epoch. */
import type { BlobInfo } from "./store.ts";
import type { StateTable } from "./table.ts";

const FOLD_MINIMUM_BYTES = 64 * 1024;
/** Bytes of a blob's line in the record, which is written again in every epoch. */
const LINE_BYTES = 40;
/** A base up to this many bytes is made again in about a millisecond. */
const CHEAP_BASE_BYTES = 256 * 1024;

/** Whether a table's blobs and one more delta become a new base: the deltas outgrow it, or most of its rows are gone (a watermark has passed). */
const folds = (blobs: readonly BlobInfo[], deltaBytes: number, rows: number): boolean => {
  const base = blobs.find((b) => b.base);
  const baseBytes = blobs.reduce((sum, b) => (b.base ? sum + b.bytes : sum), 0);
  const deltas = blobs.reduce((sum, b) => sum + b.bytes, deltaBytes) - baseBytes;
  if (deltas > Math.max(baseBytes, FOLD_MINIMUM_BYTES)) return true;
  // What n deltas of a few bytes have cost in lines, n * n / 2 of them, against a base.
  const lines = (blobs.length * blobs.length * LINE_BYTES) / 2;
  if (baseBytes <= CHEAP_BASE_BYTES && lines > Math.max(baseBytes, FOLD_MINIMUM_BYTES)) return true;
  return baseBytes > FOLD_MINIMUM_BYTES && rows * 2 < (base?.rows ?? 0);
};

/** The same of a table whose blobs hold no row twice: what was only added to is never written again, however long the deltas are. */
const foldsRows = (blobs: readonly BlobInfo[], rows: number, dead: number): boolean => {
  const bytes = blobs.reduce((sum, b) => sum + b.bytes, 0);
  const lines = (blobs.length * blobs.length * LINE_BYTES) / 2;
  return lines > Math.max(bytes, FOLD_MINIMUM_BYTES) || (bytes > FOLD_MINIMUM_BYTES && dead > rows * 2);
};

/** Rows that blobs hold: all but those in parts. */
export const rowsInBlobs = (table: StateTable): number => table.stats().rows - (table.spill?.rows ?? 0);

/** The base of a table, in one piece or several. */
export const basesOf = (table: StateTable): readonly Uint8Array[] => table.bases?.() ?? [table.base()];

interface Drained {
  readonly pieces: readonly Uint8Array[];
  readonly base: boolean;
}

/** What a table adds to its blobs; undefined when nothing changed. */
export const drained = (table: StateTable, blobs: readonly BlobInfo[], rows: number): Drained | undefined => {
  // The delta to come is taken to be as long as the one before: if it will be folded it is not made.
  const { deadRows } = table;
  const fold = (): boolean =>
    deadRows === undefined ? folds(blobs, blobs.at(-1)?.bytes ?? 0, rows) : foldsRows(blobs, rows, deadRows);
  if (rows > 0 && table.rebased !== undefined && fold()) {
    const bytes = table.rebased();
    return bytes && { pieces: [bytes], base: true };
  }
  const first = table.spill?.wantsBase === true;
  const bytes = table.drain();
  if (first) return rows > 0 ? { pieces: basesOf(table), base: true } : undefined;
  if (bytes === undefined) return undefined;
  if (blobs.length === 0) return { pieces: [bytes], base: true };
  const base = rows > 0 && table.rebased === undefined && folds(blobs, bytes.length, rows);
  return { pieces: base ? basesOf(table) : [bytes], base };
};
