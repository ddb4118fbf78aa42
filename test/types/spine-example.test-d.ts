/** The example of the first issue, as it stands: it must compile unchanged. */
import { session, schema, t, window, count, sum, avg, min, max } from "millrace";
const mill = session({ name: "counts" });                       // settings from flags and MILLRACE_*; nothing connects before start()
const events = mill.readStream.format("nats").option("stream", "IN").option("startingOffsets", "earliest")
  .schema(schema({ k: t.string, v: t.long, ts: t.timestamp })).load();
const counts = events.filter(c => c.v.ge(0)).withWatermark("ts", "5 seconds")
  .groupBy(c => [window(c.ts, "10 seconds"), c.k]).agg(c => ({ n: count(), total: sum(c.v) }))
  .select(c => ({ start: c.window.start, k: c.k, n: c.n, total: c.total }));
const query = await counts.writeStream.queryName("counts").outputMode("append").trigger({ processingTime: "200 milliseconds" })
  .format("nats").option("subject", "out.counts").start();
await query.awaitTermination();
export { avg, min, max };
