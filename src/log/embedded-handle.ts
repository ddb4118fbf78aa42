/** Log, publisher and reader over the embedded store. */
import { position, type Position } from "../core/brands.ts";
import type { EmbeddedContent } from "./embedded-content.ts";
import type { EmbeddedStore } from "./embedded-log.ts";
import type { Log, LogBounds, LogRecord, Publisher, Reader } from "./log.ts";
import { PublishWindow } from "./publish-window.ts";
import { badPosition, gap } from "./refusals.ts";

export class EmbeddedLog implements Log {
  readonly name: string;
  readonly created: string;
  readonly #store: EmbeddedStore;
  readonly #content: EmbeddedContent;

  constructor(store: EmbeddedStore, content: EmbeddedContent) {
    this.#store = store;
    this.#content = content;
    this.name = content.name;
    this.created = content.created;
  }

  publisher(): Publisher {
    const content = this.#content;
    return new PublishWindow(
      {
        attempt: ({ payload, headers }, done) =>
          this.#store.append({ content, payload, headers, expectLast: undefined, done }),
      },
      this.#store.clock,
    );
  }

  append(
    payload: Uint8Array,
    options: { expectLast?: Position; headers?: Record<string, string> } = {},
  ): Promise<Position> {
    return new Promise((resolve, reject) => {
      this.#store.append({
        content: this.#content,
        payload,
        headers: options.headers,
        expectLast: options.expectLast,
        done: (error, at) => (error === undefined ? resolve(position(at!)) : reject(error as Error)),
      });
    });
  }

  reader(from: Position): Reader {
    if (!Number.isSafeInteger(from) || from < 1) throw badPosition(this.name, from);
    return new EmbeddedReader(this.#store, this.#content, from);
  }

  async get(at: Position): Promise<LogRecord | undefined> {
    this.#store.alive(this.#content);
    return this.#store.record(this.#content, at);
  }

  async bounds(): Promise<LogBounds> {
    this.#store.alive(this.#content);
    const { first, last, bytes, created, maxBytes } = this.#content;
    return { first: position(first), last: position(last), created, bytes, maxBytes };
  }

  async trim(to: Position): Promise<void> {
    this.#store.alive(this.#content);
    await this.#store.trim(this.#content, to);
  }

  async setMaxBytes(maxBytes: number): Promise<void> {
    this.#store.alive(this.#content);
    await this.#store.setMaxBytes(this.#content, maxBytes);
  }
}

class EmbeddedReader implements Reader {
  readonly #store: EmbeddedStore;
  readonly #content: EmbeddedContent;
  #next: number;
  #opened = false;
  #closed = false;
  #wake: (() => void) | undefined;

  constructor(store: EmbeddedStore, content: EmbeddedContent, from: number) {
    this.#store = store;
    this.#content = content;
    this.#next = from;
  }

  async next(): Promise<readonly LogRecord[]> {
    // Later, as over a network: a caller's loop never runs on the writer's stack.
    await Promise.resolve();
    for (;;) {
      if (this.#closed) return [];
      const found = await this.#take();
      if (found.length > 0) return this.#closed ? [] : found;
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.#content.watchers.delete(wake);
          this.#wake = undefined;
          resolve();
        };
        this.#wake = wake;
        this.#content.watchers.add(wake);
      });
    }
  }

  async #take(): Promise<readonly LogRecord[]> {
    const c = this.#content;
    if (this.#store.closed) this.close();
    if (this.#closed) return [];
    this.#store.alive(c);
    if (this.#next < c.first || (!this.#opened && this.#next > c.last + 1))
      throw gap(c.name, this.#next, c.first, c.last);
    this.#opened = true;
    if (this.#next > c.last) return [];
    const found = c.tail(this.#next) ?? (await this.#store.scan(c, this.#next));
    // Trimmed while the scan ran: nothing is found, or it begins behind the wanted position.
    if (found[0]?.position !== this.#next) throw gap(c.name, this.#next, c.first, c.last);
    this.#next += found.length;
    return found;
  }

  close(): void {
    this.#closed = true;
    this.#wake?.();
  }
}
