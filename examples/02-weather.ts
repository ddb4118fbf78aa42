/**
 * Two queries over one source. The first has no state: it converts readings and flags those that a sensor cannot have meant. The second takes
 * the hottest sound reading of each minute; the watermark says when a minute is over.
 */
import { max, max_by, round, schema, session, t, when, window } from "millrace";

const mill = session({ name: "weather" });

const reading = schema({ sensor: t.string, at: t.timestamp, fahrenheit: t.double.nullable() });

const readings = mill.readStream
  .schema(reading)
  .json(new URL("data/weather.ndjson", import.meta.url).pathname)
  .withColumn("celsius", (c) => round(c.fahrenheit.sub(32).mul(5).div(9), 1))
  .withColumn("flag", (c) =>
    when(c.celsius.isNull(), "missing").when(c.celsius.gt(60), "impossible").otherwise("ok"),
  );

const flagged = await readings
  .filter((c) => c.flag.ne("ok"))
  .select("sensor", "at", "fahrenheit", "flag")
  .writeStream.queryName("flagged")
  .trigger({ availableNow: true })
  .foreachBatch(async (rows) => {
    if (!(await rows.isEmpty())) await rows.orderBy("at").show();
  })
  .start();
await flagged.awaitTermination();

const hottest = await readings
  .filter((c) => c.flag.eq("ok"))
  .withWatermark("at", "10 seconds")
  .groupBy((c) => [window(c.at, "1 minute")])
  .agg((c) => ({ hottest: max(c.celsius), sensor: max_by(c.sensor, c.celsius) }))
  .select((c) => ({ minute: c.window.start, hottest: c.hottest, sensor: c.sensor }))
  .writeStream.queryName("hottest")
  .outputMode("append")
  .trigger({ availableNow: true })
  .foreachBatch(async (rows) => {
    if (!(await rows.isEmpty())) await rows.orderBy("minute").show();
  })
  .start();
await hottest.awaitTermination();
