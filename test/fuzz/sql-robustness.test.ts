/** Any text parses or is a ParseError with a place; any string and name survives being written as SQL. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ParseError } from "../../src/core/errors.ts";
import { parseDataType, parseExpression, parseSchema } from "../../src/sql/parser.ts";
import { parseScript } from "../../src/sql/statement-parser.ts";
import { ACCEPTED, SPARK_4 } from "./sql-corpus.ts";

const parses = (parse: (text: string) => unknown, text: string): void => {
  try {
    parse(text);
  } catch (e) {
    assert.ok(e instanceof ParseError, `${String(e)} for ${JSON.stringify(text)}`);
    assert.ok(e.errorClass, text);
    const { line, column } = e.position!;
    assert.ok(line >= 1 && line <= text.split("\n").length && column >= 1, text);
  }
};

const tokens = [
  ...new Set([...ACCEPTED, ...SPARK_4].flatMap((t) => t.match(/'[^']*'|`[^`]*`|\w+|[^\s\w]/g)!)),
];
const soup = fc.array(fc.constantFrom(...tokens), { maxLength: 25 }).map((t) => t.join(" "));

test("token soup", () => {
  fc.assert(
    fc.property(soup, (text) => {
      parses(parseScript, text);
      parses(parseScript, `SELECT ${text}`);
      parses(parseScript, `SELECT a FROM t ${text}`);
      parses(parseExpression, text);
    }),
    { numRuns: 3000 },
  );
});

test("any characters", () => {
  const text = fc.oneof(fc.string({ unit: "binary" }), fc.string({ unit: "grapheme" }), fc.string());
  fc.assert(
    fc.property(text, (t) => {
      for (const parse of [parseScript, parseExpression, parseDataType, parseSchema]) parses(parse, t);
    }),
    { numRuns: 2000 },
  );
});

test("statements cut anywhere", () => {
  fc.assert(
    fc.property(fc.constantFrom(...ACCEPTED, ...SPARK_4), fc.nat(), fc.nat(), (text, a, b) => {
      parses(parseScript, text.slice(0, a % text.length));
      parses(parseScript, text.slice(a % text.length));
      parses(parseScript, text.slice(0, a % text.length) + text.slice(b % text.length));
    }),
    { numRuns: 2000 },
  );
});

test("a string written as a literal is read as itself", () => {
  const quoted = (s: string): string => `'${s.replaceAll("\\", "\\\\").replaceAll("'", "''")}'`;
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (s) => {
      const e = parseExpression(quoted(s));
      assert.equal(e.kind === "literal" && e.value, s);
    }),
    { numRuns: 2000 },
  );
});

test("a name written in backquotes is read as itself", () => {
  const names = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("__proto__", "constructor", "a.b", "`", "select"),
  );
  fc.assert(
    fc.property(names, names, (a, b) => {
      const e = parseExpression([a, b].map((n) => `\`${n.replaceAll("`", "``")}\``).join("."));
      assert.deepEqual(e.kind === "column" && e.parts, [a, b]);
    }),
    { numRuns: 2000 },
  );
});

test("integers of any size keep their value", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n }), (n) => {
      const e = parseExpression(String(n));
      assert.ok(e.kind === "literal");
      assert.equal(BigInt(e.value as number | bigint), n);
    }),
  );
});
