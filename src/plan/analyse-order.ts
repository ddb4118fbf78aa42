/**
 * ORDER BY over a select list.
 *
 *  O1 a name is the output's first, else a column of the input (below an aggregate: a key of it);
 *  O2 an expression that the output cannot answer (a name twice, no such field) is taken from the input as a whole;
 *  O3 behind DISTINCT only the output is to be seen; with compatibility "spark" by its names only;
 *  O4 IN, EXISTS and correlated subqueries have no place in a sort;
 *  O5 with compatibility "spark" window functions and correlated subqueries have none.
 */
import { AnalysisError } from "../core/errors.ts";
import type { Expr, SortOrder, TypedExpr } from "../expr/ast.ts";
import { isOrderable } from "../expr/coercion.ts";
import { sqlType } from "../expr/type-errors.ts";
import { fail, type ScopeColumn } from "./analyse-context.ts";
import { type Env, typeIn } from "./analyse-env.ts";
import type { GroupedSelect } from "./analyse-grouping.ts";
import { someExpr } from "./analyse-items.ts";
import { type ColumnMatch, resolveColumn, unresolvedColumn, type Visible } from "./analyse-names.ts";
import type { Sorting, Stage } from "./analyse-select.ts";
import type { Named } from "./logical.ts";
import { attributesOf, exprKey, replace } from "./typed.ts";

export interface TypedOrders {
  readonly orders: readonly SortOrder<TypedExpr>[];
  /** Orders over output columns; the others are computed beside them. */
  readonly inOutput: ReadonlySet<SortOrder<TypedExpr>>;
  readonly extra: readonly TypedExpr[];
}

/** What ORDER BY sorts: the columns of a select list and the expressions they stand for. */
interface Output {
  readonly columns: readonly ScopeColumn[];
  readonly named: readonly Named[];
  readonly distinct: boolean;
}

export const typeOrders = (
  stage: Stage | GroupedSelect,
  sorting: Sorting,
  columns: readonly ScopeColumn[],
  named: readonly Named[],
  distinct: boolean,
): TypedOrders => {
  if (sorting.all) {
    const [written] = sorting.orders;
    const { descending = false, nullsFirst = true } = written ?? {};
    const orders = columns.map((c) => ({ expr: c.attribute, descending, nullsFirst }));
    orders.forEach(checkOrderable);
    return { orders, inOutput: new Set(orders), extra: [] };
  }
  const output: Output = { columns, named, distinct };
  const byExpr = new Map(named.map((n) => [exprKey(n.expr), n.attribute]));
  const inOutput = new Set<SortOrder<TypedExpr>>();
  const extra = new Map<string, TypedExpr>();
  const orders = sorting.orders.map((o) => {
    refuseSubqueries(o.expr);
    const { expr, overOutput } = typeOrder(stage, o.expr, output);
    const same = overOutput ? undefined : byExpr.get(exprKey(expr));
    const result = { ...o, expr: same ?? expr };
    checkOrderable(result);
    if (overOutput || same !== undefined) inOutput.add(result);
    else if (distinct) notSelected(o.expr, columns);
    else extra.set(exprKey(expr), expr);
    return result;
  });
  return { orders, inOutput, extra: [...extra.values()] };
};

export const checkOrderable = (o: SortOrder<TypedExpr>): void => {
  if (!isOrderable(o.expr.type))
    fail(
      "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
      `The \`sortorder\` does not support ordering on type "${sqlType(o.expr.type)}".`,
      o.expr.position,
    );
};

/** O4. */
const refuseSubqueries = (e: Expr): void => {
  someExpr(e, (x) => {
    if (x.kind === "subquery" && x.mode !== "scalar")
      fail(
        "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY",
        "IN and EXISTS predicate subqueries cannot stand in ORDER BY.",
        x.position,
        "select it under a name and order by the name",
      );
    return false;
  });
};

