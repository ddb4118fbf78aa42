/**
 * Tables larger than memory: what the store offers them. A table may keep rows in parts (part-file.ts), one per key group, and only the others in memory.
 *
 * Invariants.
 *  D1 a part is written before the commit that names it, under a key that no record names yet; one that no record names is garbage and goes when the
 *     store is opened (law 6: the record alone says what counts).
 *  D2 a part replaced by another in epoch e is deleted with the commit of e, or once the snapshot under way that holds it is uploaded.
 *  D3 a row in a blob of an epoch not above that of its key group's part is older than the part and does not count.
 */
import type { BlobInfo } from "./store.ts";
import type { ReadRanges } from "./part-file.ts";

export interface PartInfo extends BlobInfo {
  /** Its key group. */
  readonly part: number;
  /** Rows of it that count: not those that closed or that a blob has newer. */
  readonly live: number;
  /** Rows of it with a time up to this are closed; null: none. */
  readonly closed: number | null;
  /** Added to the orders of its rows: they are of another actor's counting (after a rescale). */
  readonly shift: number;
}

export const isPart = (b: BlobInfo): b is PartInfo => b.part !== undefined;

/** How much memory the tables of one node's actors may take, all together. Each table has an equal share. */
export class StateMemory {
  readonly bytes: number;
  readonly #tables = new Map<string, number>();

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  claim(table: string): void {
    this.#tables.set(table, (this.#tables.get(table) ?? 0) + 1);
  }

  release(table: string): void {
    const claims = (this.#tables.get(table) ?? 0) - 1;
    if (claims > 0) this.#tables.set(table, claims);
    else this.#tables.delete(table);
  }

  get share(): number {
    return this.bytes / Math.max(1, this.#tables.size);
  }
}

/** Where one table keeps its parts. */
export interface PartSpace {
  /** Bytes that the table may take of the memory. */
  readonly share: number;
  reader(part: BlobInfo): ReadRanges;
  whole(part: BlobInfo): Promise<Uint8Array>;
  /** Writes a part of the epoch under way (D1); what the record says of it besides `rows`, `live` and so on. */
  write(part: number, epoch: number, bytes: Uint8Array): Promise<BlobInfo>;
  /** What was read is damaged: the local store goes. */
  damaged(): Promise<void>;
  /** The table is no longer used. */
  close(): void;
}
