/** When an actor that waits is started again: only one that waits on both sides, and each time after twice the time. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { UnavailableError } from "../../src/core/errors.ts";
import { ActorWatch } from "../../src/runtime/actor-watch.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

const LIMIT_MS = 1_000;

/** A body that ends when its signal aborts, as an actor does. */
const waiting = (signal: AbortSignal): Promise<string> =>
  new Promise((resolve) => signal.addEventListener("abort", () => resolve("aborted")));

test("V1 an actor that computes, recovers, or whose sink is at work is left alone", async () => {
  const clock = new VirtualClock();
  const watch = new ActorWatch(clock);
  const end = new AbortController();
  const run = watch.guard(end.signal, waiting);
  for (const [loop, commit] of [
    ["processing", "idle"],
    ["input", "sink"],
    ["input", "state"],
    ["recovery", "idle"],
  ] as const) {
    watch.step("loop", loop);
    watch.step("commit", commit);
    await clock.advance(LIMIT_MS * 10);
    assert.equal(watch.nudge(LIMIT_MS), false, `${loop}, ${commit}`);
  }
  end.abort();
  assert.equal(await run, "aborted");
});

test("V2 an actor that waits starts again after the limit, then after twice that, with an error that is retried", async () => {
  const clock = new VirtualClock();
  const watch = new ActorWatch(clock);
  const { signal } = new AbortController();
  for (const limit of [LIMIT_MS, 2 * LIMIT_MS, 4 * LIMIT_MS]) {
    const run = watch.guard(signal, waiting);
    watch.step("loop", "input");
    await clock.advance(limit - 1);
    assert.equal(watch.nudge(LIMIT_MS), false);
    await clock.advance(1);
    assert.equal(watch.nudge(LIMIT_MS), true);
    await assert.rejects(run, UnavailableError);
  }
});

test("progress begins the wait anew", async () => {
  const clock = new VirtualClock();
  const watch = new ActorWatch(clock);
  const end = new AbortController();
  const run = watch.guard(end.signal, waiting);
  watch.step("loop", "input");
  await clock.advance(LIMIT_MS - 1);
  watch.step("loop", "input");
  await clock.advance(LIMIT_MS - 1);
  assert.equal(watch.nudge(LIMIT_MS), false);
  assert.deepEqual(watch.describe(), { loop: "input", commit: "idle", seconds: 1 });
  end.abort();
  await run;
});
