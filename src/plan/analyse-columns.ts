/** Verbs on columns: withColumns, withColumnRenamed, drop, alias. */
import type { Expr, SourcePosition } from "../expr/ast.ts";
import {
  type Analysis,
  fail,
  type Names,
  quoted,
  type Resolved,
  sameName,
  type ScopeColumn,
} from "./analyse-context.ts";
import { partsOfAttribute, unresolvedColumn } from "./analyse-names.ts";
import { analyseSelect } from "./analyse-select.ts";
import { keep, project } from "./nodes.ts";
import type { Relation } from "./relation.ts";

type Of<K extends Relation["kind"]> = Extract<Relation, { kind: K }>;

/** A select of all columns with some replaced (in place) and the new ones behind. */
export const analyseWithColumns = (a: Analysis, rel: Of<"withColumns">, names: Names): Resolved => {
  const child = a.relation(rel.child, names);
  const aliased = new Map<string, Expr>();
  for (const [name, expr] of rel.columns) {
    if (aliased.has(name.toLowerCase()))
      fail(
        "COLUMN_ALREADY_EXISTS",
        `The column ${quoted([name])} already exists. Choose another name or rename the existing column.`,
      );
    aliased.set(name.toLowerCase(), { kind: "alias", child: expr, names: [name] });
  }
  if (rel.existing === true)
    rel.columns.forEach(([name]) => {
      existing(child, name, rel.position);
    });
  const kept = child.columns.map((c): Expr => aliased.get(c.name.toLowerCase()) ?? reference(c));
  const added = [...aliased]
    .filter(([n]) => !child.columns.some((c) => sameName(c.name, n)))
    .map(([, e]) => e);
  return analyseSelect(
    a,
    {
      kind: "select",
      child: rel.child,
      exprs: [...kept, ...added],
      ...(rel.existing === true ? { pipe: "SET" as const } : {}),
    },
    names,
    undefined,
    child,
  );
};

/** `|> SET` and `|> DROP` name columns that are there. */
const existing = (child: Resolved, name: string, position: SourcePosition | undefined): void => {
  if (!child.columns.some((c) => sameName(c.name, name))) unresolvedColumn(child, [name], position);
};

const reference = (c: ScopeColumn): Expr => ({
  kind: "column",
  parts: partsOfAttribute(c.attribute.id, c.name),
});

export const analyseRenamed = (a: Analysis, rel: Of<"renamed">, names: Names): Resolved => {
  const child = a.relation(rel.child, names);
  const wanted = new Map(Object.entries(rel.names).map(([from, to]) => [from.toLowerCase(), to]));
  const named = child.columns.map((c) => {
    const to = wanted.get(c.name.toLowerCase());
    return { attribute: to === undefined ? c.attribute : a.named(to, c.attribute), expr: c.attribute };
  });
  const columns = child.columns.map((c, i) => ({
    ...c,
    name: named[i]!.attribute.name,
    attribute: named[i]!.attribute,
  }));
  return { plan: project(child.plan, named), columns, hidden: [] };
};

/** Names that do not exist are ignored, as in Spark; those of `|> DROP` must exist and come once. */
export const analyseDrop = (a: Analysis, rel: Of<"drop">, names: Names): Resolved => {
  const child = a.relation(rel.child, names);
  if (rel.existing === true)
    rel.names.forEach((name, i) => {
      existing(child, name, rel.position);
      if (rel.names.slice(0, i).some((n) => sameName(n, name)))
        fail(
          "EXCEPT_OVERLAPPING_COLUMNS",
          `Columns in an EXCEPT list must be distinct and non-overlapping, but got ${rel.names.map((n) => quoted([n])).join(", ")}.`,
          rel.position,
        );
    });
  const columns = child.columns.filter((c) => !rel.names.some((n) => sameName(n, c.name)));
  return {
    plan: keep(
      child.plan,
      columns.map((c) => c.attribute),
    ),
    columns,
    hidden: [],
  };
};

export const analyseAlias = (a: Analysis, rel: Of<"alias">, names: Names): Resolved => {
  const child = a.relation(rel.child, names);
  const qualifier = [rel.name];
  if (rel.columns === undefined)
    return { plan: child.plan, columns: child.columns.map((c) => ({ ...c, qualifier })), hidden: [] };
  if (rel.child.kind === "range" && rel.columns.length !== child.columns.length)
    fail(
      "NUM_TABLE_VALUE_ALIASES_MISMATCH",
      `Number of given aliases does not match number of output columns. Function name: range; number of aliases: ${rel.columns.length}; number of output columns: ${child.columns.length}.`,
      rel.position,
    );
  return { ...renameColumns(a, child, rel.columns, rel.name), hidden: [] };
};

/** `AS t(a, b)`. */
export const renameColumns = (
  a: Analysis,
  child: Resolved,
  columnNames: readonly string[],
  table: string,
): Resolved => {
  if (columnNames.length !== child.columns.length)
    fail(
      "ASSIGNMENT_ARITY_MISMATCH",
      `The number of columns given for ${quoted([table])} (${columnNames.length}) must match the number of columns it has (${child.columns.length}).`,
    );
  const named = child.columns.map((c, i) => ({
    attribute: c.attribute.name === columnNames[i] ? c.attribute : a.named(columnNames[i]!, c.attribute),
    expr: c.attribute,
  }));
  const columns = named.map((n) => ({ name: n.attribute.name, qualifier: [table], attribute: n.attribute }));
  return {
    plan: named.every((n) => n.attribute === n.expr) ? child.plan : project(child.plan, named),
    columns,
    hidden: [],
  };
};
