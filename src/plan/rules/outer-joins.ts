/**
 * An outer join whose added rows a condition above it drops is a narrower one, as in Spark (EliminateOuterJoin): what holds for no row of nulls of
 * a side asks for a row of that side. Its conditions then go below both sides, and below their watermarks.
 *
 *  O1 a condition drops the rows without a partner on a side when it reads that side only and is null or false for nulls;
 *  O2 a join with a subquery stays: its condition moves as a whole (subquery-push-down.ts).
 */
import type { TypedExpr } from "../../expr/ast.ts";
import { constantOf } from "../constants.ts";
import type { LogicalPlan } from "../logical.ts";
import type { JoinHow } from "../relation.ts";
import { attributesOf, nullOf, substitute } from "../typed.ts";
import { isDeterministic } from "./rule.ts";

type Join = Extract<LogicalPlan, { kind: "join" }>;

/** What has no row and no zone of its own: literals are folded before. */
const ZONE = "UTC";

/** O1. */
const dropsNulls = (e: TypedExpr, side: LogicalPlan): boolean => {
  const own = new Set(side.output.map((a) => a.id));
  const used = attributesOf(e);
  if (used.length === 0 || !used.every((a) => own.has(a.id)) || !isDeterministic(e)) return false;
  const value = constantOf(substitute(e, new Map(used.map((a) => [a.id, nullOf(a.type)]))), ZONE)?.value;
  return value === null || value === false;
};

const NARROWED: Partial<Record<JoinHow, { readonly left: JoinHow; readonly right: JoinHow }>> = {
  left: { left: "left", right: "inner" },
  right: { left: "inner", right: "right" },
  full: { left: "left", right: "right" },
};

/** The join as it may be below these conditions; itself when they drop no row that it adds. Its output stays. */
export const withoutNeedlessNulls = <J extends Join>(plan: J, parts: readonly TypedExpr[]): J => {
  if (NARROWED[plan.how] === undefined || plan.origin === "subquery") return plan;
  let how = plan.how;
  if (parts.some((e) => dropsNulls(e, plan.left))) how = NARROWED[how]?.left ?? how;
  if (parts.some((e) => dropsNulls(e, plan.right))) how = NARROWED[how]?.right ?? how;
  return how === plan.how ? plan : Object.freeze({ ...plan, how });
};
