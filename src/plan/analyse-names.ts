/**
 * Name resolution of columns. A reference is tried with as many of its parts as qualifier as possible, then as a plain name;
 * what is left over are fields. Names compare without case.
 */
import type { DataType } from "../core/data-type.ts";
import type { SourcePosition, TypedExpr } from "../expr/ast.ts";
import { nearest } from "../expr/suggestion.ts";
import { fail, quoted, sameName, type ScopeColumn } from "./analyse-context.ts";
import { fieldOf } from "./typed.ts";

export interface Visible {
  readonly columns: readonly ScopeColumn[];
  readonly hidden: readonly ScopeColumn[];
}

/** A reference to an attribute by id, written as column parts: stars and rewrites use it where a name could be ambiguous. */
const BY_ID = "\u0000attribute";
export const partsOfAttribute = (id: number, name: string): readonly string[] => [BY_ID, String(id), name];
export const isAttributeParts = (parts: readonly string[]): boolean => parts[0] === BY_ID;

const endsWith = (qualifier: readonly string[], parts: readonly string[]): boolean =>
  qualifier.length >= parts.length &&
  parts.every((p, i) => sameName(p, qualifier[qualifier.length - parts.length + i]!));

const distinctById = (columns: readonly ScopeColumn[]): readonly ScopeColumn[] => {
  const seen = new Set<number>();
  return columns.filter((c) => !seen.has(c.attribute.id) && seen.add(c.attribute.id));
};

/** A column, and the fields of it that are still to be taken where it is no struct (arrays of structs, maps, variants). */
export interface ColumnMatch {
  readonly base: TypedExpr;
  readonly rest: readonly string[];
}

const fieldPath = (
  base: TypedExpr,
  names: readonly string[],
  position: SourcePosition | undefined,
): ColumnMatch => {
  let e = base;
  for (const [i, name] of names.entries()) {
    if (e.type.kind !== "struct") return { base: e, rest: names.slice(i) };
    e = fieldOf(e, fieldIndex(e.type, name, position));
  }
  return { base: e, rest: [] };
};

const fieldIndex = (
  type: DataType & { kind: "struct" },
  name: string,
  position: SourcePosition | undefined,
): number => {
  const found = type.fields.flatMap((f, i) => (sameName(f.name, name) ? [i] : []));
  if (found.length === 1) return found[0]!;
  if (found.length > 1)
    return fail(
      "AMBIGUOUS_REFERENCE_TO_FIELDS",
      `Ambiguous reference to the field ${quoted([name])}. It appears ${found.length} times in the schema.`,
      position,
    );
  const names = type.fields.map((f) => quoted([f.name])).join(", ");
  return fail("FIELD_NOT_FOUND", `No such struct field ${quoted([name])} in ${names}.`, position);
};

/** The columns that `parts` may name, with the parts left over as fields. */
const candidates = (
  visible: Visible,
  parts: readonly string[],
): { readonly found: readonly ScopeColumn[]; readonly fields: readonly string[] } => {
  for (let n = Math.min(parts.length - 1, 3); n >= 0; n--) {
    const name = parts[n]!;
    const qualifier = parts.slice(0, n);
    const pool = n > 0 ? [...visible.columns, ...visible.hidden] : visible.columns;
    const found = distinctById(
      pool.filter((c) => sameName(c.name, name) && endsWith(c.qualifier, qualifier)),
    );
    if (found.length > 0) return { found, fields: parts.slice(n + 1) };
  }
  return { found: [], fields: [] };
};

/** The column of these parts; undefined when no column has the name. Throws AMBIGUOUS_REFERENCE, FIELD_NOT_FOUND. */
export const resolveColumn = (
  visible: Visible,
  parts: readonly string[],
  position: SourcePosition | undefined,
): ColumnMatch | undefined => {
  if (isAttributeParts(parts)) {
    const id = Number(parts[1]);
    const base = [...visible.columns, ...visible.hidden].find((c) => c.attribute.id === id)?.attribute;
    return base === undefined ? undefined : { base, rest: [] };
  }
  const { found, fields } = candidates(visible, parts);
  if (found.length === 0) return undefined;
  if (found.length > 1) {
    const names = found.map((c) => quoted([...c.qualifier, c.name])).join(", ");
    return fail(
      "AMBIGUOUS_REFERENCE",
      `Reference ${quoted(parts)} is ambiguous, could be: [${names}].`,
      position,
      "put the table's name or alias in front of the column",
    );
  }
  const attribute = found[0]!.attribute;
  const base: TypedExpr = position === undefined ? attribute : { ...attribute, position };
  return fieldPath(base, fields, position);
};

/** The column's name and the fields behind it, without what qualifies the column; undefined when none has the name. */
export const columnParts = (visible: Visible, parts: readonly string[]): readonly string[] | undefined => {
  const { found, fields } = candidates(visible, parts);
  return found.length === 0 ? undefined : parts.slice(parts.length - fields.length - 1);
};

/** A column with what qualifies it and the fields behind it: `t.a.x`; undefined when it is not one column. */
export const columnText = (visible: Visible, parts: readonly string[]): string | undefined => {
  const { found, fields } = candidates(visible, parts);
  return found.length === 1 ? [...found[0]!.qualifier, found[0]!.name, ...fields].join(".") : undefined;
};

/** The visible columns as a user would write them, qualified where there are several tables. */
export const candidateNames = (visible: Visible): readonly string[] => {
  const several = new Set(visible.columns.map((c) => c.qualifier.join("."))).size > 1;
  return visible.columns.map((c) => quoted(several ? [...c.qualifier, c.name] : [c.name]));
};

export const unresolvedColumn = (
  visible: Visible,
  parts: readonly string[],
  position: SourcePosition | undefined,
): never => {
  const shown = `A column, variable, or function parameter with name ${quoted(parts)} cannot be resolved.`;
  const names = candidateNames(visible);
  if (names.length === 0) return fail("UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", shown, position);
  const best = nearest(quoted(parts), names);
  return fail(
    "UNRESOLVED_COLUMN.WITH_SUGGESTION",
    `${shown} Did you mean one of the following? [${best.join(", ")}].`,
    position,
  );
};

/** The columns a star stands for; undefined when no table has the name. */
export const starColumns = (
  visible: Visible,
  qualifier: readonly string[],
): readonly ScopeColumn[] | undefined => {
  if (qualifier.length === 0) return visible.columns;
  const all = distinctById(
    [...visible.hidden, ...visible.columns].filter((c) => endsWith(c.qualifier, qualifier)),
  );
  return all.length === 0 ? undefined : all;
};

/** The one column of these parts, and the fields behind it. */
export const columnOf = (
  visible: Visible,
  parts: readonly string[],
): { readonly column: ScopeColumn; readonly fields: readonly string[] } | undefined => {
  const { found, fields } = candidates(visible, parts);
  return found[0] === undefined ? undefined : { column: found[0], fields };
};
