/** Arguments of verbs as expressions: names, expressions, callbacks, objects and lists of them. Throws AnalysisError for anything else. */
import { AnalysisError } from "../core/errors.ts";
import type { Expr, SortOrder } from "../expr/ast.ts";
import { listArgument, textArgument } from "./arguments.ts";
import { aliased, column } from "./expression-builder.ts";
import { parseExpression } from "../sql/parser.ts";
import { nearest } from "../expr/suggestion.ts";
import { lift } from "./literal.ts";
import { aggregateOf, isAggregate, isExpression, nodeOf, orderOf } from "./node.ts";

/** What was given, or what the callback gives for the columns `c`. */
export const given = (x: unknown, c: unknown): unknown =>
  typeof x === "function" && !isExpression(x) ? (x as (c: unknown) => unknown)(c) : x;

/** A value of a column: an expression or a literal. */
export const namedExpr = (x: unknown, c: unknown): Expr => lift(given(x, c));

const itemOf = (verb: string, x: unknown): Expr =>
  typeof x === "string" ? column(x) : nodeOf(x, `in ${verb}`);

const entries = (verb: string, x: unknown): readonly (readonly [string, unknown])[] => {
  if (typeof x !== "object" || x === null)
    throw new AnalysisError(
      `${verb}: the callback must give an object of expressions or a list, not ${x === null ? "null" : typeof x}`,
    );
  return Object.entries(x);
};

/** Items of select and groupBy: a list of items, or one callback. */
export const itemsOf = (verb: string, items: readonly unknown[], c: unknown): readonly Expr[] => {
  const [first] = items;
  const isCallback = items.length === 1 && typeof first === "function" && !isExpression(first);
  const list = isCallback ? given(first, c) : items;
  if (isExpression(list)) return [nodeOf(list)];
  if (Array.isArray(list)) return list.map((x) => itemOf(verb, x));
  return entries(verb, list).map(([name, x]) =>
    aliased(isAggregate(x) ? nodeOf(x, `in ${verb}`) : lift(x), name),
  );
};

/** Aggregates by name. */
export const aggregatesOf = (verb: string, aggregates: unknown, c: unknown): readonly Expr[] => {
  const list = given(aggregates, c);
  const out = Array.isArray(list)
    ? list.map((x) => aggregateOf(x, `in ${verb}`))
    : entries(verb, list).map(([name, x]) => aliased(unaliased(aggregateOf(x, `in ${verb}`)), name));
  if (out.length === 0) throw new AnalysisError(`${verb} needs at least one aggregate`);
  return out;
};

const unaliased = (e: Expr): Expr => (e.kind === "alias" ? e.child : e);

const ASCENDING = { descending: false, nullsFirst: true };

export const sortOrdersOf = (keys: readonly unknown[], c: unknown): readonly SortOrder<Expr>[] => {
  const one = keys.length === 1 ? given(keys[0], c) : keys;
  const list: readonly unknown[] = Array.isArray(one) ? one : [one];
  return list.map((x) =>
    typeof x === "string" ? { expr: column(x), ...ASCENDING } : orderOf(x, "in orderBy"),
  );
};

/** Names of columns as they were given. Throws AnalysisError for what is no text. */
export const namesOf = <K extends string>(verb: string, names: readonly K[]): readonly K[] => {
  for (const n of listArgument(verb, "names of columns", names))
    textArgument(verb, "names of columns", n, `${verb}("name")`);
  return names;
};

/** Throws AnalysisError UNRESOLVED_COLUMN for a name that is no column, with the nearest ones. */
export const checkNames = (verb: string, names: readonly string[], columns: readonly string[]): void => {
  for (const name of namesOf(verb, names)) {
    if (columns.some((c) => c.toLowerCase() === name.toLowerCase())) continue;
    const near = nearest(name, columns).map((n) => `\`${n}\``);
    throw new AnalysisError(
      `[UNRESOLVED_COLUMN.WITH_SUGGESTION] ${verb}: a column with name \`${name}\` cannot be resolved. Did you mean one of the following? [${near.join(", ")}].`,
      { errorClass: "UNRESOLVED_COLUMN.WITH_SUGGESTION" },
    );
  }
};

/** Names by name, without a prototype: any name is only a name. */
export const nameMap = (
  names: readonly (readonly [string, string | undefined])[],
): Readonly<Record<string, string>> => {
  const out = Object.create(null) as Record<string, string>;
  for (const [from, to] of names) if (to !== undefined) out[from] = to;
  return out;
};

/** Items as SQL text. Throws ParseError. */
export const sqlItems = (texts: readonly string[], timeZone: string): readonly Expr[] =>
  texts.map((x) =>
    parseExpression(textArgument("selectExpr", "items as SQL text", x, 'selectExpr("a + 1 AS b")'), {
      timeZone,
    }),
  );
