/**
 * A column of strings in state. As long as strings repeat, each is kept once and slots hold its id; a column of which most strings are different keeps
 * one a slot, as bytes behind each other, and nothing is looked up.
 *
 * Invariants. S1: `ids[slot]` is the id of a live slot's string, -1 for null and for slots without a row. S2: while `interned`, `texts` has every string
 * once, and `interned` finds it; afterwards they are in `bytes`, where strings of gone rows are dropped once they are the most. S3: vectors given out have
 * a dictionary of their own (R3).
 */
import { STRING } from "../core/data-type.ts";
import { grown } from "../core/growing-array.ts";
import { Utf8Strings } from "../core/utf8-strings.ts";
import type { Value } from "../core/value.ts";
import {
  type Dictionary,
  stringAt,
  type StringVector,
  valueAt,
  type Vector,
  vectorOf,
} from "../core/vector.ts";
import type { RowColumn } from "./row-column.ts";

/** The strings are judged when there are this many, and whenever they have doubled. */
const JUDGED_AT = 1024;
/** Strings of which more than this share are new are not looked up any more. */
const NEW_AT_MOST = 0.4;
/** Bytes are compacted when more than this many strings are dead, and most are. */
const DEAD_MINIMUM = 4096;
const TEXT_BYTES = 64;
/** Of so many strings a vector may show this column's memory: it is on its way to somewhere. Fewer are copied, so that nobody keeps much for a few. */
const SHOWN_AT_LEAST = 1024;

/** Scratch of `gather`: where an id went, valid when stamped with the call. */
let stamps = new Int32Array(1024);
let places = new Int32Array(1024);
let stamp = 0;

const nextStamp = (size: number): number => {
  if (size > stamps.length || stamp === 0x7fffffff) {
    const room = Math.max(size * 2, stamps.length);
    stamps = new Int32Array(room);
    places = new Int32Array(room);
    stamp = 0;
  }
  return ++stamp;
};

/** Scratch for texts on their way into bytes. */
let scratch = Buffer.allocUnsafeSlow(4096);
let scratchView = new DataView(scratch.buffer);

/** Appends a text without keeping it as a text too; gives its id. */
const pushText = (to: Utf8Strings, text: string): number => {
  if (text.length * 3 > scratch.length) {
    scratch = Buffer.allocUnsafeSlow(text.length * 4);
    scratchView = new DataView(scratch.buffer);
  }
  const n = scratch.write(text);
  // A lone surrogate has no UTF-8 (U2).
  if (n !== text.length && !(text as unknown as { isWellFormed(): boolean }).isWellFormed())
    return to.push(text);
  to.open();
  to.append(scratch, scratchView, 0, n);
  return to.close();
};

export class StringColumn implements RowColumn {
  #ids = new Int32Array(0);
  #texts: string[] = [];
  #interned: Map<string, number> | undefined = new Map();
  #bytes = Utf8Strings.lasting();
  #dead = 0;
  #written = 0;
  #judgeAt = JUDGED_AT;
  /** Ids + 1 of the entries of the dictionary seen last. */
  #seen: Dictionary | undefined;
  #translation = new Int32Array(0);

  grow(capacity: number): void {
    const before = this.#ids.length;
    this.#ids = grown(this.#ids, capacity);
    this.#ids.fill(-1, before);
  }

