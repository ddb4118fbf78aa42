/** What a stream-stream join may forget, and how far it holds back what is behind it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { joinStateWatermarks } from "../../src/plan/join-watermarks.ts";
import { watermarkOptions } from "../../src/plan/watermark-delay.ts";
import type { LogicalPlan } from "../../src/plan/logical.ts";
import { findNode } from "../../src/plan/nodes.ts";
import { optimise } from "../../src/plan/optimise.ts";
import { planOf } from "../support/plans.ts";

type Join = Extract<LogicalPlan, { kind: "join" }> & LogicalPlan;

const joinOf = (sql: string): Join =>
  findNode(optimise(planOf(sql), { timeZone: "UTC" }), (p) => p.kind === "join") as Join;

/** [offset of the left side, of the right side, delay of what is behind]. */
const bounds = (condition: string, left = "s", right = "r"): readonly (number | string | undefined)[] => {
  const j = joinOf(`SELECT * FROM ${left} s JOIN ${right} r ON ${condition}`);
  const w = joinStateWatermarks(j);
  return [w.left?.offsetMs, w.right?.offsetMs, w.delayMs];
};

test("a range bounds both sides; <= and >= give one millisecond less than < and >", () => {
  assert.deepEqual(
    bounds("s.k = r.k AND r.ts2 BETWEEN s.ts AND s.ts + INTERVAL 8 SECONDS"),
    [-8001, -1, 8001],
  );
  assert.deepEqual(
    bounds("s.k = r.k AND r.ts2 > s.ts AND r.ts2 < s.ts + INTERVAL 8 SECONDS"),
    [-8000, 0, 8000],
  );
  assert.deepEqual(
    bounds("s.k = r.k AND s.ts >= r.ts2 - INTERVAL 6 SECONDS AND s.ts <= r.ts2 + INTERVAL 6 SECONDS"),
    [-6001, -6001, 6001],
  );
});

test("terms may stand on either side of the comparison", () => {
  assert.deepEqual(bounds("s.k = r.k AND s.ts + INTERVAL 8 SECONDS >= r.ts2"), [-8001, undefined, 8001]);
  assert.deepEqual(bounds("s.k = r.k AND r.ts2 - s.ts <= INTERVAL 8 SECONDS"), [undefined, undefined, 0]);
  assert.deepEqual(bounds("s.k = r.k AND r.ts2 - INTERVAL 3 SECONDS < s.ts + INTERVAL 5 SECONDS"), [
    -8000,
    undefined,
    8000,
  ]);
});

test("of several bounds the lowest holds", () => {
  assert.deepEqual(
    bounds("s.k = r.k AND r.ts2 < s.ts + INTERVAL 5 SECONDS AND r.ts2 < s.ts + INTERVAL 9 SECONDS"),
    [-9000, undefined, 9000],
  );
});

test("a condition without event times bounds nothing", () => {
  assert.deepEqual(bounds("s.k = r.k"), [undefined, undefined, 0]);
  assert.deepEqual(bounds("s.k = r.k AND s.v < r.w"), [undefined, undefined, 0]);
  assert.deepEqual(bounds("s.k = r.k AND r.ts2 < s.ts + INTERVAL 8 SECONDS", "s0", "r0"), [
    undefined,
    undefined,
    0,
  ]);
});

test("a side without a watermark of its own keeps its rows, as in Spark", () => {
  assert.deepEqual(bounds("s.k = r.k AND r.ts2 BETWEEN s.ts AND s.ts + INTERVAL 8 SECONDS", "s0", "r"), [
    undefined,
    undefined,
    0,
  ]);
});

test("an event time among the keys bounds both sides, by the end of a window", () => {
  const j = joinOf(
    "SELECT a.k FROM (SELECT window(ts, '10 seconds') AS w, k FROM s) a JOIN (SELECT window(ts2, '10 seconds') AS w, k FROM r0) b ON a.k = b.k AND a.w = b.w",
  );
  const w = joinStateWatermarks(j);
  assert.deepEqual(
    [w.left?.form, w.left?.offsetMs, w.right?.form, w.right?.offsetMs, w.delayMs],
    ["window", 0, "window", 0, 0],
  );
  assert.equal(w.left?.from, "key");
});

test("what is behind a range join sees the watermark later; joins in a row add up", () => {
  const range = "r.ts2 BETWEEN s.ts AND s.ts + INTERVAL 8 SECONDS";
  const plan = planOf(
    `SELECT window(ts, '10 seconds') AS w, count(*) FROM (SELECT s.ts FROM s JOIN r ON s.k = r.k AND ${range}) GROUP BY window(ts, '10 seconds')`,
  );
  const aggregate = findNode(plan, (p) => p.kind === "aggregate")!;
  assert.equal(watermarkOptions(aggregate).watermarkDelayMs, 8001);
  assert.deepEqual(watermarkOptions(findNode(plan, (p) => p.kind === "join")!), { watermarkDelayMs: 0 });
});

test("to Spark a constant below a column bounds the state too, a number as seconds", () => {
  const sql = (on: string): string =>
    `SELECT window(ts, '10 seconds') AS w, count(*) FROM (SELECT s.ts FROM s LEFT JOIN r ON s.k = r.k AND ${on}) GROUP BY window(ts, '10 seconds')`;
  const range = "r.ts2 BETWEEN s.ts AND s.ts + INTERVAL 8 SECONDS";
  const at = (on: string, compatibility: "spark" | "extended") => {
    const plan = optimise(planOf(sql(on)), { timeZone: "UTC", compatibility });
    const w = joinStateWatermarks(findNode(plan, (p) => p.kind === "join") as Join);
    const aggregate = findNode(plan, (p) => p.kind === "aggregate")!;
    return [
      w.left?.offsetMs,
      w.left?.atMostMs,
      w.right?.atMostMs,
      watermarkOptions(aggregate).watermarkCapMs,
    ];
  };
  assert.deepEqual(at(`${range} AND s.v > 4`, "spark"), [-8001, 4000, undefined, 4000]);
  assert.deepEqual(at(`${range} AND s.v > 4`, "extended"), [-8001, undefined, undefined, undefined]);
  assert.deepEqual(at(`${range} AND NOT (s.v < 4)`, "spark"), [-8001, 3999, undefined, 3999]);
  assert.deepEqual(at(`${range} AND s.v < 4 AND r.w > 4`, "spark"), [-8001, undefined, undefined, undefined]);
});
