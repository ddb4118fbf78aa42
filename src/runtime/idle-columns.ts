/**
 * Which event-time columns are silent (law 12, `idleTimeout`): one whose maxima have not grown for the timeout, while it has nothing to read, no longer holds
 * the watermark back. Only the leader judges it, by its own monotonic clock; what it finds is in the plan entry, so that replays and other leaders see the same
 * watermark. A new leader begins to wait anew.
 */
import type { Clock } from "../core/clock.ts";
import type { PhysicalPlan } from "../plan/physical.ts";
import type { EventTimeMaxima } from "./entries.ts";

interface Column {
  seen: string;
  since: number;
}

export class IdleColumns {
  readonly #plan: PhysicalPlan;
  readonly #clock: Clock;
  readonly #timeoutMs: number | undefined;
  readonly #columns = new Map<string, Column>();

  constructor(plan: PhysicalPlan, clock: Clock, timeoutMs: number | undefined) {
    this.#plan = plan;
    this.#clock = clock;
    this.#timeoutMs = timeoutMs;
    for (const { column } of plan.watermarks)
      this.#columns.set(column, { seen: "{}", since: clock.monotonic() });
  }

  /** The silent columns, sorted, by the newest maxima and the splits that still have input. */
  idle(maxima: EventTimeMaxima, unread: Readonly<Record<string, readonly string[]>>): readonly string[] {
    if (this.#timeoutMs === undefined) return [];
    const now = this.#clock.monotonic();
    const out: string[] = [];
    for (const [name, column] of this.#columns) {
      const parts = this.#plan.watermarks.filter((w) => w.column === name);
      const seen = JSON.stringify(parts.map((w) => maxima[w.operatorId] ?? {}));
      const reads = parts.some((w) => {
        const source = this.#plan.stages.find((s) => s.id === w.stage)?.source?.id;
        return source !== undefined && (unread[source]?.length ?? 0) > 0;
      });
      if (seen !== column.seen || reads) column.since = now;
      column.seen = seen;
      if (now - column.since >= this.#timeoutMs) out.push(name);
    }
    // Without a column that speaks there is nothing to follow.
    return out.length === this.#columns.size ? [] : out.sort();
  }
}
