/**
 * Taking the correlated conditions out of a subquery's plan, so that it can be joined instead of run for each row.
 *
 *  D1 a condition moves up through projections (which pass its columns on), filters, sorts and inner joins;
 *  D2 through an aggregate only an equality moves, whose inner side becomes a key of it;
 *  D3 whatever else holds an outer column cannot be taken out: undefined.
 */
import type { Attribute, TypedExpr } from "../expr/ast.ts";
import type { LogicalPlan, Named } from "./logical.ts";
import { aggregate, expressionsOf, filter, findNode, join, pass, project } from "./nodes.ts";
import { and, attributesOf, conjuncts, literal, nullOf, some, substitute } from "./typed.ts";

export interface Decorrelated {
  readonly plan: LogicalPlan;
  readonly predicates: readonly TypedExpr[];
  /** The plan was an aggregate without keys: one row for each outer row, now grouped by the equalities. */
  readonly singleRow: boolean;
}

type Result = Decorrelated | undefined;

const uses = (e: TypedExpr, outer: ReadonlySet<number>): boolean =>
  some(e, (x) => x.kind === "attribute" && outer.has(x.id));

const isCorrelated = (plan: LogicalPlan, outer: ReadonlySet<number>): boolean =>
  findNode(plan, (p) => expressionsOf(p).some((e) => uses(e, outer))) !== undefined;

/** The plan without its outer columns, and the conditions on them. `needed`: columns that must stay in the output. */
export const decorrelate = (
  plan: LogicalPlan,
  outer: readonly Attribute[],
  needed: readonly Attribute[],
): Result => {
  if (outer.length === 0) return { plan, predicates: [], singleRow: false };
  const result = pull(plan, new Set(outer.map((x) => x.id)));
  if (result === undefined) return undefined;
  const have = new Set(result.plan.output.map((x) => x.id));
  return needed.every((x) => have.has(x.id)) ? result : undefined;
};

const pull = (plan: LogicalPlan, outer: ReadonlySet<number>): Result => {
  if (!isCorrelated(plan, outer)) return { plan, predicates: [], singleRow: false };
  switch (plan.kind) {
    case "filter":
      return pullFilter(plan, outer);
    case "project":
      return pullProject(plan, outer);
    case "aggregate":
      return pullAggregate(plan, outer);
    case "sort":
      return pull(plan.child, outer);
    case "join":
      return pullJoin(plan, outer);
    default:
      return undefined;
  }
};

const pullFilter = (plan: Extract<LogicalPlan, { kind: "filter" }>, outer: ReadonlySet<number>): Result => {
  const below = pull(plan.child, outer);
  if (below === undefined) return undefined;
  const parts = conjuncts(plan.condition);
  const moved = parts.filter((p) => uses(p, outer));
  if (below.singleRow && moved.length > 0) return undefined;
  const rest = and(parts.filter((p) => !uses(p, outer)));
  if (below.singleRow && rest !== undefined) return undefined;
  return { ...below, plan: filter(below.plan, rest), predicates: [...below.predicates, ...moved] };
};

const innerAttributes = (
  predicates: readonly TypedExpr[],
  outer: ReadonlySet<number>,
): readonly Attribute[] => attributesOf(...predicates).filter((x) => !outer.has(x.id));

const pullProject = (plan: Extract<LogicalPlan, { kind: "project" }>, outer: ReadonlySet<number>): Result => {
  const below = pull(plan.child, outer);
  if (below === undefined || plan.exprs.some((e) => uses(e.expr, outer))) return undefined;
  const have = new Set(plan.exprs.map((e) => e.attribute.id));
  const extra = innerAttributes(below.predicates, outer).filter((x) => !have.has(x.id));
  return { ...below, plan: project(below.plan, [...plan.exprs, ...extra.map(pass)]) };
};

