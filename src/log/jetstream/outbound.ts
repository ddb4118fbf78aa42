/**
 * The way out of a connection for publishing: messages are written one behind the other into one memory, which the client sends as it is, once per turn of the event
 * loop. The client itself spends most of its time on a list of small pieces and on header objects.
 *
 * O1 Order: whoever sends through the client calls `flush` before. O2 What was handed over is never written again: a memory is used from its beginning to its
 *    end once.
 */
import { ConfigurationError } from "../../core/errors.ts";
import type { HeaderPairs } from "./records.ts";

const MEMORY_BYTES = 128 * 1024;
/** Handed over before the turn ends. */
const FLUSH_BYTES = 64 * 1024;
/** Numbers and words of a line beside its subjects, and line ends. */
const LINE_BYTES = 64;
const [CR, LF, SPACE, ZERO] = [13, 10, 32, 48];
/** Digits of the numbers of a row's line and head. */
const NUMBERS_BYTES = 5 * 17;
/** Longer payloads are copied by the runtime. */
const LOOP_BYTES_MAX = 96;

/** The end of a head: of its last line, and the empty one. */
const END = Buffer.from("\r\n\r\n");

const headerText = (headers: HeaderPairs): string => {
  let text = "NATS/1.0\r\n";
  for (const [name, value] of headers) {
    if (value.includes("\n") || value.includes("\r"))
      throw new ConfigurationError(`the header ${name} has a line end in it`);
    text += `${name}: ${value}\r\n`;
  }
  return `${text}\r\n`;
};

/** What all messages of a row publisher have in common, in the order of the wire. */
export interface RowFrame {
  /** `PUB subject reply.`, `HPUB subject reply.` with a head; the number of the message follows. */
  readonly line: Uint8Array;
  /** The head up to the number of the row, and from there to the expected sequence; without one only the other stands there. */
  readonly head:
    { readonly row: Uint8Array | undefined; readonly expected: Uint8Array | undefined } | undefined;
}

/** Numbers of one message of a row publisher. */
export interface RowNumbers {
  message: number;
  row: number;
  expected: number;
}

/** Decimal digits of a whole number. */
const lengthOf = (n: number): number => {
  let length = 1;
  for (let limit = 10; n >= limit; limit *= 10) length++;
  return length;
};

export class Outbound {
  readonly #send: (bytes: Uint8Array) => void;
  #memory = Buffer.allocUnsafeSlow(MEMORY_BYTES);
  #from = 0;
  #at = 0;
  #due = false;

  constructor(send: (bytes: Uint8Array) => void) {
    this.#send = send;
  }

  publish(subject: string, reply: string, payload: Uint8Array, headers: HeaderPairs | undefined): void {
    const head = headers === undefined ? "" : headerText(headers);
    this.#room(LINE_BYTES + 3 * (subject.length + reply.length + head.length) + payload.length);
    const m = this.#memory;
    const headBytes = head === "" ? 0 : Buffer.byteLength(head);
    const line =
      head === ""
        ? `PUB ${subject} ${reply} ${payload.length}\r\n`
        : `HPUB ${subject} ${reply} ${headBytes} ${headBytes + payload.length}\r\n${head}`;
    const at = this.#at + m.write(line, this.#at);
    m.set(payload, at);
    this.#at = at + payload.length;
    this.#end();
  }

  /** As `publish`, of the bytes [from, to) and without a text: for very many messages that differ in numbers. */
  publishRow(frame: RowFrame, numbers: RowNumbers, bytes: Buffer, from: number, to: number): void {
    const { line, head } = frame;
    const payload = to - from;
    let headBytes = 0;
    if (head !== undefined) {
      headBytes = END.length;
      if (head.row !== undefined) headBytes += head.row.length + lengthOf(numbers.row);
      if (head.expected !== undefined) headBytes += head.expected.length + lengthOf(numbers.expected);
    }
    this.#room(line.length + headBytes + payload + NUMBERS_BYTES);
    this.#bytes(line, 0, line.length);
    this.#number(numbers.message);
    const m = this.#memory;
    m[this.#at++] = SPACE;
    if (head !== undefined) {
      this.#number(headBytes);
      m[this.#at++] = SPACE;
    }
    this.#number(headBytes + payload);
    m[this.#at++] = CR;
    m[this.#at++] = LF;
    if (head !== undefined) this.#head(head, numbers);
    if (payload <= LOOP_BYTES_MAX) this.#bytes(bytes, from, to);
    else this.#at += bytes.copy(m, this.#at, from, to);
    this.#end();
  }

  #head({ row, expected }: NonNullable<RowFrame["head"]>, numbers: RowNumbers): void {
    if (row !== undefined) {
      this.#bytes(row, 0, row.length);
      this.#number(numbers.row);
    }
    if (expected !== undefined) {
      this.#bytes(expected, 0, expected.length);
      this.#number(numbers.expected);
    }
    this.#bytes(END, 0, END.length);
  }

  #bytes(b: Uint8Array, from: number, to: number): void {
    const m = this.#memory;
    let at = this.#at;
    for (let i = from; i < to; i++) m[at++] = b[i]!;
    this.#at = at;
  }

  #number(n: number): void {
    const m = this.#memory;
    const from = this.#at;
    const to = from + lengthOf(n);
    let rest = n;
    for (let at = to - 1; at >= from; at--) {
      const next = Math.floor(rest / 10);
      m[at] = ZERO + (rest - next * 10);
      rest = next;
    }
    this.#at = to;
  }

  /** Ends a message; hands over what is due. */
  #end(): void {
    const m = this.#memory;
    m[this.#at++] = CR;
    m[this.#at++] = LF;
    if (this.#at - this.#from >= FLUSH_BYTES) this.flush();
    else if (!this.#due) {
      this.#due = true;
      queueMicrotask(() => {
        this.#due = false;
        this.flush();
      });
    }
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= this.#memory.length) return;
    this.flush();
    this.#memory = Buffer.allocUnsafeSlow(Math.max(MEMORY_BYTES, bytes));
    this.#from = 0;
    this.#at = 0;
  }

  flush(): void {
    if (this.#at === this.#from) return;
    const bytes = this.#memory.subarray(this.#from, this.#at);
    this.#from = this.#at;
    this.#send(bytes);
  }
}