  write(v: Vector, rows: Int32Array, slots: Int32Array, n: number): void {
    if (v.layout !== "dict") {
      const values = Array.from({ length: n }, (_, k) => valueAt(v, rows[k]!));
      const all = Int32Array.from({ length: n }, (_, k) => k);
      return this.write(vectorOf(STRING, values), all, slots, n);
    }
    if (this.#interned === undefined) return this.#append(v, rows, slots, n);
    const { data, dictionary, nulls } = v;
    if (this.#seen !== dictionary || this.#translation.length < dictionary.length) {
      this.#seen = dictionary;
      this.#translation = new Int32Array(dictionary.length);
    }
    const translation = this.#translation;
    for (let k = 0; k < n; k++) {
      const row = rows[k]!;
      const at = data[row]!;
      if (nulls !== undefined && nulls[row] === 1) this.#ids[slots[k]!] = -1;
      else {
        if (translation[at] === 0) translation[at] = this.#idOf(stringAt(dictionary, at)) + 1;
        this.#ids[slots[k]!] = translation[at]! - 1;
      }
    }
    this.#written += n;
    if (this.#texts.length >= this.#judgeAt) this.#judge();
  }

  #idOf(s: string): number {
    let id = this.#interned!.get(s);
    if (id === undefined) {
      id = this.#texts.length;
      this.#interned!.set(s, id);
      this.#texts.push(s);
    }
    return id;
  }

  /** Whether looking up is still worth it. Strings of rows long gone stay there, so there may not be more of them than slots. */
  #judge(): void {
    this.#judgeAt = this.#texts.length * 2;
    if (this.#texts.length <= this.#written * NEW_AT_MOST && this.#texts.length <= this.#ids.length) return;
    for (let slot = 0; slot < this.#ids.length; slot++)
      if (this.#ids[slot]! >= 0) this.#ids[slot] = pushText(this.#bytes, this.#texts[this.#ids[slot]!]!);
    this.#texts = [];
    this.#interned = undefined;
    this.#seen = undefined;
    this.#translation = new Int32Array(0);
  }

  #append({ data, dictionary, nulls }: StringVector, rows: Int32Array, slots: Int32Array, n: number): void {
    if (this.#dead > DEAD_MINIMUM && this.#dead * 2 > this.#bytes.length) this.#compact();
    const ids = this.#ids;
    if (!(dictionary instanceof Utf8Strings) || !dictionary.exact) {
      for (let k = 0; k < n; k++) {
        const row = rows[k]!;
        ids[slots[k]!] =
          nulls !== undefined && nulls[row] === 1
            ? -1
            : pushText(this.#bytes, stringAt(dictionary, data[row]!));
      }
      return;
    }
    const from = new Int32Array(n);
    let count = 0;
    const first = this.#bytes.length;
    for (let k = 0; k < n; k++) {
      const row = rows[k]!;
      if (nulls !== undefined && nulls[row] === 1) ids[slots[k]!] = -1;
      else {
        from[count] = data[row]!;
        ids[slots[k]!] = first + count++;
      }
    }
    this.#bytes.appendAll(dictionary, from, count);
  }

  #compact(): void {
    const ids = this.#ids;
    const kept = new Int32Array(this.#bytes.length - this.#dead);
    let count = 0;
    for (let slot = 0; slot < ids.length; slot++) {
      if (ids[slot]! < 0) continue;
      kept[count] = ids[slot]!;
      ids[slot] = count++;
    }
    const old = this.#bytes;
    this.#bytes = Utf8Strings.lasting();
    if (old.exact) this.#bytes.appendAll(old, kept, count);
    else {
      for (let k = 0; k < count; k++) pushText(this.#bytes, old.at(kept[k]!));
    }
    this.#dead = 0;
  }

  gather(slots: Int32Array, n: number): Vector {
    const data = new Int32Array(n);
    let nulls: Uint8Array | undefined;
    const mark = nextStamp(this.#interned === undefined ? this.#bytes.length : this.#texts.length);
    const used = new Int32Array(n);
    let count = 0;
    const ids = this.#ids;
    for (let k = 0; k < n; k++) {
      const id = slots[k]! < 0 ? -1 : ids[slots[k]!]!;
      if (id < 0) {
        (nulls ??= new Uint8Array(n))[k] = 1;
        continue;
      }
      if (stamps[id] !== mark) {
        stamps[id] = mark;
        places[id] = count;
        used[count++] = id;
      }
      data[k] = places[id]!;
    }
    return { layout: "dict", data, dictionary: this.#strings(used, count), nulls };
  }

  #strings(ids: Int32Array, count: number): Dictionary {
    if (count === 0) return [""];
    if (this.#interned === undefined && this.#bytes.exact)
      return count < SHOWN_AT_LEAST ? this.#bytes.take(ids, count) : this.#bytes.show(ids, count);
    return Array.from(ids.subarray(0, count), (id) => this.#text(id));
  }

  #text(id: number): string {
    return this.#interned === undefined ? this.#bytes.at(id) : this.#texts[id]!;
  }

  clear(slot: number): void {
    if (this.#ids[slot]! < 0) return;
    this.#ids[slot] = -1;
    if (this.#interned === undefined) this.#dead++;
  }

  valueAt(slot: number): Value {
    const id = this.#ids[slot]!;
    return id < 0 ? null : this.#text(id);
  }

  numbers(): undefined {
    return undefined;
  }

  bytes(): number {
    const { ends, bytes } = this.#bytes;
    return this.#ids.byteLength + this.#texts.length * TEXT_BYTES + ends.byteLength + bytes.length;
  }
}
