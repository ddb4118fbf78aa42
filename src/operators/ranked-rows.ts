/**
 * The best rows of every partition of a top-N: rows as columns, and for each partition its slots in rank order.
 *
 * Invariants. N1: a list is in order; equal rows in the order they came. N3: `given[slot]` is the place (from 1) at which the row was last given out, 0 for
 * none: after a restore that of its place in the list, since an epoch ends with all places given. N4: order columns of a slot are written when it is taken,
 * the others when the batch has been through: rows that others of their batch push out are never copied.
 */
import type { Batch } from "../core/batch.ts";
import { grown } from "../core/growing-array.ts";
import { RESULT_ROWS_MAX } from "../core/limits.ts";
import type { Schema } from "../core/schema.ts";
import type { Vector } from "../core/vector.ts";
import type { SortOrder, TypedExpr } from "../expr/ast.ts";
import { type Compare, compareValues } from "../expr/value-order.ts";
import { valueAt } from "../core/vector.ts";
import { RowTable } from "../state/row-table.ts";
import { SlotList } from "../state/slot-list.ts";
import { KeyIndex } from "./key-index.ts";
import { SlotExpiry } from "./slot-expiry.ts";
import { StoredColumns } from "./stored-columns.ts";
import { type EventTimeForm, timesOf } from "./watermark-time.ts";

export type RankFunction = "row_number" | "rank" | "dense_rank";

export interface RankedRowsOptions {
  readonly partitionBy: readonly TypedExpr[];
  readonly orderBy: readonly SortOrder<TypedExpr>[];
  readonly fn: RankFunction;
  /** Ranks kept: 1 to this. */
  readonly limit: number;
  /** The partition key that closes partitions. */
  readonly eventTime: { readonly key: number; readonly form: EventTimeForm } | undefined;
}

interface Order {
  readonly column: number;
  readonly compare: Compare;
  /** 1 ascending, -1 descending. */
  readonly sign: number;
  readonly nullsFirst: boolean;
}

type Numbers = Float64Array | Int32Array | undefined;

const numbersOf = (v: Vector): Numbers =>
  v.nulls === undefined && (v.layout === "f64" || v.layout === "i32") ? v.data : undefined;

export class RankedRows {
  readonly table: RowTable;
  readonly #o: RankedRowsOptions;
  readonly #stored: StoredColumns;
  readonly #orders: readonly Order[];
  readonly #index: KeyIndex;
  readonly #single: boolean;
  /** By partition: its best row, -1 for none (row_number <= 1), or its list. */
  #best = new Int32Array(0);
  readonly #lists: number[][] = [];
  #times = new Float64Array(0);
  #isChanged = new Uint8Array(0);
  /** By slot. */
  #given = new Int32Array(0);
  #rowOf = new Int32Array(0);
  readonly #changed = new SlotList();
  readonly #expiry = new SlotExpiry();
  /** Rows of the batch under way: live rows and the slots they went to. */
  readonly #rows = new SlotList();
  readonly #slots = new SlotList();
  #orderVectors: readonly Vector[] = [];
  #mine: Numbers[] = [];
  #theirs: Numbers[] = [];
  readonly #row = new Int32Array(1);
  readonly #slot = new Int32Array(1);

