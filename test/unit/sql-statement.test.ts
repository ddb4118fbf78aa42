/** Statements, and scripts split at semicolons. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { describeSchema, schemaOf } from "../../src/core/schema.ts";
import { parseScript, parseStatement } from "../../src/sql/statement-parser.ts";
import type { Statement } from "../../src/sql/statement.ts";
import { outline, outlineExpr } from "../support/sql-outline.ts";

const of = <K extends Statement["kind"]>(kind: K, text: string): Extract<Statement, { kind: K }> => {
  const found = parseStatement(text);
  assert.equal(found.kind, kind, text);
  return found as Extract<Statement, { kind: K }>;
};
const refuses = (text: string, errorClass: string): void => {
  assert.throws(() => parseScript(text), { name: "ParseError", errorClass }, text);
};
/** Options as a plain object, so that they compare. */
const plain = (o: object): object => ({ ...o });

test("a script is split at semicolons, but not at those in strings, names and comments", () => {
  const script = "-- a; b\nSELECT ';' AS `;`; /* ; */ SELECT 2;;\n\nSET a.b = x;";
  const statements = parseScript(script);
  assert.deepEqual(
    statements.map((s) => s.text),
    ["SELECT ';' AS `;`", "SELECT 2", "SET a.b = x"],
  );
  assert.deepEqual(statements[2]!.position, { line: 4, column: 1, length: 11 });
  assert.deepEqual(parseScript(" ;; -- nothing\n"), []);
  refuses("SELECT 1 SELECT 2", "PARSE_SYNTAX_ERROR");
});

test("CREATE VIEW", () => {
  const view = of(
    "createView",
    "CREATE OR REPLACE GLOBAL TEMPORARY VIEW a.v (x COMMENT 'the x', y) COMMENT 'c' AS SELECT 1, 2",
  );
  assert.deepEqual(
    [view.name, view.columns, view.replace, view.global, view.temporary, view.comment],
    [["a", "v"], [{ name: "x", comment: "the x" }, { name: "y" }], true, true, true, "c"],
  );
  assert.equal(outline(view.query), "select[1:int, 2:int](one)");
  assert.equal(of("createView", "CREATE VIEW IF NOT EXISTS v AS TABLE t").ifNotExists, true);
  const using = of(
    "createViewUsing",
    "CREATE TEMP VIEW v (a INT) USING JSON OPTIONS (path '/x', multi.line = true, n -1)",
  );
  assert.deepEqual(
    [using.provider, plain(using.options)],
    ["json", { path: "/x", "multi.line": "true", n: "-1" }],
  );
  assert.equal(describeSchema(using.schema!), "a int");
  refuses("CREATE VIEW v USING json", "PARSE_SYNTAX_ERROR");
});

test("CREATE TABLE with a watermark, options and a provider", () => {
  const table = of(
    "createTable",
    `CREATE TABLE IF NOT EXISTS bids (
       auction BIGINT NOT NULL COMMENT 'id', price DECIMAL(10, 2) DEFAULT 0, ts TIMESTAMP, __proto__ STRING,
       WATERMARK FOR ts AS ts - INTERVAL 5 SECONDS
     ) USING nats OPTIONS (subject = 'bids.>', 'ack.wait' '5s') PARTITIONED BY (auction) COMMENT 'x'`,
  );
  assert.equal(
    describeSchema(schemaOf(table.columns!)),
    "auction bigint not null, price decimal(10,2), ts timestamp, __proto__ string",
  );
  assert.equal(outlineExpr(table.columns![1]!.default!), "0:int");
  assert.deepEqual(table.watermark, { column: ["ts"], delayMs: 5000 });
  assert.deepEqual(plain(table.options), { subject: "bids.>", "ack.wait": "5s" });
  assert.deepEqual(
    [table.provider, table.partitionedBy, table.comment, table.ifNotExists],
    ["nats", ["auction"], "x", true],
  );
  assert.deepEqual(
    of("createTable", "CREATE TABLE t (ts TIMESTAMP) USING nats WATERMARK FOR ts AS ts").watermark,
    { column: ["ts"], delayMs: 0 },
  );
  assert.equal(
    outline(of("createTable", "CREATE STREAMING TABLE t AS SELECT * FROM STREAM s").query!),
    "select[*](s)",
  );
  refuses(
    "CREATE TABLE t (ts TIMESTAMP, WATERMARK FOR ts AS other - INTERVAL 1 SECOND)",
    "INVALID_WATERMARK",
  );
  refuses("CREATE TABLE t (ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL -1 SECOND)", "INVALID_WATERMARK");
  refuses("CREATE TABLE t (a INT) USING nats USING json", "DUPLICATE_CLAUSES");
  refuses("CREATE TABLE t (a INT) USING nats OPTIONS (a 1, a 2)", "DUPLICATE_KEY");
  refuses("CREATE TABLE t (a STRNG)", "UNSUPPORTED_DATATYPE");
});

