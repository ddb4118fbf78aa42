/**
 * One stream read ahead of the plan, bounded in bytes: the reading side asks for sequences in order and normally finds them here.
 *
 * P1 Records are handed out in sequence order, each at most once; a jump back starts another prefetch. P2 Not more than `bytesMax` wait (one
 *    response more at most): behind that the broker's own flow control holds. P3 A failure is kept and given to who reads next.
 */
import type { NatsReader, NatsRecord } from "../log/nats-access.ts";

export class Prefetch {
  readonly #reader: NatsReader;
  readonly #bytesMax: number;
  readonly #onAvailable: (nextSequence: number) => void;
  #waiting: NatsRecord[] = [];
  #head = 0;
  #bytes = 0;
  #failure: { readonly error: unknown } | undefined;
  #closed = false;
  #wakeReader: (() => void) | undefined;
  #wakeLoop: (() => void) | undefined;

  constructor(reader: NatsReader, bytesMax: number, onAvailable: (nextSequence: number) => void) {
    this.#reader = reader;
    this.#bytesMax = bytesMax;
    this.#onAvailable = onAvailable;
    void this.#loop();
  }

  async #loop(): Promise<void> {
    try {
      while (!this.#closed) {
        const records = await this.#reader.next();
        if (this.#closed || records.length === 0) break;
        if (this.#head > 0) {
          this.#waiting = this.#waiting.slice(this.#head);
          this.#head = 0;
        }
        for (const record of records) {
          this.#waiting.push(record);
          this.#bytes += record.payload.length;
        }
        this.#wakeReader?.();
        this.#onAvailable(records.at(-1)!.sequence + 1);
        while (this.#bytes > this.#bytesMax && !this.#closed)
          await new Promise<void>((resolve) => (this.#wakeLoop = resolve));
      }
    } catch (error) {
      this.#failure = { error };
    }
    this.#closed = true;
    this.#wakeReader?.();
  }

  /**
   * The records below `end` that are here, at most `bytes` of them (one at least); [] when none is here and the next one is at or behind
   * `end` or not here. `passed` tells which.
   */
  take(end: number, bytes: number): NatsRecord[] {
    const from = this.#head;
    let size = 0;
    while (this.#head < this.#waiting.length && size < bytes) {
      const record = this.#waiting[this.#head]!;
      if (record.sequence >= end) break;
      size += record.payload.length;
      this.#head++;
    }
    this.#bytes -= size;
    if (size > 0 || this.#bytes <= this.#bytesMax) this.#wakeLoop?.();
    const taken = this.#waiting.slice(from, this.#head);
    if (this.#head === this.#waiting.length) {
      this.#waiting = [];
      this.#head = 0;
    }
    return taken;
  }

  /** Whether a record at or behind `end` waits: everything below has been given. */
  passed(end: number): boolean {
    const next = this.#waiting[this.#head];
    return next !== undefined && next.sequence >= end;
  }

  /** Resolves when there may be more to take. Rejects with what ended the reading. */
  async more(): Promise<void> {
    if (this.#arrived()) return;
    if (this.#closed) return;
    await new Promise<void>((resolve) => (this.#wakeReader = resolve));
    this.#wakeReader = undefined;
    this.#arrived();
  }

  /** Whether records wait. Throws what ended the reading when none does. */
  #arrived(): boolean {
    if (this.#head < this.#waiting.length) return true;
    if (this.#failure !== undefined) throw this.#failure.error;
    return false;
  }

  get closed(): boolean {
    return this.#closed;
  }

  close(): void {
    this.#closed = true;
    this.#reader.close();
    this.#wakeLoop?.();
    this.#wakeReader?.();
  }
}
