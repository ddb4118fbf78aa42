/**
 * The go-back-N publisher of every log (law 4): one writer, one log, records kept until they and all before them are
 * acknowledged. The transport only makes attempts; order, windows, retries and failures are decided here.
 *
 * Invariants.
 *  P1 attempts are made in order; after a refusal or silence the first unacknowledged record and everything after it are sent
 *     again, acknowledged or not, and only acknowledgements of that round count.
 *  P2 a record is forgotten once it and all before it are acknowledged in the current round.
 *  P3 at most PUBLISH_WINDOW_BYTES and PUBLISH_WINDOW_RECORDS (or as many records as were asked for) are in flight; one record may be larger than the window alone.
 *  P4 an error whose decision is `fail` ends the publisher: `delivered` and `send` reject with it from then on.
 */
import type { Clock } from "../core/clock.ts";
import { LogFullError, MillraceError, UnavailableError } from "../core/errors.ts";
import { PUBLISH_SILENCE_MS, PUBLISH_WINDOW_BYTES, PUBLISH_WINDOW_RECORDS } from "../core/limits.ts";
import type { Publisher } from "./log.ts";

/** What is sent; transports may need more of it than its size. */
export interface Sendable {
  readonly payload: Uint8Array;
}

export interface PublishTransport<M extends Sendable = PlainRecord> {
  /** Sends one record. `done` is called at most once: without an error when it is stored; never when the answer is lost. */
  attempt(message: M, done: (error?: unknown) => void): void;
  /** The round was given up: answers of earlier attempts need not be delivered any more. */
  reset?(): void;
  close?(): void;
}

export interface PlainRecord extends Sendable {
  readonly headers: Record<string, string> | undefined;
}

interface Pending<M> {
  readonly message: M;
  readonly bytes: number;
  stored: boolean;
}

const RETRY_MS = 25;
const RETRY_MAX_MS = 1_000;

export class GoBackWindow<M extends Sendable> {
  readonly #transport: PublishTransport<M>;
  readonly #clock: Clock;
  readonly #records: number;
  /** Records from the first unacknowledged on; `#head` is its index, what lies below is forgotten. */
  #queue: (Pending<M> | undefined)[] = [];
  #head = 0;
  /** Index of the next record to attempt in this round. */
  #next = 0;
  #flyingBytes = 0;
  #round = 0;
  #failures = 0;
  #failed: unknown;
  #closed = false;
  #waiting = false;
  /** The window was full: it is filled again when half of it is answered, with few large writes instead of one per answer. */
  #full = false;
  #roomWaiters: { resolve: () => void; reject: (e: unknown) => void }[] = [];
  /** `until`: how many records from the beginning on must be acknowledged. */
  #deliveredWaiters: { until: number; resolve: () => void; reject: (e: unknown) => void }[] = [];
  /** Records acknowledged and forgotten since the beginning. */
  #acknowledged = 0;
  #onFull: ((limit: string, oldest: Uint8Array) => void) | undefined;
  #heardAt = 0;
  #cancelTimer: (() => void) | undefined;

  constructor(transport: PublishTransport<M>, clock: Clock, records = PUBLISH_WINDOW_RECORDS) {
    this.#transport = transport;
    this.#clock = clock;
    this.#records = records;
  }

