/** Aggregates of the program: in batch and on streams, in parts, through a crash and at another parallelism, by name in SQL, and what they refuse. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { AnalysisError, count, lit, schema, type Session, sum, t, window, Window } from "../../src/index.ts";
import {
  testApplication,
  type TestApplication,
  type TestApplicationOptions,
} from "../../src/testing/index.ts";

const columns = schema({ k: t.string, v: t.long.nullable(), ts: t.timestamp });
const at = (seconds: number): Date => new Date(Date.UTC(2026, 0, 1, 0, 0, seconds));
const application = (c: TestContext, options: TestApplicationOptions = {}): TestApplication => {
  const app = testApplication(options);
  c.after(() => app.close());
  return app;
};

/** The mean over what is not null, as a state of two fields; null of nothing. */
const ownMean = (mill: Session) =>
  mill.udaf(
    "own_mean",
    {
      parameters: [t.long.nullable()],
      state: t.struct({ total: t.double, n: t.long }),
      returns: t.double,
      commutative: true,
    },
    {
      zero: () => ({ total: 0, n: 0 }),
      update: (s, v) => (v === null ? s : { total: s.total + v, n: s.n + 1 }),
      merge: (a, b) => ({ total: a.total + b.total, n: a.n + b.n }),
      finish: (s) => (s.n === 0 ? null : s.total / s.n),
    },
  );
/** The different values, ascending, changed in place. */
const values = (mill: Session) =>
  mill.udaf(
    "values_of",
    { parameters: [t.long.nullable()], state: t.map(t.long, t.boolean), returns: t.array(t.long) },
    {
      zero: () => new Map<number, boolean>(),
      update: (s, v) => (v === null ? s : s.set(v, true)),
      merge: (a, b) => new Map([...a, ...b]),
      finish: (s) => [...s.keys()].sort((x, y) => x - y),
    },
  );

const data = [
  { k: "a", v: 1, ts: at(1) },
  { k: "a", v: 4, ts: at(2) },
  { k: "b", v: null, ts: at(3) },
  { k: "a", v: 4, ts: at(12) },
];

test("in batch: per group, of all rows, distinct, filtered, over a window, beside Spark's own", async (c) => {
  const { session: mill } = application(c);
  const mean = ownMean(mill);
  const rows = mill.createDataFrame(data, columns);
  const grouped = rows.groupBy("k").agg((x) => ({
    m: mean(x.v),
    d: mean(x.v).filter(x.v.gt(1)),
    n: count(),
    all: values(mill)(x.v),
  }));
  assert.deepEqual(await grouped.orderBy("k").collect(), [
    { k: "a", m: 3, d: 4, n: 3, all: [1, 4] },
    { k: "b", m: null, d: null, n: 1, all: [] },
  ]);
  assert.deepEqual(await rows.agg((x) => ({ m: mean(x.v) })).collect(), [{ m: 3 }]);
  assert.deepEqual(
    await rows
      .limit(0)
      .agg((x) => ({ m: mean(x.v) }))
      .collect(),
    [{ m: null }],
  );
  const running = rows.select((x) => ({
    ts: x.ts,
    m: mean(x.v).over(Window.partitionBy(x.k).orderBy(x.ts)),
  }));
  assert.deepEqual(
    (await running.orderBy("ts").collect()).map((r) => r.m),
    [1, 2.5, null, 3],
  );
});

test("by name in SQL, with DISTINCT, HAVING and ORDER BY, also under the name of one of Spark's", async (c) => {
  const { session: mill } = application(c);
  ownMean(mill);
  mill.udaf(
    "sum",
    { parameters: [t.long], state: t.long, returns: t.long },
    { zero: () => 1, update: (s, v) => s * (v ?? 1), merge: (a, b) => a * b, finish: (s) => s },
  );
  mill.createDataFrame(data, columns).createTempView("data");
  assert.deepEqual(
    await mill
      .sql(
        "SELECT k, own_mean(DISTINCT v) AS m, OWN_MEAN(v) + 1 AS p FROM data GROUP BY k ORDER BY own_mean(v) DESC",
      )
      .collect(),
    [
      { k: "a", m: 2.5, p: 4 },
      { k: "b", m: null, p: null },
    ],
  );
  assert.deepEqual(await mill.sql("SELECT k FROM data GROUP BY k HAVING own_mean(v) > 2").collect(), [
    { k: "a" },
  ]);
  assert.deepEqual(mill.sql("SELECT own_mean(v) FROM data").columns, ["own_mean(v)"]);
  assert.throws(
    () => mill.sql("SELECT k FROM data WHERE own_mean(v) > 2").schema,
    /INVALID_WHERE_CONDITION|aggregate/i,
  );
  assert.throws(() => mill.sql("SELECT own_mean(k, v) FROM data").schema, /WRONG_NUM_ARGS/);
  assert.throws(() => mill.sql("SELECT own_mean(ts) FROM data").schema, /DATATYPE_MISMATCH/);
});

