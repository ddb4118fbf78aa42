/** The base watermark (law 12): minimum over columns, lagging splits, never back. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { PhysicalPlan } from "../../src/plan/physical.ts";
import { nextEntry } from "../../src/runtime/next-epoch.ts";
import { IdleColumns } from "../../src/runtime/idle-columns.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { baseWatermark, columnMaximum } from "../../src/runtime/watermark.ts";

const column = (operatorId: string, delayMs: number, stage: number, name = operatorId): unknown => ({
  name,
  column: name,
  delayMs,
  operatorId,
  stage,
});

const planOf = (columns: readonly unknown[], watermarkPolicy: "min" | "max" = "min"): PhysicalPlan =>
  ({
    watermarks: columns,
    watermarkPolicy,
    stages: [0, 1].map((id) => ({ id, kind: "source", source: { id: `s${id}` } })),
  }) as unknown as PhysicalPlan;

const TWO = [column("w0", 10, 0), column("w1", 20, 1)];

test("the minimum over the columns of maximum minus delay; a column without data holds it at 0", () => {
  assert.equal(baseWatermark(planOf(TWO), { w0: { a: 100 }, w1: { b: 200 } }, {}, 0, "limited"), 90);
  assert.equal(baseWatermark(planOf(TWO), { w0: { a: 100 } }, {}, 0, "limited"), 0);
  assert.equal(baseWatermark(planOf(TWO, "max"), { w0: { a: 100 }, w1: { b: 200 } }, {}, 0, "limited"), 180);
});

test("C8c it never goes back: old data after a pause", () => {
  assert.equal(baseWatermark(planOf(TWO), { w0: { a: 5 }, w1: { b: 6 } }, {}, 70, "limited"), 70);
});

test("a split with unread input limits the column to its own maximum", () => {
  assert.equal(columnMaximum({ a: 100, b: 40 }, []), 100);
  assert.equal(columnMaximum({ a: 100, b: 40 }, ["b"]), 40);
  assert.equal(columnMaximum({ a: 100 }, ["b"]), undefined);
  assert.equal(columnMaximum({}, []), undefined);
  const maxima = { w0: { a: 100, b: 40 }, w1: { c: 500 } };
  assert.equal(baseWatermark(planOf(TWO), maxima, { s0: ["b"] }, 0, "limited"), 30);
  assert.equal(baseWatermark(planOf(TWO), maxima, { s0: ["b"] }, 0, "max"), 90);
});

test("one `withWatermark` in several stages is one column", () => {
  const plan = planOf([column("w0", 10, 0, "ts"), column("w1", 10, 1, "ts")]);
  assert.equal(baseWatermark(plan, { w0: { a: 100 }, w1: { b: 300 } }, {}, 0, "limited"), 290);
});

test("C8 rows of epoch e are late below the watermark of e-1, not below that of e", () => {
  const base = {
    previous: 0,
    ranges: {},
    unread: {},
    maxima: {},
    nowMs: 0,
    token: 1,
    topology: { version: 1, since: 1, partitions: [1], previous: undefined },
    fingerprint: "f",
    runId: "r",
    queryId: "q",
    sources: [],
  };
  const first = nextEntry({ ...base, last: undefined, watermark: 50 });
  const second = nextEntry({ ...base, last: first, watermark: 80 });
  assert.deepEqual([first.watermark, first.lateWatermark], [50, 0]);
  assert.deepEqual([second.watermark, second.lateWatermark], [80, 50]);
});

test("a silent column is left out of the minimum, never the last one, and the watermark does not go back for it", () => {
  const maxima = { w0: { a: 100 }, w1: { b: 60 } };
  const of = (idle: readonly string[], floor = 0): number =>
    baseWatermark(planOf(TWO), maxima, {}, floor, "limited", idle);
  assert.deepEqual([of([]), of(["w1"]), of(["w0", "w1"])], [40, 90, 40]);
  assert.equal(of([], 90), 90);
});

test("a column is silent when its maxima have not grown for the timeout while it had nothing to read", async () => {
  const clock = new VirtualClock();
  const idle = new IdleColumns(planOf(TWO), clock, 1_000);
  const both = { w0: { a: 1 }, w1: { b: 1 } };
  assert.deepEqual(idle.idle(both, {}), []);
  await clock.advance(900);
  assert.deepEqual(idle.idle({ ...both, w0: { a: 2 } }, {}), []);
  await clock.advance(100);
  assert.deepEqual(idle.idle({ ...both, w0: { a: 2 } }, {}), ["w1"]);
  // It speaks again.
  assert.deepEqual(idle.idle({ w0: { a: 2 }, w1: { b: 2 } }, {}), []);
  await clock.advance(900);
  assert.deepEqual(idle.idle({ w0: { a: 2 }, w1: { b: 2 } }, { s1: ["b"] }), ["w0"]);
  await clock.advance(100);
  assert.deepEqual(idle.idle({ w0: { a: 2 }, w1: { b: 2 } }, {}), ["w0"]);
  // All of them: nobody is ahead.
  await clock.advance(1_000);
  assert.deepEqual(idle.idle({ w0: { a: 2 }, w1: { b: 2 } }, {}), []);
  assert.deepEqual(new IdleColumns(planOf(TWO), clock, undefined).idle(both, {}), []);
});
