/** SHOW, DESCRIBE, EXPLAIN and CREATE … AS of a SQL session. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { resultJson } from "../../src/sql/statement-result.ts";
import { TestSql } from "../support/sql-session.ts";

const sql = new TestSql();
after(() => sql.close());

test("SHOW TABLES and VIEWS with patterns", async () => {
  await sql.run(
    "CREATE TABLE orders (id BIGINT NOT NULL, who STRING); CREATE VIEW open_orders AS SELECT * FROM orders",
  );
  assert.deepEqual(await sql.rows("SHOW TABLES"), [
    ["", "open_orders", true],
    ["", "orders", false],
  ]);
  assert.deepEqual(await sql.rows("SHOW VIEWS"), [["", "open_orders", true]]);
  assert.deepEqual(await sql.rows("SHOW TABLES LIKE 'OR*|x'"), [["", "orders", false]]);
});

test("DESCRIBE a table, a column, a query; SHOW COLUMNS; SHOW CREATE TABLE", async () => {
  assert.deepEqual(await sql.rows("DESCRIBE orders"), [
    ["id", "bigint", null],
    ["who", "string", null],
  ]);
  assert.deepEqual(await sql.rows("DESCRIBE TABLE orders who"), [
    ["col_name", "who"],
    ["data_type", "string"],
    ["comment", "NULL"],
  ]);
  assert.deepEqual(await sql.rows("DESCRIBE QUERY SELECT id * 1.5D AS x FROM orders"), [
    ["x", "double", null],
  ]);
  assert.deepEqual(await sql.rows("SHOW COLUMNS IN open_orders"), [["id"], ["who"]]);
  assert.match(
    await sql.shown("SHOW CREATE TABLE orders"),
    /CREATE TABLE orders \(\n {2}id BIGINT NOT NULL,\n {2}who STRING\)/,
  );
  assert.match((await sql.failure("DESCRIBE orders nope")).message, /UNRESOLVED_COLUMN/);
});

test("SHOW FUNCTIONS and DESCRIBE FUNCTION come from the registry", async () => {
  const names = (await sql.rows("SHOW FUNCTIONS")).map(([n]) => n);
  for (const name of ["upper", "count", "row_number", "explode", "window"])
    assert.ok(names.includes(name), name);
  assert.ok(names.length > 300);
  assert.deepEqual(await sql.rows("SHOW FUNCTIONS LIKE 'xxhash*'"), [["xxhash64"]]);
  assert.deepEqual(await sql.rows("SHOW USER FUNCTIONS"), []);
  assert.match(await sql.shown("DESCRIBE FUNCTION upper"), /Function: upper\nUsage: upper\(/);
  assert.match((await sql.failure("DESCRIBE FUNCTION uper")).message, /UNRESOLVED_ROUTINE/);
});

test("EXPLAIN of queries, inserts of streams and views", async () => {
  await sql.run("CREATE TABLE ticks USING rate; CREATE TABLE sums (n BIGINT)");
  assert.match(await sql.shown("EXPLAIN SELECT id FROM orders WHERE id > 1 + 1"), /Optimized Logical Plan/);
  assert.match(
    await sql.shown(
      "EXPLAIN EXTENDED INSERT INTO sums WITH (outputMode 'complete') SELECT count(*) FROM ticks",
    ),
    /Analyzed Logical Plan[\s\S]*Physical Plan/,
  );
  assert.match(
    await sql.shown("EXPLAIN CODEGEN INSERT INTO sums SELECT value + 1 FROM ticks"),
    /Generated Code/,
  );
  assert.match((await sql.failure("EXPLAIN DROP TABLE sums")).message, /EXPLAIN shows/);
});

test("CREATE TABLE AS, and a failing one leaves no table", async () => {
  assert.deepEqual(
    await sql.rows("CREATE TABLE squares AS SELECT id * id AS s FROM range(4); SELECT sum(s) FROM squares"),
    [[14]],
  );
  await sql.failure("CREATE TABLE broken AS SELECT 1 / id AS s FROM range(4)");
  assert.equal((await sql.failure("SELECT * FROM broken")).errorClass, "TABLE_OR_VIEW_NOT_FOUND");
});

test("cache statements change nothing and say so", async () => {
  const [result] = await sql.run("CACHE TABLE orders");
  assert.ok(result?.kind === "done" && /no effect/.test(result.message));
  await sql.run("CACHE TABLE kept AS SELECT 1 AS one; UNCACHE TABLE kept; CLEAR CACHE");
  assert.deepEqual(await sql.rows("SELECT * FROM kept"), [[1]]);
});

test("results as text and as JSON: intervals as Spark prints them, longs with all their digits", async () => {
  const query =
    "SELECT DATE '2024-01-01' - DATE '2023-01-01' AS d, INTERVAL '1-2' YEAR TO MONTH AS m, 9223372036854775807 AS big";
  assert.match(
    await sql.shown(query),
    /\|INTERVAL '365' DAY\|INTERVAL '1-2' YEAR TO MONTH\|9223372036854775807\|/,
  );
  const [result] = await sql.run(
    "SELECT 9223372036854775807 AS big, NULL AS n, 1.50BD AS x, timestamp_millis(0) AS at",
  );
  assert.equal(
    resultJson(result!),
    '{"statement":"query","rows":[{"big":9223372036854775807,"n":null,"x":"1.50","at":"1970-01-01T00:00:00.000Z"}]}',
  );
  assert.equal(
    resultJson((await sql.run("SET a.b = 1"))[0]!),
    '{"statement":"set","rows":[{"key":"a.b","value":"1"}]}',
  );
  assert.equal(
    resultJson((await sql.run("CREATE VIEW json_v AS SELECT 1"))[0]!),
    '{"statement":"createView","message":"view json_v is defined"}',
  );
});
