/**
 * Conditions that follow from a join's condition for its sides, as Spark infers them: a column compared in it is not null, and what is known of a key
 * holds for the key it equals. They keep rows without partners out of state and out of the watermark.
 *
 * Sides: both of inner and semi joins, the not preserved one of outer joins, the right one of anti joins.
 */
import type { Attribute, TypedExpr } from "../../expr/ast.ts";
import { equiKeys } from "../join-watermarks.ts";
import type { LogicalPlan } from "../logical.ts";
import { filter, transformUp, withChildren } from "../nodes.ts";
import type { JoinHow } from "../relation.ts";
import { and, attributesOf, conjuncts, exprKey, isNotNull, substitute } from "../typed.ts";
import { isDeterministic, type Rule } from "./rule.ts";

type Join = Extract<LogicalPlan, { kind: "join" }>;

const SIDES: Record<JoinHow, { readonly left: boolean; readonly right: boolean }> = {
  inner: { left: true, right: true },
  cross: { left: false, right: false },
  left: { left: false, right: true },
  right: { left: true, right: false },
  full: { left: false, right: false },
  semi: { left: true, right: true },
  anti: { left: false, right: true },
};

const COMPARISONS = new Set(["=", "<", "<=", ">", ">=", "<>"]);
const PASSES_NULL = new Set(["+", "-", "*", "upper", "lower"]);

/** Columns that make the expression null when they are null. */
const strictColumns = (e: TypedExpr): readonly Attribute[] => {
  if (e.kind === "attribute") return [e];
  if (e.kind === "cast" || e.kind === "field") return strictColumns(e.child);
  return e.kind === "call" && PASSES_NULL.has(e.fn) ? e.args.flatMap(strictColumns) : [];
};

const comparedColumns = (condition: TypedExpr | undefined): readonly Attribute[] =>
  conjuncts(condition).flatMap((c) =>
    c.kind === "call" && COMPARISONS.has(c.fn) ? c.args.flatMap(strictColumns) : [],
  );

/** What every row of the plan fulfils, over its output. */
const knownOf = (plan: LogicalPlan): readonly TypedExpr[] => {
  switch (plan.kind) {
    case "filter":
      return [...conjuncts(plan.condition).filter(isDeterministic), ...knownOf(plan.child)];
    case "watermark":
    case "sort":
      return knownOf(plan.child);
    case "project": {
      const have = new Set(plan.output.map((a) => a.id));
      const kept = knownOf(plan.child).filter((e) => attributesOf(e).every((a) => have.has(a.id)));
      const renames = plan.exprs.filter((e) => e.expr.kind === "attribute" && e.expr.id !== e.attribute.id);
      const by = new Map(renames.map((e) => [(e.expr as Attribute).id, e.attribute as TypedExpr]));
      const moved = knownOf(plan.child)
        .map((e) => substitute(e, by))
        .filter((e) => attributesOf(e).every((a) => have.has(a.id)));
      return [...kept, ...moved];
    }
    default:
      return [];
  }
};

const inferred = (
  join: Join,
): { readonly left: readonly TypedExpr[]; readonly right: readonly TypedExpr[] } => {
  const keys = equiKeys(join);
  const [l, r] = [
    new Map(join.left.output.map((a) => [a.id, a])),
    new Map(join.right.output.map((a) => [a.id, a])),
  ];
  const compared = comparedColumns(join.condition);
  const present = (side: ReadonlyMap<number, Attribute>): readonly TypedExpr[] =>
    [...new Set(compared.map((a) => a.id))].flatMap((id) => {
      const own = side.get(id);
      return own?.nullable === true ? [isNotNull(own)] : [];
    });
  const carried = (
    from: LogicalPlan,
    fromKeys: readonly TypedExpr[],
    toKeys: readonly TypedExpr[],
  ): readonly TypedExpr[] =>
    fromKeys.flatMap((k, i) => {
      const to = toKeys[i]!;
      if (k.kind !== "attribute" || to.kind !== "attribute") return [];
      return knownOf(from)
        .filter((e) => attributesOf(e).length === 1 && attributesOf(e)[0]!.id === k.id)
        .map((e) => substitute(e, new Map([[k.id, to]])));
    });
  return {
    left: [...present(l), ...carried(join.right, keys.right, keys.left)],
    right: [...present(r), ...carried(join.left, keys.left, keys.right)],
  };
};

const withNew = (plan: LogicalPlan, conditions: readonly TypedExpr[]): LogicalPlan => {
  const known = new Set(knownOf(plan).map((e) => exprKey(e)));
  const fresh = new Map(conditions.map((e) => [exprKey(e), e]));
  for (const k of known) fresh.delete(k);
  return filter(plan, and([...fresh.values()]));
};

export const joinFilters: Rule = {
  name: "joinFilters",
  apply: (plan) =>
    transformUp(plan, (p) => {
      if (p.kind !== "join" || p.nullAware === true) return p;
      const sides = SIDES[p.how];
      const more = inferred(p);
      return withChildren(p, [
        sides.left ? withNew(p.left, more.left) : p.left,
        sides.right ? withNew(p.right, more.right) : p.right,
      ]);
    }),
};
