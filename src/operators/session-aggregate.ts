/**
 * Aggregation by session windows: a row covers [time, time + gap); rows of a key that overlap or touch form one session. Gaps may differ by row.
 *
 * Rows with a null time, a null gap or a gap <= 0 are left out. A row is late when its own time + gap <= late watermark, whether or not an open
 * session would take it, in every mode, as in Spark. Modes: "append" emits a session when its end <= watermark; "complete" emits all in every epoch and closes
 * none; "update" (an extension: Spark refuses it) emits the sessions that changed. A session that was merged into another
 * is not emitted again.
 */
import { type Batch, batchFromRows, rowCount } from "../core/batch.ts";
import { RESULT_ROWS_MAX } from "../core/limits.ts";
import type { Schema } from "../core/schema.ts";
import type { Row, Value } from "../core/value.ts";
import { takeVector, type Vector } from "../core/vector.ts";
import type { AggregateCall, TypedExpr } from "../expr/ast.ts";
import type { Accumulator } from "../expr/contract.ts";
import { accumulatorsOf, compileCalls, type EvaluatedCalls, updateAll } from "./aggregate-calls.ts";
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
import { KeyEncoder } from "./row-keys.ts";
import { keepRows, overRows } from "./row-errors.ts";
import { type Session, SessionStore, type StoredSession } from "./session-store.ts";

export interface SessionAggregateSpec {
  readonly mode: "append" | "update" | "complete";
  /** The keys besides the session window. */
  readonly keys: readonly TypedExpr[];
  readonly routeBy?: readonly number[];
  /** Position of the session window among the key columns of the output. */
  readonly windowAt: number;
  /** Timestamp in ms. */
  readonly time: TypedExpr;
  /** Milliseconds. */
  readonly gap: TypedExpr;
  readonly aggregates: readonly AggregateCall[];
  /** Whether `time` has a watermark: without one nothing is late and nothing closes. */
  readonly watermarked: boolean;
}

const numberAt = (v: Vector, i: number): number => (v.nulls?.[i] === 1 ? NaN : Number(v.data[i]));

/** Rows `from` … `to - 1` of evaluated calls. */
const slice = (rows: EvaluatedCalls, from: number, to: number): EvaluatedCalls => {
  const range = Int32Array.from({ length: to - from }, (_, i) => from + i);
  return {
    keys: [],
    args: rows.args.map((a) => a.map((v) => takeVector(v, range))),
    filters: rows.filters.map((f) => f && takeVector(f, range)),
  };
};

class SessionAggregate implements Operator {
  readonly #spec: SessionAggregateSpec;
  readonly #output: Schema;
  readonly #accumulators: readonly Accumulator[];
  readonly #evaluate: (batch: Batch, context: EpochContext) => EvaluatedCalls;
  readonly #encoder: KeyEncoder;
  readonly #counts = new OperatorCounts();
  #sessions!: SessionStore;
  #context!: OperatorContext;
  #epoch!: EpochContext;

