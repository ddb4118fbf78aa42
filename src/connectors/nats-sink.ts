/**
 * Format `nats`: rows into a JetStream stream, exactly once behind a fence (law 11, `nats-fence.ts`), at least once, or at most once. One subject
 * per (query, partition) that nobody else writes: `{partition}` in the subject gives each partition its own, a plain subject has one
 * writer for all.
 */
import type { Batch } from "../core/batch.ts";
import { rowCount } from "../core/batch.ts";
import { ConfigurationError, FencedError, RecordTooLargeError, UnavailableError } from "../core/errors.ts";
import { PUBLISH_WINDOW_RECORDS } from "../core/limits.ts";
import type { Schema } from "../core/schema.ts";
import type { NatsAccess, NatsMessage } from "../log/nats-access.ts";
import { type Encoder, encoderOf } from "./formats/encoder.ts";
import type { EncodedRows } from "./formats/json-encoder.ts";
import { Fence, type FenceKind, type SinkMessage } from "./nats-fence.ts";
import { natsAccess } from "./nats-options.ts";
import { openNats } from "./nats-open.ts";
import { StreamRoom } from "./nats-room.ts";
import { type EpochRows, type RowFlow, resentRows } from "./nats-rows.ts";
import { headerOf, identityOf, labelOf, ROW_HEADER, type SinkIdentity } from "./nats-scan.ts";
import {
  fenceOf,
  fenceText,
  type NatsSinkOptions,
  readSinkOptions,
  SINK_OPTIONS,
  subjectOf,
  targetStream,
} from "./nats-target.ts";
import type { SinkContext, SinkFactory, SinkSpec, SinkWriter } from "./sink.ts";

/** Bytes of a message's headers beside the row header's value: its name, the expectation, the version line. */
const HEADER_BYTES = 112;
/** Digits of a row's number. */
const NUMBER_BYTES = 16;
const GROUP_HEADER_BYTES = HEADER_BYTES + 4 * NUMBER_BYTES;
const NEWLINE = new Uint8Array([10]);

/** Bytes that a stream counts beside the payload: subject and headers, the expectation's too. */
const sizeOfHeaders = ({ subject, headers }: SinkMessage): number =>
  subject.length + (headers === undefined ? 0 : headers[0]![1].length + HEADER_BYTES);

class NatsWriter implements SinkWriter {
  readonly #options: NatsSinkOptions;
  readonly #context: SinkContext;
  readonly #encoder: Encoder;
  readonly #who: SinkIdentity;
  readonly #subject: string;
  #access: NatsAccess | undefined;
  #opened = false;
  #fence: Fence | undefined;
  #room: StreamRoom | undefined;
  #committed = 0;
  #epoch = 0;
  #row = 0;
  /** The way of rows that are a message each, where there is one; everything else goes through the queue. */
  #rows: RowFlow | undefined;
  #queue: SinkMessage[] = [];
  /** Rows that wait for more to share a message with (`rowsPerMessage`). */
  #group: Uint8Array[] = [];
  #groupBytes = 0;
  /** The chunk on its way; one at a time, so that order holds. */
  #sending: Promise<void> = Promise.resolve();

  constructor(options: NatsSinkOptions, schema: Schema, context: SinkContext) {
    this.#options = options;
    this.#context = context;
    this.#encoder = encoderOf(options.encoding, schema, options.text);
    this.#who = identityOf(context.queryName, context.queryId, context.partition);
    this.#subject = subjectOf(options, context.partition);
  }

  async open(committed: number): Promise<void> {
    this.#committed = committed;
    const { store, clock, alive, warn } = this.#context;
    const { access, opened } = await natsAccess("nats sink", store, this.#options.url, (url) =>
      openNats(url, clock),
    );
    this.#access = access;
    this.#opened = opened;
    const stream = await targetStream(access, this.#options, this.#subject);
    const { guarantee, rowsPerMessage } = this.#options;
    const writers = this.#options.subject === this.#subject ? 1 : this.#context.partitions;
    this.#room = StreamRoom.of({ access, stream, writers, clock, alive, warn });
    if (guarantee === "atLeastOnce" && rowsPerMessage === 1)
      this.#rows = resentRows(access, this.#subject, clock, alive);
    if (guarantee !== "exactlyOnce") return;
    const kind = fenceOf(access, stream, this.#options, this.#subject);
    this.#fence = new Fence({
      access,
      stream: stream.name,
      subject: this.#subject,
      kind,
      who: this.#who,
      clock,
      alive,
      warn,
    });
    await this.#fence.open();
    if (kind === "ownStream") this.#rows = this.#fence.rows;
  }

