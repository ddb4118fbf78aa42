/** What the analyser asks of the registries of functions. Names are lower case. */
import type { AggregateCall, Expr, SortOrder, TypedExpr, UserFunction, WindowFrame } from "../expr/ast.ts";
import { aggregateDefinition } from "../expr/aggregates/registry.ts";
import { checkWindow, checkWithinGroup, unsupportedWithin } from "../expr/aggregates/within-group.ts";
import { fold } from "../expr/fold.ts";
import type { CallSite } from "../expr/function.ts";
import { generatorDefinition } from "../expr/generators.ts";
import { userArguments } from "../expr/user-arguments.ts";
import { lookupFunction } from "../expr/registry.ts";
import { type WindowFunctionDefinition, windowFunctionDefinition } from "../expr/window-functions.ts";
import { fail } from "./analyse-context.ts";

type Call = Extract<Expr, { kind: "call" }>;

export const aggregateNamed = (fn: string): boolean => aggregateDefinition(fn) !== undefined;
/** Calls that aggregate: of the registry, or the user's. */
export const isAggregateCall = (x: Expr): boolean =>
  x.kind === "call" &&
  (x.udf === undefined ? aggregateNamed(x.fn.toLowerCase()) : x.udf.aggregate !== undefined);
export const generatorNamed = (fn: string): boolean => generatorDefinition(fn) !== undefined;
export const windowFunctionNamed = (fn: string): boolean => windowFunctionDefinition(fn) !== undefined;

export const siteOf = (fn: string, timeZone: string, e: Expr): CallSite => ({
  fn,
  timeZone,
  position: e.position,
  fold: (x) => fold(x, timeZone),
});

export interface CallParts {
  readonly distinct: boolean;
  readonly filter: TypedExpr | undefined;
  readonly orderBy: readonly SortOrder<TypedExpr>[];
  readonly ignoreNulls: boolean;
  readonly timeZone: string;
}

/** The aggregate's own name, arguments coerced. Throws as its type rule does. */
export const resolveAggregate = (e: Call, args: readonly TypedExpr[], parts: CallParts): AggregateCall => {
  if (e.udf?.aggregate !== undefined) return userAggregate(e, e.udf, args, parts);
  const definition = aggregateDefinition(e.fn.toLowerCase());
  if (definition === undefined) return unknown(e);
  if (parts.ignoreNulls && !IGNORES_NULLS.has(e.fn.toLowerCase())) unsupportedSyntax(e, "IGNORE NULLS");
  const site = siteOf(definition.name, parts.timeZone, e);
  checkWithinGroup(definition, args, parts, site);
  const { order } = definition;
  const orderBy =
    order === undefined ? parts.orderBy : parts.orderBy.map((o) => ({ ...o, expr: order(o.expr, site) }));
  const { args: coerced, type, nullable } = definition.resolve(args, site, orderBy);
  return Object.freeze({
    fn: definition.name,
    args: coerced,
    type,
    nullable,
    distinct: parts.distinct,
    filter: parts.filter,
    orderBy,
    ignoreNulls: parts.ignoreNulls,
  });
};

const userAggregate = (
  e: Call,
  udf: UserFunction,
  args: readonly TypedExpr[],
  parts: CallParts,
): AggregateCall => {
  const site = siteOf(udf.name, parts.timeZone, e);
  if (parts.orderBy.length > 0) throw unsupportedWithin(udf.name, site);
  return Object.freeze({
    fn: `udaf:${udf.name}`,
    udf,
    args: userArguments(udf, args, site),
    type: udf.returns,
    nullable: true,
    distinct: parts.distinct,
    filter: parts.filter,
    orderBy: [],
    ignoreNulls: false,
  });
};

/** Refuses aggregates that a window cannot hold. */
export const checkWindowAggregate = (
  call: AggregateCall,
  ordered: boolean,
  frame: WindowFrame<TypedExpr>,
  e: Expr,
): void => checkWindow(call, aggregateDefinition(call.fn), ordered, frame, e);

/** The definition of a call as a window function proper; undefined for aggregates over frames. */
export const windowFunctionOf = (e: Call): WindowFunctionDefinition | undefined =>
  e.distinct === true || e.filter !== undefined ? undefined : windowFunctionDefinition(e.fn);

/** A window function as a call. */
export const resolveWindowFunction = (
  e: Call,
  definition: WindowFunctionDefinition,
  args: readonly TypedExpr[],
  timeZone: string,
): AggregateCall => {
  if (e.ignoreNulls === true && !definition.ignoresNulls) unsupportedSyntax(e, "IGNORE NULLS");
  const resolved = definition.resolve(args, siteOf(definition.name, timeZone, e));
  return Object.freeze({
    fn: definition.name,
    args: resolved.args,
    type: resolved.type,
    nullable: resolved.nullable,
    distinct: false,
    filter: undefined,
    orderBy: [],
    ignoreNulls: e.ignoreNulls === true,
  });
};

const unsupportedSyntax = (e: Call, part: string): never =>
  fail(
    "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX",
    `The function \`${e.fn.toLowerCase()}\` does not support ${part}.`,
    e.position,
  );

/** Aggregates that IGNORE NULLS may stand behind. */
const IGNORES_NULLS = new Set(
  "first last any_value first_value last_value collect_list collect_set array_agg".split(" "),
);

const unknown = (e: Call): never => {
  if (windowFunctionNamed(e.fn)) unsupportedSyntax(e, e.distinct === true ? "DISTINCT" : "FILTER clause");
  if (lookupFunction(e.fn.toLowerCase()) !== undefined)
    fail(
      "UNSUPPORTED_EXPR_FOR_WINDOW",
      `Expression "${e.fn}(…)" not supported within a window function.`,
      e.position,
    );
  return fail(
    "UNRESOLVED_ROUTINE",
    `Cannot resolve routine \`${e.fn}\` on search path [\`system\`.\`builtin\`, \`system\`.\`session\`, \`spark_catalog\`.\`default\`].`,
    e.position,
  );
};
