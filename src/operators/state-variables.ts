/**
 * State variables of a StatefulProcessor: value, list and map state, each for the key at hand, with an optional time to live in processing time
 * (renewed by every write; what has expired is invisible at once and removed at the end of the epoch).
 *
 * Invariants. V1: a table entry is (key bytes, element): an empty element for a value, an index for a list, the bytes of the map key for a map; `index`
 * has the same entries by key. V2: elements are read in the order of their bytes, which restoring keeps. V3: `expiry` has every entry with a time to live;
 * entries written again are skipped by looking them up.
 */
import { ExecutionError } from "../core/errors.ts";
import type { DataType } from "../core/data-type.ts";
import type { Row, Value } from "../core/value.ts";
import { encodeValue } from "../state/key-codec.ts";
import type { KeyedTable, StateKey } from "../state/table.ts";
import { ExpiryQueue } from "./expiry-queue.ts";
import { decodeIndex, encodeIndex } from "./row-keys.ts";
import type { UndoLog } from "./undo-log.ts";
import { type StateCodec, stateCodec } from "./user-state.ts";

/** The key that the processor is called for. */
export interface CurrentKey {
  readonly key: StateKey;
  readonly keyGroup: number;
  readonly keyValues: Row;
}

export interface StateScope {
  /** Throws when the processor is not being called for a key. */
  current(): CurrentKey;
  clockMs(): number;
}

/** [length of the key bytes, key group, expires at (null: never), value, map key] */
export type StoredElement = readonly [number, number, number | null, Value, Value?];

/** The entries of one state variable. */
export class StateEntries {
  readonly #table: KeyedTable<StoredElement>;
  readonly #scope: StateScope;
  readonly #ttlMs: number | undefined;
  readonly #index = new Map<StateKey, Map<string, StoredElement>>();
  readonly #expiry = new ExpiryQueue<StateKey>();
  readonly #undo: UndoLog;

  constructor(table: KeyedTable<StoredElement>, scope: StateScope, ttlMs: number | undefined, undo: UndoLog) {
    this.#undo = undo;
    this.#table = table;
    this.#scope = scope;
    this.#ttlMs = ttlMs;
  }

  restore(): void {
    for (const [stored, entry] of this.#table.scan()) this.#file(stored, entry);
  }

  #file(stored: StateKey, entry: StoredElement): void {
    const key = stored.slice(0, entry[0]);
    let elements = this.#index.get(key);
    if (elements === undefined) this.#index.set(key, (elements = new Map()));
    elements.set(stored.slice(entry[0]), entry);
    if (entry[2] !== null) this.#expiry.add(entry[2], stored);
  }

  #visible(entry: StoredElement | undefined): entry is StoredElement {
    return entry !== undefined && (entry[2] === null || entry[2] > this.#scope.clockMs());
  }

  get(element: string): StoredElement | undefined {
    const entry = this.#index.get(this.#scope.current().key)?.get(element);
    return this.#visible(entry) ? entry : undefined;
  }

  /** What is visible of the current key, by element bytes. */
  all(): (readonly [string, StoredElement])[] {
    const elements = [...(this.#index.get(this.#scope.current().key) ?? [])];
    return elements.filter(([, e]) => this.#visible(e)).sort(([a], [b]) => (a < b ? -1 : 1));
  }

  put(element: string, value: Value, mapKey?: Value): void {
    const { key, keyGroup } = this.#scope.current();
    const expires = this.#ttlMs === undefined ? null : this.#scope.clockMs() + this.#ttlMs;
    const entry: StoredElement =
      mapKey === undefined
        ? [key.length, keyGroup, expires, value]
        : [key.length, keyGroup, expires, value, mapKey];
    const before = this.#index.get(key)?.get(element);
    this.#undo.note(() => {
      if (before === undefined) this.#drop(key, element);
      else this.#store(key, element, before, keyGroup);
    });
    this.#store(key, element, entry, keyGroup);
  }

  #store(key: StateKey, element: string, entry: StoredElement, keyGroup: number): void {
    this.#table.put(key + element, entry, keyGroup);
    this.#file(key + element, entry);
  }

  delete(element: string): void {
    this.#drop(this.#scope.current().key, element);
  }

