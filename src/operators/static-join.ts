/**
 * Hash join against a side that is held whole: stream-static joins and all batch joins (nested loop when there are no keys).
 *
 * The build side comes from `load` (stream-static: read anew in every epoch, or once), or from its port (batch: the probe rows wait for it until the
 * end of the epoch). Output columns are left ++ right, for semi and anti left only. Null keys match nothing unless the key is null-safe.
 * Null-aware anti (NOT IN): a row stays out when a build row that satisfies the condition has the same key or a null one, or its own key is null.
 */
import { type Batch, batchFromRows, rowsOf } from "../core/batch.ts";
import { JOIN_PAIRS_MAX, RESULT_ROWS_MAX } from "../core/limits.ts";
import type { Schema } from "../core/schema.ts";
import type { Row, Value } from "../core/value.ts";
import type { TypedExpr } from "../expr/ast.ts";
import { compileExprs } from "../expr/compile.ts";
import type { StateKey } from "../state/table.ts";
import { formatExpr } from "./expr-text.ts";
import { compilePairs, conjunctsOf } from "./join-condition.ts";
import type { EpochContext, Operator, OperatorContext, OperatorKind, Output } from "./operator.ts";
import { KeyEncoder } from "./row-keys.ts";
import { overRows } from "./row-errors.ts";

export interface StaticJoinSpec {
  readonly how: "inner" | "left" | "right" | "full" | "semi" | "anti" | "cross";
  readonly leftKeys: readonly TypedExpr[];
  readonly rightKeys: readonly TypedExpr[];
  /** Keys compared by <=>; all false when absent. */
  readonly nullSafe?: readonly boolean[];
  /** Bound to left ++ right. */
  readonly condition: TypedExpr | undefined;
  readonly nullAware?: boolean;
  /** The side that is held. Semi and anti: "right". */
  readonly build: "left" | "right";
  /** Rows of the build side for an epoch; absent when they come through its port. */
  readonly load?: (epoch: number) => Promise<readonly Batch[]>;
  /** Whether `load` is called in every epoch or once. Default "epoch". */
  readonly reload?: "epoch" | "once";
}

interface BuildRow {
  readonly row: Row;
  matched: boolean;
}

interface Built {
  readonly all: BuildRow[];
  readonly byKey: Map<StateKey, BuildRow[]>;
  /** Rows with a null in a key that is not null-safe. */
  readonly nullKeys: BuildRow[];
}

const NONE: readonly BuildRow[] = [];

class StaticJoin implements Operator {
  readonly #spec: StaticJoinSpec;
  readonly #inputs: readonly Schema[];
  readonly #output: Schema;
  readonly #evaluate: { left: ReturnType<typeof compileExprs>; right: ReturnType<typeof compileExprs> };
  readonly #encoder: KeyEncoder;
  readonly #pairs: ReturnType<typeof compilePairs>;
  readonly #probe: "left" | "right";
  #context!: OperatorContext;
  #epoch!: EpochContext;
  #built: Built | undefined;
  #waiting: Batch[] = [];

  constructor(spec: StaticJoinSpec, inputs: readonly Schema[], output: Schema) {
    this.#spec = spec;
    this.#inputs = inputs;
    this.#output = output;
    this.#probe = spec.build === "right" ? "left" : "right";
    this.#evaluate = { left: compileExprs(spec.leftKeys), right: compileExprs(spec.rightKeys) };
    this.#encoder = new KeyEncoder(spec.leftKeys.map((k) => k.type));
    const conjuncts = spec.condition === undefined ? [] : conjunctsOf(spec.condition);
    this.#pairs = compilePairs(conjuncts, inputs[0]!, inputs[1]!);
  }

  open(context: OperatorContext): void {
    this.#context = context;
  }

