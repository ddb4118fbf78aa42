/** Every verb of the typed API once in batch, with the rows it gives (issue 4, section 3). Streams: verbs-stream.test.ts. */
import assert from "node:assert/strict";
import { after, test } from "node:test";
import { avg, count, lit, max, schema, sum, t, upper } from "../../src/index.ts";
import { testApplication } from "../../src/testing/index.ts";

const printed: string[] = [];
const app = testApplication({ print: (text) => void printed.push(text) });
after(() => app.close());
const mill = app.session;

const sales = mill.createDataFrame(
  [
    { shop: "a", item: "tea", n: 2, price: 1.5 },
    { shop: "a", item: "jam", n: 1, price: 4 },
    { shop: "b", item: "tea", n: 5, price: null },
    { shop: "b", item: "tea", n: 5, price: null },
  ],
  schema({ shop: t.string, item: t.string, n: t.long, price: t.double.nullable() }),
);
const shops = mill.createDataFrame(
  [
    { shop: "a", city: "Oslo" },
    { shop: "c", city: "Rome" },
  ],
  schema({ shop: t.string, city: t.string }),
);
const one = sales.filter((c) => c.item.eq("jam"));
const ns = async (frame: { collect(): Promise<readonly { readonly n: number }[]> }): Promise<number[]> =>
  (await frame.collect()).map((r) => r.n);

test("select, selectExpr, withColumn(s), withColumnRenamed, drop, alias, as, transform", async () => {
  assert.deepEqual(await one.select("item", "n").collect(), [{ item: "jam", n: 1 }]);
  assert.deepEqual(await one.select((c) => ({ u: upper(c.item), two: c.n.mul(2) })).collect(), [
    { u: "JAM", two: 2 },
  ]);
  assert.deepEqual(await one.selectExpr("n + 1 AS m", "upper(item) AS u").collect(), [{ m: 2, u: "JAM" }]);
  assert.deepEqual(
    await one
      .select("n")
      .withColumn("m", (c) => c.n.add(1))
      .withColumn("n", 7)
      .collect(),
    [{ n: 7, m: 2 }],
  );
  assert.deepEqual(
    await one
      .select("n")
      .withColumns((c) => ({ n: c.n.add(1), old: c.n }))
      .collect(),
    [{ n: 2, old: 1 }],
  );
  assert.deepEqual(await one.select("n", "item").withColumnRenamed("n", "m").collect(), [
    { m: 1, item: "jam" },
  ]);
  assert.deepEqual(await one.select("n", "item").withColumnsRenamed({ n: "x", item: "y" }).collect(), [
    { x: 1, y: "jam" },
  ]);
  assert.deepEqual(await one.drop("price", "shop").collect(), [{ item: "jam", n: 1 }]);
  assert.deepEqual(await one.alias("s").selectExpr("s.n").collect(), [{ n: 1 }]);
  assert.deepEqual(
    await one
      .selectExpr("n")
      .as(schema({ n: t.string }))
      .collect(),
    [{ n: "1" }],
  );
  assert.deepEqual(await one.transform((d) => d.select("n")).collect(), [{ n: 1 }]);
});

test("filter and where; a condition over a column that select dropped is resolved below it, as Spark does", async () => {
  assert.deepEqual(await ns(sales.where((c) => c.n.gt(1)).filter((c) => c.shop.eq("a"))), [2]);
  const hidden = sales.select("item").filter(((c: { n: { gt(x: number): never } }) => c.n.gt(4)) as never);
  assert.deepEqual(await hidden.collect(), [{ item: "tea" }, { item: "tea" }]);
  assert.deepEqual(hidden.columns, ["item"]);
  const gone = sales.drop("n", "price").orderBy("shop").withColumn("x", 1);
  const through = gone.filter(((c: { n: { eq(x: number): never } }) => c.n.eq(1)) as never);
  assert.deepEqual(await through.collect(), [{ shop: "a", item: "jam", x: 1 }]);
  sales.createTempView("hidden_sales");
  assert.throws(
    () => mill.sql("SELECT * FROM (SELECT item FROM hidden_sales) WHERE n > 4").schema,
    /UNRESOLVED_COLUMN[^]*`n`/,
  );
  const distinct = sales.select("item").distinct();
  assert.throws(
    () => distinct.filter(((c: { n: { eq(x: number): never } }) => c.n.eq(1)) as never).schema,
    /UNRESOLVED_COLUMN[^]*`n`/,
  );
});

