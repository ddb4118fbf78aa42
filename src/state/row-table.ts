/**
 * Rows in state as columns: every row has a slot, which is used again when the row is gone. Whoever keeps rows (joins, top-N, dedup) finds them through
 * indexes of its own, rebuilt from the rows after a restore.
 *
 * A blob: the format's byte, then pieces of at most `PIECE_ROWS` rows, each behind its length (4 bytes, little-endian), so that writing and reading need
 * memory for one at a time. A piece: [how, next, rows, uids, key groups, marks, removed uids, marked uids, column items…]; `how`: 0 a delta, 1 a base, 2 a
 * delta that refers to nothing before it; all pieces but the first are deltas. Column items are those of frames (src/codec/column-codec.ts).
 *
 * Invariants (besides T1 and T3 of table.ts).
 *  W1 a row's uid grows in the order in which rows came; `live` gives rows in that order, restored or not, and blobs hold them in it.
 *  W2 `added` has the slot and uid of every live row that no blob has yet; `removed` the uids of rows gone that a blob has.
 *  W3 a blob that begins a chain (`how` 1 or 2) after rows of another chain are there (a rescale) gets uids beyond theirs.
 */
import type { DataType } from "../core/data-type.ts";
import { StateCorruptError } from "../core/errors.ts";
import { grown } from "../core/growing-array.ts";
import type { Value } from "../core/value.ts";
import type { Vector } from "../core/vector.ts";
import { decodeColumn, encodeColumn, itemsOfColumn } from "../codec/column-codec.ts";
import { unpackViews } from "../codec/msgpack.ts";
import { NumberList, SlotList } from "./slot-list.ts";
import type { RowColumn } from "./row-column.ts";
import type { StateTable, TableStats } from "./table.ts";
import { LENGTH_BYTES, PieceWriter } from "./piece-writer.ts";
import { createRowColumn } from "./value-column.ts";

const FORMAT = 2;
const PIECE_ROWS = 8192;
const DELTA = 0;
const BASE = 1;
const FRESH_DELTA = 2;
const FIRST_ITEM = 8;
const NONE = new Float64Array(0);

const LIVE = 1;
/** In no blob yet. */
const NEW = 2;
/** The owner's mark. */
const MARK = 4;
/** The mark was set since the last drain, on a row that a blob has. */
const NEWLY_MARKED = 8;
const BYTES_PER_ROW = 10;

/** Slots of new rows, uids of the others. */
interface Changes {
  readonly how: number;
  readonly added: Int32Array;
  readonly removed: Float64Array;
  readonly marked: Float64Array;
}

export class RowTable implements StateTable {
  readonly name: string;
  readonly #types: readonly DataType[];
  readonly #columns: readonly RowColumn[];
  #capacity = 0;
  #used = 0;
  readonly #free = new SlotList();
  #uids = new Float64Array(0);
  #groups = new Uint8Array(0);
  #flags = new Uint8Array(0);
  #next = 0;
  readonly #added = new SlotList();
  readonly #addedUids = new NumberList();
  readonly #removed = new NumberList();
  readonly #marked = new SlotList();
  /** Rows that some blob has. */
  #persisted = 0;
  /** Rows that some blob has and that are gone. */
  #dead = 0;
  /** While blobs are loaded: slots by uid, once a blob refers to rows of another. */
  #byUid: Map<number, number> | undefined;
  #offset = 0;

  /** What `stats` counts, where that is not the rows. */
  readonly #count: (() => number) | undefined;

  constructor(name: string, types: readonly DataType[], count?: () => number) {
    this.name = name;
    this.#count = count;
    this.#types = types;
    this.#columns = types.map(createRowColumn);
  }

  get size(): number {
    return this.#used - this.#free.length;
  }

  /** Slots below this have been in use. */
  get capacity(): number {
    return this.#capacity;
  }

  column(i: number): RowColumn {
    return this.#columns[i]!;
  }

