/**
 * What the NATS connectors may do with a broker, without the client library: read any stream, publish with expectations,
 * atomic batches. Implemented by `src/log/jetstream/access.ts`; a JetStream LogStore carries one (`natsOf(store)`), and a
 * connector that names other servers opens its own (`openNats`, same folder).
 *
 * Invariants.
 *  N1 No call gives up because the broker is away for a while, except where the outcome would be unknown: those reject with
 *     UnavailableError and the caller looks at the stream before it tries again.
 *  N2 Readers never skip silently: a jump below the stream's first sequence and a re-created stream are errors.
 */
import type { LogStore } from "./log.ts";

export interface NatsStream {
  readonly name: string;
  readonly subjects: readonly string[];
  /** Oldest sequence held; `lastSequence + 1` when the stream is empty. */
  readonly firstSequence: number;
  /** Newest sequence ever given; 0 when none. */
  readonly lastSequence: number;
  readonly messages: number;
  readonly bytes: number;
  /** Creation time, opaque: another value under the same name means another stream. */
  readonly created: string;
  /** Whether the server confirmed `allow_atomic` for it (servers from 2.12). */
  readonly atomicBatches: boolean;
  readonly replicas: number;
  /** -1: no limit. */
  readonly maxBytes: number;
  /** Whether two messages of one subject may replace each other (`max_msgs_per_subject`), so that sequences jump. */
  readonly compacted: boolean;
  /** At its limits new messages are refused (`discard: new`); false: the oldest go. */
  readonly discardsNew: boolean;
}

export interface NatsRecord {
  readonly stream: string;
  readonly subject: string;
  readonly sequence: number;
  /** When the server stored it, milliseconds since the epoch (a fraction carries microseconds). */
  readonly timestamp: number;
  readonly payload: Uint8Array;
  /** Name and value in order, a name once per value; undefined without headers. */
  readonly headers: readonly (readonly [string, string])[] | undefined;
}

export interface NatsReaderOptions {
  /** First sequence wanted (from 1). */
  readonly from: number;
  /** Exclusive end: `next` gives [] when all matching messages below it were given. Must be at most the stream's last + 1 when reading starts. */
  readonly to?: number;
  /** Only messages of this subject (wildcards allowed). Without it all. */
  readonly filter?: string;
  /** Expected creation time: LogRecreatedError when the stream has another one. */
  readonly created?: string;
  /** When the stream's first sequence is above the next one wanted: `fail` (default) LogGapError, `skip` goes on behind it. */
  readonly onGap?: "fail" | "skip";
}

export interface NatsReader {
  /** The next messages in sequence order, at least one; waits. [] after `close()`, and at the end when `to` is given. */
  next(): Promise<readonly NatsRecord[]>;
  close(): void;
}

/** Messages in the order of their sequences, where they lie in one memory: for readers of very many. */
export interface NatsBlock {
  readonly length: number;
  readonly bytes: Uint8Array;
  sequence(i: number): number;
  /** The payload of message i stands in `bytes` from `from(i)` to `to(i)`. */
  from(i: number): number;
  to(i: number): number;
  record(i: number): NatsRecord;
}

export interface NatsBlockReader {
  /** As `NatsReader.next`; no block is empty. */
  next(): Promise<readonly NatsBlock[]>;
  close(): void;
}

export interface NatsMessage {
  readonly subject: string;
  readonly payload: Uint8Array;
  readonly headers?: readonly (readonly [string, string])[];
}

/** Messages `first` to `end` (exclusive) of those that lie one behind the other in one memory: i stands in `bytes` from ends[i] to ends[i + 1]. */
export interface NatsRows {
  readonly bytes: Buffer;
  readonly ends: Int32Array;
  readonly first: number;
  readonly end: number;
  /** With a header: message i carries it with the value `label`, then `row + i` in digits. */
  readonly label: string;
  readonly row: number;
}

/** Publishes rows to one subject, in order, in a window of many. Ends with its first failure. */
export interface NatsPipe {
  /**
   * Takes rows, which are sent as the window allows; a promise when the caller should wait before it offers more. Rejects, as `delivered` does from then on, with the
   * first failure: LogConflictError, LogFullError, AuthorizationError, and UnavailableError when the outcome is unknown (silence, disconnect).
   */
  offer(rows: NatsRows): Promise<void> | undefined;
  /** Resolves when everything offered is stored. */
  delivered(): Promise<void>;
  /** How many messages from the beginning on are stored; also after a failure. */
  readonly acknowledged: number;
  close(): void;
}

