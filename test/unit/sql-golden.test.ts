/** Every SQL text that Spark was given parses, unless Spark refused it in its parser. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { parseExpression, parseQuery } from "../../src/sql/parser.ts";
import { parseStatement } from "../../src/sql/statement-parser.ts";

interface Case {
  readonly sql: string;
  readonly error?: string;
}

const read = (name: string): unknown =>
  JSON.parse(readFileSync(new URL(`../golden/cases/${name}.json`, import.meta.url), "utf8"));

const check = (cases: readonly Case[], least: number, parse: (text: string) => unknown): void => {
  assert.ok(cases.length >= least, `${cases.length} cases`);
  for (const { sql, error } of cases) {
    if (error?.startsWith("PARSE_") === true) assert.throws(() => parse(sql), { name: "ParseError" }, sql);
    else assert.doesNotThrow(() => parse(sql), sql);
  }
};

test("expressions", () =>
  check((read("expressions") as { expressions: Case[] }).expressions, 800, parseExpression));

test("queries and their tables", () => {
  const { tables, queries } = read("queries") as { tables: Record<string, string>; queries: Case[] };
  check(queries, 50, parseQuery);
  check(
    Object.values(tables).map((sql) => ({ sql })),
    2,
    parseStatement,
  );
});

test("scripts", () => {
  const { scripts } = read("scripts") as { scripts: { statements: Case[] }[] };
  check(
    scripts.flatMap((s) => s.statements),
    50,
    parseStatement,
  );
});

test("streams", () => {
  const { cases } = read("streams") as { cases: { pipeline: Partial<Case>[] }[] };
  const stages = cases.flatMap((c) =>
    c.pipeline.flatMap((s) => (s.sql === undefined ? [] : [{ sql: s.sql }])),
  );
  check(stages, 300, parseQuery);
});
