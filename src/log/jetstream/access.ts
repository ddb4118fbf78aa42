/** NatsAccess over a connection. */
import { UnavailableError } from "../../core/errors.ts";
import { PIPE_WINDOW_RECORDS } from "../../core/limits.ts";
import { STREAM_PREFIX } from "../names.ts";
import type {
  NatsAccess,
  NatsAck,
  NatsBlockReader,
  NatsExpectation,
  NatsMessage,
  NatsPipe,
  NatsPipeOptions,
  NatsReader,
  NatsReaderOptions,
  NatsRecord,
  NatsStream,
} from "../nats-access.ts";
import { GoBackWindow } from "../publish-window.ts";
import {
  ApiError,
  ERR,
  failureOf,
  firstOf,
  pages,
  parseAck,
  patiently,
  type StreamInfo,
  streamInfo,
} from "./api.ts";
import { BlockCollector, type Collector, ListCollector } from "./blocks.ts";
import { createStream, expectationHeaders, hasAtomicBatches, publishAtomic } from "./capabilities.ts";
import { Connection, type NatsOptions } from "./connection.ts";
import { homeOf, type LogHome, storedMessage } from "./log.ts";
import { AckTransport, checkSize, type Outgoing, publishFenced } from "./publisher.ts";
import { PullReader } from "./pull-reader.ts";
import { RowPipe } from "./row-pipe.ts";
import { FrameRecord, headersOf, storedRecordOf } from "./records.ts";

const streamOf = (info: StreamInfo): NatsStream => ({
  name: info.config.name,
  subjects: info.config.subjects ?? [],
  firstSequence: firstOf(info),
  lastSequence: info.state.last_seq,
  messages: info.state.messages,
  bytes: info.state.bytes,
  created: info.created,
  atomicBatches: hasAtomicBatches(info),
  replicas: info.config.num_replicas,
  maxBytes: info.config.max_bytes,
  discardsNew: info.config.discard === "new",
  compacted: (info.config.max_msgs_per_subject ?? -1) > 0,
});

const matcher = (pattern: string): RegExp =>
  new RegExp(
    `^${pattern
      .split("*")
      .map((s) => s.replace(/[\\^$.|?+()[\]{}]/g, "\\$&"))
      .join(".*")}$`,
  );

export class JetStreamAccess implements NatsAccess {
  readonly #home: LogHome;

  constructor(home: LogHome) {
    this.#home = home;
  }

  get maxPayload(): number {
    return this.#home.connection.maxPayload;
  }

  get serverVersion(): string {
    return this.#home.connection.serverVersion;
  }

  get ended(): unknown {
    return this.#home.connection.ended;
  }

  async stream(name: string): Promise<NatsStream | undefined> {
    const info = await this.#patiently(name, () => streamInfo(this.#home.connection, name));
    return info === undefined ? undefined : streamOf(info);
  }

