/**
 * The partial phase over sliding windows by panes: a row is added once, to the piece of time (pane) that all its windows share, instead of once to each of
 * its windows. What leaves are the windows' states, as without panes: the final phase, its tables, snapshots and counts know nothing of it.
 *
 * Invariants. N1: the size is a multiple of the slide, so the rows of a pane [p, p + slide) have the same windows: those that begin at p, p - slide, … and end
 * behind p. N2: a row is late for each of its windows by itself; late windows get no state from this operator, and are counted row by row. N3 = G2 of
 * aggregate.ts: flushed after PARTIAL_AGGREGATE_ROWS rows of an epoch and at its end.
 */
import { type Batch, batchOf, rowCount } from "../core/batch.ts";
import { TIMESTAMP } from "../core/data-type.ts";
import { PARTIAL_AGGREGATE_ROWS, RESULT_ROWS_MAX } from "../core/limits.ts";
import type { Schema } from "../core/schema.ts";
import type { Value } from "../core/value.ts";
import { takeVector, type Vector, vectorOf } from "../core/vector.ts";
import type { AggregateCall, TypedExpr } from "../expr/ast.ts";
import type { Accumulator } from "../expr/contract.ts";
import { accumulatorsOf, compileCalls, type EvaluatedCalls, updateAll } from "./aggregate-calls.ts";
import { AggregateTable } from "./aggregate-table.ts";
import type { EpochContext, Operator, OperatorContext, OperatorMetrics, Output } from "./operator.ts";
import { OperatorCounts } from "./operator-counts.ts";
import { keepRows, liveRows, overRows, select } from "./row-errors.ts";

/** Sliding windows of `time` as key number `key`; milliseconds, the size a multiple of the slide. */
export interface Panes {
  readonly key: number;
  readonly time: TypedExpr;
  readonly sizeMs: number;
  readonly slideMs: number;
  readonly offsetMs: number;
}

export interface PaneAggregateSpec {
  readonly mode: "append" | "update" | "complete";
  /** Bound to the input, which has no window column: key number `panes.key` stands for it and is not evaluated. */
  readonly keys: readonly TypedExpr[];
  readonly aggregates: readonly AggregateCall[];
  readonly eventTime: { readonly key: number } | undefined;
  readonly panes: Panes;
}

const tableOf = (
  name: string,
  spec: PaneAggregateSpec,
  paneType: TypedExpr["type"],
): { readonly table: AggregateTable; readonly accumulators: readonly Accumulator[] } => {
  const accumulators = accumulatorsOf(spec.aggregates);
  const keyTypes = spec.keys.map((k, i) => (i === spec.panes.key ? paneType : k.type));
  const routeBy = spec.keys.map((_, i) => i);
  const steady = spec.panes.key;
  const options = { name, keyTypes, routeBy, accumulators, eventTime: undefined, steady };
  return { table: new AggregateTable(options), accumulators };
};

export class PaneAggregate implements Operator {
  readonly #spec: PaneAggregateSpec;
  readonly #output: Schema;
  readonly #panes: ReturnType<typeof tableOf>;
  readonly #windows: ReturnType<typeof tableOf>;
  readonly #evaluate: (batch: Batch, context: EpochContext) => EvaluatedCalls;
  readonly #perPane: number;
  readonly #counts = new OperatorCounts();
  #context!: OperatorContext;
  #epoch!: EpochContext;
  #folded = 0;

  constructor(spec: PaneAggregateSpec, output: Schema) {
    this.#spec = spec;
    this.#output = output;
    const { key, time, sizeMs, slideMs } = spec.panes;
    this.#panes = tableOf("panes", spec, TIMESTAMP);
    this.#windows = tableOf("windows", spec, spec.keys[key]!.type);
    this.#evaluate = compileCalls(spec.keys.with(key, time), spec.aggregates);
    this.#perPane = sizeMs / slideMs;
  }

  open(context: OperatorContext): void {
    this.#context = context;
  }

  begin(epoch: EpochContext): void {
    this.#epoch = epoch;
  }

