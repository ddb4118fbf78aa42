/**
 * Grouped aggregation, streaming and batch.
 *
 * Phases: "single" does it all; "partial" before an exchange folds rows into groups and sends keys and saved accumulator states;
 * "final" behind it merges them. Keys come first in every output, then results (or states), in the order of the spec.
 *
 * Modes, as Spark's: "append" emits a group once, when its event-time key is closed, and forgets it; "update" emits the groups that the epoch
 * changed and forgets closed ones; "complete" emits all groups in every epoch and forgets none (batch runs use it). Late rows (event-time key closed
 * by `lateWatermarkMs`) are dropped in append and update, before the exchange where there is a partial phase. Without keys
 * there is one group, there from the start, on the owner of key group 0; it is emitted in every epoch.
 *
 * Invariants. G1: groups come out in table order (A2) or in order of first touch: functions of the accepted rows in order (O1).
 * G2: the partial phase flushes after every PARTIAL_AGGREGATE_ROWS rows of an epoch and at its end, never at batch boundaries (law 2).
 */
import { type Batch, batchOf, rowCount } from "../core/batch.ts";
import { BOOLEAN, type DataType, field, LONG, struct, VARIANT } from "../core/data-type.ts";
import { PARTIAL_AGGREGATE_ROWS, RESULT_ROWS_MAX } from "../core/limits.ts";
import { type Schema, schemaOf } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import { valueAt, type Vector, vectorOf } from "../core/vector.ts";
import type { AggregateCall, TypedExpr } from "../expr/ast.ts";
import { compileExprs } from "../expr/compile.ts";
import type { Accumulator } from "../expr/contract.ts";
import { accumulatorsOf, compileCalls, type EvaluatedCalls, updateAll } from "./aggregate-calls.ts";
import { AggregateTable } from "./aggregate-table.ts";
import { toUserValue } from "../expr/user-values.ts";
import { EarlyRows, earlyRowsDue, type EarlySpec } from "./early-rows.ts";
import { formatAggregate, formatExpr, keyTypesText } from "./expr-text.ts";
import type {
  EpochContext,
  Operator,
  OperatorContext,
  OperatorKind,
  OperatorMetrics,
  Output,
} from "./operator.ts";
import { OperatorCounts } from "./operator-counts.ts";
import { PaneAggregate, type Panes } from "./pane-aggregate.ts";
import { keepRows, liveRows, overRows, select } from "./row-errors.ts";
import { type EventTimeForm, notLate } from "./watermark-time.ts";

export interface AggregateSpec {
  readonly phase: "single" | "partial" | "final";
  readonly mode: "append" | "update" | "complete";
  /** Bound to the input; in the final phase slots 0 … keys-1. */
  readonly keys: readonly TypedExpr[];
  /** Arguments bound to the input of the first phase; the final phase does not evaluate them. */
  readonly aggregates: readonly AggregateCall[];
  /** The key that closes groups. Undefined without a watermark on it. */
  readonly eventTime: { readonly key: number; readonly form: EventTimeForm } | undefined;
  /** Ordinals of the keys whose hash routed the rows here; all when absent. */
  readonly routeBy?: readonly number[];
  /** Phase "partial" of sliding windows: see pane-aggregate.ts. The input has no window column. */
  readonly panes?: Panes;
  /** Append mode: open groups are given early too, and a last column tells which rows are final. Batch: all are. */
  readonly early?: EarlySpec;
}

/** Type of the column that carries the saved states of a call between the phases: a plain column where the state is a value. */
export const stateColumnType = (call: AggregateCall): DataType => {
  if (call.fn === "count" && !call.distinct) return LONG;
  return call.fn === "min" || call.fn === "max" ? call.type : VARIANT;
};

/** Output of the partial phase: the keys, then one state column per call. `names`: of the keys. */
export const partialSchema = (
  spec: Pick<AggregateSpec, "keys" | "aggregates">,
  names: readonly string[],
): Schema =>
  schemaOf([
    ...spec.keys.map((k, i) => field(names[i]!, k.type, k.nullable)),
    ...spec.aggregates.map((a, i) => field(`state${i}`, stateColumnType(a))),
  ]);

class Aggregate implements Operator {
  readonly #spec: AggregateSpec;
  readonly #output: Schema;
  readonly #accumulators: readonly Accumulator[];
  readonly #table: AggregateTable;
  readonly #early: EarlyRows | undefined;
  readonly #evaluate: (batch: Batch, context: EpochContext) => EvaluatedCalls;
  readonly #keysOnly: (batch: Batch, context: EpochContext) => readonly Vector[];
  readonly #counts = new OperatorCounts();
  #context!: OperatorContext;
  #epoch!: EpochContext;
  /** Rows folded since the last flush of the partial phase (G2). */
  #folded = 0;