for (const mode of ["update", "complete"] as const)
  test(`on a stream in ${mode} mode: state comes back after a crash and at another parallelism`, async (c) => {
    const app = application(c, { partitions: 2 });
    const mean = ownMean(app.session);
    const all = values(app.session);
    const input = app.session.memorySource(columns);
    await app.addData(input, data.slice(0, 3));
    const frame = app.session.readStream.memory(input);
    const query = await app.start(
      frame
        .groupBy("k")
        .agg((x) => ({ m: mean(x.v), all: all(x.v), n: count(), s: sum(x.v) }))
        .writeStream.queryName("q")
        .outputMode(mode)
        .trigger({ processingTime: "1 second" }),
    );
    const b = { k: "b", m: null, all: [], n: 1, s: null };
    await query.expectRows([{ k: "a", m: 2.5, all: [1, 4], n: 2, s: 5 }, b]);
    await app.kill({ node: 0, disk: "lost" });
    await app.restart(0);
    await app.addData(input, data.slice(3));
    const a = { k: "a", m: 3, all: [1, 4], n: 3, s: 9 };
    await query.expectNewRows(mode === "update" ? [a] : [a, b]);
    await (await query.handle()).rescale(5);
    await app.addData(input, [{ k: "a", v: 11, ts: at(13) }]);
    const a2 = { k: "a", m: 5, all: [1, 4, 11], n: 4, s: 20 };
    await query.expectNewRows(mode === "update" ? [a2] : [a2, b]);
  });

test("of windows in append mode: two phases merge the states of the parts", async (c) => {
  const app = application(c);
  const mean = ownMean(app.session);
  const input = app.session.memorySource(columns);
  const windows = app.session.readStream
    .memory(input)
    .withWatermark("ts", "0 seconds")
    .groupBy((x) => [window(x.ts, "10 seconds"), x.k])
    .agg((x) => ({ m: mean(x.v) }))
    .select((x) => ({ start: x.window.start, k: x.k, m: x.m }));
  const query = await app.start(windows.writeStream.queryName("q"));
  assert.match((await query.handle()).explain(), /partial[^]*udaf:own_mean/);
  await app.addData(input, data);
  await app.addData(input, [{ k: "z", v: 1, ts: at(30) }]);
  await query.expectRows([
    { start: at(0), k: "a", m: 2.5 },
    { start: at(0), k: "b", m: null },
    { start: at(10), k: "a", m: 4 },
  ]);
});

test("what throws, or gives what is no state, fails with the name of the aggregate", async (c) => {
  const { session: mill } = application(c);
  const rows = mill.createDataFrame(data, columns);
  const broken = mill.udaf(
    "broken",
    { parameters: [t.long.nullable()], state: t.long, returns: t.long },
    {
      zero: () => 0,
      update: (_s, v) => {
        if (v === 4) throw new Error("no fours");
        return 0;
      },
      merge: (a) => a,
      finish: (s) => s,
    },
  );
  await assert.rejects(rows.agg((x) => ({ b: broken(x.v) })).collect(), /broken failed: no fours/);
  const types = { parameters: [t.long.nullable()], state: t.long, returns: t.long } as const;
  const wrong = mill.udaf("wrong", types, {
    zero: () => 0,
    update: () => "text" as never,
    merge: (a) => a,
    finish: (s) => s,
  });
  await assert.rejects(
    rows.agg((x) => ({ b: wrong(x.v) })).collect(),
    /wrong[^]*string text where bigint is due/,
  );
  assert.throws(
    () => mill.udaf("half", types, { zero: () => 0, update: () => 0 } as never),
    (e: unknown) => e instanceof AnalysisError && /merge, finish missing/.test(e.message),
  );
  assert.throws(() => (broken as (...a: unknown[]) => unknown)(lit(1), lit(2)), /WRONG_NUM_ARGS/);
  assert.throws(() => rows.select((x) => ({ b: broken(x.v) as never })), /aggregate cannot stand/);
});
