/** The demo's application: windowed counts over a directory of NDJSON files, into a directory of JSON files. `millrace run ops/demo/queries.ts`. */
import { count, schema, session, sum, t, window } from "millrace";

const [input, output] = process.argv.slice(2);
if (input === undefined || output === undefined) throw new Error("usage: queries.ts <input> <output>");

const mill = session({ name: "demo" });
const events = mill.readStream
  .format("ndjson")
  .schema(schema({ key: t.string, amount: t.long, at: t.timestamp }))
  .option("maxFilesPerTrigger", "1")
  .load(input);

await events
  .withWatermark("at", "2 seconds")
  .groupBy((c) => [window(c.at, "10 seconds"), c.key])
  .agg((c) => ({ n: count(), total: sum(c.amount) }))
  .select((c) => ({ start: c.window.start, key: c.key, n: c.n, total: c.total }))
  .writeStream.queryName("counts")
  .outputMode("append")
  .format("json")
  .option("path", output)
  .start();