  /** As `Publisher.send`. */
  offer(message: M): Promise<void> | undefined {
    if (this.#closed || this.#failed !== undefined) return Promise.reject(this.#ended());
    this.#queue.push({ message, bytes: message.payload.length, stored: false });
    this.#pump();
    if (this.#next === this.#queue.length) return undefined;
    return new Promise((resolve, reject) => this.#roomWaiters.push({ resolve, reject }));
  }

  delivered(): Promise<void> {
    if (this.#failed !== undefined || (this.#closed && this.#head < this.#queue.length))
      return Promise.reject(this.#ended());
    if (this.#head === this.#queue.length) return Promise.resolve();
    // What is sent later does not count: it may have to wait for this (a full log, law 8).
    const until = this.#acknowledged + this.#queue.length - this.#head;
    return new Promise((resolve, reject) => this.#deliveredWaiters.push({ until, resolve, reject }));
  }

  onFull(handler: (limit: string, oldest: Uint8Array) => void): void {
    this.#onFull = handler;
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#end();
  }

  /** The transport lost its connection: every attempt in flight is in doubt. */
  interrupt(): void {
    if (this.#next > this.#head && !this.#waiting && this.#failed === undefined && !this.#closed)
      this.#goBack(new UnavailableError("The connection was lost"));
  }

  /** The connection is back: no reason to wait longer. */
  retryNow(): void {
    if (!this.#waiting) return;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#failures = 0;
    this.#waiting = false;
    this.#pump();
  }

  /** Ends the publisher for good (P4). */
  fail(error: unknown): void {
    if (this.#closed || this.#failed !== undefined) return;
    this.#failed = error;
    this.#end();
  }

  #ended(): unknown {
    return this.#failed ?? new UnavailableError("The publisher is closed");
  }

  #end(): void {
    this.#round++;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#transport.close?.();
    for (const w of [...this.#roomWaiters, ...this.#deliveredWaiters]) w.reject(this.#ended());
    this.#roomWaiters = [];
    this.#deliveredWaiters = [];
  }

  #pump(): void {
    if (this.#waiting) return;
    const half =
      2 * (this.#next - this.#head) <= this.#records && 2 * this.#flyingBytes <= PUBLISH_WINDOW_BYTES;
    if (this.#full && !half) return;
    this.#full = false;
    while (this.#next < this.#queue.length) {
      const p = this.#queue[this.#next]!;
      const flying = this.#next - this.#head;
      if (flying > 0 && (flying >= this.#records || this.#flyingBytes + p.bytes > PUBLISH_WINDOW_BYTES)) {
        this.#full = true;
        return;
      }
      if (flying === 0) this.#heardAt = this.#clock.monotonic();
      this.#next++;
      this.#flyingBytes += p.bytes;
      const round = this.#round;
      this.#watch();
      this.#transport.attempt(p.message, (error) => this.#answer(p, round, error));
      // The answer may have come at once and ended or restarted the round.
      if (round !== this.#round) return;
    }
    for (const w of this.#roomWaiters.splice(0)) w.resolve();
  }

  #answer(p: Pending<M>, round: number, error: unknown): void {
    if (round !== this.#round || this.#closed) return;
    if (error !== undefined) return this.#goBack(error);
    this.#heardAt = this.#clock.monotonic();
    p.stored = true;
    if (this.#queue[this.#head] !== p) return;
    this.#failures = 0;
    while (this.#head < this.#next && this.#queue[this.#head]!.stored) {
      this.#flyingBytes -= this.#queue[this.#head]!.bytes;
      this.#queue[this.#head++] = undefined;
      this.#acknowledged++;
    }
    this.#forget();
    this.#pump();
    while (this.#deliveredWaiters.length > 0 && this.#deliveredWaiters[0]!.until <= this.#acknowledged)
      this.#deliveredWaiters.shift()!.resolve();
  }

  /** Drops the forgotten part of the queue now and then, not per record. */
  #forget(): void {
    if (this.#head < 1024 && this.#head < this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#head);
    this.#next -= this.#head;
    this.#head = 0;
  }

  #goBack(error: unknown): void {
    this.#round++;
    this.#transport.reset?.();
    if (error instanceof MillraceError && error.decision === "fail") return this.fail(error);
    if (error instanceof LogFullError)
      this.#onFull?.(error.message, this.#queue[this.#head]!.message.payload);
    this.#next = this.#head;
    this.#flyingBytes = 0;
    for (let i = this.#head; i < this.#queue.length; i++) this.#queue[i]!.stored = false;
    this.#waiting = true;
    const wait = Math.min(RETRY_MS * 2 ** this.#failures++, RETRY_MAX_MS);
    this.#cancelTimer?.();
    this.#cancelTimer = this.#clock.after(wait, () => {
      this.#cancelTimer = undefined;
      this.#waiting = false;
      this.#pump();
    });
  }

  /** Sends again when nothing was heard for PUBLISH_SILENCE_MS while something is in flight. */
  #watch(): void {
    if (this.#cancelTimer !== undefined) return;
    const check = (): void => {
      this.#cancelTimer = undefined;
      if (this.#closed || this.#head === this.#next) return;
      const silent = this.#clock.monotonic() - this.#heardAt;
      if (silent >= PUBLISH_SILENCE_MS) return this.#goBack(new UnavailableError("No acknowledgement"));
      this.#cancelTimer = this.#clock.after(PUBLISH_SILENCE_MS - silent, check);
    };
    this.#cancelTimer = this.#clock.after(PUBLISH_SILENCE_MS, check);
  }
}

/** The publisher of a log over a transport. */
export class PublishWindow extends GoBackWindow<PlainRecord> implements Publisher {
  send(payload: Uint8Array, headers?: Record<string, string>): Promise<void> | undefined {
    return this.offer({ payload, headers });
  }
}
