/** Messages to records, without work for what nobody asks. */
import { headers as newHeaders, type MsgHdrs } from "nats";
import { position } from "../../core/brands.ts";
import type { LogRecord } from "../log.ts";
import type { NatsRecord } from "../nats-access.ts";
import { dataOf, digits, type Frame } from "./inbound.ts";

/** Where a message stands in its bytes. */
export type Places = Omit<Frame, "replyFrom" | "replyTo">;

export type HeaderPairs = readonly (readonly [string, string])[];

/** What the reply subject of a delivered message says: `$JS.ACK.…`, of nine tokens, or of eleven and more (ack v2). */
export interface Delivery {
  sequence: number;
  /** Matching messages behind this one. */
  pending: number;
  /** Where the time stands in the frame: nanoseconds since the epoch. */
  timeFrom: number;
  timeTo: number;
}

/** The one that `deliveryOf` gives; used again for the next message. */
const DELIVERY: Delivery = { sequence: 0, pending: 0, timeFrom: 0, timeTo: 0 };

/** Milliseconds since the epoch, microseconds as a fraction, of nanoseconds in digits. */
export const timestampOf = (b: Uint8Array, from: number, to: number): number =>
  digits(b, from, to - 6) + digits(b, to - 6, to - 3) / 1000;

const DOTS = new Int32Array(12);
const DOT = 46;
const [DOLLAR, A] = [36, 65];

/** Valid until the next call. Undefined when the message was not delivered by a consumer: a status. */
export const deliveryOf = (f: Frame): Delivery | undefined => {
  const { bytes: b, replyFrom, replyTo } = f;
  if (b[replyFrom] !== DOLLAR || b[replyFrom + 4] !== A || replyTo - replyFrom < 8) return undefined;
  let dots = 0;
  for (let i = replyFrom; i < replyTo && dots < DOTS.length; i++) if (b[i] === DOT) DOTS[dots++] = i;
  const at = dots === 8 ? 4 : dots >= 10 ? 6 : -1;
  if (at < 0) return undefined;
  const end = DOTS[at + 3]!;
  DELIVERY.sequence = digits(b, DOTS[at]! + 1, DOTS[at + 1]!);
  DELIVERY.pending = digits(b, end + 1, at + 4 < dots ? DOTS[at + 4]! : replyTo);
  DELIVERY.timeFrom = DOTS[at + 2]! + 1;
  DELIVERY.timeTo = end;
  return DELIVERY;
};

const HEADERS = "NATS/1.0";

/** The lines `Name: value` of a block of headers. */
const linesOf = (text: string): HeaderPairs | undefined => {
  const pairs: (readonly [string, string])[] = [];
  for (const line of text.split("\r\n").slice(1)) {
    const colon = line.indexOf(":");
    if (colon > 0) pairs.push([line.slice(0, colon).trim(), line.slice(colon + 1).trim()]);
  }
  return pairs.length === 0 ? undefined : pairs;
};

const pairsOf = (b: Buffer, from: number, to: number): HeaderPairs | undefined =>
  to - from <= HEADERS.length ? undefined : linesOf(b.toString("utf8", from, to));

/** Headers that the server acts on; they are not the writer's data. */
const isOwn = (name: string): boolean => !name.startsWith("Nats-");

export const recordHeaders = (pairs: HeaderPairs | undefined): Record<string, string> | undefined => {
  const own = pairs?.filter(([name]) => isOwn(name)) ?? [];
  return own.length === 0 ? undefined : Object.fromEntries(own);
};

export const logRecordOf = (f: Frame, d: Delivery): LogRecord => ({
  position: position(d.sequence),
  payload: dataOf(f),
  headers: recordHeaders(pairsOf(f.bytes, f.headersFrom, f.dataFrom)),
});

/** The time, the subject and the headers are read when somebody asks. */
export class FrameRecord implements NatsRecord {
  readonly stream: string;
  readonly sequence: number;
  readonly payload: Uint8Array;
  readonly bytes: Buffer;
  readonly timeFrom: number;
  readonly timeTo: number;
  readonly subjectFrom: number;
  readonly subjectTo: number;
  readonly headersFrom: number;
  readonly headersTo: number;

  constructor(stream: string, f: Places, d: Omit<Delivery, "pending">) {
    this.stream = stream;
    this.sequence = d.sequence;
    this.payload = dataOf(f);
    this.bytes = f.bytes;
    this.timeFrom = d.timeFrom;
    this.timeTo = d.timeTo;
    this.subjectFrom = f.subjectFrom;
    this.subjectTo = f.subjectTo;
    this.headersFrom = f.headersFrom;
    this.headersTo = f.dataFrom;
  }
  get timestamp(): number {
    return timestampOf(this.bytes, this.timeFrom, this.timeTo);
  }
  get subject(): string {
    return this.bytes.toString("utf8", this.subjectFrom, this.subjectTo);
  }
  get headers(): HeaderPairs | undefined {
    return pairsOf(this.bytes, this.headersFrom, this.headersTo);
  }
}

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
  headers: s.hdrs === undefined ? undefined : linesOf(Buffer.from(s.hdrs, "base64").toString("utf8")),
});
