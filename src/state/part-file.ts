/**
 * A part of a table on disk: the rows of one key group in one immutable value, made to be read a few rows at a time.
 *
 *   blocks   rows one behind the other: length u32, hash u32, time f64, order f64, length of the key u32, key, state
 *   index    per block: first time f64, offset u32, first hash u32, CRC-32 u32; the end of the last block u32; a Bloom filter of the hashes
 *   footer   48 bytes: see `FOOTER_BYTES`
 *
 * Key and state are the table's own bytes; two rows are of one key exactly when hash and key bytes are equal. `time`: when the row is closed (0 in a table
 * where rows never are); `order`: where it stands among rows of one time.
 *
 * Invariants.
 *  F1 rows stand by (time, hash); rows with both equal are in one block: a row has one block in which it can be, and closed rows are a prefix.
 *  F2 nothing of a block is used before its checksum was right; the index has one of its own. Damage is `StateCorruptError`.
 */
import { crc32 } from "../core/crc32.ts";
import { StateCorruptError } from "../core/errors.ts";
import { mix } from "../core/hash.ts";
import { PART_BLOCK_BYTES } from "../core/limits.ts";

const NO_BYTES = new Uint8Array(0);
const ROW_HEAD = 28;
export const FOOTER_BYTES = 48;
const MAGIC = 0x4d525031;
const BLOOM_BITS_PER_ROW = 10;
const BLOOM_PROBES = 6;

/** A row as it stands in a block. `key` and `state` are views. */
export interface PartRow {
  readonly hash: number;
  readonly time: number;
  readonly order: number;
  readonly key: Uint8Array;
  readonly state: Uint8Array;
}

export const sameBytes = (a: Uint8Array, b: Uint8Array): boolean => {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
};

const probe = (hash: number, k: number, bits: number): number =>
  ((Math.imul(hash, 0x9e3779b1) + Math.imul(k, mix(hash) | 1)) >>> 0) % bits;