  constructor(options: RankedRowsOptions, schema: Schema) {
    this.#o = options;
    const { partitionBy, orderBy } = options;
    this.#stored = new StoredColumns(schema, [...partitionBy, ...orderBy.map((o) => o.expr)]);
    this.#orders = orderBy.map((o, i) => ({
      column: this.#stored.of[partitionBy.length + i]!,
      compare: compareValues(o.expr.type),
      sign: o.descending ? -1 : 1,
      nullsFirst: o.nullsFirst,
    }));
    this.#single = options.limit === 1 && options.fn === "row_number";
    this.#index = new KeyIndex(
      partitionBy.map((e) => e.type),
      undefined,
      (capacity) => this.#growKeys(capacity),
    );
    this.table = new RowTable("best", this.#stored.types, () => this.#index.size);
  }

  #growKeys(capacity: number): void {
    const before = this.#best.length;
    this.#best = grown(this.#best, this.#single ? capacity : 0);
    this.#best.fill(-1, before);
    this.#isChanged = grown(this.#isChanged, capacity);
    if (this.#o.eventTime !== undefined) this.#times = grown(this.#times, capacity);
    if (!this.#single) for (let id = this.#lists.length; id < capacity; id++) this.#lists.push([]);
  }

  restore(): void {
    this.table.loaded();
    const all = this.table.live();
    this.#growRows();
    for (let from = 0; from < all.length; from += RESULT_ROWS_MAX) {
      const slots = all.subarray(from, from + RESULT_ROWS_MAX);
      const vectors = this.#stored.gather(this.table, slots);
      const ids = new Int32Array(slots.length);
      this.#index.lookup(vectors, slots.length, ids);
      for (let k = 0; k < slots.length; k++) {
        if (this.#isEmpty(ids[k]!)) this.#file(ids[k]!, vectors, k);
        this.#index.retain(ids[k]!);
        if (this.#single) this.#best[ids[k]!] = slots[k]!;
        else this.#lists[ids[k]!]!.push(slots[k]!);
      }
    }
    if (this.#single) this.#given.fill(1);
    for (const list of this.#lists) {
      // Stable, and they came in order of arrival (N1).
      list.sort((a, b) => this.#compareSlots(a, b));
      list.forEach((slot, i) => (this.#given[slot] = i + 1));
    }
  }

  #growRows(): void {
    const { capacity } = this.table;
    if (this.#given.length < capacity) {
      this.#given = grown(this.#given, capacity);
      this.#rowOf = grown(this.#rowOf, capacity);
    }
    this.#theirs = this.#orders.map((o) => this.table.column(o.column).numbers());
  }

  #isEmpty(id: number): boolean {
    return this.#single ? this.#best[id]! < 0 : this.#lists[id]!.length === 0;
  }

  /** Files a new partition by its time. */
  #file(id: number, keys: readonly Vector[], row: number): void {
    const { eventTime } = this.#o;
    if (eventTime === undefined) return;
    const v = keys[eventTime.key]!;
    const one = { ...v, data: v.data.slice(row, row + 1), nulls: v.nulls?.slice(row, row + 1) } as Vector;
    this.#times[id] = timesOf(one, 1, eventTime.form)[0]!;
    this.#expiry.add(this.#times[id], id);
  }

  /** Ranks the live rows of a batch; `vectors`: partition keys, then orders, dense. */
  add(batch: Batch, vectors: readonly Vector[], n: number): void {
    const ids = new Int32Array(n);
    const width = this.#o.partitionBy.length;
    const keys = vectors.slice(0, width);
    this.#index.lookup(keys, n, ids);
    this.#orderVectors = vectors.slice(width);
    this.#mine = this.#orderVectors.map(numbersOf);
    this.#growRows();
    for (let i = 0; i < n; i++) {
      const id = ids[i]!;
      if (this.#isEmpty(id)) this.#file(id, keys, i);
      if (!(this.#single ? this.#addBest(id, i) : this.#addToList(id, i)) || this.#isChanged[id] === 1)
        continue;
      this.#isChanged[id] = 1;
      this.#changed.push(id);
    }
    this.#write(batch, vectors);
  }

  /** Copies the rows of the batch that are still there (N4). */
  #write(batch: Batch, vectors: readonly Vector[]): void {
    const [rows, slots] = [this.#rows, this.#slots];
    let n = 0;
    for (let k = 0; k < rows.length; k++) {
      const slot = slots.data[k]!;
      if (this.#rowOf[slot] !== rows.data[k] || !this.table.isLive(slot)) continue;
      rows.data[n] = rows.data[k]!;
      slots.data[n++] = slot;
    }
    if (n > 0) this.#stored.write(this.table, batch, vectors, rows.data, slots.data, n);
    rows.length = slots.length = 0;
  }

  #addBest(id: number, i: number): boolean {
    const best = this.#best[id]!;
    if (best >= 0) {
      if (this.#compare(best, i) <= 0) return false;
      this.#drop(id, best);
    }
    this.#best[id] = this.#take(id, i);
    return true;
  }

  #addToList(id: number, i: number): boolean {
    const list = this.#lists[id]!;
    const at = this.#place(list, i);
    if (at >= this.#o.limit && !this.#ranks(list, i, at)) return false;
    list.splice(at, 0, this.#take(id, i));
    this.#trim(id, list);
    return true;
  }

  #take(id: number, i: number): number {
    const before = this.table.capacity;
    const slot = this.table.take(this.#index.group(id));
    if (this.table.capacity !== before) this.#growRows();
    this.#index.retain(id);
    this.#given[slot] = 0;
    this.#rowOf[slot] = this.#row[0] = i;
    this.#slot[0] = slot;
    for (let c = 0; c < this.#orders.length; c++) {
      const { column } = this.#orders[c]!;
      const theirs = this.#theirs[c];
      const mine = this.#mine[c];
      if (theirs !== undefined && mine !== undefined) theirs[slot] = mine[i]!;
      else {
        this.table.column(column).write(this.#orderVectors[c]!, this.#row, this.#slot, 1);
        this.#theirs[c] = this.table.column(column).numbers();
      }
    }
    this.#rows.push(i);
    this.#slots.push(slot);
    return slot;
  }

  #drop(id: number, slot: number): void {
    this.#index.release(id);
    this.table.remove(slot);
  }

  /** Order of a kept row and live row i of the batch. */
  #compare(slot: number, i: number): number {
    for (let c = 0; c < this.#orders.length; c++) {
      const a = this.#theirs[c];
      const b = this.#mine[c];
      const order = this.#orders[c]!;
      if (a !== undefined && b !== undefined) {
        const x = a[slot]!;
        const y = b[i]!;
        if (x === y) continue;
        if (x < y) return -order.sign;
        if (x > y) return order.sign;
      }
      const d = compareBy(order, this.table.valueAt(order.column, slot), valueAt(this.#orderVectors[c]!, i));
      if (d !== 0) return d;
    }
    return 0;
  }

  #compareSlots(a: number, b: number): number {
    for (const order of this.#orders) {
      const { column } = order;
      const d = compareBy(order, this.table.valueAt(column, a), this.table.valueAt(column, b));
      if (d !== 0) return d;
    }
    return 0;
  }

  /** Behind all rows that are better or equal (N1). Most rows of a full list are worse than its last: looked at first. */
  #place(list: readonly number[], i: number): number {
    const n = list.length;
    if (n === 0 || this.#compare(list[n - 1]!, i) <= 0) return n;
    let low = 0;
    let high = n - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(list[middle]!, i) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether a row that belongs behind `limit` rows or more has a rank within the limit all the same: with a tie, or densely. */
  #ranks(list: readonly number[], i: number, at: number): boolean {
    const { fn, limit } = this.#o;
    if (fn === "row_number") return false;
    if (this.#compare(list[at - 1]!, i) === 0) return true;
    return fn === "dense_rank" && (at < list.length || this.#ranksOf(list).at(-1)! < limit);
  }

  #ranksOf(list: readonly number[]): readonly number[] {
    const { fn } = this.#o;
    let rank = 0;
    return list.map((slot, i) => {
      if (fn === "row_number") return i + 1;
      if (i === 0 || this.#compareSlots(list[i - 1]!, slot) !== 0) rank = fn === "rank" ? i + 1 : rank + 1;
      return rank;
    });
  }

  /** Takes off what fell out of the limit. */
  #trim(id: number, list: number[]): void {
    const { fn, limit } = this.#o;
    if (list.length <= limit) return;
    if (fn === "row_number") {
      while (list.length > limit) this.#drop(id, list.pop()!);
      return;
    }
    if (this.#compareSlots(list[0]!, list.at(-1)!) === 0) return;
    const ranks = this.#ranksOf(list);
    while (ranks[list.length - 1]! > limit) this.#drop(id, list.pop()!);
  }

  /** Partitions changed since the last call, in order of first change. */
  takeChanged(): Int32Array {
    const ids = this.#changed.data.slice(0, this.#changed.length);
    for (const id of ids) this.#isChanged[id] = 0;
    this.#changed.release();
    return ids;
  }

  /** Slots of partitions with their ranks; `changed`: without those that stand where they stood when last given. */
  ranked(ids: Int32Array, changed: boolean): { readonly slots: SlotList; readonly ranks: SlotList } {
    const [slots, ranks] = [new SlotList(), new SlotList()];
    for (const id of ids) {
      const list = this.#single ? [this.#best[id]!] : this.#lists[id]!;
      const own = this.#ranksOf(list);
      for (let i = 0; i < list.length; i++) {
        const slot = list[i]!;
        if (changed && this.#given[slot] === i + 1) continue;
        this.#given[slot] = i + 1;
        slots.push(slot);
        ranks.push(own[i]!);
      }
    }
    return { slots, ranks };
  }

  /** The input's columns of slots. */
  gather(slots: Int32Array): Vector[] {
    const { width } = this.#stored;
    return Array.from({ length: width }, (_, c) => this.table.column(c).gather(slots, slots.length));
  }

  /** Partitions that the watermark closes, by time, then arrival of their first row: an order that a restored table has too. */
  closed(watermarkMs: number): Int32Array {
    const ids = this.#expiry.takeThrough(watermarkMs, (id) => (this.#isEmpty(id) ? NaN : this.#times[id]!));
    const first = (id: number): number =>
      this.table.uid(this.#single ? this.#best[id]! : this.#lists[id]![0]!);
    return ids.sort((a, b) => this.#times[a]! - this.#times[b]! || first(a) - first(b));
  }

  remove(ids: Int32Array): void {
    for (const id of ids) {
      if (this.#single) {
        this.#drop(id, this.#best[id]!);
        this.#best[id] = -1;
      } else {
        for (const slot of this.#lists[id]!) this.#drop(id, slot);
        this.#lists[id] = [];
      }
    }
    this.#index.sweep(ids, ids.length);
  }

  /** Forgets what was removed without a trace: for tables that are not persisted. */
  settle(): void {
    if (this.table.size === 0) this.table.clear();
  }
}

const compareBy = (order: Order, x: ReturnType<typeof valueAt>, y: ReturnType<typeof valueAt>): number => {
  if (x !== null && y !== null) return order.compare(x, y) * order.sign;
  if (x === y) return 0;
  return (x === null) === order.nullsFirst ? -1 : 1;
};
