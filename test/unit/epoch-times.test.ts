import assert from "node:assert/strict";
import { test } from "node:test";
import { EpochTimes } from "../../src/runtime/epoch-times.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

test("An epoch's parts are measured from where each began, and an epoch of another leader has none", async () => {
  const clock = new VirtualClock();
  const times = new EpochTimes(clock);
  const asked = clock.monotonic();
  await clock.advance(7);
  const answered = clock.monotonic();
  times.planned(3, asked, answered);
  const started = clock.now();
  await clock.advance(20);
  assert.deepEqual(times.durations(3), {});
  times.written(3);
  await clock.advance(100);
  assert.deepEqual(times.durations(3), { addBatch: 100, latestOffset: 7, walCommit: 20 });
  assert.equal(times.startedMs(3), started);
  times.forget(3);
  assert.equal(times.startedMs(3), undefined);
  times.written(4);
  assert.deepEqual(times.durations(4), {});
});
