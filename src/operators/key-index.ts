/**
 * Keys to dense ids: the index of operators that keep rows by key. Derived from the rows, never persisted; ids are of this process only.
 *
 * Invariants. I1: a slot of `slots` holds id + 1, 0 when empty; every live key is reachable from its hash by linear probing without a gap. I2: `refs[id]` rows
 * are kept under a key; a key without rows goes when `sweep` sees it.
 */
import type { DataType } from "../core/data-type.ts";
import { grown } from "../core/growing-array.ts";
import { combineHash, keyGroupOf } from "../core/hash.ts";
import type { Vector } from "../core/vector.ts";
import { SlotList } from "../state/slot-list.ts";
import { hashRow } from "./group-ids.ts";
import { KeyColumn } from "./key-columns.ts";

const FIRST_KEYS = 64;
/** Dictionaries of keys are rebuilt when they hold this many times more values than there are keys. */
const COMPACT_RATIO = 4;
const COMPACT_MINIMUM = 4096;
const DEAD = -1;

export class KeyIndex {
  readonly #keys: readonly KeyColumn[];
  readonly #firstPart: readonly number[];
  readonly #routeBy: readonly number[];
  #slots = new Int32Array(2 * FIRST_KEYS);
  #mask = 2 * FIRST_KEYS - 1;
  #hashes = new Int32Array(FIRST_KEYS);
  #parts: Float64Array[];
  #groups = new Int16Array(FIRST_KEYS);
  #refs = new Int32Array(FIRST_KEYS);
  #capacity = FIRST_KEYS;
  #used = 0;
  readonly #free = new SlotList();
  #scratch: Float64Array[];
  #words: Int32Array[] = [];
  #reserved = 0;
  readonly #onGrow: (capacity: number) => void;

  /** `routeBy`: ordinals of the keys whose hash routed the rows to this actor; all when absent. `onGrow`: ids below it may come now. */
  constructor(
    types: readonly DataType[],
    routeBy: readonly number[] | undefined,
    onGrow: (capacity: number) => void = () => {},
  ) {
    this.#keys = types.map((t) => new KeyColumn(t));
    this.#routeBy = routeBy ?? types.map((_, i) => i);
    let parts = 0;
    this.#firstPart = this.#keys.map((k) => (parts += k.parts) - k.parts);
    this.#parts = Array.from({ length: parts }, () => new Float64Array(FIRST_KEYS));
    this.#scratch = this.#parts.map(() => new Float64Array(0));
    this.#onGrow = onGrow;
    onGrow(FIRST_KEYS);
  }

  get size(): number {
    return this.#used - this.#free.length;
  }

