/**
 * A node's own view of the store: what makes a zombie in a test. A blind node goes on writing and reading as it did, but hears neither of leases nor of
 * assignments any more, so it does not know that others took over its actors.
 */
import { type NatsAccess, natsOf } from "../log/nats-access.ts";
import type { Log, LogRecord, LogStore, Reader } from "../log/log.ts";

const BLIND_TO = /\.(assign|leases)$/;

class BlindableReader implements Reader {
  readonly #inner: Reader;
  readonly #view: NodeView;
  #end: (() => void) | undefined;
  readonly #closed: Promise<readonly LogRecord[]>;

  constructor(inner: Reader, view: NodeView) {
    this.#inner = inner;
    this.#view = view;
    this.#closed = new Promise((resolve) => (this.#end = (): void => resolve([])));
  }

  async next(): Promise<readonly LogRecord[]> {
    const records = await this.#inner.next();
    return this.#view.blind ? this.#closed : records;
  }

  close(): void {
    this.#inner.close();
    this.#end?.();
  }
}

export class NodeView implements LogStore {
  readonly #store: LogStore;
  blind = false;

  constructor(store: LogStore) {
    this.#store = store;
  }

  get kind(): LogStore["kind"] {
    return this.#store.kind;
  }

  get bus(): LogStore["bus"] {
    return this.#store.bus;
  }

  /** The broker behind it, for NATS connectors (`natsOf`). */
  get nats(): NatsAccess | undefined {
    return natsOf(this.#store);
  }

  async open(...args: Parameters<LogStore["open"]>): Promise<Log> {
    const log = await this.#store.open(...args);
    if (!BLIND_TO.test(log.name)) return log;
    const reader = log.reader.bind(log);
    log.reader = (from): Reader => new BlindableReader(reader(from), this);
    return log;
  }

  list(prefix: string): Promise<readonly string[]> {
    return this.#store.list(prefix);
  }

  remove(name: string): Promise<void> {
    return this.#store.remove(name);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
