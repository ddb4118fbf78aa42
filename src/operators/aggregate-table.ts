/**
 * The state of an aggregate: an open-addressing table from group keys to dense group ids, with the keys stored in
 * columns and the accumulators beside them by the same ids.
 *
 * Invariants (besides T1 and T3 of table.ts).
 *  A1 a slot holds id + 1, 0 when empty; every live group is reachable from its hash by linear probing without a gap.
 *  A2 groups come out (close, base, live) by closing time, then in the order in which they came in; a restored table has the
 *     same order, because blobs keep it (law 2: "stored insertion order"). Without an event time: in order of arrival.
 *  A3 bit 1 of a flag: changed since the last drain; bit 2: since the last `takeTouched`.
 *  A4 `drain` writes the highest limit closed since the last drain; a load closes through it before it takes the rows. Only an
 *     event-time key closes, so a limit says exactly which groups are gone.
 */
import type { DataType } from "../core/data-type.ts";
import type { Vector } from "../core/vector.ts";
import { lengthBeyond } from "../expr/aggregates/definition.ts";
import type { Accumulator } from "../expr/contract.ts";
import type { StateTable, TableStats } from "../state/table.ts";
import { ExpiryQueue } from "./expiry-queue.ts";
import { blobBytes, decodeGroups, encodeGroups, encodePieces } from "./group-blob.ts";
import { canSpill, GroupColumns } from "./group-columns.ts";
import { filledSlots, grown, hashRow, idsBelow, IdList, unlinkSlot } from "./group-ids.ts";
import { GroupMemo, memoParts } from "./group-memo.ts";
import { GroupSpill } from "./group-spill.ts";
import { IN_PART, MODIFIED } from "./spill-host.ts";
import type { KeyColumn } from "./key-columns.ts";

const CHANGED = 1;
const TOUCHED = 2;
const MARKED = CHANGED | TOUCHED;
/** The id is free. IN_PART and MODIFIED: spill-host.ts. */
const FREE = 16;
const NO_GROUPS: Int32Array = new Int32Array(0);
const BYTES_PER_GROUP = 32;
const BYTES_PER_ACCUMULATOR = 24;
/** Dictionaries of keys are rebuilt when they hold this many times more values than there are groups. */
const COMPACT_RATIO = 4;
const COMPACT_RATIO_SPILLED = 2;
const COMPACT_MINIMUM = 4096;

export interface AggregateTableOptions {
  readonly name: string;
  readonly keyTypes: readonly DataType[];
  /** Ordinals of the keys whose hash routes rows to this actor. */
  readonly routeBy: readonly number[];
  readonly accumulators: readonly Accumulator[];
  /** Ordinal of the event-time key. A window closes at its end, a time at itself. */
  readonly eventTime: number | undefined;
  /** Ordinal of a key that stays the same for many rows in a row, beside `eventTime`. */
  readonly steady?: number;
  /** It need not be in memory as a whole: nobody asks for all groups. */
  readonly spills?: boolean;
}

export class AggregateTable implements StateTable {
  readonly name: string;
  readonly columns: GroupColumns;
  readonly spill: GroupSpill | undefined;
  readonly #keys: readonly KeyColumn[];
  readonly accumulators: readonly Accumulator[];
  /** Index of the part that holds the closing time; -1 without one. */
  readonly #closingPart: number;
  /** First part of each key: these are hashed, a window's end says little beside its start. */
  readonly #firstPart: readonly number[];
  #slots = new Int32Array(128);
  #mask = 127;
  #hashes = new Int32Array(64);
  readonly #parts: Float64Array[];
  #flags = new Uint8Array(64);
  #capacity = 64;
  /** Ids ever used; below it, those in `free` are not live. */
  #used = 0;
  readonly #free = new IdList();
  #changed = new IdList();
  #touched = new IdList();
  #closing = new ExpiryQueue<number>();
  #closed: number | null = null;
  #scratch: Float64Array[];
  /** The same memory as `scratch`, as words. */
  #words: Int32Array[] = [];
  #reserved = 0;
  #fresh: Uint8Array | undefined;
  readonly #memo = new GroupMemo();
  readonly #memoParts: ReturnType<typeof memoParts>;

