/**
 * Incremental top-N: the rows of each partition with `rank <= limit` under row_number, rank or dense_rank. Output: the row's columns, then its rank.
 *
 * Modes. "append": the partition has an event-time key; its rows are given once, when the watermark closes it. "update": every
 * (partition, rank) whose row the epoch changed is given; a rank, once given, never goes away (row_number only, so ranks are unique).
 * Phase "partial", before an exchange, keeps the best rows of an epoch and sends them at its end, without ranks.
 *
 * Invariants. N1, N3, N4: ranked-rows.ts. N2: what is given is in order of first change (update, partial) or of time and arrival (append): functions of the
 * accepted rows in order and of the tables (O1).
 */
import { type Batch, batchOf, rowCount } from "../core/batch.ts";
import { RESULT_ROWS_MAX } from "../core/limits.ts";
import type { Schema } from "../core/schema.ts";
import type { Vector } from "../core/vector.ts";
import type { SortOrder, TypedExpr } from "../expr/ast.ts";
import { compileExprs } from "../expr/compile.ts";
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
import { type RankFunction, RankedRows } from "./ranked-rows.ts";
import { keepRows, overRows } from "./row-errors.ts";
import { type EventTimeForm, notLate } from "./watermark-time.ts";

export type { RankFunction };

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

class TopN implements Operator {
  readonly #spec: TopNSpec;
  readonly #output: Schema;
  readonly #evaluate: ReturnType<typeof compileExprs>;
  readonly #rows: RankedRows;
  readonly #counts = new OperatorCounts();
  #context!: OperatorContext;
  #epoch!: EpochContext;

  constructor(spec: TopNSpec, input: Schema, output: Schema) {
    this.#spec = spec;
    this.#output = output;
    this.#evaluate = compileExprs([...spec.partitionBy, ...spec.orderBy.map((o) => o.expr)]);
    const final = spec.phase === "final";
    this.#rows = new RankedRows(final ? spec : { ...spec, eventTime: undefined }, input);
  }

  open(context: OperatorContext): void {
    this.#context = context;
    if (this.#spec.phase === "final") context.tables.add(this.#rows.table);
  }

  restored(): void {
    this.#rows.restore();
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
    this.#rows.add(rows, result, rowCount(rows));
  }

  end(out: Output): void {
    const { phase, mode } = this.#spec;
    const changed = this.#rows.takeChanged();
    this.#counts.updated(changed.length);
    if (phase === "partial") {
      this.#give(changed, false, out);
      this.#rows.remove(changed);
      this.#rows.settle();
    } else {
      if (mode === "update") this.#give(changed, true, out);
      const gone = this.#rows.closed(this.#epoch.final ? Infinity : this.#epoch.watermarkMs);
      if (mode === "append") this.#give(gone, false, out);
      this.#rows.remove(gone);
      this.#counts.removed(gone.length);
    }
    this.#counts.endEpoch();
  }

  #give(partitions: Int32Array, changed: boolean, out: Output): void {
    const { slots, ranks } = this.#rows.ranked(partitions, changed);
    for (let from = 0; from < slots.length; from += RESULT_ROWS_MAX) {
      const to = Math.min(slots.length, from + RESULT_ROWS_MAX);
      const columns = this.#rows.gather(slots.data.subarray(from, to));
      if (this.#spec.phase === "final")
        columns.push({ layout: "i32", data: ranks.data.slice(from, to), nulls: undefined });
      out.emit(batchOf(this.#output, to - from, columns));
    }
  }

  metrics(): OperatorMetrics {
    return this.#counts.epoch;
  }
}

const orderText = (spec: TopNSpec): string => spec.orderBy.map(formatOrder).join(", ");

export const topNKind: OperatorKind<TopNSpec> = {
  kind: "topN",
  stateful: true,
  create: (spec, inputs, output) => new TopN(spec, inputs[0]!, output),
  describe: (spec) =>
    `TopN ${spec.phase} ${spec.mode} ${spec.fn} <= ${spec.limit} partition by [${spec.partitionBy.map(formatExpr).join(", ")}] order by [${orderText(spec)}]`,
  stateFingerprint: (spec) =>
    spec.phase === "partial"
      ? ""
      : `topN columns ${spec.fn} <= ${spec.limit} keys=[${keyTypesText(spec.partitionBy)}] order=[${orderText(spec)}] closes=${spec.eventTime?.key ?? "never"}`,
  wantsEmptyEpoch: (spec, before, after) =>
    spec.phase === "final" && spec.eventTime !== undefined && after > before,
};
