/**
 * Publishing with acknowledgements over one inbox per connection: the transport of the go-back-N publisher, and the pipelined
 * publish behind a predicted last sequence.
 */
import { type RecordTooLargeError, UnavailableError } from "../../core/errors.ts";
import { PIPE_WINDOW_RECORDS, PUBLISH_WINDOW_BYTES, REQUEST_TIMEOUT_MS } from "../../core/limits.ts";
import type { NatsMessage } from "../nats-access.ts";
import type { PublishTransport, Sendable } from "../publish-window.ts";
import { tooLarge } from "../refusals.ts";
import { type ApiFailure, failureOf, parseAck } from "./api.ts";
import type { Connection } from "./connection.ts";
import { dataOf, digits, type Frame, statusOf } from "./inbound.ts";

/** What came back for publish `n` of a lane: its sequence, or nobody took it, or the server's refusal. */
type Answer = (
  n: number,
  sequence: number,
  unanswered: UnavailableError | undefined,
  refused: ApiFailure | undefined,
) => void;

const [DOT, ZERO, NINE, CLOSE] = [46, 48, 57, 125];

/** What stood before the sequence in the last answer that was read by its text: most answers begin alike. */
let usual = new Uint8Array(0);

const startsUsually = (b: Uint8Array, from: number, to: number): boolean => {
  if (to - from !== usual.length) return false;
  for (let i = 0; i < usual.length; i++) if (b[from + i] !== usual[i]) return false;
  return true;
};

