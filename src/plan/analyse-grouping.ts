/**
 * GROUP BY: keys (ordinals, aliases, ALL), GROUPING SETS / CUBE / ROLLUP, HAVING, and what a select list may say above an aggregate.
 *
 *  G1 keys are computed below the aggregate; above it an expression equal to a key is that key's attribute.
 *  G2 an attribute of the input that is no key, outside of aggregate calls, is MISSING_AGGREGATION.
 *  G3 grouping sets copy each row once a set (`expand`), with the keys left out null and a grouping id as a further key.
 */
import { NULL } from "../core/data-type.ts";
import type { Attribute, Expr, SourcePosition, TypedExpr } from "../expr/ast.ts";
import { describeTyped } from "../expr/type-errors.ts";
import { Aggregates, refusedAlias, WindowCalls } from "./analyse-collect.ts";
import {
  type Analysis,
  fail,
  type Names,
  type Resolved,
  sameName,
  type ScopeColumn,
} from "./analyse-context.ts";
import { type Env, typeIn } from "./analyse-env.ts";
import { generatorNamed, isAggregateCall } from "./analyse-functions.ts";
import { expandSets, type GroupingSets, groupingCall } from "./analyse-grouping-sets.ts";
import { hiddenInput, needsMore, typeHaving } from "./analyse-having.ts";
import { type Item, mapExpr, someExpr } from "./analyse-items.ts";
import { type ColumnMatch, resolveColumn, unresolvedColumn, type Visible } from "./analyse-names.ts";
import type { Select, Stage } from "./analyse-select.ts";
import { Subqueries } from "./analyse-subquery.ts";
import { TimeWindows } from "./analyse-time-window.ts";
import type { LogicalPlan, Named } from "./logical.ts";
import { aggregate, extend, filter } from "./nodes.ts";
import type { Grouping } from "./relation.ts";
import { attributesOf, exprKey, nullOf, replace } from "./typed.ts";

const NOTHING = nullOf(NULL);

export interface GroupedSelect extends Stage {
  /** Types HAVING; `selected`: the finished select list. Gives the scope of an ORDER BY behind it. */
  readonly having: (condition: Expr | undefined, selected: readonly TypedExpr[]) => Env;
}

/** The expressions of GROUP BY with ordinals and aliases replaced by the items they mean. */
const groupingExprs = (
  visible: Visible,
  grouping: Grouping | undefined,
  items: readonly Item[],
): readonly Expr[] => {
  if (grouping === undefined) return [];
  if (grouping.kind === "all")
    return items.map((i) => i.expr).filter((e) => !someExpr(e, isAggregateCall) && e.kind !== "literal");
  return grouping.exprs.map((e) => groupingExpr(visible, e, items));
};

export const groupingExpr = (visible: Visible, e: Expr, items: readonly Item[]): Expr => {
  if (e.kind === "alias") return e.child;
  if (e.kind === "literal" && e.type.kind === "int") return atPosition(Number(e.value), e.position, items);
  return mapExpr(e, (x) => {
    if (x.kind !== "column" || x.parts.length > 1) return x;
    if (resolveColumn(visible, x.parts, x.position) !== undefined) return x;
    const found = items.find((i) => sameName(i.name, x.parts[0]!));
    return found?.expr ?? x;
  });
};

const atPosition = (n: number, position: SourcePosition | undefined, items: readonly Item[]): Expr => {
  const item = items[n - 1];
  if (item === undefined)
    return fail(
      "GROUP_BY_POS_OUT_OF_RANGE",
      `GROUP BY position ${n} is not in select list (valid range is [1, ${items.length}]).`,
      position,
    );
  if (someExpr(item.expr, isAggregateCall))
    return fail(
      "GROUP_BY_POS_AGGREGATE",
      `GROUP BY ${n} refers to an expression ${item.name} that contains an aggregate function. Aggregate functions are not allowed in GROUP BY.`,
      position,
    );
  return item.expr;
};

interface Keys {
  /** What the aggregate is keyed by, in the order of GROUP BY. */
  readonly attributes: readonly Attribute[];
  /** Expressions to compute below. */
  readonly computed: readonly Named[];
  /** exprKey → attribute. */
  readonly byKey: ReadonlyMap<string, Attribute>;
}