  begin(epoch: number): void {
    this.#epoch = epoch;
    this.#row = 0;
    this.#queue = [];
    this.#group = [];
    this.#groupBytes = 0;
    this.#sending = Promise.resolve();
  }

  get #skips(): boolean {
    return this.#options.guarantee === "atMostOnce" && this.#epoch <= this.#committed;
  }

  async write(batch: Batch): Promise<void> {
    const rows = rowCount(batch);
    const { stored } = this.#fence ?? {};
    const known = stored !== undefined && stored.epoch > this.#epoch;
    if (this.#skips || known) {
      this.#row += rows;
      return;
    }
    if (this.#rows !== undefined) return this.#write(this.#rows, this.#encoder.encodeRows(batch), rows);
    for (const payload of this.#encoder.encode(batch)) this.#add(payload);
    const chunk = this.#fence?.chunk ?? PUBLISH_WINDOW_RECORDS * 8;
    while (this.#queue.length >= chunk) await this.#flush(this.#queue.splice(0, chunk));
  }

  /** Rows that are a message each. */
  #write(flow: RowFlow, { bytes, ends }: EncodedRows, count: number): Promise<void> {
    const label = labelOf(this.#who, this.#epoch);
    const row = this.#row;
    const head = this.#fence === undefined ? 0 : label.length + NUMBER_BYTES;
    for (let i = 0; i < count; i++) this.#checkSize(row + i, ends[i + 1]! - ends[i]!, head);
    this.#row += count;
    return this.#give(flow, { epoch: this.#epoch, bytes, ends, first: 0, end: count, label, row }, head);
  }

  async #give(flow: RowFlow, rows: EpochRows, head: number): Promise<void> {
    if (this.#room === undefined) return flow.give(rows);
    const size = (i: number): number =>
      rows.ends[i + 1]! - rows.ends[i]! + this.#subject.length + (head > 0 ? head + HEADER_BYTES : 0);
    for (let { first } = rows; first < rows.end;) {
      const end = await this.#room.take(first, rows.end, size);
      await flow.give({ ...rows, first, end });
      first = end;
    }
  }

  /** `head`: bytes of the row header's value; 0 without headers. */
  #checkSize(row: number, payload: number, head: number): void {
    const size = payload + (head > 0 ? head + HEADER_BYTES : 0);
    const { maxPayload } = this.#access!;
    if (size > maxPayload)
      throw new RecordTooLargeError(
        `row ${row} of epoch ${this.#epoch} (partition ${this.#context.partition}) is a message of ${size} bytes; the server takes ${maxPayload}`,
        { hint: "raise max_payload of the server, or lower rowsPerMessage" },
      );
  }

  #add(payload: Uint8Array): void {
    const row = this.#row++;
    if (this.#options.rowsPerMessage === 1) {
      if (this.#fence?.stored.has(this.#epoch, row) !== true) this.#queue.push(this.#message(row, [payload]));
      return;
    }
    // A message holds fewer rows where so many are more than the server takes: groups may be cut anywhere (`behind`).
    const bytes = this.#groupBytes + payload.length + NEWLINE.length;
    if (bytes > this.#access!.maxPayload - this.#who.length - GROUP_HEADER_BYTES) this.#endGroup(row);
    this.#group.push(payload);
    this.#groupBytes += payload.length + NEWLINE.length;
    if (this.#group.length === this.#options.rowsPerMessage) this.#endGroup();
  }

  /** `end`: number behind the group's last row. */
  #endGroup(end = this.#row): void {
    const parts = this.#group;
    if (parts.length === 0) return;
    this.#group = [];
    this.#groupBytes = 0;
    this.#queue.push(this.#message(end - parts.length, parts));
  }

  #message(row: number, parts: readonly Uint8Array[]): SinkMessage {
    const { guarantee } = this.#options;
    const epoch = this.#epoch;
    const payload = parts.length === 1 ? parts[0]! : Buffer.concat(parts.flatMap((p) => [p, NEWLINE]));
    const value = headerOf(this.#who, epoch, row, parts.length);
    this.#checkSize(row, payload.length, guarantee === "exactlyOnce" ? value.length : 0);
    const mark = { epoch, row, rows: parts.length, subject: this.#subject, payload };
    if (guarantee !== "exactlyOnce") return mark;
    const headers: SinkMessage["headers"] = [[ROW_HEADER, value]];
    if (parts.length === 1) return { epoch, row, rows: 1, subject: this.#subject, payload, headers };
    return { ...mark, headers, behind: (n) => this.#message(row + n, parts.slice(n)) };
  }

  /** Sends a chunk when the one before it is through; waits for that one only, so that encoding goes on meanwhile. */
  async #flush(messages: readonly SinkMessage[]): Promise<void> {
    await this.#sending;
    this.#sending = this.#send(messages);
    // Its failure is met at the next flush or at the commit.
    this.#sending.catch(() => {});
  }

  async #send(messages: readonly SinkMessage[]): Promise<void> {
    if (this.#room === undefined) return this.#sendNow(messages);
    const size = (i: number): number => messages[i]!.payload.length + sizeOfHeaders(messages[i]!);
    for (let first = 0; first < messages.length;) {
      const end = await this.#room.take(first, messages.length, size);
      await this.#sendNow(messages.slice(first, end));
      first = end;
    }
  }

  async #sendNow(messages: readonly SinkMessage[]): Promise<void> {
    if (!this.#context.alive()) throw new FencedError("the nats sink's lease is gone");
    if (this.#fence !== undefined) return this.#fence.append(messages);
    if (this.#options.guarantee === "atLeastOnce") await this.#access!.publishAll(messages);
    else await this.#once(messages);
  }

  /** At most once: nothing is sent twice; what a failure swallows is gone. */
  async #once(messages: readonly NatsMessage[]): Promise<void> {
    for (let i = 0; i < messages.length; i += PUBLISH_WINDOW_RECORDS)
      await Promise.all(
        messages.slice(i, i + PUBLISH_WINDOW_RECORDS).map(async (message) => {
          try {
            await this.#access!.publish(message);
          } catch (e) {
            if (!(e instanceof UnavailableError) || e.errorClass === "NO_STREAM") throw e;
          }
        }),
      );
  }

  async commit(epoch: number): Promise<void> {
    if (epoch !== this.#epoch) throw new ConfigurationError(`epoch ${epoch} was not begun`);
    this.#endGroup();
    const rest = this.#queue;
    this.#queue = [];
    if (rest.length > 0) await this.#flush(rest);
    await this.#sending;
    await this.#rows?.settle();
    this.#committed = epoch;
  }

  async close(): Promise<void> {
    this.#rows?.close();
    if (this.#opened) await this.#access?.close();
  }
}

/** What `tell` says of the fence that the stream behind the subject allows. Throws ConfigurationError when there is no such stream. */
const withTarget = async <T>(
  spec: SinkSpec,
  context: Pick<SinkContext, "store" | "clock">,
  tell: (options: NatsSinkOptions, fence: FenceKind | undefined) => T,
): Promise<T> => {
  const options = readSinkOptions(spec);
  const { access, opened } = await natsAccess("nats sink", context.store, options.url, (url) =>
    openNats(url, context.clock),
  );
  try {
    const subject = subjectOf(options, 0);
    const stream = await targetStream(access, { ...options, createStream: false }, subject);
    const fenced = options.guarantee === "exactlyOnce";
    return tell(options, fenced ? fenceOf(access, stream, options, subject) : undefined);
  } finally {
    if (opened) await access.close();
  }
};

export const natsSinkFactory: SinkFactory = {
  format: "nats",
  optionNames: SINK_OPTIONS,
  validate(spec, schema) {
    const options = readSinkOptions(spec);
    encoderOf(options.encoding, schema, options.text);
  },
  partitioned: (spec) => readSinkOptions(spec).subject.includes("{partition}"),
  describe: (spec) => fenceText(readSinkOptions(spec), undefined),
  guarantee: (spec) => readSinkOptions(spec).guarantee,
  inspect: (spec, context) => withTarget(spec, context, fenceText),
  checkTarget: (spec, context) =>
    readSinkOptions(spec).createStream ? Promise.resolve() : withTarget(spec, context, () => undefined),
  writer: (spec: SinkSpec, schema, context) => new NatsWriter(readSinkOptions(spec), schema, context),
};
