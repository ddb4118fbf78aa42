/** What a writer sees: error class, place, caret, suggestion; and that no text is too deep, too long or too odd. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ParseError } from "../../src/core/errors.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { parseScript } from "../../src/sql/statement-parser.ts";

const errorOf = (text: string, parse: (t: string) => unknown = parseQuery): ParseError => {
  try {
    parse(text);
  } catch (e) {
    if (e instanceof ParseError) return e;
    throw e;
  }
  throw new Error(`accepted: ${text.slice(0, 80)}`);
};

test("the message shows class, place, line, caret and suggestion", () => {
  assert.equal(
    errorOf("SELECT a\nFROM t GROUP BT k").message,
    [
      "[PARSE_SYNTAX_ERROR] Syntax error at or near 'BT': expected BY (line 2, column 14)",
      "  FROM t GROUP BT k",
      "               ^^",
      "  Did you mean BY?",
    ].join("\n"),
  );
  assert.deepEqual(errorOf("SELECT a\nFROM t GROUP BT k").position, { line: 2, column: 14 });
});

test("misspelled keywords are suggested, at the error or in front of it", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["SELCT a FROM t", "Did you mean SELECT?"],
    ["SELECT a FORM t", "Did you mean FROM instead of FORM?"],
    ["SELECT a FROM t WEHRE a > 1", "Did you mean WHERE instead of WEHRE?"],
    ["SELECT a FROM t ORDER YB a", "Did you mean BY?"],
    ["SELECT a FROM t LEFT JION u", "Did you mean JOIN?"],
    ["SELECT CAST(a AS INTT)", "Did you mean INT?"],
    ["CRAETE TABLE t (a INT)", "Did you mean CREATE?"],
    ["INSRT INTO t SELECT 1", "Did you mean INSERT?"],
    ["SELECT a FROM my-table", "Quote it: `my-table`"],
    ["SELECT größe FROM t", "Quote it: `größe`"],
  ];
  for (const [text, hint] of cases) assert.equal(errorOf(text, parseScript).hint, hint, text);
});

test("a far error in a long line shows the part around it", () => {
  const e = errorOf(`SELECT ${"a, ".repeat(1000)}, b`);
  const [, line, caret] = e.message.split("\n");
  assert.equal(e.position!.column, 3008);
  assert.ok(line!.length < 120);
  assert.equal(line!.charAt(caret!.indexOf("^")), ",");
});

test("each kind of bad text has its class", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["", "PARSE_EMPTY_STATEMENT"],
    ["  -- nothing", "PARSE_EMPTY_STATEMENT"],
    ["SELECT", "PARSE_SYNTAX_ERROR"],
    ["SELECT FROM t", "PARSE_SYNTAX_ERROR"],
    ["SELECT a,, b FROM t", "PARSE_SYNTAX_ERROR"],
    ["SELECT (a FROM t", "PARSE_SYNTAX_ERROR"],
    ["SELECT a) FROM t", "PARSE_SYNTAX_ERROR"],
    ["SELECT a FROM t WHERE GROUP BY a", "PARSE_SYNTAX_ERROR"],
    ["SELECT 'abc", "PARSE_SYNTAX_ERROR"],
    ["SELECT `abc", "PARSE_SYNTAX_ERROR"],
    ["SELECT \u{1f600}", "PARSE_SYNTAX_ERROR"],
    ["SELECT 1 /* open", "UNCLOSED_BRACKETED_COMMENT"],
    ["SELECT 1 /* /* */", "UNCLOSED_BRACKETED_COMMENT"],
    ["SELECT a LIKE 'x' ESCAPE 'ab'", "INVALID_ESC"],
    ["SELECT f(a => 1, 2)", "UNEXPECTED_POSITIONAL_ARGUMENT"],
    [
      "SELECT 1 FROM t WINDOW w AS (ORDER BY a), w AS (ORDER BY b)",
      "INVALID_SQL_SYNTAX.REPETITIVE_WINDOW_DEFINITION",
    ],
    ["SELECT * FROM t TABLESAMPLE (150 PERCENT)", "INVALID_TABLESAMPLE_FRACTION"],
    ["SELECT timestampadd('MONTH', 1, ts)", "INVALID_PARAMETER_VALUE.DATETIME_UNIT"],
    ["VALUES (1), (1, 2)", "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH"],
    [
      "SELECT 1 FROM t WINDOW w AS (ORDER BY a), W AS (ORDER BY b)",
      "INVALID_SQL_SYNTAX.REPETITIVE_WINDOW_DEFINITION",
    ],
    ["SELECT a COLLATE UNICODE FROM t", "UNSUPPORTED_FEATURE.COLLATION"],
    ["SELECT foo 'x'", "UNSUPPORTED_TYPED_LITERAL"],
    ["FROM t |> NOPE a", "PARSE_SYNTAX_ERROR"],
  ];
  for (const [text, errorClass] of cases) assert.equal(errorOf(text).errorClass, errorClass, text);
});

test("depth of any kind is an error, not an overflow of the stack", () => {
  const n = 10_000;
  const texts = [
    `SELECT ${"(".repeat(n)}1${")".repeat(n)}`,
    `SELECT ${"(".repeat(n)}`,
    `SELECT ${"-(".repeat(n)}`,
    `SELECT ${"- ".repeat(n)}a`,
    `SELECT ${"NOT ".repeat(n)}a`,
    `SELECT ${"f(".repeat(n)}`,
    `SELECT ${"CAST(".repeat(n)}`,
    `SELECT ${"CASE WHEN ".repeat(n)}`,
    `SELECT ${"x -> ".repeat(n)}1`,
    `SELECT a${"[1]".repeat(n)}`,
    `SELECT a${"[b".repeat(n)}`,
    `SELECT 1${" + 1".repeat(n)}`,
    `SELECT CAST(a AS ${"STRUCT<a: ".repeat(n)}`,
    `SELECT * FROM ${"(".repeat(n)}t`,
    `SELECT * FROM ${"(SELECT * FROM ".repeat(n)}t`,
    `SELECT ${"(SELECT ".repeat(n)}`,
    `SELECT * FROM a${" JOIN b".repeat(n)}`,
    `SELECT * FROM a${", b".repeat(n)}`,
    `SELECT 1${" UNION SELECT 1".repeat(n)}`,
    `FROM t${" |> WHERE a".repeat(n)}`,
    `SELECT 1 FROM t GROUP BY ${"GROUPING SETS (".repeat(n)}`,
    `${"EXPLAIN ".repeat(n)}SELECT 1`,
    `${"WITH a AS (".repeat(n)}SELECT 1`,
  ];
  for (const text of texts)
    assert.equal(errorOf(text, parseScript).errorClass, "FAILED_TO_PARSE_TOO_COMPLEX", text.slice(0, 40));
});

test("a megabyte of flat SQL parses, in time linear in its length", () => {
  const started = process.cpuUsage().user;
  parseQuery(`SELECT * FROM t WHERE a IN (${"12345, ".repeat(150_000)}1)`);
  parseQuery(`SELECT * FROM t WHERE a = 1${" OR a = 'some value'".repeat(50_000)}`);
  parseQuery(`SELECT '${"\\\\".repeat(500_000)}', '${"''".repeat(500_000)}'`);
  parseQuery(`${"/* /* */ */ -- x\n".repeat(60_000)}SELECT 1`);
  assert.ok(process.cpuUsage().user - started < 20_000_000);
});
