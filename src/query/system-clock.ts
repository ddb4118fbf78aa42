/** The machine's clock: the only place of the library that reads it. */
import type { Clock } from "../core/clock.ts";

/** What Node's timers take; a longer wait is made of several. */
const TIMER_MS_MAX = 2 ** 31 - 1;

const after = (ms: number, f: () => void): (() => void) => {
  let timer: NodeJS.Timeout;
  const wait = (left: number): void => {
    timer =
      left > TIMER_MS_MAX ? setTimeout(() => wait(left - TIMER_MS_MAX), TIMER_MS_MAX) : setTimeout(f, left);
  };
  wait(ms);
  return () => clearTimeout(timer);
};

export const SYSTEM_CLOCK: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after,
};
