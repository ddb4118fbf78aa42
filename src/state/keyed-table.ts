/**
 * General keyed state in memory: a Map for lookups and a sorted list of keys for scans, with one delta blob an epoch.
 *
 * Invariants (besides T1-T3 of table.ts).
 *  K1 `order` plus `added` hold every live key exactly once (and maybe dead ones, skipped by looking them up).
 *  K2 `dirty` holds every key put or deleted since the last drain.
 */
import { pack, unpack } from "../codec/msgpack.ts";
import type { KeyedTable, StateKey, TableStats } from "./table.ts";

interface Entry<V> {
  value: V;
  readonly group: number;
}

/** [keys, key groups, values, deleted keys with their groups] */
type Blob<V> = [StateKey[], number[], V[], StateKey[]];

const ENTRY_OVERHEAD_BYTES = 96;

class MemoryKeyedTable<V> implements KeyedTable<V> {
  readonly name: string;
  #entries = new Map<StateKey, Entry<V>>();
  #order: StateKey[] = [];
  #added: StateKey[] = [];
  #dead = 0;
  #dirty = new Set<StateKey>();
  #keyBytes = 0;

  constructor(name: string) {
    this.name = name;
  }

  get size(): number {
    return this.#entries.size;
  }

  get(key: StateKey): V | undefined {
    return this.#entries.get(key)?.value;
  }

  put(key: StateKey, value: V, group: number): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) {
      this.#entries.set(key, { value, group });
      this.#added.push(key);
      this.#keyBytes += key.length;
    } else entry.value = value;
    this.#dirty.add(key);
  }

  delete(key: StateKey): void {
    if (!this.#entries.delete(key)) return;
    this.#dead++;
    this.#keyBytes -= key.length;
    this.#dirty.add(key);
  }

  /** Brings `order` up to date (K1): sorts what was added and merges it, leaving out the dead. */
  #sorted(): readonly StateKey[] {
    if (this.#added.length === 0 && this.#dead * 2 <= this.#order.length) return this.#order;
    const added = [...new Set(this.#added)].sort();
    const merged: StateKey[] = [];
    let i = 0;
    for (const key of this.#order) {
      while (i < added.length && added[i]! < key) {
        if (this.#entries.has(added[i]!)) merged.push(added[i]!);
        i++;
      }
      if (i < added.length && added[i] === key) i++;
      if (this.#entries.has(key)) merged.push(key);
    }
    for (; i < added.length; i++) if (this.#entries.has(added[i]!)) merged.push(added[i]!);
    this.#order = merged;
    this.#added = [];
    this.#dead = 0;
    return merged;
  }

  *scan(from?: StateKey, to?: StateKey): Iterable<readonly [StateKey, V]> {
    const keys = this.#sorted();
    let low = 0;
    if (from !== undefined) {
      let high = keys.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (keys[middle]! < from) low = middle + 1;
        else high = middle;
      }
    }
    for (let i = low; i < keys.length; i++) {
      const key = keys[i]!;
      if (to !== undefined && key >= to) return;
      const entry = this.#entries.get(key);
      if (entry !== undefined) yield [key, entry.value];
    }
  }

  drain(): Uint8Array | undefined {
    if (this.#dirty.size === 0) return undefined;
    const blob: Blob<V> = [[], [], [], []];
    for (const key of this.#dirty) {
      const entry = this.#entries.get(key);
      if (entry === undefined) blob[3].push(key);
      else {
        blob[0].push(key);
        blob[1].push(entry.group);
        blob[2].push(entry.value);
      }
    }
    this.#dirty.clear();
    return pack(blob);
  }

  base(): Uint8Array {
    const blob: Blob<V> = [[], [], [], []];
    for (const key of this.#sorted()) {
      const entry = this.#entries.get(key);
      if (entry === undefined) continue;
      blob[0].push(key);
      blob[1].push(entry.group);
      blob[2].push(entry.value);
    }
    return pack(blob);
  }

  load(bytes: Uint8Array, keeps: (keyGroup: number) => boolean): void {
    const [keys, groups, values, deleted] = unpack(bytes) as Blob<V>;
    for (let i = 0; i < keys.length; i++) if (keeps(groups[i]!)) this.put(keys[i]!, values[i]!, groups[i]!);
    for (const key of deleted) this.delete(key);
    this.#dirty.clear();
  }

  stats(): TableStats {
    return { rows: this.#entries.size, bytes: this.#keyBytes + this.#entries.size * ENTRY_OVERHEAD_BYTES };
  }
}

export const createKeyedTable = <V>(name: string): KeyedTable<V> => new MemoryKeyedTable<V>(name);
