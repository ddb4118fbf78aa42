/**
 * Strings as UTF-8 bytes, one behind the other in one memory; a text is made when somebody asks for it, once. Rows that only pass through cost no text.
 *
 * Invariants. U1: an entry never changes; more may be appended, so vectors share what is there. U2: while `exact`, the bytes of every entry are the UTF-8 of
 * its text. A text with a lone surrogate has no UTF-8: it is kept as a text, and `exact` is false from then on. U3: while `ascii`, all bytes are below 128.
 */
import { isAscii, isUtf8 } from "node:buffer";
import { ExecutionError } from "./errors.ts";
import { grown, grownBytes } from "./growing-array.ts";

const BYTES_FIRST = 1024;
/** Ends are 32-bit numbers. */
const BYTES_MAX = 0x7fff_ffff;
const ENTRIES_FIRST = 64;
/** Shorter pieces are copied by words here: a call of the runtime costs more. */
const WORDS_MAX = 256;

const slices = Buffer.prototype as unknown as {
  latin1Slice(this: Uint8Array, from: number, to: number): string;
  utf8Slice(this: Uint8Array, from: number, to: number): string;
};

export class Utf8Strings {
  length = 0;
  exact = true;
  ascii = true;
  /** Entry i stands in `bytes` from ends[i] to ends[i + 1]. */
  ends: Int32Array;
  bytes: Buffer;
  #view: DataView;
  /** Where the entry under construction ends so far. */
  #at = 0;
  /** All bits of the entry under construction. */
  #bits = 0;
  #texts: (string | undefined)[] = [];
  #lasting = false;

  /** Room for so many entries and bytes; it grows. */
  constructor(entries = ENTRIES_FIRST, bytes = BYTES_FIRST) {
    this.ends = new Int32Array(entries + 1);
    this.bytes = Buffer.allocUnsafeSlow(bytes);
    this.#view = viewOf(this.bytes);
  }

  /** Strings that stay for long and become many. */
  static lasting(): Utf8Strings {
    const s = new Utf8Strings(0, 0);
    s.#lasting = true;
    return s;
  }

  /** Strings whose bytes are known to be the UTF-8 of well-formed text. */
  static of(length: number, ends: Int32Array, bytes: Buffer, ascii: boolean): Utf8Strings {
    const s = new Utf8Strings(0, 0);
    s.length = length;
    s.ends = ends;
    s.bytes = bytes;
    s.#view = viewOf(bytes);
    s.#at = ends[length]!;
    s.ascii = ascii;
    return s;
  }

  /** Bytes of all entries. */
  get byteLength(): number {
    return this.ends[this.length]!;
  }

  at(id: number): string {
    return this.#texts[id] ?? this.#make(id);
  }

