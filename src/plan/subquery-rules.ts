/** What a subquery may give and where it may stand. */
import type { Attribute, Expr, SourcePosition, TypedExpr } from "../expr/ast.ts";
import { commonType } from "../expr/coercion.ts";
import { sqlType } from "../expr/type-errors.ts";
import { type Analysis, fail } from "./analyse-context.ts";
import type { Env } from "./analyse-env.ts";
import { equalKeys } from "./analyse-joined.ts";
import type { Inner } from "./inner-query.ts";
import { and } from "./typed.ts";

export type Subquery = Extract<Expr, { kind: "subquery" }>;

export const refuseStreams = (analysis: Analysis, inner: Inner, e: Subquery): void => {
  if (!inner.resolved.plan.streaming) return;
  if (e.mode === "scalar" || analysis.options.compatibility === "spark")
    fail(
      "INVALID_SUBQUERY_EXPRESSION.STREAMING_QUERY",
      "Invalid subquery: Streaming query is not allowed in subquery expressions.",
      e.position,
      "join the stream instead",
    );
};

/** What Spark refuses by the operator that a subquery stands in. */
export const checkHost = (e: Subquery, inner: Inner, env: Env): void => {
  if (e.mode !== "scalar" || inner.outer.length === 0) return;
  if (env.clause === "ORDER BY" || env.clause === "a join condition")
    fail(
      "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY",
      "Correlated scalar subqueries can only be used in filters, aggregations, projections, and UPDATE/MERGE/DELETE commands.",
      e.position,
      "select it under a name",
    );
  if (env.clause === "SELECT" && env.aggregate !== undefined)
    fail(
      "SCALAR_SUBQUERY_IS_IN_GROUP_BY_OR_AGGREGATE_FUNCTION",
      "A correlated scalar subquery is neither present in GROUP BY, nor in an aggregate function.",
      e.position,
      "add it to GROUP BY, or wrap it in first(…)",
    );
};

/** The text of a subquery, positions left out; undefined for one that is more than text. */
export const subqueryKey = (e: Subquery): string | undefined => {
  try {
    return JSON.stringify(e, (name, value: unknown) => {
      if (name === "position") return undefined;
      return typeof value === "bigint" ? `${value}n` : value;
    });
  } catch {
    return undefined;
  }
};

export const onlyColumn = (inner: Inner, e: Subquery): Attribute => {
  const columns = inner.resolved.columns;
  if (columns.length !== 1)
    fail(
      "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
      `Invalid subquery: Scalar subquery must return only one column, but got ${columns.length}.`,
      e.position,
    );
  return columns[0]!.attribute;
};

/** `values IN (columns)` as a condition. */
export const inCondition = (
  inner: Inner,
  values: readonly TypedExpr[],
  position: SourcePosition | undefined,
): TypedExpr => {
  const columns = inner.resolved.columns;
  if (columns.length !== values.length)
    return fail(
      "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH",
      `The number of columns in the left hand side of an IN subquery (${values.length}) does not match the number of columns in the output of subquery (${columns.length}).`,
      position,
    );
  if (values.some((v, i) => commonType([v.type, columns[i]!.attribute.type]) === undefined))
    return fail(
      "DATATYPE_MISMATCH.IN_SUBQUERY_DATA_TYPE_MISMATCH",
      `The data type of one or more elements in the left hand side of an IN subquery is not compatible with the data type of the output of the subquery. Left side: [${values.map((v) => `"${sqlType(v.type)}"`).join(", ")}], right side: [${columns.map((c) => `"${sqlType(c.attribute.type)}"`).join(", ")}].`,
      position,
    );
  return and(values.map((v, i) => equalKeys(v, columns[i]!.attribute)))!;
};