/** The sequence in `{"stream":"S", "seq":7}`; undefined for any other answer. */
const plainSequence = ({ bytes: b, dataFrom, dataTo }: Frame): number | undefined => {
  const end = dataTo - 1;
  let p = end;
  while (p > dataFrom && b[p - 1]! >= ZERO && b[p - 1]! <= NINE) p--;
  if (p >= end || b[end] !== CLOSE) return undefined;
  if (!startsUsually(b, dataFrom, p)) {
    if (!/^\{"stream":"[^"\\]*", ?"seq":$/.test(b.toString("latin1", dataFrom, p))) return undefined;
    usual = new Uint8Array(b.subarray(dataFrom, p));
  }
  return digits(b, p, end);
};

/** Publishes that are answered together: numbered from 0, forgotten together. */
export class AckLane {
  readonly #connection: Connection;
  /** Subject of an answer, but for the number of the publish. */
  readonly prefix: string;
  readonly #close: () => void;
  #count = 0;

  constructor(connection: Connection, prefix: string, close: () => void) {
    this.#connection = connection;
    this.prefix = prefix;
    this.#close = close;
  }

  /** Gives the number of the publish. */
  publish(m: Outgoing): number {
    const n = this.#count++;
    this.#connection.publishWith(m.subject, `${this.prefix}${n}`, m.payload, m.headers);
    return n;
  }

  close(): void {
    this.#close();
  }
}

/** Answers of a connection's publishes: one subscription, a lane per publisher. */
export class AckInbox {
  readonly #connection: Connection;
  readonly #subject: string;
  readonly #lanes = new Map<number, Answer>();
  #subscribed = false;
  #count = 0;

  constructor(connection: Connection) {
    this.#connection = connection;
    this.#subject = connection.inbox();
  }

  lane(answer: Answer): AckLane {
    if (!this.#subscribed) this.#connection.frames(`${this.#subject}.*.*`, (f) => this.#answer(f));
    this.#subscribed = true;
    const id = ++this.#count;
    this.#lanes.set(id, answer);
    return new AckLane(this.#connection, `${this.#subject}.${id}.`, () => void this.#lanes.delete(id));
  }

  #answer(f: Frame): void {
    const { bytes: b, subjectTo } = f;
    let p = subjectTo;
    while (b[p - 1] !== DOT) p--;
    let q = p - 1;
    while (b[q - 1] !== DOT) q--;
    const answer = this.#lanes.get(digits(b, q, p - 1));
    if (answer === undefined) return;
    const n = digits(b, p, subjectTo);
    const sequence = plainSequence(f);
    if (sequence !== undefined) return answer(n, sequence, undefined, undefined);
    if (f.dataFrom === f.dataTo && statusOf(f)?.code === 503)
      return answer(
        n,
        0,
        new UnavailableError("No stream takes the record, or its leader is away", {
          errorClass: "NO_RESPONDERS",
        }),
        undefined,
      );
    const ack = parseAck(dataOf(f));
    answer(n, ack.seq ?? 0, undefined, ack.error);
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

/** A bound of `wireSize` that needs no look at the texts. */
const boundOf = (payload: Uint8Array, headers: readonly (readonly [string, string])[] = []): number => {
  let bytes = payload.length + 12;
  for (const [name, value] of headers) bytes += 3 * (name.length + value.length) + 4;
  return bytes;
};

/** RecordTooLargeError when the message is above the server's `max_payload`. */
export const checkSize = (
  c: Connection,
  what: string,
  payload: Uint8Array,
  headers?: readonly (readonly [string, string])[],
): RecordTooLargeError | undefined => {
  if (boundOf(payload, headers) <= c.maxPayload) return undefined;
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
  readonly #onAck: ((sequence: number) => void) | undefined;
  #lane: AckLane | undefined;
  readonly #waiting = new Map<number, (error?: unknown) => void>();

  constructor(
    connection: Connection,
    inbox: AckInbox,
    what: string,
    options: {
      readonly maxBytes?: () => number | undefined;
      /** Nobody takes the subject: the stream may be gone. */
      readonly onUnanswered?: () => void;
      readonly onAck?: (sequence: number) => void;
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
    this.#lane ??= this.#open();
    const n = this.#lane.publish(m);
    this.#waiting.set(n, done);
  }

  #open(): AckLane {
    return this.#inbox.lane((n, sequence, unanswered, refused) => {
      const done = this.#waiting.get(n);
      if (done === undefined) return;
      this.#waiting.delete(n);
      if (unanswered !== undefined) {
        this.#onUnanswered();
        return done(unanswered);
      }
      if (refused !== undefined) return done(failureOf(this.#what, refused, this.#maxBytes()));
      this.#onAck?.(sequence);
      done();
    });
  }

  /** What was sent is not waited for any more. */
  reset(): void {
    this.#lane?.close();
    this.#lane = undefined;
    this.#waiting.clear();
  }

  close(): void {
    this.reset();
  }
}

/** The messages of one `publishFenced` on their way. */
class FencedPublish {
  readonly #connection: Connection;
  readonly #messages: readonly NatsMessage[];
  readonly #expectLast: number;
  readonly #stream: string | undefined;
  readonly #lane: AckLane;
  readonly #ended: (error?: unknown) => void;
  readonly #unlisten: () => void;
  #cancel = (): void => {};
  #next = 0;
  #acked = 0;
  #flying = 0;
  #heardAt: number;
  /** A full window is filled again when half of it is answered: a few large writes instead of one per answer. */
  #full = false;
  #over = false;

  constructor(
    connection: Connection,
    inbox: AckInbox,
    messages: readonly NatsMessage[],
    expectLast: number,
    stream: string | undefined,
    ended: (error?: unknown) => void,
  ) {
    this.#connection = connection;
    this.#messages = messages;
    this.#expectLast = expectLast;
    this.#stream = stream;
    this.#ended = ended;
    this.#heardAt = connection.clock.monotonic();
    this.#unlisten = connection.listen({
      disconnected: () => this.#lost("the connection was lost"),
      closed: () => this.#lost("the connection is closed"),
    });
    this.#lane = inbox.lane((n, _, unanswered, refused) => this.#answer(n, unanswered, refused));
  }

  start(): void {
    this.#watch();
    if (!this.#connection.connected) this.#lost("NATS is away");
    else if (this.#messages.length === 0) this.#end();
    else this.#pump();
  }

  #end(error?: unknown): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancel();
    this.#unlisten();
    this.#lane.close();
    this.#ended(error);
  }

  #lost(why: string): void {
    const what = this.#messages[this.#acked]?.subject ?? "publish";
    this.#end(this.#connection.ended ?? new UnavailableError(`${what}: ${why}`));
  }

  #watch(): void {
    const { clock } = this.#connection;
    this.#cancel = clock.after(REQUEST_TIMEOUT_MS, () =>
      clock.monotonic() - this.#heardAt >= REQUEST_TIMEOUT_MS
        ? this.#lost("no acknowledgement")
        : this.#watch(),
    );
  }

  #answer(n: number, unanswered: unknown, refused: ApiFailure | undefined): void {
    if (this.#over) return;
    this.#heardAt = this.#connection.clock.monotonic();
    if (unanswered !== undefined) return this.#end(unanswered);
    const { subject, payload } = this.#messages[n]!;
    if (refused !== undefined) return this.#end(failureOf(subject, refused));
    this.#flying -= payload.length;
    if (++this.#acked === this.#messages.length) return this.#end();
    const half =
      2 * (this.#next - this.#acked) <= PIPE_WINDOW_RECORDS && 2 * this.#flying <= PUBLISH_WINDOW_BYTES;
    if (!this.#full || half) this.#pump();
  }

  #pump(): void {
    this.#full = false;
    while (!this.#over && this.#next < this.#messages.length) {
      const room = this.#next - this.#acked < PIPE_WINDOW_RECORDS && this.#flying < PUBLISH_WINDOW_BYTES;
      if (this.#next !== this.#acked && !room) {
        this.#full = true;
        return;
      }
      const n = this.#next++;
      this.#send(this.#messages[n]!, this.#expectLast + n);
    }
  }

  #send({ subject, payload, headers: own = [] }: NatsMessage, sequence: number): void {
    const headers: (readonly [string, string])[] = [
      ...own,
      ["Nats-Expected-Last-Sequence", String(sequence)],
      ...(this.#stream === undefined ? [] : ([["Nats-Expected-Stream", this.#stream]] as const)),
    ];
    const large = checkSize(this.#connection, subject, payload, headers);
    if (large !== undefined) return this.#end(large);
    this.#flying += payload.length;
    this.#lane.publish({ subject, payload, headers });
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
    const ended = (error?: unknown): void => {
      if (error === undefined) resolve(expectLast + messages.length);
      else reject(error as Error);
    };
    new FencedPublish(connection, inbox, messages, expectLast, stream, ended).start();
  });
