/**
 * Logs in memory, for tests and the simulation: everything that a broker does later goes through one `schedule` function,
 * so that a seeded scheduler decides when an append arrives, is acknowledged, and is seen by readers. The store object is the broker's disk:
 * nodes and actors die around it.
 *
 * Invariants (beside L1-L4).
 *  M1 attempts of one publisher arrive in the order they were made, and so do their answers (one connection); attempts of different writers
 *     arrive in any order the scheduler likes.
 *  M2 an attempt made before its publisher was closed may still arrive: a zombie's bytes on the wire.
 */
import { position, type Position } from "../core/brands.ts";
import type { Clock } from "../core/clock.ts";
import { UnavailableError } from "../core/errors.ts";
import { MAILBOX_BYTES_MAX } from "../core/limits.ts";
import { LocalBus, type Schedule } from "./local-bus.ts";
import type { Bus, Log, LogBounds, LogOptions, LogRecord, LogStore, Publisher, Reader } from "./log.ts";
import { MemoryContent } from "./memory-content.ts";
import { MemoryReader } from "./memory-reader.ts";
import { decide, type MemoryFaults, Wire } from "./memory-wire.ts";
import { checkLogName } from "./names.ts";
import { PublishWindow } from "./publish-window.ts";
import { badPosition, conflict, full, recreated } from "./refusals.ts";

export interface MemoryOptions {
  /** Runs `f` later. Default: queueMicrotask. */
  readonly schedule?: Schedule;
  /** For retries and silence. */
  readonly clock: Clock;
  readonly faults?: MemoryFaults;
}

export class MemoryStore implements LogStore {
  readonly kind = "memory";
  readonly bus: Bus;
  readonly schedule: Schedule;
  readonly clock: Clock;
  faults: MemoryFaults;
  readonly #contents = new Map<string, MemoryContent>();
  #creations = 0;
  #held: ((stored: boolean) => void)[] = [];

  constructor(options: MemoryOptions) {
    this.schedule = options.schedule ?? queueMicrotask;
    this.clock = options.clock;
    this.faults = options.faults ?? {};
    this.bus = new LocalBus(this.schedule);
  }

  async open(name: string, options: LogOptions = {}): Promise<Log> {
    checkLogName(name);
    await this.#later();
    let content = this.#contents.get(name);
    if (content === undefined) {
      content = new MemoryContent(`memory-${++this.#creations}`, options.maxBytes ?? MAILBOX_BYTES_MAX);
      this.#contents.set(name, content);
    }
    return new MemoryLog(this, name, content);
  }

  async list(prefix: string): Promise<readonly string[]> {
    await this.#later();
    return [...this.#contents.keys()].filter((n) => n.startsWith(prefix)).sort();
  }

  async remove(name: string): Promise<void> {
    await this.#later();
    const content = this.#contents.get(name);
    if (content === undefined) return;
    this.#contents.delete(name);
    content.remove();
  }

  async close(): Promise<void> {}

  /** Lets every held attempt go on (`true`: stored; `false`: lost). */
  release(store = true): void {
    const held = this.#held;
    this.#held = [];
    for (const go of held) this.schedule(() => go(store));
  }

  /** How many attempts are held. */
  get held(): number {
    return this.#held.length;
  }

  hold(go: (stored: boolean) => void): void {
    this.#held.push(go);
  }

  /** The content now under this name. */
  current(name: string): MemoryContent | undefined {
    return this.#contents.get(name);
  }

  #later(): Promise<void> {
    return new Promise((resolve) => this.schedule(resolve));
  }
}

export class MemoryLog implements Log {
  readonly store: MemoryStore;
  readonly name: string;
  readonly created: string;
  readonly content: MemoryContent;

  constructor(store: MemoryStore, name: string, content: MemoryContent) {
    this.store = store;
    this.name = name;
    this.content = content;
    this.created = content.created;
  }

  /** Stores at once; throws what the broker would answer. */
  storeNow(payload: Uint8Array, headers: Record<string, string> | undefined, expectLast?: number): number {
    const c = this.content;
    this.alive();
    if (expectLast !== undefined && expectLast !== c.last) throw conflict(this.name, expectLast, c.last);
    if (!c.add(payload, headers)) throw full(this.name, c.maxBytes);
    return c.last;
  }

  /** Throws LogRecreatedError once the log was removed. */
  alive(): void {
    if (this.content.removed)
      throw recreated(this.name, this.created, this.store.current(this.name)?.created);
  }

  publisher(): Publisher {
    return new PublishWindow(new Wire(this), this.store.clock);
  }

  /** A lost answer is an UnavailableError at once: the caller's timeout, without the wait. */
  append(
    payload: Uint8Array,
    options: { expectLast?: Position; headers?: Record<string, string> } = {},
  ): Promise<Position> {
    return new Promise((resolve, reject) => {
      const lost = new UnavailableError(`Log ${this.name}: no answer from the broker`);
      this.store.schedule(() => {
        decide(this, payload, options.headers, options.expectLast, (heard, error, at) => {
          this.store.schedule(() => {
            if (heard && error === undefined) resolve(position(at!));
            else reject(heard ? (error as Error) : lost);
          });
        });
      });
    });
  }

  reader(from: Position): Reader {
    if (!Number.isSafeInteger(from) || from < 1) throw badPosition(this.name, from);
    return new MemoryReader(this, from);
  }

  async get(at: Position): Promise<LogRecord | undefined> {
    await this.#later();
    this.alive();
    return this.content.get(at);
  }

  async bounds(): Promise<LogBounds> {
    await this.#later();
    this.alive();
    const { first, last, bytes, maxBytes } = this.content;
    return { first: position(first), last: position(last), created: this.created, bytes, maxBytes };
  }

  async trim(to: Position): Promise<void> {
    await this.#later();
    this.alive();
    this.content.trim(to);
  }

  async setMaxBytes(maxBytes: number): Promise<void> {
    await this.#later();
    this.alive();
    this.content.maxBytes = maxBytes;
  }

  #later(): Promise<void> {
    return new Promise((resolve) => this.store.schedule(resolve));
  }
}
