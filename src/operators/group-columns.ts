/** The keys of an aggregate table's groups, in columns by group: what is asked of them less often than once a row. */
import type { DataType } from "../core/data-type.ts";
import { combineHash, keyGroupOf } from "../core/hash.ts";
import type { Row, Value } from "../core/value.ts";
import type { Vector } from "../core/vector.ts";
import type { ColumnBlob } from "./column-blob.ts";
import { grown, hashRow } from "./group-ids.ts";
import { KeyColumn } from "./key-columns.ts";

/** Types whose values have one form each, so that equal keys have equal bytes. */
const PLAIN = new Set(
  "boolean byte short int long float double decimal string binary date timestamp timestamp_ntz dayTimeInterval yearMonthInterval".split(
    " ",
  ),
);

/** Whether parts can hold such keys. Without keys there is one group, and it stays. */
export const canSpill = (keys: readonly KeyColumn[]): boolean =>
  keys.length > 0 && keys.every((k) => k.form === "window" || PLAIN.has(k.type.kind));

export class GroupColumns {
  readonly keys: readonly KeyColumn[];
  /** First part of each key. */
  readonly firstPart: readonly number[];
  /** One slot a group; the arrays are replaced when they grow, never this one. */
  readonly parts: Float64Array[];
  readonly #routeBy: readonly number[];
  readonly #all: readonly number[];
  #keyGroups: Int16Array;

  constructor(types: readonly DataType[], routeBy: readonly number[], groups: number) {
    this.keys = types.map((t) => new KeyColumn(t));
    this.#routeBy = routeBy;
    this.#all = types.map((_, i) => i);
    let parts = 0;
    this.firstPart = this.keys.map((k) => (parts += k.parts) - k.parts);
    this.parts = Array.from({ length: parts }, () => new Float64Array(groups));
    this.#keyGroups = new Int16Array(groups);
  }

  grow(groups: number): void {
    this.#keyGroups = grown(new Int16Array(groups), this.#keyGroups);
    this.parts.forEach((p, i) => (this.parts[i] = grown(new Float64Array(groups), p)));
  }

  /** Values kept of the keys' dictionaries, in the largest. */
  get interned(): number {
    return Math.max(0, ...this.keys.map((k) => k.internedCount));
  }

  /** Forgets values that none of the groups has. Their parts may change. */
  compact(groups: Int32Array): void {
    this.keys.forEach((k, i) => k.compact(groups, this.parts[this.firstPart[i]!]!));
  }

  /** The table's hashes of groups, after `compact`. */
  rehash(groups: Int32Array, hashes: Int32Array): void {
    const words = this.parts.map((p) => new Int32Array(p.buffer));
    for (const g of groups) hashes[g] = hashRow(words, this.firstPart, g);
  }

  /** The group is another key's now. */
  renewed(group: number): void {
    this.#keyGroups[group] = -1;
  }

  /** The key `key` of the groups. */
  vector(key: number, groups: Int32Array): Vector {
    const [k, p] = [this.keys[key]!, this.firstPart[key]!];
    return k.gather(groups, this.parts[p]!, this.parts[p + k.parts - 1]!);
  }

  pack(groups: Int32Array): ColumnBlob[] {
    return this.keys.map((k, i) => {
      const p = this.firstPart[i]!;
      return k.pack(groups, this.parts[p]!, this.parts[p + k.parts - 1]!);
    });
  }

  /** The key at `i` of `parts`, which are those of the groups or of other rows of the same form. */
  value(key: number, i: number, parts: readonly Float64Array[] = this.parts): Value {
    const [k, p] = [this.keys[key]!, this.firstPart[key]!];
    return k.value(parts[p]![i]!, parts[p + k.parts - 1]![i]!);
  }

  values(i: number, parts: readonly Float64Array[] = this.parts): Row {
    return this.keys.map((_, key) => this.value(key, i, parts));
  }

  #hash(which: readonly number[], i: number, parts: readonly Float64Array[]): number {
    let h = 0;
    for (const key of which) {
      const k = this.keys[key]!;
      const p = this.firstPart[key]!;
      h = combineHash(h, k.hash(parts[p]![i]!, parts[p + k.parts - 1]![i]!));
    }
    return h;
  }

  /** Hash of all keys, the same in every process. */
  hash(i: number, parts: readonly Float64Array[] = this.parts): number {
    return this.#hash(this.#all, i, parts);
  }

  /** Key group of a row's key (T3). */
  keyGroupAt(i: number, parts: readonly Float64Array[]): number {
    return keyGroupOf(this.#hash(this.#routeBy, i, parts));
  }

  /** The same of a group. */
  keyGroup(group: number): number {
    const known = this.#keyGroups[group]!;
    return known >= 0 ? known : (this.#keyGroups[group] = this.keyGroupAt(group, this.parts));
  }

  setKeyGroup(group: number, keyGroup: number): void {
    this.#keyGroups[group] = keyGroup;
  }

  /** Writes one key's parts to row `i` of `parts`. */
  encode(key: number, value: Value, i: number, parts: readonly Float64Array[]): void {
    const [k, p] = [this.keys[key]!, this.firstPart[key]!];
    k.encodeValue(value, i, parts[p]!, parts[p + k.parts - 1]!);
  }
}
