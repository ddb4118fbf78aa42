/**
 * Restart policy (DESIGN section 8): one for one, exponential backoff with jitter, at most `maxRestarts` per window; then, or at an error that no
 * restart helps, the failure goes up. Effect runs it: actor life is control, not data.
 */
import * as Effect from "effect/Effect";
import type { Clock } from "../core/clock.ts";
import { sleep } from "../core/clock.ts";
import { decisionOf } from "../core/errors.ts";
import { RESTART_BACKOFF_MAX_MS, RESTART_BACKOFF_MS, RESTART_WINDOW_MS } from "../core/limits.ts";

export interface RestartPolicy {
  readonly clock: Clock;
  readonly maxRestarts: number;
  /** A number in [0, 1): jitter comes from the node, so that a simulation owns it. */
  readonly random: () => number;
  readonly onRestart: (error: unknown, delayMs: number) => void;
}

/** Delay before restart `n` (from 1): doubled each time, up to the limit, between half and all of it. */
export const backoffMs = (n: number, random: number): number => {
  const full = Math.min(RESTART_BACKOFF_MAX_MS, RESTART_BACKOFF_MS * 2 ** (n - 1));
  return full * (0.5 + random / 2);
};

/**
 * Runs `body` until it ends well or its failure is final. Interrupting the effect aborts the signal that `body` has and waits for its
 * end.
 */
export const supervised = <A>(
  body: (signal: AbortSignal) => Promise<A>,
  policy: RestartPolicy,
): Effect.Effect<A, unknown> =>
  Effect.tryPromise({ try: (signal) => restarting(body, policy, signal), catch: (e) => e });

const restarting = async <A>(
  body: (signal: AbortSignal) => Promise<A>,
  policy: RestartPolicy,
  signal: AbortSignal,
): Promise<A> => {
  const restarts: number[] = [];
  let outages = 0;
  let failedAt = -Infinity;
  for (;;) {
    try {
      return await body(signal);
    } catch (e) {
      if (signal.aborted) throw e;
      const now = policy.clock.monotonic();
      while (restarts.length > 0 && now - restarts[0]! > RESTART_WINDOW_MS) restarts.shift();
      const decision = decisionOf(e);
      if (decision === "fail" || (decision === "restart" && restarts.length >= policy.maxRestarts)) throw e;
      // A broker that is away is waited for, however long: that is no fault of the actor.
      if (now - failedAt > RESTART_WINDOW_MS) outages = 0;
      failedAt = now;
      if (decision === "restart") restarts.push(now);
      else outages++;
      const delay = backoffMs(decision === "restart" ? restarts.length : outages, policy.random());
      policy.onRestart(e, delay);
      await sleep(policy.clock, delay, signal);
      if (signal.aborted) throw e;
    }
  }
};
