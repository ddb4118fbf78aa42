/** Whether an epoch without input must be planned: the watermark moved past something that waits for it, or a timer is due. */
import { isStageInput, type OperatorNode, type StageInput, watermarkAt } from "../operators/operator.ts";
import { operatorKind } from "../operators/registry.ts";
import type { PhysicalPlan } from "../plan/physical.ts";
import type { EpochEntry } from "./entries.ts";

const nodes = (root: OperatorNode | StageInput): readonly OperatorNode[] =>
  isStageInput(root) ? [] : [root, ...root.inputs.flatMap(nodes)];

/** All operators of a plan. */
export const operatorsOf = (plan: PhysicalPlan): readonly OperatorNode[] =>
  plan.stages.flatMap((s) => nodes(s.root));

/** `watermark` is B of the epoch that would be planned after `last`. */
export const wantsEmptyEpoch = (
  plan: PhysicalPlan,
  last: EpochEntry | undefined,
  watermark: number,
  nowMs: number,
): boolean => {
  if (last === undefined) return false;
  return operatorsOf(plan).some((n) => {
    const before = watermarkAt(n, last.watermark);
    const after = watermarkAt(n, watermark);
    const kind = operatorKind(n.kind);
    if (kind.wantsTimerEpoch?.(n.spec, last.clockMs, nowMs) === true) return true;
    return kind.wantsEmptyEpoch?.(n.spec, before, after) === true;
  });
};
