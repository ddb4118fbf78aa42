/**
 * SELECT: items, DISTINCT, GROUP BY and HAVING, with the ORDER BY around it, whose expressions may use columns and aggregates that are not
 * selected.
 *
 * Order of the nodes: time window, subqueries, [grouping, HAVING], window functions, generator, projection, DISTINCT, sort.
 */
import type { Expr, SortOrder, TypedExpr } from "../expr/ast.ts";
import type { Analysis, Names, Resolved, ScopeColumn } from "./analyse-context.ts";
import { fail, sameName } from "./analyse-context.ts";
import { specifiedWindow, WindowCalls } from "./analyse-collect.ts";
import { type Env, typeIn } from "./analyse-env.ts";
import { aggregateNamed } from "./analyse-functions.ts";
import { type GeneratedItem, generateItem, generatorOf } from "./analyse-generate.ts";
import { type GroupedSelect, groupedSelect } from "./analyse-grouping.ts";
import { type Item, itemsOf, mapExpr, singleAlias, someExpr } from "./analyse-items.ts";
import type { ColumnMatch, Visible } from "./analyse-names.ts";
import { resolveColumn, unresolvedColumn } from "./analyse-names.ts";
import { Subqueries } from "./analyse-subquery.ts";
import { TimeWindows } from "./analyse-time-window.ts";
import type { LogicalPlan, Named } from "./logical.ts";
import { distinctOf, keep, project, sort } from "./nodes.ts";
import type { Relation } from "./relation.ts";
import { exprKey } from "./typed.ts";

export type Select = Extract<Relation, { kind: "select" }>;
/** ORDER BY over a select: `all` is ORDER BY ALL. */
export interface Sorting {
  readonly orders: readonly SortOrder<Expr>[];
  readonly all: boolean;
}

const hasAggregate = (e: Expr): boolean =>
  someExpr(e, (x) => x.kind === "call" && x.udf === undefined && aggregateNamed(x.fn.toLowerCase()));

const isGrouped = (rel: Select, items: readonly Item[], sorting: Sorting | undefined): boolean =>
  rel.groupBy !== undefined ||
  rel.having !== undefined ||
  items.some((i) => hasAggregate(i.expr)) ||
  (sorting?.orders ?? []).some((o) => hasAggregate(o.expr));

/** A select list over its input: what items, HAVING and ORDER BY are typed with, and the plan below the final projection. */
export interface Stage {
  /** For items and HAVING; aggregates and keys already attributes after `finish`. */
  readonly env: Env;
  /** Maps a typed expression to what the plan of `build` gives. Throws MISSING_AGGREGATION. */
  readonly finish: (e: TypedExpr, source: Expr | undefined, clause?: "HAVING" | "ORDER BY") => TypedExpr;
  /** The plan below the projection. Called once, after all expressions are typed. */
  readonly build: () => LogicalPlan;
}

const plainStage = (analysis: Analysis, rel: Select, child: Resolved, names: Names): Stage => {
  const timeWindows = new TimeWindows(analysis);
  const windows = new WindowCalls(analysis, rel.windows);
  const subqueries = new Subqueries(analysis);
  const env: Env = {
    analysis,
    names,
    visible: child,
    clause: "SELECT",
    over: (e, inner) => windows.resolve(e, inner),
    timeWindows,
    subqueries,
  };
  const build = (): LogicalPlan => {
    if (timeWindows.session !== undefined) refuseSession(rel);
    return windows.apply(subqueries.apply(timeWindows.apply(child.plan)));
  };
  return { env, finish: (e) => e, build };
};

const refuseSession = (rel: Select): never =>
  fail(
    "UNSUPPORTED_EXPR_FOR_OPERATOR",
    "session_window(…) is a grouping key: rows make sessions together.",
    rel.position,
    "put it into GROUP BY",
  );