  begin(epoch: EpochContext): void {
    this.#epoch = epoch;
    this.#waiting = [];
    if (this.#spec.load === undefined || this.#spec.reload !== "once") this.#built = undefined;
  }

  process(batch: Batch, port: number, out: Output): void | Promise<void> {
    if ((port === 0 ? "left" : "right") === this.#spec.build) {
      this.#add((this.#built ??= empty()), batch);
      return;
    }
    if (this.#spec.load === undefined) this.#waiting.push(batch);
    else if (this.#built !== undefined) this.#probeRows(batch, out);
    else return this.#loadThen(() => this.#probeRows(batch, out));
  }

  async #loadThen(f: () => void): Promise<void> {
    const built = empty();
    for (const batch of await this.#spec.load!(this.#epoch.epoch)) this.#add(built, batch);
    this.#built = built;
    f();
  }

  #add(built: Built, batch: Batch): void {
    const { rows, keys, nulls } = this.#keysOf(batch, this.#spec.build);
    rows.forEach((row, i) => {
      const entry = { row, matched: false };
      built.all.push(entry);
      if (nulls(i)) return built.nullKeys.push(entry);
      const list = built.byKey.get(keys[i]!);
      return list === undefined ? built.byKey.set(keys[i]!, [entry]) : list.push(entry);
    });
  }

  #keysOf(
    batch: Batch,
    side: "left" | "right",
  ): { rows: Row[]; keys: readonly StateKey[]; nulls: (i: number) => boolean } {
    const { batch: kept, result } = overRows(batch, this.#context.onRowError, (b) =>
      this.#evaluate[side](b, this.#epoch),
    );
    const rows = rowsOf(kept);
    const strict = result.filter((_, i) => this.#spec.nullSafe?.[i] !== true);
    const { keys } = this.#encoder.encode(result, rows.length);
    return { rows, keys, nulls: (i) => strict.some((v) => v.nulls?.[i] === 1) };
  }

  /** Candidates of a probe row before the condition. */
  #candidates(key: StateKey, isNull: boolean): readonly BuildRow[] {
    const built = this.#built;
    if (built === undefined) return NONE;
    if (this.#spec.nullAware !== true) return isNull ? NONE : (built.byKey.get(key) ?? NONE);
    if (isNull) return built.all;
    return [...(built.byKey.get(key) ?? NONE), ...built.nullKeys];
  }

  #probeRows(batch: Batch, out: Output): void {
    const { rows, keys, nulls } = this.#keysOf(batch, this.#probe);
    let results: Row[] = [];
    rows.forEach((row, i) => {
      this.#probeRow(row, this.#candidates(keys[i]!, nulls(i)), results);
      if (results.length < RESULT_ROWS_MAX) return;
      this.#emit(results, out);
      results = [];
    });
    this.#emit(results, out);
  }

  #probeRow(row: Row, candidates: readonly BuildRow[], results: Row[]): void {
    const { how } = this.#spec;
    const once = how === "semi" || how === "anti";
    let matched = false;
    for (let from = 0; from < candidates.length && !(once && matched); from += JOIN_PAIRS_MAX) {
      const part = candidates.slice(from, from + JOIN_PAIRS_MAX);
      const mask = this.#test(row, part);
      part.forEach((b, i) => {
        if (mask !== undefined && mask[i] === 0) return;
        matched = true;
        b.matched = true;
        if (!once) results.push(this.#spec.build === "right" ? [...row, ...b.row] : [...b.row, ...row]);
      });
    }
    if (once) {
      if (matched === (how === "semi")) results.push(row);
    } else if (!matched && this.#preserves(this.#probe)) results.push(this.#alone(this.#probe, row));
  }

  #test(row: Row, part: readonly BuildRow[]): Uint8Array | undefined {
    if (this.#spec.condition === undefined) return undefined;
    const mine = part.map(() => row);
    const theirs = part.map((b) => b.row);
    return this.#spec.build === "right"
      ? this.#pairs(mine, theirs, this.#epoch)
      : this.#pairs(theirs, mine, this.#epoch);
  }

  #preserves(side: "left" | "right"): boolean {
    return this.#spec.how === "full" || this.#spec.how === side;
  }

  #alone(side: "left" | "right", row: Row): Row {
    const nulls: Value[] = new Array(this.#inputs[side === "left" ? 1 : 0]!.fields.length).fill(null);
    return side === "left" ? [...row, ...nulls] : [...nulls, ...row];
  }

  #emit(rows: readonly Row[], out: Output): void {
    if (rows.length > 0) out.emit(batchFromRows(this.#output, rows));
  }

  end(out: Output): void {
    for (const batch of this.#waiting) this.#probeRows(batch, out);
    this.#waiting = [];
    // A loaded side is not the stream's: its unmatched rows would come out again in every epoch.
    if (this.#spec.load !== undefined) return;
    if (this.#preserves(this.#spec.build)) {
      const left = (this.#built?.all ?? []).filter((b) => !b.matched);
      this.#emit(
        left.map((b) => this.#alone(this.#spec.build, b.row)),
        out,
      );
    }
    this.#built = undefined;
  }
}

const empty = (): Built => ({ all: [], byKey: new Map(), nullKeys: [] });

export const staticJoinKind: OperatorKind<StaticJoinSpec> = {
  kind: "staticJoin",
  stateful: false,
  create: (spec, inputs, output) => new StaticJoin(spec, inputs, output),
  describe: (spec) => {
    const keys = spec.leftKeys.map(
      (k, i) =>
        `${formatExpr(k)} ${spec.nullSafe?.[i] === true ? "<=>" : "="} ${formatExpr(spec.rightKeys[i]!)}`,
    );
    const condition = spec.condition === undefined ? "" : ` on ${formatExpr(spec.condition)}`;
    return `${keys.length === 0 ? "NestedLoopJoin" : "HashJoin"} ${spec.how}${spec.nullAware === true ? " null-aware" : ""} build ${spec.build} [${keys.join(", ")}]${condition}`;
  },
  stateFingerprint: () => "",
};