  process(batch: Batch, _port: number, out: Output): void {
    const live = liveRows(batch);
    for (let from = 0; from < live.length;) {
      const to = Math.min(live.length, from + PARTIAL_AGGREGATE_ROWS - this.#folded);
      this.#add(from === 0 && to === live.length ? batch : select(batch, live.subarray(from, to)));
      this.#folded += to - from;
      from = to;
      if (this.#folded === PARTIAL_AGGREGATE_ROWS) this.#flush(out);
    }
  }

  #add(batch: Batch): void {
    const { key } = this.#spec.panes;
    const evaluated = overRows(batch, this.#context.onRowError, (b) => this.#evaluate(b, this.#epoch));
    const times = evaluated.result.keys[key]!;
    const n = rowCount(evaluated.batch);
    if (times.nulls !== undefined) {
      // A row without a time has no window.
      const mask = Uint8Array.from({ length: n }, (_, k) => 1 - times.nulls![k]!);
      return this.#add(keepRows(evaluated.batch, mask));
    }
    if (n === 0) return;
    const starts = this.#starts(times.data as Float64Array, n);
    const groups = new Int32Array(n);
    const pane: Vector = { layout: "f64", data: starts, nulls: undefined };
    this.#panes.table.lookup(evaluated.result.keys.with(key, pane), n, groups);
    updateAll(this.#panes.accumulators, evaluated.result, groups, n);
  }

  /** The beginnings of the rows' panes. Counts what is late. */
  #starts(times: Float64Array, n: number): Float64Array {
    const { slideMs, offsetMs } = this.#spec.panes;
    const starts = new Float64Array(n);
    let first = Infinity;
    for (let k = 0; k < n; k++) {
      const start = Math.floor((times[k]! - offsetMs) / slideMs) * slideMs + offsetMs;
      starts[k] = start;
      if (start < first) first = start;
    }
    if (this.#lateOf(first) > 0) {
      let late = 0;
      for (let k = 0; k < n; k++) late += this.#lateOf(starts[k]!);
      this.#counts.late(late);
    }
    return starts;
  }

  /** How many windows of a pane are late (N2): the first of them ends where the pane does. */
  #lateOf(pane: number): number {
    const { eventTime, mode } = this.#spec;
    if (eventTime === undefined || mode === "complete" || this.#epoch.final) return 0;
    const { slideMs } = this.#spec.panes;
    const late = Math.floor((this.#epoch.lateWatermarkMs - (pane + slideMs)) / slideMs) + 1;
    return Math.max(0, Math.min(this.#perPane, late));
  }

  #flush(out: Output): void {
    this.#folded = 0;
    const { table } = this.#panes;
    const panes = table.takeTouched();
    if (panes.length === 0) return;
    this.#toWindows(panes);
    table.clear();
    const windows = this.#windows.table.takeTouched();
    for (let from = 0; from < windows.length; from += RESULT_ROWS_MAX)
      this.#emit(windows.subarray(from, from + RESULT_ROWS_MAX), out);
    this.#windows.table.clear();
  }

  /** Adds the states of panes to those of their windows: all last windows first, so that neighbours share theirs. */
  #toWindows(panes: Int32Array): void {
    const { key, sizeMs, slideMs } = this.#spec.panes;
    const keys = this.#spec.keys.map((_, i) => this.#panes.table.columns.vector(i, panes));
    const starts = keys[key]!.data as Float64Array;
    const saved = this.#panes.accumulators.map((a) => Array.from(panes, (g) => a.save(g)));
    const known = new Map<number, Value>();
    for (let w = 0; w < this.#perPane; w++) {
      const rows = Int32Array.from(panes.keys()).filter((k) => w < this.#perPane - this.#lateOf(starts[k]!));
      const windows: Value[] = Array.from(rows, (k) => {
        const start = starts[k]! - w * slideMs;
        let window = known.get(start);
        if (window === undefined) known.set(start, (window = [start, start + sizeMs]));
        return window;
      });
      const vectors = keys.map((v, i): Vector =>
        i === key ? { layout: "any", data: windows, nulls: undefined } : takeVector(v, rows),
      );
      const groups = new Int32Array(rows.length);
      this.#windows.table.lookup(vectors, rows.length, groups);
      this.#windows.accumulators.forEach((a, c) => {
        const states = saved[c]!;
        for (let k = 0; k < rows.length; k++) a.merge(groups[k]!, states[rows[k]!]!);
      });
    }
  }

  #emit(groups: Int32Array, out: Output): void {
    const { table, accumulators } = this.#windows;
    const keys = this.#spec.keys.map((_, i) => table.columns.vector(i, groups));
    const states = accumulators.map((a, i) =>
      vectorOf(
        this.#output.fields[keys.length + i]!.type,
        Array.from(groups, (g) => a.save(g)),
      ),
    );
    out.emit(batchOf(this.#output, groups.length, [...keys, ...states]));
  }

  end(out: Output): void {
    this.#flush(out);
    this.#counts.endEpoch();
  }

  metrics(): OperatorMetrics {
    return this.#counts.epoch;
  }
}
