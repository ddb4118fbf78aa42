/**
 * The log contract: a durable, totally ordered, contiguous sequence of records with one incarnation time.
 * Implementations: JetStream (`src/log/jetstream`), embedded LevelDB (`src/log/embedded`), in memory with faults for the
 * simulation. One contract suite (`test/spec/log`) runs against each.
 *
 * Invariants.
 *  L1 positions are 1, 2, 3, … without a gap, for ever, also after a trim and a restart of the server.
 *  L2 an append that resolved survives a kill -9 of the server.
 *  L3 an append that rejected or never resolved may or may not be stored, at most once per attempt.
 *  L4 `created` differs between a log and another one later created under the same name.
 */
import type { Position } from "../core/brands.ts";

export interface LogRecord {
  readonly position: Position;
  readonly payload: Uint8Array;
  readonly headers: Readonly<Record<string, string>> | undefined;
}

export interface LogBounds {
  /** The oldest position still held; `last + 1` when it holds none. */
  readonly first: Position;
  /** The newest position ever given; 0 when none. */
  readonly last: Position;
  /** Time of the log's creation, an opaque token (L4). */
  readonly created: string;
  readonly bytes: number;
  /** The size limit now. */
  readonly maxBytes: number;
}

export interface LogOptions {
  /** Size limit; appends beyond it are refused with LogFullError. Default: MAILBOX_BYTES_MAX of src/core/limits. */
  readonly maxBytes?: number;
  readonly replicas?: 1 | 3;
  /** How many publishers write beside each other, about; they share the room that is left. Default: a few. */
  readonly writers?: number;
}

/**
 * Go-back-N publisher of one writer into one log (law 4): keeps order; after a refusal or silence it sends the first
 * unacknowledged record and everything after it again.
 */
export interface Publisher {
  /** Hands a record over; resolves when there is room in the window (not when stored). */
  send(payload: Uint8Array, headers?: Record<string, string>): Promise<void> | undefined;
  /** Resolves when everything sent so far is acknowledged. Rejects only when the publisher is closed or failed for good. */
  delivered(): Promise<void>;
  /** Bytes of the largest record that the broker takes now; absent: no limit that matters. */
  readonly recordBytesMax?: number;
  /** Called each time the log refuses a record at its size limit, with the limit's name and the oldest record that waits (law 8). */
  onFull(handler: (limit: string, oldest: Uint8Array) => void): void;
  /** Ends the publisher for good: `delivered` and `send` reject with the error. */
  fail(error: unknown): void;
  close(): void;
}

export interface Reader {
  /**
   * The next records in order, at least one; waits for them. Bounded in bytes. Rejects with LogGapError (position below the
   * log's first, or a jump) or LogRecreatedError; broker outages are waited out. After `close()` resolves with [].
   */
  next(): Promise<readonly LogRecord[]>;
  close(): void;
}

export interface Log {
  readonly name: string;
  readonly created: string;
  /** As `Publisher.recordBytesMax`. */
  readonly recordBytesMax?: number;
  publisher(): Publisher;
  /**
   * Appends one record. With `expectLast`, only if the log's last position is that (compare-and-set): LogConflictError
   * otherwise. Rejects with UnavailableError when the outcome is unknown: re-read the tail.
   */
  append(
    payload: Uint8Array,
    options?: { expectLast?: Position; headers?: Record<string, string> },
  ): Promise<Position>;
  reader(from: Position): Reader;
  /** One record, or undefined when it is trimmed or not yet there. */
  get(position: Position): Promise<LogRecord | undefined>;
  bounds(): Promise<LogBounds>;
  /** Forgets the records below `position`. Idempotent. */
  trim(position: Position): Promise<void>;
  setMaxBytes(maxBytes: number): Promise<void>;
}

/** Unreliable, fast messages between nodes of an application: they only wake (law 2), or are repeated until a log has them (law 9). */
export interface Bus {
  /** `near`: for one reader only, so where it is in this process nobody else needs to hear it; a guess that may be wrong, as any message may be lost. */
  publish(subject: string, payload: Uint8Array, near?: boolean): void;
  /** Returns the function that ends the subscription. */
  subscribe(subject: string, handler: (payload: Uint8Array) => void): () => void;
}

/** A broker: a place where logs live. */
export interface LogStore {
  readonly kind: "jetstream" | "embedded" | "memory" | "served";
  readonly bus: Bus;
  /** Opens the log, creating it when it does not exist. */
  open(name: string, options?: LogOptions): Promise<Log>;
  /** Names of existing logs that start with `prefix`. */
  list(prefix: string): Promise<readonly string[]>;
  remove(name: string): Promise<void>;
  close(): Promise<void>;
}
