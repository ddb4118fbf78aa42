/** WITHIN GROUP, DISTINCT and windows around aggregates: what they choose and what Spark refuses. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { MillraceError } from "../../src/core/errors.ts";
import { TestSql } from "../support/sql-session.ts";

const sql = new TestSql();
after(() => sql.cluster.close());
const FROM = "FROM VALUES ('a', 3), ('b', 5), ('a', 5), ('b', 3), ('c', 9) AS t(k, v)";

test("the order of mode chooses among the most frequent", async () => {
  assert.deepEqual(
    await sql.rows(
      `SELECT mode() WITHIN GROUP (ORDER BY v), mode() WITHIN GROUP (ORDER BY k DESC), mode(v, true) ${FROM}`,
    ),
    [[3, "b", 3]],
  );
  assert.deepEqual(
    await sql.rows("SELECT mode(m) FROM VALUES (map(1, 2)), (map(3, 4)), (map(3, 4)) AS t(m)"),
    [[[[3, 4]]]],
  );
});

const REFUSED: readonly (readonly [string, string])[] = [
  ["mode(DISTINCT v)", "INVALID_WITHIN_GROUP_EXPRESSION.DISTINCT_UNSUPPORTED"],
  ["mode()", "INVALID_WITHIN_GROUP_EXPRESSION.WITHIN_GROUP_MISSING"],
  ["mode(v) WITHIN GROUP (ORDER BY v)", "INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS"],
  ["mode(v, 1)", "UNEXPECTED_INPUT_TYPE"],
  ["mode(v, v > 1)", "NON_FOLDABLE_ARGUMENT"],
  ["percentile_cont(0.5)", "INVALID_WITHIN_GROUP_EXPRESSION.WITHIN_GROUP_MISSING"],
  ["percentile_disc(0.5, 1) WITHIN GROUP (ORDER BY v)", "WRONG_NUM_ARGS.WITHOUT_SUGGESTION"],
  [
    "percentile_cont(0.5) WITHIN GROUP (ORDER BY k, v)",
    "INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS",
  ],
  ["max(v) WITHIN GROUP (ORDER BY v)", "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX"],
  ["abs(1) WITHIN GROUP (ORDER BY v)", "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX"],
  [
    "listagg(DISTINCT k) WITHIN GROUP (ORDER BY v)",
    "INVALID_WITHIN_GROUP_EXPRESSION.MISMATCH_WITH_DISTINCT_INPUT",
  ],
  ["listagg(k, k)", "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT"],
  ["listagg(CAST(k AS BINARY), '-')", "DATATYPE_MISMATCH.DATA_DIFF_TYPES"],
  ["count(DISTINCT v) OVER ()", "DISTINCT_WINDOW_FUNCTION_UNSUPPORTED"],
  ["median(v) OVER (ORDER BY k)", "INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC"],
  ["listagg(k) WITHIN GROUP (ORDER BY k) OVER (ORDER BY v)", "INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC"],
];
for (const [expression, errorClass] of REFUSED)
  test(`${expression} is refused`, () =>
    assert.rejects(
      sql.run(`SELECT ${expression} ${FROM}`),
      (e) => e instanceof MillraceError && (assert.equal(e.errorClass, errorClass), true),
    ));

test("over a whole partition percentiles and ordered lists are allowed", async () => {
  const rows = await sql.rows(
    `SELECT DISTINCT k, percentile_disc(1) WITHIN GROUP (ORDER BY v) OVER (PARTITION BY k) AS p ${FROM} ORDER BY k`,
  );
  assert.deepEqual(rows, [
    ["a", 5],
    ["b", 5],
    ["c", 9],
  ]);
});