test("groupBy, agg, count, rollup, cube, groupingSets, pivot", async () => {
  assert.deepEqual(await sales.groupBy("shop").count().orderBy("shop").collect(), [
    { shop: "a", count: 2 },
    { shop: "b", count: 2 },
  ]);
  assert.deepEqual(
    await sales
      .groupBy((c) => [c.item, c.n.gt(1).as("many")])
      .agg((c) => ({ total: sum(c.n), mean: avg(c.price) }))
      .orderBy("item")
      .collect(),
    [
      { item: "jam", many: false, total: 1, mean: 4 },
      { item: "tea", many: true, total: 12, mean: 1.5 },
    ],
  );
  assert.deepEqual(await sales.agg((c) => ({ n: count(), top: max(c.n) })).collect(), [{ n: 4, top: 5 }]);
  assert.equal(await sales.count(), 4);
  const total = (rows: readonly { shop: string | null; item: string | null; s: number | null }[]): string[] =>
    rows.map((r) => `${r.shop} ${r.item} ${r.s}`).sort();
  const s = { s: sum(sales.c.n) };
  assert.deepEqual(total(await sales.rollup("shop", "item").agg(s).collect()), [
    "a jam 1",
    "a null 3",
    "a tea 2",
    "b null 10",
    "b tea 10",
    "null null 13",
  ]);
  assert.deepEqual(total(await sales.cube("shop", "item").agg(s).collect()), [
    "a jam 1",
    "a null 3",
    "a tea 2",
    "b null 10",
    "b tea 10",
    "null jam 1",
    "null null 13",
    "null tea 12",
  ]);
  assert.deepEqual(
    total(
      await sales
        .groupingSets([["shop", "item"], []])
        .agg(s)
        .collect(),
    ),
    ["a jam 1", "a tea 2", "b tea 10", "null null 13"],
  );
  assert.deepEqual(
    await sales
      .groupBy("shop")
      .pivot("item", ["tea", "jam"])
      .agg((c) => ({ s: sum(c.n) }))
      .orderBy("shop")
      .collect(),
    [
      { shop: "a", tea: 2, jam: 1 },
      { shop: "b", tea: 10, jam: null },
    ],
  );
  assert.deepEqual(
    await sales
      .groupBy("shop")
      .pivot("item", ["tea"])
      .agg((c) => ({ s: sum(c.n), k: count(c.n) }))
      .orderBy("shop")
      .collect(),
    [
      { shop: "a", tea_s: 2, tea_k: 1 },
      { shop: "b", tea_s: 10, tea_k: 2 },
    ],
  );
});

test("distinct, dropDuplicates, union, unionByName, intersect(All), except(All)", async () => {
  assert.equal(await sales.distinct().count(), 3);
  assert.deepEqual((await sales.dropDuplicates("item").collect()).map((r) => r.item).sort(), ["jam", "tea"]);
  assert.equal(await sales.dropDuplicates().count(), 3);
  const x = sales.select("n");
  const y = mill.createDataFrame([{ n: 5 }, { n: 9 }], schema({ n: t.long }));
  assert.deepEqual(
    (await ns(x.union(y))).toSorted((a, b) => a - b),
    [1, 2, 5, 5, 5, 9],
  );
  assert.deepEqual(await ns(x.intersect(y)), [5]);
  assert.deepEqual(await ns(x.intersectAll(y)), [5]);
  assert.deepEqual(
    (await ns(x.except(y))).toSorted((a, b) => a - b),
    [1, 2],
  );
  assert.deepEqual(
    (await ns(x.exceptAll(y))).toSorted((a, b) => a - b),
    [1, 2, 5],
  );
  const swapped = mill.createDataFrame(
    [{ city: "Nice", shop: "d" }],
    schema({ city: t.string, shop: t.string }),
  );
  assert.deepEqual((await shops.unionByName(swapped).collect()).at(-1), { shop: "d", city: "Nice" });
  const less = mill.createDataFrame([{ shop: "e" }], schema({ shop: t.string }));
  assert.deepEqual((await shops.unionByName(less, true).collect()).at(-1), { shop: "e", city: null });
});

test("join, joinOn, crossJoin", async () => {
  const perShop = sales.groupBy("shop").agg((c) => ({ n: sum(c.n) }));
  assert.deepEqual(await perShop.join(shops, "shop").collect(), [{ shop: "a", n: 3, city: "Oslo" }]);
  const rows = (list: readonly object[]): string[] => list.map((r) => JSON.stringify(r)).sort();
  assert.deepEqual(rows(await perShop.join(shops, ["shop"], "full").collect()), [
    '{"shop":"a","n":3,"city":"Oslo"}',
    '{"shop":"b","n":10,"city":null}',
    '{"shop":"c","n":null,"city":"Rome"}',
  ]);
  assert.deepEqual(await perShop.join(shops, "shop", "anti").collect(), [{ shop: "b", n: 10 }]);
  const other = shops.withColumnRenamed("shop", "id");
  assert.deepEqual(rows(await perShop.joinOn(other, (l, r) => l.shop.lt(r.id), "left").collect()), [
    '{"shop":"a","n":3,"id":"c","city":"Rome"}',
    '{"shop":"b","n":10,"id":"c","city":"Rome"}',
  ]);
  assert.equal(await perShop.crossJoin(other).count(), 4);
});

