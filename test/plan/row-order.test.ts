/** Which queries may read an epoch's input side by side without being asked. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { nexmarkCatalog } from "../../src/bench/nexmark/views.ts";
import { nexmarkQuery } from "../../src/bench/nexmark/queries.ts";
import { analyse } from "../../src/plan/analyse.ts";
import { optimise } from "../../src/plan/optimise.ts";
import { planStream } from "../../src/plan/physical-planner.ts";
import { takesAnyOrder } from "../../src/plan/row-order.ts";
import { recogniseTopN } from "../../src/plan/top-n.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { OPTIONS } from "../support/plans.ts";

const anyOrder = (sql: string, mode: "append" | "update"): boolean => {
  const catalog = nexmarkCatalog({ format: "ndjson", options: { path: "/in" } }, 4000);
  const plan = optimise(recogniseTopN(analyse(parseQuery(sql), catalog, OPTIONS)), { timeZone: "UTC" });
  const sink = { format: "noop", options: {}, partitionBy: [] };
  const { stages } = planStream(plan, sink, true, {
    outputMode: mode,
    watermarkPolicy: "min",
    runBatch: async () => [],
    staticReload: "epoch",
    onError: "fail",
  });
  return takesAnyOrder(stages);
};

test("Nexmark: all but the queries that number rows", () => {
  for (const query of [
    "q0",
    "q1",
    "q2",
    "q3",
    "q4",
    "q5",
    "q7",
    "q8",
    "q11",
    "q13",
    "q15",
    "q20",
    "q23",
    "count",
  ]) {
    const { sql, mode } = nexmarkQuery(query, 100);
    assert.equal(anyOrder(sql, mode as "append" | "update"), true, query);
  }
  for (const query of ["q9", "q18", "q19"]) {
    const { sql, mode } = nexmarkQuery(query, 100);
    assert.equal(anyOrder(sql, mode as "append" | "update"), false, query);
  }
});

test("aggregates by what they add up, and what depends on the first row", () => {
  const cases: Readonly<Record<string, boolean>> = {
    "sum(price)": true,
    "avg(price)": true,
    "count(DISTINCT bidder)": true,
    "max(CAST(price AS DOUBLE))": true,
    "sum(CAST(price AS DOUBLE))": false,
    "first(price)": false,
    "collect_list(price)": false,
  };
  for (const [call, expected] of Object.entries(cases))
    assert.equal(
      anyOrder(`SELECT auction, ${call} AS x FROM bid GROUP BY auction`, "update"),
      expected,
      call,
    );
  assert.equal(anyOrder("SELECT DISTINCT auction FROM bid", "update"), true);
});
