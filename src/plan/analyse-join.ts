/** Joins: ON, USING, NATURAL, LATERAL. The key columns of USING come once, in front; both sides' own stay reachable by qualifier. */
import { castTo, commonType } from "../expr/coercion.ts";
import type { Attribute, Expr, SourcePosition, TypedExpr } from "../expr/ast.ts";
import {
  type Analysis,
  fail,
  type Names,
  quoted,
  type Resolved,
  sameName,
  type ScopeColumn,
} from "./analyse-context.ts";
import { joinConditionIn, type Env, type SubqueryValues, typeIn } from "./analyse-env.ts";
import { mapExpr } from "./analyse-items.ts";
import { equalKeys, joined } from "./analyse-joined.ts";
import { analyseLateral } from "./analyse-lateral.ts";
import { Subqueries } from "./analyse-subquery.ts";
import { innerQuery } from "./inner-query.ts";
import type { Named } from "./logical.ts";
import { asNullable, join, keep, project } from "./nodes.ts";
import type { JoinHow, Relation } from "./relation.ts";
import { and, attributesOf, callOf } from "./typed.ts";

type Join = Extract<Relation, { kind: "join" }>;

/** The conjuncts of a condition. */
const conjuncts = (e: Expr): readonly Expr[] =>
  e.kind === "call" && e.fn.toLowerCase() === "and" ? e.args.flatMap(conjuncts) : [e];

const holdsSubquery = (e: Expr): boolean => {
  let found = false;
  mapExpr(e, (x) => {
    found ||= x.kind === "subquery";
    return x;
  });
  return found;
};

const allOf = (parts: readonly Expr[]): Expr | undefined =>
  parts.length === 0 ? undefined : parts.reduce((a, b) => ({ kind: "call", fn: "and", args: [a, b] }));

/** `a JOIN b ON x AND EXISTS (…)`: an inner join's subqueries are a filter behind it. */
const subqueriesBehind = (rel: Join): Relation | undefined => {
  if (rel.condition === undefined || rel.lateral === true || !["inner", "cross"].includes(rel.how))
    return undefined;
  const parts = conjuncts(rel.condition);
  const above = allOf(parts.filter(holdsSubquery));
  if (above === undefined) return undefined;
  const { condition: _, ...join } = rel;
  const own = allOf(parts.filter((e) => !holdsSubquery(e)));
  const child: Join = own === undefined ? { ...join, how: "cross" } : { ...join, condition: own };
  return { kind: "filter", child, condition: above, ...(rel.position && { position: rel.position }) };
};

export const analyseJoin = (a: Analysis, rel: Join, names: Names): Resolved => {
  const filtered = subqueriesBehind(rel);
  if (filtered !== undefined) {
    if (a.options.compatibility === "spark") checkSubqueries(a, rel, names);
    return a.relation(filtered, names);
  }
  const left = a.relation(rel.left, names);
  if (rel.lateral === true) return analyseLateral(a, rel, left, names);
  const right = a.relation(rel.right, names);
  const keys = rel.natural === true ? commonNames(left, right) : rel.using;
  if (keys !== undefined && (keys.length > 0 || rel.using !== undefined))
    return usingJoin(a, rel, left, right, keys);
  const both: Resolved = {
    plan: left.plan,
    columns: [...left.columns, ...right.columns],
    hidden: [...left.hidden, ...right.hidden],
  };
  const subqueries = new JoinSubqueries(a, left, right);
  const env: Env = { analysis: a, names, visible: both, clause: "a join condition", subqueries };
  const condition = rel.condition === undefined ? undefined : joinConditionIn(env, rel.condition);
  const how: JoinHow = rel.how === "cross" && condition !== undefined ? "inner" : rel.how;
  const plan = join(subqueries.left.apply(left.plan), subqueries.right.apply(right.plan), how, condition);
  if (!subqueries.left.any && !subqueries.right.any) return joined(left, right, plan);
  const own = new Set([...left.plan.output, ...right.plan.output].map((x) => x.id));
  return joined(
    left,
    right,
    keep(
      plan,
      plan.output.filter((x) => own.has(x.id)),
    ),
  );
};

/** An inner join's subqueries under the rules of the others. */
const checkSubqueries = (a: Analysis, rel: Join, names: Names): void => {
  const [left, right] = [a.relation(rel.left, names), a.relation(rel.right, names)];
  const visible = {
    columns: [...left.columns, ...right.columns],
    hidden: [...left.hidden, ...right.hidden],
  };
  const subqueries = new JoinSubqueries(a, left, right);
  typeIn({ analysis: a, names, visible, clause: "a join condition", subqueries }, rel.condition!);
};

/** Subqueries of an outer, semi or anti join's condition: each becomes a column of the side whose columns it uses. */
class JoinSubqueries implements SubqueryValues {
  readonly left: Subqueries;
  readonly right: Subqueries;
  readonly #analysis: Analysis;
  readonly #ids: readonly [ReadonlySet<number>, ReadonlySet<number>];

