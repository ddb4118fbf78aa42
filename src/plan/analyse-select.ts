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
import { type Item, itemsOf, mapExpr, singleAlias, someExpr, withSubqueryNames } from "./analyse-items.ts";
import type { ColumnMatch } from "./analyse-names.ts";
import { typeOrders } from "./analyse-order.ts";
import { pipedSelect } from "./analyse-pipe.ts";
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
  written: Select,
  names: Names,
  sorting?: Sorting | undefined,
  given?: Resolved,
): Resolved => {
  const child = given ?? analysis.relation(written.child, names);
  const rel = written.pipe === undefined ? written : pipedSelect(written, child, hasAggregate);
  const items = itemsOf(child, withNamedWindows(rel), names.outer);
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
  unnamed: readonly Item[],
  stage: Stage | GroupedSelect,
  sorting: Sorting | undefined,
): Resolved => {
  const exprs = typeItems(stage, unnamed);
  const items = withSubqueryNames(unnamed, stage.env.visible, {
    text: stage.env.names.outer?.text,
    uses: (relation) => analysis.outerUses.get(relation as object) ?? [],
  });
  const named = items.map((item, i): Named => namedItem(analysis, item, exprs[i]!));
  const columns = named.map((n, i): ScopeColumn => ({
    name: items[i]!.name,
    qualifier: items[i]!.qualifier,
    attribute: n.attribute,
  }));
  const env = "having" in stage ? stage.having(rel.having, exprs) : stage.env;
  const output = columns.map((c) => c.attribute);
  if (sorting === undefined) {
    const plan = project(stage.build(), named);
    return { plan: rel.distinct === true ? distinctOf(plan) : plan, columns, hidden: [] };
  }
  const orders = typeOrders({ ...stage, env }, sorting, columns, named, rel.distinct === true);
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
