/**
 * Typing of expressions inside an operator: columns, `:parameters`, subqueries, time windows, aggregates and window functions are resolved
 * here; everything else by src/expr/typing.ts.
 */
import { typeName } from "../core/data-type.ts";
import type { Expr, SourcePosition, TypedExpr } from "../expr/ast.ts";
import type { ResolvedColumn, Scope } from "../expr/scope.ts";
import { lookupFunction } from "../expr/registry.ts";
import { typeCondition, typeExpr } from "../expr/typing.ts";
import { type Analysis, fail, type Names } from "./analyse-context.ts";
import { generatorNamed, isAggregateCall, windowFunctionNamed } from "./analyse-functions.ts";
import { someExpr } from "./analyse-items.ts";
import { candidateNames, type ColumnMatch, resolveColumn, type Visible } from "./analyse-names.ts";
import type { TimeWindows } from "./analyse-time-window.ts";
import { inlinedCall } from "./sql-functions.ts";
import { variableOf } from "./variables.ts";
import { some } from "./typed.ts";

type Call = Extract<Expr, { kind: "call" }>;

/** What makes a column of a subquery inside an expression. */
export interface SubqueryValues {
  readonly resolve: (e: Extract<Expr, { kind: "subquery" }>, env: Env) => TypedExpr;
}

/** Where an expression stands: what it may name and which special calls it may hold. */
export interface Env {
  readonly analysis: Analysis;
  readonly names: Names;
  readonly visible: Visible;
  /** The clause, for messages: "WHERE", "GROUP BY". */
  readonly clause: string;
  /** Names looked up when no column matches: lateral aliases. */
  readonly alias?: (
    parts: readonly string[],
    position: SourcePosition | undefined,
  ) => ColumnMatch | undefined;
  /** Names looked up before the columns: the select list's, in ORDER BY. */
  readonly first?: (
    parts: readonly string[],
    position: SourcePosition | undefined,
  ) => ColumnMatch | undefined;
  /** What an unresolved name may have meant, where that is not `visible`. */
  readonly proposed?: Visible;
  readonly aggregate?: (call: Call, env: Env) => TypedExpr;
  readonly over?: (e: Extract<Expr, { kind: "over" }>, env: Env) => TypedExpr;
  /** Calls with a meaning only here: `grouping(k)`. */
  readonly call?: (call: Call, env: Env) => TypedExpr | undefined;
  /** The alias of the item that is typed, for the columns it makes. */
  readonly label?: string;
  readonly timeWindows?: TimeWindows;
  readonly subqueries?: SubqueryValues;
}

/** Types and coerces `e`. Throws AnalysisError with Spark's class and the position. */
export const typeIn = (env: Env, e: Expr): TypedExpr => typeExpr(e, scopeOf(env));

const scopeOf = (env: Env): Scope => ({
  timeZone: env.analysis.options.timeZone,
  column: (parts, position) => column(env, parts, position),
  candidates: () => candidateNames(env.proposed ?? env.visible),
  userFunction: (name) => env.analysis.catalog.function(name),
  inlined: (call, typed, inLambda) => inlinedCall(env, call, typed, typeIn, inLambda),
  special: (x) => special(env, x),
});

const special = (env: Env, e: Expr): TypedExpr | undefined => {
  switch (e.kind) {
    case "call":
      return specialCall(env, e);
    case "over":
      return env.over === undefined
        ? fail(
            windowRefusal(env.clause),
            `A window function cannot stand in ${env.clause}.`,
            e.position,
            "compute it in a subquery",
          )
        : env.over(e, env);
    case "subquery":
      return env.subqueries === undefined
        ? fail(
            "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY",
            `A subquery cannot stand in ${env.clause}.`,
            e.position,
          )
        : env.subqueries.resolve(e, env);
    case "parameter":
      return parameter(env, e.name, e.position);
    case "column":
      return groupingId(env, e);
    case "star":
      return fail("INVALID_USAGE_OF_STAR_OR_REGEX", `Invalid usage of '*' in ${env.clause}.`, e.position);
    default:
      return undefined;
  }
};

