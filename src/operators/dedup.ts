/**
 * dropDuplicates and dropDuplicatesWithinWatermark: the first row of every key passes. Semantics: Spark's.
 *
 *  - Without a watermark a key is kept for ever.
 *  - Rows whose event time (`late`: any watermarked column, key or not) is <= the late watermark are late.
 *  - With the event time among the keys (`expires: {kind: "key"}`) a key is forgotten when that time <= watermark.
 *  - Within the watermark (`expires: {kind: "delay"}`) it is forgotten when the first row's time + delay <= watermark; duplicates do not prolong it.
 */
import { type Batch, rowCount } from "../core/batch.ts";
import type { Vector } from "../core/vector.ts";
import type { TypedExpr } from "../expr/ast.ts";
import { compileExprs } from "../expr/compile.ts";
import type { KeyedTable, StateKey } from "../state/table.ts";
import { ExpiryQueue } from "./expiry-queue.ts";
import { formatExpr, keyTypesText } from "./expr-text.ts";
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
import { keepRows, liveRows, overRows, select } from "./row-errors.ts";
import { type EventTimeForm, notLate, timesOf } from "./watermark-time.ts";

export interface DedupSpec {
  readonly keys: readonly TypedExpr[];
  readonly routeBy?: readonly number[];
  readonly late: { readonly expr: TypedExpr; readonly form: EventTimeForm } | undefined;
  readonly expires:
    | { readonly kind: "never" }
    | { readonly kind: "key"; readonly key: number; readonly form: EventTimeForm }
    | { readonly kind: "delay"; readonly delayMs: number };
}

class Dedup implements Operator {
  readonly #spec: DedupSpec;
  readonly #evaluate: ReturnType<typeof compileExprs>;
  readonly #encoder: KeyEncoder;
  readonly #counts = new OperatorCounts();
  /** Key → time at which it is forgotten; null: never. */
  #table!: KeyedTable<number | null>;
  readonly #expiry = new ExpiryQueue<StateKey>();
  #context!: OperatorContext;
  #epoch!: EpochContext;

  constructor(spec: DedupSpec) {
    this.#spec = spec;
    this.#evaluate = compileExprs([...spec.keys, ...(spec.late === undefined ? [] : [spec.late.expr])]);
    this.#encoder = new KeyEncoder(
      spec.keys.map((k) => k.type),
      spec.routeBy,
    );
  }

  open(context: OperatorContext): void {
    this.#context = context;
    this.#table = context.tables.keyed("keys");
  }

  restored(): void {
    if (this.#spec.expires.kind === "never") return;
    for (const [key, time] of this.#table.scan()) if (time !== null) this.#expiry.add(time, key);
  }

  begin(epoch: EpochContext): void {
    this.#epoch = epoch;
  }

  process(batch: Batch, _port: number, out: Output): void {
    const run = (b: Batch): { readonly batch: Batch; readonly result: readonly Vector[] } =>
      overRows(b, this.#context.onRowError, (x) => this.#evaluate(x, this.#epoch));
    let { batch: rows, result } = run(batch);
    const { late } = this.#spec;
    if (late !== undefined && !this.#epoch.final) {
      const times = result[this.#spec.keys.length]!;
      const mask = notLate(times, rowCount(rows), late.form, this.#epoch.lateWatermarkMs);
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
    this.#takeFirst(rows, result, out);
  }

  #takeFirst(rows: Batch, vectors: readonly Vector[], out: Output): void {
    const n = rowCount(rows);
    const keyed = this.#encoder.encode(vectors.slice(0, this.#spec.keys.length), n);
    const live = liveRows(rows);
    const times = this.#expiryTimes(vectors, n);
    const first: number[] = [];
    for (let i = 0; i < n; i++) {
      const key = keyed.keys[i]!;
      if (this.#table.get(key) !== undefined) continue;
      const time = times === undefined ? null : times[i]!;
      this.#table.put(key, time === Infinity ? null : time, keyed.keyGroup(i));
      if (time !== null && time !== Infinity) this.#expiry.add(time, key);
      first.push(live[i]!);
    }
    this.#counts.updated(first.length);
    if (first.length === n) out.emit(rows);
    else if (first.length > 0) out.emit(select(rows, Int32Array.from(first)));
  }

  #expiryTimes(vectors: readonly Vector[], n: number): Float64Array | undefined {
    const { expires, keys, late } = this.#spec;
    if (expires.kind === "never") return undefined;
    if (expires.kind === "key") return timesOf(vectors[expires.key]!, n, expires.form);
    // Spark reads a null time as 0 here.
    return timesOf(vectors[keys.length]!, n, late!.form).map(
      (t) => (t === Infinity ? 0 : t) + expires.delayMs,
    );
  }

  end(_out: Output): void {
    const gone = this.#expiry.takeThrough(this.#epoch.watermarkMs);
    for (const key of gone) this.#table.delete(key);
    this.#counts.removed(gone.length);
    this.#counts.endEpoch();
  }

  metrics(): OperatorMetrics {
    return this.#counts.epoch;
  }
}

const describeExpiry = (spec: DedupSpec): string => {
  const e = spec.expires;
  if (e.kind === "never") return "kept for ever";
  return e.kind === "key"
    ? `kept until ${formatExpr(spec.keys[e.key]!)} <= watermark`
    : `kept until ${formatExpr(spec.late!.expr)} + ${e.delayMs} ms <= watermark`;
};

export const dedupKind: OperatorKind<DedupSpec> = {
  kind: "dedup",
  stateful: true,
  create: (spec) => new Dedup(spec),
  describe: (spec) => `Dedup [${spec.keys.map(formatExpr).join(", ")}], ${describeExpiry(spec)}`,
  stateFingerprint: (spec) => `dedup keys=[${keyTypesText(spec.keys)}] ${describeExpiry(spec)}`,
  // As Spark: whenever the watermark moved, whether or not keys can expire.
  wantsEmptyEpoch: (spec, before, after) => spec.late !== undefined && after > before,
};
