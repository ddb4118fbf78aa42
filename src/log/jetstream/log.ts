/** One log: one JetStream stream with one subject. */
import { position, type Position } from "../../core/brands.ts";
import { UnavailableError } from "../../core/errors.ts";
import type { Log, LogBounds, LogRecord, Publisher, Reader } from "../log.ts";
import { GoBackWindow } from "../publish-window.ts";
import { badPosition, conflict, full, recreated } from "../refusals.ts";
import { SpaceGuard, type StreamSpace } from "../space-guard.ts";
import {
  api,
  ApiError,
  ERR,
  failureOf,
  firstOf,
  parseAck,
  patiently,
  type StreamInfo,
  streamInfo,
} from "./api.ts";
import { AnsweredPublish, type PublishAnswer } from "./answered-publish.ts";
import type { Connection } from "./connection.ts";
import { AckInbox, AckTransport, checkSize, type Outgoing } from "./publisher.ts";
import { GuardedTransport, storedSize } from "./guarded-transport.ts";
import { ListCollector } from "./blocks.ts";
import { PullBudget, PullReader } from "./pull-reader.ts";
import {
  type HeaderPairs,
  headersOf,
  logRecordOf,
  recordHeaders,
  type StoredMessage,
  storedRecordOf,
} from "./records.ts";

/** What a log needs of its store. */
export interface LogHome {
  readonly connection: Connection;
  readonly acks: AckInbox;
  readonly answered: AnsweredPublish;
  readonly budget: PullBudget;
}

/** What logs over a connection share. */
export const homeOf = (connection: Connection): LogHome => {
  const acks = new AckInbox(connection);
  return { connection, acks, answered: new AnsweredPublish(connection, acks), budget: new PullBudget() };
};

/** What a log adds to a record beside its payload: the expectation and short headers of ours. */
const RECORD_HEAD_BYTES = 512;

const recordBytesMax = ({ maxPayload }: Connection): number => Math.max(1, maxPayload - RECORD_HEAD_BYTES);

const spaceOf = ({ state, config }: StreamInfo): StreamSpace => ({
  bytes: state.bytes,
  maxBytes: config.max_bytes,
});

const pairs = (headers: Record<string, string> | undefined): [string, string][] | undefined =>
  headers === undefined ? undefined : Object.entries(headers);

export class JetStreamLog implements Log {
  readonly name: string;
  readonly created: string;
  readonly #home: LogHome;
  readonly #stream: string;
  readonly #subject: string;
  readonly #guard: SpaceGuard;

  /** `writers`: as in LogOptions. */
  constructor(home: LogHome, name: string, subject: string, info: StreamInfo, writers?: number) {
    this.#home = home;
    this.name = name;
    this.created = info.created;
    this.#stream = info.config.name;
    this.#subject = subject;
    this.#guard = new SpaceGuard(spaceOf(info), async () => spaceOf(await this.#verified()), writers);
  }

  get recordBytesMax(): number {
    return recordBytesMax(this.#home.connection);
  }

  publisher(): Publisher {
    return new LogPublisher(this.#home, this.name, this.#subject, {
      guard: this.#guard,
      verify: () => this.#verified(),
    });
  }

