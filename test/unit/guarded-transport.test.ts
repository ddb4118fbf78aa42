/** A publisher behind the margin of a stream whose look at its space is late: whatever the look says, the publisher goes on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { UnavailableError } from "../../src/core/errors.ts";
import { PUBLISH_SILENCE_MS } from "../../src/core/limits.ts";
import { GuardedTransport } from "../../src/log/jetstream/guarded-transport.ts";
import type { Outgoing } from "../../src/log/jetstream/publisher.ts";
import { GoBackWindow } from "../../src/log/publish-window.ts";
import { SpaceGuard, type StreamSpace } from "../../src/log/space-guard.ts";
import { settle, VirtualClock } from "../../src/testing/virtual-clock.ts";

const FULL: StreamSpace = { bytes: 10_000, maxBytes: 10_000 };
const EMPTY: StreamSpace = { bytes: 0, maxBytes: 10_000 };

/** A full stream, into which three messages are sent; looks are answered by hand. */
const bed = () => {
  const clock = new VirtualClock();
  const looks: { answer: (s: StreamSpace) => void; fail: (e: unknown) => void }[] = [];
  const stored: number[] = [];
  const guard = new SpaceGuard(FULL, () => new Promise((answer, fail) => void looks.push({ answer, fail })));
  const inner = {
    attempt: (m: Outgoing, done: (error?: unknown) => void) => {
      stored.push(m.payload[0]!);
      queueMicrotask(() => done());
    },
  };
  const window = new GoBackWindow<Outgoing>(new GuardedTransport(inner, guard, "log"), clock);
  const fullness: string[] = [];
  window.onFull((limit) => fullness.push(limit));
  for (let n = 0; n < 3; n++)
    void window.offer({ subject: "s", payload: Uint8Array.of(n), headers: undefined });
  return { clock, looks, stored, window, fullness };
};

/** What a reader that knows law 3 takes. */
const taken = (stored: readonly number[]): number =>
  stored.reduce((next, n) => (n === next ? n + 1 : next), 0);

for (const [what, end] of [
  ["the look fails", (look) => look.fail(new UnavailableError("no answer"))],
  ["the stream is full", (look) => look.answer(FULL)],
  ["there is room", (look) => look.answer(EMPTY)],
] as [string, (look: { answer: (s: StreamSpace) => void; fail: (e: unknown) => void }) => void][])
  for (const lateMs of [0, PUBLISH_SILENCE_MS + 10, PUBLISH_SILENCE_MS * 2, PUBLISH_SILENCE_MS * 10])
    test(`a look that takes ${String(lateMs)} ms, and ${what}`, async () => {
      const { clock, looks, stored, window } = bed();
      const delivered = window.delivered();
      await clock.advance(lateMs);
      for (let turn = 0; turn < 40; turn++) {
        const look = looks.shift();
        if (look !== undefined) (turn === 0 ? end : (l: typeof look) => l.answer(EMPTY))(look);
        await settle();
        await clock.advance(1000);
      }
      assert.equal(taken(stored), 3, `stored ${stored.join(" ")}`);
      await delivered;
      window.close();
    });

test("a stream that is full is told, also by a look that was late", async () => {
  const { clock, looks, window, fullness } = bed();
  await clock.advance(PUBLISH_SILENCE_MS + 100);
  looks.shift()!.answer(FULL);
  await settle();
  for (let turn = 0; turn < 10 && fullness.length === 0; turn++) {
    looks.shift()?.answer(FULL);
    await clock.advance(1000);
  }
  assert.ok(fullness.length > 0);
  window.close();
});
