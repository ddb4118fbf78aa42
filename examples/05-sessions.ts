/** Sessions: page views of a user that follow each other within a minute belong together, however long that goes on. */
import { collect_list, count, schema, session, session_window, t } from "millrace";

const mill = session({ name: "sessions" });

const views = mill.readStream
  .schema(schema({ user: t.string, page: t.string, at: t.timestamp }))
  .json(new URL("data/views.ndjson", import.meta.url).pathname);

const sessions = views
  .withWatermark("at", "30 seconds")
  .groupBy((c) => [session_window(c.at, "1 minute"), c.user])
  .agg((c) => ({ views: count(), pages: collect_list(c.page) }))
  .select((c) => ({
    user: c.user,
    from: c.session_window.start,
    to: c.session_window.end,
    views: c.views,
    pages: c.pages,
  }));

const query = await sessions.writeStream
  .queryName("sessions")
  .outputMode("append")
  .trigger({ availableNow: true })
  .foreachBatch(async (rows) => {
    if (!(await rows.isEmpty())) await rows.orderBy("from", "user").show(20, false);
  })
  .start();

await query.awaitTermination();
