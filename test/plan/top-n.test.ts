/** Which top-N queries run on streams, and which are refused with the reason. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { OutputMode } from "../../src/connectors/sink.ts";
import { AnalysisError } from "../../src/core/errors.ts";
import { LONG, STRING, TIMESTAMP } from "../../src/core/data-type.ts";
import type { LogicalPlan } from "../../src/plan/logical.ts";
import { checkStreaming } from "../../src/plan/modes.ts";
import { findNode } from "../../src/plan/nodes.ts";
import { recogniseTopN } from "../../src/plan/top-n.ts";
import { analyse } from "../../src/plan/analyse.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { OPTIONS, sourceOf, watermarked } from "../support/plans.ts";

const planned = (sql: string): LogicalPlan => {
  const catalog = new SessionCatalog();
  const columns = { k: STRING, v: LONG, ts: TIMESTAMP };
  catalog.define({ name: "s", kind: "view", relation: watermarked(sourceOf("s", columns, true), "ts", 0) });
  return recogniseTopN(analyse(parseQuery(sql), catalog, OPTIONS));
};
const limitOf = (sql: string): number | undefined => {
  const found = findNode(planned(sql), (p) => p.kind === "window");
  return found?.kind === "window" ? found.topN : undefined;
};
const top = (condition: string, fn = "row_number", keys = "k"): string =>
  `SELECT k, v, n FROM (SELECT *, ${fn}() OVER (PARTITION BY ${keys} ORDER BY v) AS n FROM s) WHERE ${condition}`;
const refused = (sql: string, mode: OutputMode): string => {
  try {
    checkStreaming(planned(sql), mode, "extended");
  } catch (e) {
    assert.ok(e instanceof AnalysisError, String(e));
    return e.message;
  }
  return "";
};

test("bounds of a rank are recognised through projections", () => {
  assert.equal(limitOf(top("n <= 3")), 3);
  assert.equal(limitOf(top("n < 3")), 2);
  assert.equal(limitOf(top("3 > n AND k = 'a'")), 2);
  assert.equal(limitOf(top("n = 1", "rank")), 1);
  assert.equal(limitOf(`SELECT m FROM (SELECT n AS m FROM (${top("k = 'a'")})) WHERE m <= 4`), undefined);
  assert.equal(
    limitOf(
      "SELECT m FROM (SELECT n AS m FROM (SELECT row_number() OVER (ORDER BY v) AS n FROM s)) WHERE m <= 4",
    ),
    4,
  );
  for (const none of ["n >= 3", "n <= v", "n <> 1", "n <= 3 OR v = 1", "n <= 0"])
    assert.equal(limitOf(top(none)), undefined, none);
  assert.equal(limitOf(top("n <= 3", "percent_rank")), undefined);
});

test("update takes row_number; append takes any rank over a window of event time", () => {
  assert.equal(refused(top("n <= 3"), "update"), "");
  const windowed = "window(ts, '10 seconds')";
  for (const fn of ["row_number", "rank", "dense_rank"])
    assert.equal(refused(top("n <= 3", fn, windowed), "append"), "", fn);
  assert.match(refused(top("n <= 3"), "append"), /event-time partition key.*partition by a window/);
  assert.match(refused(top("n <= 3", "rank"), "update"), /row_number/);
  assert.match(refused(top("n >= 3"), "update"), /Window function is not supported/);
});

test("in update mode a filter above may look at partition keys and ranks only", () => {
  assert.equal(refused(top("n <= 3 AND k = 'a'"), "update"), "");
  assert.match(refused(top("n <= 3 AND v > 1"), "update"), /filter on v above a top-N/);
  assert.match(refused(`SELECT * FROM (${top("n <= 3")}) WHERE v > 1`, "update"), /filter before the top-N/);
  assert.equal(refused(top("n <= 3 AND v > 1", "row_number", "window(ts, '1 minute')"), "append"), "");
});

test("an aggregate in update mode cannot be ranked, nor a rank aggregated", () => {
  const counts = "SELECT k, count(*) AS v FROM s GROUP BY k";
  const ranks = `SELECT k, v FROM (SELECT *, row_number() OVER (PARTITION BY k ORDER BY v) AS n FROM (${counts})) WHERE n <= 1`;
  assert.match(refused(ranks, "update"), /correctness/);
  assert.match(refused(`SELECT count(*) FROM (${top("n <= 3")})`, "update"), /correctness/);
});
