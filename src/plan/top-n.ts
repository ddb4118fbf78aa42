/**
 * Top-N over a stream: `rank <= n` above `row_number | rank | dense_rank OVER (PARTITION BY … ORDER BY …)` is recognised and kept up incrementally.
 * Beyond Spark, which refuses window functions on streams.
 *
 *  R1 the function is the only one of its window node, and a filter above (through projections that pass the rank on) bounds it;
 *  R2 append: a partition key is the event time or a window of it, so that the ranks of a partition become final;
 *  R3 update: row_number (a rank is one row's, and is given again when its row changes), and nothing between the ranks and the sink drops rows by what
 *     may change: the filters above look at partition keys and ranks only.
 */
import type { Attribute, TypedExpr } from "../expr/ast.ts";
import type { LogicalPlan } from "./logical.ts";
import { type ModeContext, refuse, refuseMode } from "./modes-errors.ts";
import { transformUp, walk, withChildren } from "./nodes.ts";
import { attributesOf, conjuncts } from "./typed.ts";

type Window = Extract<LogicalPlan, { kind: "window" }>;

const RANKS: ReadonlySet<string> = new Set(["row_number", "rank", "dense_rank"]);

/** What `condition` says at most of the attribute: 3 for `a <= 3`, `a < 4`, `a = 3`, `4 > a`; Infinity when it says nothing. */
const boundOf = (condition: TypedExpr, id: number): number => {
  if (condition.kind !== "call" || condition.args.length !== 2) return Infinity;
  const flipped = condition.args[0]!.kind === "literal";
  const [column, value] = flipped ? [condition.args[1]!, condition.args[0]!] : condition.args;
  if (column?.kind !== "attribute" || column.id !== id || value?.kind !== "literal") return Infinity;
  if (typeof value.value !== "number") return Infinity;
  const fn = flipped ? (FLIPPED[condition.fn] ?? condition.fn) : condition.fn;
  if (fn === "<=" || fn === "=" || fn === "==") return Math.floor(value.value);
  return fn === "<" ? Math.ceil(value.value) - 1 : Infinity;
};
const FLIPPED: Readonly<Record<string, string>> = { ">=": "<=", ">": "<" };

/** The plan below a filter with the bounds of `parts` on its window function (R1). */
const bounded = (plan: LogicalPlan, bounds: (id: number) => number): LogicalPlan => {
  if (plan.kind === "project") {
    const names = new Map(
      plan.exprs.flatMap(({ attribute, expr }) =>
        expr.kind === "attribute" ? [[expr.id, attribute.id] as const] : [],
      ),
    );
    return withChildren(plan, [bounded(plan.child, (id) => bounds(names.get(id) ?? -1))]);
  }
  if (plan.kind !== "window" || plan.functions.length !== 1) return plan;
  const [{ call, attribute }] = plan.functions as readonly [Window["functions"][number]];
  const limit = bounds(attribute.id);
  if (!RANKS.has(call.fn) || call.filter !== undefined || limit === Infinity || limit < 1) return plan;
  return Object.freeze({ ...plan, topN: Math.min(limit, plan.topN ?? Infinity) });
};

/** Marks the windows of streams whose ranks are bounded. */
export const recogniseTopN = (plan: LogicalPlan): LogicalPlan =>
  transformUp(plan, (p) => {
    if (p.kind !== "filter" || !p.streaming) return p;
    const parts = conjuncts(p.condition);
    const bounds = (id: number): number => Math.min(...parts.map((c) => boundOf(c, id)));
    return withChildren(p, [bounded(p.child, bounds)]);
  });

/** Ordinal of the partition key that closes partitions; -1 when there is none. */
export const eventTimePartition = (p: Window): number =>
  p.partitionBy.findIndex((e) => e.kind === "attribute" && e.eventTimeDelayMs !== undefined);

/** R2 and R3, as far as the window itself goes. */
export const checkTopN = (p: Window & LogicalPlan, context: ModeContext): void => {
  if (!p.partitionBy.every((e) => e.kind === "attribute"))
    refuse(p, "A partition key of a top-N on a stream must be a column", "compute the key in a subquery");
  if (context.outputMode === "append" && eventTimePartition(p) < 0)
    refuseMode(
      p,
      context,
      "a top-N without an event-time partition key",
      "partition by a window of the watermarked column, or use update",
    );
  if (context.outputMode === "update" && p.functions[0]!.call.fn !== "row_number")
    refuseMode(p, context, `${p.functions[0]!.call.fn}() on a stream`, "use row_number, or append");
};

/** R3: filters above a top-N in update mode. */
export const checkFiltersAboveTopN = (plan: LogicalPlan, context: ModeContext): void => {
  if (context.outputMode !== "update") return;
  walk(plan, (p) => {
    if (p.kind !== "filter") return;
    const stable = stableColumns(p.child);
    const changing = stable && attributesOf(p.condition).find((a) => !stable.has(a.id));
    if (changing !== undefined)
      refuse(
        p,
        `A filter on ${changing.name} above a top-N in update mode would leave rows in the result that are no longer among the first`,
        "filter before the top-N, or on its partition keys and rank only",
      );
  });
};

/** Ids of the columns that name a row of the top-N below; undefined when there is none. */
const stableColumns = (plan: LogicalPlan): ReadonlySet<number> | undefined => {
  if (plan.kind === "window" && plan.topN !== undefined) {
    const keys = plan.partitionBy.filter((e): e is Attribute => e.kind === "attribute");
    return new Set([...keys, plan.functions[0]!.attribute].map((a) => a.id));
  }
  if (plan.kind === "filter") return stableColumns(plan.child);
  if (plan.kind !== "project") return undefined;
  const below = stableColumns(plan.child);
  if (below === undefined) return undefined;
  const kept = plan.exprs.filter((e) => attributesOf(e.expr).every((a) => below.has(a.id)));
  return new Set(kept.map((e) => e.attribute.id));
};
