/**
 * The operator contract: one file per operator, one test of the same name, one line in `registry.ts`.
 *
 * A physical plan holds operators as plain data (`OperatorNode`); a kind makes the running `Operator` of a node, once per
 * actor. Operators are plain synchronous code over batches. They know nothing of frames, mailboxes, commits or brokers.
 *
 * Invariants.
 *  O1 what an operator emits in an epoch is a function of its tables after the epoch before, the epoch's context and
 *     the rows processed in order; not of batch boundaries, clocks, memory or table layout (law 2).
 *  O2 what must survive lives in registered tables; all else is rebuilt by `open` and `begin`.
 *  O3 rows below `lateWatermarkMs` are late; what `watermarkMs` closes is emitted in `end` (law 12).
 */
import type { Batch } from "../core/batch.ts";
import type { Clock } from "../core/clock.ts";
import type { Schema } from "../core/schema.ts";
import type { EvaluationContext } from "../expr/contract.ts";
import type { DataType } from "../core/data-type.ts";
import type { Row } from "../core/value.ts";
import type { TableRegistry } from "../state/table.ts";

export interface EpochContext extends EvaluationContext {
  readonly epoch: number;
  /** In(e-1) of this operator: rows with an event time below are late. 0 in the first epochs. */
  readonly lateWatermarkMs: number;
  /** In(e) of this operator: what it closes is emitted at the end of this epoch. */
  readonly watermarkMs: number;
  /** True in a batch run and in the last epoch of nothing: every window closes. */
  readonly final: boolean;
}

export interface OperatorContext {
  readonly tables: TableRegistry;
  readonly partition: number;
  readonly partitions: number;
  /** Whether this actor owns a key group. */
  readonly ownsKeyGroup: (group: number) => boolean;
  readonly onRowError: (error: unknown, row: () => unknown) => void;
  /** For waiting only (timeouts and pauses of `mapAsync`); what is emitted never depends on it. */
  readonly clock?: Clock;
}

/** Where an operator hands its result batches; they reach the next operator after `process`/`end` returns. */
export interface Output {
  emit(batch: Batch): void;
  /** Rows refused as late: counted, and sent to the `late()` output when the query has one. */
  late(batch: Batch): void;
}

export interface OperatorMetrics {
  readonly rowsUpdated: number;
  readonly rowsRemoved: number;
  readonly rowsDroppedByWatermark: number;
}

export interface Operator {
  /** Registers tables and prepares. Called once, before tables are loaded. */
  open?(context: OperatorContext): void;
  /** Called once after the tables are loaded: rebuild what is derived from them. */
  restored?(): void;
  /** A new epoch begins; its context holds until `end`. */
  begin?(epoch: EpochContext): void;
  /** Rows of input `port`. A promise only where a row must wait for something outside (lookups). */
  process(batch: Batch, port: number, out: Output): void | Promise<void>;
  /** All rows of the epoch are in. */
  end?(out: Output): void | Promise<void>;
  /** Counts of the epoch just ended, for progress and metrics. */
  metrics?(): OperatorMetrics;
  /**
   * What the state has for a key, as values of user code; undefined when it has nothing. Only ever asked of an operator that was filled to be asked: it may
   * change its tables.
   */
  lookUp?(key: Row): Readonly<Record<string, unknown>> | undefined;
  close?(): void | Promise<void>;
}

/** The keys by which the state of an operator is addressed. */
export interface StateKeys {
  readonly names: readonly string[];
  readonly types: readonly DataType[];
  /** Ordinals of those whose hash says which partition has a key. */
  readonly routeBy: readonly number[];
}

/** The watermark operator: it sees event times pass. */
export interface WatermarkObserver extends Operator {
  /** Largest event time (ms) of the rows processed since the last call; undefined when there was none. */
  takeMaximum(): number | undefined;
  /** Over the epoch so far; undefined while it has no event time. */
  statistics(): EventTimeStatistics | undefined;
}

/** Milliseconds. */
export interface EventTimeStatistics {
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly count: number;
}

export const isWatermarkObserver = (o: Operator): o is WatermarkObserver => "takeMaximum" in o;

/** An operator in a physical plan: frozen plain data (user functions excepted), the input to explain and fingerprint. */
export interface OperatorNode<Spec = unknown> {
  /** Unique within the plan, stable for the same plan: names tables, metrics and errors. */
  readonly id: string;
  readonly kind: string;
  readonly spec: Spec;
  readonly output: Schema;
  /** One per port. */
  readonly inputs: readonly (OperatorNode | StageInput)[];
  /** In = base watermark minus this (time-range joins hold back what is behind them), never below 0. */
  readonly watermarkDelayMs: number;
  /** In is never above this; no bound when absent. */
  readonly watermarkCapMs?: number;
}

/** In of a node, of the base watermark: held back, capped, never below 0. */
export const watermarkAt = (n: OperatorNode, baseMs: number): number =>
  Math.max(0, Math.min(baseMs - n.watermarkDelayMs, n.watermarkCapMs ?? Infinity));

/** The leaf of a stage's tree: rows of the edge `edge`, or of the stage's source when `edge` is "source". */
export interface StageInput {
  readonly kind: "input";
  readonly edge: string;
  readonly output: Schema;
  /** Ordinals of these columns among those that arrive; all in their order when absent. */
  readonly columns?: readonly number[];
}

/** A kind of operator. */
export interface OperatorKind<Spec> {
  readonly kind: string;
  readonly stateful: boolean;
  create(spec: Spec, inputs: readonly Schema[], output: Schema): Operator;
  /** One line for explain(): deterministic, no ids of attributes. */
  describe(spec: Spec): string;
  /** What of the spec decides the state's format and meaning; "" when stateless. Two nodes with the same text can share a checkpoint. */
  stateFingerprint(spec: Spec): string;
  /**
   * Whether an epoch without data must be planned because the base watermark moved from `before` to `after` (both already
   * minus the node's delay).
   */
  wantsEmptyEpoch?(spec: Spec, before: number, after: number): boolean;
  /** The same for processing-time timers: the clock moved from the newest epoch's to now. */
  wantsTimerEpoch?(spec: Spec, beforeMs: number, nowMs: number): boolean;
  /** How the state is addressed; undefined for specs whose operators keep none. Absent: `lookUp` is not there. */
  stateKeys?(spec: Spec, output: Schema): StateKeys | undefined;
}

export const isStageInput = (n: OperatorNode | StageInput): n is StageInput => n.kind === "input";
