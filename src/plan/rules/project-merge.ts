/**
 * A projection over a projection is one, where no expression that costs would be computed more often; a projection that changes nothing goes.
 */
import type { TypedExpr } from "../../expr/ast.ts";
import type { LogicalPlan, Named } from "../logical.ts";
import { project, transformUp } from "../nodes.ts";
import { children, substitute } from "../typed.ts";
import { isCheap, isDeterministic, type Rule } from "./rule.ts";

type Project = Extract<LogicalPlan, { kind: "project" }>;

const uses = (exprs: readonly TypedExpr[]): ReadonlyMap<number, number> => {
  const counts = new Map<number, number>();
  const visit = (e: TypedExpr): void => {
    if (e.kind === "attribute") counts.set(e.id, (counts.get(e.id) ?? 0) + 1);
    else children(e).forEach(visit);
  };
  exprs.forEach(visit);
  return counts;
};

const inLambda = (e: TypedExpr): boolean => e.kind === "lambda" || children(e).some(inLambda);

/** Whether the lower projection may be written into the upper one. */
const mayMerge = (upper: readonly Named[], lower: readonly Named[]): boolean => {
  const counts = uses(upper.map((e) => e.expr));
  const lambdas = upper.some((e) => inLambda(e.expr));
  return lower.every((e) => {
    if (isCheap(e.expr)) return true;
    const n = counts.get(e.attribute.id) ?? 0;
    return isDeterministic(e.expr) ? n <= 1 && !(lambdas && n > 0) : false;
  });
};

const merged = (upper: Project, lower: Project): LogicalPlan => {
  const by = new Map(lower.exprs.map((e) => [e.attribute.id, e.expr]));
  return project(
    lower.child,
    upper.exprs.map((e) => ({ attribute: e.attribute, expr: substitute(e.expr, by) })),
  );
};

const changesNothing = (p: Project): boolean =>
  p.exprs.length === p.child.output.length &&
  p.exprs.every(
    (e, i) =>
      e.expr.kind === "attribute" && e.expr.id === e.attribute.id && p.child.output[i]!.id === e.attribute.id,
  );

export const projectMerge: Rule = {
  name: "projectMerge",
  apply: (plan) =>
    transformUp(plan, (p) => {
      if (p.kind !== "project") return p;
      if (changesNothing(p)) return p.child;
      return p.child.kind === "project" && mayMerge(p.exprs, p.child.exprs) ? merged(p, p.child) : p;
    }),
};
