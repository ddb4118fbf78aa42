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
const [CR, LF] = [13, 10];

const headerText = (headers: HeaderPairs): string => {
  let text = "NATS/1.0\r\n";
  for (const [name, value] of headers) {
    if (value.includes("\n") || value.includes("\r"))
      throw new ConfigurationError(`the header ${name} has a line end in it`);
    text += `${name}: ${value}\r\n`;
  }
  return `${text}\r\n`;
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
    let at = this.#at;
    at += m.write(line, at);
    m.set(payload, at);
    at += payload.length;
    m[at++] = CR;
    m[at++] = LF;
    this.#at = at;
    if (at - this.#from >= FLUSH_BYTES) this.flush();
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
