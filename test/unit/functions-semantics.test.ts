/** Spark's answers, edge by edge: [SQL, printed result] or [SQL, { error class }]. Printed as CAST(… AS STRING) prints. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "../../src/core/errors.ts";
import { interpret } from "../../src/expr/interpret.ts";
import { columnScope } from "../../src/expr/scope.ts";
import { typeExpr } from "../../src/expr/typing.ts";
import { valueText } from "../../src/expr/value-text.ts";
import { parseExpression } from "../../src/sql/parser.ts";

const run = (sql: string, timeZone = "UTC"): string => {
  const e = typeExpr(parseExpression(sql, { timeZone }), columnScope([], { timeZone }));
  const v = interpret(e, [], { clockMs: 1_700_000_000_000, timeZone });
  return v === null ? "NULL" : valueText(e.type, timeZone)(v);
};

type Expected = string | { readonly error: string };
type Case = readonly [sql: string, expected: Expected];

const STRINGS: readonly Case[] = [
  ["substring('hello', -7, 3)", "h"],
  ["substring('a😀b', 2, 1)", "😀"],
  ["right('hello', 9)", "hello"],
  ["rpad('a', 3, '')", "a"],
  ["initcap('sPARK o''neil x-y')", "Spark O'neil X-y"],
  ["locate('b', 'abcb', 3)", "4"],
  ["locate('b', 'abcb', 0)", "0"],
  ["replace('abc', 'b')", "ac"],
  ["substring_index('www.apache.org', '.', -2)", "apache.org"],
  ["split_part('11.12.13', '.', -3)", "11"],
  ["split_part('a.b', '.', 0)", { error: "INVALID_INDEX_OF_ZERO" }],
  ["split('a,b,,', ',')", "[a, b, , ]"],
  ["split('abc', '')", "[a, b, c]"],
  ["concat_ws(',', array('a', NULL), 'b', 1)", "a,b,1"],
  ["levenshtein('abc', 'xyz', 2)", "-1"],
  ["mask('Ab1', '*', NULL, '#')", "*b#"],
  ["regexp_extract('abc', 'b', 1)", { error: "INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX" }],
  ["regexp_extract('abc', '(b', 1)", { error: "INVALID_PARAMETER_VALUE.PATTERN" }],
  ["regexp_replace('aXbX', 'x', '-')", "aXbX"],
  ["regexp_replace('aXbX', '(?i)x', '-')", "a-b-"],
  ["regexp_extract('é1', '\\\\p{L}(\\\\d)', 1)", "1"],
  ["regexp_replace('a-b_c', '[^a-z&&[^_]]', '.')", "a.b.c"],
  [
    "format_string('%,d %x %e|%10.3f|%b %c', 1234567, 255, 12345.678D, 2.5D, true, 65)",
    "1,234,567 ff 1.234568e+04|     2.500|true A",
  ],
  ["format_number(1234.5, '#,###.00')", "1,234.50"],
  ["to_char(-12454.8, '99,999.9S')", "12,454.8-"],
  ["to_number('abc', '999')", { error: "INVALID_FORMAT.MISMATCH_INPUT" }],
  ["encode('é', 'us-ascii')", { error: "MALFORMED_CHARACTER_CODING" }],
  ["encode('a', 'nope')", { error: "INVALID_PARAMETER_VALUE.CHARSET" }],
  ["url_decode('%zz')", { error: "CANNOT_DECODE_URL" }],
  ["elt(3, 'a', 'b')", { error: "INVALID_ARRAY_INDEX" }],
];

const NUMBERS: readonly Case[] = [
  ["round(2.675D, 2)", "2.68"],
  ["bround(25, -1)", "20"],
  ["round(2147483647, -1)", { error: "ARITHMETIC_OVERFLOW" }],
  ["abs(-2147483648)", { error: "ARITHMETIC_OVERFLOW" }],
  ["ceil(3.1411, 3)", "3.142"],
  ["conv('-15', 10, -16)", "-F"],
  ["hex(-1)", "FFFFFFFFFFFFFFFF"],
  ["factorial(21)", "NULL"],
  ["pmod(1, 0)", { error: "REMAINDER_BY_ZERO" }],
  ["least(1)", { error: "WRONG_NUM_ARGS.WITHOUT_SUGGESTION" }],
  ["greatest(1D, double('NaN'))", "NaN"],
  ["shiftrightunsigned(-8, 1)", "2147483644"],
  ["bit_get(5, 40)", { error: "INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE" }],
  ["hash(map(1, 2))", { error: "DATATYPE_MISMATCH.HASH_MAP_TYPE" }],
  ["hash(NULL)", "42"],
];

const TIMES: readonly Case[] = [
  ["datediff(MONTH, DATE '2024-01-31', DATE '2024-03-01')", "1"],
  ["timestampadd(MONTH, 1, TIMESTAMP '2024-01-31 00:00:00')", "2024-02-29 00:00:00"],
  ["date_part('week', DATE '2021-01-01')", "53"],
  ["extract(SECOND FROM TIMESTAMP '2024-05-17 13:45:12.345')", "12.345000"],
  ["extract(HOUR FROM INTERVAL '5 03:04:05' DAY TO SECOND)", "3"],
  ["date_trunc('quarter', TIMESTAMP '2024-05-17 13:45:12.345')", "2024-04-01 00:00:00"],
  ["trunc('2024-05-17', 'bad')", "NULL"],
  ["next_day('2024-01-01', 'xx')", { error: "ILLEGAL_DAY_OF_WEEK" }],
  ["make_date(2023, 2, 29)", { error: "DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION" }],
  ["make_timestamp(2024, 13, 1, 0, 0, 0)", { error: "DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION" }],
  ["make_timestamp(2024, 1, 1, 0, 0, 60)", "2024-01-01 00:01:00"],
  ["to_date('2024-02-30')", { error: "CAST_INVALID_INPUT" }],
  ["to_date('2024-2-3', 'yyyy-MM-dd')", { error: "CANNOT_PARSE_TIMESTAMP" }],
  ["to_date('20240203', 'yyyyMMdd')", "2024-02-03"],
  ["try_to_timestamp('nope', 'yyyy')", "NULL"],
  [
    "to_timestamp('2024-01-01', 'YYYY-MM-dd')",
    { error: "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION" },
  ],
  [
    "date_format(TIMESTAMP '2024-02-29 23:59:58.123456', 'yyyy-MM-dd''T''HH:mm:ss.SSSSSSXXX')",
    "2024-02-29T23:59:58.123456Z",
  ],
  ["from_unixtime(0, 'EEE MMM d h:mm a')", "Thu Jan 1 12:00 AM"],
  ["from_utc_timestamp('2024-01-01', 'Bad/Zone')", { error: "INVALID_TIMEZONE" }],
  [
    "sequence(DATE '2024-01-31', DATE '2024-04-30', INTERVAL 1 MONTH)",
    "[2024-01-31, 2024-02-29, 2024-03-31, 2024-04-30]",
  ],
];

const NESTED: readonly Case[] = [
  ["slice(array(1, 2, 3), 0, 1)", { error: "INVALID_PARAMETER_VALUE.START" }],
  ["array_insert(array('a', 'b'), -1, 'z')", "[a, b, z]"],
  ["arrays_overlap(array(1, NULL), array(2, 3))", "NULL"],
  ["array_contains(array(1), NULL)", { error: "DATATYPE_MISMATCH.NULL_TYPE" }],
  ["array_sort(array(3, 1, 2), (a, b) -> b - a)", "[3, 2, 1]"],
  ["forall(array(1, NULL), x -> x > 0)", "NULL"],
  ["map('a', 1, 'a', 2)", { error: "DUPLICATED_MAP_KEY" }],
  ["map(NULL, 1)", { error: "NULL_MAP_KEY" }],
  ["typeof(struct(1 AS x, 'a'))", "struct<x:int,col2:string>"],
  ["from_json('{\"a\":1,\"__proto__\":2}', 'a INT, `__proto__` INT')", "{1, 2}"],
  ["from_json('{\"a\":9007199254740993}', 'a BIGINT')", "{9007199254740993}"],
  ["from_json('{\"a\":1.5}', 'a INT')", "{null}"],
  [
    "from_json('x', 'a INT', map('mode', 'FAILFAST'))",
    { error: "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION" },
  ],
  ['get_json_object(\'{"a":[{"b":1},{"b":2}]}\', \'$.a[*].b\')', "[1,2]"],
  ["to_json(named_struct('a', CAST(NULL AS INT), 'b', 2))", '{"b":2}'],
  ["to_csv(named_struct('a', 1, 'b', 'x,y'))", '1,"x,y"'],
  [
    "variant_get(parse_json('{\"a\":[1,{\"b\":\"x\"}]}'), '$.a[1].b', 'int')",
    { error: "INVALID_VARIANT_CAST" },
  ],
  ['schema_of_variant(parse_json(\'{"b":1.5,"a":[1]}\'))', "OBJECT<a: ARRAY<BIGINT>, b: DECIMAL(2,1)>"],
];

for (const [sql, expected] of [...STRINGS, ...NUMBERS, ...TIMES, ...NESTED])
  test(sql, () => {
    if (typeof expected === "string") assert.equal(run(sql), expected);
    else
      assert.throws(
        () => run(sql),
        (e) => e instanceof MillraceError && e.errorClass === expected.error,
      );
  });

test("the session's zone decides local fields, gaps move forward", () => {
  assert.equal(run("hour(TIMESTAMP '2024-07-01 12:00:00Z')", "Europe/Berlin"), "14");
  assert.equal(run("TIMESTAMP '2024-03-31 02:30:00'", "Europe/Berlin"), "2024-03-31 03:30:00");
  assert.equal(run("unix_timestamp(TIMESTAMP '2024-10-27 02:30:00')", "Europe/Berlin"), "1729989000");
  assert.equal(
    run("date_trunc('DAY', TIMESTAMP '2024-03-31 12:00:00')", "Europe/Berlin"),
    "2024-03-31 00:00:00",
  );
});
