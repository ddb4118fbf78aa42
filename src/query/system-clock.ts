/** The machine's clock: the only place of the library that reads it. */
import type { Clock } from "../core/clock.ts";

export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (ms, f) => {
    const timer = setTimeout(f, ms);
    return () => clearTimeout(timer);
  },
};
