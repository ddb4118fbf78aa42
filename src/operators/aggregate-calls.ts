/** Feeding accumulators from batches: argument, order and filter columns of all calls of one aggregate, evaluated in one pass. */
import type { Batch } from "../core/batch.ts";
import type { Vector } from "../core/vector.ts";
import { createAccumulator } from "../expr/aggregates/registry.ts";
import type { AggregateCall, TypedExpr } from "../expr/ast.ts";
import { compileExprs } from "../expr/compile.ts";
import type { Accumulator, EvaluationContext } from "../expr/contract.ts";

/** 1 where a boolean vector is true; undefined when it is true everywhere. */
export const trueMask = (v: Vector, n: number): Uint8Array | undefined => {
  const mask = new Uint8Array(n);
  const data = v.data as Uint8Array;
  let all = 1;
  for (let i = 0; i < n; i++) all &= mask[i] = v.nulls?.[i] === 1 ? 0 : data[i]!;
  return all === 1 ? undefined : mask;
};

export interface EvaluatedCalls {
  readonly keys: readonly Vector[];
  /** One per call: its arguments, then the expressions of its ORDER BY. */
  readonly args: readonly (readonly Vector[])[];
  readonly filters: readonly (Vector | undefined)[];
}

/** Evaluates keys and all that the calls need. */
export const compileCalls = (
  keys: readonly TypedExpr[],
  calls: readonly AggregateCall[],
): ((batch: Batch, context: EvaluationContext) => EvaluatedCalls) => {
  const exprs: TypedExpr[] = [...keys];
  const at = calls.map((c) => {
    const args = [...c.args, ...c.orderBy.map((o) => o.expr)].map((e) => exprs.push(e) - 1);
    const filter = c.filter === undefined ? undefined : exprs.push(c.filter) - 1;
    return { args, filter };
  });
  const run = compileExprs(exprs);
  return (batch, context) => {
    const vectors = run(batch, context);
    return {
      keys: vectors.slice(0, keys.length),
      args: at.map((c) => c.args.map((i) => vectors[i]!)),
      filters: at.map((c) => (c.filter === undefined ? undefined : vectors[c.filter]!)),
    };
  };
};

export const accumulatorsOf = (calls: readonly AggregateCall[]): Accumulator[] =>
  calls.map(createAccumulator);

/** Adds `n` evaluated rows to the groups `groups`. */
export const updateAll = (
  accumulators: readonly Accumulator[],
  rows: EvaluatedCalls,
  groups: Int32Array,
  n: number,
): void => {
  // Equal filters are one vector.
  const masks = new Map<Vector, Uint8Array | undefined>();
  accumulators.forEach((a, i) => {
    const filter = rows.filters[i];
    if (filter !== undefined && !masks.has(filter)) masks.set(filter, trueMask(filter, n));
    a.update(groups, n, rows.args[i]!, filter === undefined ? undefined : masks.get(filter));
  });
};
