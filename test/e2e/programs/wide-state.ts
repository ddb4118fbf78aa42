/** Keeps the widest text of every key: frames and snapshots of many such rows are larger than a small broker takes at a time. */
import { count, max, schema, session, t } from "millrace";

const mill = session({ name: "e2e" });
const rows = mill.readStream
  .format("nats")
  .option("stream", "IN_0")
  .schema(schema({ k: t.string, s: t.string }))
  .load();
await rows
  .groupBy("k")
  .agg((c) => ({ n: count(), s: max(c.s) }))
  .writeStream.queryName("wide-state")
  .outputMode("update")
  .format("nats")
  .option("subject", "out.rows")
  .option("encoding", "ndjson")
  .start();
