/**
 * SELECT: items, DISTINCT, GROUP BY and HAVING, with the ORDER BY around it, whose expressions may use columns and aggregates that are not
 * selected.
 *
 * Order of the nodes: time window, subqueries, [grouping, HAVING], window functions, generator, projection, DISTINCT, sort.
 */
import { SQL_EXPRESSION_NODES_MAX } from "../core/limits.ts";
import type { Expr, SortOrder, TypedExpr } from "../expr/ast.ts";
import type { Analysis, Names, Resolved, ScopeColumn } from "./analyse-context.ts";
import { fail, sameName } from "./analyse-context.ts";
import { specifiedWindow, WindowCalls } from "./analyse-collect.ts";
import { conditionIn, type Env, typeIn } from "./analyse-env.ts";
import { isAggregateCall } from "./analyse-functions.ts";
import { type GeneratedItem, generateItem, generatorOf } from "./analyse-generate.ts";
import { type GroupedSelect, groupedSelect } from "./analyse-grouping.ts";
import {
  type Item,
  itemsOf,
  mapExpr,
  nameOf,
  singleAlias,
  someExpr,
  withSubqueryNames,
} from "./analyse-items.ts";
import type { ColumnMatch } from "./analyse-names.ts";
import { typeOrders } from "./analyse-order.ts";
import { pipedSelect } from "./analyse-pipe.ts";
import { refuseMaps } from "./analyse-set-operation.ts";
import { Subqueries } from "./analyse-subquery.ts";
import { TimeWindows } from "./analyse-time-window.ts";
import type { LogicalPlan, Named } from "./logical.ts";
import { distinctOf, extend, filter, keep, project, sort } from "./nodes.ts";
import type { Relation } from "./relation.ts";
import { children, exprKey } from "./typed.ts";
import { variableText } from "./variables.ts";

export type Select = Extract<Relation, { kind: "select" }>;
/** ORDER BY over a select: `all` is ORDER BY ALL. */
export interface Sorting {
  readonly orders: readonly SortOrder<Expr>[];
  readonly all: boolean;
}

const hasAggregate = (e: Expr): boolean => someExpr(e, isAggregateCall);

/** The select with the names of the session's own aggregates made calls of them. */
const withUserAggregates = (
  analysis: Analysis,
  rel: Select,
  sorting: Sorting | undefined,
): readonly [Select, Sorting | undefined] => {
  if (!analysis.hasUserAggregates) return [rel, sorting];
  const bound = (e: Expr): Expr => mapExpr(e, (x) => analysis.userAggregate(x));
  const select = {
    ...rel,
    exprs: rel.exprs.map(bound),
    ...(rel.having === undefined ? {} : { having: bound(rel.having) }),
  };
  const orders = sorting?.orders.map((o) => ({ ...o, expr: bound(o.expr) }));
  return [select, sorting === undefined ? undefined : { ...sorting, orders: orders! }];
};

/** Spark makes no aggregate of a query that holds some in ORDER BY only. */
const isGrouped = (
  rel: Select,
  items: readonly Item[],
  sorting: Sorting | undefined,
  spark: boolean,
): boolean =>
  rel.groupBy !== undefined ||
  rel.having !== undefined ||
  items.some((i) => hasAggregate(i.expr)) ||
  (!spark && (sorting?.orders ?? []).some((o) => hasAggregate(o.expr)));

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

/** Refuses aliases of aliases that stand for more than anything could compute; shared parts are looked at once. */
const giantRefusal = (rel: Select): ((e: TypedExpr) => void) => {
  const sizes = new Map<TypedExpr, number>();
  const sizeOf = (e: TypedExpr): number => {
    const known = sizes.get(e);
    if (known !== undefined) return known;
    const size = children(e).reduce((n, x) => n + sizeOf(x), 1);
    sizes.set(e, size);
    return size;
  };
  return (e) => {
    if (sizeOf(e) > SQL_EXPRESSION_NODES_MAX)
      fail(
        "FAILED_TO_PARSE_TOO_COMPLEX",
        `The statement is too complex: with its aliases put in, an item of SELECT has more than ${SQL_EXPRESSION_NODES_MAX} parts.`,
        rel.position,
        "compute the aliases in a subquery",
      );
  };
};

/** Whether what other items name is computed once, in a projection of its own: nothing is made below this one that could need it there. */
const computesOnce = (stage: Stage, items: readonly Item[], rel: Select): boolean =>
  !("having" in stage) &&
  rel.qualify === undefined &&
  !items.some((item) => someExpr(item.expr, (x) => x.kind === "over" || x.kind === "subquery"));

