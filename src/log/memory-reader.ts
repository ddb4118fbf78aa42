/** Reads a log in memory. Records are seen only through the store's scheduler. */
import { READ_BATCH_BYTES } from "../core/limits.ts";
import type { LogRecord, Reader } from "./log.ts";
import type { MemoryLog } from "./memory-log.ts";
import { gap } from "./refusals.ts";

export class MemoryReader implements Reader {
  readonly #log: MemoryLog;
  #next: number;
  #closed = false;
  /** Ends the wait of the call of `next` that is running. */
  #wake: (() => void) | undefined;
  #opened = false;

  constructor(log: MemoryLog, from: number) {
    this.#log = log;
    this.#next = from;
  }

  async next(): Promise<readonly LogRecord[]> {
    const { content, store } = this.#log;
    for (;;) {
      await new Promise<void>((resolve) => store.schedule(resolve));
      if (this.#closed) return [];
      const found = this.#take();
      if (found.length > 0) return found;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          content.watchers.delete(wake);
          this.#wake = undefined;
          resolve();
        };
        this.#wake = wake;
        content.watchers.add(wake);
      });
    }
  }

  #take(): LogRecord[] {
    const { content, name } = this.#log;
    this.#log.alive();
    if (this.#next < content.first || (!this.#opened && this.#next > content.last + 1))
      throw gap(name, this.#next, content.first, content.last);
    this.#opened = true;
    const found: LogRecord[] = [];
    for (let bytes = 0; this.#next <= content.last && bytes < READ_BATCH_BYTES; this.#next++) {
      const record = content.get(this.#next)!;
      bytes += record.payload.length;
      found.push(record);
    }
    return found;
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }
}
