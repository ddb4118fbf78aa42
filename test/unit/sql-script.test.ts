/** Variables, dynamic SQL, SQL functions and SQL scripts, beside what the goldens show. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { TestSql } from "../support/sql-session.ts";

const withSql = async (body: (sql: TestSql) => Promise<void>): Promise<void> => {
  const sql = new TestSql();
  try {
    await body(sql);
  } finally {
    await sql.close();
  }
};

test("a variable of any name is only a name, and columns come before it", () =>
  withSql(async (sql) => {
    await sql.run("DECLARE `__proto__` INT DEFAULT 5; DECLARE constructor = 'c'; DECLARE `a.b` = 7");
    assert.deepEqual(await sql.rows("SELECT `__proto__`, constructor, `a.b`, session.constructor"), [
      [5, "c", 7, "c"],
    ]);
    assert.deepEqual(await sql.rows("SELECT constructor FROM VALUES (1) AS t(constructor)"), [[1]]);
    assert.equal(
      (await sql.failure("SELECT hasOwnProperty")).errorClass,
      "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
    );
  }));

test("the values of one SET are computed before the first variable changes", () =>
  withSql(async (sql) => {
    await sql.run("DECLARE a = 1; DECLARE b = 2; SET VAR a = b, b = a");
    assert.deepEqual(await sql.rows("SELECT a, b"), [[2, 1]]);
    await sql.failure("SET VAR a = 10, b = 1 / 0");
    assert.deepEqual(await sql.rows("SELECT a, b"), [[2, 1]]);
  }));

test("names of IDENTIFIER clauses are read when their statement runs", () =>
  withSql(async (sql) => {
    await sql.run("CREATE TEMP VIEW one AS SELECT 1 AS x; CREATE TEMP VIEW two AS SELECT 2 AS x");
    const text = `DECLARE v STRING DEFAULT 'one'; SELECT * FROM IDENTIFIER(v);
      SET VAR v = 'two'; SELECT * FROM IDENTIFIER(v)`;
    assert.deepEqual(await sql.rows(text), [[2]]);
    const bad = await sql.failure("SELECT 1;\nSELECT * FROM IDENTIFIER(nope)");
    assert.equal(bad.errorClass, "NOT_A_CONSTANT_STRING.NOT_CONSTANT");
    assert.match(bad.message, /line 2/);
    assert.equal((await sql.failure("SELECT IDENTIFIER('a b')")).errorClass, "PARSE_SYNTAX_ERROR");
  }));

test("values of EXECUTE IMMEDIATE never become part of its text", () =>
  withSql(async (sql) => {
    await sql.run("DECLARE evil = '1; DROP VIEW one'' --'");
    assert.deepEqual(await sql.rows("EXECUTE IMMEDIATE 'SELECT length(?)' USING evil"), [[20]]);
    const error = await sql.failure("EXECUTE IMMEDIATE 'SELECT 1 +\\n nope'");
    assert.match(error.message, /nope/);
  }));

test("a SQL function sees its parameters and the session, not the columns around its call", () =>
  withSql(async (sql) => {
    await sql.run("CREATE TEMPORARY FUNCTION f(x INT) RETURNS INT RETURN x + 1");
    assert.deepEqual(await sql.rows("SELECT f(y) FROM VALUES (1) AS t(y)"), [[2]]);
    const error = await sql.failure("CREATE TEMPORARY FUNCTION g(x INT) RETURNS INT RETURN x + y");
    assert.match(error.errorClass ?? "", /^UNRESOLVED_COLUMN/);
    assert.deepEqual(await sql.rows("SELECT transform(array(1, 2), e -> f(e))"), [[[2, 3]]]);
  }));

test("functions that call each other in a circle are refused", () =>
  withSql(async (sql) => {
    await sql
      .run(
        `CREATE TEMPORARY FUNCTION a(x INT) RETURNS INT RETURN x;
      CREATE TEMPORARY FUNCTION b(x INT) RETURNS INT RETURN a(x);
      CREATE OR REPLACE TEMPORARY FUNCTION a(x INT) RETURNS INT RETURN b(x)`,
      )
      .catch(() => undefined);
    const calls = await sql
      .rows("SELECT b(1)")
      .catch((e: unknown) => (e as { errorClass?: string }).errorClass);
    assert.equal(calls, "CYCLIC_FUNCTION_REFERENCE");
  }));

test("a subquery in a function is computed for each call's own argument", () =>
  withSql(async (sql) => {
    await sql.run(`CREATE TEMP VIEW l AS SELECT * FROM VALUES ('a', 1), ('b', 2) AS l(k, v);
      CREATE TEMPORARY FUNCTION look(q STRING) RETURNS INT RETURN (SELECT max(v) FROM l WHERE k = q)`);
    assert.deepEqual(await sql.rows("SELECT look('a'), look('b'), look('c')"), [[1, 2, null]]);
    assert.deepEqual(await sql.rows("SELECT look(c) + look('a') FROM VALUES ('a'), ('b') AS t(c)"), [
      [2],
      [3],
    ]);
  }));

test("blocks: variables end with them, labels tell them apart, a handler leaves its block", () =>
  withSql(async (sql) => {
    const text = `BEGIN
        DECLARE x INT DEFAULT 1;
        inner_block: BEGIN
          DECLARE x INT DEFAULT 2;
          DECLARE EXIT HANDLER FOR DIVIDE_BY_ZERO BEGIN SET x = x + 10; END;
          SELECT x / 0;
        END inner_block;
        SELECT x;
      END`;
    assert.deepEqual(await sql.rows(text), [[1]]);
    assert.match((await sql.failure("SELECT x")).errorClass ?? "", /^UNRESOLVED_COLUMN/);
    const missing = await sql.failure("BEGIN LEAVE nowhere; END");
    assert.equal(missing.errorClass, "INVALID_LABEL_USAGE.DOES_NOT_EXIST");
  }));

test("CONTINUE goes on behind the statement that failed", () =>
  withSql(async (sql) => {
    const text = `BEGIN
        DECLARE n INT DEFAULT 0;
        DECLARE CONTINUE HANDLER FOR SQLEXCEPTION SET n = n + 1;
        SELECT 1 / 0;
        SELECT CAST('x' AS INT);
        SELECT n;
      END`;
    assert.deepEqual(await sql.rows(text), [[2]]);
  }));

test("an alias that others name is computed once: chance too, and chains of aliases do not grow", () =>
  withSql(async (sql) => {
    const [row] = await sql.rows("SELECT rand() AS a, a AS b, a + a AS c");
    assert.equal(row![0], row![1]);
    assert.equal(row![2], (row![0] as number) * 2);
    const chain = Array.from({ length: 60 }, (_, i) => `(a${i} + a${i}) % 97 AS a${i + 1}`).join(", ");
    const [last] = await sql.rows(`SELECT a60 FROM (SELECT id + 1 AS a0, ${chain} FROM range(1))`);
    assert.equal(Number(last![0]), Number(2n ** 60n % 97n));
    const counted = chain.replaceAll("% 97", "% max(id)");
    const error = await sql.failure(`SELECT count(*) AS a0, ${counted} FROM range(9)`);
    assert.equal(error.errorClass, "FAILED_TO_PARSE_TOO_COMPLEX");
  }));
