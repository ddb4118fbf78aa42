/**
 * The base watermark of law 12: what the maxima of the epochs before say, per `withWatermark` column, the minimum (or maximum) over the
 * columns, never below the one before. Pure: any leader computes the same from the same logs.
 */
import type { PhysicalPlan, WatermarkColumn } from "../plan/physical.ts";
import type { EventTimeMaxima } from "./entries.ts";

/**
 * Largest event time that counts for one column: the maximum over all its splits, limited by the maximum of each split that still has unread
 * input, whose rows are not late only because another split is ahead. Undefined: no data yet, or an unread split has shown none.
 */
export const columnMaximum = (
  seen: Readonly<Record<string, number>>,
  unread: readonly string[],
): number | undefined => {
  const values = Object.values(seen);
  if (values.length === 0) return undefined;
  let max = Math.max(...values);
  for (const split of unread) {
    const of = seen[split];
    if (of === undefined) return undefined;
    max = Math.min(max, of);
  }
  return max;
};

const sourceOf = (plan: PhysicalPlan, column: WatermarkColumn): string | undefined =>
  plan.stages.find((s) => s.kind === "source" && s.id === column.stage)?.source?.id;

/** One logical column: everything its operators saw, splits told apart. */
const logicalMaximum = (
  plan: PhysicalPlan,
  parts: readonly WatermarkColumn[],
  maxima: EventTimeMaxima,
  unread: Readonly<Record<string, readonly string[]>>,
  splitWatermark: "limited" | "max",
): number | undefined => {
  const seen: Record<string, number> = {};
  const behind: string[] = [];
  for (const part of parts) {
    for (const [split, max] of Object.entries(maxima[part.operatorId] ?? {}))
      seen[`${part.operatorId}/${split}`] = max;
    const source = sourceOf(plan, part);
    if (splitWatermark === "max" || source === undefined) continue;
    for (const split of unread[source] ?? []) behind.push(`${part.operatorId}/${split}`);
  }
  return columnMaximum(seen, behind);
};

/** B(e) from the maxima of the epochs before e and the splits that were not read to their end; `idle` columns are left out. */
export const baseWatermark = (
  plan: PhysicalPlan,
  maxima: EventTimeMaxima,
  unread: Readonly<Record<string, readonly string[]>>,
  before: number,
  splitWatermark: "limited" | "max",
  idle: readonly string[] = [],
): number => {
  if (plan.watermarks.length === 0) return before;
  const columns = new Map<string, WatermarkColumn[]>();
  for (const w of plan.watermarks) columns.set(w.column, [...(columns.get(w.column) ?? []), w]);
  // All of them silent: nobody is ahead, and nothing moves.
  for (const column of idle) if (columns.size > 1) columns.delete(column);
  const perColumn = [...columns.values()].map((parts) => {
    const max = logicalMaximum(plan, parts, maxima, unread, splitWatermark);
    return max === undefined ? 0 : max - parts[0]!.delayMs;
  });
  const now = plan.watermarkPolicy === "max" ? Math.max(...perColumn) : Math.min(...perColumn);
  return Math.max(before, now);
};