test("orderBy, sort, limit, offset, sample", async () => {
  assert.deepEqual(await ns(sales.orderBy("n", "item")), [1, 2, 5, 5]);
  assert.deepEqual(await ns(sales.sort((c) => c.n.desc()).limit(3)), [5, 5, 2]);
  assert.deepEqual(await ns(sales.orderBy((c) => [c.shop, c.n.desc()]).offset(1)), [1, 5, 5]);
  assert.deepEqual(
    (await sales.orderBy((c) => c.price.asc_nulls_last()).collect()).map((r) => r.price),
    [1.5, 4, null, null],
  );
  const many = mill.range(10_000);
  const taken = await many.sample(0.1, 7).count();
  assert.ok(taken > 850 && taken < 1_150, String(taken));
  assert.equal(await many.sample(0.1, 7).count(), taken);
  assert.equal(await many.sample(0).count(), 0);
});

test("na.fill, na.drop, na.replace, explode", async () => {
  assert.deepEqual(
    (await sales.na.fill(0).collect()).map((r) => r.price),
    [1.5, 4, 0, 0],
  );
  assert.deepEqual(
    (await sales.na.fill({ price: 9 }).collect()).map((r) => r.price),
    [1.5, 4, 9, 9],
  );
  assert.deepEqual(await ns(sales.na.drop()), [2, 1]);
  assert.equal(await sales.na.drop("all").count(), 4);
  assert.equal(await sales.na.drop(4).count(), 2);
  assert.equal(await sales.na.drop("any", ["shop"]).count(), 4);
  assert.deepEqual(
    (await sales.na.replace([["tea", "cha"]], ["item"]).collect()).map((r) => r.item),
    ["cha", "jam", "cha", "cha"],
  );
  assert.deepEqual(
    (await sales.na.replace([[5, 50]]).collect()).map((r) => r.n),
    [2, 1, 50, 50],
  );
  const lists = mill.createDataFrame(
    [
      { k: 1, xs: ["p", "q"] },
      { k: 2, xs: [] },
    ],
    schema({ k: t.int, xs: t.array(t.string) }),
  );
  assert.deepEqual(
    await lists
      .explode((c) => c.xs, "x")
      .select("k", "x")
      .collect(),
    [
      { k: 1, x: "p" },
      { k: 1, x: "q" },
    ],
  );
  assert.deepEqual((await lists.explode((c) => c.xs, "x", true).collect()).at(-1), { k: 2, xs: [], x: null });
});

test("describe, as text, of numbers and strings", async () => {
  assert.deepEqual(await sales.describe("n", "item").collect(), [
    { summary: "count", n: "4", item: "4" },
    { summary: "mean", n: "3.25", item: null },
    { summary: "stddev", n: "2.06155281280883", item: null },
    { summary: "min", n: "1", item: "jam" },
    { summary: "max", n: "5", item: "tea" },
  ]);
  assert.deepEqual(sales.describe().columns, ["summary", "shop", "item", "n", "price"]);
  assert.deepEqual(sales.describe("price", "n").columns, ["summary", "price", "n"]);
});

// What Spark 4.3 gave for this frame.
test("summary: statistics by name, percentiles, and what is no statistic", async () => {
  const frame = mill.createDataFrame(
    [
      { k: "a", v: 1, d: 1.5, b: true },
      { k: "b", v: 2, d: null, b: true },
      { k: "a", v: 3, d: 4, b: null },
    ],
    schema({ k: t.string, v: t.long, d: t.double.nullable(), b: t.boolean.nullable() }),
  );
  assert.deepEqual(await frame.summary().collect(), [
    { summary: "count", k: "3", v: "3", d: "2" },
    { summary: "mean", k: null, v: "2.0", d: "2.75" },
    { summary: "stddev", k: null, v: "1.0", d: "1.7677669529663689" },
    { summary: "min", k: "a", v: "1", d: "1.5" },
    { summary: "25%", k: null, v: "1", d: "1.5" },
    { summary: "50%", k: null, v: "2", d: "1.5" },
    { summary: "75%", k: null, v: "3", d: "4.0" },
    { summary: "max", k: "b", v: "3", d: "4.0" },
  ]);
  assert.deepEqual(await frame.summary("count_distinct", "approx_count_distinct", "12.5%").collect(), [
    { summary: "count_distinct", k: "2", v: "3", d: "2" },
    { summary: "approx_count_distinct", k: "2", v: "3", d: "2" },
    { summary: "12.5%", k: null, v: "1", d: "1.5" },
  ]);
  assert.deepEqual(await frame.select("b").summary("min", "50%").collect(), [
    { summary: "min" },
    { summary: "50%" },
  ]);
  for (const wrong of ["nope", "101%", "-1%", "%", 5, undefined])
    assert.throws(() => frame.summary(wrong as "min"), { errorClass: "UNRECOGNIZED_STATISTIC" });
});

