/** Bids per channel in windows of ten seconds, their number and the best price: each window once, when the watermark has passed it. */
import { count, max, schema, session, t, window } from "millrace";

const mill = session({ name: "bids" });

const bids = mill.readStream
  .schema(schema({ auction: t.long, channel: t.string, price: t.long, at: t.timestamp }))
  .json(new URL("data/bids.ndjson", import.meta.url).pathname);

const perChannel = bids
  .withWatermark("at", "5 seconds")
  .groupBy((c) => [window(c.at, "10 seconds"), c.channel])
  .agg((c) => ({ bids: count(), best: max(c.price) }))
  .select((c) => ({
    from: c.window.start,
    to: c.window.end,
    channel: c.channel,
    bids: c.bids,
    best: c.best,
  }));

const query = await perChannel.writeStream
  .queryName("bids-per-channel")
  .outputMode("append")
  .trigger({ availableNow: true })
  .foreachBatch(async (rows) => {
    if (!(await rows.isEmpty())) await rows.orderBy("from", "channel").show();
  })
  .start();

await query.awaitTermination();
