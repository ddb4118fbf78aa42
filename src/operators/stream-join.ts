/**
 * Stream-stream join: a symmetric hash join on equal keys plus any condition; port 0 is the left side. Semantics: Spark's.
 *
 *  - Each side keeps its rows; a row of one side meets the kept rows of the other, so every pair is found once, whichever comes first.
 *  - A side with `late` drops rows whose time is <= the late watermark. At the end of an epoch a side forgets rows that the watermark evicts; an
 *    unmatched one of a preserved side comes out with nulls then (anti: comes out then).
 *  - A row that fails what the condition says about its own side alone can never match: it is not kept, and comes out at once where it is preserved.
 *  - Null keys match nothing, except that a full join takes null = null, as Spark does (the other joins filter null keys before).
 *  - "anti" between streams is an extension.
 */
import { type Batch, batchFromRows, rowCount, rowsOf } from "../core/batch.ts";
import { JOIN_PAIRS_MAX } from "../core/limits.ts";
import type { Schema } from "../core/schema.ts";
import type { Row, Value } from "../core/value.ts";
import type { Vector } from "../core/vector.ts";
import type { TypedExpr } from "../expr/ast.ts";
import { compileExprs } from "../expr/compile.ts";
import { formatExpr, keyTypesText } from "./expr-text.ts";
import { compileAll, compilePairs, splitCondition } from "./join-condition.ts";
import { type JoinRow, JoinState, type StoredJoinRow } from "./join-state.ts";
import type {
  EpochContext,
  Operator,
  OperatorContext,
  OperatorKind,
  OperatorMetrics,
  Output,
} from "./operator.ts";
import { OperatorCounts } from "./operator-counts.ts";
import { KeyEncoder, type RowKeys } from "./row-keys.ts";
import { keepRows, overRows } from "./row-errors.ts";
import { type EventTimeForm, notLate, timesOf } from "./watermark-time.ts";

/** When a side forgets a row: never; when the time of an equality key, or of an expression minus `offsetMs`, is <= watermark. */
export type JoinEviction =
  | { readonly kind: "never" }
  | { readonly kind: "key"; readonly key: number; readonly form: EventTimeForm }
  | {
      readonly kind: "value";
      readonly expr: TypedExpr;
      readonly form: EventTimeForm;
      /** State watermark = watermark + offsetMs. */
      readonly offsetMs: number;
    };

export interface JoinSide {
  /** Bound to this side's input. */
  readonly keys: readonly TypedExpr[];
  readonly late: { readonly expr: TypedExpr; readonly form: EventTimeForm } | undefined;
  readonly evict: JoinEviction;
}

export interface StreamJoinSpec {
  readonly how: "inner" | "left" | "right" | "full" | "semi" | "anti";
  readonly left: JoinSide;
  readonly right: JoinSide;
  readonly routeBy?: readonly number[];
  /** Keys compared by <=>; all false when absent. */
  readonly nullSafe?: readonly boolean[];
  /** Beyond equality of keys; bound to left ++ right. */
  readonly condition: TypedExpr | undefined;
}

interface Side {
  readonly spec: JoinSide;
  readonly isLeft: boolean;
  /** Unmatched rows come out. */
  readonly preserved: boolean;
  readonly state: JoinState;
  readonly evaluate: ReturnType<typeof compileExprs>;
  readonly preFilter: ReturnType<typeof compileAll>;
  readonly encoder: KeyEncoder;
}

interface Evaluated {
  /** Keys, then the evicting and the late expression where the side has them. */
  readonly vectors: readonly Vector[];
  /** What the condition says about the row alone. */
  readonly passes: Uint8Array | undefined;
}

/** One row on its way through the join, with the kept rows of the other side that its key meets. */
interface Probe {
  readonly row: Row;
  readonly index: number;
  readonly candidates: readonly JoinRow[];
}

class StreamJoin implements Operator {
  readonly #spec: StreamJoinSpec;
  readonly #inputs: readonly Schema[];
  readonly #output: Schema;
  readonly #counts = new OperatorCounts();
  readonly #pairs: ReturnType<typeof compilePairs>;
  #sides!: readonly [Side, Side];
  #context!: OperatorContext;
  #epoch!: EpochContext;
  #results: Row[] = [];

  constructor(spec: StreamJoinSpec, inputs: readonly Schema[], output: Schema) {
    this.#spec = spec;
    this.#inputs = inputs;
    this.#output = output;
    const split = splitCondition(spec.condition, inputs[0]!.fields.length);
    this.#pairs = compilePairs(split.both, inputs[0]!, inputs[1]!);
  }

