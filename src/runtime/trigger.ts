/** Triggers: when an epoch may be planned. Spark's, and `count` and `realTime` (spark.md 1.3). */
import type { Clock } from "../core/clock.ts";

export type Trigger =
  /** None given: as soon as input waits and the epoch before is planned. */
  | { readonly kind: "default" }
  /** Aligned to multiples of the interval; late ones at once. */
  | { readonly kind: "processingTime"; readonly intervalMs: number }
  /** An epoch per `rows` rows (offsets of the sources). */
  | { readonly kind: "count"; readonly rows: number }
  /** What is there at the start, in epochs by the rate options; then stop. */
  | { readonly kind: "availableNow" }
  /** What is there at the start, in one epoch; then stop. */
  | { readonly kind: "once" }
  /** As the default, and an epoch gets no more input than is through in this time (`EpochSize`). */
  | { readonly kind: "realTime"; readonly intervalMs: number };

/** Milliseconds until the next tick of a processing-time trigger, as Spark's ProcessingTimeExecutor counts: 0 when it is due. */
export const untilTick = (intervalMs: number, lastTickMs: number | undefined, now: number): number => {
  if (lastTickMs === undefined || intervalMs === 0) return 0;
  const next = Math.floor(lastTickMs / intervalMs) * intervalMs + intervalMs;
  return Math.max(0, next - now);
};

/** When the next epoch may be planned: asked before each one. */
export class Pacer {
  readonly #trigger: Trigger;
  readonly #clock: Clock;
  #last: number | undefined;

  constructor(trigger: Trigger, clock: Clock) {
    this.#trigger = trigger;
    this.#clock = clock;
  }

  waitMs(): number {
    return this.#trigger.kind === "processingTime"
      ? untilTick(this.#trigger.intervalMs, this.#last, this.#clock.now())
      : 0;
  }

  /** A tick was used, whether or not there was input. */
  tick(): void {
    this.#last = this.#clock.now();
  }

  get stopsWhenDrained(): boolean {
    return this.#trigger.kind === "availableNow" || this.#trigger.kind === "once";
  }
}
