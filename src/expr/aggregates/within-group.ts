/** Where WITHIN GROUP, DISTINCT and window frames may stand with an aggregate: Spark's refusals. */
import type { AggregateCall, FrameBound, SortOrder, TypedExpr, WindowFrame } from "../ast.ts";
import type { CallSite } from "../function.ts";
import { analysisError, describeTyped, wrongNumberOfArguments } from "../type-errors.ts";
import type { AggregateDefinition } from "./definition.ts";

const refused = (site: CallSite, reason: string, message: string): Error =>
  analysisError(reason, `Invalid function \`${site.fn}\` with WITHIN GROUP. ${message}`, site.position);

/** What was written around the arguments of an aggregate. */
export interface AggregateClauses {
  readonly distinct: boolean;
  readonly orderBy: readonly SortOrder<TypedExpr>[];
}

/** The ordering of an inverse distribution (mode, percentile_cont): one, never with DISTINCT; `mode(x)` does without. */
const checkInverse = (args: readonly TypedExpr[], clauses: AggregateClauses, site: CallSite): void => {
  const { distinct, orderBy } = clauses;
  if (distinct)
    throw refused(
      site,
      "INVALID_WITHIN_GROUP_EXPRESSION.DISTINCT_UNSUPPORTED",
      "The function does not support DISTINCT with WITHIN GROUP.",
    );
  const alone = site.fn === "mode";
  if (orderBy.length === 0) {
    if (alone && args.length > 0) return;
    throw refused(
      site,
      "INVALID_WITHIN_GROUP_EXPRESSION.WITHIN_GROUP_MISSING",
      "WITHIN GROUP is required for the function.",
    );
  }
  if (!alone && args.length !== 1) throw wrongNumberOfArguments(site, "1", args.length);
  if (orderBy.length !== 1 || (alone && args.length > 0))
    throw refused(
      site,
      "INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS",
      `The function requires ${alone ? 1 - args.length : 1} orderings in WITHIN GROUP but got ${orderBy.length}.`,
    );
};

/** @throws AnalysisError INVALID_WITHIN_GROUP_EXPRESSION.…, INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX */
export const checkWithinGroup = (
  definition: AggregateDefinition,
  args: readonly TypedExpr[],
  clauses: AggregateClauses,
  site: CallSite,
): void => {
  const { orderBy, distinct } = clauses;
  if (definition.withinGroup === "inverse") return checkInverse(args, clauses, site);
  if (orderBy.length === 0) return;
  if (definition.withinGroup === undefined) throw unsupportedWithin(site.fn, site);
  // A value that comes once has one place only in its own order.
  const first = args[0] === undefined ? "" : describeTyped(args[0]);
  const other = orderBy.length > 1 || describeTyped(orderBy[0]!.expr) !== first;
  if (distinct && other)
    throw refused(
      site,
      "INVALID_WITHIN_GROUP_EXPRESSION.MISMATCH_WITH_DISTINCT_INPUT",
      "The function is invoked with DISTINCT and WITHIN GROUP but expressions in them do not match.",
    );
};

/** WITHIN GROUP behind a function that has none. */
export const unsupportedWithin = (fn: string, site: Pick<CallSite, "position">): Error =>
  analysisError(
    "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX",
    `The function \`${fn}\` does not support WITHIN GROUP (ORDER BY ...).`,
    site.position,
  );

const isEdge = (b: FrameBound<TypedExpr>, kind: FrameBound<TypedExpr>["kind"]): boolean => b.kind === kind;

/** Whether an aggregate may be computed over a window. Percentiles and ordered lists take whole partitions only. */
export const checkWindow = (
  call: AggregateCall,
  definition: AggregateDefinition | undefined,
  ordered: boolean,
  frame: WindowFrame<TypedExpr>,
  site: Pick<CallSite, "position">,
): void => {
  if (call.distinct)
    throw analysisError(
      "DISTINCT_WINDOW_FUNCTION_UNSUPPORTED",
      `Distinct window functions are not supported: "${call.fn}(DISTINCT …)".`,
      site.position,
    );
  const whole =
    !ordered && isEdge(frame.start, "unboundedPreceding") && isEdge(frame.end, "unboundedFollowing");
  const takesWhole =
    definition?.wholePartition === true || (call.fn === "listagg" && call.orderBy.length > 0);
  if (takesWhole && !whole)
    throw analysisError(
      "INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC",
      `Cannot specify ORDER BY or a window frame for \`${call.fn}\`.`,
      site.position,
    );
};