const keysOf = (
  analysis: Analysis,
  exprs: readonly TypedExpr[],
  names: readonly string[],
  session: Attribute | undefined,
): Keys => {
  const byKey = new Map<string, Attribute>();
  const computed: Named[] = [];
  exprs.forEach((e, i) => {
    const key = exprKey(e);
    if (byKey.has(key)) return;
    if (e.kind === "attribute") {
      const { position: _p, ...attribute } = e;
      byKey.set(key, attribute);
      return;
    }
    const attribute = analysis.named(names[i]!, e);
    byKey.set(key, attribute);
    computed.push({ attribute, expr: e });
  });
  const attributes = [...byKey.values()];
  if (session !== undefined && !attributes.some((a) => a.id === session.id))
    fail(
      "UNSUPPORTED_EXPR_FOR_OPERATOR",
      "session_window(…) must be one of the grouping keys itself.",
      session.position,
    );
  return { attributes, computed, byKey };
};

/** The visible columns below, and the window column that GROUP BY made. */
const withWindowColumn = (visible: Visible, timeWindows: TimeWindows): Visible => {
  const attribute = timeWindows.attribute;
  if (attribute === undefined || visible.columns.some((c) => sameName(c.name, attribute.name)))
    return visible;
  const column: ScopeColumn = { name: attribute.name, qualifier: [], attribute };
  return { columns: [...visible.columns, column], hidden: visible.hidden };
};

/** The select's own names, as columns whose types are not known yet. */
const itemColumns = (analysis: Analysis, items: readonly Item[]): readonly ScopeColumn[] =>
  items.map((i) => ({ name: i.name, qualifier: [], attribute: analysis.attribute(i.name, NULL, true) }));

export const groupedSelect = (
  analysis: Analysis,
  rel: Select,
  child: Resolved,
  names: Names,
  items: readonly Item[],
): GroupedSelect => {
  const timeWindows = new TimeWindows(analysis);
  const below = new Subqueries(analysis);
  const windows = new WindowCalls(analysis, rel.windows);
  const aggregates = new Aggregates(analysis);
  const keyEnv: Env = {
    ...{ analysis, names, visible: child, clause: "GROUP BY", timeWindows, subqueries: below },
    ...(rel.groupBy === undefined ? {} : { alias: noAlias(items) }),
  };
  const sources = groupingExprs(child, rel.groupBy, items);
  sources.forEach(refuseGenerator);
  const typedKeys = sources.map((e) => typeIn(keyEnv, e));
  const above = new Subqueries(analysis, new Map(below.answers));
  const keys = keysOf(analysis, typedKeys, sources.map(keyName), timeWindows.session?.key);
  const sets: GroupingSets | undefined =
    rel.groupBy?.kind === "sets"
      ? expandSets(analysis, keys, rel.groupBy.sets, (e) =>
          exprKey(typeIn(keyEnv, groupingExpr(child, e, items))),
        )
      : undefined;
  const byKey = sets?.byKey ?? keys.byKey;
  const { finish, free } = finisher(
    byKey,
    () => [
      ...aggregates.all.map((a) => a.attribute),
      ...[above, windows, { attributes: outerAttributes(names) }].flatMap((x) => x.attributes),
    ],
    rel,
    itemColumns(analysis, items),
    (e, source) => refuseOuter(analysis, names, [e], source),
  );
  const env: Env = {
    analysis,
    names,
    visible: withWindowColumn(child, timeWindows),
    clause: "SELECT",
    aggregate: (e, inner) => {
      const made = aggregates.resolve(e, { ...inner, visible: child, subqueries: below, timeWindows });
      refuseOuter(analysis, names, aggregates.argumentsOf(made), e);
      return made;
    },
    over: (e, inner) => windows.resolve(e, inner),
    call: (e, { first: _, ...inner }) => groupingCall(e, sets, (x) => exprKey(typeIn(inner, x))),
    timeWindows,
    subqueries: above,
  };
  let condition: TypedExpr | undefined;
  const having = (e: Expr | undefined, selected: readonly TypedExpr[]): Env => {
    if (e === undefined) return env;
    condition = finish(typeHaving(e, items, env, free), e, "HAVING");
    const made = [...byKey.values(), ...aggregates.all.map((x) => x.attribute)];
    const plain = new Set(typedKeys.flatMap((k) => (k.kind === "attribute" ? [k.id] : [])));
    return sets === undefined && needsMore(condition, selected, made) ? hiddenInput(env, plain) : env;
  };
  const build = (): LogicalPlan => {
    const input = extend(below.apply(timeWindows.apply(child.plan)), keys.computed);
    const groupedBy = [...(sets?.keys ?? keys.attributes)];
    const { session } = timeWindows;
    const grouped = aggregate(sets?.apply(input) ?? input, groupedBy, aggregates.all, { session });
    const rekeyed = (e: TypedExpr): TypedExpr => finish(e, undefined);
    return windows.apply(filter(above.apply(grouped, rekeyed), condition), rekeyed);
  };
  return { env, finish, build, having };
};

