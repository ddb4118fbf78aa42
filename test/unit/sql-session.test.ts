/** Statements of a SQL session: views, tables, INSERT of batches and streams, settings, errors with their place. */
import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { TestSql } from "../support/sql-session.ts";
import { removeTemporary, temporaryDirectory } from "../support/temporary.ts";

const directory = temporaryDirectory();
after(() => removeTemporary(directory));

const withSql = async (body: (sql: TestSql) => Promise<void>): Promise<void> => {
  const sql = new TestSql();
  try {
    await body(sql);
  } finally {
    await sql.close();
  }
};

test("views are defined, replaced, renamed by column and dropped", () =>
  withSql(async (sql) => {
    assert.deepEqual(await sql.rows("CREATE TEMP VIEW v (a, b) AS SELECT 1, 'x'; SELECT b, a + 1 FROM v"), [
      ["x", 2],
    ]);
    assert.equal(
      (await sql.failure("CREATE TEMP VIEW v AS SELECT 1")).errorClass,
      "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS",
    );
    assert.deepEqual(await sql.rows("CREATE OR REPLACE TEMP VIEW v AS SELECT 5 AS a; SELECT * FROM v"), [
      [5],
    ]);
    assert.equal(
      (await sql.failure("CREATE TEMP VIEW w (a, b) AS SELECT 1")).errorClass,
      "CREATE_VIEW_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS",
    );
    assert.equal((await sql.failure("DROP VIEW v; SELECT * FROM v")).errorClass, "TABLE_OR_VIEW_NOT_FOUND");
    assert.equal((await sql.failure("DROP VIEW v")).errorClass, "TABLE_OR_VIEW_NOT_FOUND");
    await sql.run("DROP VIEW IF EXISTS v");
  }));

test("a view that fails leaves the one before as it was", () =>
  withSql(async (sql) => {
    await sql.run("CREATE TEMP VIEW v AS SELECT 1 AS a");
    await sql.failure("CREATE OR REPLACE TEMP VIEW v AS SELECT nope FROM range(3)");
    assert.equal(
      (await sql.failure("CREATE OR REPLACE TEMP VIEW v AS SELECT * FROM v")).errorClass,
      "RECURSIVE_VIEW",
    );
    assert.deepEqual(await sql.rows("SELECT * FROM v"), [[1]]);
  }));

test("a table in memory takes rows by position, by column and by name, with defaults and casts", () =>
  withSql(async (sql) => {
    await sql.run(`
      CREATE TABLE t (k STRING, v BIGINT DEFAULT 7, d DOUBLE);
      INSERT INTO t VALUES ('a', 1, 1);
      INSERT INTO t (d, k) VALUES (2.5, 'b');
      INSERT INTO t BY NAME SELECT 'c' AS k, 3 AS v, 0 AS d`);
    assert.deepEqual(await sql.rows("SELECT * FROM t ORDER BY k"), [
      ["a", 1, 1],
      ["b", 7, 2.5],
      ["c", 3, 0],
    ]);
    assert.deepEqual(await sql.rows("INSERT OVERWRITE t VALUES ('z', 0, 0); SELECT k FROM t"), [["z"]]);
    assert.equal(
      (await sql.failure("INSERT INTO t VALUES ('a', 1)")).errorClass,
      "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS",
    );
    assert.equal((await sql.failure("INSERT INTO t VALUES ('a', 'x', 1)")).errorClass, "CAST_INVALID_INPUT");
  }));

test("files go through a windowed count into a table; the script waits for a query that ends by itself", () =>
  withSql(async (sql) => {
    const path = join(directory, "events");
    mkdirSync(path);
    const row = (k: string, s: number): string => JSON.stringify({ k, ts: s * 1000 });
    writeFileSync(join(path, "1.json"), [row("a", 1), row("b", 2), row("a", 12), row("a", 40)].join("\n"));
    const results = await sql.run(`
      CREATE TABLE events (k STRING, ts TIMESTAMP, WATERMARK FOR ts AS ts - INTERVAL 5 SECONDS)
        USING json OPTIONS (path '${path}');
      CREATE TABLE counts (start TIMESTAMP, k STRING, n BIGINT);
      INSERT INTO counts WITH (trigger 'availableNow')
        SELECT window.start, k, count(*) FROM events GROUP BY window(ts, '10 seconds'), k;`);
    assert.equal(results.at(-1)!.kind, "query");
    assert.deepEqual(await sql.rows("SELECT * FROM counts ORDER BY ALL"), [
      [0, "a", 1],
      [0, "b", 1],
      [10_000, "a", 1],
    ]);
    // A plain SELECT reads the same stream as a batch (Q3).
    assert.deepEqual(await sql.rows("SELECT count(*) FROM events"), [[4]]);
  }));

test("a streaming INSERT goes on until it is stopped", () =>
  withSql(async (sql) => {
    const [, , started] = await sql.run(`
      CREATE TABLE ticks USING rate OPTIONS (rowsPerSecond 10);
      CREATE TABLE out (value BIGINT);
      INSERT INTO out WITH (queryName 'copy') SELECT value FROM ticks`);
    assert.ok(started?.kind === "query" && !started.ended && started.query.name === "copy");
    for (let i = 0; i < 40; i++) await sql.cluster.advanceTime(100);
    assert.equal(started.query.isActive, true);
    assert.ok((await sql.rows("SELECT value FROM out")).length >= 10);
    const stopped = started.query.stop();
    await sql.cluster.advanceTime(1_000);
    await stopped;
    assert.equal(started.query.isActive, false);
  }));

