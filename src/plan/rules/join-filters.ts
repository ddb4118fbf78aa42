/**
 * Conditions that follow from a join's condition for its sides, as Spark infers them: a column compared in it is not null, and what is known of a key
 * holds for the key it equals. They keep rows without partners out of state and out of the watermark.
 *
 *  J1 sides: both of inner and semi joins, the not preserved one of outer joins, the right one of anti joins;
 *  J2 of a conjunct that reads both sides, what it asks of one alone goes to that side too (Spark's extra predicates): `(a AND x) OR (b AND y)` asks
 *     `a OR b` of one and `x OR y` of the other.
 */
import type { TypedExpr } from "../../expr/ast.ts";
import type { LogicalPlan } from "../logical.ts";
import { filter, transformUp, withChildren } from "../nodes.ts";
import type { JoinHow } from "../relation.ts";
import { and, attributesOf, conjuncts, exprKey, or } from "../typed.ts";
import { knownOf, withInferred } from "./known.ts";
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

const reads = (e: TypedExpr, side: LogicalPlan): boolean => {
  const own = new Set(side.output.map((a) => a.id));
  const used = attributesOf(e);
  return used.length > 0 && used.every((a) => own.has(a.id));
};

/** The side with those of the conditions that are about it and new to it. */
const withNew = (side: LogicalPlan, conditions: readonly TypedExpr[]): LogicalPlan => {
  const known = new Set(withInferred(knownOf(side)).map((e) => exprKey(e)));
  const fresh = conditions.filter((e) => reads(e, side) && !known.has(exprKey(e)));
  return filter(side, and([...new Map(fresh.map((e) => [exprKey(e), e])).values()]));
};

const atSides = (
  apply: (join: Join) => { readonly left: readonly TypedExpr[]; readonly right: readonly TypedExpr[] },
) => {
  const next = (p: LogicalPlan): LogicalPlan => {
    if (p.kind !== "join" || p.nullAware === true || p.condition === undefined) return p;
    const sides = SIDES[p.how];
    if (!sides.left && !sides.right) return p;
    const { left, right } = apply(p);
    return withChildren(p, [
      sides.left ? withNew(p.left, left) : p.left,
      sides.right ? withNew(p.right, right) : p.right,
    ]);
  };
  return (plan: LogicalPlan): LogicalPlan => transformUp(plan, next);
};

export const joinFilters: Rule = {
  name: "joinFilters",
  apply: atSides((p) => {
    const all = withInferred([...knownOf(p.left), ...knownOf(p.right), ...conjuncts(p.condition)]);
    return { left: all, right: all };
  }),
};

/** What the condition asks of one side alone (J2). */
const asked = (e: TypedExpr, side: LogicalPlan): TypedExpr | undefined => {
  if (e.kind === "call" && (e.fn === "and" || e.fn === "or") && e.args.length === 2) {
    const parts = e.args.map((x) => asked(x, side));
    const [a, b] = parts;
    if (e.fn === "and") return and(parts.filter((x) => x !== undefined));
    return a === undefined || b === undefined ? undefined : or(a, b);
  }
  return reads(e, side) ? e : undefined;
};

export const extraJoinFilters: Rule = {
  name: "extraJoinFilters",
  apply: atSides((p) => {
    const both = conjuncts(p.condition).filter(
      (e) => isDeterministic(e) && !reads(e, p.left) && !reads(e, p.right),
    );
    const of = (side: LogicalPlan): readonly TypedExpr[] => both.flatMap((e) => conjuncts(asked(e, side)));
    return { left: of(p.left), right: of(p.right) };
  }),
};
