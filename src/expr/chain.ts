/**
 * A chain of filters and projections by the row interpreter: for a row that failed in a compiled loop (`onError: "skip"`, where in the text it went wrong) and for tests.
 * The conjuncts of a filter are tests of their own, as in the compiler (compile.ts K4).
 */
import type { Batch } from "../core/batch.ts";
import { ExecutionError } from "../core/errors.ts";
import type { Row } from "../core/value.ts";
import { valueAt } from "../core/vector.ts";
import type { TypedExpr } from "./ast.ts";
import type { CalcStep, EvaluationContext } from "./contract.ts";
import { interpret } from "./interpret.ts";

/** The parts of a conjunction, in order. */
export const conjuncts = (e: TypedExpr): readonly TypedExpr[] =>
  e.kind === "call" && e.fn === "and" ? e.args.flatMap(conjuncts) : [e];

/** One row through a chain; undefined when a filter drops it. Throws ExecutionError. */
export const interpretChain = (
  steps: readonly CalcStep[],
  row: Row,
  context: EvaluationContext,
): Row | undefined => {
  let at = row;
  for (const step of steps) {
    const current = at;
    if (step.kind === "project") at = step.exprs.map((e) => interpret(e, current, context));
    else if (!conjuncts(step.condition).every((c) => interpret(c, current, context) === true))
      return undefined;
  }
  return at;
};

/** The physical row of a batch. */
export const rowAt = (batch: Batch, i: number): Row => batch.columns.map((v) => valueAt(v, i));

/**
 * The error of the first row that fails, which names its place in the text; the given one when no row fails again. For the error path only: it runs the batch
 * row by row.
 */
export const locateFailure = (
  error: ExecutionError,
  steps: readonly CalcStep[],
  batch: Batch,
  context: EvaluationContext,
): ExecutionError => {
  const n = batch.selection?.length ?? batch.length;
  for (let k = 0; k < n; k++) {
    try {
      interpretChain(steps, rowAt(batch, batch.selection === undefined ? k : batch.selection[k]!), context);
    } catch (e) {
      return e instanceof ExecutionError && e.errorClass === error.errorClass ? e : error;
    }
  }
  return error;
};
