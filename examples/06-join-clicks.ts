/**
 * Impressions joined with their clicks, two streams. A click counts within a minute; an impression without one comes out with null, once the
 * watermarks say that no click can follow. What comes later than its watermark is refused: late() has those rows.
 */
import { schema, session, t, MemorySink } from "millrace";

const mill = session({ name: "ads" });
const second = (s: number): Date => new Date(Date.UTC(2026, 0, 1) + s * 1000);

const shown = mill.memorySource(schema({ impression: t.string, ad: t.string, shownAt: t.timestamp }));
const clicked = mill.memorySource(schema({ clicked: t.string, clickedAt: t.timestamp }));

const impressions = mill.readStream.memory(shown).withWatermark("shownAt", "10 seconds");
const clicks = mill.readStream.memory(clicked).withWatermark("clickedAt", "20 seconds");

const joined = impressions
  .joinOn(
    clicks,
    (i, c) =>
      i.impression
        .eq(c.clicked)
        .and(c.clickedAt.ge(i.shownAt))
        .and(c.clickedAt.le(i.shownAt.plus("1 minute"))),
    "left",
  )
  .select("impression", "ad", "shownAt", "clickedAt");

const sink = new MemorySink();
const query = await joined.writeStream.queryName("clicks").format("memory").handle(sink).start();

// What a producer would send, in three moments.
await shown.addData([
  { impression: "i1", ad: "shoes", shownAt: second(0) },
  { impression: "i2", ad: "hats", shownAt: second(10) },
  { impression: "i3", ad: "shoes", shownAt: second(20) },
]);
await clicked.addData([
  { clicked: "i1", clickedAt: second(12) },
  { clicked: "i3", clickedAt: second(25) },
  { clicked: "i3", clickedAt: second(55) },
  { clicked: "i2", clickedAt: second(5) }, // before the impression: no match
]);
await query.processAllAvailable();
await shown.addData([{ impression: "i100", ad: "coats", shownAt: second(600) }]);
await clicked.addData([{ clicked: "i100", clickedAt: second(601) }]);
await query.processAllAvailable();
// Both streams are at ten minutes now: this impression is late.
await shown.addData([{ impression: "i4", ad: "coats", shownAt: second(30) }]);
await query.processAllAvailable();
await query.stop();

const rows = sink.rows().map(([impression, ad, , clickedAt]) => {
  const click = typeof clickedAt === "number" ? new Date(clickedAt).toISOString().slice(11, 19) : "no click";
  return `${String(impression)} ${String(ad)} ${click}`;
});
console.log(rows.sort().join("\n"));
const late = query.recentProgress
  .flatMap((p) => p.stateOperators)
  .reduce((n, s) => n + s.numRowsDroppedByWatermark, 0);
console.log(`late impressions: ${late}`);
