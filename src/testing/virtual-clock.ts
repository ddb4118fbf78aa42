/** A clock that moves only when told to. Timers fire in order of their time; between two of them the work they started gets a turn. */
import type { Clock } from "../core/clock.ts";

interface Timer {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Timers are rounded up to such parts of a millisecond: a rest of 1e-13 ms would not move time, and who waits for it would wait for ever. */
const GRAINS = 1024;

/** Lets promises and immediates that are ready run. */
export const settle = async (rounds = 3): Promise<void> => {
  for (let i = 0; i < rounds; i++) await new Promise<void>((resolve) => setImmediate(resolve));
};

export class VirtualClock implements Clock {
  readonly #startMs: number;
  #elapsed = 0;
  #order = 0;
  #timers: Timer[] = [];

  /** `startMs`: the wall clock's first value, milliseconds since the epoch. */
  constructor(startMs = Date.UTC(2026, 0, 1)) {
    this.#startMs = startMs;
  }

  now(): number {
    return this.#startMs + this.#elapsed;
  }

  monotonic(): number {
    return this.#elapsed;
  }

  after(ms: number, f: () => void): () => void {
    const at = this.#elapsed + Math.ceil(Math.max(0, ms) * GRAINS) / GRAINS;
    const timer: Timer = { at, order: this.#order++, run: f };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((t) => t !== timer);
    };
  }

  /** Milliseconds until the next timer; undefined when none waits. */
  untilNext(): number | undefined {
    const next = this.#next();
    return next === undefined ? undefined : next.at - this.#elapsed;
  }

  #next(): Timer | undefined {
    let best: Timer | undefined;
    for (const t of this.#timers)
      if (best === undefined || t.at < best.at || (t.at === best.at && t.order < best.order)) best = t;
    return best;
  }

  /** Moves time on by `ms`, firing what is due on the way. */
  async advance(ms: number): Promise<void> {
    const target = this.#elapsed + ms;
    for (let next = this.#next(); next !== undefined && next.at <= target; next = this.#next()) {
      this.#elapsed = Math.max(this.#elapsed, next.at);
      this.#timers = this.#timers.filter((t) => t !== next);
      next.run();
      await settle(1);
    }
    this.#elapsed = target;
    await settle();
  }
}
