/**
 * Pipe operators that make select lists: `|> SELECT` and `|> EXTEND` hold no aggregates, and a position in the GROUP BY of `|> AGGREGATE` is
 * one of the input's columns.
 */
import type { Expr } from "../expr/ast.ts";
import { fail, type Resolved } from "./analyse-context.ts";
import { someExpr } from "./analyse-items.ts";
import { partsOfAttribute } from "./analyse-names.ts";
import type { Select } from "./analyse-select.ts";
import type { Grouping } from "./relation.ts";

/** The select list without what only pipes know. */
export const pipedSelect = (
  rel: Select,
  child: Resolved,
  aggregated: (e: Expr) => boolean,
  spark: boolean,
): Select => {
  if (rel.pipe === "AGGREGATE") return positioned(rel, child, aggregated, spark);
  const found = rel.pipe === "SELECT" ? undefined : rel.exprs.find(aggregated);
  return found === undefined
    ? rel
    : fail(
        "PIPE_OPERATOR_CONTAINS_AGGREGATE_FUNCTION",
        `Non-grouping aggregate functions are not allowed in the pipe operator |> ${rel.pipe!} clause; please use the pipe operator |> AGGREGATE clause instead.`,
        found.position ?? rel.position,
      );
};

const positioned = (
  rel: Select,
  child: Resolved,
  aggregated: (e: Expr) => boolean,
  spark: boolean,
): Select => {
  const keys = rel.groupBy === undefined || rel.groupBy.kind === "all" ? 0 : rel.groupBy.exprs.length;
  if (rel.groupBy?.kind === "sets" && spark)
    return fail(
      "UNSUPPORTED_FEATURE.PIPE_OPERATOR_AGGREGATE_UNSUPPORTED_CASE",
      "|> AGGREGATE with grouping sets is not supported.",
      rel.position,
      'set compatibility to "extended"',
    );
  const plain = rel.exprs.slice(keys).find((e) => !aggregated(e) && !grouping(e));
  if (plain !== undefined)
    return fail(
      "PIPE_OPERATOR_AGGREGATE_EXPRESSION_CONTAINS_NO_AGGREGATE_FUNCTION",
      "Non-aggregate expressions are not allowed in the pipe operator |> AGGREGATE clause; please include at least one aggregate function per expression.",
      plain.position ?? rel.position,
    );
  const column = (e: Expr): Expr => atPosition(e, child);
  const exprs = rel.exprs.map((e, i) => (i < keys ? column(e) : e));
  return { ...rel, exprs, ...(rel.groupBy === undefined ? {} : { groupBy: grouped(rel.groupBy, column) }) };
};

const grouping = (e: Expr): boolean =>
  someExpr(e, (x) => x.kind === "call" && ["grouping", "grouping_id"].includes(x.fn.toLowerCase()));

const grouped = (g: Grouping, column: (e: Expr) => Expr): Grouping => {
  if (g.kind === "all") return g;
  const exprs = g.exprs.map(column);
  return g.kind === "keys"
    ? { kind: "keys", exprs }
    : { kind: "sets", exprs, sets: g.sets.map((s) => s.map(column)) };
};

const atPosition = (e: Expr, child: Resolved): Expr => {
  if (e.kind !== "literal" || e.type.kind !== "int") return e;
  const column = child.columns[Number(e.value) - 1];
  if (column === undefined)
    return fail(
      "GROUP_BY_POS_OUT_OF_RANGE",
      `GROUP BY position ${Number(e.value)} is not among the columns (valid range is [1, ${child.columns.length}]).`,
      e.position,
    );
  return { kind: "column", parts: partsOfAttribute(column.attribute.id, column.name), position: e.position };
};