const lateralAlias =
  (done: ReadonlyMap<number, TypedExpr>, items: readonly Item[]) =>
  (parts: readonly string[]): ColumnMatch | undefined => {
    const found = items.flatMap((item, i) => (sameName(item.name, parts[0]!) && done.has(i) ? [i] : []));
    if (found.length === 0) return undefined;
    if (found.length > 1)
      return fail(
        "AMBIGUOUS_LATERAL_COLUMN_ALIAS",
        `Lateral column alias \`${parts[0]}\` is ambiguous and has ${found.length} matches.`,
      );
    return { base: done.get(found[0]!)!, rest: parts.slice(1) };
  };

/** The items typed, in order; each sees the aliases before it. */
const typeItems = (stage: Stage, items: readonly Item[]): readonly TypedExpr[] => {
  const done = new Map<number, TypedExpr>();
  items.forEach((item, i) => {
    singleAlias(item);
    const label = item.expr.kind === "over" ? { label: item.name } : {};
    done.set(i, typeIn({ ...stage.env, ...label, alias: lateralAlias(done, items) }, item.expr));
  });
  return items.map((item, i) => stage.finish(done.get(i)!, item.expr));
};

/** The select list with the windows of the WINDOW clause in place of their names, so that columns show them. */
const withNamedWindows = (rel: Select): readonly Expr[] =>
  rel.windows === undefined
    ? rel.exprs
    : rel.exprs.map((e) => mapExpr(e, (x) => (x.kind === "over" ? specifiedWindow(x, rel.windows!) : x)));

export const analyseSelect = (
  analysis: Analysis,
  rel: Select,
  names: Names,
  sorting?: Sorting | undefined,
  given?: Resolved,
): Resolved => {
  const child = given ?? analysis.relation(rel.child, names);
  const items = itemsOf(child, withNamedWindows(rel));
  if (isGrouped(rel, items, sorting))
    return finishSelect(analysis, rel, items, groupedSelect(analysis, rel, child, names, items), sorting);
  const generated = items.findIndex((i) => generatorOf(i.expr) !== undefined);
  if (generated >= 0) return withGenerator(analysis, rel, child, names, items, generated, sorting);
  return finishSelect(analysis, rel, items, plainStage(analysis, rel, child, names), sorting);
};

/** A generator as an item: its columns are made below, the item becomes references to them. */
const withGenerator = (
  analysis: Analysis,
  rel: Select,
  child: Resolved,
  names: Names,
  items: readonly Item[],
  index: number,
  sorting: Sorting | undefined,
): Resolved => {
  const made: GeneratedItem = generateItem(analysis, child, names, items, index);
  return finishSelect(analysis, rel, made.items, plainStage(analysis, rel, made.input, names), sorting);
};

const finishSelect = (
  analysis: Analysis,
  rel: Select,
  items: readonly Item[],
  stage: Stage | GroupedSelect,
  sorting: Sorting | undefined,
): Resolved => {
  const exprs = typeItems(stage, items);
  const named = items.map((item, i): Named => namedItem(analysis, item, exprs[i]!));
  const columns = named.map((n, i): ScopeColumn => ({
    name: items[i]!.name,
    qualifier: items[i]!.qualifier,
    attribute: n.attribute,
  }));
  if ("having" in stage) stage.having(rel.having);
  const output = columns.map((c) => c.attribute);
  if (sorting === undefined) {
    const plan = project(stage.build(), named);
    return { plan: rel.distinct === true ? distinctOf(plan) : plan, columns, hidden: [] };
  }
  const orders = typeOrders(stage, sorting, columns, named, rel.distinct === true);
  const extra = orders.extra.map((e): Named => ({ attribute: analysis.named("order", e), expr: e }));
  const byKey = new Map(extra.map((n) => [exprKey(n.expr), n.attribute]));
  const below = project(stage.build(), [...named, ...extra]);
  const rows = rel.distinct === true ? distinctOf(below) : below;
  const sorted = sort(
    rows,
    orders.orders.map((o) => ({ ...o, expr: orders.inOutput.has(o) ? o.expr : byKey.get(exprKey(o.expr))! })),
  );
  return { plan: keep(sorted, output), columns, hidden: [] };
};

