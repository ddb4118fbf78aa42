/**
 * Incremental top-N: the rows of each partition with `rank <= limit` under row_number, rank or dense_rank. Output: the row's columns, then its rank.
 *
 * Modes. "append": the partition has an event-time key; its rows are given once, when the watermark closes it. "update": every
 * (partition, rank) whose row the epoch changed is given; a rank, once given, never goes away (row_number only, so ranks are unique).
 * Phase "partial", before an exchange, keeps the best rows of an epoch and sends them at its end, without ranks.
 *
 * Invariants. N1: a list is in order; equal rows in the order they came. N2: what is given is in order of first change (update, partial) or of the keys'
 * bytes (append): functions of the accepted rows in order and of the tables (O1).
 */
import { type Batch, batchFromRows, rowCount } from "../core/batch.ts";
import { RESULT_ROWS_MAX } from "../core/limits.ts";
import type { Schema } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import { valueAt, type Vector } from "../core/vector.ts";
import type { SortOrder, TypedExpr } from "../expr/ast.ts";
import { compileExprs } from "../expr/compile.ts";
import type { KeyedTable, StateKey } from "../state/table.ts";
import { ExpiryQueue } from "./expiry-queue.ts";
import { formatExpr, formatOrder, keyTypesText } from "./expr-text.ts";
import type {
  EpochContext,
  Operator,
  OperatorContext,
  OperatorKind,
  OperatorMetrics,
  Output,
} from "./operator.ts";
import { OperatorCounts } from "./operator-counts.ts";
import { keepRows, liveRows, overRows } from "./row-errors.ts";
import { KeyEncoder } from "./row-keys.ts";
import { compareKeys } from "./sort.ts";
import { type EventTimeForm, notLate, timesOf } from "./watermark-time.ts";

export type RankFunction = "row_number" | "rank" | "dense_rank";

export interface TopNSpec {
  readonly phase: "partial" | "final";
  readonly mode: "append" | "update";
  readonly partitionBy: readonly TypedExpr[];
  readonly orderBy: readonly SortOrder<TypedExpr>[];
  readonly fn: RankFunction;
  /** Ranks kept: 1 to this. */
  readonly limit: number;
  /** The partition key that closes partitions; needed in append mode. */
  readonly eventTime: { readonly key: number; readonly form: EventTimeForm } | undefined;
}

/** Values of the ORDER BY, and the row. */
type Entry = readonly [order: Row, row: Row];

/** A partition under change in this epoch. */
interface Work {
  readonly key: StateKey;
  readonly group: number;
  /** As it was when the epoch began. */
  readonly before: readonly Entry[] | undefined;
  readonly list: Entry[];
  changed: boolean;
}

class TopN implements Operator {
  readonly #spec: TopNSpec;
  readonly #output: Schema;
  readonly #evaluate: ReturnType<typeof compileExprs>;
  readonly #encoder: KeyEncoder;
  readonly #compare: (a: Row, b: Row) => number;
  readonly #counts = new OperatorCounts();
  readonly #expiry = new ExpiryQueue<StateKey>();
  #table: KeyedTable<readonly Entry[]> | undefined;
  #work = new Map<StateKey, Work>();
  #changed: Work[] = [];
  #context!: OperatorContext;
  #epoch!: EpochContext;

  constructor(spec: TopNSpec, output: Schema) {
    this.#spec = spec;
    this.#output = output;
    this.#evaluate = compileExprs([...spec.partitionBy, ...spec.orderBy.map((o) => o.expr)]);
    this.#encoder = new KeyEncoder(spec.partitionBy.map((e) => e.type));
    this.#compare = compareKeys(spec.orderBy);
  }

