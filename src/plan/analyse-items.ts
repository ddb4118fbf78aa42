/** The items of a select list: stars expanded, names given as Spark names unaliased expressions. */
import type { DataType } from "../core/data-type.ts";
import { AnalysisError } from "../core/errors.ts";
import type { Value } from "../core/value.ts";
import type { Expr } from "../expr/ast.ts";
import { fold } from "../expr/fold.ts";
import { columnName } from "../expr/pretty.ts";
import type { Scope } from "../expr/scope.ts";
import { typeExpr } from "../expr/typing.ts";
import { fail, type OuterQuery, quoted, sameName } from "./analyse-context.ts";
import { columnParts, isAttributeParts, resolveColumn, type Visible } from "./analyse-names.ts";
import { starItems } from "./analyse-star.ts";

export interface Item {
  readonly expr: Expr;
  readonly name: string;
  /** All names of a multi-column alias `AS (a, b)`; undefined without an alias. */
  readonly aliases: readonly string[] | undefined;
  /** What a reference may put in front of the name behind this select list. */
  readonly qualifier: readonly string[];
}

/** The name of a column made by `e` when it has no alias, as Spark names it; time windows are called by their function. */
export const nameOf = (
  e: Expr,
  visible?: Visible,
  aliases: readonly string[] = [],
  around: Around = {},
): string => {
  const fn = e.kind === "call" ? e.fn.toLowerCase() : "";
  if (fn === "window" || fn === "session_window") return fn;
  return columnName(e, {
    constant: constantValue,
    attribute: (parts) =>
      outerName(parts, visible, aliases, around) ??
      variableName(parts, visible, aliases, around) ??
      attributeName(parts, visible, aliases),
    columnType: (parts) => columnType(parts, visible) ?? around.variable?.(parts)?.type,
    ...(around.uses === undefined ? {} : { outer: around.uses }),
  });
};

/** The value of an expression of literals. */
const constantValue = (e: Expr): Value | undefined => {
  if (e.kind === "literal" || someExpr(e, (x) => x.kind === "column")) return undefined;
  return tried(() => {
    const folded = fold(typeExpr(e, CONSTANTS), "UTC");
    return folded.kind === "literal" ? folded.value : undefined;
  });
};

const CONSTANTS: Scope = { timeZone: "UTC", column: () => undefined, candidates: () => [] };

/** What the names of items show of other queries: columns of those around, and what subqueries use of this one. */
export interface Around {
  readonly text?: ((parts: readonly string[]) => string | undefined) | undefined;
  readonly uses?: (relation: unknown) => readonly string[];
  /** A variable of the session. */
  readonly variable?:
    | ((
        parts: readonly string[],
      ) => { readonly text: string; readonly type: DataType | undefined } | undefined)
    | undefined;
}

/** A column of a query around, inside an expression. */
const outerName = (
  parts: readonly string[],
  visible: Visible | undefined,
  aliases: readonly string[],
  { text }: Around,
): string | undefined => {
  if (text === undefined || visible === undefined || isAttributeParts(parts)) return undefined;
  if (tried(() => columnParts(visible, parts)) !== undefined) return undefined;
  const found = aliases.some((name) => sameName(name, parts[0]!)) ? undefined : text(parts);
  return found === undefined ? undefined : `outer(${found})`;
};

/** A variable inside an expression, where no column has the name. */
const variableName = (
  parts: readonly string[],
  visible: Visible | undefined,
  aliases: readonly string[],
  { variable }: Around,
): string | undefined => {
  if (variable === undefined || isAttributeParts(parts) || aliases.some((name) => sameName(name, parts[0]!)))
    return undefined;
  const text = variable(parts)?.text;
  if (text === undefined || visible === undefined) return text;
  return tried(() => columnParts(visible, parts)) === undefined ? text : undefined;
};

/** A column inside an expression: its own name, and the path of fields behind it. */
const attributeName = (
  parts: readonly string[],
  visible: Visible | undefined,
  aliases: readonly string[],
): string => {
  if (isAttributeParts(parts)) return parts[2]!;
  // An alias of the same select list, where no column has the name.
  if (aliases.some((name) => sameName(name, parts[0]!)) && columnParts(visible!, parts) === undefined)
    return `lateralAliasReference(${parts.join(".")})`;
  const base =
    visible === undefined || parts.length < 2 ? undefined : tried(() => columnParts(visible, parts));
  return base === undefined ? parts.at(-1)! : base.join(".");
};

const columnType = (parts: readonly string[], visible: Visible | undefined): DataType | undefined => {
  const match = visible === undefined ? undefined : tried(() => resolveColumn(visible, parts, undefined));
  return match?.rest.length === 0 ? match.base.type : undefined;
};

/** Names are made before types are checked: what does not resolve is reported there. */
const tried = <T>(f: () => T): T | undefined => {
  try {
    return f();
  } catch (e) {
    if (e instanceof AnalysisError) return undefined;
    throw e;
  }
};