const pullAggregate = (
  plan: Extract<LogicalPlan, { kind: "aggregate" }>,
  outer: ReadonlySet<number>,
): Result => {
  const below = pull(plan.child, outer);
  if (below === undefined || below.singleRow || plan.session !== undefined) return undefined;
  if (expressionsOf(plan).some((e) => uses(e, outer))) return undefined;
  const keys: Attribute[] = [];
  for (const p of below.predicates) {
    const inner = equalityKey(p, outer);
    if (inner === undefined) return undefined;
    keys.push(inner);
  }
  const own = new Set(plan.keys.map((k) => k.id));
  const added = [...new Map(keys.filter((k) => !own.has(k.id)).map((k) => [k.id, k])).values()];
  const single = plan.keys.length === 0 && plan.aggregates.length > 0;
  return {
    plan: aggregate(below.plan, [...plan.keys, ...added], plan.aggregates, {
      origin: plan.origin ?? "internal",
    }),
    predicates: below.predicates,
    singleRow: single,
  };
};

/** The inner column of `inner = outer` (either way round). */
const equalityKey = (e: TypedExpr, outer: ReadonlySet<number>): Attribute | undefined => {
  if (e.kind !== "call" || (e.fn !== "=" && e.fn !== "<=>")) return undefined;
  const [l, r] = e.args as [TypedExpr, TypedExpr];
  const inner = uses(l, outer) ? r : l;
  const other = inner === l ? r : l;
  if (uses(inner, outer) || attributesOf(other).some((x) => !outer.has(x.id))) return undefined;
  return distinguished(inner);
};

const WHOLE: ReadonlySet<string> = new Set(["byte", "short", "int", "long"]);

/** The column under casts that keep different values apart; what may map two of them to one groups no rows by itself. */
const distinguished = (e: TypedExpr): Attribute | undefined => {
  if (e.kind === "attribute") return e;
  if (e.kind !== "cast" || !WHOLE.has(e.child.type.kind)) return undefined;
  return WHOLE.has(e.type.kind) || e.type.kind === "decimal" ? distinguished(e.child) : undefined;
};

const pullJoin = (plan: Extract<LogicalPlan, { kind: "join" }>, outer: ReadonlySet<number>): Result => {
  const left = pull(plan.left, outer);
  const inner = plan.how === "inner" || plan.how === "cross";
  const right = inner
    ? pull(plan.right, outer)
    : isCorrelated(plan.right, outer)
      ? undefined
      : untouched(plan.right);
  if (left === undefined || right === undefined || left.singleRow || right.singleRow) return undefined;
  if (plan.how === "right" || plan.how === "full") return undefined;
  const parts = conjuncts(plan.condition);
  const moved = parts.filter((p) => uses(p, outer));
  if (moved.length > 0 && !inner) return undefined;
  const condition = and(parts.filter((p) => !uses(p, outer)));
  return {
    plan: join(left.plan, right.plan, condition === undefined && inner ? "cross" : plan.how, condition),
    predicates: [...left.predicates, ...right.predicates, ...moved],
    singleRow: false,
  };
};

const untouched = (plan: LogicalPlan): Decorrelated => ({ plan, predicates: [], singleRow: false });

/** Whether the plan gives exactly one row: an aggregate without keys, seen through projections. */
export const isSingleRow = (plan: LogicalPlan): boolean => {
  if (plan.kind === "project" || plan.kind === "sort") return isSingleRow(plan.child);
  if (plan.kind === "rows") return plan.rows.length === 1;
  return plan.kind === "aggregate" && plan.keys.length === 0 && plan.aggregates.length > 0;
};

const COUNTS = new Set(["count", "count_if", "approx_count_distinct", "regr_count"]);
const LISTS = new Set(["collect_list", "collect_set", "array_agg"]);

/** What `column` of a single-row plan is when there are no rows to aggregate. */
export const emptyValue = (plan: LogicalPlan, column: Attribute): TypedExpr => {
  if (plan.kind === "project") {
    const made = plan.exprs.find((e: Named) => e.attribute.id === column.id);
    if (made === undefined) return emptyValue(plan.child, column);
    const by = new Map(attributesOf(made.expr).map((x) => [x.id, emptyValue(plan.child, x)]));
    return substitute(made.expr, by);
  }
  if (plan.kind === "aggregate") {
    const call = plan.aggregates.find((x) => x.attribute.id === column.id)?.call;
    if (call !== undefined && COUNTS.has(call.fn)) return literal(0, call.type);
    if (call !== undefined && LISTS.has(call.fn)) return literal([], call.type);
  }
  return nullOf(column.type);
};