  #drop(key: StateKey, element: string): void {
    const elements = this.#index.get(key);
    const before = elements?.get(element);
    if (elements === undefined || before === undefined) return;
    this.#undo.note(() => this.#store(key, element, before, before[1]));
    elements.delete(element);
    if (elements.size === 0) this.#index.delete(key);
    this.#table.delete(key + element);
  }

  clear(): void {
    const { key } = this.#scope.current();
    for (const element of [...(this.#index.get(key)?.keys() ?? [])]) this.#drop(key, element);
  }

  /** The highest element of the current key, expired ones included: list indexes are never reused. */
  last(): string | undefined {
    let last: string | undefined;
    for (const e of this.#index.get(this.#scope.current().key)?.keys() ?? [])
      if (last === undefined || e > last) last = e;
    return last;
  }

  /** Removes what has expired; returns how many entries. */
  removeExpired(): number {
    let removed = 0;
    for (const stored of this.#expiry.takeThrough(this.#scope.clockMs())) {
      const entry = this.#table.get(stored);
      if (entry === undefined || this.#visible(entry)) continue;
      this.#drop(stored.slice(0, entry[0]), stored.slice(entry[0]));
      removed++;
    }
    return removed;
  }
}

const missing = (name: string): never => {
  throw new ExecutionError(`state ${name} has no value`, {
    errorClass: "STATE_VALUE_NOT_FOUND",
    hint: "check exists() or use getOption()",
  });
};

const present = (name: string, value: unknown): void => {
  if (value === null || value === undefined)
    throw new ExecutionError(`state ${name} cannot hold null`, {
      errorClass: "ILLEGAL_STATE_STORE_VALUE.NULL_VALUE",
    });
};

/** One value per key. */
export class ValueState<T = unknown> {
  readonly #entries: StateEntries;
  readonly #codec: StateCodec;
  readonly #name: string;
  constructor(name: string, entries: StateEntries, type: DataType | undefined) {
    this.#name = name;
    this.#entries = entries;
    this.#codec = stateCodec(type);
  }
  exists(): boolean {
    return this.#entries.get("") !== undefined;
  }
  /** The value, a copy. Throws ExecutionError when there is none. */
  get(): T {
    return this.exists() ? (this.getOption() as T) : missing(this.#name);
  }
  getOption(): T | undefined {
    const entry = this.#entries.get("");
    return entry === undefined ? undefined : (this.#codec.decode(entry[3]) as T);
  }
  update(value: T): void {
    present(this.#name, value);
    this.#entries.put("", this.#codec.encode(value));
  }
  clear(): void {
    this.#entries.clear();
  }
}

/** A list per key. */
export class ListState<T = unknown> {
  readonly #entries: StateEntries;
  readonly #codec: StateCodec;
  readonly #name: string;
  constructor(name: string, entries: StateEntries, type: DataType | undefined) {
    this.#name = name;
    this.#entries = entries;
    this.#codec = stateCodec(type);
  }
  exists(): boolean {
    return this.#entries.all().length > 0;
  }
  /** The elements in order; empty when there are none. */
  get(): T[] {
    return this.#entries.all().map(([, e]) => this.#codec.decode(e[3]) as T);
  }
  /** Replaces the list. */
  put(values: Iterable<T>): void {
    const encoded = [...values].map((v) => this.#encode(v));
    this.#entries.clear();
    encoded.forEach((v, i) => this.#entries.put(encodeIndex(i), v));
  }
  appendValue(value: T): void {
    this.appendList([value]);
  }
  appendList(values: Iterable<T>): void {
    const last = this.#entries.last();
    let next = last === undefined ? 0 : decodeIndex(last) + 1;
    for (const v of values) this.#entries.put(encodeIndex(next++), this.#encode(v));
  }
  clear(): void {
    this.#entries.clear();
  }
  #encode(value: T): Value {
    present(this.#name, value);
    return this.#codec.encode(value);
  }
}

/** A map per key, iterated by the bytes of its keys. */
export class MapState<K = unknown, T = unknown> {
  readonly #entries: StateEntries;
  readonly #keys: StateCodec;
  readonly #values: StateCodec;
  readonly #keyType: DataType | undefined;
  readonly #name: string;
  constructor(
    name: string,
    entries: StateEntries,
    keyType: DataType | undefined,
    valueType: DataType | undefined,
  ) {
    this.#name = name;
    this.#entries = entries;
    this.#keyType = keyType;
    this.#keys = stateCodec(keyType);
    this.#values = stateCodec(valueType);
  }
  #element(key: K): readonly [string, Value] {
    present(this.#name, key);
    const value = this.#keys.encode(key);
    const type = this.#keyType ?? untypedKey(value);
    return [encodeValue(value, type), value];
  }
  exists(): boolean {
    return this.#entries.all().length > 0;
  }
  /** The value of a key; undefined when absent. */
  getValue(key: K): T | undefined {
    const entry = this.#entries.get(this.#element(key)[0]);
    return entry === undefined ? undefined : (this.#values.decode(entry[3]) as T);
  }
  containsKey(key: K): boolean {
    return this.#entries.get(this.#element(key)[0]) !== undefined;
  }
  updateValue(key: K, value: T): void {
    present(this.#name, value);
    const [element, mapKey] = this.#element(key);
    this.#entries.put(element, this.#values.encode(value), mapKey);
  }
  iterator(): (readonly [K, T])[] {
    return this.#entries
      .all()
      .map(([, e]) => [this.#keys.decode(e[4]!) as K, this.#values.decode(e[3]) as T] as const);
  }
  keys(): K[] {
    return this.iterator().map(([k]) => k);
  }
  values(): T[] {
    return this.iterator().map(([, v]) => v);
  }
  removeKey(key: K): void {
    this.#entries.delete(this.#element(key)[0]);
  }
  clear(): void {
    this.#entries.clear();
  }
}

/** Key bytes of a map key of no declared type: by what it is. */
const untypedKey = (v: Value): DataType => {
  switch (typeof v) {
    case "string":
      return { kind: "string" };
    case "number":
      return { kind: "double" };
    case "bigint":
      return { kind: "decimal", precision: 38, scale: 0 };
    case "boolean":
      return { kind: "boolean" };
    default:
      return { kind: "variant" };
  }
};
