/** How long the parts of an epoch took on its leader, for the epoch's progress. Under Spark's names, and only what is measured here. */
import type { Clock } from "../core/clock.ts";

/**
 * Milliseconds. `latestOffset`: asking the sources what there is; `walCommit`: writing the epoch to the plan log; `addBatch`: from then until
 * every actor has done its part, the sinks' commits included.
 */
export type EpochDurations = Readonly<Partial<Record<"addBatch" | "latestOffset" | "walCommit", number>>>;

interface Times {
  readonly startedMs: number;
  readonly latestOffsetMs: number;
  /** Monotonic. */
  readonly planned: number;
  written: number | undefined;
}

export class EpochTimes {
  readonly #clock: Clock;
  readonly #epochs = new Map<number, Times>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The epoch's entry is made; `lookedSince`: when the sources were asked (monotonic), until `lookedUntil`. */
  planned(epoch: number, lookedSince: number, lookedUntil: number): void {
    this.#epochs.set(epoch, {
      startedMs: this.#clock.now(),
      latestOffsetMs: lookedUntil - lookedSince,
      planned: this.#clock.monotonic(),
      written: undefined,
    });
  }

  /** The entry is in the plan log. */
  written(epoch: number): void {
    const times = this.#epochs.get(epoch);
    if (times !== undefined) times.written = this.#clock.monotonic();
  }

  /** When the epoch was planned; undefined: by a leader before this one. */
  startedMs(epoch: number): number | undefined {
    return this.#epochs.get(epoch)?.startedMs;
  }

  /** Up to now. */
  durations(epoch: number): EpochDurations {
    const times = this.#epochs.get(epoch);
    if (times?.written === undefined) return {};
    return {
      addBatch: Math.round(this.#clock.monotonic() - times.written),
      latestOffset: Math.round(times.latestOffsetMs),
      walCommit: Math.round(times.written - times.planned),
    };
  }

  forget(epoch: number): void {
    this.#epochs.delete(epoch);
  }
}