test("INSERT", () => {
  const insert = of("insert", "INSERT INTO out (a, b) SELECT 1, 2");
  assert.deepEqual(
    [insert.table, insert.columns, insert.byName, insert.overwrite],
    [["out"], ["a", "b"], false, false],
  );
  assert.equal(of("insert", "INSERT OVERWRITE TABLE out BY NAME (SELECT 1 AS a)").byName, true);
  assert.equal(outline(of("insert", "INSERT INTO t VALUES (1, 2)").query), "values[(1:int, 2:int)]");
  assert.deepEqual(plain(of("insert", "INSERT INTO t WITH ('outputMode' = 'update') SELECT 1").options), {
    outputMode: "update",
  });
  assert.equal(
    outline(of("insert", "WITH a AS (SELECT 1) INSERT INTO t TABLE a").query),
    "with[a=select[1:int](one)](a)",
  );
  assert.equal(
    outline(of("insert", "INSERT INTO t WITH a AS (SELECT 1) TABLE a").query),
    "with[a=select[1:int](one)](a)",
  );
});

test("EXPLAIN, DESCRIBE, SHOW", () => {
  const explain = of("explain", "EXPLAIN EXTENDED INSERT INTO t SELECT 1");
  assert.deepEqual([explain.mode, explain.statement.kind], ["extended", "insert"]);
  assert.equal(of("explain", "EXPLAIN SELECT 1").mode, "simple");
  assert.equal(outline(of("describeQuery", "DESC QUERY SELECT 1").query), "select[1:int](one)");
  assert.equal(outline(of("describeQuery", "DESCRIBE SELECT 1").query), "select[1:int](one)");
  assert.deepEqual(of("describeTable", "DESCRIBE TABLE EXTENDED a.t c").column, ["c"]);
  assert.deepEqual(of("describeTable", "DESC t").name, ["t"]);
  assert.equal(of("describeFunction", "DESCRIBE FUNCTION EXTENDED Upper").name, "upper");
  const shows = [
    "SHOW TABLES LIKE 'a*'",
    "SHOW VIEWS IN default",
    "SHOW USER FUNCTIONS",
    "SHOW COLUMNS IN t",
  ].map((t) => {
    const { position: _, text: __, ...rest } = of("show", t);
    return rest;
  });
  assert.deepEqual(shows, [
    { kind: "show", what: "tables", pattern: "a*" },
    { kind: "show", what: "views", pattern: undefined },
    { kind: "show", what: "functions", scope: "user", pattern: undefined },
    { kind: "show", what: "columns", table: ["t"] },
  ]);
});

test("SET keeps the text of its value", () => {
  const set = (text: string): unknown[] => {
    const { key, value } = of("set", text);
    return [key, value];
  };
  assert.deepEqual(set("SET spark.sql.shuffle.partitions = 4"), ["spark.sql.shuffle.partitions", "4"]);
  assert.deepEqual(set("SET a.b-c=10 seconds, or so;"), ["a.b-c", "10 seconds, or so"]);
  assert.deepEqual(set("SET `a b` = 'x;y'"), ["a b", "x;y"]);
  assert.deepEqual(set("SET a.b"), ["a.b", undefined]);
  assert.deepEqual(set("SET"), [undefined, undefined]);
  assert.deepEqual(set("SET TIME ZONE 'Europe/Berlin'"), ["spark.sql.session.timeZone", "Europe/Berlin"]);
  assert.equal(of("reset", "RESET a.b").key, "a.b");
  refuses("SET a b = 1", "INVALID_SET_SYNTAX");
});

test("DROP, CACHE, UNCACHE, CLEAR", () => {
  assert.deepEqual(of("drop", "DROP VIEW IF EXISTS a.v").name, ["a", "v"]);
  assert.deepEqual([of("drop", "DROP TABLE t").what, of("drop", "DROP TABLE t").ifExists], ["table", false]);
  assert.deepEqual(of("cacheTable", "CACHE TABLE t AS SELECT 1").name, ["t"]);
  assert.equal(of("uncacheTable", "UNCACHE TABLE IF EXISTS t").ifExists, true);
  assert.equal(of("clearCache", "CLEAR CACHE").kind, "clearCache");
});
