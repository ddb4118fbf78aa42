/** What `bench latency --trace` makes of the times that the processes noted. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { waitedBetween } from "../../src/bench/latency-cores.ts";
import { explained, explainedEpochs, type Trace } from "../../src/bench/latency-trace.ts";

const POINTS = ["0/begin", "0/sent", "1/input", "1/sent", "1/delivered", "1/sinkCommitted", "1/committed"];

/** Epoch e begins at 10 e; each part of it takes a millisecond, of epoch 3 the exchange 21, and the fifth and sixth begin that much later. */
const points = Object.fromEntries(
  POINTS.map((point, k) => [
    point,
    Object.fromEntries(
      [1, 2, 3, 4, 5, 6].map((e) => [String(e), e * 10 + k + (e > 4 || (e === 3 && k >= 2) ? 20 : 0)]),
    ),
  ]),
);

const TRACE: Trace = {
  fromMs: 20,
  rate: 1_000,
  sent: { startMs: 0, rows: 60, beats: [[60, 9]] },
  stored: new Map([[8, 9.5]]),
  engine: { points, pauses: [[31, 33]] },
  results: [[8, 2, 26, 27]],
  pauses: {},
  cores: { atMs: [0, 20, 40, 60], waited: { engine: [0, 2, 12, 12] } },
};

const byPart = (rows: readonly Record<string, unknown>[]) => new Map(rows.map((r) => [String(r["part"]), r]));

test("waits for a core are counted in proportion between two readings, and none beyond them", () => {
  assert.equal(waitedBetween(TRACE.cores, "engine", 10, 30), 6);
  assert.equal(waitedBetween(TRACE.cores, "engine", 50, 90), 0);
  assert.equal(waitedBetween(TRACE.cores, "engine", -10, 20), 2);
  assert.equal(waitedBetween(TRACE.cores, "broker", 0, 60), 0);
});

test("the parts of a row add up to its age", () => {
  const rows = explained(TRACE);
  const parts = rows.slice(
    0,
    rows.findIndex((r) => r["part"] === "age"),
  );
  assert.equal(parts.length, 9);
  assert.equal(
    parts.reduce((sum, r) => sum + Number(r["allMs"]), 0),
    19,
  );
  assert.equal(byPart(rows).get("age")!["allMs"], 19);
});

test("epochs are told part by part; the longest hundredth shows which part was long", () => {
  const rows = byPart(explainedEpochs(TRACE));
  // Epochs 2 to 4: the first began before, the last two have no epoch behind them that waits.
  assert.deepEqual(rows.get("exchange"), { part: "exchange", allMs: 7.67, slowMs: 21 });
  assert.deepEqual(rows.get("stage"), { part: "stage", allMs: 1, slowMs: 1 });
  assert.deepEqual(rows.get("an epoch, of 0 results"), {
    part: "an epoch, of 0 results",
    allMs: 12.67,
    slowMs: 26,
  });
  assert.deepEqual(rows.get("commit log, plan of the next but one"), {
    part: "commit log, plan of the next but one",
    allMs: 20.67,
    slowMs: 14,
  });
  assert.deepEqual(rows.get("garbage, engine"), { part: "garbage, engine", allMs: 0.67, slowMs: 2 });
  assert.equal(rows.get("without a core, engine")!["slowMs"], 5);
});
