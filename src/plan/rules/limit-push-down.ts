/** A limit moves below projections, and into the branches of a batch union; of two limits the smaller stays. */
import { limit, transformUp, withChildren } from "../nodes.ts";
import type { LogicalPlan } from "../logical.ts";
import type { Rule } from "./rule.ts";

type Limit = Extract<LogicalPlan, { kind: "limit" }>;

const bounded = (p: LogicalPlan, rows: number): boolean =>
  (p.kind === "limit" && p.limit !== undefined && p.limit <= rows) ||
  (p.kind === "rows" && p.rows.length <= rows);

const pushed = (p: Limit & LogicalPlan): LogicalPlan => {
  const child = p.child;
  if (child.kind === "project")
    return withChildren(child, [pushed(limit(child.child, p.limit, p.offset) as Limit & LogicalPlan)]);
  if (child.kind === "union" && !child.streaming && p.limit !== undefined) {
    const rows = p.limit + p.offset;
    return withChildren(p, [
      withChildren(
        child,
        child.children.map((c) => (bounded(c, rows) ? c : pushed(limit(c, rows, 0) as Limit & LogicalPlan))),
      ),
    ]);
  }
  if (
    child.kind === "limit" &&
    p.offset === 0 &&
    child.offset === 0 &&
    p.limit !== undefined &&
    child.limit !== undefined
  )
    return limit(child.child, Math.min(p.limit, child.limit), 0);
  return p;
};

export const limitPushDown: Rule = {
  name: "limitPushDown",
  apply: (plan) => transformUp(plan, (p) => (p.kind === "limit" ? pushed(p) : p)),
};
