/**
 * The go-back-N publisher of every log (law 4): one writer, one log, records kept until they and all before them are
 * acknowledged. The transport only makes attempts; order, windows, retries and failures are decided here.
 *
 * Invariants.
 *  P1 attempts are made in order; after a refusal or silence the first unacknowledged record and everything after it are sent
 *     again, acknowledged or not. Only acknowledgements of that round count, and those of the round that fell silent first, while the connection is
 *     the same: records that it had stored without a hole need not be sent again.
 *  P2 a record is forgotten once it and all before it are acknowledged in one round.
 *  P3 at most PUBLISH_WINDOW_BYTES and PUBLISH_WINDOW_RECORDS (or as many records as were asked for) are in flight; one record may be larger than the window alone.
 *  P5 a broker that is late is not given everything again: after silence one record goes first, more as they are answered, and the next
 *     silence is longer: four times what answers take, twice the one before.
 *  P4 an error whose decision is `fail` ends the publisher: `delivered` and `send` reject with it from then on.
 */
import type { Clock } from "../core/clock.ts";
import { LogFullError, MillraceError, UnavailableError } from "../core/errors.ts";
import {
  PUBLISH_SILENCE_MAX_MS,
  PUBLISH_SILENCE_MS,
  PUBLISH_WINDOW_BYTES,
  PUBLISH_WINDOW_RECORDS,
} from "../core/limits.ts";
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

/** A round that fell silent; records are numbered from the first that was ever sent. */
interface LateRound {
  readonly round: number;
  /** Records [next, end) of it are not acknowledged, but for those in `early`. */
  next: number;
  readonly end: number;
  readonly early: Set<number>;
  /** Its answers come, one behind the other: what it has in flight is waited for. */
  coming: boolean;
}

const RETRY_MS = 25;
/** Silence counts as one when it is so much longer than an answer takes; what answers took is forgotten slowly. */
const SILENT_ANSWERS = 4;
const FORGOTTEN = 0.9;
const RETRY_MAX_MS = 1_000;

export class GoBackWindow<M extends Sendable> {
  readonly #transport: PublishTransport<M>;
  readonly #clock: Clock;
  readonly #records: number;
  /** Records from the first unacknowledged on; `#head` is its index, what lies below is forgotten. */
  #queue: (Pending<M> | undefined)[] = [];
  #head = 0;
  /** Records that may be in flight now (P5). */
  #limit: number;
  #silenceMs = PUBLISH_SILENCE_MS;
  #late: LateRound | undefined;
  /** One record in flight whose answer is timed, and how long answers took at most. */
  #timed: { readonly number: number; readonly round: number; readonly atMs: number } | undefined;
  #slowestMs = 0;
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
    this.#limit = records;
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

