/**
 * Stars of a select list: `*`, `t.*`, `s.*` of a struct, with what EXCEPT leaves out.
 *
 *  S1 a table of the query around is taken where this one has none of the name;
 *  S2 EXCEPT names columns and fields of them, each once: what holds a field that is left out is made anew, null as it was.
 */
import type { DataType } from "../core/data-type.ts";
import type { Expr, SourcePosition } from "../expr/ast.ts";
import { fail, type OuterQuery, quoted, sameName, type ScopeColumn } from "./analyse-context.ts";
import type { Item } from "./analyse-items.ts";
import {
  columnOf,
  partsOfAttribute,
  resolveColumn,
  starColumns,
  unresolvedColumn,
  type Visible,
} from "./analyse-names.ts";

type Star = Extract<Expr, { kind: "star" }>;
type Path = readonly string[];

export const starItems = (visible: Visible, e: Star, outer: OuterQuery | undefined): readonly Item[] => {
  const struct = structStar(visible, e);
  if (struct !== undefined) return struct;
  const columns =
    starColumns(visible, e.qualifier) ??
    outer?.star(e.qualifier) ??
    noTable(visible, e.qualifier, e.position);
  const excluded = excludedColumns(columns, e);
  return columns.flatMap((c): readonly Item[] => {
    const paths = excluded.get(c.attribute.id) ?? [];
    if (paths.some((p) => p.length === 0)) return [];
    const parts = partsOfAttribute(c.attribute.id, c.name);
    const column: Expr = { kind: "column", parts, position: e.position };
    const item = { name: c.name, aliases: undefined, qualifier: c.qualifier };
    return [{ ...item, expr: pruned(column, c.attribute.type, paths, e) }];
  });
};

const noTable = (visible: Visible, qualifier: Path, position: SourcePosition | undefined): never =>
  fail(
    "CANNOT_RESOLVE_STAR_EXPAND",
    `Cannot resolve ${quoted(qualifier)}.* given input columns ${visible.columns.map((c) => quoted([c.name])).join(", ")}. Please check that the specified table or struct exists and is accessible in the input columns.`,
    position,
  );

/** S2: by the id of a column the paths below it that EXCEPT names. */
const excludedColumns = (columns: readonly ScopeColumn[], e: Star): ReadonlyMap<number, readonly Path[]> => {
  const visible: Visible = { columns, hidden: [] };
  const excluded = new Map<number, readonly Path[]>();
  for (const parts of e.except ?? []) {
    const found = columnOf(visible, parts) ?? unresolvedColumn(visible, parts, e.position);
    const id = found.column.attribute.id;
    excluded.set(id, [...(excluded.get(id) ?? []), found.fields]);
  }
  for (const paths of excluded.values()) refuseOverlap(paths, e);
  return excluded;
};

const startsWith = (path: Path, prefix: Path): boolean =>
  prefix.every((p, i) => i < path.length && sameName(p, path[i]!));

const refuseOverlap = (paths: readonly Path[], e: Star): void => {
  if (paths.some((p, i) => paths.some((q, j) => i !== j && startsWith(p, q))))
    fail(
      "EXCEPT_OVERLAPPING_COLUMNS",
      `Columns in an EXCEPT list must be distinct and non-overlapping, but got (${(e.except ?? []).map(quoted).join(", ")}).`,
      e.position,
    );
};

/** The value without the fields at `paths`. */
const pruned = (value: Expr, type: DataType, paths: readonly Path[], e: Star): Expr => {
  if (paths.length === 0) return value;
  if (type.kind !== "struct") return unresolvedColumn({ columns: [], hidden: [] }, paths[0]!, e.position);
  for (const p of paths)
    if (!type.fields.some((f) => sameName(f.name, p[0]!)))
      return fail(
        "FIELD_NOT_FOUND",
        `No such struct field ${quoted([p[0]!])} in ${type.fields.map((f) => quoted([f.name])).join(", ")}.`,
        e.position,
      );
  const args = keptFields(value, type, paths, e).flatMap(({ name, expr }): readonly Expr[] => [
    { kind: "literal", value: name, type: { kind: "string" } },
    expr,
  ]);
  const made: Expr = { kind: "call", fn: "named_struct", args };
  const absent: Expr = { kind: "call", fn: "isnotnull", args: [value] };
  return { kind: "case", branches: [[absent, made]], otherwise: undefined };
};

const keptFields = (
  value: Expr,
  type: DataType & { kind: "struct" },
  paths: readonly Path[],
  e: Star,
): readonly { readonly name: string; readonly expr: Expr }[] =>
  type.fields.flatMap((f) => {
    const below = paths.filter((p) => p.length > 0 && sameName(p[0]!, f.name)).map((p) => p.slice(1));
    if (below.some((p) => p.length === 0)) return [];
    const field: Expr = { kind: "field", child: value, name: f.name, position: e.position };
    return [{ name: f.name, expr: pruned(field, f.type, below, e) }];
  });

/** `s.*` of a struct column `s`, when no table has that name. */
const structStar = (visible: Visible, e: Star): readonly Item[] | undefined => {
  if (e.qualifier.length === 0) return undefined;
  const table = visible.columns.some(
    (c) => c.qualifier.at(-1)?.toLowerCase() === e.qualifier.at(-1)!.toLowerCase(),
  );
  const column = table ? undefined : resolveColumn(visible, e.qualifier, e.position)?.base;
  if (column?.type.kind !== "struct") return undefined;
  const paths = e.except ?? [];
  refuseOverlap(paths, e);
  const { fields } = column.type;
  const unknown = paths.find((p) => !fields.some((f) => sameName(f.name, p[0]!)));
  if (unknown !== undefined) return unresolvedColumn(visible, unknown, e.position);
  return keptFields({ kind: "column", parts: e.qualifier }, column.type, paths, e).map(({ name, expr }) => ({
    expr,
    name,
    aliases: undefined,
    qualifier: [],
  }));
};