  open(context: OperatorContext): void {
    this.#context = context;
    const { how, left, right, routeBy, condition } = this.#spec;
    const split = splitCondition(condition, this.#inputs[0]!.fields.length);
    const side = (isLeft: boolean): Side => {
      const spec = isLeft ? left : right;
      const extra = spec.evict.kind === "value" ? [spec.evict.expr] : [];
      const late = spec.late === undefined ? [] : [spec.late.expr];
      return {
        spec,
        isLeft,
        preserved: how === "full" || how === (isLeft ? "left" : "right") || (isLeft && how === "anti"),
        state: new JoinState(context.tables.keyed<StoredJoinRow>(isLeft ? "left" : "right")),
        evaluate: compileExprs([...spec.keys, ...extra, ...late]),
        preFilter: compileAll(isLeft ? split.left : split.right),
        encoder: new KeyEncoder(
          spec.keys.map((k) => k.type),
          routeBy,
        ),
      };
    };
    this.#sides = [side(true), side(false)];
  }

  restored(): void {
    for (const s of this.#sides) s.state.restore();
  }

  begin(epoch: EpochContext): void {
    this.#epoch = epoch;
  }

  process(batch: Batch, port: number, out: Output): void {
    const side = this.#sides[port]!;
    const run = (b: Batch): { readonly batch: Batch; readonly result: Evaluated } =>
      overRows(b, this.#context.onRowError, (x) => ({
        vectors: side.evaluate(x, this.#epoch),
        passes: side.preFilter(x, rowCount(x), this.#epoch),
      }));
    let { batch: rows, result } = run(batch);
    const { late } = side.spec;
    if (late !== undefined && !this.#epoch.final) {
      const mask = notLate(result.vectors.at(-1)!, rowCount(rows), late.form, this.#epoch.lateWatermarkMs);
      if (mask !== undefined) {
        // Late rows of a join are counted only: the two sides have no schema in common for `late()`.
        this.#counts.late(mask.reduce((sum, m) => sum + 1 - m, 0));
        ({ batch: rows, result } = run(keepRows(rows, mask)));
      }
    }
    this.#join(side, rows, result);
    this.#emit(out);
  }

  #join(side: Side, batch: Batch, { vectors, passes }: Evaluated): void {
    const n = rowCount(batch);
    if (n === 0) return;
    const other = this.#sides[side.isLeft ? 1 : 0];
    const keyed = side.encoder.encode(vectors.slice(0, side.spec.keys.length), n);
    const evictAt = this.#evictTimes(side, vectors, n);
    const nulls = this.#strictKeys(side, vectors);
    const rows = rowsOf(batch);
    let probes: Probe[] = [];
    let pairs = 0;
    for (let i = 0; i < n; i++) {
      const unmatchable = nulls.some((v) => v.nulls![i] === 1);
      if (passes !== undefined && passes[i] === 0) {
        // Kept in order with the rows before it.
        this.#settle(side, probes, keyed, evictAt);
        probes = [];
        pairs = 0;
        if (side.preserved) this.#results.push(this.#alone(side, rows[i]!));
        continue;
      }
      if (unmatchable && !side.preserved) continue;
      const candidates = unmatchable ? [] : other.state.of(keyed.keys[i]!);
      probes.push({ row: rows[i]!, index: i, candidates });
      pairs += candidates.length;
      if (pairs < JOIN_PAIRS_MAX) continue;
      this.#settle(side, probes, keyed, evictAt);
      probes = [];
      pairs = 0;
    }
    this.#settle(side, probes, keyed, evictAt);
  }

  /** The key vectors whose nulls match nothing. */
  #strictKeys(side: Side, vectors: readonly Vector[]): readonly Vector[] {
    const { how, nullSafe } = this.#spec;
    if (how === "full") return [];
    return vectors
      .slice(0, side.spec.keys.length)
      .filter((v, k) => v.nulls !== undefined && nullSafe?.[k] !== true);
  }

  #evictTimes(side: Side, vectors: readonly Vector[], n: number): Float64Array | undefined {
    const { evict, keys } = side.spec;
    if (evict.kind === "never") return undefined;
    if (evict.kind === "key") return timesOf(vectors[evict.key]!, n, evict.form);
    return timesOf(vectors[keys.length]!, n, evict.form).map((t) => t - evict.offsetMs);
  }