/** The items typed, in order; each sees the aliases before it. `shared`: takes what several of them use. */
const typeItems = (
  stage: Stage,
  items: readonly Item[],
  rel: Select,
  shared: Named[],
): readonly TypedExpr[] => {
  const done = new Map<number, TypedExpr>();
  let used = false;
  const once = computesOnce(stage, items, rel);
  const checked = giantRefusal(rel);
  const share = (i: number): void => {
    const expr = done.get(i)!;
    if (expr.kind === "attribute" || expr.kind === "literal") return;
    const attribute = stage.env.analysis.named(items[i]!.name, expr);
    shared.push({ attribute, expr });
    done.set(i, attribute);
  };
  items.forEach((item, i) => {
    singleAlias(item);
    const label = item.expr.kind === "over" ? { label: item.name } : {};
    const alias = lateralAlias(done, items);
    const seen: typeof alias = (parts) => {
      if (once && alias(parts) !== undefined)
        items.forEach((other, at) => {
          if (at < i && sameName(other.name, parts[0]!)) share(at);
        });
      const match = alias(parts);
      used ||= match !== undefined;
      return match;
    };
    done.set(i, typeIn({ ...stage.env, ...label, alias: seen }, item.expr));
    checked(done.get(i)!);
  });
  const windowed = items.some((item) => someExpr(item.expr, (x) => x.kind === "over"));
  if (used && windowed && rel.having !== undefined && stage.env.analysis.options.compatibility === "spark")
    fail(
      "UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_AGGREGATE_WITH_WINDOW_AND_HAVING",
      "Referencing a lateral column alias in a select list with window functions and HAVING is not supported.",
      rel.having.position,
    );
  return items.map((item, i) => stage.finish(done.get(i)!, item.expr));
};

/** The select list with the windows of the WINDOW clause in place of their names, so that columns show them. */
const withNamedWindows = (rel: Select): readonly Expr[] =>
  rel.windows === undefined
    ? rel.exprs
    : rel.exprs.map((e) => mapExpr(e, (x) => (x.kind === "over" ? specifiedWindow(x, rel.windows!) : x)));

export const analyseSelect = (
  analysis: Analysis,
  named: Select,
  names: Names,
  order?: Sorting | undefined,
  given?: Resolved,
): Resolved => {
  const [written, sorting] = withUserAggregates(analysis, named, order);
  const child = given ?? analysis.relation(written.child, names);
  const spark = analysis.options.compatibility === "spark";
  const rel = written.pipe === undefined ? written : pipedSelect(written, child, hasAggregate, spark);
  const items = itemsOf(child, withNamedWindows(rel), names.outer, (parts) =>
    variableText(analysis.catalog, parts, analysis.options.timeZone),
  );
  const generated = items.findIndex((i) => generatorOf(i.expr) !== undefined);
  if (isGrouped(rel, items, sorting, spark) && generated >= 0)
    return generatedOverGroups(analysis, rel, child, names, items, sorting);
  if (isGrouped(rel, items, sorting, spark))
    return finishSelect(analysis, rel, items, groupedSelect(analysis, rel, child, names, items), sorting);
  if (generated >= 0) return withGenerators(analysis, rel, child, names, items, sorting);
  return finishSelect(analysis, rel, items, plainStage(analysis, rel, child, names), sorting);
};

/** Generators as items: their columns are made below, one generator over the other, and the items become references to them. */
const withGenerators = (
  analysis: Analysis,
  rel: Select,
  child: Resolved,
  names: Names,
  items: readonly Item[],
  sorting: Sorting | undefined,
): Resolved => {
  let made: GeneratedItem = { input: child, items };
  for (;;) {
    const index = made.items.findIndex((i) => generatorOf(i.expr) !== undefined);
    if (index < 0) break;
    made = generateItem(analysis, made.input, names, made.items, index);
  }
  return finishSelect(analysis, rel, made.items, plainStage(analysis, rel, made.input, names), sorting);
};