test("batch rows are appended to files; a second INSERT goes on", () =>
  withSql(async (sql) => {
    const path = join(directory, "written");
    await sql.run(`
      CREATE TABLE f (a INT, b STRING) USING json OPTIONS (path '${path}', ignoreNullFields true);
      INSERT INTO f VALUES (1, 'x'), (2, NULL);
      INSERT INTO f VALUES (3, 'z')`);
    const lines = readdirSync(path)
      .filter((n) => n.startsWith("part-"))
      .sort()
      .flatMap((n) => readFileSync(join(path, n), "utf8").trim().split("\n"));
    assert.deepEqual(lines, ['{"a":1,"b":"x"}', '{"a":2}', '{"a":3,"b":"z"}']);
    assert.deepEqual(await sql.rows("SELECT a FROM f ORDER BY a"), [[1], [2], [3]]);
  }));

test("what a table or an INSERT cannot mean is refused", () =>
  withSql(async (sql) => {
    const fails = async (text: string, pattern: RegExp): Promise<void> =>
      assert.match((await sql.failure(text)).message, pattern);
    await fails(
      "CREATE TABLE t USING json OPTIONS (paht '/x')",
      /unknown option "paht" of the json table; did you mean "path"/,
    );
    await fails("CREATE TABLE t USING jsn", /unknown source format "jsn"; did you mean "json"/);
    await fails("CREATE TABLE t", /needs columns/);
    await fails("CREATE TABLE c USING console; SELECT * FROM c", /can only be written/);
    await fails("CREATE TABLE r USING rate; INSERT INTO r SELECT 1", /can only be read/);
    await fails("CREATE VIEW v AS SELECT 1; INSERT INTO v SELECT 2", /EXPECT_TABLE_NOT_VIEW/);
    await fails("INSERT INTO nowhere SELECT 1", /TABLE_OR_VIEW_NOT_FOUND/);
    await fails(
      "CREATE TABLE m (a INT); INSERT INTO m WITH (trigger 'sometimes') SELECT 1",
      /"sometimes" is no trigger/,
    );
    await fails("INSERT INTO m WITH (checkpointLocation '/x') SELECT 1", /found by its name/);
    await fails("INSERT INTO m SELECT value FROM r GROUP BY value", /STREAMING_OUTPUT_MODE|append/i);
  }));

test("errors show line, column and the text with a caret", () =>
  withSql(async (sql) => {
    const { message } = await sql.failure("SELECT 1;\nSELECT a +\n  nope FROM VALUES (1) AS t(a)");
    assert.match(message, /UNRESOLVED_COLUMN/);
    assert.match(message, /line 3, column 3/);
    assert.match(message, /\n {4}nope FROM VALUES .*\n {4}\^\^\^\^/);
    const row = await sql.failure("SELECT 1,\n  1 / (a - 1) FROM VALUES (1) AS t(a)");
    assert.match(row.message, /DIVIDE_BY_ZERO[\s\S]*line 2, column 3[\s\S]*\^/);
    // A script is parsed whole: nothing of it has acted.
    await sql.failure("CREATE VIEW early AS SELECT 1; SELEC 2");
    assert.equal((await sql.failure("SELECT * FROM early")).errorClass, "TABLE_OR_VIEW_NOT_FOUND");
  }));

test("SET TIME ZONE acts on the statements after it, RESET takes it back", () =>
  withSql(async (sql) => {
    const noon = "SELECT unix_timestamp(TIMESTAMP '1970-01-01 12:00:00'), hour(timestamp_seconds(0))";
    assert.deepEqual(await sql.rows(`SET TIME ZONE 'Asia/Tokyo'; ${noon}`), [[10_800, 9]]);
    assert.deepEqual(await sql.rows(`RESET; ${noon}`), [[43_200, 0]]);
    assert.equal((await sql.failure("SET TIME ZONE 'Mars/Base'")).errorClass, "INVALID_CONF_VALUE.TIME_ZONE");
  }));

test("settings: ours are checked, others kept as given", () =>
  withSql(async (sql) => {
    assert.deepEqual(await sql.rows("SET some.key = a b c"), [["some.key", "a b c"]]);
    assert.deepEqual(await sql.rows("SET some.key"), [["some.key", "a b c"]]);
    assert.deepEqual(await sql.rows("SET other.key"), [["other.key", "<undefined>"]]);
    assert.deepEqual(await sql.rows("SET spark.sql.SESSION.timezone=UTC; SET"), [
      ["some.key", "a b c"],
      ["spark.sql.session.timeZone", "UTC"],
    ]);
    assert.match((await sql.failure("SET millrace.triger=once")).message, /did you mean millrace.trigger/);
    assert.match((await sql.failure("SET spark.sql.ansi.enabled=false")).message, /true only/);
    assert.match((await sql.failure("SET millrace.partitions=0")).message, /from 1 to 256/);
  }));
