/** Triggers: when an epoch may be planned. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { Pacer, untilTick } from "../../src/runtime/trigger.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

test("a processing-time trigger ticks at multiples of its interval; a late one at once", () => {
  assert.equal(untilTick(1_000, undefined, 123), 0);
  assert.equal(untilTick(1_000, 123, 123), 877);
  assert.equal(untilTick(1_000, 1_000, 1_000), 1_000);
  assert.equal(untilTick(1_000, 123, 5_500), 0);
  assert.equal(untilTick(0, 10, 10), 0);
});

test("the pacer waits from tick to tick of its own clock", async () => {
  const clock = new VirtualClock(10_250);
  const pacer = new Pacer({ kind: "processingTime", intervalMs: 500 }, clock);
  assert.equal(pacer.waitMs(), 0);
  pacer.tick();
  assert.equal(pacer.waitMs(), 250);
  await clock.advance(250);
  assert.equal(pacer.waitMs(), 0);
});

test("the other triggers never wait; two of them stop when drained", () => {
  const clock = new VirtualClock();
  for (const kind of ["default", "availableNow", "once"] as const) {
    const pacer = new Pacer({ kind }, clock);
    pacer.tick();
    assert.equal(pacer.waitMs(), 0);
    assert.equal(pacer.stopsWhenDrained, kind !== "default");
  }
});