  constructor(spec: AggregateSpec, output: Schema) {
    this.#spec = spec;
    this.#output = output;
    this.#accumulators = accumulatorsOf(spec.aggregates);
    this.#early = spec.early === undefined ? undefined : new EarlyRows(spec.early);
    this.#table = new AggregateTable({
      name: "groups",
      keyTypes: spec.keys.map((k) => k.type),
      routeBy: spec.routeBy ?? spec.keys.map((_, i) => i),
      accumulators: [...this.#accumulators, ...(this.#early?.states ?? [])],
      eventTime: spec.phase === "partial" ? undefined : spec.eventTime?.key,
      // Who asks for all groups at once has them all in memory.
      spills: spec.phase !== "partial" && spec.mode !== "complete" && spec.early?.everyMs === undefined,
    });
    this.#evaluate = compileCalls(spec.keys, spec.phase === "final" ? [] : spec.aggregates);
    this.#keysOnly = compileExprs(spec.eventTime === undefined ? [] : [spec.keys[spec.eventTime.key]!]);
  }

  open(context: OperatorContext): void {
    this.#context = context;
    if (this.#spec.phase !== "partial") context.tables.add(this.#table);
  }

  begin(epoch: EpochContext): void {
    this.#epoch = epoch;
    if (this.#spec.phase === "partial" || this.#spec.keys.length > 0 || !this.#context.ownsKeyGroup(0))
      return;
    this.#table.lookup([], 1, new Int32Array(1));
  }

  process(batch: Batch, _port: number, out: Output): void | Promise<void> {
    const rows = this.#withoutLate(batch, out);
    return this.#spec.phase === "partial" ? this.#fold(rows, out) : this.#add(rows);
  }

  #withoutLate(batch: Batch, out: Output): Batch {
    const { eventTime, mode } = this.#spec;
    if (eventTime === undefined || mode === "complete" || this.#epoch.final) return batch;
    const { batch: rows, result } = overRows(batch, this.#context.onRowError, (b) =>
      this.#keysOnly(b, this.#epoch),
    );
    const mask = notLate(result[0]!, rowCount(rows), eventTime.form, this.#epoch.lateWatermarkMs);
    if (mask === undefined) return rows;
    const kept = keepRows(rows, mask);
    this.#counts.late(rowCount(rows) - rowCount(kept));
    out.late(
      keepRows(
        rows,
        mask.map((m) => 1 - m),
      ),
    );
    return kept;
  }

  /** A promise only where groups are on disk. */
  #add(batch: Batch): void | Promise<void> {
    const { batch: rows, result } = overRows(batch, this.#context.onRowError, (b) =>
      this.#evaluate(b, this.#epoch),
    );
    const n = rowCount(rows);
    if (n === 0) return;
    const update = (): void => {
      const groups = new Int32Array(n);
      this.#table.lookup(result.keys, n, groups);
      if (this.#spec.phase === "final") this.#merge(rows, groups);
      else updateAll(this.#accumulators, result, groups, n);
    };
    const fetched = this.#table.fetch(result.keys, n);
    return fetched === undefined ? update() : fetched.then(update);
  }

  #merge(batch: Batch, groups: Int32Array): void {
    const live = liveRows(batch);
    this.#accumulators.forEach((a, i) => {
      const states = batch.columns[this.#spec.keys.length + i]!;
      for (let k = 0; k < groups.length; k++) a.merge(groups[k]!, valueAt(states, live[k]!));
    });
  }

  #fold(batch: Batch, out: Output): void {
    const live = liveRows(batch);
    for (let from = 0; from < live.length;) {
      const to = Math.min(live.length, from + PARTIAL_AGGREGATE_ROWS - this.#folded);
      void this.#add(from === 0 && to === live.length ? batch : select(batch, live.subarray(from, to)));
      this.#folded += to - from;
      from = to;
      if (this.#folded === PARTIAL_AGGREGATE_ROWS) this.#flush(out);
    }
  }

  #flush(out: Output): void {
    this.#folded = 0;
    const groups = this.#table.takeTouched();
    this.#emit(groups, out, (a, g) => a.save(g));
    this.#table.clear();
  }

  end(out: Output): void | Promise<void> {
    const { phase, mode } = this.#spec;
    if (phase === "partial") this.#flush(out);
    else if (mode === "complete") this.#endComplete(out);
    else {
      const limit = this.#epoch.final ? Infinity : this.#epoch.watermarkMs;
      const fetched = this.#table.spill?.fetchThrough(limit);
      if (fetched !== undefined) return fetched.then(() => this.#endIncremental(limit, out));
      return this.#endIncremental(limit, out);
    }
    this.#counts.endEpoch();
  }

  #endComplete(out: Output): void {
    this.#counts.updated(this.#table.takeTouched().length);
    this.#emitResults(this.#table.live(), out);
  }

  #endIncremental(limit: number, out: Output): void | Promise<void> {
    const touched = this.#table.takeTouched();
    this.#counts.updated(touched.length);
    if (this.#spec.mode === "update") this.#emitResults(touched, out);
    const closed = this.#table.close(limit);
    if (this.#spec.mode === "append") {
      if (this.#early !== undefined)
        this.#emitResults(this.#early.take(this.#table, touched, closed, this.#epoch.clockMs), out, false);
      this.#emitResults(closed, out);
    }
    this.#counts.removed(closed.length);
    this.#counts.endEpoch();
    this.#table.release(closed);
    return this.#table.spill?.relieve(this.#epoch.epoch);
  }

  /** `final`: whether the groups are given for the last time. */
  #emitResults(groups: Int32Array, out: Output, final = true): void {
    this.#emit(groups, out, (a, g) => a.result(g), final);
  }

  #emit(
    all: Int32Array,
    out: Output,
    state: (a: Accumulator, group: number) => ReturnType<Accumulator["save"]>,
    final = true,
  ): void {
    for (let from = 0; from < all.length; from += RESULT_ROWS_MAX) {
      const groups = all.subarray(from, from + RESULT_ROWS_MAX);
      const keys = this.#spec.keys.map((_, i) => this.#table.columns.vector(i, groups));
      const results = this.#accumulators.map((a, i) =>
        vectorOf(
          this.#output.fields[keys.length + i]!.type,
          Array.from(groups, (g) => state(a, g)),
        ),
      );
      const marker = this.#early === undefined ? [] : [constant(final, groups.length)];
      out.emit(batchOf(this.#output, groups.length, [...keys, ...results, ...marker]));
    }
  }

  close(): void {
    this.#table.spill?.close();
  }

  lookUp(key: Row): Readonly<Record<string, unknown>> | undefined {
    const [group, fresh] = [new Int32Array(1), new Uint8Array(1)];
    const { keys } = this.#spec;
    this.#table.lookup(
      keys.map((k, i) => vectorOf(k.type, [key[i]!])),
      1,
      group,
      fresh,
    );
    if (fresh[0] === 1) return undefined;
    const fields = this.#output.fields.slice(keys.length, keys.length + this.#accumulators.length);
    return toUserValue(
      this.#accumulators.map((a) => a.result(group[0]!)),
      struct(fields),
    ) as Readonly<Record<string, unknown>>;
  }

  metrics(): OperatorMetrics {
    return this.#counts.epoch;
  }
}

