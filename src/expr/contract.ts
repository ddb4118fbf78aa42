/**
 * What the rest of the engine asks of src/expr. Function signatures only; each is implemented in the file named beside it.
 */
import type { Batch } from "../core/batch.ts";
import type { DataType } from "../core/data-type.ts";
import type { Schema } from "../core/schema.ts";
import type { Row, Value } from "../core/value.ts";
import type { Vector } from "../core/vector.ts";
import type { AggregateCall, TypedExpr } from "./ast.ts";

/** What an expression may depend on besides its row (law 2): the plan entry's clock and the session's zone. */
export interface EvaluationContext {
  /** `current_timestamp()` in ms: the plan entry's clock. */
  readonly clockMs: number;
  readonly timeZone: string;
  /** The number of the partition that evaluates, from 0 (the default); random functions of partitions differ by it. */
  readonly partition?: number;
}

/** One step of a fused stateless chain. */
export type CalcStep =
  | { readonly kind: "filter"; readonly condition: TypedExpr }
  | { readonly kind: "project"; readonly exprs: readonly TypedExpr[]; readonly names: readonly string[] };

/** src/expr/compile.ts: `compileCalc(input, steps)`: a fused chain of filters and projections as one generated loop. */
export interface CompiledCalc {
  readonly output: Schema;
  readonly run: (batch: Batch, context: EvaluationContext) => Batch;
  /** The generated source, for `explain("codegen")`. */
  readonly source: string;
}
export type CompileCalc = (input: Schema, steps: readonly CalcStep[]) => CompiledCalc;

/** src/expr/compile.ts: `compileExprs(exprs)`: evaluates bound expressions over the live rows; result vectors are dense (one slot a live row). */
export type CompileExprs = (
  exprs: readonly TypedExpr[],
) => (batch: Batch, context: EvaluationContext) => readonly Vector[];

/** src/expr/interpret.ts: `interpret(expr, row, context)`: one row at a time, for tests, constant folding and rare paths. */
export type Interpret = (expr: TypedExpr, row: Row, context: EvaluationContext) => Value;

/**
 * src/expr/aggregates: the state of one aggregate call over many groups. Groups are dense ids given by the caller, which
 * reuses freed ids after `clear`.
 */
export interface Accumulator {
  /** Makes room for groups `0 … groups - 1`. */
  ensure(groups: number): void;
  /**
   * Adds `n` rows: row k belongs to group `groups[k]` and has the argument values `args[…]` at k (dense vectors). Rows whose FILTER is not true are
   * left out by the caller through `mask` (1 = take), absent when all count.
   */
  update(groups: Int32Array, n: number, args: readonly Vector[], mask: Uint8Array | undefined): void;
  /** The group's state as plain msgpack. */
  save(group: number): Value;
  /** Sets the group's state from `save`d bytes. */
  load(group: number, saved: Value): void;
  /** Adds a saved state of the same call to the group's (partial aggregation, sessions, rescale). Deterministic in its order of calls. */
  merge(group: number, saved: Value): void;
  result(group: number): Value;
  /** Empties a group for reuse. */
  clear(group: number): void;
  /** Of states that grow without bound: how to keep what was added instead of all of it. */
  readonly growth?: Growth;
}

/** The states of many groups in a few flat arrays, whole or as changes. */
export interface Growth {
  /** `all` false: what was added to each since it was last taken so; everything, of a group that was loaded or cleared since. Plain msgpack. */
  take(groups: Int32Array, all: boolean): Value;
  /** Brings taken states into `groups[k]` from the row `rows[k]` of those taken; rows ascend. Changes follow what they were made after. */
  apply(groups: Int32Array, rows: Int32Array, taken: Value): void;
  /** Estimated bytes held. */
  bytes(): number;
}
/** src/expr/aggregates/registry.ts */
export type CreateAccumulator = (call: AggregateCall) => Accumulator;

/** src/expr/user-values.ts: values as user code sees them (Date, objects by name, Map; UnsafeIntegerError) and back. */
export type ToUserValue = (value: Value, type: DataType) => unknown;
export type FromUserValue = (value: unknown, type: DataType) => Value;