  constructor(options: AggregateTableOptions) {
    this.name = options.name;
    const columns = (this.columns = new GroupColumns(options.keyTypes, options.routeBy, 64));
    ({ keys: this.#keys, firstPart: this.#firstPart, parts: this.#parts } = columns);
    this.accumulators = options.accumulators;
    this.#memoParts = memoParts(this.#keys, options.steady ?? options.eventTime);
    this.#scratch = this.#parts.map(() => new Float64Array(0));
    const time = options.eventTime;
    this.#closingPart = time === undefined ? -1 : this.#firstPart[time]! + this.#keys[time]!.parts - 1;
    for (const a of this.accumulators) a.ensure(64);
    this.spill = options.spills === true && canSpill(this.#keys) ? this.#spilling() : undefined;
  }

  #spilling(): GroupSpill {
    return new GroupSpill({
      columns: this.columns,
      accumulators: this.accumulators,
      closingPart: this.#closingPart,
      scratch: (n) => this.#reserve(n),
      flags: () => this.#flags,
      find: (row) => this.#seek(row, hashRow(this.#words, this.#firstPart, row)),
      place: (row) => {
        const hash = hashRow(this.#words, this.#firstPart, row);
        return this.#place(hash, ~this.#seek(row, hash), row);
      },
      resident: () => this.#resident(),
      ordered: () => this.live(),
      evict: (groups) => this.#evict(groups),
      bytes: () => this.#bytes() + this.size * blobBytes(this),
    });
  }

  /** Live groups. */
  get size(): number {
    return this.#used - this.#free.length;
  }

  /**
   * Puts the group of each of `n` rows into `groups`, making new ones, and marks them touched. `keys` are dense. With `fresh`: fresh[i] becomes 1
   * where row i made its group, and only such groups are touched.
   */
  lookup(keys: readonly Vector[], n: number, groups: Int32Array, fresh?: Uint8Array): void {
    this.#fresh = fresh;
    this.#encodeRows(keys, n);
    this.#find(n, groups);
    this.#fresh = undefined;
  }

  #encodeRows(keys: readonly Vector[], n: number): void {
    this.#reserve(n);
    this.#keys.forEach((k, i) => {
      const p = this.#firstPart[i]!;
      k.encode(keys[i]!, n, this.#scratch[p]!, this.#scratch[p + k.parts - 1]!);
    });
  }

  /** Before `lookup` of the same rows: brings in those of their groups that only the disk has; undefined when there is nothing to wait for. */
  fetch(keys: readonly Vector[], n: number): Promise<void> | undefined {
    if (this.spill?.active !== true) return undefined;
    this.#encodeRows(keys, n);
    return this.spill.fetch(n);
  }

  #reserve(n: number): readonly Float64Array[] {
    if (this.#reserved >= n) return this.#scratch;
    this.#reserved = n;
    this.#scratch = this.#scratch.map(() => new Float64Array(n));
    this.#words = this.#scratch.map((p) => new Int32Array(p.buffer));
    return this.#scratch;
  }

  /** Finds or makes the group of each of the `n` rows whose parts are in `scratch`. */
  #find(n: number, groups: Int32Array): void {
    const which = this.#memoParts;
    const touchAll = this.#fresh === undefined;
    this.#memo.begin();
    if (which === undefined || this.#memo.paused) {
      for (let i = 0; i < n; i++) {
        const g = (groups[i] = this.#probe(i));
        if (touchAll) this.#touch(g);
      }
      return;
    }
    const index = this.#scratch[which.index]!;
    const [o0, o1] = which.others.map((p) => this.#scratch[p]!);
    let [first, second] = [NaN, NaN];
    let memo: Int32Array = NO_GROUPS;
    for (let i = 0; i < n; i++) {
      if (i === 0 || (o0 !== undefined && o0[i] !== first) || (o1 !== undefined && o1[i] !== second)) {
        first = o0 === undefined ? 0 : o0[i]!;
        second = o1 === undefined ? 0 : o1[i]!;
        memo = this.#memo.of(first, second);
      }
      const part = index[i]!;
      let g = (part >= 0 && part < memo.length ? (memo[part] ?? 0) : 0) - 1;
      if (g < 0) {
        g = this.#probe(i);
        memo = this.#memo.put(memo, part, g);
      }
      groups[i] = g;
      if (touchAll && (this.#flags[g]! & MARKED) !== MARKED) this.#touch(g);
    }
  }

  /** The group of row i of `scratch`, by hash; made when there is none. */
  #probe(i: number): number {
    const hash = hashRow(this.#words, this.#firstPart, i);
    const g = this.#seek(i, hash);
    return g >= 0 ? g : this.#insert(hash, ~g, i);
  }

  /** The same, or ~ the slot where it would be. */
  #seek(i: number, hash: number): number {
    const mask = this.#mask;
    let slot = hash & mask;
    for (;;) {
      const g = this.#slots[slot]! - 1;
      if (g < 0) return ~slot;
      if (this.#hashes[g] === hash && this.#equal(g, i)) return g;
      slot = (slot + 1) & mask;
    }
  }

  #equal(g: number, i: number): boolean {
    for (let p = 0; p < this.#parts.length; p++)
      if (this.#parts[p]![g] !== this.#scratch[p]![i]) return false;
    return true;
  }

  #touch(g: number): void {
    const flags = this.#flags[g]!;
    if ((flags & CHANGED) === 0) this.#changed.push(g);
    if ((flags & TOUCHED) === 0) this.#touched.push(g);
    this.#flags[g] = flags | MARKED;
    if ((flags & MODIFIED) !== 0) return;
    if ((flags & IN_PART) !== 0) this.spill?.modified(g);
    this.#flags[g]! |= MODIFIED;
  }

  #insert(hash: number, slot: number, row: number): number {
    if (this.#fresh !== undefined) this.#fresh[row] = 1;
    const g = this.#place(hash, slot, row);
    this.#touch(g);
    return g;
  }

  #place(hash: number, slot: number, row: number): number {
    const g = this.#free.length > 0 ? this.#free.pop() : this.#used++;
    if (g >= this.#capacity) this.#growGroups();
    this.#hashes[g] = hash;
    this.#flags[g] = 0;
    this.columns.renewed(g);
    for (let p = 0; p < this.#parts.length; p++) this.#parts[p]![g] = this.#scratch[p]![row]!;
    this.#slots[slot] = g + 1;
    this.spill?.placed(g);
    if (this.#closingPart >= 0) this.#closing.add(this.#parts[this.#closingPart]![g]!, g);
    if (this.size * 2 > this.#mask) this.#rebuild((this.#mask + 1) * 2, this.#slots);
    return g;
  }

  #growGroups(): void {
    const capacity = (this.#capacity = lengthBeyond(this.#capacity));
    this.#hashes = grown(new Int32Array(capacity), this.#hashes);
    this.#flags = grown(new Uint8Array(capacity), this.#flags);
    this.columns.grow(capacity);
    this.spill?.grow(capacity);
    for (const a of this.accumulators) a.ensure(capacity);
  }

  /** All slots anew, from the live groups or from slots that hold exactly these. */
  #rebuild(size: number, from?: Int32Array): void {
    this.#mask = size - 1;
    this.#slots = filledSlots(size, this.#hashes, from ?? this.#resident().map((g) => g + 1));
  }

  /** The live groups in the order of A2. */
  live(): Int32Array {
    const groups = this.#closingPart >= 0 ? Int32Array.from(this.#closing.items()) : this.#resident();
    return this.spill === undefined ? groups : this.spill.sort(groups);
  }

  /** The same in no order that counts. */
  #resident(): Int32Array {
    const ids = idsBelow(this.#used);
    return this.#free.length === 0 ? ids : ids.filter((g) => (this.#flags[g]! & FREE) === 0);
  }

  /** The next delta has these groups too: their states changed beside `lookup`. */
  change(groups: Int32Array): void {
    for (const g of groups) {
      if ((this.#flags[g]! & CHANGED) === 0) this.#changed.push(g);
      this.#flags[g]! |= CHANGED;
    }
  }

  /** Groups touched since the last call, in the order in which they were first touched. */
  takeTouched(): Int32Array {
    const groups = this.#touched.ids();
    this.#touched.unmark(this.#flags, TOUCHED);
    return groups;
  }

  /** Takes the groups with a closing time <= limit out of the table; their keys and states can be read until `release`. */
  close(limit: number): Int32Array {
    if (this.#closingPart < 0 || this.#closing.first > limit) return NO_GROUPS;
    const groups = Int32Array.from(this.#closing.takeThrough(limit));
    if (groups.length > 0) this.#closed = Math.max(this.#closed ?? -Infinity, limit);
    return this.spill === undefined ? groups : this.spill.sort(groups);
  }

  /** Forgets everything, without a trace in the next delta: for tables that are not persisted. */
  clear(): void {
    for (const a of this.accumulators) for (let g = 0; g < this.#used; g++) a.clear(g);
    this.#flags.fill(0, 0, this.#used);
    this.#closing.clear();
    this.#slots.fill(0);
    this.#used = 0;
    this.#free.clear();
    this.#changed.length = this.#touched.length = 0;
    this.#memo.forget();
    this.#compactKeys();
  }

  release(groups: Int32Array): void {
    this.spill?.released(groups);
    this.#drop(groups);
  }

  /** Forgets groups that stay on disk. */
  #evict(groups: Int32Array): void {
    for (const g of groups) this.#flags[g] = FREE;
    if (this.#closingPart >= 0) this.#closing.keep((g) => this.#flags[g] !== FREE);
    this.#drop(groups);
  }

  #drop(groups: Int32Array): void {
    if (groups.length === 0) return;
    this.#memo.forget();
    for (const g of groups) {
      for (const a of this.accumulators) a.clear(g);
      this.#free.push(g);
      this.#flags[g] = FREE;
    }
    this.#changed.keepMarked(this.#flags, CHANGED);
    this.#touched.keepMarked(this.#flags, TOUCHED);
    if (groups.length >= this.size) this.#rebuild(this.#slots.length);
    else for (const g of groups) unlinkSlot(this.#slots, this.#hashes, g);
    this.#compactKeys();
  }

  #compactKeys(): void {
    const ratio = this.spill?.active === true ? COMPACT_RATIO_SPILLED : COMPACT_RATIO;
    const most = Math.max(COMPACT_MINIMUM, this.size * ratio);
    if (this.columns.interned <= most) return;
    const live = this.#resident();
    this.columns.compact(live);
    this.columns.rehash(live, this.#hashes);
    this.#rebuild(this.#slots.length);
  }

  drain(): Uint8Array | undefined {
    if (this.#changed.length === 0 && this.#closed === null) return undefined;
    const bytes = encodeGroups(this, this.#changed.ids(), this.#flags, this.#closed, false);
    this.#changed.unmark(this.#flags, CHANGED);
    this.#closed = null;
    return bytes;
  }

  base(): Uint8Array {
    return encodeGroups(this, this.spill?.forBase(this.live()) ?? this.live(), this.#flags, null, true);
  }

  bases(): readonly Uint8Array[] {
    return encodePieces(this, this.spill?.forBase(this.live()) ?? this.live(), this.#flags);
  }

  load(bytes: Uint8Array, keeps: (keyGroup: number) => boolean, epoch = Infinity): void {
    const counts = (k: number): boolean => keeps(k) && this.spill?.supersedes(k, epoch) !== true;
    const { closed, rows, keyGroups, keys, loadState, orders, inPart } = decodeGroups(bytes, counts);
    if (closed !== null) {
      this.spill?.closedThrough(closed);
      this.release(this.close(closed));
    }
    this.#reserve(rows.length);
    const n = rows.length;
    keys.forEach((values, c) => {
      for (let row = 0; row < n; row++) this.columns.encode(c, values[rows[row]!]!, row, this.#scratch);
    });
    const groups = new Int32Array(n);
    this.#find(n, groups);
    for (let row = 0; row < n; row++) {
      const [i, g] = [rows[row]!, groups[row]!];
      this.columns.setKeyGroup(g, keyGroups[i]!);
      if (orders === undefined || this.spill === undefined) continue;
      this.spill.loadedOrder(g, orders[i] as number);
      this.#flags[g]! |= inPart![i]!;
    }
    this.accumulators.forEach((a, call) => loadState(a, call, groups));
    this.#changed.unmark(this.#flags, CHANGED);
    this.#closed = null;
    this.#touched.unmark(this.#flags, TOUCHED);
  }

  #bytes(): number {
    const states = this.accumulators.length * BYTES_PER_ACCUMULATOR;
    const grown = this.accumulators.reduce((sum, a) => sum + (a.growth?.bytes() ?? 0), 0);
    return grown + this.size * (BYTES_PER_GROUP + this.#parts.length * 8 + states);
  }

  stats(): TableStats {
    const resident = { rows: this.size, bytes: this.#bytes() };
    return this.spill === undefined ? resident : this.spill.stats(resident);
  }
}
