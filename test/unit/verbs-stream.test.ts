/** The verbs of the typed API that mean something on a stream, each once with the rows it gives; the writer's verbs. Batch: verbs-batch.test.ts. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { AnalysisError, count, MemorySink, schema, sum, t, upper } from "../../src/index.ts";
import { testApplication, type TestApplication } from "../../src/testing/index.ts";

const columns = schema({ k: t.string, n: t.long.nullable(), ts: t.timestamp });
const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));
const data = [
  { k: "a", n: 1, ts: at(1) },
  { k: "b", n: null, ts: at(2) },
  { k: "a", n: 3, ts: at(3) },
  { k: "a", n: 3, ts: at(3) },
];

const open = (c: TestContext) => {
  const app: TestApplication = testApplication({ partitions: 2 });
  c.after(() => app.close());
  const input = app.session.memorySource(columns);
  const stream = app.session.readStream.memory(input);
  return { app, mill: app.session, input, stream, ready: () => app.addData(input, data) };
};

test("select, selectExpr, withColumns, renamed, drop, alias, filter, na, explode, transform, union, map…", async (c) => {
  const { app, stream, ready } = open(c);
  await ready();
  const rows = stream
    .filter((x) => x.k.eq("a").or(x.n.isNull()))
    .na.fill(0)
    .withColumn("up", (x) => upper(x.k))
    .withColumnRenamed("n", "m")
    .drop("ts")
    .transform((d) => d.select((x) => ({ up: x.up, m: x.m })));
  const query = await app.start(rows.writeStream.queryName("rows"));
  await query.expectRows([
    { up: "A", m: 1 },
    { up: "B", m: 0 },
    { up: "A", m: 3 },
    { up: "A", m: 3 },
  ]);
  const short = stream
    .select("k")
    .limit(1)
    .unionByName(stream.where((x) => x.n.eq(1)).select("k"));
  await (await app.start(short.writeStream.queryName("short"))).expectRows([{ k: "a" }, { k: "a" }]);
  const flat = stream.na
    .drop()
    .flatMap(schema({ x: t.long }), (r) => (r.n === 3 ? [{ x: r.n }, { x: -r.n }] : []))
    .filterRows((r) => r.x < 0);
  await (await app.start(flat.writeStream.queryName("flat"))).expectRows([{ x: -3 }, { x: -3 }]);
  const typed = stream.selectExpr("k AS a", "n * 2 AS d").as(schema({ a: t.string, d: t.long.nullable() }));
  await (
    await app.start(typed.filter((x) => x.d.eq(2)).writeStream.queryName("typed"))
  ).expectRows([{ a: "a", d: 2 }]);
});

test("distinct, dropDuplicates, dropDuplicatesWithinWatermark, groupBy in each mode, rollup, agg, sort", async (c) => {
  const { app, mill, stream, ready } = open(c);
  await ready();
  const twice = await app.start(
    stream.select("k").distinct().writeStream.queryName("distinct").outputMode("update"),
  );
  await twice.expectRows([{ k: "a" }, { k: "b" }]);
  // Dataset.distinct is dropDuplicates, which append mode allows without a watermark; SELECT DISTINCT is an aggregate.
  const once = await app.start(stream.select("k").distinct().writeStream.queryName("once"));
  await once.expectRows([{ k: "a" }, { k: "b" }]);
  const some = mill.createDataFrame([{ k: "a" }, { k: "q" }], schema({ k: t.string }));
  const keys = stream.select("k");
  await (await app.start(keys.intersect(some).writeStream.queryName("both"))).expectRows([{ k: "a" }]);
  await (await app.start(keys.except(some).writeStream.queryName("rest"))).expectRows([{ k: "b" }]);
  const marked = stream.withWatermark("ts", "10 seconds");
  const kn = [
    { k: "a", n: 1 },
    { k: "b", n: null },
    { k: "a", n: 3 },
  ];
  const dedup = marked.dropDuplicates("k", "n", "ts").select("k", "n");
  await (await app.start(dedup.writeStream.queryName("dedup"))).expectRows(kn);
  const within = marked.dropDuplicatesWithinWatermark("k", "n").select("k", "n");
  await (await app.start(within.writeStream.queryName("within"))).expectRows(kn);
  const counts = stream.groupBy("k").agg((x) => ({ n: count(), s: sum(x.n) }));
  const both = [
    { k: "a", n: 3, s: 7 },
    { k: "b", n: 1, s: null },
  ];
  const sorted = counts.orderBy((x) => x.k.desc());
  const complete = await app.start(sorted.writeStream.queryName("complete").outputMode("complete"));
  await complete.expectRows(both.toReversed(), { order: "exact" });
  await (await app.start(counts.writeStream.queryName("update").outputMode("update"))).expectRows(both);
  const up = stream.rollup("k").agg(() => ({ n: count() }));
  await (
    await app.start(up.writeStream.queryName("rollup").outputMode("complete"))
  ).expectRows([
    { k: "a", n: 3 },
    { k: "b", n: 1 },
    { k: null, n: 4 },
  ]);
  const all = stream.agg(() => ({ n: count() }));
  await (await app.start(all.writeStream.queryName("agg").outputMode("complete"))).expectRows([{ n: 4 }]);
});

test("join with a static frame and with a stream, joinOn", async (c) => {
  const { app, mill, stream, ready } = open(c);
  await ready();
  const names = mill.createDataFrame([{ k: "a", name: "Ann" }], schema({ k: t.string, name: t.string }));
  const joined = stream.join(names, "k").select("n", "name");
  await (
    await app.start(joined.writeStream.queryName("static"))
  ).expectRows([
    { n: 1, name: "Ann" },
    { n: 3, name: "Ann" },
    { n: 3, name: "Ann" },
  ]);
  const right = mill.memorySource(schema({ id: t.string, w: t.long }));
  await app.addData(right, [{ id: "b", w: 9 }]);
  const pairs = stream.joinOn(mill.readStream.memory(right), (l, r) => l.k.eq(r.id)).select("k", "w");
  await (await app.start(pairs.writeStream.queryName("pairs"))).expectRows([{ k: "b", w: 9 }]);
});

test("writeStream: foreachBatch, foreach, toTable, partitionBy, options, queryName, observe", async (c) => {
  const { app, mill, stream, ready } = open(c);
  await ready();
  const batches: [number, number][] = [];
  await stream.writeStream
    .queryName("batches")
    .foreachBatch(async (df, id) => void batches.push([id, await df.filter((x) => x.k.eq("a")).count()]))
    .start();
  const seen: string[] = [];
  await stream.writeStream
    .queryName("each")
    .foreach({
      open: (_p, id) => seen.push(`open ${id}`) > 0,
      process: (r) => void seen.push(r.k),
      close: () => {},
    })
    .start();
  const folder = mkdtempSync(join(tmpdir(), "millrace-verbs-"));
  c.after(() => rmSync(folder, { recursive: true, force: true }));
  await stream
    .select("k", "n")
    .writeStream.queryName("files")
    .format("json")
    .partitionBy("k")
    .options({ path: folder })
    .start();
  await mill.execute(
    `CREATE TABLE verbs_out (k STRING) USING json OPTIONS (path '${join(folder, "table")}')`,
  );
  await stream.select("k").writeStream.queryName("table").toTable("verbs_out");
  const sink = new MemorySink();
  await stream
    .observe("seen", () => ({ rows: count() }))
    .writeStream.queryName("observed")
    .format("memory")
    .handle(sink)
    .start();
  await app.processAllAvailable();
  assert.deepEqual(batches, [[0, 3]]);
  assert.deepEqual(
    seen.filter((x) => !x.startsWith("open")).toSorted((a, b) => (a < b ? -1 : 1)),
    ["a", "a", "a", "b"],
  );
  assert.ok(["k=a", "k=b"].every((name) => readdirSync(folder).includes(name)));
  assert.equal(await mill.table("verbs_out").count(), 4);
  assert.equal(sink.rows().length, 4);
  const observed = mill.streams.active.find((q) => q.name === "observed")!;
  assert.deepEqual(observed.lastProgress?.observedMetrics, { seen: { rows: 4 } });
  assert.equal(stream.isStreaming, true);
});

test("mapAsync: several calls at a time, a timeout, another try; the order is kept", async (c) => {
  const { app, stream, ready } = open(c);
  await ready();
  let running = 0;
  let most = 0;
  let failures = 1;
  const looked = stream.mapAsync(
    schema({ k: t.string, n: t.long.nullable() }),
    async (r) => {
      most = Math.max(most, ++running);
      await new Promise<void>((resolve) => setImmediate(resolve));
      running--;
      if (r.n === 1 && failures-- > 0) throw new Error("try again");
      return { k: `${r.k}!`, n: r.n };
    },
    { concurrency: 2, retries: 1, timeout: "1 minute" },
  );
  const query = await app.start(looked.writeStream.queryName("async"));
  await query.expectRows(
    data.map((r) => ({ k: `${r.k}!`, n: r.n })),
    { order: "exact" },
  );
  assert.equal(most, 2);
  const never = stream.mapAsync(schema({ k: t.string }), () => new Promise(() => {}), {
    timeout: "1 second",
  });
  const stuck = await app.start(never.writeStream.queryName("stuck"));
  assert.match(String(await stuck.failure()), /1 ?000|1 second|timeout|timed out/i);
});

test("what Spark refuses on a stream is refused with class and remedy, also from JavaScript", async (c) => {
  const { stream } = open(c);
  const js = stream as unknown as Record<string, (...a: unknown[]) => { schema: unknown }>;
  const refused = (f: () => unknown, message: RegExp): void => {
    assert.throws(
      f,
      (e: unknown) => e instanceof AnalysisError && message.test(`${e.message} ${e.hint ?? ""}`),
    );
  };
  await assert.rejects(stream.collect(), /writeStream\.start/);
  refused(() => stream.cache(), /streaming/i);
  refused(() => js["dropDuplicates"]!("kk").schema, /"kk"[^]*`k`/);
  refused(() => js["drop"]!(1).schema, /drop takes names of columns, not a number/);
  refused(() => js["describe"]!("kk").schema, /`kk`[^]*`k`/);
  refused(() => stream.na.drop("any", ["kk" as never]), /na\.drop[^]*`kk`[^]*`k`/);
  refused(() => stream.na.fill({ nn: 1 } as never), /na\.fill[^]*`nn`[^]*`n`/);
  refused(
    () =>
      stream
        .select("k")
        .distinct()
        .writeStream.outputMode("append")
        .trigger({} as never),
    /trigger/,
  );
});