/** SELECT explode(collect_list(v)): the groups with the generators' arguments first, then the generators over them. */
const generatedOverGroups = (
  analysis: Analysis,
  rel: Select,
  child: Resolved,
  names: Names,
  items: readonly Item[],
  sorting: Sorting | undefined,
): Resolved => {
  const inner: Expr[] = [];
  const part = (e: Expr, name: string): Expr => {
    inner.push({ kind: "alias", child: e, names: [name] });
    return { kind: "column", parts: [name], ...(e.position && { position: e.position }) };
  };
  const exprs = items.map((item): Expr => {
    const call = generatorOf(item.expr);
    if (call === undefined) return part(item.expr, item.name);
    const args = call.args.map((e) => part(e, `_gen_input_${inner.length}`));
    const made: Expr = { ...call, args };
    return item.aliases === undefined ? made : { kind: "alias", child: made, names: item.aliases };
  });
  const { distinct, groupBy: _g, having: _h, windows: _w, qualify: _q, ...plain } = rel;
  const { distinct: _d, ...grouped } = rel;
  const groups = analyseSelect(analysis, { ...grouped, exprs: inner }, names, undefined, child);
  return analyseSelect(
    analysis,
    { ...plain, exprs, ...(distinct === undefined ? {} : { distinct }) },
    names,
    sorting,
    groups,
  );
};

const finishSelect = (
  analysis: Analysis,
  rel: Select,
  unnamed: readonly Item[],
  stage: Stage | GroupedSelect,
  sorting: Sorting | undefined,
): Resolved => {
  const shared: Named[] = [];
  const exprs = typeItems(stage, unnamed, rel, shared);
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
  if (rel.distinct === true) refuseMaps(columns, rel.position);
  const env = "having" in stage ? stage.having(rel.having, exprs) : stage.env;
  const output = columns.map((c) => c.attribute);
  const qualified = qualifyCondition(rel, stage, items, exprs);
  const build = (): LogicalPlan =>
    filter(
      shared.reduce((plan, one) => extend(plan, [one]), stage.build()),
      qualified,
    );
  if (sorting === undefined) {
    const plan = project(build(), named);
    return { plan: rel.distinct === true ? distinctOf(plan) : plan, columns, hidden: [] };
  }
  const orders = typeOrders({ ...stage, env }, sorting, columns, named, rel.distinct === true);
  const extra = orders.extra.map((e): Named => ({ attribute: analysis.named("order", e), expr: e }));
  const byKey = new Map(extra.map((n) => [exprKey(n.expr), n.attribute]));
  const below = project(build(), [...named, ...extra]);
  const rows = rel.distinct === true ? distinctOf(below) : below;
  const sorted = sort(
    rows,
    orders.orders.map((o) => ({ ...o, expr: orders.inOutput.has(o) ? o.expr : byKey.get(exprKey(o.expr))! })),
  );
  return { plan: keep(sorted, output), columns, hidden: [] };
};

/** An aggregate call that is not in a window function. */
const bareAggregate = (e: Expr): Expr | undefined => {
  if (isAggregateCall(e)) return e;
  if (e.kind === "cast") return bareAggregate(e.child);
  if (e.kind !== "call") return undefined;
  for (const x of e.args) {
    const found = bareAggregate(x);
    if (found !== undefined) return found;
  }
  return undefined;
};

/** QUALIFY: a filter behind the window functions that may name what is selected. */
const qualifyCondition = (
  rel: Select,
  stage: Stage,
  items: readonly Item[],
  exprs: readonly TypedExpr[],
): TypedExpr | undefined => {
  const e = rel.qualify;
  if (e === undefined) return undefined;
  const windowed = (x: Expr): boolean => someExpr(x, (y) => y.kind === "over");
  const aggregating = bareAggregate(e);
  if (aggregating !== undefined)
    return fail(
      "QUALIFY_AGGREGATE_NOT_ALLOWED",
      `Aggregate functions are not supported in QUALIFY: "${nameOf(aggregating)}".`,
      aggregating.position,
    );
  if (!windowed(e) && !items.some((i) => windowed(i.expr)))
    return fail(
      "QUALIFY_REQUIRES_WINDOW_FUNCTION",
      "QUALIFY requires at least one window function in the SELECT list or the QUALIFY clause.",
      e.position,
    );
  const alias = lateralAlias(new Map(exprs.map((x, i) => [i, x])), items);
  return stage.finish(conditionIn({ ...stage.env, alias, clause: "QUALIFY" }, e), e);
};

/** A plain column keeps its attribute (and so its event time) unless it is renamed. */
const namedItem = (analysis: Analysis, item: Item, expr: TypedExpr): Named => {
  if (expr.kind !== "attribute") return { attribute: analysis.named(item.name, expr), expr };
  const { position: _p, ...attribute } = expr;
  return item.aliases === undefined && expr.name === item.name
    ? { attribute, expr: attribute }
    : { attribute: analysis.named(item.name, expr), expr: attribute };
};
