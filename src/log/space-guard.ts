/**
 * A margin below `max_bytes`. Servers of 2.9 compare only a message's payload with the room that is left, but count the record's head and its subject when it
 * is stored: whatever fits the one and not the other is taken, and the OLDEST messages are dropped for it although the stream discards new ones (measured on
 * 2.9.10: a stream of 100 kB took 3,000 messages of 101 bytes and kept the last 729; servers from 2.10.5 on refuse rightly). So writers refuse by themselves before that.
 *
 *  G1 a writer stores no more than its allowance without a new look at the stream; an allowance is a share of the room, so that all writers
 *     together stay below the limit.
 *  G2 what does not fit below the margin is refused as the server would: LogFullError with the limit.
 */
/** Head of a stored record: length, sequence, time, subject length, checksum; and the length of the headers. */
const RECORD_BYTES = 34;
const MARGIN_SHARE = 16;
const MARGIN_BYTES_MAX = 1024 * 1024;
/** At most this share of the room, and as many bytes, until the next look; with many writers half of it for all of them. */
const ALLOWANCE_SHARE = 8;
const ALLOWANCE_BYTES_MAX = 4 * 1024 * 1024;

/** A stream as it was just seen; `maxBytes` below 0: without a limit. */
export interface StreamSpace {
  readonly bytes: number;
  readonly maxBytes: number;
}

/** Bytes that a stream with this limit never holds. */
export const marginOf = (maxBytes: number): number =>
  Math.min(Math.floor(maxBytes / MARGIN_SHARE), MARGIN_BYTES_MAX);

export class SpaceGuard {
  readonly #look: () => Promise<StreamSpace>;
  readonly #share: number;
  #maxBytes = -1;
  #room = Infinity;
  #allowance = 0;

  /** `writers`: how many write beside each other. */
  constructor(seen: StreamSpace, look: () => Promise<StreamSpace>, writers = 1) {
    this.#look = look;
    this.#share = 1 / Math.max(ALLOWANCE_SHARE, 2 * writers);
    this.take(seen);
  }

  /** The limit as the stream last had it; below 0: none. */
  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** What the stream was just seen to be. */
  take({ bytes, maxBytes }: StreamSpace): void {
    this.#maxBytes = maxBytes;
    this.#room = maxBytes < 0 ? Infinity : maxBytes - marginOf(maxBytes) - bytes;
    this.#allowance = Math.min(this.#room * this.#share, ALLOWANCE_BYTES_MAX);
  }

  /** Whether a message may be stored, as far as is known without asking; undefined: `ask` must say. */
  admits(bytes: number): true | undefined {
    if (this.#room === Infinity) return true;
    const cost = bytes + RECORD_BYTES;
    if (cost > this.#allowance) return undefined;
    this.#allowance -= cost;
    this.#room -= cost;
    return true;
  }

  /** Looks at the stream. False: it is full. Rejects with what the look met. */
  async ask(bytes: number): Promise<boolean> {
    this.take(await this.#look());
    const cost = bytes + RECORD_BYTES;
    if (cost > this.#room) return false;
    this.#allowance = Math.max(0, this.#allowance - cost);
    this.#room -= cost;
    return true;
  }
}
