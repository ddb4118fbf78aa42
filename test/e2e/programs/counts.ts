/**
 * The application of the end-to-end tests: windowed count and sum per key, from the streams `IN_*` into the subject `out.…`. Every node of a test runs
 * it; the environment says which variant.
 */
import { count, schema, session, sum, t, window } from "millrace";

const setting = (name: string, otherwise: string): string => process.env[`COUNTS_${name}`] ?? otherwise;

const mode = setting("MODE", "append") as "append" | "update";
const rows = setting("TRIGGER", "");
const mill = session({ name: "e2e" });

const source = mill.readStream
  .format("nats")
  .option("stream", "IN_*")
  .option("mode", setting("BAD", "permissive"))
  .option("failOnDataLoss", setting("LOSS", "true"));
const limited = rows === "" ? source.option("maxOffsetsPerTrigger", setting("OFFSETS", "3000")) : source;
const events = limited.schema(schema({ k: t.string, v: t.long, ts: t.timestamp })).load();

// Another factor is another plan: the node that has it must be refused.
const factor = BigInt(setting("FACTOR", "1"));
const writer = events
  .withWatermark("ts", "5 seconds")
  .groupBy((c) => [window(c.ts, "10 seconds"), c.k])
  .agg((c) => ({ n: count(), total: sum(factor === 1n ? c.v : c.v.mul(factor)) }))
  .select((c) => ({ start: c.window.start, k: c.k, n: c.n, total: c.total }))
  .writeStream.queryName("counts")
  .outputMode(mode)
  .format("nats")
  .option("subject", setting("SUBJECT", "out.counts"))
  .option("stream", "OUT");

await (rows === "" ? writer : writer.trigger({ count: Number(rows) })).start();
