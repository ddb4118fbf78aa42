/**
 * WHERE. Conjuncts that are EXISTS or IN (subquery) become semi and anti joins; other subqueries inside become columns joined on below.
 */
import { BOOLEAN } from "../core/data-type.ts";
import type { Expr, TypedExpr } from "../expr/ast.ts";
import type { Analysis, Names, Resolved } from "./analyse-context.ts";
import { conditionIn, type Env } from "./analyse-env.ts";
import { expandArguments } from "./analyse-items.ts";
import { resolveColumn } from "./analyse-names.ts";
import { Subqueries } from "./analyse-subquery.ts";
import { isHidden, isUnresolved, withHiddenColumns } from "./hidden-columns.ts";
import { filter, keep } from "./nodes.ts";
import type { Relation } from "./relation.ts";
import { and, nullOf } from "./typed.ts";

type Filter = Extract<Relation, { kind: "filter" }>;

export const analyseFilter = (a: Analysis, rel: Filter, names: Names): Resolved => {
  try {
    return filtered(a, rel, names);
  } catch (e) {
    if (rel.verb !== true || !isUnresolved(e)) throw e;
    const again = withHiddenColumns(rel, (below, c) => {
      const visible = a.relation(below, names);
      return resolveColumn(visible, c.parts, c.position) !== undefined;
    });
    if (again === undefined) throw e;
    const { plan, columns, hidden } = filtered(a, again, names);
    const shown = columns.filter((c) => !isHidden(c.name));
    return {
      plan: keep(
        plan,
        shown.map((c) => c.attribute),
      ),
      columns: shown,
      hidden,
    };
  }
};

const filtered = (a: Analysis, rel: Filter, names: Names): Resolved => {
  const child = a.relation(rel.child, names);
  const subqueries = new Subqueries(a);
  const env: Env = { analysis: a, names, visible: child, clause: "WHERE", subqueries };
  let plan = child.plan;
  const rest: TypedExpr[] = [];
  const parts = conjunctsOf(expandArguments(child, rel.condition, names.outer));
  for (const part of parts) {
    const sub = subqueryOf(part);
    // beside another condition NULL is one that no row fulfils
    if (parts.length > 1 && part.kind === "literal" && part.value === null) rest.push(nullOf(BOOLEAN));
    else if (sub === undefined) rest.push(conditionIn(env, part));
    else plan = subqueries.join(plan, sub, env);
  }
  const kept = filter(subqueries.apply(plan), and(rest));
  return { ...child, plan: subqueries.any ? keep(kept, child.plan.output) : kept };
};

/** The conjuncts of an unresolved condition, left to right. */
const conjunctsOf = (e: Expr): readonly Expr[] => {
  const out: Expr[] = [];
  const stack = [e];
  while (stack.length > 0) {
    const x = stack.pop()!;
    if (x.kind === "call" && x.fn.toLowerCase() === "and") stack.push(...[...x.args].reverse());
    else out.push(x);
  }
  return out;
};

type Subquery = Extract<Expr, { kind: "subquery" }>;

/** EXISTS or IN, with NOTs around it folded into `negated`. */
const subqueryOf = (e: Expr): Subquery | undefined => {
  if (e.kind === "subquery") return e.mode === "scalar" ? undefined : e;
  if (e.kind !== "call" || e.fn.toLowerCase() !== "not" || e.args.length !== 1) return undefined;
  const inner = subqueryOf(e.args[0]!);
  return inner === undefined ? undefined : { ...inner, negated: !inner.negated };
};
