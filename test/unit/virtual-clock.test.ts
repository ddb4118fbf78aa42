/** The clock of the simulation. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

test("a timer moves time, however little is asked for", async () => {
  const clock = new VirtualClock();
  await clock.advance(1e6);
  // As of a publisher that waits for the rest of its silence: 1e6 + 1e-12 is 1e6, and it would wait for ever (random walk 23752193).
  let fired = 0;
  const check = (): void => {
    if (++fired < 100 && clock.monotonic() <= 1e6) clock.after(1e-12, check);
  };
  check();
  await clock.advance(10);
  assert.equal(fired, 2);
});