  async streams(pattern: string): Promise<readonly NatsStream[]> {
    if (!pattern.includes("*")) {
      const one = pattern.startsWith(STREAM_PREFIX) ? undefined : await this.stream(pattern);
      return one === undefined ? [] : [one];
    }
    const wanted = matcher(pattern);
    const infos = await this.#patiently(pattern, () =>
      pages<StreamInfo>(this.#home.connection, "STREAM.LIST", {}, (a) => a["streams"] as StreamInfo[]),
    );
    return infos
      .filter((i) => wanted.test(i.config.name) && !i.config.name.startsWith(STREAM_PREFIX))
      .map(streamOf)
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  streamsOfSubject(subject: string): Promise<readonly string[]> {
    return this.#patiently(subject, () =>
      pages<string>(this.#home.connection, "STREAM.NAMES", { subject }, (a) => a["streams"] as string[]),
    );
  }

  async createStream(options: Parameters<NatsAccess["createStream"]>[0]): Promise<NatsStream> {
    const c = this.#home.connection;
    const config = {
      name: options.name,
      subjects: options.subjects,
      retention: "limits",
      storage: "file",
      discard: "new" as const,
      max_bytes: options.maxBytes ?? -1,
      max_msgs: -1,
      max_age: 0,
      num_replicas: options.replicas ?? 1,
    };
    const info = await this.#patiently(options.name, async () => {
      const existing = await streamInfo(c, options.name);
      if (existing !== undefined) return existing;
      try {
        return await createStream(c, config, options.atomic === true);
      } catch (e) {
        if (!(e instanceof ApiError)) throw e;
        const made =
          e.failure.err_code === ERR.streamNameInUse ? await streamInfo(c, options.name) : undefined;
        if (made !== undefined) return made;
        throw failureOf(options.name, e.failure);
      }
    });
    return streamOf(info);
  }

  message(stream: string, sequence: number): Promise<NatsRecord | undefined> {
    return this.#stored(stream, { seq: sequence });
  }

  lastOfSubject(stream: string, subject: string): Promise<NatsRecord | undefined> {
    return this.#stored(stream, { last_by_subj: subject });
  }

  async #stored(
    stream: string,
    which: { seq: number } | { last_by_subj: string },
  ): Promise<NatsRecord | undefined> {
    const found = await this.#patiently(stream, () => storedMessage(this.#home.connection, stream, which));
    return found === undefined ? undefined : storedRecordOf(stream, found);
  }

  reader(stream: string, options: NatsReaderOptions): NatsReader {
    return this.#reader(
      stream,
      options,
      new ListCollector<NatsRecord>((f, d) => new FrameRecord(stream, f, d)),
    );
  }

  blocks(stream: string, options: NatsReaderOptions): NatsBlockReader {
    return this.#reader(stream, options, new BlockCollector(stream));
  }

  #reader<T>(stream: string, options: NatsReaderOptions, collector: Collector<T>): PullReader<T> {
    return new PullReader({
      ...this.#home,
      stream,
      what: stream,
      from: options.from,
      ...(options.to === undefined ? {} : { to: options.to }),
      ...(options.filter === undefined ? {} : { filter: options.filter }),
      ...(options.created === undefined ? {} : { created: options.created }),
      contiguous: false,
      onGap: options.onGap ?? "fail",
      collector,
    });
  }

  async publish(message: NatsMessage, expect: NatsExpectation = {}): Promise<NatsAck> {
    const c = this.#home.connection;
    const headers = [...(message.headers ?? []), ...expectationHeaders(expect)];
    const large = checkSize(c, message.subject, message.payload, headers);
    if (large !== undefined) throw large;
    const h = headers.length === 0 ? undefined : headersOf(headers);
    let data: Uint8Array;
    try {
      data = (await c.request(message.subject, message.payload, h)).data;
    } catch (e) {
      if (e instanceof UnavailableError && e.errorClass === "NO_RESPONDERS")
        throw new UnavailableError(`No stream stores the subject ${message.subject}, or its leader is away`, {
          errorClass: "NO_STREAM",
          cause: e,
        });
      throw e;
    }
    const ack = parseAck(data);
    if (ack.error !== undefined) throw failureOf(message.subject, ack.error);
    if (ack.stream === undefined || ack.seq === undefined)
      throw new UnavailableError(`${message.subject}: somebody answers who is no stream`);
    return { stream: ack.stream, sequence: ack.seq, duplicate: ack.duplicate === true };
  }

  async publishAll(
    messages: readonly NatsMessage[],
    options: NonNullable<Parameters<NatsAccess["publishAll"]>[1]> = {},
  ): Promise<number> {
    const { connection, acks } = this.#home;
    if (options.expectLast !== undefined)
      return publishFenced(connection, acks, messages, options.expectLast, options.stream);
    if (messages.length === 0) return 0;
    let last = 0;
    const transport = new AckTransport(connection, acks, messages[0]!.subject, {
      onAck: (sequence) => (last = Math.max(last, sequence)),
    });
    const window = new GoBackWindow<Outgoing>(transport, connection.clock, PIPE_WINDOW_RECORDS);
    if (options.onFull !== undefined) window.onFull(options.onFull);
    const unlisten = connection.listen({
      disconnected: () => window.interrupt(),
      reconnected: () => window.retryNow(),
      denied: (_, subject) =>
        window.fail(
          failureOf(subject, { code: 403, description: `publishing to ${subject} is not permitted` }),
        ),
      closed: (e) => window.fail(e),
    });
    const stream = options.stream === undefined ? [] : [["Nats-Expected-Stream", options.stream] as const];
    try {
      for (const m of messages) {
        const headers = stream.length === 0 ? m.headers : [...(m.headers ?? []), ...stream];
        const wait = window.offer({ subject: m.subject, payload: m.payload, headers });
        if (wait !== undefined) await wait;
      }
      await window.delivered();
      return last;
    } finally {
      unlisten();
      window.close();
    }
  }

  pipe(options: NatsPipeOptions): NatsPipe {
    return new RowPipe(this.#home.connection, this.#home.acks, options);
  }

  atomicBatch(messages: readonly NatsMessage[], expect: NatsExpectation = {}): Promise<number> {
    return publishAtomic(this.#home.connection, messages, expect);
  }

  close(): Promise<void> {
    return this.#home.connection.close();
  }

  #patiently<T>(what: string, call: () => Promise<T>): Promise<T> {
    return patiently(this.#home.connection, what, call);
  }
}

/** A broker of its own for a connector that names other servers than the application's. */
export const openNats = async (options: NatsOptions): Promise<NatsAccess> => {
  const connection = await Connection.open(options);
  return new JetStreamAccess(homeOf(connection));
};
