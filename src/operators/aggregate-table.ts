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
import { combineHash, keyGroupOf } from "../core/hash.ts";
import type { Value } from "../core/value.ts";
import type { Vector } from "../core/vector.ts";
import { pack, unpack } from "../codec/msgpack.ts";
import type { Accumulator } from "../expr/contract.ts";
import type { StateTable, TableStats } from "../state/table.ts";
import { type ColumnBlob, packColumn, unpackColumn } from "./column-blob.ts";
import { ExpiryQueue } from "./expiry-queue.ts";
import { grown, hashRow, idsBelow, IdList } from "./group-ids.ts";
import { GroupMemo, memoParts } from "./group-memo.ts";
import { KeyColumn } from "./key-columns.ts";

const CHANGED = 1;
const TOUCHED = 2;
const MARKED = CHANGED | TOUCHED;
const NO_GROUPS: Int32Array = new Int32Array(0);
const BYTES_PER_GROUP = 32;
const BYTES_PER_ACCUMULATOR = 24;
/** Dictionaries of keys are rebuilt when they hold this many times more values than there are groups. */
const COMPACT_RATIO = 4;
const COMPACT_MINIMUM = 4096;

type Blob = [
  version: 1,
  closed: number | null,
  keyGroups: Uint8Array,
  keys: ColumnBlob[],
  states: ColumnBlob[],
];

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
}