  /** Tests the candidate pairs of the probes in one go, then takes the probes in order. */
  #settle(side: Side, probes: readonly Probe[], keyed: RowKeys, evictAt: Float64Array | undefined): void {
    const mine: Row[] = [];
    const theirs: Row[] = [];
    for (const p of probes)
      for (const c of p.candidates) {
        mine.push(p.row);
        theirs.push(c.row);
      }
    const mask = mine.length === 0 ? undefined : this.#test(side, mine, theirs);
    let at = 0;
    for (const p of probes) {
      const matches = p.candidates.filter(() => mask === undefined || mask[at++] === 1);
      this.#take(side, p, matches, keyed, evictAt?.[p.index] ?? Infinity);
    }
  }

  /** The condition over candidate pairs; when it throws, over each alone, and what throws is no match. */
  #test(side: Side, mine: readonly Row[], theirs: readonly Row[]): Uint8Array | undefined {
    const [lefts, rights] = side.isLeft ? [mine, theirs] : [theirs, mine];
    try {
      return this.#pairs(lefts, rights, this.#epoch);
    } catch {
      return Uint8Array.from(lefts, (left, i) => {
        const right = rights[i]!;
        try {
          return this.#pairs([left], [right], this.#epoch)?.[0] ?? 1;
        } catch (error) {
          this.#context.onRowError(error, () => [...left, ...right]);
          return 0;
        }
      });
    }
  }

  #take(side: Side, probe: Probe, matches: readonly JoinRow[], keyed: RowKeys, evictAt: number): void {
    const other = this.#sides[side.isLeft ? 1 : 0];
    const { how } = this.#spec;
    const matched = matches.length > 0;
    if (how === "semi" || how === "anti") {
      if (how === "semi" && side.isLeft && matched) this.#results.push(probe.row);
      const answered = side.isLeft ? [] : matches.filter((m) => m.alive);
      if (how === "semi") for (const m of answered) this.#results.push(m.row);
      if (answered.length > 0) other.state.remove(answered[0]!.base, answered);
      // A left row that has its answer needs no place in the state any more.
      if (side.isLeft && matched) return;
    } else
      for (const m of matches) {
        this.#results.push(side.isLeft ? [...probe.row, ...m.row] : [...m.row, ...probe.row]);
        if (other.preserved) other.state.markMatched(m);
      }
    side.state.add(
      keyed.keys[probe.index]!,
      keyed.keyGroup(probe.index),
      probe.row,
      evictAt,
      matched && side.preserved,
    );
    this.#counts.updated();
  }

  /** A row without a partner. */
  #alone(side: Side, row: Row): Row {
    if (this.#spec.how === "anti") return row;
    const nulls: Value[] = new Array(this.#inputs[side.isLeft ? 1 : 0]!.fields.length).fill(null);
    return side.isLeft ? [...row, ...nulls] : [...nulls, ...row];
  }

  #emit(out: Output): void {
    if (this.#results.length > 0) out.emit(batchFromRows(this.#output, this.#results));
    this.#results = [];
  }

  end(out: Output): void {
    for (const side of this.#sides) {
      const gone = this.#epoch.final ? side.state.all() : side.state.evict(this.#epoch.watermarkMs);
      this.#counts.removed(this.#epoch.final ? 0 : gone.length);
      if (side.preserved) for (const e of gone) if (!e.matched) this.#results.push(this.#alone(side, e.row));
      this.#emit(out);
    }
    this.#counts.endEpoch();
  }

  metrics(): OperatorMetrics {
    return this.#counts.epoch;
  }
}

const describeEviction = (e: JoinEviction, side: JoinSide): string => {
  if (e.kind === "never") return "never";
  return e.kind === "key"
    ? `${formatExpr(side.keys[e.key]!)} <= watermark`
    : `${formatExpr(e.expr)} <= watermark ${e.offsetMs < 0 ? "-" : "+"} ${Math.abs(e.offsetMs)} ms`;
};

export const streamJoinKind: OperatorKind<StreamJoinSpec> = {
  kind: "streamJoin",
  stateful: true,
  create: (spec, inputs, output) => new StreamJoin(spec, inputs, output),
  describe: (spec) => {
    const keys = spec.left.keys.map((k, i) => `${formatExpr(k)} = ${formatExpr(spec.right.keys[i]!)}`);
    const condition = spec.condition === undefined ? "" : ` on ${formatExpr(spec.condition)}`;
    return `StreamJoin ${spec.how} [${keys.join(", ")}]${condition}, evicts left: ${describeEviction(spec.left.evict, spec.left)}, right: ${describeEviction(spec.right.evict, spec.right)}${spec.how === "anti" ? " (extension)" : ""}`;
  },
  stateFingerprint: (spec) =>
    `join ${spec.how} left=[${keyTypesText(spec.left.keys)}] right=[${keyTypesText(spec.right.keys)}] on ${spec.condition === undefined ? "true" : formatExpr(spec.condition)}`,
  wantsEmptyEpoch: (spec, before, after) =>
    (spec.left.evict.kind !== "never" || spec.right.evict.kind !== "never") && after > before,
};
