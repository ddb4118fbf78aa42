/**
 * Frames: what mailboxes carry. One msgpack message, a positional array of header fields and one `bin` per column (DESIGN section 4).
 * A frame is `(producer, epoch, firstRow, rows, last?)` (law 3); the producer has no incarnation.
 */
import type { Batch } from "../core/batch.ts";
import type { Epoch, PartitionIndex } from "../core/brands.ts";

export const FRAME_VERSION = 1;

export interface FrameHeader {
  /** Edge of the plan (it names the producing stage and the reader's port). */
  readonly edge: string;
  readonly topology: number;
  /** Partition of the producing stage. */
  readonly partition: PartitionIndex;
  readonly epoch: Epoch;
  /** Number of the first row among the rows of (producer, reader, epoch). */
  readonly firstRow: number;
  readonly rows: number;
  /** Whether this is the producer's last frame of the epoch to this reader. */
  readonly last: boolean;
  /** Of a `last`: the digest over the producer's whole epoch, where the setting asks for it (law 3). */
  readonly digest?: number;
}

export interface Frame {
  readonly header: FrameHeader;
  /** Undefined when the frame has no rows. Always compact (no selection). */
  readonly batch: Batch | undefined;
}