  constructor(spec: SessionAggregateSpec, output: Schema) {
    this.#spec = spec;
    this.#output = output;
    this.#accumulators = accumulatorsOf(spec.aggregates);
    this.#evaluate = compileCalls([...spec.keys, spec.time, spec.gap], spec.aggregates);
    this.#encoder = new KeyEncoder(
      spec.keys.map((k) => k.type),
      spec.routeBy,
    );
  }

  open(context: OperatorContext): void {
    this.#context = context;
    const table = context.tables.keyed<StoredSession>("sessions");
    this.#sessions = new SessionStore(table, this.#accumulators, this.#spec.mode !== "complete");
  }

  restored(): void {
    this.#sessions.restore();
  }

  begin(epoch: EpochContext): void {
    this.#epoch = epoch;
  }

  process(batch: Batch, _port: number, out: Output): void {
    const run = (b: Batch): { readonly batch: Batch; readonly result: EvaluatedCalls } =>
      overRows(b, this.#context.onRowError, (x) => this.#evaluate(x, this.#epoch));
    let { batch: rows, result } = run(batch);
    const masks = this.#masks(result, rowCount(rows));
    if (masks !== undefined) {
      if (masks.late.includes(1)) {
        const late = keepRows(rows, masks.late);
        this.#counts.late(rowCount(late));
        out.late(late);
      }
      ({ batch: rows, result } = run(keepRows(rows, masks.kept)));
    }
    this.#place(result, rowCount(rows));
  }

  /** Which rows are late and which are kept; undefined when all are kept. */
  #masks(result: EvaluatedCalls, n: number): { kept: Uint8Array; late: Uint8Array } | undefined {
    const { keys, watermarked } = this.#spec;
    const times = result.keys[keys.length]!;
    const gaps = result.keys[keys.length + 1]!;
    const lateBound = watermarked && !this.#epoch.final ? this.#epoch.lateWatermarkMs : -Infinity;
    const kept = new Uint8Array(n);
    const late = new Uint8Array(n);
    let all = true;
    for (let i = 0; i < n; i++) {
      const gap = numberAt(gaps, i);
      const end = numberAt(times, i) + gap;
      if (!(gap > 0) || Number.isNaN(end)) all = false;
      else if (end <= lateBound) {
        late[i] = 1;
        all = false;
      } else kept[i] = 1;
    }
    return all ? undefined : { kept, late };
  }

  /** Rows are added in order; what waits is added before two sessions merge, so that batch cuts cannot matter (O1). */
  #place(rows: EvaluatedCalls, n: number): void {
    const width = this.#spec.keys.length;
    const keyed = this.#encoder.encode(rows.keys.slice(0, width), n);
    const times = rows.keys[width]!;
    const gaps = rows.keys[width + 1]!;
    const groups = new Int32Array(n);
    let added = 0;
    const flush = (to: number): void => {
      if (to === added) return;
      const all = added === 0 && to === n;
      updateAll(
        this.#accumulators,
        all ? rows : slice(rows, added, to),
        all ? groups : groups.subarray(added, to),
        to - added,
      );
      added = to;
    };
    for (let i = 0; i < n; i++) {
      const start = numberAt(times, i);
      const session = this.#sessions.place(keyed.keys[i]!, start, start + numberAt(gaps, i), i, keyed, flush);
      groups[i] = session.group;
    }
    flush(n);
  }

  end(out: Output): void {
    const { mode, watermarked } = this.#spec;
    const changed = this.#sessions.changed;
    this.#counts.updated(changed.length);
    if (mode === "update") this.#emit(changed, out);
    if (mode === "complete") this.#emit(this.#sessions.all(), out);
    else if (watermarked || this.#epoch.final) {
      const closed = this.#sessions.closed(this.#epoch.final ? Infinity : this.#epoch.watermarkMs);
      if (mode === "append") this.#emit(closed, out);
      for (const s of closed) this.#sessions.remove(s);
      this.#counts.removed(closed.length);
    }
    this.#sessions.save();
    this.#counts.endEpoch();
  }

  #emit(sessions: readonly Session[], out: Output): void {
    const { windowAt } = this.#spec;
    const rowOf = (s: Session): Row => {
      const keys: Value[] = [...s.keyValues];
      keys.splice(windowAt, 0, [s.start, s.end]);
      return [...keys, ...this.#accumulators.map((a) => a.result(s.group))];
    };
    for (let from = 0; from < sessions.length; from += RESULT_ROWS_MAX)
      out.emit(batchFromRows(this.#output, sessions.slice(from, from + RESULT_ROWS_MAX).map(rowOf)));
  }

  metrics(): OperatorMetrics {
    return this.#counts.epoch;
  }
}

export const sessionAggregateKind: OperatorKind<SessionAggregateSpec> = {
  kind: "sessionAggregate",
  stateful: true,
  create: (spec, _inputs, output) => new SessionAggregate(spec, output),
  describe: (spec) =>
    `SessionAggregate ${spec.mode} [${spec.keys.map(formatExpr).join(", ")}] session(${formatExpr(spec.time)}, ${formatExpr(spec.gap)} ms) [${spec.aggregates.map(formatAggregate).join(", ")}]`,
  stateFingerprint: (spec) =>
    `session keys=[${keyTypesText(spec.keys)}] time=${formatExpr(spec.time)} calls=[${spec.aggregates.map(formatAggregate).join(", ")}]`,
  wantsEmptyEpoch: (spec, before, after) => spec.watermarked && spec.mode !== "complete" && after > before,
};