const constant = (value: boolean, n: number): Vector => vectorOf(BOOLEAN, new Array<boolean>(n).fill(value));

const describeEarly = (spec: EarlySpec | undefined): string =>
  spec === undefined
    ? ""
    : `, early rows every ${spec.everyMs === undefined ? "epoch" : `${spec.everyMs} ms`} (extension)`;

const describeKey = (spec: AggregateSpec): string =>
  spec.eventTime === undefined ? "" : `, closes by ${formatExpr(spec.keys[spec.eventTime.key]!)}`;

const describePanes = (p: Panes | undefined): string =>
  p === undefined
    ? ""
    : `, windows of ${formatExpr(p.time)} size ${p.sizeMs} ms slide ${p.slideMs} ms offset ${p.offsetMs} ms by panes`;

export const aggregateKind: OperatorKind<AggregateSpec> = {
  kind: "aggregate",
  stateful: true,
  create: ({ panes, ...spec }, _inputs, output) =>
    panes === undefined ? new Aggregate(spec, output) : new PaneAggregate({ ...spec, panes }, output),
  describe: (spec) =>
    `Aggregate ${spec.phase} ${spec.mode}${describePanes(spec.panes)} [${spec.keys.map(formatExpr).join(", ")}] [${spec.aggregates.map(formatAggregate).join(", ")}]${describeKey(spec)}${describeEarly(spec.early)}`,
  stateFingerprint: (spec) =>
    spec.phase === "partial"
      ? ""
      : `aggregate keys=[${keyTypesText(spec.keys)}] calls=[${spec.aggregates.map(formatAggregate).join(", ")}] closes=${spec.eventTime?.key ?? "never"}${spec.early?.everyMs === undefined ? "" : " early"}`,
  wantsEmptyEpoch: (spec, before, after) =>
    spec.phase !== "partial" && spec.mode !== "complete" && after > before,
  stateKeys: ({ phase, keys, routeBy }, output) =>
    phase === "partial"
      ? undefined
      : {
          names: keys.map((_, i) => output.fields[i]!.name),
          types: keys.map((k) => k.type),
          routeBy: routeBy ?? keys.map((_, i) => i),
        },
  wantsTimerEpoch: (spec, before, now) => earlyRowsDue(spec.early, before, now),
};
