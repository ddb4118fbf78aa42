/** Messages of the client to records, without work for what nobody asks. */
import { headers as newHeaders, type Msg, type MsgHdrs } from "nats";
import { position } from "../../core/brands.ts";
import type { LogRecord } from "../log.ts";
import type { NatsRecord } from "../nats-access.ts";

export type HeaderPairs = readonly (readonly [string, string])[];

/** What the reply subject of a delivered message says: `$JS.ACK.…`, of nine tokens, or of eleven and more (ack v2). */
export interface Delivery {
  readonly sequence: number;
  /** Nanoseconds since the epoch, decimal. */
  readonly time: string;
  /** Matching messages behind this one. */
  readonly pending: number;
}

export const deliveryOf = (reply: string | undefined): Delivery | undefined => {
  if (reply === undefined || !reply.startsWith("$JS.ACK.")) return undefined;
  const tokens = reply.split(".");
  const at = tokens.length === 9 ? 5 : tokens.length >= 11 ? 7 : -1;
  if (at < 0) return undefined;
  return { sequence: Number(tokens[at]), time: tokens[at + 2]!, pending: Number(tokens[at + 3]) };
};

/** Milliseconds with microseconds as a fraction. */
export const millisOf = (nanos: string): number =>
  Number(nanos.slice(0, -6)) + Number(nanos.slice(-6, -3)) / 1000;

export const pairsOf = (headers: MsgHdrs | undefined): HeaderPairs | undefined => {
  if (headers === undefined) return undefined;
  const out: (readonly [string, string])[] = [];
  for (const [name, values] of headers) for (const v of values) out.push([name, v]);
  return out.length === 0 ? undefined : out;
};

/** Headers that the server acts on; they are not the writer's data. */
const isOwn = (name: string): boolean => !name.startsWith("Nats-");

export const recordHeaders = (pairs: HeaderPairs | undefined): Record<string, string> | undefined => {
  const own = pairs?.filter(([name]) => isOwn(name)) ?? [];
  return own.length === 0 ? undefined : Object.fromEntries(own);
};

export const logRecordOf = (m: Msg, d: Delivery): LogRecord => ({
  position: position(d.sequence),
  payload: m.data,
  headers: recordHeaders(pairsOf(m.headers)),
});

class MessageRecord implements NatsRecord {
  readonly stream: string;
  readonly sequence: number;
  readonly #message: Msg;
  readonly #time: string;

  constructor(stream: string, m: Msg, d: Delivery) {
    this.stream = stream;
    this.sequence = d.sequence;
    this.#message = m;
    this.#time = d.time;
  }
  get subject(): string {
    return this.#message.subject;
  }
  get payload(): Uint8Array {
    return this.#message.data;
  }
  get timestamp(): number {
    return millisOf(this.#time);
  }
  get headers(): HeaderPairs | undefined {
    return pairsOf(this.#message.headers);
  }
}

export const natsRecordOf = (stream: string, m: Msg, d: Delivery): NatsRecord =>
  new MessageRecord(stream, m, d);

export const headersOf = (pairs: HeaderPairs): MsgHdrs => {
  const h = newHeaders();
  for (const [name, value] of pairs) h.append(name, value);
  return h;
};

/** A message as `STREAM.MSG.GET` answers it: base64 inside JSON. */
export interface StoredMessage {
  readonly subject: string;
  readonly seq: number;
  readonly hdrs?: string;
  readonly data?: string;
  readonly time: string;
}

/** Header lines `NATS/1.0\r\nName: value\r\n…` */
const parseHeaders = (base64: string): HeaderPairs | undefined => {
  const pairs: (readonly [string, string])[] = [];
  for (const line of Buffer.from(base64, "base64").toString("utf8").split("\r\n").slice(1)) {
    const colon = line.indexOf(":");
    if (colon > 0) pairs.push([line.slice(0, colon), line.slice(colon + 1).trim()]);
  }
  return pairs.length === 0 ? undefined : pairs;
};

/** RFC 3339 with nanoseconds. */
const parseTime = (text: string): number => {
  const fraction = /\.(\d+)/.exec(text)?.[1]?.padEnd(6, "0") ?? "000000";
  return (
    Date.parse(text.replace(/\.\d+/, "")) + Number(fraction.slice(0, 3)) + Number(fraction.slice(3, 6)) / 1000
  );
};

export const storedRecordOf = (stream: string, s: StoredMessage): NatsRecord => ({
  stream,
  subject: s.subject,
  sequence: s.seq,
  timestamp: parseTime(s.time),
  payload: new Uint8Array(Buffer.from(s.data ?? "", "base64")),
  headers: s.hdrs === undefined ? undefined : parseHeaders(s.hdrs),
});
