/** Casts in ANSI mode: values, text forms, overflow and malformed input. */
import { test } from "node:test";
import { checkSql, type SqlCase } from "../support/evaluation.ts";

test("text to numbers trims and refuses what is malformed or out of range", () => {
  checkSql([
    ["CAST(' 12\t' AS INT)", "int", 12],
    ["CAST('+7' AS BIGINT)", "bigint", 7],
    ["CAST('-9223372036854775808' AS BIGINT)", "bigint", -9223372036854775808n],
    ["CAST('9223372036854775808' AS BIGINT)", "CAST_INVALID_INPUT"],
    ["CAST('128' AS TINYINT)", "CAST_INVALID_INPUT"],
    ["CAST('1.0' AS INT)", "CAST_INVALID_INPUT"],
    ["CAST('' AS INT)", "CAST_INVALID_INPUT"],
    ["TRY_CAST('x' AS INT)", "int", null],
    ["CAST('1e3' AS DOUBLE)", "double", 1000],
    ["CAST('-Infinity' AS DOUBLE)", "double", -Infinity],
    ["CAST('1.5d' AS DOUBLE)", "double", 1.5],
    ["CAST('0x10' AS DOUBLE)", "CAST_INVALID_INPUT"],
    ["CAST('1.005' AS DECIMAL(10,2))", "decimal(10,2)", 101n],
    ["CAST('-1.005' AS DECIMAL(10,2))", "decimal(10,2)", -101n],
    ["CAST('1000' AS DECIMAL(3,0))", "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION"],
    ["CAST('1e2' AS DECIMAL(5,1))", "decimal(5,1)", 1000n],
    ["CAST('Y' AS BOOLEAN)", "boolean", true],
    ["CAST('2' AS BOOLEAN)", "CAST_INVALID_INPUT"],
  ]);
});

test("numbers to narrower numbers cut the fraction and refuse overflow", () => {
  checkSql([
    ["CAST(-12.7D AS INT)", "int", -12],
    ["CAST(12.7BD AS INT)", "int", 12],
    ["CAST(128 AS TINYINT)", "CAST_OVERFLOW"],
    ["CAST(3000000000L AS INT)", "CAST_OVERFLOW"],
    ["TRY_CAST(3000000000L AS INT)", "int", null],
    ["CAST(CAST('NaN' AS DOUBLE) AS INT)", "CAST_OVERFLOW"],
    ["CAST(1e20D AS BIGINT)", "CAST_OVERFLOW"],
    ["CAST(9.223372036854775807E18D AS BIGINT)", "bigint", 9223372036854775807n],
    ["CAST(0.1BD AS DOUBLE)", "double", 0.1],
    ["CAST(0.1D AS FLOAT)", "float", Math.fround(0.1)],
    ["CAST(1.999 AS DECIMAL(3,2))", "decimal(3,2)", 200n],
    ["CAST(99.995 AS DECIMAL(4,2))", "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION"],
    ["CAST(0.5D AS BOOLEAN)", "boolean", true],
    ["CAST(true AS DECIMAL(3,1))", "decimal(3,1)", 10n],
  ]);
});

test("text of values is Spark's (and Java's)", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["1e20D", "1.0E20"],
    ["1e7D", "1.0E7"],
    ["9999999D", "9999999.0"],
    ["0.001D", "0.001"],
    ["0.0001D", "1.0E-4"],
    ["-0.0D", "-0.0"],
    ["CAST('-inf' AS DOUBLE)", "-Infinity"],
    ["1.1F", "1.1"],
    ["CAST(16777216 AS FLOAT)", "1.6777216E7"],
    ["0.0000001BD", "0.0000001"],
    ["-5.50BD", "-5.50"],
    ["DATE '0001-02-03'", "0001-02-03"],
    ["TIMESTAMP '2024-02-29 12:34:56.780'", "2024-02-29 12:34:56.78"],
    ["INTERVAL '1' DAY", "INTERVAL '1' DAY"],
    ["INTERVAL '-1 02:03:04.5' DAY TO SECOND", "INTERVAL '-1 02:03:04.5' DAY TO SECOND"],
    ["INTERVAL '1-2' YEAR TO MONTH", "INTERVAL '1-2' YEAR TO MONTH"],
    ["X'41'", "A"],
  ];
  checkSql(cases.map(([sql, value]): SqlCase => [`CAST(${sql} AS STRING)`, "string", value]));
});

test("dates, timestamps and intervals", () => {
  checkSql([
    ["CAST('2024-1-5' AS DATE)", "date", 19727],
    ["CAST('2023-02-29' AS DATE)", "CAST_INVALID_INPUT"],
    ["CAST(TIMESTAMP '1969-12-31 23:59:59.5' AS BIGINT)", "bigint", -1],
    ["CAST(TIMESTAMP '1970-01-01 00:00:10.5' AS DOUBLE)", "double", 10.5],
    ["CAST(1.5D AS TIMESTAMP)", "timestamp", 1500],
    ["CAST(DATE '1970-01-02' AS TIMESTAMP)", "timestamp", 86_400_000],
    ["CAST(INTERVAL '3' HOUR AS INT)", "int", 3],
    ["CAST(5 AS INTERVAL DAY)", "interval day", 5 * 86_400_000_000],
    ["CAST(DATE '2024-01-01' AS INT)", "DATATYPE_MISMATCH.CAST_WITH_FUNC_SUGGESTION"],
    ["CAST(true AS DATE)", "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION"],
  ]);
});

test("the session's zone decides between local text and instants", () => {
  const berlin = { clockMs: 0, timeZone: "Europe/Berlin" };
  checkSql(
    [
      ["CAST('2024-07-01 12:00:00' AS TIMESTAMP)", "timestamp", Date.UTC(2024, 6, 1, 10)],
      ["CAST('2024-07-01 12:00:00Z' AS TIMESTAMP)", "timestamp", Date.UTC(2024, 6, 1, 12)],
      ["CAST(CAST(0 AS TIMESTAMP) AS STRING)", "string", "1970-01-01 01:00:00"],
      ["CAST(CAST('2024-07-01 23:30:00Z' AS TIMESTAMP) AS DATE)", "date", 19906],
    ],
    berlin,
  );
  // A time without a date is one of the day that it is in its zone.
  const late = { clockMs: Date.UTC(2024, 6, 1, 23), timeZone: "Europe/Berlin" };
  checkSql(
    [
      ["CAST('10:15' AS TIMESTAMP)", "timestamp", Date.UTC(2024, 6, 2, 8, 15)],
      ["CAST('T10:15:00Z' AS TIMESTAMP)", "timestamp", Date.UTC(2024, 6, 1, 10, 15)],
    ],
    late,
  );
});
