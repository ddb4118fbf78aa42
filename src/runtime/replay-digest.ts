/**
 * The optional digest of law 3: a sum over all rows that a producer sends by one edge in one epoch, to all its readers together. A `last` carries it, readers
 * report it, the leader compares: a function that gives as many rows again, but other ones or to other partitions, is noticed (C6).
 *
 * Invariants.
 *  D1 the sum says which row went to which reader as its how-manieth; where frames and batches were cut means nothing.
 */
import { type Batch, rowCount, takeRows } from "../core/batch.ts";
import { combineHash, mix } from "../core/hash.ts";
import { hashVector } from "./exchange.ts";

export class ReplayDigest {
  #sum = 0;

  /** Live rows of `batch`, numbered from `firstRow` among those of the reader. */
  add(reader: number, firstRow: number, batch: Batch): void {
    const compact = batch.selection === undefined ? batch : takeRows(batch, batch.selection);
    const n = rowCount(compact);
    const hashes = new Uint32Array(n);
    compact.columns.forEach((v, k) => hashVector(v, compact.schema.fields[k]!.type, n, hashes));
    const salt = mix(~reader);
    let sum = this.#sum;
    for (let i = 0; i < n; i++) sum = (sum + combineHash(hashes[i]!, mix(firstRow + i) ^ salt)) >>> 0;
    this.#sum = sum;
  }

  /** The sum of the epoch, which ends here. */
  take(): number {
    const sum = this.#sum;
    this.#sum = 0;
    return sum;
  }
}

/** Digests of one epoch by producer, as one reader has them. */
export type Digests = Readonly<Record<string, number>>;

/** The producer of which two readers report different digests. */
export const contradiction = (reports: Iterable<Digests>): string | undefined => {
  const known = new Map<string, number>();
  for (const report of reports)
    for (const [producer, digest] of Object.entries(report)) {
      const before = known.get(producer);
      if (before !== undefined && before !== digest) return producer;
      known.set(producer, digest);
    }
  return undefined;
};
