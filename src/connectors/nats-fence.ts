/**
 * The fences of the NATS sink (law 11): how rows get into a stream so that each is there once, whoever else writes at the same time.
 *
 *  - `own stream`: only this sink's subject is in the stream: every message carries the predicted last sequence of the stream, many in flight;
 *  - `atomic`: servers from 2.12: batches of up to 1,000 messages, all or nothing, the subject's last sequence expected on the first;
 *  - `one by one`: the subject's last sequence expected on every message, one in flight.
 *
 * Predicted sequences are safe beside another copy of the same actor, because every row has one sequence that it can stand at; somebody else's
 * message in the stream ends that, and the fence goes on one by one.
 *
 * F1 After a refusal or an unknown outcome nothing is sent before the subject was scanned; what is there is not sent again. F2 Nothing is
 *    sent once the lease is gone. F3 A full stream is waited for.
 */
import { type Clock, sleep } from "../core/clock.ts";
import {
  ConfigurationError,
  FencedError,
  LogConflictError,
  LogFullError,
  UnavailableError,
} from "../core/errors.ts";
import { ATOMIC_BATCH_MAX, type NatsAccess, type NatsMessage } from "../log/nats-access.ts";
import { type EpochRows, RowFlow } from "./nats-rows.ts";
import {
  headerOf,
  markOf,
  ROW_HEADER,
  type RowMark,
  scan,
  type SinkIdentity,
  StoredRows,
} from "./nats-scan.ts";

export type FenceKind = "ownStream" | "atomic" | "oneByOne";

/** A message and the rows it holds. */
export interface SinkMessage extends NatsMessage, RowMark {
  /** The message without its first `n` rows, when it holds several. */
  readonly behind?: (n: number) => SinkMessage;
}

export interface FenceTarget {
  readonly access: NatsAccess;
  readonly stream: string;
  readonly subject: string;
  readonly kind: FenceKind;
  readonly who: SinkIdentity;
  readonly clock: Clock;
  readonly alive: () => boolean;
  readonly warn?: ((message: string) => void) | undefined;
}

/** Messages handed over at once without atomic batches. */
const CHUNK = 256;

const RETRY_MS = 50;
const RETRY_MAX_MS = 2_000;
/** Refusals in a row, each with somebody else's message in between, that are not one writer's takeover any more. */
const REFUSALS_MAX = 200;
/** So many of them are worth a line in the log. */
const REFUSALS_TOLD = 10;

/** What is answered by looking again; a stream without a leader counts as unavailable. */
const REFUSALS = [LogConflictError, UnavailableError, LogFullError] as const;

export class Fence {
  readonly #target: FenceTarget;
  readonly stored = new StoredRows();
  #kind: FenceKind;
  /** The last sequence that the next append expects: of the stream or of the subject, by kind. */
  #last = 0;
  /** Rows with predicted sequences. */
  readonly rows: RowFlow;

  constructor(target: FenceTarget) {
    this.#target = target;
    this.#kind = target.kind;
    this.rows = this.#flow();
  }

  #flow(): RowFlow {
    const { access, subject } = this.#target;
    let first = 0;
    return new RowFlow({
      open: () => {
        first = this.#last;
        return access.pipe({ subject, header: ROW_HEADER, expectLast: first });
      },
      check: () => this.#check(),
      recover: (e, refusals) => this.#refused(e, refusals),
      missing: (rows) => this.#missingRows(rows),
      settled: (count) => (this.#last = first + count),
      instead: () =>
        this.#kind === "ownStream" ? undefined : (rows) => this.append(messagesOf(rows, this.#target)),
    });
  }

  /** Messages handed over at once. */
  get chunk(): number {
    return this.#kind === "atomic" ? ATOMIC_BATCH_MAX : CHUNK;
  }

  /** Finds out what is there (the first scan, at a start). */
  async open(): Promise<void> {
    const { access, stream, subject, who } = this.#target;
    // In this order: what another copy stores meanwhile is behind what is expected, so that the first append is refused and looks again.
    const { firstSequence, lastSequence } = await this.#stream();
    const newest = await access.lastOfSubject(stream, subject);
    const known = newest?.sequence ?? 0;
    this.#last = this.#kind === "ownStream" ? Math.max(lastSequence, known) : known;
    if (newest === undefined) return;
    const mark = markOf(newest, who);
    if (mark !== undefined && (await this.#whole(newest.sequence, firstSequence, mark)))
      return this.stored.upTo(mark);
    await scan(access, this.#target, firstSequence, newest.sequence + 1, (m) => {
      if (m !== undefined) this.#known(m);
    });
  }

  /** Whether the epoch's rows before the mark are there too: always, but for predicted sequences (S2 of the scan). */
  async #whole(sequence: number, firstSequence: number, mark: RowMark): Promise<boolean> {
    const { access, stream, who } = this.#target;
    // One row a message, contiguous: the epoch began that many sequences before, or that is trimmed already.
    const begin = sequence - mark.row;
    if (this.#kind !== "ownStream" || mark.row === 0 || begin < firstSequence) return true;
    const record = await access.message(stream, begin);
    const first = record === undefined ? undefined : markOf(record, who);
    return first?.epoch === mark.epoch && first.row === 0 && first.rows === 1;
  }

  /** A message that came while this writer was writing. */
  #found(mark: RowMark | undefined): void {
    if (mark !== undefined) this.#known(mark);
    else if (this.#kind === "ownStream") this.#kind = "oneByOne";
  }

  /** Rows that are stored. */
  #known(mark: RowMark): void {
    if (this.#target.kind === "ownStream") this.stored.add(mark);
    else this.stored.upTo(mark);
  }

  async #stream(): Promise<{ readonly firstSequence: number; readonly lastSequence: number }> {
    const { access, stream } = this.#target;
    const info = await access.stream(stream);
    if (info === undefined)
      throw new ConfigurationError(`stream ${stream}, which the nats sink writes, is gone`);
    return info;
  }