/** A plain column keeps its attribute (and so its event time) unless it is renamed. */
const namedItem = (analysis: Analysis, item: Item, expr: TypedExpr): Named => {
  if (expr.kind !== "attribute") return { attribute: analysis.named(item.name, expr), expr };
  const { position: _p, ...attribute } = expr;
  return item.aliases === undefined && expr.name === item.name
    ? { attribute, expr: attribute }
    : { attribute: analysis.named(item.name, expr), expr: attribute };
};

interface TypedOrders {
  readonly orders: readonly SortOrder<TypedExpr>[];
  /** Orders over output columns; the others are computed beside them. */
  readonly inOutput: ReadonlySet<SortOrder<TypedExpr>>;
  readonly extra: readonly TypedExpr[];
}

const typeOrders = (
  stage: Stage,
  sorting: Sorting,
  columns: readonly ScopeColumn[],
  named: readonly Named[],
  distinct: boolean,
): TypedOrders => {
  if (sorting.all) {
    const orders = columns.map((c) => ({ expr: c.attribute, descending: false, nullsFirst: true }));
    return { orders, inOutput: new Set(orders), extra: [] };
  }
  const byExpr = new Map(named.map((n) => [exprKey(n.expr), n.attribute]));
  const outputIds = new Set(columns.map((c) => c.attribute.id));
  const inOutput = new Set<SortOrder<TypedExpr>>();
  const extra = new Map<string, TypedExpr>();
  const orders = sorting.orders.map((o) => {
    const { expr, overOutput } = typeOrder(stage, o.expr, columns, named);
    const same = overOutput ? undefined : byExpr.get(exprKey(expr));
    const result = { ...o, expr: same ?? expr };
    if (overOutput || same !== undefined) inOutput.add(result);
    else if (distinct && !(expr.kind === "attribute" && outputIds.has(expr.id))) notSelected(o.expr, columns);
    else extra.set(exprKey(expr), expr);
    return result;
  });
  return { orders, inOutput, extra: [...extra.values()] };
};

/** SELECT DISTINCT … ORDER BY sees selected columns only. */
const notSelected = (e: Expr, columns: readonly ScopeColumn[]): never => {
  let parts: readonly string[] = [];
  someExpr(e, (x) => {
    if (x.kind === "column") parts = x.parts;
    return x.kind === "column";
  });
  return unresolvedColumn({ columns, hidden: [] }, parts, e.position);
};

/**
 * One ORDER BY expression: a position, or names of the output first and of the input second. What uses the output only is computed above
 * the projection; in the rest the output's names stand for the selected expressions.
 */
const typeOrder = (
  stage: Stage,
  e: Expr,
  columns: readonly ScopeColumn[],
  named: readonly Named[],
): { readonly expr: TypedExpr; readonly overOutput: boolean } => {
  if (e.kind === "literal" && e.type.kind === "int") {
    const column = columns[Number(e.value) - 1];
    if (column === undefined)
      return fail(
        "ORDER_BY_POS_OUT_OF_RANGE",
        `ORDER BY position ${String(e.value)} is not in select list (valid range is [1, ${columns.length}]).`,
        e.position,
      );
    return { expr: column.attribute, overOutput: true };
  }
  const output: Visible = { columns, hidden: [] };
  if (e.kind === "column") {
    const match = resolveColumn(output, e.parts, e.position);
    if (match?.rest.length === 0) return { expr: match.base, overOutput: true };
  }
  const byAttribute = new Map(named.map((n) => [n.attribute.id, n.expr]));
  const inSelected = (parts: readonly string[], position: Expr["position"]): ColumnMatch | undefined => {
    const match = resolveColumn(output, parts, position);
    return match?.base.kind === "attribute"
      ? { base: byAttribute.get(match.base.id) ?? match.base, rest: match.rest }
      : match;
  };
  return {
    expr: stage.finish(typeIn({ ...stage.env, clause: "ORDER BY", alias: inSelected }, e), e, "ORDER BY"),
    overOutput: false,
  };
};
