/** How an object of the API is known to hold an expression: a symbol, so that columns may have any name. */
import { AnalysisError } from "../core/errors.ts";
import type { Expr, SortOrder } from "../expr/ast.ts";

export const NODE: unique symbol = Symbol("millrace.node");
export const AGGREGATE_NODE: unique symbol = Symbol("millrace.aggregate");
export const SORT_NODE: unique symbol = Symbol("millrace.sort");

const held = (x: unknown, symbol: symbol): unknown =>
  (typeof x === "object" && x !== null) || typeof x === "function"
    ? (x as Record<symbol, unknown>)[symbol]
    : undefined;

export const isExpression = (x: unknown): boolean => held(x, NODE) !== undefined;
export const isAggregate = (x: unknown): boolean => held(x, AGGREGATE_NODE) !== undefined;

const describe = (x: unknown): string =>
  x === null ? "null" : Array.isArray(x) ? "an array" : x instanceof Promise ? "a Promise" : `a ${typeof x}`;

/** The expression behind a column of the API. Throws AnalysisError for anything else. */
export const nodeOf = (x: unknown, where = "here"): Expr => {
  const node = held(x, NODE);
  if (node !== undefined) return node as Expr;
  if (isAggregate(x))
    throw new AnalysisError(`an aggregate cannot stand ${where}; aggregates go into groupBy(…).agg(…)`, {
      errorClass: "GROUP_BY_AGGREGATE",
    });
  throw new AnalysisError(`a column expression is due ${where}, not ${describe(x)}`, {
    hint: "build it from the columns of the callback: c => c.price.gt(10)",
  });
};

/** The expression of an aggregate, or of an ordinary expression. */
export const aggregateOf = (x: unknown, where: string): Expr =>
  (held(x, AGGREGATE_NODE) as Expr | undefined) ?? nodeOf(x, where);

/** A sort key: `c.x.desc()`, or a column, ascending. */
export const orderOf = (x: unknown, where: string): SortOrder<Expr> =>
  (held(x, SORT_NODE) as SortOrder<Expr> | undefined) ?? {
    expr: nodeOf(x, where),
    descending: false,
    nullsFirst: true,
  };
