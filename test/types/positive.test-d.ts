/** Exact types of what the verbs infer; each `is<Same<…>>()` is one assertion. `positive` in api-types.test.ts counts them. */
import { expectTypeOf } from "expect-type";
import {
  avg,
  coalesce,
  collect_list,
  concat,
  count,
  countDistinct,
  date_trunc,
  explode,
  filter as filterArray,
  greatest,
  lag,
  length,
  lit,
  max,
  min,
  row_number,
  type RowOf,
  schema,
  session_window,
  split,
  struct,
  sum,
  t,
  transform,
  upper,
  when,
  window,
  Window,
  year,
  type ColumnsOf,
} from "../../src/index.ts";
import {
  auctions,
  bids,
  type bidColumns,
  type C,
  is,
  labels,
  mill,
  numbers,
  type S,
  type Same,
} from "./fixture.ts";

// Schemas
is<Same<C<typeof bids, "price">, "long">>();
is<Same<C<typeof bids, "url">, "string?">>();
is<Same<S<typeof bids>, ColumnsOf<typeof bidColumns>>>();
is<
  Same<
    RowOf<S<typeof auctions>>,
    { readonly id: number; readonly seller: number; readonly category: number | null; readonly expires: Date }
  >
>();
is<Same<RowOf<S<typeof numbers>>["b"], bigint>>();
is<Same<RowOf<S<typeof numbers>>["dec"], string>>();
is<Same<RowOf<S<typeof bids>>["props"], Map<string, number>>>();
is<Same<RowOf<S<typeof bids>>["tags"], string[]>>();
is<Same<RowOf<S<typeof bids>>["meta"]["geo"]["lon"], number | null>>();

// select
const a1 = bids.select("auction", "price");
is<Same<S<typeof a1>, { readonly auction: "long"; readonly price: "long" }>>();
const a2 = bids.select((c) => ({ a: c.auction, eur: c.price.mul(0.908), u: c.url, lat: c.meta.geo.lat }));
is<
  Same<
    S<typeof a2>,
    { readonly a: "long"; readonly eur: "double"; readonly u: "string?"; readonly lat: "double" }
  >
>();
const a3 = bids.select("auction", bids.c.price.add(bids.c.bidder).as("pb"));
is<Same<S<typeof a3>, { readonly auction: "long"; readonly pb: "long" }>>();
const a4 = bids.select((c) => [c.auction, c.meta.ip, c.price.div(2).as("half")]);
is<Same<S<typeof a4>, { readonly auction: "long"; readonly ip: "string"; readonly half: "double" }>>();
const a5 = auctions.select((c) => ({ ...c, one: 1, half: 0.5, text: "x", yes: true }));
is<Same<C<typeof a5, "one">, "int">>();
is<Same<C<typeof a5, "half">, "double">>();
is<Same<C<typeof a5, "text">, "string">>();
is<Same<C<typeof a5, "yes">, "boolean">>();
is<Same<C<typeof a5, "category">, "int?">>();