export interface NatsPipeOptions {
  readonly subject: string;
  /** Name of the header that numbers rows; none without. */
  readonly header?: string;
  /**
   * The stream's last sequence: every message carries its prediction, as in `publishAll`. Message n (from 0) is stored at sequence expectLast + 1 + n or
   * not at all. Without it nothing is expected.
   */
  readonly expectLast?: number;
}

/** Conditions checked by the server; on conflict LogConflictError. */
export interface NatsExpectation {
  /** The stream's last sequence. */
  readonly lastSequence?: number;
  /** The last sequence of the message's own subject in the stream (0: none). */
  readonly lastSubjectSequence?: number;
  /** Name of the stream that must store it. */
  readonly stream?: string;
}

export interface NatsAck {
  readonly stream: string;
  readonly sequence: number;
  readonly duplicate: boolean;
}

export interface NatsAccess {
  /** Largest message (headers and payload) that the server takes, bytes. */
  readonly maxPayload: number;
  /** `2.15.2`; a hint only, features are read back. */
  readonly serverVersion: string;
  /** Why the connection is over for good; undefined while it is not. */
  readonly ended: unknown;
  /** Undefined when there is none of this name. */
  stream(name: string): Promise<NatsStream | undefined>;
  /** Streams whose NAME matches the pattern (`*` any run of characters), sorted by name. Never Millrace's own (`MR_…`). */
  streams(pattern: string): Promise<readonly NatsStream[]>;
  /** Names of the streams that store messages of this subject; more than one when it is a wildcard. */
  streamsOfSubject(subject: string): Promise<readonly string[]>;
  /** Creates a file stream (discard new, limits retention), or gives the existing one of this name. `atomic` asks for atomic batches where the server has them. */
  createStream(options: {
    readonly name: string;
    readonly subjects: readonly string[];
    readonly replicas?: 1 | 3;
    readonly maxBytes?: number;
    readonly atomic?: boolean;
  }): Promise<NatsStream>;
  /** One message, or undefined. */
  message(stream: string, sequence: number): Promise<NatsRecord | undefined>;
  /** The newest message of a subject in a stream, or undefined: read from the leader, never stale. */
  lastOfSubject(stream: string, subject: string): Promise<NatsRecord | undefined>;
  reader(stream: string, options: NatsReaderOptions): NatsReader;
  blocks(stream: string, options: NatsReaderOptions): NatsBlockReader;
  /**
   * One message. LogConflictError, LogFullError, RecordTooLargeError, AuthorizationError; UnavailableError when the outcome is
   * unknown (silence, reconnect) or when no stream stores the subject (`errorClass` NO_STREAM).
   */
  publish(message: NatsMessage, expect?: NatsExpectation): Promise<NatsAck>;
  /**
   * Many messages in order, pipelined in a window, resolving when the last is stored; with its sequence (0 for none).
   *  - without `expectLast`: at least once: after a refusal or silence again from the first unacknowledged one; waits out outages
   *    and, when the stream is full, room (`onFull` is told the limit once);
   *  - with `expectLast` (a stream that this caller alone writes): every message carries the predicted last sequence; the
   *    first refusal or silence rejects (LogConflictError, LogFullError, UnavailableError) and the caller scans what is stored.
   *    Message i is stored at sequence expectLast + 1 + i or not at all; when somebody else took the sequence of one, those behind it in the
   *    window may still be stored at theirs (C9). So use it only where the stream's sequence decides the row, whoever writes it.
   */
  publishAll(
    messages: readonly NatsMessage[],
    options?: {
      readonly expectLast?: number;
      readonly stream?: string;
      readonly onFull?: (limit: string) => void;
    },
  ): Promise<number>;
  pipe(options: NatsPipeOptions): NatsPipe;
  /**
   * All or nothing, at most ATOMIC_BATCH_MAX messages, into a stream with `atomicBatches`. The expectation is checked on the
   * first message. Gives the sequence of the last one. Errors as `publish`.
   */
  atomicBatch(messages: readonly NatsMessage[], expect?: NatsExpectation): Promise<number>;
  close(): Promise<void>;
}

/** Messages of one atomic batch (a server limit). */
export const ATOMIC_BATCH_MAX = 1000;

/** The broker behind a JetStream store; undefined for other kinds of store. */
export const natsOf = (store: LogStore): NatsAccess | undefined =>
  store.kind === "jetstream" ? (store as LogStore & { readonly nats?: NatsAccess }).nats : undefined;
