/** SQL and writes of a typed session: sql, execute, tables of the catalog, batch writes. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { setRuntimeProvider } from "../../src/api/runtime-provider.ts";
import { AnalysisError, schema, session, t } from "../../src/index.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import { settle } from "../../src/testing/virtual-clock.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const cluster = new TestCluster({ partitions: 2 });
const before = setRuntimeProvider(async () => (await cluster.node(0)).runtime);
after(async () => {
  setRuntimeProvider(before);
  await cluster.close();
});

const mill = session({ name: "sql-api", print: () => {} });

/** Moves the cluster's clock until the work is done. */
const driven = async <T>(work: Promise<T>): Promise<T> => {
  let done = false;
  work.then(
    () => (done = true),
    () => (done = true),
  );
  while (!done) {
    await settle(20);
    if (!done) await cluster.advanceTime(50);
  }
  return work;
};

test("sql gives frames of queries and rows of statements that act at once", async () => {
  mill.sql("CREATE OR REPLACE TEMP VIEW nums AS SELECT id FROM range(5)");
  assert.deepEqual(
    await mill.sql("SELECT sum(id) AS s FROM nums WHERE id > :least", { least: 2 }).collect(),
    [{ s: 7 }],
  );
  assert.deepEqual(await mill.sql("SHOW VIEWS").collect(), [
    { namespace: "", viewName: "nums", isTemporary: true },
  ]);
  assert.deepEqual(mill.sql("DROP VIEW nums").columns, []);
  assert.throws(() => mill.sql("SELECT * FROM nums").columns, /TABLE_OR_VIEW_NOT_FOUND/);
});

test("what starts something is for execute, which gives every result", async () => {
  assert.throws(
    () => mill.sql("INSERT INTO t VALUES (1)"),
    (e: unknown) => e instanceof AnalysisError && /execute/.test(e.hint ?? ""),
  );
  const results = await driven(
    mill.execute("CREATE TABLE t (a INT); INSERT INTO t VALUES (1), (:second); SELECT count(*) AS n FROM t", {
      second: 2,
    }),
  );
  assert.deepEqual(
    results.map((r) => r.kind),
    ["done", "done", "rows"],
  );
  assert.deepEqual(await mill.table("t").collect(), [{ a: 1 }, { a: 2 }]);
});

test("SET TIME ZONE reaches frames of the typed API", async () => {
  mill.sql("SET TIME ZONE 'Asia/Tokyo'");
  assert.equal(mill.timeZone, "Asia/Tokyo");
  const hour = mill.range(1).selectExpr("hour(timestamp_seconds(id)) AS h");
  assert.deepEqual(await hour.collect(), [{ h: 9 }]);
  mill.sql("RESET");
  assert.deepEqual(await hour.collect(), [{ h: 0 }]);
});

test("a stream goes into a table by toTable", async () => {
  await mill.execute("CREATE TABLE seen (k STRING, v BIGINT)");
  const source = mill.memorySource(schema({ k: t.string, v: t.long }));
  await source.addData([{ k: "a", v: 1 }]);
  const writer = mill.readStream.memory(source).writeStream.queryName("seen").trigger({ availableNow: true });
  const query = await driven(writer.toTable("seen"));
  await driven(query.awaitTermination());
  assert.deepEqual(await mill.table("seen").collect(), [{ k: "a", v: 1 }]);
  await assert.rejects(
    driven((async () => mill.range(1).write.saveAsTable("sen"))()),
    /did you mean|cannot be found/,
  );
});

test("batch writes: append goes on, error refuses a directory that holds output", async () => {
  const path = join(temporaryDirectory(), "out");
  const rows = mill.createDataFrame([{ v: 1 }], schema({ v: t.int }));
  await driven(rows.write.mode("append").json(path));
  await driven(rows.write.mode("append").json(path));
  assert.equal(await mill.read.schema("v INT").json(path).count(), 2);
  await assert.rejects(driven(rows.write.json(path)), /another query/);
  assert.equal(await mill.read.schema("v INT").json(path).count(), 2);
  assert.throws(() => rows.write.mode("overwrite" as never), /INVALID_SAVE_MODE/);
});