/** What is left of an item's alias inside a key is another item's. */
const noAlias = (items: readonly Item[]): NonNullable<Env["alias"]> => {
  const known = (parts: readonly string[]): ColumnMatch | undefined =>
    items.some((i) => sameName(i.name, parts[0]!) && !(i.aliases === undefined && i.expr.kind === "column"))
      ? { base: NOTHING, rest: [] }
      : undefined;
  return refusedAlias(known, "UNSUPPORTED_FEATURE.LATERAL_COLUMN_ALIAS_IN_GROUP_BY", "in GROUP BY");
};

/** Spark hosts columns of the query around beside groups in HAVING only. */
const refuseOuter = (
  analysis: Analysis,
  { outer }: Names,
  exprs: readonly TypedExpr[],
  source: Expr | undefined,
): void => {
  if (analysis.options.compatibility !== "spark" || source === undefined || outer === undefined) return;
  const { used } = outer;
  const found = attributesOf(...exprs);
  if (!found.some((x) => used.has(x.id))) return;
  if (source.kind === "call" && isAggregateCall(source) && found.some((x) => !used.has(x.id)))
    fail(
      "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.AGGREGATE_FUNCTION_MIXED_OUTER_LOCAL_REFERENCES",
      "Found an aggregate function in a correlated predicate that has both outer and local references, which is not supported.",
      source.position,
    );
  fail(
    "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE",
    "Expressions referencing the outer query are not supported outside of WHERE/HAVING clauses.",
    source.position,
  );
};

const refuseGenerator = (e: Expr): void => {
  if (e.kind === "call" && generatorNamed(e.fn.toLowerCase()))
    fail(
      "UNSUPPORTED_GENERATOR.OUTSIDE_SELECT",
      "The generator is not supported: outside the SELECT clause, found: GROUP BY.",
      e.position,
    );
};

const keyName = (e: Expr): string => (e.kind === "column" ? e.parts.at(-1)! : "key");

/** Attributes of the queries around: constants in this one. */
const outerAttributes = (names: Names): readonly Attribute[] => [...(names.outer?.used.values() ?? [])];

/** G1, G2. Behind the aggregate (HAVING, ORDER BY) other columns of the input are not to be seen at all. */
const finisher = (
  byKey: ReadonlyMap<string, Attribute>,
  made: () => readonly Attribute[],
  rel: Select,
  output: readonly ScopeColumn[],
  check: (e: TypedExpr, source: Expr | undefined) => void,
): {
  readonly finish: Stage["finish"];
  readonly free: (e: TypedExpr) => Attribute | undefined;
} => {
  const rekeyed = (e: TypedExpr): TypedExpr => {
    const roots = new Set([...byKey.keys()].map((k) => k[0]));
    return replace(e, (x) => {
      const key = exprKey(x);
      return roots.has(key[0]) ? byKey.get(key) : undefined;
    });
  };
  const freeOf = (e: TypedExpr): Attribute | undefined =>
    freeAttribute(e, new Set([...byKey.values(), ...made()].map((a) => a.id)));
  const finish: Stage["finish"] = (e, source, clause) => {
    const result = rekeyed(e);
    const found = freeOf(result);
    if (found === undefined) {
      if (clause !== "HAVING") check(result, source);
      return result;
    }
    if (clause !== undefined)
      return unresolvedColumn({ columns: output, hidden: [] }, [found.name], found.position);
    return missing(found, result, rel, source?.position, byKey.size === 0);
  };
  return { finish, free: (e) => freeOf(rekeyed(e)) };
};

const freeAttribute = (e: TypedExpr, allowed: ReadonlySet<number>): Attribute | undefined => {
  let found: Attribute | undefined;
  replace(e, (x) => {
    if (x.kind === "attribute" && !allowed.has(x.id)) found ??= x;
    return undefined;
  });
  return found;
};

const missing = (
  free: Attribute,
  e: TypedExpr,
  rel: Select,
  position: SourcePosition | undefined,
  keyless: boolean,
): never => {
  if (rel.groupBy === undefined)
    return fail(
      "MISSING_GROUP_BY",
      "The query does not include a GROUP BY clause. Add GROUP BY or turn it into the window functions using OVER clauses.",
      rel.position ?? position,
    );
  if (rel.groupBy.kind === "all" && keyless)
    return fail(
      "UNRESOLVED_ALL_IN_GROUP_BY",
      "Cannot infer grouping columns for GROUP BY ALL based on the select clause. Please explicitly specify the grouping columns.",
      position,
    );
  return fail(
    "MISSING_AGGREGATION",
    `The non-aggregating expression "${describeTyped(e)}" is based on columns which are not participating in the GROUP BY clause. Add the columns or the expression to the GROUP BY, aggregate the expression, or use "any_value(${free.name})" if you do not care which of the values within a group is returned.`,
    position,
  );
};

export type { Keys };
