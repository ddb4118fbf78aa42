/**
 * Which queries run as streams, in which output mode: every rule of Spark's UnsupportedOperationChecker in one place (joins in
 * modes-joins.ts, keyed state in modes-state.ts). Each refusal names operator, rule and remedy.
 *
 * With compatibility "spark" exactly what Spark refuses is refused. `EXTENSIONS` lists what "extended" (the default) allows beyond.
 */
import type { OutputMode } from "../connectors/sink.ts";
import type { TypedExpr } from "../expr/ast.ts";
import type { LogicalPlan } from "./logical.ts";
import { type ModeContext, refuse, refuseMode } from "./modes-errors.ts";
import { checkJoin } from "./modes-joins.ts";
import { checkGroupState, checkStateCount } from "./modes-state.ts";
import { childrenOf, eventTimeColumns, expressionsOf, findNode, walk } from "./nodes.ts";
import { checkFiltersAboveTopN, checkTopN } from "./top-n.ts";
import { some } from "./typed.ts";

/** What "extended" allows and "spark" does not, each well defined on a stream. */
export const EXTENSIONS = Object.freeze({
  sessionWithoutKey: "session windows without another key: one actor has them all",
  sessionUpdate: "session windows in update mode: a session is given again whenever it grows",
  distinctAggregates: "DISTINCT aggregates: all distinct values are kept in state",
  limitUpdate: "LIMIT in update mode: the first rows of the stream, counted for ever",
  outerJoinUpdate:
    "outer joins of streams in update mode: their rows never change, so update gives what append gives",
  joinComplete: "joins of streams below an aggregate in complete mode",
  antiJoin: "anti joins of streams: a row is given when the watermark says that no partner can come",
  intersectStatic: "INTERSECT of a stream with static data: a semi join, then distinct rows",
  topN: "row_number, rank or dense_rank over a partition, of which a filter keeps the first: when windows close, or updated",
  late: "late(): the rows a stateful operator refused as late",
  emit: "the emit option of agg: groups are given before they close too, marked as not final",
});
export type Extension = keyof typeof EXTENSIONS;

type Aggregate = Extract<LogicalPlan, { kind: "aggregate" }>;

/** Spark counts only what the user wrote as an aggregate or DISTINCT: EXCEPT and INTERSECT are checked as themselves. */
const isStreamingAggregate = (p: LogicalPlan): p is Aggregate & LogicalPlan =>
  p.kind === "aggregate" && p.streaming && p.origin !== "except" && p.origin !== "intersect";

const streamingAggregates = (plan: LogicalPlan): readonly Aggregate[] => {
  const found: Aggregate[] = [];
  walk(plan, (p) => {
    if (isStreamingAggregate(p)) found.push(p);
  });
  return found;
};

/** Throws AnalysisError when the plan cannot run as a stream in this mode. */
export const checkStreaming = (
  plan: LogicalPlan,
  outputMode: OutputMode,
  compatibility: "extended" | "spark",
): void => {
  const aggregates = streamingAggregates(plan);
  const context: ModeContext = { outputMode, compatibility, aggregated: aggregates.length > 0 };
  if (!plan.streaming)
    refuse(
      plan,
      "Queries without streaming sources cannot be executed with writeStream.start()",
      "use write for batch queries",
    );
  checkStateCount(plan, context);
  checkMode(plan, aggregates, context);
  walkUp(plan, (p) => {
    checkNode(p, context);
    if (compatibility === "spark") checkExpressions(p);
  });
  if (compatibility === "spark") for (const a of aggregates) checkSession(a);
  checkChains(plan, context);
  checkFiltersAboveTopN(plan, context);
};

/** Throws AnalysisError when the plan cannot run as a batch query. */
export const checkBatch = (plan: LogicalPlan): void =>
  walkUp(plan, (p) => {
    if (p.streaming)
      refuse(
        p,
        "Queries with streaming sources must be executed with writeStream.start()",
        "start the query with writeStream",
      );
    if (p.kind === "aggregate") checkSessionSets(p);
    if (p.kind === "dedup" && p.withinWatermark)
      refuse(
        p,
        "dropDuplicatesWithinWatermark is not supported with batch DataFrames/DataSets",
        "use dropDuplicates",
      );
  });

