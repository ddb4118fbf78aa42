/** What an aggregate table shows its spill (group-spill.ts). */
import type { Accumulator } from "../expr/contract.ts";
import type { GroupColumns } from "./group-columns.ts";

/** Flags of a group beside the table's own: the disk has it too; since then it has changed, or the disk does not have it. */
export const IN_PART = 4;
export const MODIFIED = 8;

/** Whether the disk has the group as it is. */
export const isClean = (flags: number): boolean => (flags & (IN_PART | MODIFIED)) === IN_PART;

/** What the table lets its spill do. Rows are rows of `scratch`. */
export interface SpillHost {
  readonly columns: GroupColumns;
  readonly accumulators: readonly Accumulator[];
  /** Index of the part of a key that is the closing time; -1 without one. */
  readonly closingPart: number;
  /** The rows under way; room for `n`. */
  readonly scratch: (n: number) => readonly Float64Array[];
  readonly flags: () => Uint8Array;
  /** The group of a row, -1 when it is not in memory. */
  readonly find: (row: number) => number;
  /** Makes it, unmarked. */
  readonly place: (row: number) => number;
  /** All groups in memory, in no order that counts. */
  readonly resident: () => Int32Array;
  /** The same in the order of A2. */
  readonly ordered: () => Int32Array;
  readonly evict: (groups: Int32Array) => void;
  readonly bytes: () => number;
}
