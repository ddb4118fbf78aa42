/**
 * `withWatermark`: passes rows through and keeps the maximum of the event-time column of the epoch, which the runtime
 * reports (law 12). The maximum is of the rows that reach this operator, late ones included, as in Spark.
 */
import { type Batch, rowCount } from "../core/batch.ts";
import type { TypedExpr } from "../expr/ast.ts";
import { compileExprs } from "../expr/compile.ts";
import { formatExpr } from "./expr-text.ts";
import type {
  EventTimeStatistics,
  EpochContext,
  OperatorKind,
  Output,
  WatermarkObserver,
} from "./operator.ts";
import { overRows, type OnRowError } from "./row-errors.ts";
import type { EventTimeForm } from "./watermark-time.ts";

export interface WatermarkSpec {
  readonly name: string;
  readonly time: TypedExpr;
  readonly form: EventTimeForm;
  readonly delayMs: number;
}

class Watermark implements WatermarkObserver {
  readonly #evaluate: ReturnType<typeof compileExprs>;
  readonly #form: EventTimeForm;
  #epoch!: EpochContext;
  #onRowError!: OnRowError;
  /** Since it was last taken. */
  #maximum = -Infinity;
  // Of the epoch.
  #max = -Infinity;
  #min = Infinity;
  #sum = 0;
  #count = 0;

  constructor(spec: WatermarkSpec) {
    this.#evaluate = compileExprs([spec.time]);
    this.#form = spec.form;
  }

  open(context: { readonly onRowError: OnRowError }): void {
    this.#onRowError = context.onRowError;
  }

  begin(epoch: EpochContext): void {
    this.#epoch = epoch;
    this.#maximum = -Infinity;
    this.#max = -Infinity;
    this.#min = Infinity;
    this.#sum = 0;
    this.#count = 0;
  }

  process(batch: Batch, _port: number, out: Output): void {
    const { batch: rows, result } = overRows(batch, this.#onRowError, (b) => this.#evaluate(b, this.#epoch));
    const { data, nulls } = result[0]!;
    const n = rowCount(rows);
    let max = -Infinity;
    let min = Infinity;
    let sum = 0;
    let count = 0;
    for (let i = 0; i < n; i++) {
      if (nulls !== undefined && nulls[i] === 1) continue;
      const x = data[i] as number | readonly number[];
      // A window's time is its last instant, as `window_time` has it.
      const time = this.#form === "column" ? (x as number) : (x as readonly number[])[1]! - 0.001;
      if (time > max) max = time;
      if (time < min) min = time;
      sum += time;
      count++;
    }
    this.#maximum = Math.max(this.#maximum, max);
    this.#max = Math.max(this.#max, max);
    this.#min = Math.min(this.#min, min);
    this.#sum += sum;
    this.#count += count;
    out.emit(rows);
  }

  statistics(): EventTimeStatistics | undefined {
    return this.#count === 0
      ? undefined
      : { min: Math.floor(this.#min), max: Math.floor(this.#max), sum: this.#sum, count: this.#count };
  }

  takeMaximum(): number | undefined {
    const maximum = this.#maximum;
    this.#maximum = -Infinity;
    return maximum === -Infinity ? undefined : Math.floor(maximum);
  }
}

export const watermarkKind: OperatorKind<WatermarkSpec> = {
  kind: "watermark",
  stateful: false,
  create: (spec) => new Watermark(spec),
  describe: (spec) => `Watermark ${formatExpr(spec.time)} - ${spec.delayMs} ms`,
  stateFingerprint: () => "",
};
