/**
 * What a filter or a generator of a stream asks of its rows without saying so, as Spark infers it: only where that goes further down than what was
 * said, so that rows it drops do not advance a watermark.
 *
 *  I1 a filter that compares a column asks for one that is not null, also where the comparison itself cannot go down;
 *  I2 a generator over a column gives no row for null nor for an empty list, unless it is an outer one.
 */
import { BOOLEAN, INT } from "../../core/data-type.ts";
import type { TypedExpr } from "../../expr/ast.ts";
import type { LogicalPlan } from "../logical.ts";
import { filter, transformUp, withChildren } from "../nodes.ts";
import { and, attributesOf, callOf, conjuncts, exprKey, isNotNull, literal } from "../typed.ts";
import { FROM_ABOVE } from "./filter-push-down.ts";
import { knownOf, withInferred } from "./known.ts";
import type { Rule } from "./rule.ts";

const within = (e: TypedExpr, plan: LogicalPlan): boolean => {
  const ids = new Set(plan.output.map((a) => a.id));
  return attributesOf(e).every((a) => ids.has(a.id));
};

/** Whether a condition above the plan goes below its root. */
const descends = (e: TypedExpr, plan: LogicalPlan): boolean => {
  switch (plan.kind) {
    case "watermark":
      return !attributesOf(e).some((a) => a.id === plan.column.id);
    case "aggregate": {
      const keys = plan.keys.filter((k) => k.id !== plan.session?.key.id);
      return attributesOf(e).every((a) => keys.some((k) => k.id === a.id));
    }
    case "generate":
    case "expandWindow":
      return within(e, plan.child);
    case "join": {
      const may = FROM_ABOVE[plan.how];
      return (may.left && within(e, plan.left)) || (may.right && within(e, plan.right));
    }
    default:
      return false;
  }
};

/** Those that neither the plan's rows are known to fulfil nor `own` says. */
const fresh = (
  conditions: readonly TypedExpr[],
  plan: LogicalPlan,
  own: readonly TypedExpr[],
): readonly TypedExpr[] => {
  const known = new Set([...withInferred(knownOf(plan)), ...own].map((e) => exprKey(e)));
  return conditions.filter((e) => !known.has(exprKey(e)));
};

/** I1. */
const aboveFilter = (p: Extract<LogicalPlan, { kind: "filter" }>): LogicalPlan => {
  const own = conjuncts(p.condition);
  const all = withInferred([...own, ...knownOf(p.child)]);
  const more = fresh(all, p.child, own).filter((e) => descends(e, p.child));
  return more.length === 0 ? p : filter(p.child, and([...more, ...own]));
};

const LISTS: ReadonlySet<string> = new Set(["explode", "posexplode", "inline"]);

/** I2. */
const belowGenerate = (p: Extract<LogicalPlan, { kind: "generate" }>): LogicalPlan => {
  const [list] = p.args;
  if (p.outer || !LISTS.has(p.fn) || list?.kind !== "attribute") return p;
  const some = callOf(">", [callOf("size", [list], INT), literal(0, INT)], BOOLEAN);
  const more = fresh([isNotNull(list), some], p.child, []);
  return more.length === 0 ? p : withChildren(p, [filter(p.child, and(more))]);
};

export const inferredFilters: Rule = {
  name: "inferredFilters",
  apply: (plan) =>
    transformUp(plan, (p) => {
      if (!p.streaming) return p;
      if (p.kind === "filter") return aboveFilter(p);
      return p.kind === "generate" ? belowGenerate(p) : p;
    }),
};
