/**
 * LATERAL joins: a generator over the left side, columns of it where the right side is a row of its own, a join where the correlation can be
 * taken out, else `apply`.
 */
import type { Attribute, TypedExpr } from "../expr/ast.ts";
import { type Analysis, fail, type Names, type Resolved } from "./analyse-context.ts";
import { type Env, typeIn } from "./analyse-env.ts";
import { generateOver } from "./analyse-generate.ts";
import { joined } from "./analyse-joined.ts";
import { type Decorrelated, decorrelate, emptyValue } from "./decorrelate.ts";
import { innerQuery } from "./inner-query.ts";
import type { LogicalPlan, Named } from "./logical.ts";
import { applyNode, extend, filter, join, pass, project } from "./nodes.ts";
import { isDeterministic } from "./rules/rule.ts";
import { tableFunctionOf } from "./sql-functions.ts";
import type { Relation } from "./relation.ts";
import { and, attributesOf, caseOf, isNull, substitute, TRUE } from "./typed.ts";
import { BOOLEAN } from "../core/data-type.ts";

/** `JOIN LATERAL`: the right side sees the left's columns. */
export const analyseLateral = (
  a: Analysis,
  rel: Extract<Relation, { kind: "join" }>,
  left: Resolved,
  names: Names,
): Resolved => {
  const generator = generatorBelow(a, rel.right);
  if (
    generator !== undefined &&
    rel.condition === undefined &&
    (rel.how === "inner" || rel.how === "cross" || rel.how === "left")
  )
    return generateOver(a, { ...generator, outer: generator.outer || rel.how === "left" }, left, names);
  const env: Env = { analysis: a, names, visible: left, clause: "LATERAL" };
  const { resolved: right, outer } = innerQuery(a, rel.right, env);
  if (right.plan.streaming && a.options.compatibility === "spark")
    fail(
      "INVALID_SUBQUERY_EXPRESSION.STREAMING_QUERY",
      "Invalid subquery: Streaming query is not allowed in subquery expressions.",
      rel.position,
      "join the stream instead",
    );
  if (rel.how !== "inner" && rel.how !== "cross" && rel.how !== "left")
    return fail(
      "INVALID_LATERAL_JOIN_TYPE",
      `LATERAL joins are INNER, CROSS or LEFT, not ${rel.how.toUpperCase()}.`,
      rel.position,
    );
  const visible = { columns: [...left.columns, ...right.columns], hidden: left.hidden };
  const condition =
    rel.condition === undefined
      ? undefined
      : typeIn({ ...env, visible, clause: "a join condition" }, rel.condition);
  const how = rel.how === "left" ? "left" : "inner";
  const output = right.columns.map((c) => c.attribute);
  const pulled = decorrelate(right.plan, outer, output);
  if (pulled === undefined || pulled.singleRow) {
    const below = belowProjections(right.plan, output);
    const columns =
      below === undefined ? undefined : lateralColumns(a, below, left.plan, outer, how, condition);
    return joined(left, right, columns ?? applyNode(left.plan, right.plan, how, condition, outer));
  }
  const on = and([...(condition === undefined ? [] : [condition]), ...pulled.predicates]);
  const plan = join(left.plan, pulled.plan, on === undefined && how === "inner" ? "cross" : how, on);
  return joined(left, right, plan);
};

interface Below {
  readonly plan: LogicalPlan;
  readonly exprs: readonly Named[];
}

/** `output` in terms of what is below the topmost projections; undefined where taking them apart could compute something twice. */
const belowProjections = (top: LogicalPlan, output: readonly Attribute[]): Below | undefined => {
  let plan = top;
  let exprs: readonly Named[] = output.map(pass);
  while (plan.kind === "project") {
    if (!plan.exprs.every((e) => isDeterministic(e.expr))) return undefined;
    const by = new Map(plan.exprs.map((e) => [e.attribute.id, e.expr]));
    exprs = exprs.map((e) => ({ attribute: e.attribute, expr: substitute(e.expr, by) }));
    plan = plan.child;
  }
  return { plan, exprs };
};

/** The left side with the right one's columns, computed above a join or above the left side alone; undefined where rows must be tried one by one. */
const lateralColumns = (
  a: Analysis,
  below: Below,
  left: LogicalPlan,
  outer: readonly Attribute[],
  how: "inner" | "left",
  condition: TypedExpr | undefined,
): LogicalPlan | undefined => {
  if (how === "left" && condition !== undefined) return undefined;
  const { plan } = below;
  if (plan.kind === "rows" && plan.rows.length === 1 && plan.output.length === 0)
    return filter(extend(left, below.exprs), condition);
  const outside = new Set(outer.map((x) => x.id));
  const inside = attributesOf(...below.exprs.map((e) => e.expr)).filter((x) => !outside.has(x.id));
  const pulled = decorrelate(plan, outer, inside);
  if (pulled === undefined) return undefined;
  if (pulled.singleRow) return filter(groupedRow(a, below, left, pulled, inside), condition);
  if (how === "left") return undefined;
  const on = and(pulled.predicates);
  const both = join(left, pulled.plan, on === undefined ? "cross" : "inner", on);
  return filter(project(both, [...left.output.map(pass), ...below.exprs]), condition);
};

/** An aggregate without GROUP BY gives a row for each left one: grouped by what it was correlated with, and what it gives of no rows elsewhere. */
const groupedRow = (
  a: Analysis,
  below: Below,
  left: LogicalPlan,
  pulled: Decorrelated,
  inside: readonly Attribute[],
): LogicalPlan => {
  const marker = a.attribute("matched", BOOLEAN, true);
  const right = extend(pulled.plan, [{ attribute: marker, expr: TRUE }]);
  const both = join(left, right, "left", and(pulled.predicates), { origin: "subquery" });
  const values = inside.flatMap((x): readonly (readonly [number, TypedExpr])[] => {
    const empty = emptyValue(below.plan, x);
    const found = both.output.find((y) => y.id === x.id)!;
    if (empty.kind === "literal" && empty.value === null) return [[x.id, found]];
    return [[x.id, caseOf([[isNull(marker), empty]], found)]];
  });
  const by = new Map(values);
  const exprs = below.exprs.map((e) => ({ attribute: e.attribute, expr: substitute(e.expr, by) }));
  return project(both, [...left.output.map(pass), ...exprs]);
};

/** `LATERAL explode(t.xs) AS u(x)`: a generator over the left side. */
const generatorBelow = (a: Analysis, rel: Relation): Extract<Relation, { kind: "generate" }> | undefined => {
  if (rel.kind === "generate" && rel.child.kind === "oneRow")
    return tableFunctionOf(a, rel.call) === undefined ? rel : undefined;
  if (rel.kind !== "alias") return undefined;
  const inner = generatorBelow(a, rel.child);
  if (inner === undefined) return undefined;
  return { ...inner, tableAlias: rel.name, ...(rel.columns === undefined ? {} : { columns: rel.columns }) };
};
