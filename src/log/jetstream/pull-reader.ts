/**
 * Our own reader of a stream: raw pull requests on a named, ephemeral, in-memory consumer without acknowledgements, at most two requests
 * outstanding. The client's own consumers stall after a server restart or lose messages above `max_pending`.
 *
 * Invariants.
 *  R1 records are given in sequence order, each once: what a former consumer still delivers is dropped by its generation and by
 *     sequence.
 *  R2 the bytes asked for and not yet received stay below PULL_OUTSTANDING_BYTES over all readers of a connection, while these are at
 *     most PULL_OUTSTANDING_BYTES / PULL_BYTES_MIN; the server drops connections above its max_pending of 64 MB.
 *  R3 silence (no record and no heartbeat), a reconnect, a deleted consumer: a new consumer begins behind the last record received.
 *  R4 every new consumer is preceded by a look at the stream: its creation time, its first and its last sequence.
 */
import { nuid } from "nats";
import { sleep } from "../../core/clock.ts";
import { UnavailableError } from "../../core/errors.ts";
import { PULL_BYTES_MIN, PULL_HEARTBEAT_MS, PULL_OUTSTANDING_BYTES } from "../../core/limits.ts";
import { gap, recreated } from "../refusals.ts";
import { api, ApiError, backoff, failureOf, firstOf, type StreamInfo, streamInfo } from "./api.ts";
import type { Collector } from "./blocks.ts";
import type { Connection, FrameSubscription } from "./connection.ts";
import { type Frame, statusOf } from "./inbound.ts";
import { deliveryOf } from "./records.ts";

/** Shares the bytes of a connection among its readers (R2). */
export class PullBudget {
  readers = 0;
  /** Bytes one reader may have outstanding. */
  share(): number {
    return Math.max(Math.floor(PULL_OUTSTANDING_BYTES / Math.max(1, this.readers)), PULL_BYTES_MIN);
  }
}

export interface PullOptions<T> {
  readonly connection: Connection;
  readonly budget: PullBudget;
  readonly stream: string;
  /** The name to use in errors. */
  readonly what: string;
  readonly from: number;
  /** Exclusive end. */
  readonly to?: number;
  readonly filter?: string;
  /** Creation time that the stream must have. */
  readonly created?: string;
  /** Whether sequences may not jump at all. */
  readonly contiguous: boolean;
  readonly onGap: "fail" | "skip";
  /** Gathers what arrives; what `next` gives. */
  readonly collector: Collector<T>;
}

interface Slot {
  subscription: FrameSubscription | undefined;
  outstanding: boolean;
  received: number;
}

const BATCH = 2000;
const EXPIRES_MS = 10_000;
const INACTIVE_MS = 30_000;
const RETRY_MS = 50;
const RETRY_MAX_MS = 1_000;
/** Asks before a missing stream counts as deleted. */
const MISSING_MAX = 3;
const nanos = (ms: number): number => ms * 1_000_000;
const encoder = new TextEncoder();

export class PullReader<T> {
  readonly #o: PullOptions<T>;
  readonly #collector: Collector<T>;
  #next: number;
  #bufferBytes = 0;
  #started = false;
  #closed = false;
  #finished = false;
  #error: unknown;
  #wake: (() => void) | undefined;
  #generation = 0;
  #consumer: string | undefined;
  #slots: Slot[] = [];
  #heard = true;
  #misses = 0;
  #failures = 0;
  /** Sequence at which the stream jumped before. */
  #jumpedAt = -1;
  #large = false;
  #cancelTimer: (() => void) | undefined;
  #unlisten: (() => void) | undefined;

  constructor(options: PullOptions<T>) {
    this.#o = options;
    this.#collector = options.collector;
    this.#next = options.from;
  }