// Expressions
const e = numbers.select((c) => ({
  int: c.i.add(1),
  wide: c.i.add(c.l),
  big: c.b.add(c.i),
  real: c.i.add(0.5),
  float: c.f.add(c.i),
  floats: c.f.mul(c.f),
  dec: c.dec.add(c.l),
  mixed: c.dec.mul(c.d),
  quotient: c.i.div(c.l),
  decQuotient: c.dec.div(c.i),
  rest: c.l.mod(7),
  orNull: c.i.add(c.n),
  less: c.i.lt(c.n),
  equal: c.s.eq("x"),
  logic: c.flag.and(c.n.gt(1)),
  not: c.flag.not(),
  isNull: c.n.isNull(),
  in: c.n.in(1, 2, 3),
  between: c.i.between(1, 10),
  filled: c.n.coalesce(0),
  cast: c.s.cast("long"),
  castDecimal: c.n.cast("decimal(10,2)"),
  castTo: c.s.cast(t.timestamp),
  tried: c.s.try_cast("int"),
  neg: c.n.neg(),
}));
is<Same<C<typeof e, "int">, "int">>();
is<Same<C<typeof e, "wide">, "long">>();
is<Same<C<typeof e, "big">, "bigint">>();
is<Same<C<typeof e, "real">, "double">>();
is<Same<C<typeof e, "float">, "double">>();
is<Same<C<typeof e, "floats">, "float">>();
is<Same<C<typeof e, "dec">, "decimal">>();
is<Same<C<typeof e, "mixed">, "double">>();
is<Same<C<typeof e, "quotient">, "double">>();
is<Same<C<typeof e, "decQuotient">, "decimal">>();
is<Same<C<typeof e, "rest">, "long">>();
is<Same<C<typeof e, "orNull">, "int?">>();
is<Same<C<typeof e, "less">, "boolean?">>();
is<Same<C<typeof e, "equal">, "boolean">>();
is<Same<C<typeof e, "logic">, "boolean?">>();
is<Same<C<typeof e, "not">, "boolean">>();
is<Same<C<typeof e, "isNull">, "boolean">>();
is<Same<C<typeof e, "in">, "boolean?">>();
is<Same<C<typeof e, "between">, "boolean">>();
is<Same<C<typeof e, "filled">, "int">>();
is<Same<C<typeof e, "cast">, "long">>();
is<Same<C<typeof e, "castDecimal">, "decimal?">>();
is<Same<C<typeof e, "castTo">, "timestamp">>();
is<Same<C<typeof e, "tried">, "int?">>();
is<Same<C<typeof e, "neg">, "int?">>();
const when1 = bids.select((c) => ({
  k: when(c.price.gt(10), "hi").otherwise("lo"),
  open: when(c.price.gt(10), c.price),
  wide: when(c.price.gt(10), 1).otherwise(c.price),
}));
is<Same<S<typeof when1>, { readonly k: "string"; readonly open: "long?"; readonly wide: "long" }>>();
const nested = bids.select((c) => ({
  at: c.tags.at(0),
  of: c.props.at("x"),
  lon: c.meta.geo.lon,
  field: c.meta.field("ip"),
  later: c.ts.plus("1 hour"),
  gap: c.ts.sub(c.ts),
}));
is<Same<C<typeof nested, "at">, "string?">>();
is<Same<C<typeof nested, "of">, "long?">>();
is<Same<C<typeof nested, "lon">, "double?">>();
is<Same<C<typeof nested, "field">, "string">>();
is<Same<C<typeof nested, "later">, "timestamp">>();
is<Same<C<typeof nested, "gap">, "interval">>();

// Functions
const f = bids.select((c) => ({
  u: upper(c.url),
  n: length(c.channel),
  parts: split(c.channel, ","),
  cat: concat(c.channel, c.url),
  best: greatest(c.price, c.bidder),
  first: coalesce(c.url, c.channel),
  y: year(c.ts),
  hour: date_trunc("hour", c.ts),
  lens: transform(c.tags, (x) => length(x)),
  some: filterArray(c.tags, (x) => x.like("a%")),
  tag: explode(c.tags),
  pair: struct({ a: c.auction, b: c.url }),
  one: lit(1),
}));
is<Same<C<typeof f, "u">, "string?">>();
is<Same<C<typeof f, "n">, "int">>();
is<Same<RowOf<S<typeof f>>["parts"], string[]>>();
is<Same<C<typeof f, "cat">, "string?">>();
is<Same<C<typeof f, "best">, "long">>();
is<Same<C<typeof f, "first">, "string">>();
is<Same<C<typeof f, "y">, "int">>();
is<Same<C<typeof f, "hour">, "timestamp">>();
is<Same<RowOf<S<typeof f>>["lens"], number[]>>();
is<Same<RowOf<S<typeof f>>["some"], string[]>>();
is<Same<C<typeof f, "tag">, "string">>();
is<Same<RowOf<S<typeof f>>["pair"], { readonly a: number; readonly b: string | null }>>();
is<Same<C<typeof f, "one">, "int">>();
const w = Window.partitionBy(numbers.c.s).orderBy(numbers.c.i.desc());
const over = numbers.select((c) => ({
  r: row_number().over(w),
  before: lag(c.i).over(w),
  running: sum(c.l).over(w),
}));
is<Same<S<typeof over>, { readonly r: "int"; readonly before: "int?"; readonly running: "long?" }>>();