/** Collects rows in the order of F1. */
export class PartWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #at = 0;
  #rows = 0;
  #times: number[] = [];
  #hashes: number[] = [];
  #offsets: number[] = [];
  #rowHashes: Uint32Array;
  #lastTime = NaN;
  #lastHash = -1;
  #orderMax = -1;
  /** Rows of an older part that are still to be copied, in one go: they will stand from `runAt` on. */
  #run: Uint8Array = NO_BYTES;
  #runFrom = 0;
  #runTo = 0;
  #runAt = 0;

  /** About how much will come. */
  constructor(rows: number, bytes: number) {
    this.#bytes = new Uint8Array(Math.max(1024, bytes));
    this.#view = new DataView(this.#bytes.buffer);
    this.#rowHashes = new Uint32Array(Math.max(16, rows));
  }

  get rows(): number {
    return this.#rows;
  }

  add(row: PartRow): void {
    const { hash, time, order, key, state } = row;
    const length = ROW_HEAD + key.length + state.length;
    this.#copyRun();
    this.#ensure(length);
    const [view, at] = [this.#view, this.#at];
    this.#note(hash, time, order, length);
    view.setUint32(at, length);
    view.setUint32(at + 4, hash);
    view.setFloat64(at + 8, time);
    view.setFloat64(at + 16, order);
    view.setUint32(at + 24, key.length);
    this.#bytes.set(key, at + ROW_HEAD);
    this.#bytes.set(state, at + ROW_HEAD + key.length);
  }

  /** The row at `at` of an older part's `bytes`, as it is but for its order. */
  addOld(bytes: Uint8Array, view: DataView, at: number, shift: number): void {
    const length = view.getUint32(at);
    const order = view.getFloat64(at + 16) + shift;
    if (shift !== 0 || bytes !== this.#run || at !== this.#runTo) {
      this.#copyRun();
      [this.#run, this.#runFrom, this.#runTo, this.#runAt] = [bytes, at, at, this.#at];
    }
    this.#runTo += length;
    this.#note(view.getUint32(at + 4), view.getFloat64(at + 8), order, length);
    if (shift === 0) return;
    this.#copyRun();
    this.#view.setFloat64(this.#runAt + 16, order);
  }

  #copyRun(): void {
    const [from, to] = [this.#runFrom, this.#runTo];
    if (from === to) return;
    this.#ensure(0);
    this.#bytes.set(this.#run.subarray(from, to), this.#runAt);
    [this.#run, this.#runFrom, this.#runTo] = [NO_BYTES, 0, 0];
  }

  /** A row of `length` bytes follows. */
  #note(hash: number, time: number, order: number, length: number): void {
    if (this.#opensBlock(time, hash)) {
      this.#times.push(time);
      this.#hashes.push(hash);
      this.#offsets.push(this.#at);
    }
    if (this.#rows === this.#rowHashes.length) {
      const hashes = new Uint32Array(this.#rows * 2);
      hashes.set(this.#rowHashes);
      this.#rowHashes = hashes;
    }
    this.#rowHashes[this.#rows++] = hash;
    this.#orderMax = Math.max(this.#orderMax, order);
    this.#lastTime = time;
    this.#lastHash = hash;
    this.#at += length;
  }

  #opensBlock(time: number, hash: number): boolean {
    if (this.#offsets.length === 0) return true;
    if (this.#at - this.#offsets.at(-1)! < PART_BLOCK_BYTES) return false;
    return time !== this.#lastTime || hash !== this.#lastHash;
  }

  #ensure(length: number): void {
    if (this.#at + length <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(this.#bytes.length * 1.5, this.#at + length));
    bytes.set(this.#bytes.subarray(0, Math.min(this.#at, this.#bytes.length)));
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer);
  }

  #bloom(): Uint8Array {
    const bloom = new Uint8Array(Math.ceil((this.#rows * BLOOM_BITS_PER_ROW) / 8) + 1);
    const bits = bloom.length * 8;
    for (let i = 0; i < this.#rows; i++)
      for (let k = 0; k < BLOOM_PROBES; k++) {
        const bit = probe(this.#rowHashes[i]!, k, bits);
        bloom[bit >>> 3]! |= 1 << (bit & 7);
      }
    return bloom;
  }

  /** The whole value. */
  finish(): Uint8Array {
    this.#copyRun();
    const blocks = this.#offsets.length;
    const bloom = this.#bloom();
    const indexBytes = blocks * 20 + 4 + bloom.length;
    const out = new Uint8Array(this.#at + indexBytes + FOOTER_BYTES);
    out.set(this.#bytes.subarray(0, this.#at));
    const view = new DataView(out.buffer);
    const ends = [...this.#offsets.slice(1), this.#at];
    let at = this.#at;
    for (let b = 0; b < blocks; b++, at += 20) {
      view.setFloat64(at, this.#times[b]!);
      view.setUint32(at + 8, this.#offsets[b]!);
      view.setUint32(at + 12, this.#hashes[b]!);
      view.setUint32(at + 16, crc32(out.subarray(this.#offsets[b]!, ends[b]!)));
    }
    view.setUint32(at, this.#at);
    out.set(bloom, at + 4);
    const footer = this.#at + indexBytes;
    view.setUint32(footer, MAGIC);
    view.setUint32(footer + 4, blocks);
    view.setUint32(footer + 8, this.#rows);
    view.setUint32(footer + 12, bloom.length);
    view.setFloat64(footer + 16, this.#orderMax);
    view.setFloat64(footer + 24, this.#lastTime);
    view.setUint32(footer + 32, crc32(out.subarray(this.#at, footer + 32)));
    return out;
  }
}

/** Reads byte ranges `[from, to)` of one part. */
export type ReadRanges = (
  ranges: readonly (readonly [from: number, to: number])[],
) => Promise<readonly Uint8Array[]>;

const damaged = (what: string): StateCorruptError =>
  new StateCorruptError(`a part of the state is damaged: ${what}`);

/** Of a part that is in memory. */
export const rangesOf =
  (whole: Uint8Array): ReadRanges =>
  (ranges) =>
    Promise.resolve(ranges.map(([from, to]) => whole.subarray(from, to)));

/** The index of a part, in memory. */
export class PartIndex {
  readonly blocks: number;
  readonly rows: number;
  /** The highest `order` and the latest time of its rows. */
  readonly orderMax: number;
  readonly timeMax: number;
  readonly #times: Float64Array;
  readonly #offsets: Uint32Array;
  readonly #hashes: Uint32Array;
  readonly #sums: Uint32Array;
  readonly #bloom: Uint8Array;

  private constructor(blocks: number, rows: number, orderMax: number, timeMax: number, index: Uint8Array) {
    this.blocks = blocks;
    this.rows = rows;
    this.orderMax = orderMax;
    this.timeMax = timeMax;
    this.#times = new Float64Array(blocks);
    this.#offsets = new Uint32Array(blocks + 1);
    this.#hashes = new Uint32Array(blocks);
    this.#sums = new Uint32Array(blocks);
    const view = new DataView(index.buffer, index.byteOffset, index.byteLength);
    let at = 0;
    for (let b = 0; b < blocks; b++, at += 20) {
      this.#times[b] = view.getFloat64(at);
      this.#offsets[b] = view.getUint32(at + 8);
      this.#hashes[b] = view.getUint32(at + 12);
      this.#sums[b] = view.getUint32(at + 16);
    }
    this.#offsets[blocks] = view.getUint32(at);
    this.#bloom = index.slice(at + 4);
  }

  /** Reads the index of a part of `bytes` bytes; throws StateCorruptError. */
  static async read(bytes: number, read: ReadRanges): Promise<PartIndex> {
    const [footer] = await read([[bytes - FOOTER_BYTES, bytes]]);
    if (footer?.length !== FOOTER_BYTES) throw damaged("it is cut off");
    const view = new DataView(footer.buffer, footer.byteOffset, footer.byteLength);
    if (view.getUint32(0) !== MAGIC) throw damaged("it has no footer");
    const [blocks, rows, bloom] = [view.getUint32(4), view.getUint32(8), view.getUint32(12)];
    const indexBytes = blocks * 20 + 4 + bloom;
    const from = bytes - FOOTER_BYTES - indexBytes;
    const [index] = from < 0 ? [] : await read([[from, from + indexBytes]]);
    if (index?.length !== indexBytes || crc32(footer.subarray(0, 32), crc32(index)) !== view.getUint32(32))
      throw damaged("its index");
    return new PartIndex(blocks, rows, view.getFloat64(16), view.getFloat64(24), index);
  }

  /** Of memory. */
  get bytes(): number {
    return this.blocks * 20 + this.#bloom.length;
  }

  /** The earliest time that its rows have. */
  get timeMin(): number {
    return this.blocks === 0 ? Infinity : this.#times[0]!;
  }

  /** False: it has no row with this hash. */
  mayHave(hash: number): boolean {
    const bits = this.#bloom.length * 8;
    for (let k = 0; k < BLOOM_PROBES; k++) {
      const bit = probe(hash, k, bits);
      if ((this.#bloom[bit >>> 3]! & (1 << (bit & 7))) === 0) return false;
    }
    return true;
  }

  /** The block in which the row is if it is there (F1); -1: it is not. */
  blockOf(time: number, hash: number): number {
    let low = 0;
    let high = this.blocks;
    while (low < high) {
      const middle = (low + high) >> 1;
      const t = this.#times[middle]!;
      if (t < time || (t === time && this.#hashes[middle]! <= hash)) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The blocks that can have rows with `after < time <= limit`: [from, to). */
  blocksThrough(after: number, limit: number): readonly [number, number] {
    let from = 0;
    while (from + 1 < this.blocks && this.#times[from + 1]! <= after) from++;
    let to = from;
    while (to < this.blocks && this.#times[to]! <= limit) to++;
    return [from, to];
  }

  /** The rows of blocks, in their order; checked (F2). */
  async readBlocks(blocks: readonly number[], read: ReadRanges): Promise<readonly Uint8Array[]> {
    const found = await read(blocks.map((b) => [this.#offsets[b]!, this.#offsets[b + 1]!]));
    blocks.forEach((b, i) => this.check(b, found[i]));
    return found;
  }

  /** Throws unless these are the bytes of the block. */
  check(block: number, bytes: Uint8Array | undefined): void {
    if (bytes === undefined || crc32(bytes) !== this.#sums[block]) throw damaged(`block ${block}`);
  }

  /** Bytes of all rows, which a part begins with. */
  get rowBytes(): number {
    return this.#offsets[this.blocks]!;
  }
}

/** The rows of a block. */
export const rowsOf = function* (block: Uint8Array): Generator<PartRow, void> {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  for (let at = 0; at < block.length;) {
    const length = view.getUint32(at);
    yield rowAt(block, view, at, length);
    at += length;
  }
};

const rowAt = (block: Uint8Array, view: DataView, at: number, length: number): PartRow => {
  const keyEnd = at + ROW_HEAD + view.getUint32(at + 24);
  return {
    hash: view.getUint32(at + 4),
    time: view.getFloat64(at + 8),
    order: view.getFloat64(at + 16),
    key: block.subarray(at + ROW_HEAD, keyEnd),
    state: block.subarray(keyEnd, at + length),
  };
};

/** Calls `each` for the rows of `bytes[from, to)`, without an object for a row; `at`: where it begins. */
export const scanRows = (
  view: DataView,
  from: number,
  to: number,
  each: (at: number, time: number, hash: number) => void,
): void => {
  for (let at = from; at < to; at += view.getUint32(at))
    each(at, view.getFloat64(at + 8), view.getUint32(at + 4));
};

/** The key of the row at `at`. */
export const keyAt = (bytes: Uint8Array, view: DataView, at: number): Uint8Array =>
  bytes.subarray(at + ROW_HEAD, at + ROW_HEAD + view.getUint32(at + 24));

/** The row of a key in its block. */
export const findRow = (
  block: Uint8Array,
  hash: number,
  time: number,
  key: Uint8Array,
): PartRow | undefined => {
  const view = new DataView(block.buffer, block.byteOffset, block.byteLength);
  for (let at = 0; at < block.length;) {
    const length = view.getUint32(at);
    if (view.getUint32(at + 4) === hash && view.getFloat64(at + 8) === time) {
      const row = rowAt(block, view, at, length);
      if (sameBytes(row.key, key)) return row;
    }
    at += length;
  }
  return undefined;
};
