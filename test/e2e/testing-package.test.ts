/** `millrace/testing` as an application's test uses it: its session, its data, time, kills and restarts in the test's hands. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { count, schema, sum, t, window } from "../../src/index.ts";
import {
  testApplication,
  type TestApplication,
  type TestApplicationOptions,
} from "../../src/testing/index.ts";

const columns = schema({ k: t.string, v: t.long, ts: t.timestamp });
const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));

const application = (c: TestContext, options: TestApplicationOptions = {}): TestApplication => {
  const app = testApplication(options);
  c.after(() => app.close());
  return app;
};

test("a windowed count: late rows, kills of an actor and of a node, a restart, all exactly once", async (c) => {
  const app = application(c, { nodes: 2, partitions: 3 });
  const input = app.session.memorySource(columns);
  const counts = await app.start(
    app.session.readStream
      .memory(input)
      .withWatermark("ts", "5 seconds")
      .groupBy((x) => [window(x.ts, "10 seconds"), x.k])
      .agg((x) => ({ n: count(), total: sum(x.v) }))
      .select((x) => ({ start: x.window.start, k: x.k, n: x.n, total: x.total }))
      .writeStream.queryName("counts"),
  );
  await app.addData(input, [
    { k: "a", v: 1, ts: at(1) },
    { k: "b", v: 2, ts: at(2) },
    { k: "a", v: 3, ts: at(9) },
  ]);
  await counts.expectRows([]);

  await app.kill({ stage: 1 });
  await app.addData(input, [{ k: "z", v: 1, ts: at(20) }]);
  await counts.expectNewRows([
    { start: at(0), k: "a", n: 2, total: 4 },
    { start: at(0), k: "b", n: 1, total: 2 },
  ]);

  await app.kill({ node: 0, disk: "lost" });
  assert.deepEqual(app.nodes, [1]);
  await app.addData(input, [{ k: "a", v: 1, ts: at(3) }]);
  await app.addData(input, [{ k: "z", v: 5, ts: at(41) }]);
  await counts.expectNewRows([{ start: at(20), k: "z", n: 1, total: 1 }]);
  assert.equal((await counts.lastProgress())?.sink.numOutputRows !== undefined, true);

  await app.restart(0);
  assert.deepEqual(
    app.nodes.toSorted((a, b) => a - b),
    [0, 1],
  );
  await counts.restart();
  await app.addData(input, [{ k: "z", v: 6, ts: at(60) }]);
  await counts.expectNewRows([{ start: at(40), k: "z", n: 1, total: 5 }]);
  assert.equal(counts.rows().length, 4);
});

test("a trigger fires when the test moves the clock", async (c) => {
  const app = application(c);
  const input = app.session.memorySource(columns);
  const start = app.now.getTime();
  const query = await app.start(
    app.session.readStream.memory(input).select("k").writeStream.trigger({ processingTime: "1 minute" }),
  );
  await app.addData(input, [{ k: "first", v: 1, ts: at(0) }]);
  await query.expectRows([{ k: "first" }]);
  await app.addData(input, [{ k: "later", v: 1, ts: at(0) }]);
  await app.advanceTime("10 seconds");
  assert.deepEqual(query.rows(), [{ k: "first" }]);
  await app.advanceTime("1 minute");
  assert.deepEqual(query.rows(), [{ k: "first" }, { k: "later" }]);
  assert.equal(app.now.getTime() - start >= 70_000, true);
});

test("batch queries, a batch per epoch, and a query that fails, on the same session", async (c) => {
  const app = application(c, { name: "orders", timeZone: "Asia/Tokyo" });
  assert.equal(app.session.timeZone, "Asia/Tokyo");
  const rows = app.session.createDataFrame([{ k: "a", v: 1, ts: at(0) }], columns);
  assert.deepEqual(await rows.select((x) => ({ hour: x.ts.cast("string") })).collect(), [
    { hour: "2026-01-01 09:00:00" },
  ]);
  const input = app.session.memorySource(columns);
  const stream = app.session.readStream.memory(input);
  const batches: number[][] = [];
  await stream.writeStream
    .queryName("batches")
    .foreachBatch(async (df, id) => void batches.push([id, await df.count()]))
    .start();
  const failing = await app.start(
    stream
      .map(schema({ n: t.long }), (row) => {
        if (row.v === 13) throw new Error("unlucky");
        return { n: row.v };
      })
      .writeStream.queryName("failing"),
  );
  await app.addData(input, [{ k: "a", v: 1, ts: at(0) }]);
  await app.processAllAvailable();
  assert.deepEqual(batches, [[0, 1]]);
  await failing.expectRows([{ n: 1 }]);
  assert.equal(app.session.streams.active.length, 2);
  await app.addData(input, [{ k: "a", v: 13, ts: at(0) }]);
  assert.match(String(await failing.failure()), /unlucky/);
});

test("a difference is an AssertionError that names the query; what does not run cannot be killed", async (c) => {
  const app = application(c);
  const input = app.session.memorySource(columns);
  const query = await app.start(
    app.session.readStream.memory(input).select("k", "v").writeStream.queryName("q"),
  );
  await app.addData(input, [
    { k: "a", v: 1, ts: at(0) },
    { k: "b", v: 2, ts: at(0) },
  ]);
  await query.expectRows([
    { k: "b", v: 2 },
    { k: "a", v: 1 },
  ]);
  await assert.rejects(query.expectRows([{ k: "b", v: 2 }]), /rows of q differ/);
  await assert.rejects(
    query.expectRows(
      [
        { k: "b", v: 2 },
        { k: "a", v: 1 },
      ],
      { order: "exact" },
    ),
    assert.AssertionError,
  );
  await assert.rejects(query.failure(), /did not fail/);
  await assert.rejects(app.kill(3), /no node 3 is running; there are 0/);
});
