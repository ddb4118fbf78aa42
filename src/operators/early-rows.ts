/**
 * Early rows of an aggregate in append mode (`emit`): which open groups are given at the end of an epoch, besides those that close.
 *
 * Without an interval: those that the epoch changed. With one, time of the epochs is cut into ticks of that length; a group is given in the first epoch of a
 * later tick than that of the first change since it was last given. That tick is state of the group, saved with its accumulators.
 *
 * Invariant. R1: what is given is a function of the groups' states and of the epoch's clock, which the plan log holds (O1).
 */
import type { Accumulator } from "../expr/contract.ts";
import type { AggregateTable } from "./aggregate-table.ts";
import { grown } from "./group-ids.ts";

export interface EarlySpec {
  /** Milliseconds of the epochs' clock; undefined: in every epoch. */
  readonly everyMs: number | undefined;
}

/** The tick of the first change that was not given yet; NaN when there is none. Rows do not feed it: `EarlyRows` does. */
class Pending implements Accumulator {
  since = new Float64Array(0);

  ensure(groups: number): void {
    const before = this.since.length;
    if (groups <= before) return;
    this.since = grown(new Float64Array(groups), this.since).fill(NaN, before);
  }
  update(): void {}
  merge(): void {}
  save(group: number): number | null {
    const since = this.since[group]!;
    return Number.isNaN(since) ? null : since;
  }
  load(group: number, saved: unknown): void {
    this.since[group] = saved === null ? NaN : Number(saved);
  }
  result(): null {
    return null;
  }
  clear(group: number): void {
    this.since[group] = NaN;
  }
}

export class EarlyRows {
  readonly #everyMs: number | undefined;
  readonly #pending = new Pending();
  /** No group of an earlier tick than this waits; unknown after a restart. */
  #given = -Infinity;

  constructor(spec: EarlySpec) {
    this.#everyMs = spec.everyMs;
  }

  /** What the table keeps beside the states of the calls. */
  get states(): readonly Accumulator[] {
    return this.#everyMs === undefined ? [] : [this.#pending];
  }

  /** The groups to give at the end of an epoch that changed `touched`, in that order or in the table's. `closed` ones are given as final. */
  take(table: AggregateTable, touched: Int32Array, closed: Int32Array, clockMs: number): Int32Array {
    if (this.#everyMs === undefined) {
      const gone = new Set(closed);
      return touched.filter((g) => !gone.has(g));
    }
    const { since } = this.#pending;
    const tick = Math.floor(clockMs / this.#everyMs);
    for (const g of touched) if (Number.isNaN(since[g])) since[g] = tick;
    if (tick <= this.#given) return touched.subarray(0, 0);
    this.#given = tick;
    const groups = table.live().filter((g) => since[g]! < tick);
    for (const g of groups) since[g] = NaN;
    table.change(groups);
    return groups;
  }
}

/** Whether the clock passed into another tick: groups may wait for it. */
export const earlyRowsDue = (spec: EarlySpec | undefined, beforeMs: number, nowMs: number): boolean =>
  spec?.everyMs !== undefined && Math.floor(nowMs / spec.everyMs) > Math.floor(beforeMs / spec.everyMs);
