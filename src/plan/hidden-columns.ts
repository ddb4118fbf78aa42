/**
 * Columns that a filter names and the projection below it left out (Spark: ResolveMissingReferences): `df.select("a").filter("b > 1")`. The projection
 * carries them under a name that no text can write, and they end with the filter. Not through DISTINCT, groups or an alias, as in Spark.
 */
import { AnalysisError } from "../core/errors.ts";
import type { Expr } from "../expr/ast.ts";
import { mapExpr, someExpr } from "./analyse-items.ts";
import type { Relation } from "./relation.ts";

type Filter = Extract<Relation, { kind: "filter" }>;
type Select = Extract<Relation, { kind: "select" }>;
type Column = Extract<Expr, { kind: "column" }>;

const HIDDEN = "\u0000";
const hiddenName = (c: Column): string => `${HIDDEN}${c.parts.join(HIDDEN)}`;

/** Whether a column of this name came here only for a filter. */
export const isHidden = (name: string): boolean => name.startsWith(HIDDEN);

const isPlain = (s: Select): boolean =>
  s.distinct !== true &&
  s.groupBy === undefined &&
  s.having === undefined &&
  s.qualify === undefined &&
  s.pipe === undefined;

/** The relation with the column added under its hidden name; undefined where nothing may be added. */
const carrying = (
  rel: Relation,
  c: Column,
  resolves: (rel: Relation, c: Column) => boolean,
): Relation | undefined => {
  const within = (child: Relation): Relation | undefined => carrying(child, c, resolves);
  const hidden: Column = { kind: "column", parts: [hiddenName(c)] };
  switch (rel.kind) {
    case "select": {
      if (!isPlain(rel)) return undefined;
      if (resolves(rel.child, c))
        return { ...rel, exprs: [...rel.exprs, { kind: "alias", child: c, names: [hiddenName(c)] }] };
      const child = within(rel.child);
      return child === undefined ? undefined : { ...rel, child, exprs: [...rel.exprs, hidden] };
    }
    case "drop": {
      if (!resolves(rel.child, c)) {
        const child = within(rel.child);
        return child === undefined ? undefined : { ...rel, child };
      }
      return { ...rel, child: { kind: "withColumns", child: rel.child, columns: [[hiddenName(c), c]] } };
    }
    case "filter":
    case "sort":
    case "limit":
    case "sample":
    case "withColumns": {
      const child = within(rel.child);
      return child === undefined ? undefined : { ...rel, child };
    }
    default:
      return undefined;
  }
};

/** The filter over what carries the columns it misses; undefined when they are nowhere. */
export const withHiddenColumns = (
  rel: Filter,
  resolves: (rel: Relation, c: Column) => boolean,
): Filter | undefined => {
  let child = rel.child;
  const missing = new Set<string>();
  let found = true;
  const note = (x: Expr): boolean => {
    if (x.kind !== "column" || missing.has(hiddenName(x)) || resolves(rel.child, x)) return false;
    const carried = carrying(child, x, resolves);
    if (carried === undefined) found = false;
    else child = carried;
    missing.add(hiddenName(x));
    return false;
  };
  someExpr(rel.condition, note);
  if (!found || missing.size === 0) return undefined;
  const condition = mapExpr(rel.condition, (x) =>
    x.kind === "column" && missing.has(hiddenName(x)) ? { kind: "column", parts: [hiddenName(x)] } : x,
  );
  return { kind: "filter", child, condition };
};

/** A column that is not there. */
export const isUnresolved = (e: unknown): boolean =>
  e instanceof AnalysisError && (e.errorClass ?? "").startsWith("UNRESOLVED_COLUMN");