  open(context: OperatorContext): void {
    this.#context = context;
    if (this.#spec.phase === "final") this.#table = context.tables.keyed("best");
  }

  restored(): void {
    const { eventTime, partitionBy } = this.#spec;
    if (eventTime === undefined || this.#table === undefined) return;
    // A partition's time is that of any of its rows.
    const entries = [...this.#table.scan()];
    const batch = batchFromRows(
      this.#output,
      entries.map(([, list]) => [...list[0]![1], null]),
    );
    const [key] = compileExprs([partitionBy[eventTime.key]!])(batch, { clockMs: 0, timeZone: "UTC" });
    timesOf(key!, entries.length, eventTime.form).forEach((time, i) => {
      if (time !== Infinity) this.#expiry.add(time, entries[i]![0]);
    });
  }

  begin(epoch: EpochContext): void {
    this.#epoch = epoch;
  }

  process(batch: Batch, _port: number, out: Output): void {
    const run = (b: Batch): { readonly batch: Batch; readonly result: readonly Vector[] } =>
      overRows(b, this.#context.onRowError, (x) => this.#evaluate(x, this.#epoch));
    let { batch: rows, result } = run(batch);
    const { eventTime } = this.#spec;
    if (eventTime !== undefined && !this.#epoch.final) {
      const times = result[eventTime.key]!;
      const mask = notLate(times, rowCount(rows), eventTime.form, this.#epoch.lateWatermarkMs);
      if (mask !== undefined) {
        const dropped = keepRows(
          rows,
          mask.map((m) => 1 - m),
        );
        this.#counts.late(rowCount(dropped));
        out.late(dropped);
        ({ batch: rows, result } = run(keepRows(rows, mask)));
      }
    }
    this.#add(rows, result);
  }

  #add(batch: Batch, vectors: readonly Vector[]): void {
    const n = rowCount(batch);
    const { partitionBy, eventTime } = this.#spec;
    const keyed = this.#encoder.encode(vectors.slice(0, partitionBy.length), n);
    const orders = vectors.slice(partitionBy.length);
    const live = liveRows(batch);
    const order = orders.map((v) => (n === 0 ? null : valueAt(v, 0)));
    let times: Float64Array | undefined;
    let work: Work | undefined;
    for (let i = 0; i < n; i++) {
      const key = keyed.keys[i] ?? "";
      if (work?.key !== key) work = this.#work.get(key) ?? this.#open(key, keyed.keyGroup(i));
      for (let c = 0; c < order.length; c++) order[c] = valueAt(orders[c]!, i);
      const { list } = work;
      const at = this.#place(list, order);
      if (at >= this.#spec.limit && !this.#ranks(list, order, at)) continue;
      if (list.length === 0 && eventTime !== undefined && this.#table !== undefined) {
        times ??= timesOf(vectors[eventTime.key]!, n, eventTime.form);
        if (times[i] !== Infinity) this.#expiry.add(times[i]!, key);
      }
      const physical = live[i]!;
      list.splice(at, 0, [[...order], batch.columns.map((v) => valueAt(v, physical))]);
      this.#trim(list);
      if (work.changed) continue;
      work.changed = true;
      this.#changed.push(work);
    }
  }

  #open(key: StateKey, group: number): Work {
    const before = this.#table?.get(key);
    const work = { key, group, before, list: before === undefined ? [] : [...before], changed: false };
    this.#work.set(key, work);
    return work;
  }

  /** Behind all rows that are better or equal (N1). Most rows of a full list are worse than its last: looked at first. */
  #place(list: readonly Entry[], order: Row): number {
    const n = list.length;
    if (n === 0 || this.#compare(list[n - 1]![0], order) <= 0) return n;
    let low = 0;
    let high = n - 1;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#compare(list[middle]![0], order) <= 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Whether a row that belongs behind `limit` rows or more has a rank within the limit all the same: with a tie, or densely. */
  #ranks(list: readonly Entry[], order: Row, at: number): boolean {
    const { fn, limit } = this.#spec;
    if (fn === "row_number") return false;
    if (this.#compare(list[at - 1]![0], order) === 0) return true;
    return fn === "dense_rank" && (at < list.length || this.#ranksOf(list).at(-1)! < limit);
  }

  #ranksOf(list: readonly Entry[]): readonly number[] {
    const { fn } = this.#spec;
    let rank = 0;
    return list.map((e, i) => {
      if (fn === "row_number") return i + 1;
      if (i === 0 || this.#compare(list[i - 1]![0], e[0]) !== 0) rank = fn === "rank" ? i + 1 : rank + 1;
      return rank;
    });
  }

  /** Takes off what fell out of the limit. */
  #trim(list: Entry[]): void {
    const { fn, limit } = this.#spec;
    if (list.length <= limit) return;
    if (fn === "row_number") {
      list.length = limit;
      return;
    }
    if (this.#compare(list[0]![0], list.at(-1)![0]) === 0) return;
    const ranks = this.#ranksOf(list);
    while (ranks[list.length - 1]! > limit) list.length--;
  }

  end(out: Output): void {
    const { phase, mode } = this.#spec;
    this.#counts.updated(this.#changed.length);
    if (phase === "partial")
      this.#emit(
        out,
        this.#changed.map((w) => w.list.map((e) => e[1])),
      );
    else {
      for (const w of this.#changed) this.#table!.put(w.key, w.list, w.group);
      if (mode === "update")
        this.#emit(
          out,
          this.#changed.map((w) => this.#ranked(w.list, w.before)),
        );
      this.#close(out);
    }
    this.#work = new Map();
    this.#changed = [];
    this.#counts.endEpoch();
  }

  #close(out: Output): void {
    const gone = this.#expiry.takeThrough(this.#epoch.final ? Infinity : this.#epoch.watermarkMs);
    if (gone.length === 0) return;
    const keys = gone.sort();
    if (this.#spec.mode === "append")
      this.#emit(
        out,
        keys.map((key) => this.#ranked(this.#table!.get(key)!, undefined)),
      );
    for (const key of keys) this.#table!.delete(key);
    this.#counts.removed(keys.length);
  }

  /** The list's rows with their ranks, without those that stand where they stood before. */
  #ranked(list: readonly Entry[], before: readonly Entry[] | undefined): readonly Row[] {
    const ranks = this.#ranksOf(list);
    return list.flatMap((e, i) => (before?.[i] === e ? [] : [[...e[1], ranks[i]!]]));
  }

  #emit(out: Output, partitions: readonly (readonly Row[])[]): void {
    const rows = partitions.flat();
    for (let from = 0; from < rows.length; from += RESULT_ROWS_MAX)
      out.emit(batchFromRows(this.#output, rows.slice(from, from + RESULT_ROWS_MAX)));
  }

  metrics(): OperatorMetrics {
    return this.#counts.epoch;
  }
}

const orderText = (spec: TopNSpec): string => spec.orderBy.map(formatOrder).join(", ");

export const topNKind: OperatorKind<TopNSpec> = {
  kind: "topN",
  stateful: true,
  create: (spec, _inputs, output) => new TopN(spec, output),
  describe: (spec) =>
    `TopN ${spec.phase} ${spec.mode} ${spec.fn} <= ${spec.limit} partition by [${spec.partitionBy.map(formatExpr).join(", ")}] order by [${orderText(spec)}]`,
  stateFingerprint: (spec) =>
    spec.phase === "partial"
      ? ""
      : `topN ${spec.fn} <= ${spec.limit} keys=[${keyTypesText(spec.partitionBy)}] order=[${orderText(spec)}] closes=${spec.eventTime?.key ?? "never"}`,
  wantsEmptyEpoch: (spec, before, after) =>
    spec.phase === "final" && spec.eventTime !== undefined && after > before,
};
