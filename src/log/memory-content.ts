/** The content of one log in memory; it outlives everybody who opened it. */
import { position } from "../core/brands.ts";
import type { LogRecord } from "./log.ts";

/** Bookkeeping bytes a record counts beside its payload, as a broker does. */
const RECORD_BYTES = 32;

const sizeOf = (payload: Uint8Array): number => payload.length + RECORD_BYTES;

export class MemoryContent {
  readonly created: string;
  maxBytes: number;
  first = 1;
  last = 0;
  bytes = 0;
  removed = false;
  readonly #records = new Map<number, LogRecord>();
  /** Called when a record came or the log was removed. */
  readonly watchers = new Set<() => void>();

  constructor(created: string, maxBytes: number) {
    this.created = created;
    this.maxBytes = maxBytes;
  }

  get(at: number): LogRecord | undefined {
    return this.#records.get(at);
  }

  /** False when the record does not fit below `maxBytes`. */
  add(payload: Uint8Array, headers: Record<string, string> | undefined): boolean {
    if (this.bytes + sizeOf(payload) > this.maxBytes) return false;
    this.bytes += sizeOf(payload);
    this.last++;
    this.#records.set(this.last, { position: position(this.last), payload, headers });
    this.wake();
    return true;
  }

  trim(to: number): void {
    const end = Math.min(to, this.last + 1);
    for (; this.first < end; this.first++) {
      this.bytes -= sizeOf(this.#records.get(this.first)!.payload);
      this.#records.delete(this.first);
    }
  }

  remove(): void {
    this.removed = true;
    this.wake();
  }

  wake(): void {
    for (const w of [...this.watchers]) w();
  }
}
