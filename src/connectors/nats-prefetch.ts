/**
 * One stream read ahead of the plan, bounded in bytes: the reading side asks for sequences in order and normally finds them here.
 *
 * P1 Messages are handed out in sequence order, each at most once; a jump back starts another prefetch. P2 Not more than `bytesMax` wait (one
 *    response more at most): behind that the broker's own flow control holds. P3 A failure is kept and given to who reads next. P4 What is there is
 *    told when the first of it comes, and told again when some of it is taken: not with every response, while the plan still has what was told, and
 *    never below what is planned, as far as that was asked for.
 */
import type { NatsBlock, NatsBlockReader } from "../log/nats-access.ts";

/** Messages `first` to `end` (exclusive) of a block. */
export interface NatsRun {
  readonly memory: NatsBlock;
  readonly first: number;
  readonly end: number;
}

export class Prefetch {
  readonly #reader: NatsBlockReader;
  readonly #bytesMax: number;
  readonly #onAvailable: (nextSequence: number) => void;
  #waiting: NatsBlock[] = [];
  /** The next block of `#waiting`, and the next message of that. */
  #head = 0;
  #message = 0;
  #bytes = 0;
  /** The sequence behind the newest message, and the last one that was told. */
  #known = 0;
  #told = 0;
  /** The end of what was asked for. */
  #planned = 0;
  #failure: { readonly error: unknown } | undefined;
  #closed = false;
  #wakeReader: (() => void) | undefined;
  #wakeLoop: (() => void) | undefined;

  constructor(reader: NatsBlockReader, bytesMax: number, onAvailable: (nextSequence: number) => void) {
    this.#reader = reader;
    this.#bytesMax = bytesMax;
    this.#onAvailable = onAvailable;
    void this.#loop();
  }

  async #loop(): Promise<void> {
    try {
      while (!this.#closed) {
        const blocks = await this.#reader.next();
        if (this.#closed || blocks.length === 0) break;
        const idle = this.#head === this.#waiting.length;
        if (this.#head > 0) {
          this.#waiting = this.#waiting.slice(this.#head);
          this.#head = 0;
        }
        for (const block of blocks) {
          this.#waiting.push(block);
          this.#bytes += payloadBytes(block, 0, block.length);
        }
        const last = blocks.at(-1)!;
        this.#known = last.sequence(last.length - 1) + 1;
        this.#wakeReader?.();
        if (idle) this.#tell();
        while (this.#bytes > this.#bytesMax && !this.#closed)
          await new Promise<void>((resolve) => (this.#wakeLoop = resolve));
      }
    } catch (error) {
      this.#failure = { error };
    }
    this.#closed = true;
    this.#wakeReader?.();
  }

  #tell(): void {
    if (this.#known === this.#told || this.#known <= this.#planned) return;
    this.#told = this.#known;
    this.#onAvailable(this.#known);
  }

  /**
   * The messages below `end` that are here, at most `bytes` of payload (one message at least) and `messages`; [] when none is here and the next
   * one is at or behind `end` or not here. `passed` tells which.
   */
  take(end: number, bytes: number, messages: number): NatsRun[] {
    const runs: NatsRun[] = [];
    let [size, count] = [0, 0];
    this.#planned = Math.max(this.#planned, end);
    while (this.#head < this.#waiting.length && size < bytes && count < messages) {
      const memory = this.#waiting[this.#head]!;
      const first = this.#message;
      let i = first;
      for (; i < memory.length && size < bytes && count < messages; i++, count++) {
        if (memory.sequence(i) >= end) break;
        size += memory.to(i) - memory.from(i);
      }
      if (i > first) runs.push({ memory, first, end: i });
      this.#message = i;
      if (i < memory.length) break;
      this.#head++;
      this.#message = 0;
    }
    this.#bytes -= size;
    if (size > 0 || this.#bytes <= this.#bytesMax) this.#wakeLoop?.();
    if (this.#head === this.#waiting.length) {
      this.#waiting = [];
      this.#head = 0;
    }
    if (count > 0) this.#tell();
    return runs;
  }

  /** Whether a message at or behind `end` waits: everything below has been given. */
  passed(end: number): boolean {
    const next = this.#waiting[this.#head];
    return next !== undefined && next.sequence(this.#message) >= end;
  }

  /** Resolves when there may be more to take. Rejects with what ended the reading. */
  async more(): Promise<void> {
    if (this.#arrived()) return;
    if (this.#closed) return;
    await new Promise<void>((resolve) => (this.#wakeReader = resolve));
    this.#wakeReader = undefined;
    this.#arrived();
  }

  /** Whether messages wait. Throws what ended the reading when none does. */
  #arrived(): boolean {
    if (this.#head < this.#waiting.length) return true;
    if (this.#failure !== undefined) throw this.#failure.error;
    return false;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** The sequence behind the newest message that is here; 0 before the first. */
  get known(): number {
    return this.#known;
  }

  close(): void {
    this.#closed = true;
    this.#reader.close();
    this.#wakeLoop?.();
    this.#wakeReader?.();
  }
}

const payloadBytes = (block: NatsBlock, first: number, end: number): number => {
  let bytes = 0;
  for (let i = first; i < end; i++) bytes += block.to(i) - block.from(i);
  return bytes;
};
