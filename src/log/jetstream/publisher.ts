/**
 * Publishing with acknowledgements over one inbox per connection: the transport of the go-back-N publisher, and the pipelined
 * publish behind a predicted last sequence.
 */
import type { Msg, MsgHdrs } from "nats";
import { type RecordTooLargeError, UnavailableError } from "../../core/errors.ts";
import { PUBLISH_WINDOW_BYTES, PUBLISH_WINDOW_RECORDS, REQUEST_TIMEOUT_MS } from "../../core/limits.ts";
import type { NatsMessage } from "../nats-access.ts";
import type { PublishTransport, Sendable } from "../publish-window.ts";
import { tooLarge } from "../refusals.ts";
import { failureOf, parseAck, type PublishAck } from "./api.ts";
import type { Connection } from "./connection.ts";
import { headersOf } from "./records.ts";

type Answer = (error: unknown, ack?: PublishAck) => void;

/** Answers of a connection's publishes, by number. */
export class AckInbox {
  readonly #connection: Connection;
  readonly #subject: string;
  readonly #waiting = new Map<number, Answer>();
  #subscribed = false;
  #count = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#subject = connection.inbox();
  }

  /** Publishes; `answer` is called at most once. Gives a function that forgets the answer. */
  publish(
    m: { subject: string; payload: Uint8Array; headers: MsgHdrs | undefined },
    answer: Answer,
  ): () => void {
    const c = this.#connection;
    if (!this.#subscribed) c.subscribe(`${this.#subject}.*`, (reply) => this.#answer(reply));
    this.#subscribed = true;
    const n = ++this.#count;
    this.#waiting.set(n, answer);
    c.publish(m.subject, m.payload, `${this.#subject}.${n}`, m.headers);
    return () => void this.#waiting.delete(n);
  }

  #answer(m: Msg): void {
    const n = Number(m.subject.slice(this.#subject.length + 1));
    const answer = this.#waiting.get(n);
    if (answer === undefined) return;
    this.#waiting.delete(n);
    if (m.data.length === 0 && m.headers?.code === 503)
      return answer(
        new UnavailableError("No stream takes the record, or its leader is away", {
          errorClass: "NO_RESPONDERS",
        }),
      );
    answer(undefined, parseAck(m.data));
  }
}

/** Bytes of a message as `max_payload` counts them. */
export const wireSize = (
  payload: Uint8Array,
  headers: readonly (readonly [string, string])[] = [],
): number => {
  let bytes = payload.length;
  if (headers.length > 0) bytes += 12;
  for (const [name, value] of headers) bytes += Buffer.byteLength(name) + Buffer.byteLength(value) + 4;
  return bytes;
};

/** RecordTooLargeError when the message is above the server's `max_payload`. */
export const checkSize = (
  c: Connection,
  what: string,
  payload: Uint8Array,
  headers?: readonly (readonly [string, string])[],
): RecordTooLargeError | undefined => {
  const bytes = wireSize(payload, headers);
  return bytes > c.maxPayload ? tooLarge(what, bytes, c.maxPayload) : undefined;
};

export interface Outgoing extends Sendable {
  readonly subject: string;
  readonly headers: readonly (readonly [string, string])[] | undefined;
}

/** Attempts of one go-back-N publisher. */
export class AckTransport implements PublishTransport<Outgoing> {
  readonly #connection: Connection;
  readonly #inbox: AckInbox;
  readonly #what: string;
  readonly #maxBytes: () => number | undefined;
  readonly #onUnanswered: () => void;
  readonly #onAck: ((ack: PublishAck) => void) | undefined;
  #forget: (() => void)[] = [];

  constructor(
    connection: Connection,
    inbox: AckInbox,
    what: string,
    options: {
      readonly maxBytes?: () => number | undefined;
      /** Nobody takes the subject: the stream may be gone. */
      readonly onUnanswered?: () => void;
      readonly onAck?: (ack: PublishAck) => void;
    } = {},
  ) {
    this.#connection = connection;
    this.#inbox = inbox;
    this.#what = what;
    this.#maxBytes = options.maxBytes ?? (() => undefined);
    this.#onUnanswered = options.onUnanswered ?? (() => {});
    this.#onAck = options.onAck;
  }

  attempt(m: Outgoing, done: (error?: unknown) => void): void {
    const c = this.#connection;
    if (!c.connected) return queueMicrotask(() => done(c.ended ?? new UnavailableError("NATS is away")));
    const large = checkSize(c, this.#what, m.payload, m.headers);
    if (large !== undefined) return queueMicrotask(() => done(large));
    const headers = m.headers === undefined ? undefined : headersOf(m.headers);
    const answer: Answer = (error, ack) => {
      if (error !== undefined) {
        this.#onUnanswered();
        return done(error);
      }
      if (ack!.error !== undefined) return done(failureOf(this.#what, ack!.error, this.#maxBytes()));
      this.#onAck?.(ack!);
      done();
    };
    this.#forget.push(this.#inbox.publish({ subject: m.subject, payload: m.payload, headers }, answer));
    // Answered ones forget nothing; drop them from the list now and then.
    if (this.#forget.length > 8 * PUBLISH_WINDOW_RECORDS)
      this.#forget = this.#forget.slice(-2 * PUBLISH_WINDOW_RECORDS);
  }

  reset(): void {
    for (const f of this.#forget) f();
    this.#forget = [];
  }

  close(): void {
    this.reset();
  }
}

/**
 * Publishes behind a predicted last sequence, pipelined in a window. Resolves with the sequence of the last message; rejects with the
 * first refusal, and with UnavailableError on silence or disconnect.
 */
export const publishFenced = (
  connection: Connection,
  inbox: AckInbox,
  messages: readonly NatsMessage[],
  expectLast: number,
  stream?: string,
): Promise<number> =>
  new Promise((resolve, reject) => {
    let [next, acked, flying, heardAt] = [0, 0, 0, connection.clock.monotonic()];
    let over = false;
    const forget: (() => void)[] = [];
    const end = (error?: unknown): void => {
      if (over) return;
      over = true;
      cancel();
      unlisten();
      for (const f of forget) f();
      if (error === undefined) resolve(expectLast + messages.length);
      else reject(error as Error);
    };
    const lost = (why: string) => (): void =>
      end(connection.ended ?? new UnavailableError(`${messages[acked]?.subject ?? "publish"}: ${why}`));
    const unlisten = connection.listen({
      disconnected: lost("the connection was lost"),
      closed: lost("the connection is closed"),
    });
    let cancel = (): void => {};
    const watch = (): void => {
      cancel = connection.clock.after(REQUEST_TIMEOUT_MS, () =>
        connection.clock.monotonic() - heardAt >= REQUEST_TIMEOUT_MS ? lost("no acknowledgement")() : watch(),
      );
    };
    const send = (m: NatsMessage, sequence: number): void => {
      const headers: (readonly [string, string])[] = [
        ...(m.headers ?? []),
        ["Nats-Expected-Last-Sequence", String(sequence)],
        ...(stream === undefined ? [] : ([["Nats-Expected-Stream", stream]] as const)),
      ];
      const large = checkSize(connection, m.subject, m.payload, headers);
      if (large !== undefined) return end(large);
      const out = { subject: m.subject, payload: m.payload, headers: headersOf(headers) };
      flying += m.payload.length;
      forget.push(
        inbox.publish(out, (error, ack) => {
          if (over) return;
          heardAt = connection.clock.monotonic();
          if (error !== undefined) return end(error);
          if (ack!.error !== undefined) return end(failureOf(m.subject, ack!.error));
          flying -= m.payload.length;
          if (++acked === messages.length) end();
          else pump();
        }),
      );
    };
    const pump = (): void => {
      while (
        !over &&
        next < messages.length &&
        (next === acked || (next - acked < PUBLISH_WINDOW_RECORDS && flying < PUBLISH_WINDOW_BYTES))
      ) {
        send(messages[next]!, expectLast + next);
        next++;
      }
    };
    watch();
    if (!connection.connected) lost("NATS is away")();
    else if (messages.length === 0) end();
    else pump();
  });
