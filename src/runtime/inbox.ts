/**
 * The inbox of a stage actor: which rows of the mailbox count, and of which epoch (laws 3 and 5). Plain synchronous bookkeeping over decoded
 * frames; the loop reads the mailbox and asks for the rows of one epoch after the other.
 *
 * Invariants.
 *  I1 rows of one producer in one epoch are accepted once, in order, whatever was sent again or cut differently.
 *  I2 rows are handed out in mailbox order of the frame that was accepted, epoch by epoch.
 *  I3 `resume()` is the smaller of the next unread position and the earliest position with an accepted frame of a later
 *     epoch, a `last` without rows included (C1).
 */
import { type Batch, takeRows } from "../core/batch.ts";
import { NondeterministicReplayError } from "../core/errors.ts";
import type { Frame, FrameHeader } from "../codec/frame.ts";
import type { Digests } from "./replay-digest.ts";

export interface AcceptedRows {
  readonly edge: string;
  readonly batch: Batch;
  readonly split: "";
}

interface EpochRows {
  readonly counts: Map<string, number>;
  readonly done: Set<string>;
  readonly digests: Record<string, number>;
  /** Accepted and not handed out yet. */
  rows: AcceptedRows[];
  /** Position of the first accepted frame. */
  first: number;
}

/** Name of a producer: (edge, topology version, partition), without incarnation. */
export const producerOf = (h: FrameHeader): string => `${h.edge}/${h.topology}/${h.partition}`;

const slice = (batch: Batch, from: number): Batch =>
  from === 0
    ? batch
    : takeRows(
        batch,
        Int32Array.from({ length: batch.length - from }, (_, i) => i + from),
      );

/** As many rows as before, but others (law 3's digest). */
export const otherRows = (producer: string, epoch: number): Error =>
  new NondeterministicReplayError(
    `producer ${producer} sent other rows of epoch ${epoch} than before: a user function or source does not give the same rows again`,
  );

export class Inbox {
  readonly #epochs = new Map<number, EpochRows>();
  #ended: number;
  #next: number;
  /** Frames that were dropped because their rows were there already. */
  duplicates = 0;

  /** `ended`: the newest epoch whose rows are all in the store; `next`: the first mailbox position to read. */
  constructor(ended: number, next: number) {
    this.#ended = ended;
    this.#next = next;
  }

  get next(): number {
    return this.#next;
  }

  /** Takes the frame read at `position`. Returns whether anything of it counted. */
  accept(position: number, frame: Frame): boolean {
    this.#next = position + 1;
    const h = frame.header;
    if (h.epoch <= this.#ended) return this.#drop();
    const producer = producerOf(h);
    const rows = this.#epochs.get(h.epoch);
    const have = rows?.counts.get(producer) ?? 0;
    const end = h.firstRow + h.rows;
    if (h.firstRow > have) return this.#drop();
    if (rows?.done.has(producer)) {
      if (end > have || (h.last && end !== have)) throw this.#nondeterministic(producer, h.epoch, have, end);
      if (h.digest !== undefined && (rows.digests[producer] ?? h.digest) !== h.digest)
        throw otherRows(producer, h.epoch);
      return this.#drop();
    }
    if (h.last && end < have) throw this.#nondeterministic(producer, h.epoch, have, end);
    if (end <= have && !h.last) return this.#drop();
    this.#take(rows ?? this.#begin(h.epoch, position), producer, frame, have, end);
    return true;
  }

  #begin(epoch: number, position: number): EpochRows {
    const rows: EpochRows = { counts: new Map(), done: new Set(), digests: {}, rows: [], first: position };
    this.#epochs.set(epoch, rows);
    return rows;
  }

  #take(rows: EpochRows, producer: string, frame: Frame, have: number, end: number): void {
    if (end > have && frame.batch !== undefined)
      rows.rows.push({
        edge: frame.header.edge,
        split: "",
        batch: slice(frame.batch, have - frame.header.firstRow),
      });
    rows.counts.set(producer, end);
    if (!frame.header.last) return;
    rows.done.add(producer);
    if (frame.header.digest !== undefined) rows.digests[producer] = frame.header.digest;
  }

  #drop(): false {
    this.duplicates++;
    return false;
  }

  #nondeterministic(producer: string, epoch: number, have: number, end: number): Error {
    return new NondeterministicReplayError(
      `producer ${producer} sent ${end} rows of epoch ${epoch} where it had sent ${have} before: a user function or source does not give the same rows again`,
    );
  }

  /** Rows of `epoch` accepted since the last call, in mailbox order. */
  take(epoch: number): readonly AcceptedRows[] {
    const rows = this.#epochs.get(epoch);
    if (rows === undefined || rows.rows.length === 0) return [];
    const out = rows.rows;
    rows.rows = [];
    return out;
  }

  /** Whether every one of `producers` has sent its `last` of `epoch`. */
  complete(epoch: number, producers: readonly string[]): boolean {
    const done = this.#epochs.get(epoch)?.done;
    return producers.every((p) => done?.has(p) === true);
  }

  /** The epoch's rows are processed: what still comes of it is dropped. Returns the digests that its `last`s carried. */
  end(epoch: number): Digests {
    const digests = this.#epochs.get(epoch)?.digests ?? {};
    this.#epochs.delete(epoch);
    this.#ended = epoch;
    return digests;
  }

  /** Where to read from after a crash (I3). Valid for the state after the newest ended epoch. */
  resume(): number {
    let at = this.#next;
    for (const rows of this.#epochs.values()) at = Math.min(at, rows.first);
    return at;
  }
}
