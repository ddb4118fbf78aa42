/**
 * State tables. Operators own tables and change memory; the actor commits. A table tells the store what changed since
 * it was last asked (`drain`) and can be rebuilt from a base and the deltas after it, in order (`load`).
 *
 * Invariants.
 *  T1 load(base) then load(each delta in order) gives a table equal to the one drained, whatever was drained when.
 *  T2 iteration that reaches an output is in key order (bytes), never in table layout order (law 2, C5).
 *  T3 blobs carry the key group of every entry, so that a table can load only the groups it owns (rescale, law 13).
 */
import type { Value } from "../core/value.ts";
import type { PartInfo, PartSpace } from "./parts.ts";

export interface TableStats {
  readonly rows: number;
  /** Estimated bytes held in memory. */
  readonly bytes: number;
  /** Of `rows`: those that only the disk has. */
  readonly spilledRows?: number;
  readonly spilledBytes?: number;
}

export interface StateTable {
  readonly name: string;
  /** Of a table that can be larger than memory. */
  readonly spill?: TableSpill | undefined;
  /**
   * What changed since the last drain, encoded; undefined when nothing did. Called at the end of an epoch, synchronously. When the table was empty at the
   * last drain this is the whole content, and stands for a base.
   */
  drain(): Uint8Array | undefined;
  /** As `drain` followed by `base`, but gives the base alone, or undefined when nothing changed: for tables to which encoding both costs. */
  rebased?(): Uint8Array | undefined;
  /** The whole content, encoded so that `load` on an empty table gives it back. */
  base(): Uint8Array;
  /** The same in several blobs, to be loaded in their order: of a large table no one blob, nor what it is made of, is as large as the table. */
  bases?(): readonly Uint8Array[];
  /** Applies a base or delta of an epoch. Entries whose key group is not kept are ignored. */
  load(blob: Uint8Array, keeps: (keyGroup: number) => boolean, epoch?: number): void;
  /** Rows that its blobs hold and that are gone: of a table whose blobs hold no row twice, so that only these, and the number of blobs, make a new base worth it. */
  readonly deadRows?: number;
  stats(): TableStats;
}

/** What a table that can keep rows in parts on disk shows of them. What its `drain` and `base` give is of the other rows only. */
export interface TableSpill {
  /** Where its parts are. Called before anything is loaded. `limited`: it may move rows there. */
  attach(space: PartSpace, limited: boolean): void;
  /** The parts that count, at the end of an epoch. */
  parts(): readonly PartInfo[];
  /** Takes over a part, before any blob of the same origin is loaded. Its rows stay where they are, or come to memory when all of it is given. */
  addPart(part: PartInfo, bytes?: Uint8Array): Promise<void>;
  /** All is loaded: what is not to stay on disk only is read. */
  loaded(): Promise<void>;
  /** What is loaded next was written by another actor. */
  nextOrigin(): void;
  /** Rows of the table that blobs need not hold. */
  readonly rows: number;
  /** Whether the next drain must be a base. */
  readonly wantsBase: boolean;
}

/**
 * Order-preserving key bytes as a "binary string" (one char code 0-255 per byte): comparable with `<`, usable in a Map.
 * Made by `encodeKey` of src/state/key-codec.
 */
export type StateKey = string;

/** General keyed state: a sorted map of keys to plain msgpack values. */
export interface KeyedTable<V = Value> extends StateTable {
  get(key: StateKey): V | undefined;
  /** `value` must not be changed after the call. */
  put(key: StateKey, value: V, keyGroup: number): void;
  delete(key: StateKey): void;
  /** Entries with `from <= key < to` in key order; safe against changes made while it runs. */
  scan(from?: StateKey, to?: StateKey): Iterable<readonly [StateKey, V]>;
  readonly size: number;
}

/** What an operator gets to register its tables, before anything is loaded. Names are unique within an operator. */
export interface TableRegistry {
  keyed<V = Value>(name: string): KeyedTable<V>;
  /** Registers a table of the operator's own making. */
  add<T extends StateTable>(table: T): T;
}