/** `grouping__id`, where no column has the name and rows are grouped by sets. */
const groupingId = (env: Env, e: Extract<Expr, { kind: "column" }>): TypedExpr | undefined =>
  env.call !== undefined && e.parts.length === 1 && e.parts[0]!.toLowerCase() === "grouping__id"
    ? ownColumn(env, e.parts, e.position) === undefined
      ? env.call(
          { kind: "call", fn: "grouping_id", args: [], ...(e.position && { position: e.position }) },
          env,
        )
      : undefined
    : undefined;

/** Spark's class for a window function where none may stand. */
const windowRefusal = (clause: string): string => {
  if (clause === "WHERE" || clause === "HAVING") return "WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE";
  if (clause === "FILTER") return "INVALID_AGGREGATE_FILTER.CONTAINS_WINDOW_FUNCTION";
  return clause === "an aggregate function" ? "_LEGACY_ERROR_TEMP_1031" : "UNSUPPORTED_EXPR_FOR_OPERATOR";
};

const parameter = (env: Env, name: string, position: SourcePosition | undefined): TypedExpr => {
  const values = env.analysis.options.parameters;
  const value = values !== undefined && Object.hasOwn(values, name) ? values[name] : undefined;
  if (value === undefined)
    return fail(
      "UNBOUND_SQL_PARAMETER",
      `Found the unbound parameter: ${name}. Please, fix \`args\` and provide a mapping of the parameter to either a SQL literal or collection constructor functions such as \`map()\`, \`array()\`, \`struct()\`.`,
      position,
    );
  return typeIn(env, value);
};

const specialCall = (env: Env, written: Call): TypedExpr | undefined => {
  const e = env.analysis.userAggregate(written) as Call;
  if (e.udf !== undefined && !isAggregateCall(e)) return undefined;
  const fn = e.fn.toLowerCase();
  const timed = env.timeWindows?.resolve(e, (x) => typeIn(env, x));
  if (timed !== undefined) return timed;
  if (fn === "session_window")
    return fail(
      "UNSUPPORTED_EXPR_FOR_OPERATOR",
      `session_window(…) is a grouping key and cannot stand in ${env.clause}.`,
      e.position,
      "put it into GROUP BY",
    );
  const [only] = e.args;
  if (fn === "not" && only?.kind === "subquery" && only.mode === "in" && env.subqueries !== undefined)
    return env.subqueries.resolve({ ...only, negated: !only.negated }, env);
  const lambdas = e.args.some((x) => x.kind === "lambda") && env.analysis.options.compatibility === "spark";
  if (lambdas && someExpr(e, (x) => x.kind === "subquery"))
    return fail(
      "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.HIGHER_ORDER_FUNCTION",
      "Subquery expressions are not supported within higher-order functions.",
      e.position,
    );
  const own = env.call?.(e, env);
  if (own !== undefined) return own;
  if (fn === "window_time") refuseOwnWindow(env, e);
  if (isAggregateCall(e)) return env.aggregate === undefined ? noAggregate(env, e) : env.aggregate(e, env);
  refuseDecorations(e, fn);
  if (windowFunctionNamed(fn))
    return fail(
      "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE",
      `Window function "${fn.toUpperCase()}()" requires an OVER clause.`,
      e.position,
    );
  if (generatorNamed(fn))
    return fail(
      ["WHERE", "HAVING", "ORDER BY", "a join condition"].includes(env.clause)
        ? "UNSUPPORTED_GENERATOR.OUTSIDE_SELECT"
        : "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS",
      `The generator is not supported: nested in expressions "${fn}(…)".`,
      e.position,
      "a generator must be a whole item of SELECT, or stand in LATERAL VIEW",
    );
  return undefined;
};

/** Spark computes window_time below the aggregate, where its own window is no key yet. */
const refuseOwnWindow = (env: Env, e: Call): void => {
  const made = env.timeWindows?.attribute;
  const [window] = e.args;
  if (made === undefined || window === undefined || env.analysis.options.compatibility !== "spark") return;
  const typed = typeIn(env, window);
  if (env.clause === "SELECT" && typed.kind === "attribute" && typed.id === made.id)
    fail(
      "MISSING_AGGREGATION",
      'The non-aggregating expression "window_time(window)" is based on columns which are not participating in the GROUP BY clause.',
      e.position,
      "take window_time in a query around this one",
    );
};