  /** Puts the id of each row's key into `ids`, making new ones without rows. `keys` are dense vectors. */
  lookup(keys: readonly Vector[], n: number, ids: Int32Array): void {
    if (this.#reserved < n) {
      this.#reserved = n;
      this.#scratch = this.#scratch.map(() => new Float64Array(n));
      this.#words = this.#scratch.map((p) => new Int32Array(p.buffer));
    }
    this.#keys.forEach((k, i) => {
      const p = this.#firstPart[i]!;
      k.encode(keys[i]!, n, this.#scratch[p]!, this.#scratch[p + k.parts - 1]!);
    });
    for (let i = 0; i < n; i++) ids[i] = this.#probe(i);
  }

  #probe(i: number): number {
    const hash = hashRow(this.#words, this.#firstPart, i);
    let slot = hash & this.#mask;
    for (;;) {
      const id = this.#slots[slot]! - 1;
      if (id < 0) return this.#insert(hash, slot, i);
      if (this.#hashes[id] === hash && this.#equal(id, i)) return id;
      slot = (slot + 1) & this.#mask;
    }
  }

  #equal(id: number, i: number): boolean {
    for (let p = 0; p < this.#parts.length; p++)
      if (this.#parts[p]![id] !== this.#scratch[p]![i]) return false;
    return true;
  }

  #insert(hash: number, slot: number, row: number): number {
    const id = this.#free.length > 0 ? this.#free.pop() : this.#used++;
    if (id >= this.#capacity) this.#grow();
    this.#hashes[id] = hash;
    this.#refs[id] = 0;
    this.#groups[id] = -1;
    for (let p = 0; p < this.#parts.length; p++) this.#parts[p]![id] = this.#scratch[p]![row]!;
    this.#slots[slot] = id + 1;
    if (this.size * 2 > this.#mask) this.#rebuild((this.#mask + 1) * 2);
    return id;
  }

  #grow(): void {
    const capacity = (this.#capacity *= 2);
    this.#hashes = grown(this.#hashes, capacity);
    this.#refs = grown(this.#refs, capacity);
    this.#groups = grown(this.#groups, capacity);
    this.#parts = this.#parts.map((p) => grown(p, capacity));
    this.#onGrow(capacity);
  }

  #live(): Int32Array {
    const ids = new Int32Array(this.size);
    for (let id = 0, k = 0; k < ids.length; id++) if (this.#refs[id] !== DEAD) ids[k++] = id;
    return ids;
  }

  #rebuild(slots: number): void {
    this.#slots = new Int32Array(slots);
    this.#mask = slots - 1;
    for (const id of this.#live()) {
      let slot = this.#hashes[id]! & this.#mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = id + 1;
    }
  }

  /** One more row is kept under the key. */
  retain(id: number): void {
    this.#refs[id]!++;
  }

  /** One row less. The key stays until it is swept: rows of the batch under way may be of it. */
  release(id: number): void {
    this.#refs[id]!--;
  }

  /** Frees those of the ids that no row is kept under. Some may stand there more than once. */
  sweep(ids: Int32Array, n: number): void {
    for (let i = 0; i < n; i++) if (this.#refs[ids[i]!] === 0) this.#drop(ids[i]!);
    this.#compact();
  }

  /** Removes a key's slot by shifting back what follows (I1). */
  #drop(id: number): void {
    this.#refs[id] = DEAD;
    this.#free.push(id);
    const slots = this.#slots;
    const mask = this.#mask;
    let hole = this.#hashes[id]! & mask;
    while (slots[hole] !== id + 1) hole = (hole + 1) & mask;
    for (let next = (hole + 1) & mask; slots[next] !== 0; next = (next + 1) & mask) {
      const home = this.#hashes[slots[next]! - 1]! & mask;
      if (((next - home) & mask) >= ((next - hole) & mask)) {
        slots[hole] = slots[next]!;
        hole = next;
      }
    }
    slots[hole] = 0;
  }

  /** Forgets strings and other values of keys that are gone. */
  #compact(): void {
    const most = Math.max(COMPACT_MINIMUM, this.size * COMPACT_RATIO);
    if (!this.#keys.some((k) => k.internedCount > most)) return;
    const live = this.#live();
    this.#keys.forEach((k, i) => k.compact(live, this.#parts[this.#firstPart[i]!]!));
    const words = this.#parts.map((p) => new Int32Array(p.buffer));
    for (const id of live) this.#hashes[id] = hashRow(words, this.#firstPart, id);
    this.#rebuild(this.#slots.length);
  }

  /** Key group of a key (T3). */
  group(id: number): number {
    const known = this.#groups[id]!;
    if (known >= 0) return known;
    let h = 0;
    for (const i of this.#routeBy) {
      const k = this.#keys[i]!;
      const p = this.#firstPart[i]!;
      h = combineHash(h, k.hash(this.#parts[p]![id]!, this.#parts[p + k.parts - 1]![id]!));
    }
    return (this.#groups[id] = keyGroupOf(h));
  }

  /** Estimated bytes. */
  bytes(): number {
    return this.#slots.byteLength + this.#capacity * (10 + 8 * this.#parts.length);
  }
}
