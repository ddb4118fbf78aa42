/** Log, publisher and reader over a served store. */
import { position, type Position } from "../core/brands.ts";
import { sleep } from "../core/clock.ts";
import { UnavailableError } from "../core/errors.ts";
import type { Log, LogBounds, LogRecord, Publisher, Reader } from "./log.ts";
import { PublishWindow } from "./publish-window.ts";
import { badPosition } from "./refusals.ts";
import type { ServedStore } from "./served-client.ts";
import type { WireRecord } from "./served-wire.ts";

const recordOf = ([at, payload, headers]: WireRecord): LogRecord => ({
  position: position(at),
  payload,
  headers: headers === null ? undefined : Object.fromEntries(headers),
});

const pairs = (headers: Record<string, string> | undefined): [string, string][] | null =>
  headers === undefined ? null : Object.entries(headers);

export class ServedLog implements Log {
  readonly name: string;
  readonly created: string;
  readonly #store: ServedStore;

  constructor(store: ServedStore, name: string, created: string) {
    this.#store = store;
    this.name = name;
    this.created = created;
  }

  publisher(): Publisher {
    return new ServedPublisher(this.#store, this);
  }

  async append(
    payload: Uint8Array,
    options: { expectLast?: Position; headers?: Record<string, string> } = {},
  ): Promise<Position> {
    const { name, created } = this;
    const at = await this.#store.call(
      "append",
      name,
      created,
      payload,
      pairs(options.headers),
      options.expectLast ?? null,
    );
    return position(at as number);
  }

  reader(from: Position): Reader {
    if (!Number.isSafeInteger(from) || from < 1) throw badPosition(this.name, from);
    return new ServedReader(this.#store, this, from);
  }

  async get(at: Position): Promise<LogRecord | undefined> {
    const r = (await this.#ask("get", at)) as WireRecord | null;
    return r === null ? undefined : recordOf(r);
  }

  async bounds(): Promise<LogBounds> {
    const [first, last, bytes, maxBytes] = (await this.#ask("bounds")) as [number, number, number, number];
    return { first: position(first), last: position(last), created: this.created, bytes, maxBytes };
  }

  async trim(to: Position): Promise<void> {
    await this.#ask("trim", to);
  }

  async setMaxBytes(maxBytes: number): Promise<void> {
    await this.#ask("setMaxBytes", maxBytes);
  }

  #ask(operation: string, ...args: readonly unknown[]): Promise<unknown> {
    return this.#store.patiently(operation, this.name, this.created, ...args);
  }
}

const storeOne = async (
  store: ServedStore,
  log: ServedLog,
  payload: Uint8Array,
  headers: Record<string, string> | undefined,
  done: (error?: unknown) => void,
): Promise<void> => {
  let error: unknown;
  try {
    await store.call("append", log.name, log.created, payload, pairs(headers), null);
  } catch (e) {
    error = e;
  }
  done(error);
};

class ServedPublisher extends PublishWindow {
  readonly #unwatch: () => void;

  constructor(store: ServedStore, log: ServedLog) {
    super(
      {
        attempt: ({ payload, headers }, done) => void storeOne(store, log, payload, headers, done),
      },
      store.clock,
    );
    this.#unwatch = store.watch((connected) => (connected ? this.retryNow() : this.interrupt()));
  }

  override close(): void {
    this.#unwatch();
    super.close();
  }
}

let readers = 0;

const RETRY_MS = 20;

class ServedReader implements Reader {
  readonly #store: ServedStore;
  readonly #log: ServedLog;
  #id = 0;
  #next: number;
  #closed = false;
  /** The request that runs ahead of its taker. */
  #ahead: Promise<readonly WireRecord[]> | undefined;
  #end!: () => void;
  readonly #ended: Promise<readonly WireRecord[]>;

  constructor(store: ServedStore, log: ServedLog, from: number) {
    this.#store = store;
    this.#log = log;
    this.#next = from;
    this.#ended = new Promise((resolve) => (this.#end = () => resolve([])));
  }

  async next(): Promise<readonly LogRecord[]> {
    while (!this.#closed) {
      try {
        const got = await Promise.race([(this.#ahead ??= this.#ask()), this.#ended]);
        this.#ahead = undefined;
        if (this.#closed) return [];
        this.#next += got.length;
        // Asked for before it is wanted: the server's answer travels while this one is worked on.
        if (got.length > 0) (this.#ahead = this.#ask()).catch(() => {});
        if (got.length > 0) return got.map(recordOf);
      } catch (e) {
        this.#ahead = undefined;
        this.#id = 0;
        if (!(e instanceof UnavailableError) || this.#store.closed) throw e;
        await sleep(this.#store.clock, RETRY_MS);
      }
    }
    return [];
  }

  async #ask(): Promise<readonly WireRecord[]> {
    const store = this.#store;
    if (this.#id === 0) {
      const id = ++readers;
      await store.call("read", this.#log.name, this.#log.created, id, this.#next);
      this.#id = id;
    }
    return (await store.call("next", this.#id)) as WireRecord[];
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#end();
    if (this.#id !== 0) this.#store.call("end", this.#id).catch(() => {});
  }
}
