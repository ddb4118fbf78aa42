/**
 * Conditions move towards the sources: through projections, sorts, unions, joins, generators, aggregates (on keys), window functions (on partitions), and
 * through watermarks.
 *
 *  P1 only deterministic conditions move;
 *  P2 a condition that does not read the event-time column moves below its watermark, as in Spark: rows it drops do not advance the
 *     watermark. One that reads the column stays above;
 *  P3 an outer join lets pass what is about its preserved side; its own condition goes to the other side only;
 *  P4 an outer join above which a condition drops the rows without partners is none first (outer-joins.ts).
 */
import type { TypedExpr } from "../../expr/ast.ts";
import type { LogicalPlan } from "../logical.ts";
import { filter, join, mapPlanChildren, withChildren } from "../nodes.ts";
import type { JoinHow } from "../relation.ts";
import { and, attributesOf, conjuncts, substitute } from "../typed.ts";
import { notNullParts } from "./known.ts";
import { withoutNeedlessNulls } from "./outer-joins.ts";
import { isDeterministic, type Rule } from "./rule.ts";

type Of<K extends LogicalPlan["kind"]> = Extract<LogicalPlan, { kind: K }>;

const within = (e: TypedExpr, ids: ReadonlySet<number>): boolean =>
  attributesOf(e).every((a) => ids.has(a.id));
const idsOf = (plan: LogicalPlan): ReadonlySet<number> => new Set(plan.output.map((a) => a.id));

/** The plan with these conditions on its rows, each as far down as it goes. */
const pushed = (plan: LogicalPlan, parts: readonly TypedExpr[]): LogicalPlan => {
  switch (plan.kind) {
    case "filter":
      return throughFilter(plan, parts);
    case "project":
      return throughProject(plan, parts);
    case "watermark":
      return split(plan, parts, (e) => !attributesOf(e).some((a) => a.id === plan.column.id));
    case "sort":
      return split(plan, parts, () => true);
    case "expand":
    case "expandWindow":
    case "generate":
      return split(plan, parts, (e) => within(e, idsOf(plan.child)));
    case "aggregate":
      return throughAggregate(plan, parts);
    case "window":
      return throughWindow(plan, parts);
    case "union":
      return throughUnion(plan, parts);
    case "join":
      return throughJoin(plan, parts);
    default:
      return filter(descended(plan), and(parts));
  }
};

/** Conditions inside the children, where they stand. */
const descended = (plan: LogicalPlan): LogicalPlan => mapPlanChildren(plan, (c) => pushed(c, []));

const throughFilter = (plan: Of<"filter">, parts: readonly TypedExpr[]): LogicalPlan => {
  const own = conjuncts(plan.condition);
  const moving = own.filter(isDeterministic);
  const staying = own.filter((e) => !isDeterministic(e));
  if (staying.length > 0) return filter(filter(pushed(plan.child, moving), and(staying)), and(parts));
  return pushed(plan.child, [...moving, ...parts]);
};

/** Conditions for which `may` holds go below the node's only child, the others stay above it. */
const split = (
  plan: LogicalPlan & { readonly child: LogicalPlan },
  parts: readonly TypedExpr[],
  may: (e: TypedExpr) => boolean,
): LogicalPlan => {
  const below = parts.filter(may);
  const above = parts.filter((e) => !may(e));
  return filter(withChildren(plan, [pushed(plan.child, below)]), and(above));
};

const throughProject = (plan: Of<"project">, parts: readonly TypedExpr[]): LogicalPlan => {
  const by = new Map(plan.exprs.map((e) => [e.attribute.id, e.expr]));
  const may = (e: TypedExpr): boolean =>
    attributesOf(e).every((a) => {
      const made = by.get(a.id);
      return made === undefined || isDeterministic(made);
    });
  const below = parts.filter(may).map((e) => substitute(e, by));
  const above = parts.filter((e) => !may(e));
  return filter(withChildren(plan, [pushed(plan.child, below)]), and(above));
};