const walkUp = (plan: LogicalPlan, visit: (p: LogicalPlan) => void): void => {
  for (const c of childrenOf(plan)) walkUp(c, visit);
  visit(plan);
};

/** What a query may say at all in its mode. As in Spark, the topmost aggregate decides. */
const checkMode = (plan: LogicalPlan, aggregates: readonly Aggregate[], context: ModeContext): void => {
  const top = aggregates[0];
  if (top === undefined) {
    if (context.outputMode === "complete")
      refuseMode(plan, context, "no streaming aggregations", "use append or update, or aggregate");
    return;
  }
  if (context.outputMode === "append" && top.eventTime === undefined)
    refuseMode(
      top,
      context,
      "streaming aggregations without watermark",
      "call withWatermark on the event-time column and group by it or by a window of it, or use update or complete",
    );
  if (context.outputMode === "update" && top.session !== undefined && context.compatibility === "spark")
    refuseMode(top, context, "session window streaming aggregations", "use append");
};

/** Spark's `containsCompleteData`: a sort needs the whole table. */
const isComplete = (p: LogicalPlan, context: ModeContext): boolean =>
  !p.streaming ||
  (context.outputMode === "complete" && streamingAggregates(p).some((a) => a.origin === undefined));

const checkNode = (p: LogicalPlan, context: ModeContext): void => {
  if (!p.streaming) return;
  const extended = context.compatibility === "extended";
  switch (p.kind) {
    case "aggregate":
      checkAllRows(p);
      checkSessionSets(p);
      if (!extended && p.aggregates.some((a) => a.call.distinct))
        refuse(
          p,
          "Distinct aggregations are not supported on streaming DataFrames/Datasets. Consider using approx_count_distinct() instead.",
          "use approx_count_distinct",
        );
      return;
    case "groupState":
      return checkGroupState(p, context);
    case "join":
      return checkJoin(p, context);
    case "apply":
      return checkApply(p);
    case "dedup":
      if (p.withinWatermark && eventTimeColumns(p.child).length === 0)
        refuse(
          p,
          "dropDuplicatesWithinWatermark is not supported on streaming DataFrames/DataSets without watermark",
          "call withWatermark before it",
        );
      return;
    case "emit":
      return checkEmit(p, context);
    case "late":
      if (!extended) refuse(p, "late() is not a part of Spark", 'set compatibility to "extended"');
      return;
    default:
      return checkRows(p, context);
  }
};

/** Spark finds this out last of all, when it plans the first epoch. */
const checkSession = (p: Aggregate & LogicalPlan): void => {
  if (p.session !== undefined && p.keys.length === 1)
    refuse(
      p,
      "Global aggregation with session window in streaming query is not supported",
      'group by another column too, or set compatibility to "extended"',
    );
};

/** Row numbers of a stream depend on how it was cut into epochs and partitions. */
const checkExpressions = (p: LogicalPlan): void => {
  const numbered = (e: TypedExpr): boolean => e.kind === "call" && e.fn === "monotonically_increasing_id";
  if (expressionsOf(p).some((e) => some(e, numbered)))
    refuse(
      p,
      "Expression(s): monotonically_increasing_id() is not supported with streaming DataFrames/Datasets",
      'use uuid(), or set compatibility to "extended"',
    );
};

const checkSessionSets = (p: Aggregate & LogicalPlan): void => {
  if (p.session !== undefined && p.child.kind === "expand")
    refuse(
      p,
      "session_window within GROUPING SETS, CUBE or ROLLUP is not supported",
      "group by session_window and the keys first, and group the result again",
    );
};

/** INTERSECT ALL and EXCEPT ALL count the rows of both sides, and a count may still change. */
const checkAllRows = (p: Aggregate & LogicalPlan): void => {
  if (p.child.kind !== "union") return;
  if (p.origin === "except")
    refuse(
      p,
      "Except on a streaming DataFrame/Dataset on the right is not supported",
      "use an anti join with a condition on event times",
    );
  if (p.origin === "intersect")
    refuse(
      p,
      "Intersect of streaming DataFrames/Datasets is not supported",
      "use a semi join; of two streams with a condition on event times",
    );
};

