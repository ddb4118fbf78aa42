/** Event-time maxima of the epoch under way, per watermark operator and split, read off the operators after every batch (law 12). */
import { isWatermarkObserver, type WatermarkObserver } from "../operators/operator.ts";
import type { WatermarkColumn } from "../plan/physical.ts";
import type { Chain } from "./chain.ts";
import type { EventTimeStats } from "./entries.ts";

export class MaximaObserver {
  readonly #observers: readonly { readonly id: string; readonly observer: WatermarkObserver }[];
  readonly maxima: Record<string, Record<string, number>> = {};

  constructor(chain: Chain, columns: readonly WatermarkColumn[]) {
    const ids = new Set(columns.map((c) => c.operatorId));
    this.#observers = chain
      .operators()
      .flatMap(({ node, operator }) =>
        ids.has(node.id) && isWatermarkObserver(operator) ? [{ id: node.id, observer: operator }] : [],
      );
    for (const { id } of this.#observers) this.maxima[id] = {};
  }

  /** Whether this stage evaluates an event-time column at all: then it must report, rows or not. */
  get concerned(): boolean {
    return this.#observers.length > 0;
  }

  /** Event times of the epoch, per operator. */
  statistics(): Record<string, EventTimeStats> {
    const out: Record<string, EventTimeStats> = {};
    for (const { id, observer } of this.#observers) {
      const s = observer.statistics();
      if (s !== undefined) out[id] = s;
    }
    return out;
  }

  /** Takes what the operators saw since the last call: rows of `split`. */
  observe(split: string): void {
    for (const { id, observer } of this.#observers) {
      const seen = observer.takeMaximum();
      if (seen === undefined) continue;
      const of = this.maxima[id]!;
      of[split] = Math.max(of[split] ?? seen, seen);
    }
  }
}