  /** What was gathered, something at least; nothing at the end and after `close`. */
  async next(): Promise<T> {
    if (!this.#started) this.#begin();
    for (;;) {
      if (!this.#closed && !this.#collector.empty) return this.#take();
      if (this.#error !== undefined && !this.#closed) throw this.#error;
      if (this.#closed || this.#finished) {
        this.#collector.take();
        return this.#collector.take();
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#end();
  }

  #begin(): void {
    this.#started = true;
    this.#o.budget.readers++;
    const closed = (error: unknown): void => this.#fail(error);
    this.#unlisten = this.#o.connection.listen({ reconnected: () => this.#reconnected(), closed });
    this.#restart();
    this.#monitor();
  }

  #reconnected(): void {
    this.#failures = 0;
    this.#restart();
  }

  #take(): T {
    const out = this.#collector.take();
    this.#bufferBytes = 0;
    this.#refill();
    return out;
  }

  #signal(): void {
    const wake = this.#wake;
    this.#wake = undefined;
    wake?.();
  }

  #end(): void {
    this.#generation++;
    this.#cancelTimer?.();
    this.#unlisten?.();
    if (this.#started) this.#o.budget.readers--;
    this.#started = true;
    this.#detach();
    this.#signal();
  }

  #fail(error: unknown): void {
    if (this.#closed || this.#finished || this.#error !== undefined) return;
    this.#error = error;
    this.#end();
  }

  #finish(): void {
    if (this.#closed || this.#finished || this.#error !== undefined) return;
    this.#finished = true;
    this.#end();
  }

  #detach(): void {
    for (const s of this.#slots) s.subscription?.unsubscribe();
    this.#slots = [];
    const consumer = this.#consumer;
    this.#consumer = undefined;
    const c = this.#o.connection;
    if (consumer !== undefined && c.connected)
      api(c, `CONSUMER.DELETE.${this.#o.stream}.${consumer}`).catch(() => {});
  }

  /** A new consumer behind the last record (R3), as soon as the broker lets us. */
  #restart(): void {
    if (this.#closed || this.#finished || this.#error !== undefined) return;
    const generation = ++this.#generation;
    this.#detach();
    void this.#attachPatiently(generation);
  }

  async #attachPatiently(generation: number): Promise<void> {
    const { clock } = this.#o.connection;
    for (;;) {
      if (this.#failures > 0) await sleep(clock, backoff(this.#failures - 1, RETRY_MS, RETRY_MAX_MS));
      if (generation !== this.#generation) return;
      this.#failures++;
      try {
        await this.#attach(generation);
        return;
      } catch (e) {
        if (generation !== this.#generation) return;
        if (!(e instanceof UnavailableError) || this.#o.connection.ended !== undefined) return this.#fail(e);
      }
    }
  }

  /** Looks at the stream (R4); a missing one is asked for again, since a server may still be loading it. */
  async #look(): Promise<StreamInfo> {
    const { connection, stream, what, created, onGap, to } = this.#o;
    let info: StreamInfo | undefined;
    for (let asked = 0; asked < MISSING_MAX && info === undefined; asked++) {
      if (asked > 0) await sleep(connection.clock, RETRY_MS * 4);
      info = await streamInfo(connection, stream);
    }
    if (info === undefined || (created !== undefined && info.created !== created))
      throw recreated(what, created ?? "?", info?.created);
    const [first, last] = [firstOf(info), info.state.last_seq];
    if (this.#next < first) {
      if (onGap === "fail") throw gap(what, this.#next, first, last);
      this.#next = first;
    }
    const end = to === undefined ? this.#next : Math.min(this.#next, to);
    if (end > last + 1) throw gap(what, end, first, last);
    return info;
  }

  async #attach(generation: number): Promise<void> {
    const { connection, stream, filter, to, what } = this.#o;
    const info = await this.#look();
    if (generation !== this.#generation) return;
    if (to !== undefined && this.#next >= to) return this.#finish();
    const name = `mr${nuid.next()}`;
    const config = {
      name,
      deliver_policy: "by_start_sequence",
      opt_start_seq: this.#next,
      ack_policy: "none",
      replay_policy: "instant",
      mem_storage: true,
      num_replicas: 1,
      inactive_threshold: nanos(INACTIVE_MS),
      ...(filter === undefined ? {} : { filter_subject: filter }),
    };
    const subject = `CONSUMER.CREATE.${stream}.${name}${filter === undefined ? "" : `.${filter}`}`;
    let pending: number;
    try {
      const made = await api<{ num_pending: number }>(connection, subject, { stream_name: stream, config });
      pending = made.num_pending;
    } catch (e) {
      if (e instanceof ApiError) throw failureOf(what, e.failure);
      throw e;
    }
    if (generation !== this.#generation) return;
    if (to !== undefined && pending === 0 && info.state.last_seq >= to - 1) return this.#finish();
    this.#consumer = name;
    this.#heard = true;
    this.#slots = [0, 1].map(() => this.#slot(generation));
    this.#refill();
  }

  #slot(generation: number): Slot {
    const slot: Slot = { subscription: undefined, outstanding: false, received: 0 };
    slot.subscription = this.#o.connection.frames(this.#o.connection.inbox(), (f) => {
      if (generation === this.#generation) this.#message(slot, f);
    });
    return slot;
  }

  /** Asks for more while what waits here is less than the reader's share. */
  #refill(): void {
    const share = this.#o.budget.share();
    if (this.#consumer === undefined || this.#bufferBytes > share) return;
    const two = share >= 2 * PULL_BYTES_MIN && !this.#large;
    for (const [i, slot] of this.#slots.entries())
      if (!slot.outstanding && (two || i === 0)) this.#pull(slot, two ? share >>> 1 : share);
  }

  #pull(slot: Slot, bytes: number): void {
    const c = this.#o.connection;
    slot.outstanding = true;
    slot.received = 0;
    const request = {
      batch: BATCH,
      // One record above the share: ask for what a record may be at most.
      max_bytes: this.#large ? c.maxPayload + 64 * 1024 : bytes,
      expires: nanos(EXPIRES_MS),
      idle_heartbeat: nanos(PULL_HEARTBEAT_MS),
    };
    c.publish(
      `$JS.API.CONSUMER.MSG.NEXT.${this.#o.stream}.${this.#consumer}`,
      encoder.encode(JSON.stringify(request)),
      slot.subscription!.subject,
    );
  }

  #message(slot: Slot, f: Frame): void {
    this.#heard = true;
    const d = deliveryOf(f);
    if (d === undefined) return this.#status(slot, f);
    slot.received++;
    if (slot.received === BATCH) this.#done(slot);
    if (d.sequence < this.#next) return;
    if (d.sequence > this.#next && this.#o.contiguous) return this.#jump(d.sequence);
    this.#failures = 0;
    this.#next = d.sequence + 1;
    const { to } = this.#o;
    if (to !== undefined && d.sequence >= to) return this.#finish();
    this.#collector.add(f, d);
    this.#bufferBytes += f.dataTo - f.dataFrom;
    if (to !== undefined && (d.sequence === to - 1 || d.pending === 0)) this.#finish();
    this.#signal();
  }

  /** The request of a slot is over. */
  #done(slot: Slot): void {
    slot.outstanding = false;
    this.#refill();
  }

  #status(slot: Slot, f: Frame): void {
    const { code = 0, text = "" } = statusOf(f) ?? {};
    if (code === 100) {
      this.#failures = 0;
      return;
    }
    if (code === 404 || code === 408) {
      this.#failures = 0;
      return this.#done(slot);
    }
    if (code === 409 && /maxbytes/i.test(text)) {
      this.#large = slot.received === 0 && !this.#large;
      return this.#done(slot);
    }
    // Consumer deleted, leader changed, server going away, nobody there (503).
    this.#restart();
  }

  /** Records are missing. The broker may have skipped them in a hurry; a second jump at the same place is a gap. */
  #jump(found: number): void {
    if (this.#jumpedAt === this.#next)
      return this.#fail(gap(this.#o.what, this.#next, found, Math.max(found, this.#next)));
    this.#jumpedAt = this.#next;
    this.#restart();
  }

  /** Two periods without a sign of life while something is asked for: silence (R3). */
  #monitor(): void {
    const c = this.#o.connection;
    this.#cancelTimer = c.clock.after(PULL_HEARTBEAT_MS * 1.5, () => {
      const waits = this.#slots.some((s) => s.outstanding);
      this.#misses = waits && !this.#heard && c.connected ? this.#misses + 1 : 0;
      this.#heard = false;
      if (this.#misses >= 2) {
        this.#misses = 0;
        this.#restart();
      }
      this.#monitor();
    });
  }
}
