/**
 * Strings of one JSON column, from bytes to ids of a dictionary of bytes (no text is made): a string that was seen before is found by its bytes.
 *
 *  B1 A dictionary only grows and its entries never change, so batches share it; a new one begins between two batches when it has become larger than
 *     a batch is. B2 Two entries may be equal texts (escaped and not); equal ids always mean equal strings. B3 Where most strings are
 *     new, looking for them is given up for a while: each gets an entry of its own.
 */
import { Utf8Strings } from "../../core/utf8-strings.ts";
import { cursor, escapeEnd, FAIL, plainEnd, skipString, utf8 } from "./json-scan.ts";

/** Entries above which a new dictionary begins. */
const ENTRIES_MAX = 4096;
const TABLE_FIRST = 256;
/** Strings looked at before it is judged whether they repeat: with fewer a thousand keys that come in turn would seem never to. */
const SAMPLE = 4096;
/** Strings that are not looked for, after most were new. */
const PAUSE = 64 * SAMPLE;
/** Longer strings are not looked for. */
const LENGTH_MAX = 128;

export class ByteStrings {
  dictionary = new Utf8Strings();
  /** id + 1 by hash; 0 is empty. */
  #table = new Int32Array(TABLE_FIRST);
  #hashes = new Int32Array(TABLE_FIRST);
  #ids = 0;
  /** What was looked for: bytes of the entries, one behind the other, by slot of `#table`. */
  #bytes = new Uint8Array(4096);
  #view = new DataView(this.#bytes.buffer);
  #used = 0;
  #starts = new Int32Array(TABLE_FIRST);
  #lengths = new Int32Array(TABLE_FIRST);
  #looked = 0;
  #made = 0;
  #pause = 0;

  /** A batch begins. */
  begin(): void {
    // What was not looked for has an entry each.
    if (this.#pause > 0) this.#pause -= Math.max(1, this.dictionary.length);
    else if (this.#looked >= SAMPLE && this.#made * 2 > this.#looked) this.#pause = PAUSE;
    if (this.#pause > 0 || this.#looked >= SAMPLE) {
      this.#looked = 0;
      this.#made = 0;
    }
    if (this.dictionary.length <= (this.#pause > 0 ? 0 : ENTRIES_MAX)) return;
    // A little larger than the last one: growing copies.
    const { length, byteLength } = this.dictionary;
    this.dictionary = new Utf8Strings(length + (length >> 3), byteLength + (byteLength >> 3));
    if (this.#ids > 0) this.#table.fill(0);
    this.#ids = 0;
    this.#used = 0;
  }

  /** The id of the string whose first character is at `p`; the cursor is behind its quote. FAIL when it is none. */
  read(b: Uint8Array, v: DataView, p: number, end: number): number {
    if (this.#pause > 0) return this.#add(b, v, p, end);
    const behind = skipString(b, v, p, end);
    if (behind < 0) return FAIL;
    if (behind - 1 - p > LENGTH_MAX) return this.#add(b, v, p, end);
    if (++this.#looked === SAMPLE && this.#made * 2 > SAMPLE) this.#pause = PAUSE;
    cursor[0] = behind;
    return this.#find(b, v, p, behind - 1);
  }

  #find(b: Uint8Array, v: DataView, p: number, end: number): number {
    const length = end - p;
    let h = length;
    let i = p;
    for (; i + 4 <= end; i += 4) h = Math.imul(h ^ v.getInt32(i, true), 0x85ebca6b) ^ (h >>> 15);
    for (; i < end; i++) h = Math.imul(h ^ b[i]!, 0xc2b2ae35) ^ (h >>> 15);
    h = Math.imul(h ^ (h >>> 16), 0x9e3779b1);
    const mask = this.#table.length - 1;
    let slot = (h ^ (h >>> 15)) & mask;
    for (;;) {
      const found = this.#table[slot]!;
      if (found === 0) break;
      if (this.#hashes[slot] === h && this.#lengths[slot] === length && this.#same(b, v, p, end, slot))
        return found - 1;
      slot = (slot + 1) & mask;
    }
    this.#made++;
    const id = this.#add(b, v, p, end + 1);
    this.#table[slot] = id + 1;
    this.#hashes[slot] = h;
    this.#lengths[slot] = length;
    this.#starts[slot] = this.#used;
    this.#keep(b, p, length);
    if (++this.#ids * 2 > mask) this.#grow();
    return id;
  }

  #same(b: Uint8Array, v: DataView, p: number, end: number, slot: number): boolean {
    let k = this.#starts[slot]!;
    for (; p + 4 <= end; p += 4, k += 4)
      if (v.getInt32(p, true) !== this.#view.getInt32(k, true)) return false;
    for (; p < end; p++, k++) if (b[p] !== this.#bytes[k]) return false;
    return true;
  }

  #keep(b: Uint8Array, p: number, length: number): void {
    if (this.#used + length > this.#bytes.length) {
      const bigger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#used + length));
      bigger.set(this.#bytes);
      this.#bytes = bigger;
      this.#view = new DataView(bigger.buffer);
    }
    for (let i = 0; i < length; i++) this.#bytes[this.#used + i] = b[p + i]!;
    this.#used += length;
  }

  #grow(): void {
    const { length } = this.#table;
    const old = [this.#table, this.#hashes, this.#starts, this.#lengths] as const;
    const next = old.map(() => new Int32Array(length * 2));
    const mask = length * 2 - 1;
    for (let s = 0; s < length; s++) {
      if (old[0][s] === 0) continue;
      const h = old[1][s]!;
      let slot = (h ^ (h >>> 15)) & mask;
      while (next[0]![slot] !== 0) slot = (slot + 1) & mask;
      old.forEach((column, i) => (next[i]![slot] = column[s]!));
    }
    this.#table = next[0]!;
    this.#hashes = next[1]!;
    this.#starts = next[2]!;
    this.#lengths = next[3]!;
  }

  /** Appends the string at `p`, its escapes resolved, as an entry of its own; like `read`. */
  #add(b: Uint8Array, v: DataView, p: number, end: number): number {
    const strings = this.dictionary;
    strings.open();
    let from = p;
    let at = plainEnd(b, p, end);
    strings.append(b, v, from, at);
    while (b[at] === 92) {
      from = escapeEnd(b, at);
      if (from < 0) return FAIL;
      const letter = b[at + 1]!;
      if (letter === 117) return this.#parsed(b, v, p, end);
      strings.appendByte(ESCAPED[letter]!);
      at = plainEnd(b, from, end);
      strings.append(b, v, from, at);
    }
    if (b[at] !== 34) return FAIL;
    cursor[0] = at + 1;
    return strings.close();
  }

  /** A string with \u in it. */
  #parsed(b: Uint8Array, v: DataView, p: number, end: number): number {
    const behind = skipString(b, v, p, end);
    if (behind < 0) return FAIL;
    cursor[0] = behind;
    return this.dictionary.push(JSON.parse(utf8(b, p - 1, behind)) as string);
  }
}

/** The byte that a backslash and a letter stand for, by the letter. */
const ESCAPED = new Uint8Array(128);
for (const c of 'bfnrt"\\/') ESCAPED[c.charCodeAt(0)] = (JSON.parse(`"\\${c}"`) as string).charCodeAt(0);
