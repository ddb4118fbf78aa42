/**
 * One log inside the embedded database: its counters, its newest records in memory, and its keys.
 *
 *   0x00 name                      → [id, created, maxBytes, first]        the log
 *   0x01 id(4) position(8)         → cumulative bytes(8) headers length(4) headers payload
 *   0x02                           → the next id
 */
import { position } from "../core/brands.ts";
import { READ_BATCH_BYTES } from "../core/limits.ts";
import { pack, unpack } from "../codec/msgpack.ts";
import type { LogRecord } from "./log.ts";

const encoder = new TextEncoder();

export const NEXT_ID_KEY = Uint8Array.of(2);
export const META_FROM = Uint8Array.of(0);
export const META_TO = Uint8Array.of(1);

export const metaKey = (name: string): Uint8Array => {
  const text = encoder.encode(name);
  const key = new Uint8Array(1 + text.length);
  key.set(text, 1);
  return key;
};

export const nameOfMetaKey = (key: Uint8Array): string => new TextDecoder().decode(key.subarray(1));

export const recordKey = (id: number, at: number): Uint8Array => {
  const key = new Uint8Array(13);
  const view = new DataView(key.buffer);
  key[0] = 1;
  view.setUint32(1, id);
  view.setUint32(5, Math.floor(at / 2 ** 32));
  view.setUint32(9, at % 2 ** 32);
  return key;
};

export const positionOfKey = (key: Uint8Array): number => {
  const view = new DataView(key.buffer, key.byteOffset);
  return view.getUint32(5) * 2 ** 32 + view.getUint32(9);
};

const HEAD_BYTES = 12;
/** Above a frame or a chunk of a snapshot, so that this memory is taken once. */
const SCRATCH_BYTES = 1024 * 1024;
type Headers = Readonly<Record<string, string>> | undefined;

let scratch = new Uint8Array(0);

/** `total`: bytes of all records of the log ever, this one included. What it gives is overwritten by the next call: LevelDB copies what it is given. */
export const encodeRecord = (total: number, payload: Uint8Array, headers: Headers): Uint8Array => {
  const packed = headers === undefined ? undefined : pack(Object.entries(headers));
  const head = HEAD_BYTES + (packed?.length ?? 0);
  const length = head + payload.length;
  if (scratch.length < length) scratch = new Uint8Array(Math.max(SCRATCH_BYTES, length));
  const value = scratch.subarray(0, length);
  const view = new DataView(value.buffer);
  view.setFloat64(0, total);
  view.setUint32(8, packed?.length ?? 0);
  if (packed !== undefined) value.set(packed, HEAD_BYTES);
  value.set(payload, head);
  return value;
};

export const decodeRecord = (at: number, value: Uint8Array): LogRecord => {
  const length = new DataView(value.buffer, value.byteOffset).getUint32(8);
  const head = HEAD_BYTES + length;
  const headers =
    length === 0
      ? undefined
      : Object.fromEntries(unpack(value.subarray(HEAD_BYTES, head)) as [string, string][]);
  const payload = new Uint8Array(value.buffer, value.byteOffset + head, value.byteLength - head);
  return { position: position(at), payload, headers };
};

export const totalOf = (value: Uint8Array): number =>
  new DataView(value.buffer, value.byteOffset).getFloat64(0);

/** Bytes a record counts in its log's size. */
export const sizeOf = (payload: Uint8Array): number => payload.length + HEAD_BYTES + 13;

/** Newest records kept in memory, so that readers at the tail do not go to the database. */
const TAIL_BYTES = READ_BATCH_BYTES;

export class EmbeddedContent {
  readonly name: string;
  readonly id: number;
  readonly created: string;
  maxBytes: number;
  first: number;
  /** Newest stored position. */
  last: number;
  /** Bytes of all records ever stored, and of those below `first`. */
  total: number;
  totalBelow: number;
  removed = false;
  readonly watchers = new Set<() => void>();
  #tail: LogRecord[] = [];
  /** Those before it are dropped already, but for a moving of all the others: that is done once they are as many. */
  #tailHead = 0;
  #tailBytes = 0;

  constructor(name: string, id: number, created: string, maxBytes: number, first: number) {
    this.name = name;
    this.id = id;
    this.created = created;
    this.maxBytes = maxBytes;
    this.first = first;
    this.last = first - 1;
    this.total = 0;
    this.totalBelow = 0;
  }

  meta(): Uint8Array {
    return pack([this.id, this.created, this.maxBytes, this.first]);
  }

  get bytes(): number {
    return this.total - this.totalBelow;
  }

  /** Takes stored records in, in order. */
  add(records: readonly LogRecord[], total: number): void {
    for (const r of records) {
      this.#tail.push(r);
      this.#tailBytes += r.payload.length;
    }
    this.last += records.length;
    this.total = total;
    while (this.#tailBytes > TAIL_BYTES && this.#tailHead < this.#tail.length - 1)
      this.#tailBytes -= this.#tail[this.#tailHead++]!.payload.length;
    if (this.#tailHead * 2 > this.#tail.length) {
      this.#tail = this.#tail.slice(this.#tailHead);
      this.#tailHead = 0;
    }
    this.wake();
  }

  /** Records from `from` on that are in memory, up to READ_BATCH_BYTES; undefined when `from` is older. */
  tail(from: number): LogRecord[] | undefined {
    const before = this.last - this.#tail.length + 1;
    if (from < before + this.#tailHead) return undefined;
    let bytes = 0;
    let end = from - before;
    while (end < this.#tail.length && bytes < READ_BATCH_BYTES) bytes += this.#tail[end++]!.payload.length;
    return this.#tail.slice(from - before, end);
  }

  forget(first: number, totalBelow: number): void {
    this.first = first;
    this.totalBelow = totalBelow;
    const from = first - (this.last - this.#tail.length + 1);
    if (from <= this.#tailHead) return;
    for (let i = this.#tailHead; i < from; i++) this.#tailBytes -= this.#tail[i]!.payload.length;
    this.#tail = this.#tail.slice(from);
    this.#tailHead = 0;
  }

  wake(): void {
    for (const w of [...this.watchers]) w();
  }
}