  /** A slot for a row that comes now. Its columns are to be written before anything else reads them. */
  take(group: number): number {
    const slot = this.#free.length > 0 ? this.#free.pop() : this.#used++;
    if (slot >= this.#capacity) this.#grow();
    const uid = this.#next++;
    this.#uids[slot] = uid;
    this.#groups[slot] = group;
    this.#flags[slot] = LIVE | NEW;
    this.#added.push(slot);
    this.#addedUids.push(uid);
    return slot;
  }

  #grow(): void {
    const capacity = Math.max(64, Math.ceil(this.#capacity * (this.#capacity < 65_536 ? 2 : 1.5)));
    this.#capacity = capacity;
    this.#uids = grown(this.#uids, capacity);
    this.#groups = grown(this.#groups, capacity);
    this.#flags = grown(this.#flags, capacity);
    for (const c of this.#columns) c.grow(capacity);
  }

  /** Row `rows[k]` of the vectors (one a column) becomes slot `slots[k]`. */
  write(vectors: readonly Vector[], rows: Int32Array, slots: Int32Array, n: number): void {
    for (let c = 0; c < this.#columns.length; c++) this.#columns[c]!.write(vectors[c]!, rows, slots, n);
  }

  remove(slot: number): void {
    const flags = this.#flags[slot]!;
    if ((flags & NEW) === 0) {
      this.#removed.push(this.#uids[slot]!);
      this.#persisted--;
      this.#dead++;
    }
    this.#flags[slot] = 0;
    for (let c = 0; c < this.#columns.length; c++) this.#columns[c]!.clear(slot);
    this.#free.push(slot);
  }

  isLive(slot: number): boolean {
    return (this.#flags[slot]! & LIVE) !== 0;
  }

  mark(slot: number): void {
    const flags = this.#flags[slot]!;
    if ((flags & MARK) !== 0) return;
    if ((flags & NEW) === 0) {
      this.#flags[slot] = flags | MARK | NEWLY_MARKED;
      this.#marked.push(slot);
    } else this.#flags[slot] = flags | MARK;
  }

  isMarked(slot: number): boolean {
    return (this.#flags[slot]! & MARK) !== 0;
  }

  /** Grows in the order of arrival (W1). */
  uid(slot: number): number {
    return this.#uids[slot]!;
  }

  group(slot: number): number {
    return this.#groups[slot]!;
  }

  valueAt(column: number, slot: number): Value {
    return this.#columns[column]!.valueAt(slot);
  }

  /** The live slots by W1. */
  live(): Int32Array {
    const n = this.size;
    const slots = new Int32Array(n);
    for (let slot = 0, k = 0; k < n; slot++) if ((this.#flags[slot]! & LIVE) !== 0) slots[k++] = slot;
    return this.inOrder(slots);
  }

  /** Sorts slots by W1, in place. */
  inOrder(slots: Int32Array): Int32Array {
    const uids = this.#uids;
    for (let k = 1; k < slots.length; k++)
      if (uids[slots[k - 1]!]! > uids[slots[k]!]!) return slots.sort((a, b) => uids[a]! - uids[b]!);
    return slots;
  }

  /** Forgets everything, without a trace in the next delta: for tables that are not persisted. */
  clear(): void {
    for (let slot = 0; slot < this.#used; slot++)
      if ((this.#flags[slot]! & LIVE) !== 0) for (const c of this.#columns) c.clear(slot);
    this.#flags.fill(0);
    this.#used = this.#persisted = this.#dead = 0;
    this.#free.length = 0;
    this.#forgetChanges();
  }

  #encode(how: number, slots: Int32Array, removed: Float64Array, marked: Float64Array): Uint8Array {
    const blob = new PieceWriter(FORMAT, slots.length / PIECE_ROWS);
    blob.add(this.#piece(how, slots.subarray(0, PIECE_ROWS), removed, marked));
    for (let from = PIECE_ROWS; from < slots.length; from += PIECE_ROWS)
      blob.add(this.#piece(DELTA, slots.subarray(from, from + PIECE_ROWS), NONE, NONE));
    return blob.done();
  }

  #piece(how: number, slots: Int32Array, removed: Float64Array, marked: Float64Array): readonly unknown[] {
    const n = slots.length;
    const uids = new Float64Array(n);
    const groups = new Uint8Array(n);
    const marks = new Uint8Array(n);
    for (let k = 0; k < n; k++) {
      const slot = slots[k]!;
      uids[k] = this.#uids[slot]!;
      groups[k] = this.#groups[slot]!;
      marks[k] = (this.#flags[slot]! & MARK) === 0 ? 0 : 1;
    }
    const bytes = (a: Float64Array): Uint8Array => new Uint8Array(a.buffer, a.byteOffset, a.byteLength);
    const items: unknown[] = [how, this.#next, n, bytes(uids), groups, marks, bytes(removed), bytes(marked)];
    // An empty column has no dictionary to write.
    if (n > 0) for (const c of this.#columns) encodeColumn(c.gather(slots, n), 0, n, undefined, items);
    return items;
  }

  /** What changed since the last call; undefined when nothing did. */
  #takeChanges(): Changes | undefined {
    const { length } = this.#added;
    const slots = new Int32Array(length);
    let n = 0;
    for (let k = 0; k < length; k++) {
      const slot = this.#added.data[k]!;
      if ((this.#flags[slot]! & NEW) !== 0 && this.#uids[slot] === this.#addedUids.data[k]) slots[n++] = slot;
    }
    if (n === 0 && this.#removed.length === 0 && this.#marked.length === 0) {
      this.#forgetChanges();
      return undefined;
    }
    const marked = new NumberList();
    for (let k = 0; k < this.#marked.length; k++) {
      const slot = this.#marked.data[k]!;
      if ((this.#flags[slot]! & NEWLY_MARKED) === 0) continue;
      this.#flags[slot]! &= ~NEWLY_MARKED;
      marked.push(this.#uids[slot]!);
    }
    const changes = {
      how: this.#persisted === 0 && this.#removed.length === 0 ? FRESH_DELTA : DELTA,
      added: slots.subarray(0, n),
      removed: this.#removed.data.slice(0, this.#removed.length),
      marked: marked.data.slice(0, marked.length),
    };
    for (let k = 0; k < n; k++) this.#flags[slots[k]!]! &= ~NEW;
    this.#persisted += n;
    this.#forgetChanges();
    return changes;
  }

  drain(): Uint8Array | undefined {
    const c = this.#takeChanges();
    // The store keeps no blob of an empty table.
    if (this.size === 0) this.#dead = 0;
    return c && this.#encode(c.how, c.added, c.removed, c.marked);
  }

  rebased(): Uint8Array | undefined {
    return this.#takeChanges() && this.base();
  }

  #forgetChanges(): void {
    this.#added.release();
    this.#addedUids.release();
    this.#removed.release();
    this.#marked.release();
  }

  get deadRows(): number {
    return this.#dead;
  }

  base(): Uint8Array {
    this.#dead = 0;
    return this.#encode(BASE, this.live(), NONE, NONE);
  }

  load(blob: Uint8Array, keeps: (keyGroup: number) => boolean): void {
    if (blob[0] !== FORMAT) throw new StateCorruptError(`table ${this.name} has rows of another format`);
    const view = new DataView(blob.buffer, blob.byteOffset, blob.byteLength);
    for (let at = 1; at < blob.length;) {
      const from = at + LENGTH_BYTES;
      at = from + view.getUint32(at, true);
      this.#loadPiece(blob.subarray(from, at), keeps);
    }
    this.#persisted = this.size;
    this.#forgetChanges();
  }

  #loadPiece(piece: Uint8Array, keeps: (keyGroup: number) => boolean): void {
    const items = unpackViews(piece) as readonly unknown[];
    const [how, next, n, uidBytes, groups, marks, removed, marked] = items as [
      ...[number, number, number],
      ...[Uint8Array, Uint8Array, Uint8Array, Uint8Array, Uint8Array],
    ];
    if (how !== DELTA) this.#offset = this.size === 0 ? 0 : this.#next;
    const offset = this.#offset;
    for (const uid of doubles(removed)) this.#drop(uid + offset);
    for (const uid of doubles(marked)) {
      const slot = this.#find(uid + offset);
      if (slot !== undefined) this.#flags[slot]! |= MARK;
    }
    const uids = doubles(uidBytes);
    const rows = Int32Array.from({ length: n }, (_, i) => i).filter((i) => keeps(groups[i]!));
    const slots = rows.map((i) => {
      this.#next = uids[i]! + offset;
      const slot = this.take(groups[i]!);
      this.#byUid?.set(this.#uids[slot]!, slot);
      this.#flags[slot] = LIVE | (marks[i] === 1 ? MARK : 0);
      return slot;
    });
    this.#next = Math.max(this.#next, next + offset);
    let at = FIRST_ITEM;
    for (let c = 0; n > 0 && c < this.#columns.length; c++) {
      const v = decodeColumn(items, at, n, this.#types[c]!);
      this.#columns[c]!.write(v, rows, slots, slots.length);
      at += itemsOfColumn(items[at]);
    }
  }

  #find(uid: number): number | undefined {
    if (this.#byUid === undefined) {
      this.#byUid = new Map();
      for (let slot = 0; slot < this.#used; slot++)
        if ((this.#flags[slot]! & LIVE) !== 0) this.#byUid.set(this.#uids[slot]!, slot);
    }
    return this.#byUid.get(uid);
  }

  #drop(uid: number): void {
    const slot = this.#find(uid);
    if (slot === undefined) return;
    this.#byUid!.delete(uid);
    this.remove(slot);
  }

  /** All blobs are loaded. */
  loaded(): void {
    this.#byUid = undefined;
  }

  stats(): TableStats {
    const bytes = this.#columns.reduce((sum, c) => sum + c.bytes(), this.#capacity * BYTES_PER_ROW);
    return { rows: this.#count?.() ?? this.size, bytes };
  }
}

const doubles = (bytes: Uint8Array): Float64Array => new Float64Array(bytes.slice().buffer);
