/** What must not compile: each statement has one error. A loosened type leaves a `@ts-expect-error` unused, which is an error itself. */
import { avg, count, date_trunc, max, schema, sum, t, upper, window, year } from "../../src/index.ts";
import { auctions, bids, labels, mill, numbers } from "./fixture.ts";

// @ts-expect-error misspelt column by name
bids.select("auction", "prise");
// @ts-expect-error misspelt column in a callback
bids.select((c) => ({ p: c.prise }));
// @ts-expect-error misspelt column in a list
bids.select((c) => [c.prise]);
// @ts-expect-error misspelt column in filter
bids.filter((c) => c.prize.gt(10));
// @ts-expect-error long against text
bids.filter((c) => c.price.gt("ten"));
// @ts-expect-error text against number
bids.filter((c) => c.channel.eq(1));
// @ts-expect-error timestamp against number
bids.filter((c) => c.ts.gt(1));
// @ts-expect-error boolean against text
numbers.filter((c) => c.flag.eq("yes"));
// @ts-expect-error a method of text on a number
bids.filter((c) => c.price.like("1%"));
// @ts-expect-error a method of numbers on text
bids.filter((c) => c.channel.add(1).isNull());
// @ts-expect-error arithmetic on a timestamp
bids.filter((c) => c.ts.mul(2).isNull());
// @ts-expect-error a filter that is no condition
bids.filter((c) => c.price);
// @ts-expect-error a filter that gives a JS boolean
bids.filter((c) => c.price > c.bidder);
// @ts-expect-error a filter over rows
bids.filter((row) => row.price === 1);
// @ts-expect-error where with a number
bids.where(1);
// @ts-expect-error a condition joined with a number
bids.filter((c) => c.price.gt(1).and(c.bidder));
// @ts-expect-error not of a number
bids.filter((c) => c.price.not());
// @ts-expect-error misspelt field of a struct
bids.select((c) => ({ x: c.meta.iq }));
// @ts-expect-error misspelt field of a nested struct
bids.select((c) => ({ x: c.meta.geo.lan }));
// @ts-expect-error misspelt field by name
bids.select((c) => ({ x: c.meta.field("iq") }));
// @ts-expect-error the key of a map of another type
bids.select((c) => ({ x: c.props.at(1) }));
// @ts-expect-error an array has no fields
bids.select((c) => ({ x: c.tags.first }));
// @ts-expect-error a cast to an unknown type
bids.select((c) => ({ x: c.price.cast("strnig") }));
// @ts-expect-error a literal that cannot be
bids.select((c) => ({ x: c.price.add({}) }));
// @ts-expect-error an aggregate is no column
bids.select((c) => ({ m: avg(c.price) }));
// @ts-expect-error an aggregate is no condition
bids.filter((c) => max(c.price));
// @ts-expect-error an aggregate is no new column
bids.withColumn("m", (c) => max(c.price));
// @ts-expect-error an unnamed expression in a list
bids.select((c) => [c.price.add(1)]);
// @ts-expect-error sum of text
bids.groupBy("auction").agg((c) => ({ s: sum(c.channel) }));
// @ts-expect-error avg of a timestamp
bids.groupBy("auction").agg((c) => ({ s: avg(c.ts) }));
// @ts-expect-error misspelt column in agg
bids.groupBy("auction").agg((c) => ({ s: sum(c.prise) }));
// @ts-expect-error a literal is no aggregate
bids.groupBy("auction").agg(() => ({ s: 1 }));
// @ts-expect-error misspelt key by name
bids.groupBy("auctoin").count();
// @ts-expect-error misspelt key in a callback
bids.groupBy((c) => [c.auctoin]).count();
// @ts-expect-error misspelt key as text in a callback
bids.groupBy((c) => [c.channel, "auctoin"]).count();
// @ts-expect-error an unnamed key
bids.groupBy((c) => [c.price.add(1)]).count();
// @ts-expect-error misspelt key of rollup
labels.rollup("lable").count();
// @ts-expect-error misspelt key of a grouping set
labels.groupingSets([["label"], ["acution"]]).count();
// @ts-expect-error misspelt pivot column
labels.groupBy("auction").pivot("lable", ["a"]);
// @ts-expect-error window over text
bids.groupBy(window(bids.c.channel, "10 minutes")).count();
const windows = bids.groupBy((c) => [window(c.ts, "1 minute")]).count();
// @ts-expect-error misspelt field of a window
windows.select((c) => ({ s: c.window.strat }));
// @ts-expect-error a duration without unit
window(bids.c.ts, "10");
// @ts-expect-error a duration of a misspelt unit
bids.withWatermark("ts", "10 minuts");
// @ts-expect-error a duration that is a number
bids.withWatermark("ts", 10);
// @ts-expect-error a watermark on a number
bids.withWatermark("price", "10 minutes");
// @ts-expect-error a watermark on a column that is not there
bids.withWatermark("time", "10 minutes");
// @ts-expect-error append of an aggregate without watermark
bids.groupBy("auction").count().writeStream.outputMode("append");
// @ts-expect-error append of an aggregate whose groups never close
bids.withWatermark("ts", "1 hour").groupBy("auction").count().writeStream.outputMode("append");
// @ts-expect-error complete without an aggregate
bids.writeStream.outputMode("complete");
// @ts-expect-error a misspelt mode
bids.writeStream.outputMode("upsert");
// @ts-expect-error a global aggregate in append
bids.agg(() => ({ n: count() })).writeStream.outputMode("append");
// @ts-expect-error dropDuplicatesWithinWatermark without watermark
bids.dropDuplicatesWithinWatermark("auction");
// @ts-expect-error writeStream on a static frame
labels.writeStream.outputMode("append");
// @ts-expect-error two triggers that do not exist
bids.writeStream.trigger({ everyNow: true });
// @ts-expect-error a trigger of a bad duration
bids.writeStream.trigger({ processingTime: "10 secs" });
// @ts-expect-error partitionBy of a column that is not there
bids.writeStream.partitionBy("day");
// @ts-expect-error a column that select dropped
bids.select("auction").filter((c) => c.price.gt(1));
// @ts-expect-error a column that drop dropped
bids.drop("price").select("price");
// @ts-expect-error dropping what is not there
bids.drop("prise");
// @ts-expect-error renaming what is not there
bids.withColumnRenamed("prise", "price2");
// @ts-expect-error the old name after renaming
bids.withColumnRenamed("price", "p").select("price");
// @ts-expect-error dropDuplicates of what is not there
bids.dropDuplicates("acution");
// @ts-expect-error orderBy what is not there
bids.orderBy("prise");
// @ts-expect-error a join key that one side lacks
bids.join(auctions, "auction");
// @ts-expect-error a join on columns that both sides have
bids.join(bids, "auction");
// @ts-expect-error a join type that does not exist
bids.join(labels, "auction", "leftish");
// @ts-expect-error joinOn with a column of the other side
auctions.joinOn(labels, (l, r) => l.id.eq(r.id));
// @ts-expect-error joinOn with columns that both sides have
bids.joinOn(labels, (l, r) => l.auction.eq(r.auction));
// @ts-expect-error joinOn with no condition
auctions.joinOn(labels, (l) => l.id);
// @ts-expect-error the right side after a semi join
bids.join(labels, "auction", "semi").select("label");
// @ts-expect-error unionByName of other columns
bids.unionByName(auctions);
// @ts-expect-error union of other types
labels.union(mill.createDataFrame([], schema({ auction: t.string, label: t.string })));
// @ts-expect-error explode of a number
bids.explode((c) => c.price, "p");
// @ts-expect-error na.fill with text for a number
auctions.na.fill({ category: "none" });
// @ts-expect-error a map that gives another type
bids.map(schema({ n: t.long }), (row) => ({ n: row.channel }));
// @ts-expect-error a map that forgets a column
bids.map(schema({ n: t.long, m: t.long }), (row) => ({ n: row.price }));
// @ts-expect-error filterRows that gives no boolean
bids.filterRows((row) => row.price);
// @ts-expect-error createDataFrame without a column
mill.createDataFrame([{ auction: 1 }], schema({ auction: t.long, label: t.string }));
// @ts-expect-error createDataFrame with a wrong value
mill.createDataFrame([{ auction: "1", label: "x" }], schema({ auction: t.long, label: t.string }));
// @ts-expect-error upper of a number
bids.select((c) => ({ u: upper(c.price) }));
// @ts-expect-error year of a number
bids.select((c) => ({ y: year(c.price) }));
// @ts-expect-error a user function of another type
mill.udf("f", { parameters: [t.long], returns: t.long }, (x) => 2 * x)("text");
// @ts-expect-error a type that is none
schema({ a: "long" });
// @ts-expect-error date_trunc to what is no unit
bids.select((c) => ({ d: date_trunc("hours", c.ts) }));
bids.writeStream.foreachBatch(async (df) => {
  for (const r of await df.collect()) {
    // @ts-expect-error price is a number
    const s: string = r.price;
    // @ts-expect-error no such column
    void r.nope;
    // @ts-expect-error url may be null
    void r.url.length;
    void s;
  }
});
void (async () => {
  const [row] = await numbers.collect();
  // @ts-expect-error bigint is no number
  const n: number = row!.b;
  // @ts-expect-error there may be no first row
  void (await numbers.first()).i;
  void n;
});

const early = bids
  .withWatermark("ts", "5 seconds")
  .groupBy((c) => [window(c.ts, "10 seconds")])
  .agg({ n: count() }, { emit: { marker: "final" } });
// @ts-expect-error early rows are for append
early.writeStream.outputMode("update");
// @ts-expect-error early rows are for append
early.writeStream.outputMode("complete");
// @ts-expect-error emit needs a marker
bids.groupBy("channel").agg({ n: count() }, { emit: { every: "1 second" } });
// @ts-expect-error an interval that is none
bids.groupBy("channel").agg({ n: count() }, { emit: { marker: "m", every: "often" } });
