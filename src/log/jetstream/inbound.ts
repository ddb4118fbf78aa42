/**
 * The way in of a connection: bytes of the socket to the messages of our own subscriptions, without an object, a text or a copy per message. The client's
 * parser spends three microseconds on a message; everything that is not a message of ours still goes through it.
 *
 * I1 What the client's parser gets are whole lines and whole messages, in order. I2 A subscription that is not ours is none of our business. I3 A new
 *    parser of the client (it makes one per dial) means a new connection: what was left of the old one is dropped.
 */

/** One message inside `bytes`; the object is used again for the next one. */
export interface Frame {
  bytes: Buffer;
  subjectFrom: number;
  subjectTo: number;
  /** Without a reply subject both are 0. */
  replyFrom: number;
  replyTo: number;
  /** Headers stand from `headersFrom` to `dataFrom`; none when they are equal. */
  headersFrom: number;
  dataFrom: number;
  dataTo: number;
}

export type FrameHandler = (frame: Frame) => void;

/** What we need of the client's parser. */
export interface ClientParser {
  parse(bytes: Uint8Array): void;
}

const [CR, LF, SPACE, TAB, H, M] = [13, 10, 32, 9, 72, 77];
const TOKENS_MAX = 6;

export class Inbound implements ClientParser {
  readonly #handlers = new Map<number, FrameHandler>();
  readonly #frame: Frame = {
    bytes: Buffer.alloc(0),
    subjectFrom: 0,
    subjectTo: 0,
    replyFrom: 0,
    replyTo: 0,
    headersFrom: 0,
    dataFrom: 0,
    dataTo: 0,
  };
  readonly #from = new Int32Array(TOKENS_MAX);
  readonly #to = new Int32Array(TOKENS_MAX);
  #tokens = 0;
  #client: ClientParser;
  /** The beginning of a message that is not here yet, and how many bytes are worth another look. */
  #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #wanted = 0;
  /** Whether not even the line of what waits is complete, so that its length is not known. */
  #lineCut = false;

  constructor(client: ClientParser) {
    this.#client = client;
  }

  /** The client made another parser (I3). */
  renew(client: ClientParser): void {
    this.#client = client;
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#wanted = 0;
  }

  add(sid: number, handler: FrameHandler): void {
    this.#handlers.set(sid, handler);
  }

  remove(sid: number): void {
    this.#handlers.delete(sid);
  }

  parse(chunk: Uint8Array): void {
    const b = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
    const begin = this.#waiting.length > 0 ? this.#complete(b) : 0;
    if (begin === b.length) return;
    const p = this.#whole(b, begin);
    if (p < b.length) this.#wait(b, p);
  }

  /** Keeps the beginning of a message, which stands at `p`, until the rest is here. */
  #wait(b: Buffer, p: number): void {
    this.#waiting = [p === 0 ? b : b.subarray(p)];
    this.#waitingBytes = b.length - p;
    this.#wanted -= p;
  }

  /**
   * Joins what waits with the part of `b` that belongs to it, and nothing else: the messages behind it are read where they are. Gives the
   * position behind that part.
   */
  #complete(b: Buffer): number {
    for (let p = 0; p < b.length;) {
      let to = p + this.#wanted - this.#waitingBytes;
      if (this.#lineCut) {
        const feed = b.indexOf(LF, p);
        to = feed < 0 ? b.length : feed + 1;
      }
      const part = b.subarray(p, to);
      this.#waiting.push(part);
      this.#waitingBytes += part.length;
      p += part.length;
      if (this.#waitingBytes < this.#wanted) return p;
      const joined = Buffer.concat(this.#waiting, this.#waitingBytes);
      this.#waiting = [];
      const behind = this.#whole(joined, 0);
      if (behind === joined.length) return p;
      this.#wait(joined, behind);
    }
    return b.length;
  }

  /** Handles what is whole; gives the position behind it, and sets `#wanted` for what is not. */
  #whole(b: Buffer, from: number): number {
    for (let p = from; ;) {
      this.#lineCut = false;
      if (p === b.length) return p;
      const kind = b[p]!;
      const cr = kind === M || kind === H ? this.#line(b, p) : b.indexOf(CR, p);
      if (cr < 0 || cr + 2 > b.length) {
        this.#wanted = b.length + 1;
        this.#lineCut = true;
        return p;
      }
      let end = cr + 2;
      if (kind === M || kind === H) {
        end += this.#number(b, this.#tokens - 1) + 2;
        if (end > b.length) {
          this.#wanted = end;
          return p;
        }
        const handler = this.#handlers.get(this.#number(b, 2));
        if (handler !== undefined) {
          this.#open(b, kind === H, cr + 2, end - 2);
          handler(this.#frame);
          p = end;
          continue;
        }
      }
      this.#client.parse(b.subarray(p, end));
      p = end;
    }
  }

  /** Finds the tokens of a line; gives the position of its end, -1 when it is not here. */
  #line(b: Buffer, p: number): number {
    const [from, to] = [this.#from, this.#to];
    let n = 0;
    let start = -1;
    for (const { length } = b; p < length; p++) {
      const c = b[p]!;
      if (c === SPACE || c === TAB || c === CR) {
        if (start >= 0 && n < TOKENS_MAX) {
          from[n] = start;
          to[n++] = p;
        }
        start = -1;
        if (c !== CR) continue;
        this.#tokens = n;
        return p;
      }
      if (start < 0) start = p;
    }
    return -1;
  }

  #number(b: Buffer, token: number): number {
    return digits(b, this.#from[token]!, this.#to[token]!);
  }

  /** `MSG subject sid [reply] size`, `HMSG subject sid [reply] headers size`. */
  #open(b: Buffer, headers: boolean, from: number, to: number): void {
    const f = this.#frame;
    f.bytes = b;
    f.subjectFrom = this.#from[1]!;
    f.subjectTo = this.#to[1]!;
    const replied = this.#tokens === (headers ? 6 : 5);
    f.replyFrom = replied ? this.#from[3]! : 0;
    f.replyTo = replied ? this.#to[3]! : 0;
    f.headersFrom = from;
    f.dataFrom = headers ? from + this.#number(b, this.#tokens - 2) : from;
    f.dataTo = to;
  }
}

/** A whole number of decimal digits. */
export const digits = (b: Uint8Array, from: number, to: number): number => {
  let x = 0;
  for (let i = from; i < to; i++) x = x * 10 + (b[i]! - 48);
  return x;
};

/** The payload: a view, no copy. */
export const dataOf = (f: Pick<Frame, "bytes" | "dataFrom" | "dataTo">): Uint8Array =>
  new Uint8Array(f.bytes.buffer, f.bytes.byteOffset + f.dataFrom, f.dataTo - f.dataFrom);

/** `NATS/1.0 <code> <text>` of a message that is a status; undefined for other messages. */
export const statusOf = (f: Frame): { readonly code: number; readonly text: string } | undefined => {
  const headers = f.bytes.toString("latin1", f.headersFrom, f.dataFrom);
  const found = /^NATS\/1\.0[ \t]+(\d+)[ \t]*([^\r]*)/.exec(headers);
  return found === null ? undefined : { code: Number(found[1]), text: found[2]!.trim() };
};