/** O3. */
const notSelected = (e: Expr, columns: readonly ScopeColumn[]): never => {
  let parts: readonly string[] = [];
  someExpr(e, (x) => {
    if (x.kind === "column") parts = x.parts;
    return x.kind === "column";
  });
  return unresolvedColumn({ columns, hidden: [] }, parts, e.position);
};

interface TypedOrder {
  readonly expr: TypedExpr;
  readonly overOutput: boolean;
}

const typeOrder = (given: Stage | GroupedSelect, e: Expr, output: Output): TypedOrder => {
  const visible: Visible = { columns: output.columns, hidden: [] };
  if (e.kind === "literal" && e.type.kind === "int") return atPosition(Number(e.value), e, output.columns);
  const { analysis, names } = given.env;
  const spark = analysis.options.compatibility === "spark";
  if (spark && output.distinct) {
    const env: Env = { analysis, names, visible, clause: "ORDER BY", aggregate: noAggregate, over: noWindow };
    return { expr: typeIn(env, e), overOutput: true };
  }
  const stage = { ...given, env: { ...given.env, proposed: visible, ...(spark && { over: noWindow }) } };
  try {
    return withOutput(stage, e, output);
  } catch (error) {
    if (!unclear(error)) throw error;
    try {
      const expr = typeIn({ ...stage.env, clause: "ORDER BY" }, e);
      return { expr: stage.finish(expr, e, "ORDER BY"), overOutput: false };
    } catch (second) {
      throw "having" in stage && !unclear(second) ? second : error;
    }
  }
};

/** O3: what it aggregates is looked at first. */
const noAggregate: NonNullable<Env["aggregate"]> = (call, { aggregate: _, ...env }) => {
  call.args.forEach((x) => x.kind === "star" || typeIn(env, x));
  return typeIn(env, call);
};

/** O5. */
const noWindow = (e: Expr): never =>
  fail(
    "UNSUPPORTED_EXPR_FOR_OPERATOR",
    "A window function cannot stand in ORDER BY.",
    e.position,
    "select it under a name and order by the name",
  );

const atPosition = (n: number, e: Expr, columns: readonly ScopeColumn[]): TypedOrder => {
  const column = columns[n - 1];
  if (column === undefined)
    return fail(
      "ORDER_BY_POS_OUT_OF_RANGE",
      `ORDER BY position ${n} is not in select list (valid range is [1, ${columns.length}]).`,
      e.position,
    );
  return { expr: column.attribute, overOutput: true };
};

/** A name that means several things, or a value without such a part: another scope may know better. */
export const unclear = (e: unknown): boolean =>
  e instanceof AnalysisError &&
  e.errorClass !== undefined &&
  (["AMBIGUOUS_REFERENCE", "AMBIGUOUS_REFERENCE_TO_FIELDS", "FIELD_NOT_FOUND"].includes(e.errorClass) ||
    e.errorClass.startsWith("INVALID_EXTRACT"));

/** O1. What uses nothing but the output is sorted by it; else its names stand for the selected expressions. */
const withOutput = (stage: Stage, e: Expr, { columns, named, distinct }: Output): TypedOrder => {
  const visible: Visible = { columns, hidden: [] };
  const first = (parts: readonly string[], position: Expr["position"]): ColumnMatch | undefined =>
    resolveColumn(visible, parts, position);
  if (e.kind === "column") {
    const match = first(e.parts, e.position);
    if (match?.rest.length === 0) return { expr: match.base, overOutput: true };
  }
  const typed = typeIn({ ...stage.env, clause: "ORDER BY", first }, e);
  const selected = new Map(named.map((n) => [n.attribute.id, n.expr]));
  if (distinct && attributesOf(typed).every((x) => selected.has(x.id)))
    return { expr: typed, overOutput: true };
  const below = replace(typed, (x) => (x.kind === "attribute" ? selected.get(x.id) : undefined));
  return { expr: stage.finish(below, e, "ORDER BY"), overOutput: false };
};
