/** The application of `make demo-nats`: the same windowed counts, from a JetStream stream into another. Every node runs this program. */
import { count, schema, session, sum, t, window } from "millrace";

const mill = session({ name: "demo" });
const events = mill.readStream
  .format("nats")
  .option("stream", "EVENTS")
  .option("startingOffsets", "earliest")
  .option("maxOffsetsPerTrigger", "1000")
  .schema(schema({ key: t.string, amount: t.long, at: t.timestamp }))
  .load();

await events
  .withWatermark("at", "2 seconds")
  .groupBy((c) => [window(c.at, "10 seconds"), c.key])
  .agg((c) => ({ n: count(), total: sum(c.amount) }))
  .select((c) => ({ start: c.window.start, key: c.key, n: c.n, total: c.total }))
  .writeStream.queryName("counts")
  .outputMode("append")
  .format("nats")
  .option("subject", "windows.counts")
  .start();
