/**
 * One side of a stream-stream join: its rows as columns, chained by join key, with a mark "matched" for outer joins, filed by when the watermark evicts them.
 *
 * Invariants. J1: the rows of a key are chained in order of arrival from `first[key]` over `next`; -1 ends a chain. J2: `expiry` has every row that can be
 * evicted at its time. J3: what comes out of `evict` and `all` is in order of time and of arrival: a restored side gives the same.
 */
import { type DataType, DOUBLE, struct } from "../core/data-type.ts";
import type { Batch } from "../core/batch.ts";
import { grown } from "../core/growing-array.ts";
import { RESULT_ROWS_MAX } from "../core/limits.ts";
import type { Schema } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import { valueAt, type Vector, vectorOf } from "../core/vector.ts";
import type { TypedExpr } from "../expr/ast.ts";
import { toUserValue } from "../expr/user-values.ts";
import { RowTable } from "../state/row-table.ts";
import type { KeyIndex } from "./key-index.ts";
import { SlotExpiry } from "./slot-expiry.ts";
import { StoredColumns } from "./stored-columns.ts";

/** Rows of a batch that are to be kept. */
export interface KeptRows {
  readonly batch: Batch;
  /** Dense: the keys. */
  readonly keys: readonly Vector[];
  /** Ids of the keys of all live rows. */
  readonly ids: Int32Array;
  /** When each live row is evicted; absent: never. */
  readonly evictAt: Float64Array | undefined;
  /** 1 for live rows that have matched. */
  readonly matched: Uint8Array | undefined;
}

export class JoinState {
  readonly table: RowTable;
  readonly #stored: StoredColumns;
  readonly #evictColumn: number;
  /** By key id. */
  first = new Int32Array(0);
  #last = new Int32Array(0);
  /** By slot. */
  next = new Int32Array(0);
  #previous = new Int32Array(0);
  #keyOf = new Int32Array(0);
  readonly #expiry = new SlotExpiry();
  readonly #rowType: DataType;

  constructor(name: string, schema: Schema, keys: readonly TypedExpr[]) {
    this.#rowType = struct(schema.fields);
    this.#stored = new StoredColumns(schema, keys);
    this.#evictColumn = this.#stored.types.length;
    this.table = new RowTable(name, [...this.#stored.types, DOUBLE]);
  }

  /** Key ids below `capacity` may come. */
  growKeys(capacity: number): void {
    const before = this.first.length;
    this.first = grown(this.first, capacity);
    this.#last = grown(this.#last, capacity);
    this.first.fill(-1, before);
    this.#last.fill(-1, before);
  }

  #growRows(): void {
    const { capacity } = this.table;
    if (this.next.length >= capacity) return;
    this.next = grown(this.next, capacity);
    this.#previous = grown(this.#previous, capacity);
    this.#keyOf = grown(this.#keyOf, capacity);
  }

  restore(index: KeyIndex): void {
    this.table.loaded();
    this.#growRows();
    const all = this.table.live();
    for (let from = 0; from < all.length; from += RESULT_ROWS_MAX) {
      const slots = all.subarray(from, from + RESULT_ROWS_MAX);
      const ids = new Int32Array(slots.length);
      index.lookup(this.#stored.gather(this.table, slots), slots.length, ids);
      const times = this.#times();
      for (let k = 0; k < slots.length; k++) {
        index.retain(ids[k]!);
        this.#link(ids[k]!, slots[k]!);
        this.#expiry.add(times[slots[k]!]!, slots[k]!);
      }
    }
  }

  #times(): Float64Array {
    return this.table.column(this.#evictColumn).numbers() as Float64Array;
  }

  #link(id: number, slot: number): void {
    const last = this.#last[id]!;
    this.#keyOf[slot] = id;
    this.next[slot] = -1;
    this.#previous[slot] = last;
    if (last < 0) this.first[id] = slot;
    else this.next[last] = slot;
    this.#last[id] = slot;
  }

  #unlink(slot: number): void {
    const id = this.#keyOf[slot]!;
    const [next, previous] = [this.next[slot]!, this.#previous[slot]!];
    if (previous < 0) this.first[id] = next;
    else this.next[previous] = next;
    if (next < 0) this.#last[id] = previous;
    else this.#previous[next] = previous;
  }

  /** Keeps the live rows `rows` of a batch. */
  add({ batch, keys, ids, evictAt, matched }: KeptRows, rows: Int32Array, index: KeyIndex): void {
    const n = rows.length;
    if (n === 0) return;
    const slots = new Int32Array(n);
    for (let k = 0; k < n; k++) slots[k] = this.table.take(index.group(ids[rows[k]!]!));
    this.#growRows();
    this.#stored.write(this.table, batch, keys, rows, slots, n);
    const times = this.#times();
    for (let k = 0; k < n; k++) {
      const [row, slot] = [rows[k]!, slots[k]!];
      const time = evictAt === undefined ? Infinity : evictAt[row]!;
      times[slot] = time;
      this.#expiry.add(time, slot);
      index.retain(ids[row]!);
      this.#link(ids[row]!, slot);
      if (matched !== undefined && matched[row] === 1) this.table.mark(slot);
    }
  }

  /** Slots of what the watermark evicts (J3); they are still there. */
  expired(watermarkMs: number): Int32Array {
    const times = this.#times();
    const { table } = this;
    const gone = this.#expiry.takeThrough(watermarkMs, (slot) => (table.isLive(slot) ? times[slot]! : NaN));
    return gone.sort((a, b) => times[a]! - times[b]! || table.uid(a) - table.uid(b));
  }

  /** Takes rows out. Their keys are left to be swept: their ids. */
  remove(slots: Int32Array, index: KeyIndex): Int32Array {
    const ids = new Int32Array(slots.length);
    for (let k = 0; k < slots.length; k++) {
      const slot = slots[k]!;
      ids[k] = this.#keyOf[slot]!;
      this.#unlink(slot);
      index.release(ids[k]!);
      this.table.remove(slot);
    }
    return ids;
  }

  /** All rows in order of arrival. */
  all(): Int32Array {
    return this.table.live();
  }

  /** The columns of the side's input for `n` slots; a slot below 0 is a row of nulls. */
  gather(slots: Int32Array, n: number): Vector[] {
    return Array.from({ length: this.#stored.width }, (_, c) => this.table.column(c).gather(slots, n));
  }

  /** The rows of a key in order of arrival, as values of user code. */
  rowsOf(id: number): unknown[] {
    const slots: number[] = [];
    for (let slot = this.first[id] ?? -1; slot >= 0; slot = this.next[slot]!) slots.push(slot);
    const columns = this.gather(Int32Array.from(slots), slots.length);
    return slots.map((_, i) =>
      toUserValue(
        columns.map((v) => valueAt(v, i)),
        this.#rowType,
      ),
    );
  }
}

interface Kept {
  readonly state: JoinState;
}

/** What both sides keep for a key (`StreamJoin.lookUp`). */
export const rowsOfKey = (
  key: Row,
  types: readonly DataType[],
  index: KeyIndex,
  [{ state: left }, { state: right }]: readonly [Kept, Kept],
): Readonly<Record<string, unknown>> | undefined => {
  const ids = new Int32Array(1);
  index.lookup(
    types.map((t, i) => vectorOf(t, [key[i]!])),
    1,
    ids,
  );
  const found = { left: left.rowsOf(ids[0]!), right: right.rowsOf(ids[0]!) };
  return found.left.length + found.right.length === 0 ? undefined : found;
};