// Columns
const w1 = auctions.withColumn("big", (c) => c.id.gt(1000)).withColumn("id", (c) => c.id.cast("string"));
is<
  Same<
    S<typeof w1>,
    {
      readonly id: "string";
      readonly seller: "long";
      readonly category: "int?";
      readonly expires: "timestamp";
      readonly big: "boolean";
    }
  >
>();
const w2 = labels.withColumns((c) => ({ up: upper(c.label), two: 2 }));
is<
  Same<
    S<typeof w2>,
    { readonly auction: "long"; readonly label: "string"; readonly up: "string"; readonly two: "int" }
  >
>();
const w3 = labels.withColumnRenamed("label", "name");
is<Same<S<typeof w3>, { readonly auction: "long"; readonly name: "string" }>>();
const w4 = auctions.drop("seller", "expires");
expectTypeOf(null as unknown as S<typeof w4>).toEqualTypeOf<{
  readonly id: "long";
  readonly category: "int?";
}>();
const same = bids
  .filter((c) => c.auction.mod(123).eq(0))
  .where((c) => c.url.like("%x%"))
  .distinct()
  .limit(3)
  .orderBy("price");
is<Same<S<typeof same>, S<typeof bids>>>();
const s1 = auctions.summary("mean", "12.5%");
is<Same<keyof S<typeof s1>, "summary" | "id" | "seller" | "category">>();
const s2 = labels.describe("label");
is<Same<S<typeof s2>, { readonly summary: "string"; readonly label: "string?" }>>();

// Groups
const g1 = bids.groupBy("channel").agg((c) => ({
  n: count(),
  total: sum(c.price),
  mean: avg(c.price),
  hi: max(c.url),
  u: countDistinct(c.bidder),
  all: collect_list(c.url),
}));
is<Same<C<typeof g1, "channel">, "string">>();
is<Same<C<typeof g1, "n">, "long">>();
is<Same<C<typeof g1, "total">, "long?">>();
is<Same<C<typeof g1, "mean">, "double?">>();
is<Same<C<typeof g1, "hi">, "string?">>();
is<Same<C<typeof g1, "u">, "long">>();
is<Same<RowOf<S<typeof g1>>["all"], string[]>>();
const g2 = bids
  .withWatermark("ts", "10 minutes")
  .groupBy((c) => [window(c.ts, "10 minutes", "5 minutes"), c.auction])
  .count();
is<
  Same<
    RowOf<S<typeof g2>>,
    {
      readonly window: { readonly start: Date; readonly end: Date };
      readonly auction: number;
      readonly count: number;
    }
  >
>();
const g3 = g2.select((c) => ({ s: c.window.start, n: c.count }));
is<Same<S<typeof g3>, { readonly s: "timestamp"; readonly n: "long" }>>();
const g4 = bids.groupBy((c) => [c.price.div(100).as("hundred"), "channel"]).count();
is<Same<S<typeof g4>, { readonly hundred: "double"; readonly channel: "string"; readonly count: "long" }>>();
const g5 = bids.groupBy(session_window(bids.c.ts, "5 minutes"), "bidder").agg((c) => ({ lo: min(c.price) }));
is<Same<keyof S<typeof g5>, "session_window" | "bidder" | "lo">>();
const g6 = labels.rollup("label").count();
is<Same<S<typeof g6>, { readonly label: "string?"; readonly count: "long" }>>();
const g7 = labels
  .groupBy("auction")
  .pivot("label", ["a", "b"])
  .agg(() => ({ n: count() }));
is<Same<S<typeof g7>, { readonly auction: "long"; readonly a: "long?"; readonly b: "long?" }>>();
const g8 = labels
  .groupBy("auction")
  .pivot("label", ["a"])
  .agg((c) => ({ n: count(), m: max(c.label) }));
is<Same<S<typeof g8>, { readonly auction: "long"; readonly a_n: "long?"; readonly a_m: "string?" }>>();
const g9 = labels.agg((c) => ({ n: count(), ratio: sum(c.auction).expr.div(count().expr) }));
is<Same<S<typeof g9>, { readonly n: "long"; readonly ratio: "double?" }>>();