/** A scalar function takes no DISTINCT, FILTER or IGNORE NULLS. */
const refuseDecorations = (e: Call, fn: string): void => {
  const part =
    e.distinct === true
      ? "DISTINCT"
      : e.filter !== undefined
        ? "FILTER clause"
        : e.ignoreNulls === true
          ? "IGNORE NULLS"
          : undefined;
  if (part !== undefined && lookupFunction(fn) !== undefined)
    fail(
      "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX",
      `The function \`${fn}\` does not support ${part}.`,
      e.position,
    );
};

/** Whether the call names a column of this query itself. */
export const usesOwnColumn = (env: Env, e: Call): boolean =>
  someExpr(e, (x) => x.kind === "column" && ownColumn(env, x.parts, x.position) !== undefined);

const noAggregate = (env: Env, e: Call): TypedExpr => {
  const around = usesOwnColumn(env, e) ? undefined : env.names.outer?.aggregate?.(e);
  if (around !== undefined) return around;
  const text = `${e.fn}(…)`;
  if (env.clause === "WHERE")
    return fail(
      "INVALID_WHERE_CONDITION",
      `The WHERE condition contains the invalid expression: ${text}. Rewrite the query to avoid window functions, aggregate functions, and generator functions in the WHERE clause.`,
      e.position,
      "use HAVING",
    );
  if (env.clause === "GROUP BY")
    return fail(
      "GROUP_BY_AGGREGATE",
      `Aggregate functions are not allowed in GROUP BY, but found ${text}.`,
      e.position,
    );
  if (env.clause === "FILTER")
    return fail(
      "INVALID_AGGREGATE_FILTER.CONTAINS_AGGREGATE",
      `The FILTER expression in an aggregate function is invalid: it contains the aggregate ${text}.`,
      e.position,
    );
  if (env.clause === "an aggregate function")
    return fail(
      "NESTED_AGGREGATE_FUNCTION",
      "It is not allowed to use an aggregate function in the argument of another aggregate function. Please use the inner aggregate function in a sub-query.",
      e.position,
    );
  return fail(
    "UNSUPPORTED_EXPR_FOR_OPERATOR",
    `The aggregate function ${text} cannot stand in ${env.clause}.`,
    e.position,
  );
};

/** The column of this query, without those of the queries around. */
export const ownColumn = (
  env: Env,
  parts: readonly string[],
  position: SourcePosition | undefined,
): ColumnMatch | undefined =>
  env.first?.(parts, position) ?? resolveColumn(env.visible, parts, position) ?? env.alias?.(parts, position);

const column = (
  env: Env,
  parts: readonly string[],
  position: SourcePosition | undefined,
): ResolvedColumn | undefined => {
  const match = ownColumn(env, parts, position);
  if (match !== undefined) return { expr: match.base, rest: match.rest };
  return env.names.outer?.resolve(parts, position) ?? variableOf(env.analysis.catalog, parts);
};

/** A join's condition: boolean and no bare NULL, or JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE. */
export const joinConditionIn = (env: Env, e: Expr): TypedExpr => {
  const typed = typeIn(env, e);
  if (env.analysis.options.compatibility === "spark") refuseWindows(typed, e.position);
  if (typed.type.kind === "boolean") return typed;
  return fail(
    "JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE",
    `The join condition has the type "${typeName(typed.type).toUpperCase()}"; it must be boolean.`,
    e.position,
  );
};

/** Spark resolves window(…) in operators of one input only: a join with one has no columns. */
const refuseWindows = (condition: TypedExpr, position: SourcePosition | undefined): void => {
  if (!some(condition, (x) => x.kind === "call" && x.fn === "window")) return;
  fail(
    "UNRESOLVED_COLUMN.WITH_SUGGESTION",
    "window(…) in a join condition cannot be resolved, nor can the columns of the join.",
    position,
    'compute the window in a subquery on each side, or set compatibility to "extended"',
  );
};

/** A condition: boolean, or DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN. */
export const conditionIn = (env: Env, e: Expr): TypedExpr => {
  const bare = e.kind === "literal" && e.value === null && env.clause === "WHERE";
  if (bare && env.analysis.options.compatibility === "spark")
    return fail(
      "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN",
      'The filter expression "NULL" of type "VOID" is not a boolean.',
      e.position,
    );
  return typeCondition(e, scopeOf(env));
};
