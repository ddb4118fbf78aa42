/** Literals: numbers and their types, strings and escapes, dates, timestamps, binaries, intervals; data types and schemas. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ParseError } from "../../src/core/errors.ts";
import { typeName } from "../../src/core/data-type.ts";
import { describeSchema } from "../../src/core/schema.ts";
import { parseDataType, parseExpression, parseSchema } from "../../src/sql/parser.ts";
import { outlineExpr } from "../support/sql-outline.ts";

const literal = (text: string, timeZone?: string): string =>
  outlineExpr(parseExpression(text, timeZone === undefined ? {} : { timeZone }));
const check = (cases: readonly (readonly [string, string])[]): void => {
  for (const [text, expected] of cases) assert.equal(literal(text), expected, text);
};
const refuses = (text: string, errorClass: string, parse: (t: string) => unknown = parseExpression): void => {
  assert.throws(
    () => parse(text),
    (e) => e instanceof ParseError && (assert.equal(e.errorClass, errorClass, text), true),
    text,
  );
};

test("numbers choose their type by size, point, exponent and suffix", () => {
  check([
    ["2147483647", "2147483647:int"],
    ["2147483648", "2147483648:bigint"],
    ["-2147483648", "-2147483648:int"],
    ["9223372036854775807", "9223372036854775807:bigint"],
    ["-9223372036854775808", "-9223372036854775808:bigint"],
    ["9223372036854775808", "9223372036854775808:decimal(19,0)"],
    ["1L", "1:bigint"],
    ["-128Y", "-128:tinyint"],
    ["7S", "7:smallint"],
    ["1.50", "150:decimal(3,2)"],
    [".05", "5:decimal(2,2)"],
    ["1.", "1:decimal(1,0)"],
    ["0.0", "0:decimal(1,1)"],
    ["1.5D", "1.5:double"],
    ["1e2", "100:double"],
    ["1.5E-1", "0.15:double"],
    ["0.1F", `${Math.fround(0.1)}:float`],
    ["12BD", "12:decimal(2,0)"],
    ["1e3BD", "1000:decimal(4,0)"],
    ["1.10bd", "110:decimal(3,2)"],
  ]);
  refuses("128Y", "INVALID_NUMERIC_LITERAL_RANGE");
  refuses("9223372036854775808L", "INVALID_NUMERIC_LITERAL_RANGE");
  refuses("1e400", "INVALID_NUMERIC_LITERAL_RANGE");
  refuses("1".repeat(39), "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION");
  refuses("1e999999999BD", "INVALID_NUMERIC_LITERAL_RANGE");
});

test("digits may begin a name", () => {
  check([
    ["1a", "1a"],
    ["t.2x", "t.2x"],
  ]);
});

test("strings: escapes, doubled quotes, neighbours, raw", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["'it''s'", "it's"],
    [`"a""b"`, `a"b`],
    [`'a""b'`, `a""b`],
    ["'a' 'b'\n\"c\"", "abc"],
    [String.raw`'\n\t\\\'\0\Z'`, "\n\t\\'\0\u001a"],
    [String.raw`'\%\_\q'`, String.raw`\%\_q`],
    [String.raw`'\u0041\U0001F600\101'`, "A\u{1f600}A"],
    [String.raw`'\\''x'`, "\\'x"],
    [String.raw`r'\n\d+'`, String.raw`\n\d+`],
    [`R"it's"`, "it's"],
    ["'-- no comment /* here'", "-- no comment /* here"],
    ["''", ""],
  ];
  for (const [text, expected] of cases) {
    const e = parseExpression(text);
    assert.ok(e.kind === "literal");
    assert.equal(e.value, expected, text);
  }
});

test("typed strings", () => {
  check([
    ["DATE '1970-01-02'", "1:date"],
    ["date'2024-1-5'", "19727:date"],
    ["TIMESTAMP '1970-01-01 00:00:01.5'", "1500:timestamp"],
    ["TIMESTAMP '1970-01-01T01:00:00+01:00'", "0:timestamp"],
    ["TIMESTAMP_NTZ '1970-01-01 00:00:01'", "1000:timestamp_ntz"],
    ["X'1fA'", "01fa:binary"],
    ["x'41'", "41:binary"],
    ["DATE 'epoch'", "0:date"],
    ["TIMESTAMP 'now'", "(current_timestamp)"],
  ]);
  assert.equal(literal("TIMESTAMP '1970-01-01 02:00:00'", "Europe/Berlin"), "3600000:timestamp");
  refuses("DATE '2023-02-29'", "INVALID_TYPED_LITERAL");
  refuses("X'xy'", "INVALID_TYPED_LITERAL");
});

test("intervals in all forms are ANSI intervals over the written units", () => {
  check([
    ["INTERVAL 5 SECONDS", "5000000:interval second"],
    ["INTERVAL -5 SECOND", "-5000000:interval second"],
    ["INTERVAL '1.5' SECOND", "1500000:interval second"],
    ["INTERVAL 1 DAY 2 HOURS", "93600000000:interval day to hour"],
    ["INTERVAL 2 WEEKS", "1209600000000:interval day"],
    ["INTERVAL 3 MILLISECONDS", "3000:interval second"],
    ["INTERVAL 1 MONTH", "1:interval month"],
    ["INTERVAL 1 YEAR 2 MONTHS", "14:interval year to month"],
    ["INTERVAL '1-2' YEAR TO MONTH", "14:interval year to month"],
    ["INTERVAL -'1-2' YEAR TO MONTH", "-14:interval year to month"],
    ["INTERVAL '1 02:03:04.5' DAY TO SECOND", "93784500000:interval day to second"],
    ["INTERVAL '02:03' HOUR TO MINUTE", "7380000000:interval hour to minute"],
    ["INTERVAL '1 day 2 hours'", "93600000000:interval day to hour"],
    ["-INTERVAL '1 day'", "(- 86400000000:interval day)"],
    ["ts - INTERVAL 5 SECONDS > x", "(> (- ts 5000000:interval second) x)"],
  ]);
  refuses("INTERVAL 1 MONTH 1 DAY", "_LEGACY_ERROR_TEMP_0029");
  refuses("INTERVAL '1.5' DAY", "INVALID_INTERVAL_FORMAT.INVALID_FRACTION");
  refuses("INTERVAL '1.1234567891' SECOND", "INVALID_INTERVAL_FORMAT.INVALID_PRECISION");
  refuses("INTERVAL '1,5' DAY", "INVALID_INTERVAL_FORMAT.INVALID_VALUE");
  refuses("INTERVAL '*' DAY", "INVALID_INTERVAL_FORMAT.UNRECOGNIZED_NUMBER");
  refuses("INTERVAL '1 2' DAY", "INVALID_INTERVAL_FORMAT.INVALID_UNIT");
  refuses("INTERVAL '1 day' HOUR", "_LEGACY_ERROR_TEMP_0026");
  refuses("INTERVAL 5 DAY TO HOUR", "_LEGACY_ERROR_TEMP_0027");
  refuses("INTERVAL '1 25' DAY TO HOUR", "_LEGACY_ERROR_TEMP_0063");
  refuses("INTERVAL 1L DAY", "PARSE_SYNTAX_ERROR");
  refuses("INTERVAL '1 2' DAYS TO HOURS", "PARSE_SYNTAX_ERROR");
  refuses("INTERVAL '1-13' YEAR TO MONTH", "INVALID_INTERVAL_FORMAT.INTERVAL_PARSING");
  refuses("INTERVAL '1' MONTH TO DAY", "INVALID_INTERVAL_FORMAT.UNSUPPORTED_FROM_TO_EXPRESSION");
  refuses("INTERVAL 'soon'", "INVALID_TYPED_LITERAL");
});

test("data types", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["int", "int"],
    ["LONG", "bigint"],
    ["dec", "decimal(10,0)"],
    ["NUMERIC(5)", "decimal(5,0)"],
    ["varchar(10)", "string"],
    ["TIMESTAMP_NTZ", "timestamp_ntz"],
    ["interval day to second", "interval day to second"],
    ["INTERVAL MONTH", "interval month"],
    ["INTERVAL", "interval"],
    ["struct<>", "struct<>"],
    [
      "ARRAY<STRUCT<a: INT, `b c` MAP<STRING, ARRAY<DOUBLE>>>>",
      "array<struct<a:int,b c:map<string,array<double>>>>",
    ],
  ];
  for (const [text, expected] of cases) assert.equal(typeName(parseDataType(text)), expected, text);
  refuses("strng", "UNSUPPORTED_DATATYPE", parseDataType);
  refuses("decimal(39)", "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", parseDataType);
  refuses("ARRAY", "INCOMPLETE_TYPE_DEFINITION.ARRAY", parseDataType);
  refuses("CHAR", "DATATYPE_MISSING_SIZE", parseDataType);
  refuses("int int", "PARSE_SYNTAX_ERROR", parseDataType);
  refuses("ARRAY<".repeat(10_000), "FAILED_TO_PARSE_TOO_COMPLEX", parseDataType);
});

test("schemas", () => {
  const schema = parseSchema("a INT NOT NULL COMMENT 'the a', __proto__: STRING, `x.y` ARRAY<INT>");
  assert.equal(describeSchema(schema), "a int not null, __proto__ string, x.y array<int>");
  refuses("", "PARSE_EMPTY_STATEMENT", parseSchema);
  refuses("a", "PARSE_SYNTAX_ERROR", parseSchema);
});