// Joins
const j1 = bids.join(labels, "auction");
is<Same<C<typeof j1, "label">, "string">>();
is<Same<C<typeof j1, "price">, "long">>();
const j2 = bids.join(labels, ["auction"], "left");
is<Same<C<typeof j2, "label">, "string?">>();
const j3 = auctions.joinOn(labels, (l, r) => l.id.eq(r.auction), "full");
is<
  Same<
    S<typeof j3>,
    {
      readonly id: "long?";
      readonly seller: "long?";
      readonly category: "int?";
      readonly expires: "timestamp?";
      readonly auction: "long?";
      readonly label: "string?";
    }
  >
>();
const j4 = labels.joinOn(bids, (l, r) => l.auction.eq(r.auction).and(r.price.gt(1)), "semi");
is<Same<S<typeof j4>, S<typeof labels>>>();
const j5 = labels.join(auctions.withColumnRenamed("id", "auction"), "auction", "right");
is<Same<C<typeof j5, "label">, "string?">>();
is<Same<C<typeof j5, "auction">, "long">>();

// Sets, missing values, rows
const u1 = labels.unionByName(
  mill.createDataFrame([], schema({ auction: t.int, label: t.string.nullable() })),
);
is<Same<S<typeof u1>, { readonly auction: "long"; readonly label: "string?" }>>();
const n1 = auctions.na.fill({ category: 0 });
is<Same<C<typeof n1, "category">, "int">>();
const n2 = auctions.na.drop();
is<Same<C<typeof n2, "category">, "int">>();
const x1 = bids.explode((c) => c.tags, "tag");
is<Same<C<typeof x1, "tag">, "string">>();
const x2 = bids.explode((c) => c.tags, "tag", true);
is<Same<C<typeof x2, "tag">, "string?">>();
const m1 = bids.map(schema({ n: t.long, s: t.string.nullable() }), (row) => ({
  n: row.price * 2,
  s: row.url,
}));
is<Same<S<typeof m1>, { readonly n: "long"; readonly s: "string?" }>>();
const st = bids
  .groupBy("bidder")
  .flatMapGroupsWithState<{ readonly bidder: "long"; readonly n: "int" }, number>(
    schema({ bidder: t.long, n: t.int }),
    function* (key, rows, state) {
      let n = state.getOption() ?? 0;
      for (const r of rows) n += r.price > 0 ? 1 : 0;
      state.update(n);
      yield { bidder: key.bidder, n };
    },
  );
is<Same<S<typeof st>, { readonly bidder: "long"; readonly n: "int" }>>();
const q = mill.sql("SELECT 1 AS x").as(schema({ x: t.int }));
is<Same<S<typeof q>, { readonly x: "int" }>>();
const twice = mill.udf("twice", { parameters: [t.long], returns: t.long }, (x) => 2 * x);
const ud = bids.select((c) => ({ t: twice(c.price) }));
is<Same<S<typeof ud>, { readonly t: "long" }>>();

// Query shapes that can run
g2.writeStream.outputMode("append");
bids.groupBy("channel").count().writeStream.outputMode("complete");
bids.groupBy("channel").count().writeStream.outputMode("update");
bids.writeStream.outputMode("append").trigger({ availableNow: true });
bids.withWatermark("ts", "1 hour").dropDuplicatesWithinWatermark("auction").writeStream.outputMode("append");
g2.writeStream.foreachBatch(async (df, batchId) => {
  const rows = await df.collect();
  is<Same<typeof rows, RowOf<S<typeof g2>>[]>>();
  is<Same<typeof batchId, number>>();
});

// Early rows: a marker behind the columns
const e1 = bids
  .withWatermark("ts", "5 seconds")
  .groupBy((c) => [window(c.ts, "10 seconds"), c.channel])
  .agg({ n: count() }, { emit: { marker: "final", every: "1 second" } });
is<Same<C<typeof e1, "final">, "boolean">>();
is<Same<keyof S<typeof e1>, "window" | "channel" | "n" | "final">>();
e1.writeStream.outputMode("append");
