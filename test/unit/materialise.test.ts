/** Recursive CTEs and correlated subqueries that are no joins: run first, replaced by their rows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "../../src/core/errors.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { TestCluster } from "../../src/testing/cluster.ts";

const collect = async (sql: string): Promise<readonly unknown[]> => {
  const cluster = new TestCluster();
  const { runtime } = await cluster.node(0);
  const { rows } = await runtime.collect(parseQuery(sql), new SessionCatalog());
  await cluster.close();
  return rows;
};
const fails = (errorClass: string) => (e: unknown) =>
  e instanceof MillraceError && e.errorClass === errorClass;

test("a recursive query steps until it gives nothing more", async () => {
  const sql =
    "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n WHERE x < 4) SELECT x, x * x AS y FROM n";
  assert.deepEqual(await collect(sql), [
    [1, 1],
    [2, 4],
    [3, 9],
    [4, 16],
  ]);
});

test("a recursive query without end is stopped at Spark's limit", async () => {
  const sql = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n";
  await assert.rejects(collect(sql), fails("RECURSION_LEVEL_LIMIT_EXCEEDED"));
});

test("a correlated scalar subquery with a limit runs for each row; no row gives null", async () => {
  const u = "VALUES (1, 10), (1, 20), (2, 5) AS u(k, b)";
  const sql = `SELECT a, (SELECT b FROM ${u} WHERE u.k = t.a ORDER BY b DESC LIMIT 1) AS top FROM VALUES (1), (2), (3) AS t(a)`;
  assert.deepEqual(await collect(sql), [
    [1, 20],
    [2, 5],
    [3, null],
  ]);
});

test("a lateral subquery with a limit joins its own rows to each row", async () => {
  const u = "VALUES (1, 10), (1, 20), (2, 5) AS u(k, b)";
  const sql = `SELECT t.a, u.b FROM VALUES (1), (2) AS t(a), LATERAL (SELECT b FROM ${u} WHERE u.k >= t.a ORDER BY b LIMIT 2) u`;
  assert.deepEqual(await collect(sql), [
    [1, 5],
    [1, 10],
    [2, 5],
  ]);
});