/** Stars in arguments: `struct(*)`, `concat(t.*)`; not of `count(*)`. */
export const expandArguments = (visible: Visible, e: Expr, outer?: OuterQuery): Expr =>
  mapExpr(e, (x) => {
    if (x.kind !== "call" || !x.args.some((a) => a.kind === "star")) return x;
    if (x.fn.toLowerCase() === "count") {
      if (x.args.some((a) => a.kind === "star" && a.qualifier.length > 0))
        return fail(
          "INVALID_USAGE_OF_STAR_WITH_TABLE_IDENTIFIER_IN_COUNT",
          "count(t.*) is not allowed. Use count(*), or name the columns.",
          x.position,
        );
      if (x.distinct !== true && x.args.length === 1) return x;
    }
    return {
      ...x,
      args: x.args.flatMap((a) =>
        a.kind === "star" ? starItems(visible, a, outer).map((i) => i.expr) : [a],
      ),
    };
  });

/** Qualifier of a plain column: kept, so that `ORDER BY t.k` still finds it. */
const qualifierOf = (visible: Visible, e: Expr): readonly string[] => {
  if (e.kind !== "column") return [];
  const match = resolveColumn(visible, e.parts, e.position);
  const base = match?.base;
  if (base?.kind !== "attribute") return [];
  return [...visible.columns, ...visible.hidden].find((c) => c.attribute.id === base.id)?.qualifier ?? [];
};

export const itemsOf = (
  visible: Visible,
  exprs: readonly Expr[],
  outer?: OuterQuery,
  variable?: Around["variable"],
): readonly Item[] =>
  exprs.flatMap((raw, i): readonly Item[] => {
    if (raw.kind === "star") return starItems(visible, raw, outer);
    const e = expandArguments(visible, raw, outer);
    if (e.kind === "alias") return [{ expr: e.child, name: e.names[0]!, aliases: e.names, qualifier: [] }];
    const before = exprs.slice(0, i).flatMap((x) => (x.kind === "alias" ? x.names : []));
    return [
      {
        expr: e,
        name: nameOf(e, visible, before, { text: outer?.text, variable }),
        aliases: undefined,
        qualifier: qualifierOf(visible, e),
      },
    ];
  });

/** The items with the names of those that hold subqueries, which are known when these are analysed. */
export const withSubqueryNames = (
  items: readonly Item[],
  visible: Visible,
  around: Around,
): readonly Item[] =>
  items.map((item) =>
    item.aliases === undefined && someExpr(item.expr, (x) => x.kind === "subquery")
      ? { ...item, name: nameOf(item.expr, visible, [], around) }
      : item,
  );

/** Refuses an alias of several names on what makes one column. */
export const singleAlias = (item: Item): void => {
  if (item.aliases !== undefined && item.aliases.length > 1)
    fail(
      "MULTI_ALIAS_WITHOUT_GENERATOR",
      `Multi part aliasing (${item.aliases.map((a) => quoted([a])).join(", ")}) is not supported with ${item.name} as it is not a generator function.`,
      item.expr.position,
    );
};

/** Rewrites an unresolved expression bottom up; subqueries are not entered. */
export const mapExpr = (e: Expr, f: (x: Expr) => Expr): Expr => {
  const go = (x: Expr): Expr => mapExpr(x, f);
  switch (e.kind) {
    case "alias":
    case "cast":
    case "field":
      return f({ ...e, child: go(e.child) });
    case "call":
      return f({
        ...e,
        args: e.args.map(go),
        ...(e.filter === undefined ? {} : { filter: go(e.filter) }),
        ...(e.orderBy === undefined ? {} : { orderBy: e.orderBy.map((o) => ({ ...o, expr: go(o.expr) })) }),
      });
    case "case":
      return f({
        ...e,
        branches: e.branches.map(([c, v]) => [go(c), go(v)] as const),
        otherwise: e.otherwise === undefined ? undefined : go(e.otherwise),
      });
    case "item":
      return f({ ...e, child: go(e.child), key: go(e.key) });
    case "lambda":
      return f({ ...e, body: go(e.body) });
    case "over":
      return f({
        ...e,
        call: go(e.call),
        partitionBy: e.partitionBy.map(go),
        orderBy: e.orderBy.map((o) => ({ ...o, expr: go(o.expr) })),
      });
    case "subquery":
      return f({ ...e, values: e.values.map(go) });
    default:
      return f(e);
  }
};

/** Whether any part passes `test`; subqueries are not entered. `over` tells whether a node is the call of an OVER. */
export const someExpr = (e: Expr, test: (x: Expr) => boolean): boolean => {
  if (test(e)) return true;
  const go = (x: Expr): boolean => someExpr(x, test);
  switch (e.kind) {
    case "alias":
    case "cast":
    case "field":
      return go(e.child);
    case "call":
      return (
        e.args.some(go) ||
        (e.filter !== undefined && go(e.filter)) ||
        (e.orderBy ?? []).some((o) => go(o.expr))
      );
    case "case":
      return e.branches.some(([c, v]) => go(c) || go(v)) || (e.otherwise !== undefined && go(e.otherwise));
    case "item":
      return go(e.child) || go(e.key);
    case "lambda":
      return go(e.body);
    case "over":
      // the call itself is the window's: only what is inside of it counts
      return (
        (e.call.kind === "call" ? e.call.args.some(go) : go(e.call)) ||
        e.partitionBy.some(go) ||
        e.orderBy.some((o) => go(o.expr))
      );
    case "subquery":
      return e.values.some(go);
    default:
      return false;
  }
};
