/** Join conditions beyond equality of keys: evaluated over candidate pairs in one batch, with what concerns one side alone checked on its rows. */
import { type Batch, batchOf } from "../core/batch.ts";
import type { Schema } from "../core/schema.ts";
import { schemaOf } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import { type Vector, vectorOf } from "../core/vector.ts";
import type { TypedExpr } from "../expr/ast.ts";
import { compileExprs } from "../expr/compile.ts";
import type { EvaluationContext } from "../expr/contract.ts";
import { trueMask } from "./aggregate-calls.ts";

const childrenOf = (e: TypedExpr): readonly TypedExpr[] => {
  switch (e.kind) {
    case "call":
      return e.args;
    case "cast":
    case "field":
      return [e.child];
    case "case":
      return [...e.branches.flat(), e.otherwise];
    case "lambda":
      return [e.body];
    default:
      return [];
  }
};

/** Ordinals of the slots that an expression reads. */
export const slotsOf = (e: TypedExpr, into = new Set<number>()): Set<number> => {
  if (e.kind === "slot") into.add(e.index);
  for (const c of childrenOf(e)) slotsOf(c, into);
  return into;
};

export const conjunctsOf = (e: TypedExpr): readonly TypedExpr[] =>
  e.kind === "call" && e.fn === "and" ? e.args.flatMap(conjunctsOf) : [e];

/** A condition taken apart: what reads the left row only, the right row only, and the rest. Constant parts are in the rest. */
export interface SplitCondition {
  readonly left: readonly TypedExpr[];
  readonly right: readonly TypedExpr[];
  readonly both: readonly TypedExpr[];
}

/** Copies an expression with all slots moved by `by`. */
export const shiftSlots = (e: TypedExpr, by: number): TypedExpr => {
  const shift = (c: TypedExpr): TypedExpr => shiftSlots(c, by);
  switch (e.kind) {
    case "slot":
      return { ...e, index: e.index + by };
    case "call":
      return { ...e, args: e.args.map(shift) };
    case "cast":
    case "field":
      return { ...e, child: shift(e.child) };
    case "case":
      return {
        ...e,
        branches: e.branches.map(([c, v]) => [shift(c), shift(v)] as const),
        otherwise: shift(e.otherwise),
      };
    case "lambda":
      return { ...e, body: shift(e.body) };
    default:
      return e;
  }
};

/** Splits a condition bound to left ++ right; the right part comes out bound to the right input alone. */
export const splitCondition = (condition: TypedExpr | undefined, leftWidth: number): SplitCondition => {
  const parts = { left: [] as TypedExpr[], right: [] as TypedExpr[], both: [] as TypedExpr[] };
  for (const c of condition === undefined ? [] : conjunctsOf(condition)) {
    const slots = [...slotsOf(c)];
    if (slots.length > 0 && slots.every((s) => s < leftWidth)) parts.left.push(c);
    else if (slots.length > 0 && slots.every((s) => s >= leftWidth))
      parts.right.push(shiftSlots(c, -leftWidth));
    else parts.both.push(c);
  }
  return parts;
};

/** Conjuncts over batches: 1 where all are true; undefined where they are everywhere, or there are none. */
export const compileAll = (
  conjuncts: readonly TypedExpr[],
): ((batch: Batch, n: number, context: EvaluationContext) => Uint8Array | undefined) => {
  if (conjuncts.length === 0) return () => undefined;
  const run = compileExprs(conjuncts);
  return (batch, n, context) => {
    let mask: Uint8Array | undefined;
    for (const v of run(batch, context)) {
      const m = trueMask(v, n);
      if (mask === undefined) mask = m;
      else if (m !== undefined) for (let i = 0; i < n; i++) mask[i]! &= m[i]!;
    }
    return mask;
  };
};

/**
 * Which candidate pairs satisfy the conjuncts bound to left ++ right: 1 for those; undefined when all do. `columnOf` makes column i of the pairs; those that
 * nothing reads are not made.
 */
export const compilePairColumns = (
  conjuncts: readonly TypedExpr[],
  left: Schema,
  right: Schema,
): ((columnOf: (i: number) => Vector, n: number, context: EvaluationContext) => Uint8Array | undefined) => {
  const schema = schemaOf([...left.fields, ...right.fields]);
  const used = new Set<number>();
  for (const c of conjuncts) slotsOf(c, used);
  const test = compileAll(conjuncts);
  const absent: Vector = { layout: "any", data: [], nulls: undefined };
  return (columnOf, n, context) => {
    const columns = schema.fields.map((_, i) => (used.has(i) ? columnOf(i) : absent));
    return test(batchOf(schema, n, columns), n, context);
  };
};

/** The same over rows. */
export const compilePairs = (
  conjuncts: readonly TypedExpr[],
  left: Schema,
  right: Schema,
): ((
  lefts: readonly Row[],
  rights: readonly Row[],
  context: EvaluationContext,
) => Uint8Array | undefined) => {
  const fields = [...left.fields, ...right.fields];
  const width = left.fields.length;
  const test = compilePairColumns(conjuncts, left, right);
  return (lefts, rights, context) => {
    const columnOf = (i: number): Vector => {
      const [rows, at] = i < width ? [lefts, i] : [rights, i - width];
      return vectorOf(
        fields[i]!.type,
        rows.map((r) => r[at]!),
      );
    };
    return test(columnOf, lefts.length, context);
  };
};
