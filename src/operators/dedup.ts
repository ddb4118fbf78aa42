/**
 * dropDuplicates and dropDuplicatesWithinWatermark: the first row of every key passes. Semantics: Spark's.
 *
 *  - Without a watermark a key is kept for ever.
 *  - Rows whose event time (`late`: any watermarked column, key or not) is <= the late watermark are late.
 *  - With the event time among the keys (`expires: {kind: "key"}`) a key is forgotten when that time <= watermark.
 *  - Within the watermark (`expires: {kind: "delay"}`) it is forgotten when the first row's time + delay <= watermark; duplicates do not prolong it.
 */
import { type Batch, rowCount } from "../core/batch.ts";
import type { Row } from "../core/value.ts";
import { type Vector, vectorOf } from "../core/vector.ts";
import type { TypedExpr } from "../expr/ast.ts";
import { compileExprs } from "../expr/compile.ts";
import { DelayedKeys, PlainKeys, type SeenKeys } from "./seen-keys.ts";
import { formatExpr, keyNames, keyTypesText } from "./expr-text.ts";
import type {
  EpochContext,
  Operator,
  OperatorContext,
  OperatorKind,
  OperatorMetrics,
  Output,
} from "./operator.ts";
import { OperatorCounts } from "./operator-counts.ts";
import { keepRows, liveRows, overRows, select } from "./row-errors.ts";
import { type EventTimeForm, notLate } from "./watermark-time.ts";

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
  readonly #keys: SeenKeys;
  readonly #counts = new OperatorCounts();
  #context!: OperatorContext;
  #epoch!: EpochContext;

  constructor(spec: DedupSpec) {
    this.#spec = spec;
    this.#evaluate = compileExprs([...spec.keys, ...(spec.late === undefined ? [] : [spec.late.expr])]);
    const types = spec.keys.map((k) => k.type);
    this.#keys =
      spec.expires.kind === "delay"
        ? new DelayedKeys(types, spec.routeBy, spec.late!.form, spec.expires.delayMs)
        : new PlainKeys(types, spec.routeBy, spec.expires.kind === "key" ? spec.expires.key : undefined);
  }

  open(context: OperatorContext): void {
    this.#context = context;
    this.#keys.open(context);
  }

  restored(): void {
    this.#keys.restored();
  }

  begin(epoch: EpochContext): void {
    this.#epoch = epoch;
  }

  process(batch: Batch, _port: number, out: Output): void | Promise<void> {
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
    const keys = result.slice(0, this.#spec.keys.length);
    const fetched = this.#keys.fetch?.(keys, rowCount(rows));
    if (fetched === undefined) this.#pass(rows, keys, result[keys.length], out);
    return fetched?.then(() => this.#pass(rows, keys, result[keys.length], out));
  }

  #pass(rows: Batch, keys: readonly Vector[], times: Vector | undefined, out: Output): void {
    const n = rowCount(rows);
    const first = this.#keys.firsts(keys, times, n);
    const passed = liveRows(rows).filter((_, i) => first[i] === 1);
    this.#counts.updated(passed.length);
    if (passed.length === n) out.emit(rows);
    else if (passed.length > 0) out.emit(select(rows, passed));
  }

  end(_out: Output): void | Promise<void> {
    const fetched = this.#keys.fetchClosing?.(this.#epoch.watermarkMs);
    return fetched === undefined ? this.#forget() : fetched.then(() => this.#forget());
  }

  #forget(): void | Promise<void> {
    this.#counts.removed(this.#keys.forget(this.#epoch.watermarkMs));
    this.#counts.endEpoch();
    return this.#keys.relieve?.(this.#epoch.epoch);
  }

  close(): void {
    this.#keys.close?.();
  }

  lookUp(key: Row): Readonly<Record<string, unknown>> | undefined {
    return this.#keys.find(this.#spec.keys.map((k, i) => vectorOf(k.type, [key[i]!])));
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
  // As Spark: whenever the watermark moved, whether or not keys can expire and whether or not the time column reaches this operator.
  stateKeys: ({ keys, routeBy }) => ({
    names: keyNames(keys),
    types: keys.map((k) => k.type),
    routeBy: routeBy ?? keys.map((_, i) => i),
  }),
  wantsEmptyEpoch: (_spec, before, after) => after > before,
};