  #make(id: number): string {
    // What stands at null rows of a vector that has no string (V2).
    if (id >= this.length) return "";
    const texts = this.#texts;
    while (texts.length < this.length) texts.push(undefined);
    const from = this.ends[id]!;
    const to = this.ends[id + 1]!;
    return (texts[id] = this.ascii
      ? slices.latin1Slice.call(this.bytes, from, to)
      : slices.utf8Slice.call(this.bytes, from, to));
  }

  #room(n: number): void {
    if (this.#at + n <= this.bytes.length) return;
    const needed = this.#at + n;
    if (needed > BYTES_MAX)
      throw new ExecutionError("the strings of one column in one partition have more than 2 GiB", {
        hint: "use more partitions",
      });
    const bytes = Math.min(Math.max(this.bytes.length * 2, needed, BYTES_FIRST), BYTES_MAX);
    if (this.#lasting) this.bytes = grownBytes(this.bytes, this.#at, bytes);
    else {
      const bigger = Buffer.allocUnsafeSlow(bytes);
      bigger.set(this.bytes.subarray(0, this.#at));
      this.bytes = bigger;
    }
    this.#view = viewOf(this.bytes);
  }

  /** Begins an entry. What was appended and not closed is forgotten. */
  open(): void {
    this.#at = this.ends[this.length]!;
    this.#bits = 0;
  }

  /** Appends the bytes [from, to) of a memory to the entry; `v` shows the same memory as `b`. */
  append(b: Uint8Array, v: DataView, from: number, to: number): void {
    const n = to - from;
    this.#room(n);
    if (n > WORDS_MAX) {
      this.bytes.set(b.subarray(from, to), this.#at);
      // Whether it is ASCII is found out when it is closed.
      this.#bits = -1;
      this.#at += n;
      return;
    }
    const view = this.#view;
    let at = this.#at;
    let bits = 0;
    for (; from + 4 <= to; from += 4, at += 4) {
      const w = v.getInt32(from, true);
      bits |= w;
      view.setInt32(at, w, true);
    }
    for (; from < to; from++, at++) {
      const c = b[from]!;
      bits |= c;
      view.setUint8(at, c);
    }
    this.#bits |= bits;
    this.#at = at;
  }

  appendByte(c: number): void {
    this.#room(1);
    this.#view.setUint8(this.#at++, c);
  }

  /** Ends the entry; gives its id. */
  close(): number {
    const id = this.length;
    if (id + 2 > this.ends.length) this.#moreEntries();
    if ((this.#bits & -0x7f7f7f80) !== 0) {
      const bytes = this.bytes.subarray(this.ends[id], this.#at);
      if (!isAscii(bytes)) {
        // What a decoder makes of bytes that are no UTF-8 is another text.
        if (!isUtf8(bytes)) return this.push(bytes.toString());
        this.ascii = false;
      }
    }
    this.ends[id + 1] = this.#at;
    return this.length++;
  }

  /** Appends a text; gives its id. */
  push(text: string): number {
    this.open();
    const id = this.length;
    if (id + 2 > this.ends.length) this.#moreEntries();
    this.#room(text.length * 3);
    const n = this.bytes.write(text, this.#at);
    this.#at += n;
    this.ends[id + 1] = this.#at;
    this.length++;
    if (n !== text.length) this.ascii = false;
    while (this.#texts.length < id) this.#texts.push(undefined);
    this.#texts[id] = text;
    if (n !== text.length && !isWellFormed(text)) this.exact = false;
    return id;
  }

  #moreEntries(): void {
    const entries = Math.max(ENTRIES_FIRST, this.ends.length * 2);
    if (this.#lasting) this.ends = grown(this.ends, entries);
    else {
      const ends = new Int32Array(entries);
      ends.set(this.ends);
      this.ends = ends;
    }
  }

  /** The first `count` of `ids`, in that order, as strings of their own, which are `exact` as these are. */
  take(ids: Int32Array, count: number): Utf8Strings {
    let total = 0;
    for (let k = 0; k < count; k++) total += this.ends[ids[k]! + 1]! - this.ends[ids[k]!]!;
    const out = new Utf8Strings(count, total);
    out.appendAll(this, ids, count);
    return out;
  }

  /** As `take`, for a short time: neighbours are shown where they stand, and all of this memory lives as long as they do. */
  show(ids: Int32Array, count: number): Utf8Strings {
    for (let k = 1; k < count; k++) if (ids[k]! !== ids[k - 1]! + 1) return this.take(ids, count);
    if (count === 0) return this.take(ids, count);
    const first = ids[0]!;
    const start = this.ends[first]!;
    let ends = this.ends.subarray(first, first + count + 1);
    // Ends count from the first byte shown.
    if (start !== 0) ends = ends.map((e) => e - start);
    const bytes = this.bytes.subarray(start, start + ends[count]!);
    return Utf8Strings.of(count, ends, bytes, this.ascii);
  }

  /** Appends the first `count` of `ids` of other strings, which are exact. */
  appendAll(from: Utf8Strings, ids: Int32Array, count: number): void {
    const view = viewOf(from.bytes);
    for (let k = 0; k < count;) {
      // Neighbours are copied at once.
      let last = k;
      while (last + 1 < count && ids[last + 1] === ids[last]! + 1) last++;
      this.open();
      this.append(from.bytes, view, from.ends[ids[k]!]!, from.ends[ids[last]! + 1]!);
      const shift = this.#at - from.ends[ids[last]! + 1]!;
      while (this.length + last - k + 2 > this.ends.length) this.#moreEntries();
      for (; k <= last; k++) this.ends[++this.length] = from.ends[ids[k]! + 1]! + shift;
    }
    this.ascii &&= from.ascii;
  }
}

const viewOf = (b: Uint8Array): DataView => new DataView(b.buffer, b.byteOffset, b.byteLength);

const isWellFormed = (text: string): boolean =>
  (text as unknown as { isWellFormed(): boolean }).isWellFormed();
