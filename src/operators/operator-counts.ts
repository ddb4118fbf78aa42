/** The counts every stateful operator reports for the epoch it just ended. */
import type { OperatorMetrics } from "./operator.ts";

export class OperatorCounts {
  #updated = 0;
  #removed = 0;
  #late = 0;
  #last: OperatorMetrics = { rowsUpdated: 0, rowsRemoved: 0, rowsDroppedByWatermark: 0 };

  updated(n = 1): void {
    this.#updated += n;
  }
  removed(n = 1): void {
    this.#removed += n;
  }
  late(n = 1): void {
    this.#late += n;
  }

  /** The epoch ended: what was counted becomes its metrics. */
  endEpoch(): void {
    this.#last = {
      rowsUpdated: this.#updated,
      rowsRemoved: this.#removed,
      rowsDroppedByWatermark: this.#late,
    };
    this.#updated = this.#removed = this.#late = 0;
  }

  get epoch(): OperatorMetrics {
    return this.#last;
  }
}