  /** The parts of the rows that are not stored. */
  #missingRows(rows: EpochRows): EpochRows[] {
    const { stored } = this;
    if (rows.epoch > stored.epoch) return [rows];
    const parts: EpochRows[] = [];
    let first = rows.first;
    for (let i = first; i <= rows.end; i++) {
      if (i < rows.end && !stored.has(rows.epoch, rows.row + i)) continue;
      if (first < i) parts.push({ ...rows, first, end: i });
      first = i + 1;
    }
    return parts;
  }

  /** Stores the messages, in order, as far as they are not there yet. */
  async append(messages: readonly SinkMessage[]): Promise<void> {
    let left = this.#missing(messages);
    let refusals = 0;
    while (left.length > 0) {
      this.#check();
      try {
        return await this.#send(left);
      } catch (e) {
        await this.#refused(e, ++refusals);
      }
      left = this.#missing(left);
    }
  }

  #missing(messages: readonly SinkMessage[]): SinkMessage[] {
    return messages.flatMap((m) => {
      if (!this.stored.has(m.epoch, m.row)) return [m];
      if (m.rows === 1 || m.epoch !== this.stored.epoch || m.row + m.rows <= this.stored.rows) return [];
      // Rows were grouped otherwise before: the part that is missing.
      return m.behind === undefined ? [] : [m.behind(this.stored.rows - m.row)];
    });
  }

  #check(): void {
    if (!this.#target.alive())
      throw new FencedError("the nats sink's lease is gone: another copy of the actor writes");
  }

  async #send(messages: readonly SinkMessage[]): Promise<void> {
    const { access } = this.#target;
    if (this.#kind === "atomic") {
      for (let i = 0; i < messages.length; i += ATOMIC_BATCH_MAX) {
        if (i > 0) this.#check();
        const batch = messages.slice(i, i + ATOMIC_BATCH_MAX);
        this.#last = await access.atomicBatch(batch, { lastSubjectSequence: this.#last });
        this.stored.upTo(batch.at(-1)!);
      }
    } else
      for (const message of messages) {
        this.#check();
        const ack = await access.publish(message, { lastSubjectSequence: this.#last });
        this.#last = ack.sequence;
        this.#known(message);
      }
  }

  /**
   * Returns when the server has decided about everything this connection sent to the stream before: a message that can only be
   * refused goes through the same queue behind it. Without it a scan could miss a message that is stored a moment later.
   */
  async #barrier(): Promise<void> {
    const { access, subject } = this.#target;
    try {
      await access.publish(
        { subject, payload: new Uint8Array(0) },
        { lastSequence: Number.MAX_SAFE_INTEGER },
      );
    } catch (e) {
      if (!REFUSALS.some((kind) => e instanceof kind)) throw e;
    }
  }

  /** Waits as the refusal asks, and finds out what is there now (F1). */
  async #refused(e: unknown, refusals: number): Promise<void> {
    const { access, stream, subject, clock } = this.#target;
    if (!REFUSALS.some((kind) => e instanceof kind)) throw e;
    if (e instanceof LogConflictError && refusals >= REFUSALS_MAX)
      throw new ConfigurationError(
        `subject ${subject} of stream ${stream} is written by others all the time; an exactly-once sink needs a subject of its own`,
        { cause: e, hint: 'use another subject, or option "guarantee" = "atLeastOnce"' },
      );
    if (refusals % REFUSALS_TOLD === 0)
      this.#target.warn?.(
        `the fence (${this.#kind}) of ${subject} was refused ${refusals} times: ${(e as Error).message}`,
      );
    if (!(e instanceof LogConflictError) || refusals > 3)
      await sleep(clock, Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** Math.min(refusals - 1, 10)));
    this.#check();
    if (this.#kind === "ownStream" && !(e instanceof UnavailableError)) await this.#barrier();
    const from = this.#last + 1;
    const newest =
      this.#kind === "ownStream"
        ? (await this.#stream()).lastSequence
        : ((await access.lastOfSubject(stream, subject))?.sequence ?? 0);
    // What was acknowledged is below `from`; what came since is read.
    await scan(access, this.#target, from, newest + 1, (mark) => this.#found(mark));
    this.#last = newest;
  }
}

/** Rows as messages of their own. */
const messagesOf = (
  rows: EpochRows,
  { subject, who }: Pick<FenceTarget, "subject" | "who">,
): SinkMessage[] => {
  const { bytes, ends, epoch } = rows;
  return Array.from({ length: rows.end - rows.first }, (_, k): SinkMessage => {
    const i = rows.first + k;
    const row = rows.row + i;
    const headers: SinkMessage["headers"] = [[ROW_HEADER, headerOf(who, epoch, row, 1)]];
    return { epoch, row, rows: 1, subject, payload: bytes.subarray(ends[i], ends[i + 1]), headers };
  });
};