export class AggregateTable implements StateTable {
  readonly name: string;
  readonly #keys: readonly KeyColumn[];
  readonly #routeBy: readonly number[];
  readonly #accumulators: readonly Accumulator[];
  /** Index of the part that holds the closing time; -1 without one. */
  readonly #closingPart: number;
  /** First part of each key: these are hashed, a window's end says little beside its start. */
  readonly #firstPart: readonly number[];
  #slots = new Int32Array(128);
  #mask = 127;
  #hashes = new Int32Array(64);
  #parts: Float64Array[];
  #flags = new Uint8Array(64);
  #keyGroups = new Int16Array(64);
  #capacity = 64;
  /** Ids ever used; below it, those in `free` are not live. */
  #used = 0;
  #free: number[] = [];
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
    this.#keys = options.keyTypes.map((t) => new KeyColumn(t));
    this.#routeBy = options.routeBy;
    this.#accumulators = options.accumulators;
    let parts = 0;
    this.#firstPart = this.#keys.map((k) => (parts += k.parts) - k.parts);
    this.#memoParts = memoParts(this.#keys, options.steady ?? options.eventTime);
    this.#parts = Array.from({ length: parts }, () => new Float64Array(64));
    this.#scratch = Array.from({ length: parts }, () => new Float64Array(0));
    const time = options.eventTime;
    this.#closingPart = time === undefined ? -1 : this.#firstPart[time]! + this.#keys[time]!.parts - 1;
    for (const a of this.#accumulators) a.ensure(64);
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
    this.#reserve(n);
    this.#fresh = fresh;
    this.#keys.forEach((k, i) => {
      const p = this.#firstPart[i]!;
      k.encode(keys[i]!, n, this.#scratch[p]!, this.#scratch[p + k.parts - 1]!);
    });
    this.#find(n, groups);
    this.#fresh = undefined;
  }

  #reserve(n: number): void {
    if (this.#reserved >= n) return;
    this.#reserved = n;
    this.#scratch = this.#scratch.map(() => new Float64Array(n));
    this.#words = this.#scratch.map((p) => new Int32Array(p.buffer));
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
      if (touchAll && this.#flags[g] !== MARKED) this.#touch(g);
    }
  }

  /** The group of row i of `scratch`, by hash; made when there is none. */
  #probe(i: number): number {
    const hash = hashRow(this.#words, this.#firstPart, i);
    const mask = this.#mask;
    let slot = hash & mask;
    for (;;) {
      const g = this.#slots[slot]! - 1;
      if (g < 0) return this.#insert(hash, slot, i);
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
    this.#flags[g] = MARKED;
  }

  #insert(hash: number, slot: number, row: number): number {
    const g = this.#free.pop() ?? this.#used++;
    if (g >= this.#capacity) this.#growGroups();
    if (this.#fresh !== undefined) this.#fresh[row] = 1;
    this.#hashes[g] = hash;
    this.#flags[g] = 0;
    this.#keyGroups[g] = -1;
    for (let p = 0; p < this.#parts.length; p++) this.#parts[p]![g] = this.#scratch[p]![row]!;
    this.#slots[slot] = g + 1;
    this.#touch(g);
    if (this.#closingPart >= 0) this.#closing.add(this.#parts[this.#closingPart]![g]!, g);
    if (this.size * 2 > this.#mask) this.#rebuild((this.#mask + 1) * 2, this.#slots);
    return g;
  }

  #growGroups(): void {
    const capacity = (this.#capacity *= 2);
    this.#hashes = grown(new Int32Array(capacity), this.#hashes);
    this.#flags = grown(new Uint8Array(capacity), this.#flags);
    this.#keyGroups = grown(new Int16Array(capacity), this.#keyGroups);
    this.#parts = this.#parts.map((p) => grown(new Float64Array(capacity), p));
    for (const a of this.#accumulators) a.ensure(capacity);
  }

  /** All slots anew, from the live groups or from slots that hold exactly these. */
  #rebuild(size: number, from?: Int32Array): void {
    const slots = from ?? this.live().map((g) => g + 1);
    this.#slots = new Int32Array(size);
    this.#mask = size - 1;
    for (let i = 0; i < slots.length; i++) {
      const g = slots[i]! - 1;
      if (g < 0) continue;
      let slot = this.#hashes[g]! & this.#mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = g + 1;
    }
  }

  /** The live groups in the order of A2. */
  live(): Int32Array {
    return this.#closingPart >= 0 ? Int32Array.from(this.#closing.items()) : idsBelow(this.#used);
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
    const groups = this.#touched.data.slice(0, this.#touched.length);
    this.#touched.length = 0;
    for (const g of groups) this.#flags[g]! &= ~TOUCHED;
    return groups;
  }

  /** Takes the groups with a closing time <= limit out of the table; their keys and states can be read until `release`. */
  close(limit: number): Int32Array {
    if (this.#closingPart < 0 || this.#closing.first > limit) return NO_GROUPS;
    const groups = Int32Array.from(this.#closing.takeThrough(limit));
    if (groups.length > 0) this.#closed = Math.max(this.#closed ?? -Infinity, limit);
    return groups;
  }

  /** Forgets everything, without a trace in the next delta: for tables that are not persisted. */
  clear(): void {
    for (const a of this.#accumulators) for (let g = 0; g < this.#used; g++) a.clear(g);
    this.#flags.fill(0, 0, this.#used);
    this.#closing.clear();
    this.#slots.fill(0);
    this.#used = 0;
    this.#free = [];
    this.#changed.length = this.#touched.length = 0;
    this.#memo.forget();
    this.#compactKeys();
  }

  release(groups: Int32Array): void {
    if (groups.length === 0) return;
    this.#memo.forget();
    for (const g of groups) {
      for (const a of this.#accumulators) a.clear(g);
      this.#free.push(g);
    }
    this.#dropMarks(this.#changed, CHANGED, groups);
    this.#dropMarks(this.#touched, TOUCHED, groups);
    if (groups.length >= this.size) this.#rebuild(this.#slots.length);
    else for (const g of groups) this.#unlink(g);
    this.#compactKeys();
  }

  /** Takes released groups out of a list of marks, in order. */
  #dropMarks(list: IdList, mark: number, groups: Int32Array): void {
    for (const g of groups) this.#flags[g]! &= ~mark;
    let kept = 0;
    for (let i = 0; i < list.length; i++) {
      const g = list.data[i]!;
      if (this.#flags[g]! & mark) list.data[kept++] = g;
    }
    list.length = kept;
  }

  /** Removes a group's slot by shifting back what follows (A1). */
  #unlink(g: number): void {
    const slots = this.#slots;
    const mask = this.#mask;
    let hole = this.#hashes[g]! & mask;
    while (slots[hole] !== g + 1) hole = (hole + 1) & mask;
    for (let next = (hole + 1) & mask; slots[next] !== 0; next = (next + 1) & mask) {
      const home = this.#hashes[slots[next]! - 1]! & mask;
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        slots[hole] = slots[next]!;
        hole = next;
      }
    }
    slots[hole] = 0;
  }

  #compactKeys(): void {
    const most = Math.max(COMPACT_MINIMUM, this.size * COMPACT_RATIO);
    if (!this.#keys.some((k) => k.internedCount > most)) return;
    const live = this.live();
    this.#keys.forEach((k, i) => k.compact(live, this.#parts[this.#firstPart[i]!]!));
    const words = this.#parts.map((p) => new Int32Array(p.buffer));
    for (const g of live) this.#hashes[g] = hashRow(words, this.#firstPart, g);
    this.#rebuild(this.#slots.length);
  }

  /** The key `key` of the groups, as a vector. */
  keyVector(key: number, groups: Int32Array): Vector {
    const [k, p] = [this.#keys[key]!, this.#firstPart[key]!];
    return k.gather(groups, this.#parts[p]!, this.#parts[p + k.parts - 1]!);
  }

  keyValue(key: number, group: number): Value {
    const [k, p] = [this.#keys[key]!, this.#firstPart[key]!];
    return k.value(this.#parts[p]![group]!, this.#parts[p + k.parts - 1]![group]!);
  }

  /** Key group of a group's key (T3). */
  #keyGroupOf(g: number): number {
    const known = this.#keyGroups[g]!;
    if (known >= 0) return known;
    let h = 0;
    for (const i of this.#routeBy) {
      const k = this.#keys[i]!;
      const p = this.#firstPart[i]!;
      h = combineHash(h, k.hash(this.#parts[p]![g]!, this.#parts[p + k.parts - 1]![g]!));
    }
    return (this.#keyGroups[g] = keyGroupOf(h));
  }

  #encode(groups: Int32Array, closed: number | null): Uint8Array {
    const blob: Blob = [
      1,
      closed,
      Uint8Array.from(groups, (g) => this.#keyGroupOf(g)),
      this.#keys.map((k, i) => {
        const p = this.#firstPart[i]!;
        return k.pack(groups, this.#parts[p]!, this.#parts[p + k.parts - 1]!);
      }),
      this.#accumulators.map((a) => packColumn(Array.from(groups, (g) => a.save(g)))),
    ];
    return pack(blob);
  }

  drain(): Uint8Array | undefined {
    if (this.#changed.length === 0 && this.#closed === null) return undefined;
    const bytes = this.#encode(this.#changed.data.slice(0, this.#changed.length), this.#closed);
    this.#forgetChanges();
    return bytes;
  }

  base(): Uint8Array {
    return this.#encode(this.live(), null);
  }

  #forgetChanges(): void {
    for (let i = 0; i < this.#changed.length; i++) this.#flags[this.#changed.data[i]!]! &= ~CHANGED;
    this.#changed.length = 0;
    this.#closed = null;
  }

  load(bytes: Uint8Array, keeps: (keyGroup: number) => boolean): void {
    const [, closed, keyGroups, keyBlobs, stateBlobs] = unpack(bytes) as Blob;
    if (closed !== null) this.release(this.close(closed));
    const kept = Int32Array.from(keyGroups.keys()).filter((i) => keeps(keyGroups[i]!));
    const [keys, states] = [keyBlobs.map(unpackColumn), stateBlobs.map(unpackColumn)];
    this.#reserve(kept.length);
    this.#keys.forEach((k, c) => {
      const p = this.#firstPart[c]!;
      kept.forEach((i, row) =>
        k.encodeValue(keys[c]![i]!, row, this.#scratch[p]!, this.#scratch[p + k.parts - 1]!),
      );
    });
    const groups = new Int32Array(kept.length);
    this.#find(kept.length, groups);
    kept.forEach((i, row) => {
      this.#keyGroups[groups[row]!] = keyGroups[i]!;
      this.#accumulators.forEach((a, c) => a.load(groups[row]!, states[c]![i]!));
    });
    this.#forgetChanges();
    this.takeTouched();
  }

  stats(): TableStats {
    const states = this.#accumulators.length * BYTES_PER_ACCUMULATOR;
    return { rows: this.size, bytes: this.size * (BYTES_PER_GROUP + this.#parts.length * 8 + states) };
  }
}
