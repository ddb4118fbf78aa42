/** The type checker: coercion, error classes, suggestions, positions; three-valued logic and laziness. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decimal, field, INT, LONG, map, STRING, struct } from "../../src/core/data-type.ts";
import { AnalysisError } from "../../src/core/errors.ts";
import { adjustPrecisionScale } from "../../src/expr/decimal.ts";
import { foldConstants } from "../../src/expr/fold.ts";
import { columnScope } from "../../src/expr/scope.ts";
import { typeExpr } from "../../src/expr/typing.ts";
import { parseExpression } from "../../src/sql/parser.ts";
import { checkSql, type SqlCase, UTC, NO_COLUMNS } from "../support/evaluation.ts";

test("operands meet in Spark's ANSI types", () => {
  checkSql([
    ["1 + 1L", "bigint", 2],
    ["1.5F + 1", "double", 2.5],
    ["1Y + 1Y", "tinyint", 2],
    ["100Y + 100Y", "BINARY_ARITHMETIC_OVERFLOW"],
    ["'1' + 2", "bigint", 3],
    ["'1.5' + 2D", "double", 3.5],
    ["'x' + 1", "CAST_INVALID_INPUT"],
    ["true + 1", "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES"],
    ["true + true", "DATATYPE_MISMATCH.BINARY_OP_WRONG_TYPE"],
    ["NULL + NULL", "double", null],
    ["1 = '1'", "boolean", true],
    ["DATE '2024-01-01' = '2024-01-01'", "boolean", true],
    ["DATE '2024-01-01' < TIMESTAMP '2024-01-01 00:00:01'", "boolean", true],
    ["coalesce(1, 2.5BD)", "decimal(11,1)", 10n],
    ["array(1, 2L)", "array<bigint>", [1, 2]],
    ["1 IN (1L, 2)", "boolean", true],
    ["1 IN (true)", "DATATYPE_MISMATCH.DATA_DIFF_TYPES"],
    ["map('a', 1) = map('a', 1)", "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE"],
    ["coalesce(1, true)", "DATATYPE_MISMATCH.DATA_DIFF_TYPES"],
  ]);
});

test("decimal results lose scale before they lose whole digits", () => {
  assert.deepEqual(adjustPrecisionScale(40, 20), decimal(38, 18));
  assert.deepEqual(adjustPrecisionScale(60, 4), decimal(38, 4));
  checkSql([
    ["CAST(1 AS DECIMAL(38,10)) * CAST(1 AS DECIMAL(38,10))", "decimal(38,6)", 1_000_000n],
    ["1.10BD / 3", "decimal(7,6)", 366667n],
    ["2.5BD % 1.2BD", "decimal(2,1)", 1n],
    [
      "CAST(99999999999999999999999999999999999999BD AS DECIMAL(38,0)) + 1BD",
      "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
    ],
  ]);
});

test("longs are exact over 64 bits", () => {
  checkSql([
    ["9223372036854775806L + 1", "bigint", 9223372036854775807n],
    ["9223372036854775807L + 1", "ARITHMETIC_OVERFLOW"],
    ["9007199254740993L * 3", "bigint", 27021597764222979n],
    ["9223372036854775807L - 9223372036854775806L", "bigint", 1],
    ["9007199254740993L = 9007199254740992L", "boolean", false],
    ["-9223372036854775808L div -1", "ARITHMETIC_OVERFLOW"],
    ["9007199254740993L % 10", "bigint", 3],
    ["try_add(9223372036854775807L, 1L)", "bigint", null],
    ["-2147483648 * -1", "ARITHMETIC_OVERFLOW"],
  ]);
});

test("three-valued logic, for every pair", () => {
  const values = ["true", "false", "CAST(NULL AS BOOLEAN)"];
  const meaning = [true, false, null];
  const cases = values.flatMap((a, i) =>
    values.flatMap((b, j): SqlCase[] => {
      const pair = [meaning[i]!, meaning[j]!];
      const and = pair.includes(false) ? false : pair.includes(null as never) ? null : true;
      const or = pair.includes(true) ? true : pair.includes(null as never) ? null : false;
      return [
        [`${a} AND ${b}`, "boolean", and],
        [`${a} OR ${b}`, "boolean", or],
        [`${a} <=> ${b}`, "boolean", meaning[i] === meaning[j]],
      ];
    }),
  );
  checkSql(cases);
  checkSql([
    ["NULL IN (1)", "boolean", null],
    ["1 NOT IN (2, NULL)", "boolean", null],
    ["1 IN (1, NULL)", "boolean", true],
    ["NULL BETWEEN 1 AND 2", "boolean", null],
    ["5 BETWEEN 6 AND NULL", "boolean", false],
  ]);
});

test("what is not needed is not evaluated", () => {
  checkSql([
    ["false AND 1/0 = 1", "boolean", false],
    ["true OR 1/0 = 1", "boolean", true],
    ["true AND 1/0 = 1", "DIVIDE_BY_ZERO"],
    ["if(true, 1, 1/0)", "double", 1],
    ["CASE WHEN 1 = 1 THEN 'a' ELSE CAST('x' AS INT) || 'b' END", "string", "a"],
    ["coalesce(1, CAST('x' AS INT))", "int", 1],
    ["nvl2(NULL, CAST('x' AS INT), 2)", "int", 2],
    ["1 IN (1, CAST('x' AS INT))", "boolean", true],
    ["CAST(NULL AS INT) + CAST('x' AS INT)", "int", null],
  ]);
});

test("NaN is one value, the greatest; -0 is 0", () => {
  checkSql([
    ["CAST('NaN' AS DOUBLE) = CAST('NaN' AS FLOAT)", "boolean", true],
    ["CAST('NaN' AS DOUBLE) > CAST('inf' AS DOUBLE)", "boolean", true],
    ["0D = -0.0D", "boolean", true],
    ["CAST('NaN' AS DOUBLE) IN (1D, CAST('NaN' AS DOUBLE))", "boolean", true],
    ["array(1, NULL) < array(1, 2)", "boolean", true],
    ["struct(1, 'b') > struct(1, 'a')", "boolean", true],
  ]);
});

test("dates, timestamps and intervals add and subtract", () => {
  checkSql([
    ["DATE '2024-01-31' + INTERVAL 1 MONTH", "date", 19782],
    ["DATE '2024-01-31' + 1", "date", 19754],
    ["DATE '2024-01-31' + INTERVAL 1 HOUR", "timestamp", Date.UTC(2024, 0, 31, 1)],
    ["DATE '2024-03-01' - DATE '2024-02-01'", "interval day", 29 * 86_400_000_000],
    [
      "TIMESTAMP '2024-01-01 00:00:01' - TIMESTAMP '2024-01-01 00:00:00'",
      "interval day to second",
      1_000_000,
    ],
    ["INTERVAL 1 DAY * 1.5", "interval day to second", 129_600_000_000],
    ["INTERVAL 3 MONTH / 2", "interval year to month", 2],
    ["INTERVAL 1 DAY / 0", "INTERVAL_DIVIDED_BY_ZERO"],
    ["'2024-01-01' + INTERVAL 1 DAY", "string", "2024-01-02 00:00:00"],
    [
      "window(TIMESTAMP '2024-02-29 12:00:07', '10 seconds', '5 seconds', '1 second').start",
      "timestamp",
      Date.UTC(2024, 1, 29, 12, 0, 6),
    ],
    ["window(TIMESTAMP '2024-02-29 12:00:07', '1 month')", "INVALID_PARAMETER_VALUE.INTERVAL"],
  ]);
});

test("access into structs, arrays and maps", () => {
  checkSql([
    ["array(1, 2)[1]", "int", 2],
    ["array(1, 2)[2]", "INVALID_ARRAY_INDEX"],
    ["array(1, 2)[-1]", "INVALID_ARRAY_INDEX"],
    ["map('a', 1)['b']", "int", null],
    ["map('a', 1).a", "int", 1],
    ["named_struct('a', 1).A", "int", 1],
    ["named_struct('a', 1).b", "FIELD_NOT_FOUND"],
    ["array(named_struct('a', 1), NULL).a", "array<int>", [1, null]],
    ["(1)[0]", "INVALID_EXTRACT_BASE_FIELD_TYPE"],
  ]);
});

const people = columnScope([
  { name: "id", qualifier: ["t"], expr: { kind: "slot", index: 0, name: "id", type: INT, nullable: false } },
  {
    name: "who",
    qualifier: ["t"],
    expr: { kind: "slot", index: 1, name: "who", type: STRING, nullable: true },
  },
  { name: "id", qualifier: ["u"], expr: { kind: "slot", index: 2, name: "id", type: LONG, nullable: true } },
  {
    name: "__proto__",
    qualifier: ["u"],
    expr: {
      kind: "slot",
      index: 3,
      name: "__proto__",
      type: struct([field("x", map(STRING, INT))]),
      nullable: true,
    },
  },
]);

const failure = (sql: string): AnalysisError => {
  try {
    typeExpr(parseExpression(sql), people);
  } catch (e) {
    assert.ok(e instanceof AnalysisError, String(e));
    return e;
  }
  return assert.fail(`${sql} was not refused`);
};

test("names resolve by qualifier and are suggested when they do not", () => {
  assert.equal(typeExpr(parseExpression("U.ID"), people).type.kind, "long");
  assert.equal(typeExpr(parseExpression("__proto__.x.k"), people).type.kind, "int");
  assert.equal(failure("id").errorClass, "AMBIGUOUS_REFERENCE");
  const unknown = failure("1 + whoo");
  assert.equal(unknown.errorClass, "UNRESOLVED_COLUMN.WITH_SUGGESTION");
  assert.match(
    unknown.message,
    /`whoo` cannot be resolved\. Did you mean one of the following\? \[`t`\.`who`/,
  );
  assert.deepEqual(
    { line: unknown.position?.line, column: unknown.position?.column },
    { line: 1, column: 5 },
  );
  assert.equal(failure("constructor").errorClass, "UNRESOLVED_COLUMN.WITH_SUGGESTION");
  const routine = failure("uper(who)");
  assert.equal(routine.errorClass, "UNRESOLVED_ROUTINE");
  assert.match(routine.hint!, /upper/);
  assert.equal(failure("upper(who, who)").errorClass, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION");
  assert.equal(failure("not t.id").errorClass, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE");
  assert.equal(failure(":p").errorClass, "UNBOUND_SQL_PARAMETER");
});

test("constants fold; an expression that fails is left for the row that reaches it", () => {
  const folded = (sql: string): string =>
    foldConstants(typeExpr(parseExpression(sql), NO_COLUMNS), UTC.timeZone).kind;
  assert.equal(folded("upper('a') || 'b'"), "literal");
  assert.equal(folded("transform(array(1, 2), x -> x + 1)[0]"), "literal");
  assert.equal(folded("1 / 0"), "call");
  assert.equal(folded("CAST('2024-02-03 10:15' AS TIMESTAMP)"), "literal");
  // A time without a date is one of the day of the epoch, not of the day of the plan.
  assert.equal(folded("CAST('10:15' AS TIMESTAMP)"), "cast");
  assert.equal(folded("TRY_CAST('10:15' AS TIMESTAMP)"), "cast");
  assert.equal(folded("to_timestamp('10:15')"), "call");
  const partly = foldConstants(typeExpr(parseExpression("t.id + (1 + 2)"), people));
  assert.ok(partly.kind === "call" && partly.args[1]!.kind === "literal" && partly.args[1]!.value === 3);
});

test("LIKE matches the whole text; only %, _ and the escape itself may be escaped", () => {
  checkSql([
    ["'a-b/c.d' LIKE 'a-b/c.d'", "boolean", true],
    ["'axd' LIKE 'a.d'", "boolean", false],
    ["'a\nb' LIKE 'a%b'", "boolean", true],
    ["'😀' LIKE '_'", "boolean", true],
    ["'a%c' LIKE 'a/%c' ESCAPE '/'", "boolean", true],
    ["'abc' LIKE 'a/%c' ESCAPE '/'", "boolean", false],
    ["'abc' LIKE 'a/bc' ESCAPE '/'", "INVALID_FORMAT.ESC_IN_THE_MIDDLE"],
    ["'abc' LIKE 'abc/' ESCAPE '/'", "INVALID_FORMAT.ESC_AT_THE_END"],
    ["'ABC' ILIKE 'a_c'", "boolean", true],
    ["NULL LIKE 'a'", "boolean", null],
  ]);
});