const checkEmit = (p: LogicalPlan, context: ModeContext): void => {
  if (context.compatibility === "spark")
    refuse(p, "Early rows (emit) are not a part of Spark", 'set compatibility to "extended"');
  if (context.outputMode !== "append")
    refuseMode(
      p,
      context,
      "early rows (emit)",
      "use append: the other modes give every change of a group anyway",
    );
};

/** Operators over whole results. */
const checkRows = (p: LogicalPlan, context: ModeContext): void => {
  switch (p.kind) {
    case "union":
      if (p.children.some((c) => !c.streaming))
        refuse(
          p,
          "Union between streaming and batch DataFrames/Datasets is not supported",
          "read both sides as streams",
        );
      return;
    case "limit":
      return checkLimit(p, context);
    case "sort":
      if (!isComplete(p, context))
        refuse(
          p,
          "Sorting is not supported on streaming DataFrames/Datasets, unless it is on aggregated DataFrame/Dataset in Complete output mode",
          "sort an aggregate in complete mode, or sort where the result is read",
        );
      return;
    case "sample":
      return refuse(
        p,
        "Sampling is not supported on streaming DataFrames/Datasets",
        "filter by a hash of a key instead",
      );
    case "window":
      return p.topN === undefined || context.compatibility === "spark"
        ? refuseWindow(p)
        : checkTopN(p, context);
    default:
  }
};

const checkLimit = (p: Extract<LogicalPlan, { kind: "limit" }>, context: ModeContext): void => {
  if (p.offset > 0) refuse(p, "Offset is not supported on streaming DataFrames/Datasets", "leave OFFSET out");
  if (context.outputMode === "update" && context.compatibility === "spark")
    refuse(
      p,
      "Limits are not supported on streaming DataFrames/Datasets in Update output mode",
      "use append",
    );
};

const checkApply = (p: Extract<LogicalPlan, { kind: "apply" }>): void => {
  refuse(
    p,
    p.right.streaming
      ? "A correlated subquery over a stream is not supported"
      : "A correlated subquery that is run once for each row is not supported on a stream",
    "write it as a join with a condition on event times",
  );
};

const refuseWindow = (p: Extract<LogicalPlan, { kind: "window" }>): never => {
  const shown = p.functions.map((f) => `${f.call.fn.toUpperCase()}() (as column \`${f.attribute.name}\`)`);
  return refuse(
    p,
    `Window function is not supported in ${shown.join(", ")} on streaming DataFrames/Datasets.`,
    "group by window(time, duration), or use transformWithState",
    "NON_TIME_WINDOW_NOT_SUPPORTED_IN_STREAMING",
  );
};

/** Stateful operators behind one that may give rows older than the watermark. */
const isStateful = (p: LogicalPlan): boolean => {
  if (!p.streaming) return false;
  switch (p.kind) {
    case "aggregate":
      return isStreamingAggregate(p);
    case "join":
      return p.left.streaming && p.right.streaming;
    case "dedup":
      return p.withinWatermark || p.keys.some((k) => k.eventTimeDelayMs !== undefined);
    case "groupState":
      return true;
    case "window":
      return p.topN !== undefined;
    default:
      return false;
  }
};

const cannotBeFollowed = (p: LogicalPlan, context: ModeContext): boolean => {
  if (isStreamingAggregate(p) || (p.kind === "window" && p.streaming)) return context.outputMode !== "append";
  return p.kind === "groupState" && p.streaming && p.fn.mode !== "transform" && p.fn.timeout === "eventTime";
};

const checkChains = (plan: LogicalPlan, context: ModeContext): void =>
  walk(plan, (p) => {
    if (!isStateful(p)) return;
    if (findNode(p, (q) => q !== p && q.kind === "emit") !== undefined)
      refuse(
        p,
        "A stateful operator above early rows (emit) would count a group several times",
        "leave emit out here, or write the final rows to a stream and read it from a second query",
      );
    const below = findNode(p, (q) => q !== p && cannotBeFollowed(q, context));
    if (below !== undefined)
      refuse(
        p,
        "Detected pattern of possible 'correctness' issue due to global watermark. The query contains stateful operation which can emit rows older than the current watermark plus allowed late record delay, which are \"late rows\" in downstream stateful operations and these rows can be discarded.",
        `use append mode, or write the result of the first ${below.kind} to a stream and read it from a second query`,
      );
  });