test("collect, take, first, head, isEmpty, toLocalIterator, cache, persist, createTempView, show, printSchema, explain", async () => {
  const sorted = sales.orderBy("n");
  assert.deepEqual(await ns({ collect: () => sorted.take(2) }), [1, 2]);
  assert.equal((await sorted.first())?.n, 1);
  assert.equal((await sorted.head())[0]?.n, 1);
  assert.equal((await sorted.head(3)).length, 3);
  assert.deepEqual(await ns({ collect: () => sorted.tail(2) }), [5, 5]);
  assert.deepEqual([(await sorted.tail(9)).length, (await sorted.tail(0)).length], [4, 0]);
  assert.deepEqual([await sales.isEmpty(), await sales.filter(() => lit(false)).isEmpty()], [false, true]);
  const seen: number[] = [];
  for await (const row of sorted.toLocalIterator()) seen.push(row.n);
  assert.deepEqual(seen, [1, 2, 5, 5]);
  let calls = 0;
  const counted = one.map(schema({ n: t.long }), (r) => ({ n: r.n + ++calls }));
  const kept = counted.cache();
  assert.deepEqual([await ns(kept), await kept.count(), (await kept.first())?.n, calls], [[2], 1, 2, 1]);
  assert.deepEqual(await ns(kept.unpersist().persist()), [3]);
  sales.createTempView("verbs_sales");
  assert.throws(() => sales.createTempView("verbs_sales"), /TEMP_TABLE_OR_VIEW_ALREADY_EXISTS/);
  assert.deepEqual(await mill.sql("SELECT max(n) AS m FROM verbs_sales").collect(), [{ m: 5 }]);
  assert.equal(await mill.table("verbs_sales").count(), 4);
  printed.length = 0;
  await one.show();
  one.printSchema();
  await one.explain();
  assert.equal(
    printed[0],
    "+----+----+---+-----+\n|shop|item|  n|price|\n+----+----+---+-----+\n|   a| jam|  1|  4.0|\n+----+----+---+-----+\n",
  );
  assert.match(printed[1]!, /^root\n \|-- shop: string \(nullable = false\)\n/);
  assert.match(printed[2]!, /Logical Plan[^]*Filter/);
  assert.deepEqual(sales.columns, ["shop", "item", "n", "price"]);
  assert.deepEqual(
    sales.schema.fields.map((f) => f.type.kind),
    ["string", "string", "long", "double"],
  );
  assert.equal(sales.isStreaming, false);
});

test("udf, map, flatMap, filterRows, and bigint through arithmetic", async () => {
  const twice = mill.udf("twice", { parameters: [t.long], returns: t.long }, (x) => 2 * x);
  assert.deepEqual(await one.select((c) => ({ d: twice(c.n).add(1) })).collect(), [{ d: 3 }]);
  assert.deepEqual(await one.selectExpr("twice(n) AS d").collect(), [{ d: 2 }]);
  const s = schema({ s: t.string });
  assert.deepEqual(await one.map(s, (r) => ({ s: `${r.item}${r.n}` })).collect(), [{ s: "jam1" }]);
  assert.deepEqual(await one.flatMap(s, (r) => [{ s: r.shop }, { s: r.item }]).collect(), [
    { s: "a" },
    { s: "jam" },
  ]);
  assert.deepEqual(await ns(sales.filterRows((r) => r.price === null).limit(1)), [5]);
  const big = mill.createDataFrame([{ b: 2n ** 62n }], schema({ b: t.bigint }));
  const sums = big.select((c) => ({ up: c.b.add(1), neg: c.b.neg(), b: c.b.sub(c.b) }));
  assert.deepEqual(await sums.collect(), [{ up: 2n ** 62n + 1n, neg: -(2n ** 62n), b: 0n }]);
  await assert.rejects(big.select((c) => ({ x: c.b.mul(4) })).collect(), /ARITHMETIC_OVERFLOW/);
});
