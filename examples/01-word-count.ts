/**
 * The smallest streaming query: words of text files, counted. Run it:
 *
 *     npx millrace run examples/01-word-count.ts
 *
 * Run it again and it prints nothing: the checkpoint in --data (default .millrace) knows that these lines are counted.
 */
import { count, desc, explode, lower, session, split } from "millrace";

const mill = session({ name: "word-count" });

const lines = mill.readStream.text(new URL("data/lines.txt", import.meta.url).pathname);

const counts = lines
  .select((c) => ({ word: explode(split(lower(c.value), " ")) }))
  .groupBy("word")
  .agg({ n: count() });

// Complete mode gives the whole result after each epoch; availableNow reads what is there and ends.
const query = await counts.writeStream
  .queryName("word-count")
  .outputMode("complete")
  .trigger({ availableNow: true })
  .foreachBatch(async (words) => {
    await words.orderBy(desc(words.c.n), "word").limit(6).show();
  })
  .start();

await query.awaitTermination();
