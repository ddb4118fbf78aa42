/** ORDER BY, LIMIT and OFFSET. ORDER BY over a select may use what the select does not give (src/plan/analyse-select.ts). */
import type { Expr, TypedExpr } from "../expr/ast.ts";
import { sqlType } from "../expr/type-errors.ts";
import { type Analysis, fail, type Names, type Resolved } from "./analyse-context.ts";
import { type Env, typeIn } from "./analyse-env.ts";
import { checkOrderable } from "./analyse-order.ts";
import { analyseSelect } from "./analyse-select.ts";
import { constantOf } from "./constants.ts";
import { limit, sort } from "./nodes.ts";
import type { Relation } from "./relation.ts";

type Of<K extends Relation["kind"]> = Extract<Relation, { kind: K }>;

export const analyseSort = (a: Analysis, rel: Of<"sort">, names: Names): Resolved => {
  const sorting = { orders: rel.orders, all: rel.all === true };
  return rel.child.kind === "select" && rel.child.pipe === undefined
    ? analyseSelect(a, rel.child, names, sorting)
    : sortRows(a, rel, names);
};

const sortRows = (a: Analysis, rel: Of<"sort">, names: Names): Resolved => {
  const child = a.relation(rel.child, names);
  const env: Env = { analysis: a, names, visible: child, clause: "ORDER BY" };
  const orders =
    rel.all === true
      ? child.columns.map((c) => ({ ...rel.orders[0]!, expr: c.attribute }))
      : rel.orders.map((o) => ({ ...o, expr: orderExpr(env, o.expr, child) }));
  orders.forEach(checkOrderable);
  return { ...child, plan: sort(child.plan, orders) };
};

const orderExpr = (env: Env, e: Expr, child: Resolved): TypedExpr => {
  if (e.kind !== "literal" || e.type.kind !== "int") return typeIn(env, e);
  const column = child.columns[Number(e.value) - 1];
  return (
    column?.attribute ??
    fail(
      "ORDER_BY_POS_OUT_OF_RANGE",
      `ORDER BY position ${String(e.value)} is not in select list (valid range is [1, ${child.columns.length}]).`,
      e.position,
    )
  );
};

export const analyseLimit = (a: Analysis, rel: Of<"limit">, names: Names): Resolved => {
  const child = a.relation(rel.child, names);
  const count = rel.limit === undefined ? undefined : countOf(a, names, child, rel.limit, "limit");
  const offset = rel.offset === undefined ? 0 : countOf(a, names, child, rel.offset, "offset");
  return { ...child, plan: limit(child.plan, count, offset) };
};

/** A constant, not negative number of rows. */
const countOf = (a: Analysis, names: Names, child: Resolved, e: Expr, what: "limit" | "offset"): number => {
  const env: Env = { analysis: a, names, visible: child, clause: what.toUpperCase() };
  if (e.kind === "subquery")
    return fail(
      "INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE",
      `The ${what} expression must evaluate to a constant value.`,
      e.position,
    );
  const typed = typeIn(env, e);
  const constant = constantOf(typed, a.options.timeZone);
  if (constant === undefined)
    return fail(
      "INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE",
      `The ${what} expression must evaluate to a constant value.`,
      e.position,
    );
  const kinds = a.options.compatibility === "spark" ? ["int"] : ["byte", "short", "int", "long"];
  if (!kinds.includes(typed.type.kind))
    return fail(
      "INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE",
      `The ${what} expression must be integer type, but got "${sqlType(typed.type)}".`,
      e.position,
    );
  if (constant.value === null)
    return fail(
      "INVALID_LIMIT_LIKE_EXPRESSION.IS_NULL",
      `The evaluated ${what} expression must not be null.`,
      e.position,
    );
  const n = Number(constant.value);
  if (n < 0)
    return fail(
      "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE",
      `The ${what} expression must be equal to or greater than 0, but got ${n}.`,
      e.position,
    );
  return n;
};
