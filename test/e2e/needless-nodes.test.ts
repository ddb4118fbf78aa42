/**
 * What the optimiser takes out of a stream holds nothing back: the watermark of a side of a join that nobody reads goes with it. With compatibility
 * "spark" it stays and never moves, as in Spark.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { FrameCluster } from "../support/frame-cluster.ts";

const AT = (seconds: number): Date => new Date(seconds * 1000);

const QUERY = `SELECT w.start AS start, max(v) AS m FROM
  (SELECT window(ts, '10 seconds') AS w, a.v AS v FROM a LEFT JOIN (SELECT k, v AS bv, ts AS bts FROM b) b
    ON a.k = b.k AND b.bts BETWEEN a.ts AND a.ts + INTERVAL 8 SECONDS) GROUP BY w`;

for (const compatibility of ["extended", "spark"] as const)
  test(`an outer side that nobody reads ${compatibility === "spark" ? "holds" : "does not hold"} the watermark (${compatibility})`, async () => {
    const f = new FrameCluster({ compatibility });
    try {
      const [a, b] = [f.source("a"), f.source("b")];
      await f.start(QUERY, { outputMode: "append" });
      for (const s of [1, 40, 80]) {
        await a.add([{ k: "x", v: s, ts: AT(s) }]);
        await b.add([{ k: "x", v: 1, ts: AT(s) }]);
        await f.settle();
      }
      const rows = f.sink.rows().map((r) => r.map(Number));
      const closed = [
        [0, 1],
        [40_000, 40],
      ];
      assert.deepEqual(rows, compatibility === "spark" ? [] : closed);
    } finally {
      await f.close();
    }
  });