  async append(
    payload: Uint8Array,
    options: { expectLast?: Position; headers?: Record<string, string> } = {},
  ): Promise<Position> {
    const c = this.#home.connection;
    const headers = pairs(options.headers) ?? [];
    const { expectLast } = options;
    if (expectLast !== undefined) headers.push(["Nats-Expected-Last-Sequence", String(expectLast)]);
    const large = checkSize(c, this.name, payload, headers);
    if (large !== undefined) throw large;
    const bytes = storedSize({ subject: this.#subject, payload, headers });
    if (!(this.#guard.admits(bytes) ?? (await this.#guard.ask(bytes))))
      throw full(this.name, this.#guard.maxBytes);
    if (expectLast !== undefined && c.connected) return this.#appendBehind(payload, headers, expectLast);
    const ack = parseAck((await this.#request(payload, headers)).data);
    if (ack.error === undefined) return position(ack.seq!);
    if (ack.error.err_code === ERR.wrongLastSequence && options.expectLast !== undefined)
      throw conflict(this.name, options.expectLast, lastOf(ack.error.description));
    throw failureOf(this.name, ack.error, this.#guard.maxBytes);
  }

  async #appendBehind(payload: Uint8Array, headers: HeaderPairs, expectLast: Position): Promise<Position> {
    const { sequence, refused } = await this.#publish(payload, headers);
    if (refused === undefined) return position(sequence);
    if (refused.err_code === ERR.wrongLastSequence)
      throw conflict(this.name, expectLast, lastOf(refused.description));
    throw failureOf(this.name, refused, this.#guard.maxBytes);
  }

  async #publish(payload: Uint8Array, headers: HeaderPairs): Promise<PublishAnswer> {
    try {
      return await this.#home.answered.send({ subject: this.#subject, payload, headers });
    } catch (e) {
      // Nobody takes the subject: nothing was stored; the stream may be gone.
      if (e instanceof UnavailableError && e.errorClass === "NO_RESPONDERS") await this.#verified();
      throw e;
    }
  }

  async #request(payload: Uint8Array, headers: readonly (readonly [string, string])[]) {
    const h = headers.length === 0 ? undefined : headersOf(headers);
    try {
      return await this.#home.connection.request(this.#subject, payload, h);
    } catch (e) {
      // Nobody takes the subject: nothing was stored; the stream may be gone.
      if (e instanceof UnavailableError && e.errorClass === "NO_RESPONDERS") await this.#verified();
      throw e;
    }
  }

  reader(from: Position): Reader {
    if (!Number.isSafeInteger(from) || from < 1) throw badPosition(this.name, from);
    return new PullReader({
      ...this.#home,
      stream: this.#stream,
      what: this.name,
      from,
      created: this.created,
      contiguous: true,
      onGap: "fail",
      collector: new ListCollector(logRecordOf),
    });
  }

  async get(at: Position): Promise<LogRecord | undefined> {
    const stored = await patiently(this.#home.connection, this.name, () =>
      storedMessage(this.#home.connection, this.#stream, { seq: at }),
    );
    if (stored === undefined) {
      await this.#info();
      return undefined;
    }
    const r = storedRecordOf(this.#stream, stored);
    return { position: at, payload: r.payload, headers: recordHeaders(r.headers) };
  }

  async bounds(): Promise<LogBounds> {
    const info = await this.#info();
    return {
      first: position(firstOf(info)),
      last: position(info.state.last_seq),
      created: info.created,
      bytes: info.state.bytes,
      maxBytes: info.config.max_bytes,
    };
  }

  async trim(to: Position): Promise<void> {
    // A purge above the last sequence would skip positions (L1).
    const info = await this.#info();
    const seq = Math.min(to, info.state.last_seq + 1);
    if (seq <= firstOf(info)) return;
    await this.#change(`STREAM.PURGE.${this.#stream}`, { seq });
  }

  async setMaxBytes(maxBytes: number): Promise<void> {
    const info = await this.#info();
    await this.#change(`STREAM.UPDATE.${this.#stream}`, { ...info.config, max_bytes: maxBytes });
    this.#guard.take(spaceOf(await this.#info()));
  }

  async #change(subject: string, body: object): Promise<void> {
    await patiently(this.#home.connection, this.name, async () => {
      try {
        await api(this.#home.connection, subject, body);
      } catch (e) {
        throw e instanceof ApiError ? failureOf(this.name, e.failure) : e;
      }
    });
  }

  #info(): Promise<StreamInfo> {
    return patiently(this.#home.connection, this.name, () => this.#verified());
  }

  /** The stream as it is; LogRecreatedError when it is another one or none. */
  async #verified(): Promise<StreamInfo> {
    const info = await streamInfo(this.#home.connection, this.#stream);
    if (info?.created !== this.created) throw recreated(this.name, this.created, info?.created);
    return info;
  }
}

/** `wrong last sequence: 7` */
const lastOf = (text: string | undefined): number | undefined => {
  const found = /: (\d+)/.exec(text ?? "")?.[1];
  return found === undefined ? undefined : Number(found);
};

/** One message out of a stream, or undefined. */
export const storedMessage = async (
  c: Connection,
  stream: string,
  which: { seq: number } | { last_by_subj: string },
): Promise<StoredMessage | undefined> => {
  try {
    return (await api<{ message: StoredMessage }>(c, `STREAM.MSG.GET.${stream}`, which)).message;
  } catch (e) {
    if (!(e instanceof ApiError)) throw e;
    const code = e.failure.err_code;
    if (code === ERR.noMessage || code === ERR.streamNotFound || e.failure.code === 404) return undefined;
    throw failureOf(stream, e.failure);
  }
};

/** The go-back-N publisher of a log; after a reconnect it looks whether the log is still the same (L4). */
class LogPublisher implements Publisher {
  readonly #connection: Connection;
  readonly #window: GoBackWindow<Outgoing>;
  readonly #subject: string;
  readonly #unlisten: () => void;

  constructor(
    home: LogHome,
    name: string,
    subject: string,
    log: { guard: SpaceGuard; verify: () => Promise<unknown> },
  ) {
    const { connection } = home;
    this.#connection = connection;
    let verifying = false;
    const verify = (): void => {
      if (verifying) return;
      verifying = true;
      log
        .verify()
        .catch((e: unknown) => {
          if (!(e instanceof UnavailableError)) this.#window.fail(e);
        })
        .finally(() => (verifying = false));
    };
    const transport = new AckTransport(connection, home.acks, name, {
      maxBytes: () => log.guard.maxBytes,
      onUnanswered: verify,
    });
    this.#subject = subject;
    this.#window = new GoBackWindow(new GuardedTransport(transport, log.guard, name), connection.clock);
    this.#unlisten = connection.listen({
      disconnected: () => this.#window.interrupt(),
      reconnected: () => {
        verify();
        this.#window.retryNow();
      },
      denied: (_, denied) => {
        if (denied === subject)
          this.#window.fail(
            failureOf(name, { code: 403, description: `publishing to ${denied} is not permitted` }),
          );
      },
      closed: (error) => this.#window.fail(error),
    });
  }

  get recordBytesMax(): number {
    return recordBytesMax(this.#connection);
  }

  send(payload: Uint8Array, headers?: Record<string, string>): Promise<void> | undefined {
    return this.#window.offer({ subject: this.#subject, payload, headers: pairs(headers) });
  }

  delivered(): Promise<void> {
    return this.#window.delivered();
  }

  onFull(handler: (limit: string, oldest: Uint8Array) => void): void {
    this.#window.onFull(handler);
  }

  fail(error: unknown): void {
    this.#window.fail(error);
  }

  close(): void {
    this.#unlisten();
    this.#window.close();
  }
}