/** On keys only, and not of the one row of an aggregate without keys, nor on a session, which its rows make together. */
const throughAggregate = (plan: Of<"aggregate">, parts: readonly TypedExpr[]): LogicalPlan => {
  const keys = new Set(plan.keys.filter((k) => k.id !== plan.session?.key.id).map((k) => k.id));
  return split(plan, parts, (e) => attributesOf(e).length > 0 && within(e, keys));
};

const throughWindow = (plan: Of<"window">, parts: readonly TypedExpr[]): LogicalPlan => {
  const keys = new Set(plan.partitionBy.flatMap((e) => (e.kind === "attribute" ? [e.id] : [])));
  return split(plan, parts, (e) => attributesOf(e).length > 0 && within(e, keys));
};

const throughUnion = (plan: Of<"union">, parts: readonly TypedExpr[]): LogicalPlan => {
  const children = plan.children.map((c) => {
    const by = new Map(plan.output.map((a, i) => [a.id, c.output[i]!]));
    return pushed(
      c,
      parts.map((e) => substitute(e, by)),
    );
  });
  return withChildren(plan, children);
};

/** From above: to the sides that are preserved. */
export const FROM_ABOVE: Record<JoinHow, { readonly left: boolean; readonly right: boolean }> = {
  inner: { left: true, right: true },
  cross: { left: true, right: true },
  left: { left: true, right: false },
  right: { left: false, right: true },
  full: { left: false, right: false },
  semi: { left: true, right: false },
  anti: { left: true, right: false },
};
/** From the join's own condition: to the sides that are not. */
const FROM_CONDITION: typeof FROM_ABOVE = {
  inner: { left: true, right: true },
  cross: { left: true, right: true },
  left: { left: false, right: true },
  right: { left: true, right: false },
  full: { left: false, right: false },
  semi: { left: true, right: true },
  anti: { left: false, right: true },
};

const throughJoin = (outer: Of<"join">, parts: readonly TypedExpr[]): LogicalPlan => {
  const plan = withoutNeedlessNulls(outer, [...parts, ...notNullParts(parts)]);
  const [l, r] = [idsOf(plan.left), idsOf(plan.right)];
  const toLeft: TypedExpr[] = [];
  const toRight: TypedExpr[] = [];
  const place = (e: TypedExpr, rule: { readonly left: boolean; readonly right: boolean }): boolean => {
    if (!isDeterministic(e)) return false;
    // what reads no column counts as the left side's
    if (within(e, l)) return rule.left && toLeft.push(e) > 0;
    return rule.right && within(e, r) && toRight.push(e) > 0;
  };
  const own =
    plan.nullAware === true
      ? conjuncts(plan.condition)
      : conjuncts(plan.condition).filter((e) => !place(e, FROM_CONDITION[plan.how]));
  const above = parts.filter((e) => !place(e, FROM_ABOVE[plan.how]));
  const inner = plan.how === "inner" || plan.how === "cross";
  // what compares both sides of an inner join is a part of its condition
  const joining = inner ? above.filter((e) => isDeterministic(e) && crosses(e, l, r)) : [];
  const condition = and([...own, ...joining]);
  const next: LogicalPlan = join(
    pushed(plan.left, toLeft),
    pushed(plan.right, toRight),
    inner ? (condition === undefined ? "cross" : "inner") : plan.how,
    condition,
    {
      ...(plan.origin === undefined ? {} : { origin: plan.origin }),
      ...(plan.constantBounds === undefined ? {} : { constantBounds: plan.constantBounds }),
      ...(plan.nullAware === undefined ? {} : { nullAware: plan.nullAware }),
    },
  );
  const same = Object.freeze({ ...next, output: plan.output });
  return filter(same, and(above.filter((e) => !joining.includes(e))));
};

const crosses = (e: TypedExpr, l: ReadonlySet<number>, r: ReadonlySet<number>): boolean => {
  const used = attributesOf(e);
  return (
    used.some((a) => l.has(a.id)) &&
    used.some((a) => r.has(a.id)) &&
    used.every((a) => l.has(a.id) || r.has(a.id))
  );
};

export const filterPushDown: Rule = { name: "filterPushDown", apply: (plan) => pushed(plan, []) };