  constructor(analysis: Analysis, left: Resolved, right: Resolved) {
    this.#analysis = analysis;
    this.left = new Subqueries(analysis);
    this.right = new Subqueries(analysis);
    this.#ids = [idsOf(left), idsOf(right)];
  }

  resolve(e: Extract<Expr, { kind: "subquery" }>, env: Env): TypedExpr {
    const inner = innerQuery(this.#analysis, e.relation as Relation, env);
    const used = [...inner.outer, ...attributesOf(...e.values.map((v) => typeIn(env, v)))];
    const [left, right] = this.#ids.map((ids) => used.some((x) => ids.has(x.id)));
    if (left === true && right === true)
      return fail(
        "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_EXPRESSION_IN_JOIN_CONDITION",
        "A subquery in a join condition must not use columns of both sides of the join.",
        e.position,
      );
    return (right === true ? this.right : this.left).resolve(e, env);
  }
}

const idsOf = (side: Resolved): ReadonlySet<number> => new Set(side.plan.output.map((x) => x.id));

/** Names that both sides have, each as often as the side that has it fewer times. */
const commonNames = (left: Resolved, right: Resolved): readonly string[] => {
  const free = right.columns.map((c) => c.name.toLowerCase());
  return left.columns
    .map((c) => c.name)
    .filter((name) => {
      const at = free.indexOf(name.toLowerCase());
      if (at >= 0) free.splice(at, 1);
      return at >= 0;
    });
};

const keyColumn = (
  side: Resolved,
  name: string,
  which: string,
  position: SourcePosition | undefined,
): ScopeColumn => {
  // of several columns of the name Spark takes the first
  const found = side.columns.find((c) => sameName(c.name, name));
  if (found !== undefined) return found;
  return fail(
    "UNRESOLVED_USING_COLUMN_FOR_JOIN",
    `USING column ${quoted([name])} cannot be resolved on the ${which} side of the join. The ${which}-side columns: [${side.columns.map((c) => quoted([c.name])).join(", ")}].`,
    position,
  );
};

const usingJoin = (
  a: Analysis,
  rel: Join,
  left: Resolved,
  right: Resolved,
  keys: readonly string[],
): Resolved => {
  const pairs = keys.map((name) => ({
    l: keyColumn(left, name, "left", rel.position),
    r: keyColumn(right, name, "right", rel.position),
  }));
  const how: JoinHow = rel.how === "cross" ? "inner" : rel.how;
  const condition = and(pairs.map(({ l, r }) => equalKeys(l.attribute, r.attribute)));
  const raw = joined(left, right, join(left.plan, right.plan, how, condition));
  const isLeftKey = (c: ScopeColumn): boolean => pairs.some((p) => p.l.attribute.id === c.attribute.id);
  const isRightKey = (c: ScopeColumn): boolean => pairs.some((p) => p.r.attribute.id === c.attribute.id);
  const rest = raw.columns.filter((c) => !isLeftKey(c) && !isRightKey(c));
  const hidden = [...raw.hidden, ...raw.columns.filter((c) => isLeftKey(c) || isRightKey(c))];
  if (how !== "full") {
    const side = how === "right" ? "r" : "l";
    const front = pairs.map((p) => ({
      ...raw.columns.find((c) => c.attribute.id === p[side].attribute.id)!,
    }));
    return reordered(raw, [...front, ...rest], hidden);
  }
  const merged = pairs.map(({ l, r }): Named => {
    const type = commonType([l.attribute.type, r.attribute.type])!;
    const [x, y] = asNullable([l.attribute, r.attribute]);
    const expr = callOf(
      "coalesce",
      [castTo(x!, type), castTo(y!, type)],
      type,
      l.attribute.nullable || r.attribute.nullable,
    );
    return { attribute: a.attribute(l.name, type, expr.nullable), expr };
  });
  const plan = project(raw.plan, [
    ...merged,
    ...raw.plan.output.map((x): Named => ({ attribute: x, expr: x })),
  ]);
  const front = merged.map((m, i): ScopeColumn => ({
    name: pairs[i]!.l.name,
    qualifier: [],
    attribute: m.attribute,
  }));
  return reordered({ ...raw, plan }, [...front, ...rest], hidden);
};

/** The keys first; hidden key columns stay in the plan behind the visible ones. */
const reordered = (
  raw: Resolved,
  columns: readonly ScopeColumn[],
  hidden: readonly ScopeColumn[],
): Resolved => {
  const seen = new Set<number>();
  const order = [...columns, ...hidden]
    .map((c) => c.attribute)
    .filter((x): x is Attribute => !seen.has(x.id) && seen.add(x.id) !== undefined);
  return {
    plan: project(
      raw.plan,
      order.map((x) => ({ attribute: x, expr: x })),
    ),
    columns,
    hidden,
  };
};