  /** The transport lost its connection: every attempt in flight is in doubt, and what the broker still has of them it may store behind what is sent next. */
  interrupt(): void {
    if (this.#closed || this.#failed !== undefined) return;
    if (this.#waiting) this.#forgetRounds();
    else if (this.#next > this.#head || this.#late !== undefined)
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
      2 * (this.#next - this.#head) <= this.#limit && 2 * this.#flyingBytes <= PUBLISH_WINDOW_BYTES;
    if (this.#full && !half) return;
    this.#full = false;
    while (this.#next < this.#queue.length) {
      const p = this.#queue[this.#next]!;
      const flying = this.#next - this.#head;
      if (flying > 0 && (flying >= this.#limit || this.#flyingBytes + p.bytes > PUBLISH_WINDOW_BYTES)) {
        this.#full = true;
        return;
      }
      const number = this.#acknowledged + flying;
      const round = this.#round;
      if (this.#late?.coming === true && number < this.#late.end) return this.#watch();
      if (flying === 0) this.#heardAt = this.#clock.monotonic();
      this.#timed ??= { number, round, atMs: this.#clock.monotonic() };
      this.#next++;
      this.#flyingBytes += p.bytes;
      this.#watch();
      this.#transport.attempt(p.message, (error) => this.#answer(p, number, round, error));
      // The answer may have come at once and ended or restarted the round.
      if (round !== this.#round) return;
    }
    for (const w of this.#roomWaiters.splice(0)) w.resolve();
  }

  #answer(p: Pending<M>, number: number, round: number, error: unknown): void {
    if (this.#closed || this.#failed !== undefined) return;
    if (round !== this.#round) return this.#lateAnswer(number, round, error);
    // Sent again and meanwhile known to be stored by the round before: its refusal says nothing about what is left.
    if (error !== undefined) return number < this.#acknowledged ? undefined : this.#goBack(error);
    this.#heard(number, round);
    p.stored = true;
    if (this.#limit < this.#records) this.#limit++;
    if (this.#queue[this.#head] === p) this.#advance(this.#head);
  }

  /** The broker lives; times the answer when it is the one that is timed. */
  #heard(number: number, round: number): void {
    this.#heardAt = this.#clock.monotonic();
    if (this.#timed?.number !== number || this.#timed.round !== round) return;
    this.#slowestMs = Math.max(this.#heardAt - this.#timed.atMs, this.#slowestMs * FORGOTTEN);
    this.#timed = undefined;
    const silence = Math.max(PUBLISH_SILENCE_MS, SILENT_ANSWERS * this.#slowestMs);
    this.#silenceMs = Math.min(silence, PUBLISH_SILENCE_MAX_MS);
  }

  /** An answer of the round that fell silent first: what it had stored without a hole was stored in order, before anything of this round. */
  #lateAnswer(number: number, round: number, error: unknown): void {
    const late = this.#late;
    if (late?.round !== round) return;
    if (error !== undefined) {
      this.#late = undefined;
      return this.#pump();
    }
    this.#heard(number, round);
    late.coming = number === late.next;
    if (late.coming) late.next++;
    else late.early.add(number);
    while (late.early.delete(late.next)) late.next++;
    const more = late.next - this.#acknowledged;
    if (more <= 0) return this.#pump();
    this.#limit = Math.min(this.#records, this.#limit + more);
    this.#advance(this.#head + more);
  }

  /** Forgets the records up to index `to`, and those behind that are stored. */
  #advance(to: number): void {
    this.#failures = 0;
    while (this.#head < to || (this.#head < this.#next && this.#queue[this.#head]!.stored)) {
      if (this.#head < this.#next) this.#flyingBytes -= this.#queue[this.#head]!.bytes;
      this.#queue[this.#head++] = undefined;
      this.#acknowledged++;
    }
    this.#next = Math.max(this.#next, this.#head);
    if (this.#timed !== undefined && this.#timed.number < this.#acknowledged) this.#timed = undefined;
    if (this.#late !== undefined && this.#acknowledged >= this.#late.end) this.#endLate();
    this.#forget();
    this.#pump();
    while (this.#deliveredWaiters.length > 0 && this.#deliveredWaiters[0]!.until <= this.#acknowledged)
      this.#deliveredWaiters.shift()!.resolve();
  }

  #endLate(): void {
    this.#late = undefined;
    // Attempts that nobody will answer need not be kept.
    if (this.#head === this.#next) this.#transport.reset?.();
  }

  /** Drops the forgotten part of the queue now and then, not per record. */
  #forget(): void {
    if (this.#head < 1024 && this.#head < this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#head);
    this.#next -= this.#head;
    this.#head = 0;
  }

  /** The round is over: its answers still count when it only fell silent, as the first one (P1). */
  #fallSilent(): void {
    this.#silenceMs = Math.min(2 * this.#silenceMs, PUBLISH_SILENCE_MAX_MS);
    this.#limit = 1;
    const [first, end] = [this.#acknowledged, this.#acknowledged + this.#next - this.#head];
    if (this.#late === undefined) {
      const early = new Set<number>();
      for (let i = this.#head; i < this.#next; i++)
        if (this.#queue[i]!.stored) early.add(first + i - this.#head);
      this.#late = { round: this.#round, next: first, end, early, coming: false };
    }
    this.#late.coming = false;
    this.#goBack(new UnavailableError("No acknowledgement"), true);
  }

  /** No answer to what was sent so far counts any more. */
  #forgetRounds(): void {
    this.#timed = undefined;
    this.#late = undefined;
    this.#transport.reset?.();
  }

  #goBack(error: unknown, silent = false): void {
    this.#round++;
    if (!silent) this.#forgetRounds();
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

  /** Sends again when nothing was heard for too long while something is in flight. */
  #watch(): void {
    if (this.#cancelTimer !== undefined) return;
    const check = (): void => {
      this.#cancelTimer = undefined;
      if (this.#closed || (this.#head === this.#next && this.#late?.coming !== true)) return;
      const silent = this.#clock.monotonic() - this.#heardAt;
      if (silent >= this.#silenceMs) return this.#fallSilent();
      this.#cancelTimer = this.#clock.after(this.#silenceMs - silent, check);
    };
    this.#cancelTimer = this.#clock.after(this.#silenceMs, check);
  }
}

/** The publisher of a log over a transport. */
export class PublishWindow extends GoBackWindow<PlainRecord> implements Publisher {
  send(payload: Uint8Array, headers?: Record<string, string>): Promise<void> | undefined {
    return this.offer({ payload, headers });
  }
}
