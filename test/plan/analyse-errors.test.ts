/** What the analyser refuses, with Spark's error class and the place in the text. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { planOf, refusal } from "../support/plans.ts";

const REFUSED: readonly (readonly [string, string])[] = [
  ["SELECT k FROM t JOIN u ON t.k = u.k", "AMBIGUOUS_REFERENCE"],
  ["SELECT t.zz FROM t", "UNRESOLVED_COLUMN.WITH_SUGGESTION"],
  ["SELECT zz", "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION"],
  ["SELECT * FROM nosuch", "TABLE_OR_VIEW_NOT_FOUND"],
  ["SELECT q.* FROM t", "CANNOT_RESOLVE_STAR_EXPAND"],
  ["SELECT s.zz FROM n", "FIELD_NOT_FOUND"],
  ["SELECT sum(count(*)) FROM t", "NESTED_AGGREGATE_FUNCTION"],
  ["SELECT k FROM t WHERE sum(v) > 1", "INVALID_WHERE_CONDITION"],
  ["SELECT k FROM t GROUP BY sum(v)", "GROUP_BY_AGGREGATE"],
  ["SELECT k, sum(v) FROM t GROUP BY 2", "GROUP_BY_POS_AGGREGATE"],
  ["SELECT k FROM t GROUP BY 7", "GROUP_BY_POS_OUT_OF_RANGE"],
  ["SELECT k FROM t ORDER BY 3", "ORDER_BY_POS_OUT_OF_RANGE"],
  ["SELECT k, sum(v) FROM t", "MISSING_GROUP_BY"],
  ["SELECT v FROM t GROUP BY k", "MISSING_AGGREGATION"],
  ["SELECT sum(v) OVER (ORDER BY v) FROM t GROUP BY k", "MISSING_AGGREGATION"],
  ["SELECT grouping(k) FROM t GROUP BY k", "UNSUPPORTED_GROUPING_EXPRESSION"],
  ["SELECT row_number() OVER () FROM t", "WINDOW_FUNCTION_FRAME_NOT_ORDERED"],
  ["SELECT rank() FROM t", "WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE"],
  ["SELECT sum(v) OVER nosuch FROM t", "MISSING_WINDOW_SPECIFICATION"],
  ["SELECT explode(xs) + 1 FROM n", "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS"],
  ["SELECT * FROM t UNION SELECT 1", "NUM_COLUMNS_MISMATCH"],
  ["SELECT map('a', 1) AS m UNION SELECT array(1)", "INCOMPATIBLE_COLUMN_TYPE"],
  ["SELECT * FROM t JOIN u USING (zz)", "UNRESOLVED_USING_COLUMN_FOR_JOIN"],
  ["SELECT v FROM t WHERE k", "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN"],
  ["SELECT DISTINCT k FROM t ORDER BY v", "UNRESOLVED_COLUMN.WITH_SUGGESTION"],
  ["SELECT k FROM t LIMIT -1", "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE"],
  ["SELECT k FROM t LIMIT 'x'", "INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE"],
  [
    "SELECT (SELECT k, name FROM u)",
    "INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN",
  ],
  ["SELECT k FROM t WHERE v IN (SELECT k, name FROM u)", "DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH"],
  ["SELECT k FROM s WHERE v > (SELECT avg(v) FROM s)", "INVALID_SUBQUERY_EXPRESSION.STREAMING_QUERY"],
  ["WITH a AS (SELECT 1), a AS (SELECT 2) SELECT * FROM a", "DUPLICATED_CTE_NAMES"],
  ["SELECT window(ts, '5 seconds', '10 seconds') FROM s", "DATATYPE_MISMATCH.PARAMETER_CONSTRAINT_VIOLATION"],
  ["SELECT window(ts, 'five') FROM s", "CANNOT_PARSE_INTERVAL"],
  ["SELECT window(ts, '5 seconds'), window(ts, '6 seconds') FROM s", "_LEGACY_ERROR_TEMP_1039"],
  ["SELECT session_window(ts, '5 seconds') FROM s", "UNSUPPORTED_EXPR_FOR_OPERATOR"],
  ["SELECT :p + 1", "UNBOUND_SQL_PARAMETER"],
];

for (const [sql, errorClass] of REFUSED)
  test(`${errorClass}: ${sql}`, () => {
    const error = refusal(() => planOf(sql));
    assert.equal(error.errorClass, errorClass, error.message);
    assert.ok(error.message.startsWith(`[${errorClass}] `), error.message);
  });

test("a column that does not exist is named with its place and the nearest names", () => {
  const error = refusal(() => planOf("SELECT k,\n  nam FROM u"));
  assert.deepEqual([error.position?.line, error.position?.column], [2, 3]);
  assert.match(error.message, /`name`/);
});

test("a view that contains itself is refused", () => {
  const error = refusal(() => planOf("WITH x AS (SELECT * FROM x) SELECT * FROM x"));
  assert.equal(error.errorClass, "TABLE_OR_VIEW_NOT_FOUND");
});
