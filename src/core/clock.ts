/**
 * Time as a value. Nothing below `src/query` may read the machine's clock: actors, coordinator and connectors get a
 * Clock, so that tests move time by hand and a simulation owns it.
 */
export interface Clock {
  /** Wall clock, milliseconds since the epoch UTC. */
  now(): number;
  /** Monotonic clock in milliseconds, for leases and durations; unrelated to `now`. */
  monotonic(): number;
  /** Runs `f` once after `ms`; the returned function cancels it. */
  after(ms: number, f: () => void): () => void;
}

/** Resolves after `ms` on `clock`, or at once when `signal` aborts. */
export const sleep = (clock: Clock, ms: number, signal?: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    const done = (): void => {
      cancel();
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const cancel = clock.after(ms, done);
    signal?.addEventListener("abort", done);
  });
