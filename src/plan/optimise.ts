/**
 * The optimiser: rules in a fixed order over a resolved plan. Rows, their order and the ids of the root's columns stay. Of a stream it decides, as in
 * Spark, which rows reach a watermark and which columns an operator sees (filter-push-down P2, column-pruning C3), so it always runs.
 */
import type { LogicalPlan } from "./logical.ts";
import { transformUp } from "./nodes.ts";
import { booleanSimplification } from "./rules/boolean-simplification.ts";
import { columnPruning } from "./rules/column-pruning.ts";
import { constantFolding } from "./rules/constant-folding.ts";
import { filterMerge } from "./rules/filter-merge.ts";
import { filterPushDown } from "./rules/filter-push-down.ts";
import { inferredFilters } from "./rules/inferred-filters.ts";
import { extraJoinFilters, joinFilters } from "./rules/join-filters.ts";
import { limitPushDown } from "./rules/limit-push-down.ts";
import { localRows } from "./rules/local-rows.ts";
import { needlessNodes } from "./rules/needless-nodes.ts";
import { nestedColumns } from "./rules/nested-columns.ts";
import { nullPropagation } from "./rules/null-propagation.ts";
import { projectMerge } from "./rules/project-merge.ts";
import type { Rule } from "./rules/rule.ts";
import { sourceFilters } from "./rules/source-filters.ts";
import { subqueryPushDown } from "./rules/subquery-push-down.ts";

export interface OptimiseOptions {
  readonly timeZone: string;
  /** "extended" when absent. */
  readonly compatibility?: "extended" | "spark";
  /** Rule names left out: for tests. */
  readonly without?: readonly string[];
}

export const rulesOf = (
  timeZone: string,
  compatibility: "extended" | "spark" = "extended",
): readonly Rule[] => [
  localRows(timeZone),
  filterPushDown,
  constantFolding(timeZone),
  nullPropagation,
  booleanSimplification,
  filterPushDown,
  inferredFilters,
  joinFilters,
  filterPushDown,
  extraJoinFilters,
  filterPushDown,
  localRows(timeZone),
  needlessNodes(compatibility),
  subqueryPushDown,
  booleanSimplification,
  filterMerge,
  limitPushDown,
  columnPruning,
  projectMerge,
  nestedColumns,
  sourceFilters,
];

/** Joins read constants as bounds of their state (join-watermarks.ts). */
const boundedByConstants = (plan: LogicalPlan): LogicalPlan =>
  transformUp(plan, (p) => (p.kind === "join" ? Object.freeze({ ...p, constantBounds: true }) : p));

export const optimise = (plan: LogicalPlan, options: OptimiseOptions): LogicalPlan =>
  rulesOf(options.timeZone, options.compatibility)
    .filter((r) => options.without?.includes(r.name) !== true)
    .reduce((p, rule) => rule.apply(p), options.compatibility === "spark" ? boundedByConstants(plan) : plan);
