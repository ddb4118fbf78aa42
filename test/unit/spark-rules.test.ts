/** Rules of Spark that one line of SQL shows: [SQL, printed result] or [SQL, { error class }]; `at` another zone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "../../src/core/errors.ts";
import { interpret } from "../../src/expr/interpret.ts";
import { columnName } from "../../src/expr/pretty.ts";
import { columnScope } from "../../src/expr/scope.ts";
import { typeExpr } from "../../src/expr/typing.ts";
import { valueText } from "../../src/expr/value-text.ts";
import { parseExpression } from "../../src/sql/parser.ts";

const run = (sql: string, timeZone = "UTC"): string => {
  const e = typeExpr(parseExpression(sql, { timeZone }), columnScope([], { timeZone }));
  const v = interpret(e, [], { clockMs: 1_700_000_000_000, timeZone });
  return v === null ? "NULL" : valueText(e.type, timeZone)(v);
};

type Case = readonly [sql: string, expected: string | { readonly error: string }, zone?: string];
const holds = (cases: readonly Case[]): void => {
  for (const [sql, expected, zone] of cases) {
    if (typeof expected === "string") assert.equal(run(sql, zone), expected, sql);
    else
      assert.throws(
        () => run(sql, zone),
        (e) => e instanceof MillraceError && (assert.equal(e.errorClass, expected.error, sql), true),
        sql,
      );
  }
};

test("timestamps differ by their local times, so a change of the clock does not count", () =>
  holds([
    [
      "timestamp'2024-03-31 12:00:00' - timestamp'2024-03-30 12:00:00'",
      "INTERVAL '1 00:00:00' DAY TO SECOND",
      "Europe/Berlin",
    ],
    [
      "timestamp'2024-11-03 12:00:00' - date'2024-11-03'",
      "INTERVAL '0 12:00:00' DAY TO SECOND",
      "America/New_York",
    ],
  ]));

test("intervals reach from the lowest to the highest 32 and 64 bit number", () =>
  holds([
    ["make_ym_interval(-178956970, -8)", "INTERVAL '-178956970-8' YEAR TO MONTH"],
    ["interval '-178956970-8' year to month / 4", "INTERVAL '-44739242-8' YEAR TO MONTH"],
    ["interval '178956970-8' year to month", { error: "INVALID_INTERVAL_FORMAT.INTERVAL_PARSING" }],
    ["interval '100000000' day", "INTERVAL '100000000' DAY"],
    ["interval 106751990 day + interval 30 day", { error: "INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION" }],
    ["try_add(interval 106751990 day, interval 30 day)", "NULL"],
    ["make_dt_interval(106751992)", { error: "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION" }],
  ]));

test("texts of intervals", () =>
  holds([
    ["cast('- - 1 day' as interval)", "NULL"],
    ["interval '- 3' day", "INTERVAL '-3' DAY"],
    [
      "interval '12 13:14' hour to second",
      { error: "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE" },
    ],
    ["interval '1-x' year to month", { error: "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING" }],
    ["interval '3' month to second", { error: "INVALID_INTERVAL_FORMAT.UNSUPPORTED_FROM_TO_EXPRESSION" }],
    ["interval 7 nanoseconds", { error: "INVALID_INTERVAL_FORMAT.INVALID_UNIT" }],
    ["interval 'three days'", { error: "INVALID_TYPED_LITERAL" }],
  ]));

test("literals of the query's day", () =>
  holds([
    ["date'tomorrow' - date'yesterday'", "INTERVAL '2' DAY"],
    ["timestamp_ntz'today'", "2023-11-14 00:00:00"],
    ["timestamp'Tomorrow'", "2023-11-16 00:00:00", "Asia/Tokyo"],
  ]));

test("a timestamp in a name is written in the zone of the session that read it", () => {
  const zone = "America/Los_Angeles";
  const e = parseExpression("hour(timestamp'2024-05-05 10:00:00Z')", { timeZone: zone });
  assert.equal(columnName(e), "hour(TIMESTAMP '2024-05-05 03:00:00')");
});

test("intervals have a sign and fall into buckets", () =>
  holds([
    ["sign(interval '-2' hour)", "-1.0"],
    ["width_bucket(interval 3 month, interval 0 month, interval 1 year, 4)", "2"],
    [
      "width_bucket(interval 3 month, interval 0 day, interval 1 day, 4)",
      { error: "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE" },
    ],
    ["width_bucket(7.5, 0, 10, 9223372036854775806L)", "6917529027641081857"],
  ]));

test("the second argument of nanvl counts only when the first is NaN", () =>
  holds([
    ["nanvl(2D, 1 / 0)", "2.0"],
    ["nanvl(double('nan'), 7)", "7.0"],
    ["typeof(nanvl(1F, 2F))", "float"],
  ]));

test("exp and cosh are those of Java's StrictMath", () =>
  holds([
    ["exp(1)", "2.7182818284590455"],
    ["cosh(-1)", "1.543080634815244"],
    ["exp(2)", "7.38905609893065"],
  ]));

test("a decimal that would need more than 38 digits keeps the whole ones", () =>
  holds([
    ["typeof(coalesce(cast(1 as decimal(30, 20)), cast(1 as decimal(35, 0))))", "decimal(38,3)"],
    ["coalesce(cast(1.23456 as decimal(30, 20)), cast(1 as decimal(35, 0)))", "1.235"],
  ]));

test("JSON of intervals, keys that are structs, and what options do to an inferred schema", () =>
  holds([
    [`from_json('{"w":"3 weeks"}', 'w interval')`, "{21 days}"],
    [`from_json('{"d":2}', 'd interval day')`, "{INTERVAL '2' DAY}"],
    [`to_json(map(struct(7, null), 1))`, `{"[7,null]":1}`],
    [
      `schema_of_json('{"n":1.25, "b":true}', map('primitivesAsString', 'true'))`,
      "STRUCT<b: STRING, n: STRING>",
    ],
    [
      `schema_of_json('[007.5]', map('allowNumericLeadingZeros', 'true', 'prefersDecimal', 'true'))`,
      "ARRAY<DECIMAL(2,1)>",
    ],
    ["schema_of_csv('2;x', map('delimiter', ';'))", "STRUCT<_c0: INT, _c1: STRING>"],
  ]));

test("JSON and CSV functions take texts, constant schemas and maps of options", () =>
  holds([
    ["json_array_length(3)", { error: "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE" }],
    ["get_json_object(3, '$')", { error: "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE" }],
    ["from_json('{}', 3)", { error: "INVALID_SCHEMA.NON_STRING_LITERAL" }],
    ["schema_of_json(cast(null as string))", { error: "DATATYPE_MISMATCH.UNEXPECTED_NULL" }],
    ["schema_of_csv(3)", { error: "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE" }],
    ["to_json(struct(1), struct('mode'))", { error: "INVALID_OPTIONS.NON_MAP_FUNCTION" }],
    ["from_csv('1', 'a int', map('mode', 3))", { error: "INVALID_OPTIONS.NON_STRING_TYPE" }],
  ]));

test("binary of texts: a known constant format, blanks only before padding", () =>
  holds([
    ["hex(to_binary('aG k=', 'BASE64'))", "6869"],
    ["to_binary('aA= =', 'base64')", { error: "CONVERSION_INVALID_INPUT" }],
    ["to_binary('a', 'base32')", { error: "DATATYPE_MISMATCH.INVALID_ARG_VALUE" }],
    ["try_to_binary('a', 'base32')", "NULL"],
  ]));

test("zones and offsets before there were zones", () =>
  holds([
    [
      "date_format(timestamp'1850-06-01 00:00:00', 'zzzz|Z|ZZZZZ')",
      "Eastern Standard Time|-0456|-04:56:02",
      "America/New_York",
    ],
    ["try_to_timestamp(90)", "1970-01-01 00:01:30"],
    ["to_char(-5, '99PR') || '!' || to_char(5, '99PR') || '!'", " <5>! 5  !"],
  ]));

test("dates, timestamps and intervals beside operands that do not go with them", () =>
  holds([
    ["date'2024-01-01' + '3'", { error: "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE" }],
    ["timestamp'2024-01-01' - 3", { error: "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE" }],
    ["3 + interval 1 day", { error: "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE" }],
    ["3 + interval 1 year", { error: "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES" }],
    ["date'2024-01-01' / timestamp'2024-01-01'", { error: "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES" }],
    ["typeof(date'2024-01-01' + null)", "timestamp"],
    ["typeof(date'2024-01-01' - null)", "interval day"],
    ["typeof(interval 1 hour - null)", "interval hour"],
  ]));

test("elements and keys meet without strings being read as numbers", () =>
  holds([
    ["array_insert(array(7), 1, '8')", { error: "DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES" }],
    ["map_contains_key(map(7, 'x'), '7')", { error: "DATATYPE_MISMATCH.MAP_FUNCTION_DIFF_TYPES" }],
    ["map_contains_key(map(7L, 'x'), 7)", "true"],
    ["map_concat(map('a', 1), map(date'2024-01-01', 2))", { error: "DATATYPE_MISMATCH.DATA_DIFF_TYPES" }],
  ]));

test("constant characters of mask, counted bits, days of a year, flags switched off", () =>
  holds([
    ["mask('ab', 'X', 'yy')", { error: "DATATYPE_MISMATCH.INPUT_SIZE_NOT_ONE" }],
    ["mask('ab', 7)", { error: "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE" }],
    ["bit_count('7')", { error: "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE" }],
    ["to_date('2024-03-060', 'yyyy-MM-DDD')", { error: "CANNOT_PARSE_TIMESTAMP" }],
    ["to_date('2024-02-060', 'yyyy-MM-DDD')", "2024-02-29"],
    ["regexp_count('aAa', '(?-i)a')", "2"],
    ["raise_error('A_CLASS', map('x', 'y'))", { error: "WRONG_NUM_ARGS.WITHOUT_SUGGESTION" }],
  ]));

test("names of decimals, of nulls beside times, and of values inside a variant", () => {
  const name = (sql: string): string => columnName(parseExpression(sql, { timeZone: "UTC" }));
  assert.equal(name("abs(0.00000012)"), "abs(1.2E-7)");
  assert.equal(name("null + date'2024-01-01'"), "DATE '2024-01-01' + NULL");
  assert.equal(name("interval 2 day + null"), "(INTERVAL '2' DAY + NULL)");
  assert.equal(name("v:list[0].`first name`::int"), "first name");
  assert.equal(name("upper(v:['k'])"), "upper(variant_get(v, $['k']) AS k)");
});

test("a path behind a colon reads a variant", () =>
  holds([
    [`parse_json('{"a": [{"b": 7}]}'):a[0].b::int + 1`, "8"],
    [`parse_json('{"x y": true}'):['x y']`, "true"],
    ["parse_json('{}'):a IS NULL", "true"],
  ]));
