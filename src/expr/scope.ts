/**
 * What names mean where an expression stands. `columnScope` is the scope over the columns of one or several relations:
 * S1: a name matches a column by its last part, with any suffix of the column's qualifier before it; parts after the match are struct fields.
 * S2: names match without regard to case; several matches are AMBIGUOUS_REFERENCE.
 */
import type { Expr, SourcePosition, TypedExpr, UserFunction } from "./ast.ts";
import { analysisError } from "./type-errors.ts";

/** A resolved column and the parts of the name that are left: fields of it. */
export interface ResolvedColumn {
  readonly expr: TypedExpr;
  readonly rest: readonly string[];
}

export interface Scope {
  readonly timeZone: string;
  /** The column that the leading parts name; undefined: there is none. Throws AMBIGUOUS_REFERENCE. */
  readonly column: (
    parts: readonly string[],
    position: SourcePosition | undefined,
  ) => ResolvedColumn | undefined;
  /** Names to suggest when a column is not found, as the user would write them. */
  readonly candidates: () => readonly string[];
  readonly parameter?: (name: string) => TypedExpr | undefined;
  /** User functions registered in the session. */
  readonly userFunction?: (name: string) => UserFunction | undefined;
  /** The body of a SQL function in place of its call; undefined: there is no such function. `typed` types an argument. */
  readonly inlined?: (
    call: Extract<Expr, { kind: "call" }>,
    typed: (e: Expr) => TypedExpr,
    inLambda: boolean,
  ) => TypedExpr | undefined;
  /** Asked first for every node: aggregates, window calls, subqueries, grouping expressions. */
  readonly special?: (expr: Expr) => TypedExpr | undefined;
  /** Names of functions that are not in the scalar registry (aggregates), for suggestions. */
  readonly functionNames?: () => readonly string[];
}

/** A column a scope offers. `qualifier`: ["catalog", "t"] or ["t"] or []. */
export interface ScopeColumn {
  readonly name: string;
  readonly qualifier: readonly string[];
  readonly expr: TypedExpr;
}

const same = (a: string, b: string): boolean => a === b || a.toLowerCase() === b.toLowerCase();

/** Whether `parts[0 … n - 1]` is a suffix of the qualifier. */
const qualifies = (parts: readonly string[], n: number, qualifier: readonly string[]): boolean => {
  if (n > qualifier.length) return false;
  for (let i = 0; i < n; i++) if (!same(parts[i]!, qualifier[qualifier.length - n + i]!)) return false;
  return true;
};

const quoted = (parts: readonly string[]): string =>
  parts.map((p) => `\`${p.replaceAll("`", "``")}\``).join(".");

const matchesAt = (
  columns: readonly ScopeColumn[],
  parts: readonly string[],
  at: number,
): readonly ScopeColumn[] =>
  columns.filter((c) => same(c.name, parts[at]!) && qualifies(parts, at, c.qualifier));

/** S1, S2 over a list of columns. The longest qualified match wins, as in Spark. */
export const resolveColumn = (
  columns: readonly ScopeColumn[],
  parts: readonly string[],
  position: SourcePosition | undefined,
): ResolvedColumn | undefined => {
  for (let at = parts.length - 1; at >= 0; at--) {
    const found = matchesAt(columns, parts, at);
    if (found.length === 0) continue;
    const distinct = found.filter((c, i) => found.findIndex((d) => d.expr === c.expr) === i);
    if (distinct.length > 1)
      throw analysisError(
        "AMBIGUOUS_REFERENCE",
        `Reference ${quoted(parts)} is ambiguous, could be: [${distinct.map((c) => quoted([...c.qualifier, c.name])).join(", ")}].`,
        position,
      );
    return { expr: found[0]!.expr, rest: parts.slice(at + 1) };
  }
  return undefined;
};

/** The scope over columns. */
export const columnScope = (columns: readonly ScopeColumn[], more: Partial<Scope> = {}): Scope => ({
  timeZone: "UTC",
  column: (parts, position) => resolveColumn(columns, parts, position),
  candidates: () => {
    const qualifiers = new Set(columns.map((c) => c.qualifier.join(".")));
    return columns.map((c) => quoted(qualifiers.size > 1 ? [...c.qualifier, c.name] : [c.name]));
  },
  ...more,
});
