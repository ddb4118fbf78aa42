/** Triggers: when an epoch may be planned. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { EpochSize } from "../../src/runtime/epoch-size.ts";
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

/** Sizes that settle when an epoch costs `fixed` ms and `each` ms per offset. */
const settled = (
  intervalMs: number,
  fixed: number,
  each: number,
  size = new EpochSize(intervalMs),
): number[] =>
  Array.from({ length: 200 }, () => {
    const given = size.offsets;
    size.took(fixed + each * given, given);
    return given;
  }).slice(50);

test("a realTime trigger gives epochs what is through in its interval", () => {
  for (const [fixed, each] of [
    [0, 0.01],
    [1, 0.01],
    [2, 0.001],
    [0, 3],
  ] as const)
    for (const n of settled(5, fixed, each)) {
      const took = fixed + each * n;
      assert.ok(took <= 5.5 + each / 2 && took >= 3.3 - each, `${fixed} + ${each} * ${n}`);
    }
});

test("where the fixed part is too long, rows get as long again; the size follows what epochs cost", () => {
  for (const n of settled(5, 20, 0.01)) assert.ok(n >= 1_400 && n <= 2_200, String(n));
  const size = new EpochSize(5);
  settled(5, 1, 0.01, size);
  for (const n of settled(5, 1, 0.1, size)) assert.ok(1 + 0.1 * n <= 5.5, String(n));
  for (const n of settled(5, 1, 0.001, size)) assert.ok(1 + 0.001 * n >= 3.5, String(n));
});
