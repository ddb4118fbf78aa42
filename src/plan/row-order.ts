/**
 * Whether a query's results depend on the order of the rows within an epoch. Where they do not, a source may read an epoch's input side by side.
 *
 * What counts are the rows that leave: which ones, how often, in which epoch, equal to the last bit. Their own order within the epoch is nobody's promise
 * (behind an exchange it depends on the producers already).
 */
import type { AggregateCall } from "../expr/ast.ts";
import { isStageInput, type OperatorNode, type StageInput } from "../operators/operator.ts";
import type { StagePlan } from "./physical.ts";

/** Aggregates whose states can be merged in any order with the same result, and are small: worth adding up before an exchange. */
const MERGEABLE = new Set([
  "count",
  "sum",
  "avg",
  "min",
  "max",
  "count_if",
  "bool_and",
  "bool_or",
  "every",
  "some",
  "any",
]);

/** The order in which doubles are added shows in the last bits; integers and decimals add up alike. */
const exact = (c: AggregateCall): boolean =>
  c.fn === "min" ||
  c.fn === "max" ||
  !c.args.some((a) => a.type.kind === "double" || a.type.kind === "float");

/** Whether the call gives the same however its rows are spread and ordered. */
export const orderFree = (c: AggregateCall): boolean =>
  c.udf === undefined
    ? MERGEABLE.has(c.fn) && c.orderBy.length === 0 && exact(c)
    : c.udf.aggregate?.commutative === true;

const ANY_ORDER = new Set([
  "calc",
  "expand",
  "expandWindow",
  "fork",
  "generate",
  "staticJoin",
  "streamJoin",
  "union",
  "watermark",
]);

const insensitive = (node: OperatorNode | StageInput): boolean => {
  if (isStageInput(node)) return true;
  if (!node.inputs.every(insensitive)) return false;
  const spec = node.spec as { readonly aggregates?: readonly AggregateCall[]; readonly fn?: string };
  if (node.kind === "aggregate" || node.kind === "sessionAggregate" || node.kind === "observe")
    return spec.aggregates!.every(orderFree);
  // Ties share a rank: which row came first does not matter.
  if (node.kind === "topN") return spec.fn !== "row_number";
  return ANY_ORDER.has(node.kind);
};

/** Whether every stage takes its rows in any order. */
export const takesAnyOrder = (stages: readonly StagePlan[]): boolean =>
  stages.every((s) => insensitive(s.root));
