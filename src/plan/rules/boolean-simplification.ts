/**
 * `true AND x`, `x OR true`, `NOT true`, branches of CASE that are decided, and filters that are true for all rows.
 *
 *  B1 conditions become conjunctions where they can: each part then goes down on its own (filter-push-down.ts).
 */
import { BOOLEAN } from "../../core/data-type.ts";
import type { TypedExpr } from "../../expr/ast.ts";
import { transformUp } from "../nodes.ts";
import { and, callOf, conjuncts, exprKey, literal, not, or, rewrite } from "../typed.ts";
import { isDeterministic, mapNodeExprs, type Rule } from "./rule.ts";

const isLiteral = (e: TypedExpr | undefined, value: boolean): boolean =>
  e?.kind === "literal" && e.value === value;
const FALSE = literal(false, BOOLEAN);
const TRUE = literal(true, BOOLEAN);

const simplified = (e: TypedExpr): TypedExpr => {
  if (e.kind === "case") return decided(e);
  if (e.kind !== "call") return e;
  const [a, b] = e.args;
  switch (e.fn) {
    case "and":
      if (isLiteral(a, true)) return b!;
      if (isLiteral(b, true)) return a!;
      return isLiteral(a, false) || (isLiteral(b, false) && isDeterministic(a!)) ? FALSE : e;
    case "or":
      if (isLiteral(a, false)) return b!;
      if (isLiteral(b, false)) return a!;
      return isLiteral(a, true) || (isLiteral(b, true) && isDeterministic(a!)) ? TRUE : factored(a!, b!, e);
    case "not":
      return isLiteral(a, true) ? FALSE : isLiteral(a, false) ? TRUE : negated(a!, e);
    default:
      return e;
  }
};

/** B1: what both alternatives ask is asked once, in front. */
const factored = (a: TypedExpr, b: TypedExpr, e: TypedExpr): TypedExpr => {
  const [left, right] = [conjuncts(a), conjuncts(b)];
  const keys = new Set(right.map((x) => exprKey(x)));
  const common = left.filter((x) => keys.has(exprKey(x)) && isDeterministic(x));
  if (common.length === 0) return e;
  const asked = new Set(common.map((x) => exprKey(x)));
  const rest = [left, right].map((side) => and(side.filter((x) => !asked.has(exprKey(x)))));
  const [x, y] = rest;
  return and(x === undefined || y === undefined ? common : [...common, or(x, y)])!;
};

const OPPOSITE: ReadonlyMap<string, string> = new Map([
  ["<", ">="],
  ["<=", ">"],
  [">", "<="],
  [">=", "<"],
]);

/** B1: a negation goes to the parts. */
const negated = (a: TypedExpr, e: TypedExpr): TypedExpr => {
  if (a.kind !== "call") return e;
  if (a.fn === "not") return a.args[0]!;
  const opposite = OPPOSITE.get(a.fn);
  if (opposite !== undefined) return callOf(opposite, a.args, BOOLEAN);
  if (a.fn === "or") return and(a.args.map(not))!;
  return a.fn === "and" ? or(not(a.args[0]!), not(a.args[1]!)) : e;
};

/** Branches that can never be taken go; one that is always taken ends the list. */
const decided = (e: TypedExpr & { kind: "case" }): TypedExpr => {
  const never = (c: TypedExpr): boolean => c.kind === "literal" && c.value !== true;
  const open = e.branches.filter(([c]) => !never(c));
  const always = open.findIndex(([c]) => isLiteral(c, true));
  if (always === 0) return open[0]![1];
  if (always > 0) return { ...e, branches: open.slice(0, always), otherwise: open[always]![1] };
  if (open.length === 0) return e.otherwise;
  return open.length === e.branches.length ? e : { ...e, branches: open };
};

export const booleanSimplification: Rule = {
  name: "booleanSimplification",
  apply: (plan) =>
    transformUp(plan, (p) => {
      const next = mapNodeExprs(p, (e) => rewrite(e, simplified));
      return next.kind === "filter" && isLiteral(next.condition, true) ? next.child : next;
    }),
};
