/** What the analyser asks of the registries of functions. Names are lower case. */
import type { Field } from "../core/data-type.ts";
import type { AggregateCall, Expr, SortOrder, TypedExpr } from "../expr/ast.ts";
import { aggregateDefinition } from "../expr/aggregates/registry.ts";
import { fold } from "../expr/fold.ts";
import type { CallSite, Resolution } from "../expr/function.ts";
import { lookupFunction } from "../expr/registry.ts";
import { fail } from "./analyse-context.ts";

// TODO(src/expr/generators.ts, src/expr/window-functions.ts): until they exist
interface Definition {
  readonly name: string;
  readonly resolve: (
    args: readonly TypedExpr[],
    site: CallSite,
  ) => Resolution & { readonly output: readonly Field[] };
}
const windowFunctionDefinition = (_fn: string): Definition | undefined => undefined;
export const generatorDefinition = (_fn: string): Definition | undefined => undefined;

type Call = Extract<Expr, { kind: "call" }>;

export const aggregateNamed = (fn: string): boolean => aggregateDefinition(fn) !== undefined;
export const generatorNamed = (fn: string): boolean => generatorDefinition(fn) !== undefined;
export const windowFunctionNamed = (fn: string): boolean => windowFunctionDefinition(fn) !== undefined;
/** Unknown names count as deterministic: they are the analyser's own. */
export const isDeterministic = (fn: string): boolean => lookupFunction(fn)?.deterministic !== false;

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
  const definition = aggregateDefinition(e.fn.toLowerCase());
  if (definition === undefined) return unknown(e);
  const site = siteOf(definition.name, parts.timeZone, e);
  const { args: coerced, type, nullable } = definition.resolve(args, site, parts.orderBy);
  return Object.freeze({
    fn: definition.name,
    args: coerced,
    type,
    nullable,
    distinct: parts.distinct,
    filter: parts.filter,
    orderBy: parts.orderBy,
    ignoreNulls: parts.ignoreNulls,
  });
};

/** A ranking or offset function as a call. */
export const resolveWindowFunction = (
  e: Call,
  args: readonly TypedExpr[],
  timeZone: string,
): AggregateCall => {
  const definition = windowFunctionDefinition(e.fn.toLowerCase());
  if (definition === undefined) return unknown(e);
  const { args: coerced, type, nullable } = definition.resolve(args, siteOf(definition.name, timeZone, e));
  return Object.freeze({
    fn: definition.name,
    args: coerced,
    type,
    nullable,
    distinct: false,
    filter: undefined,
    orderBy: [],
    ignoreNulls: e.ignoreNulls === true,
  });
};

const unknown = (e: Call): never =>
  fail(
    "UNRESOLVED_ROUTINE",
    `Cannot resolve routine \`${e.fn}\` on search path [\`system\`.\`builtin\`, \`system\`.\`session\`, \`spark_catalog\`.\`default\`].`,
    e.position,
  );
