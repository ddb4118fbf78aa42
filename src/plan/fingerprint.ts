/**
 * The fingerprint of a physical plan: what decides the format and meaning of its state. Two programs with the same one can go on from each
 * other's checkpoint; where they differ, the lines name it.
 */
import { hashString } from "../core/hash.ts";
import { isStageInput, type OperatorNode, type StageInput } from "../operators/operator.ts";
import { operatorKind } from "../operators/registry.ts";
import type { StagePlan } from "./physical.ts";

const stateLines = (root: OperatorNode | StageInput, stage: StagePlan): string[] => {
  if (isStageInput(root)) return [];
  const below = root.inputs.flatMap((i) => stateLines(i, stage));
  const text = operatorKind(root.kind).stateFingerprint(root.spec);
  return text === "" ? below : [...below, `stage ${stage.id}: ${root.id}: ${text}`];
};

export const fingerprintLines = (stages: readonly StagePlan[]): readonly string[] =>
  stages.flatMap((s) => [
    `stage ${s.id}: ${s.kind}${s.source === undefined ? "" : ` ${s.source.spec.format}`}, reads ${s.inputs.map((e) => `${e.id} of stage ${e.from}`).join(", ") || "no stage"}`,
    ...stateLines(s.root, s),
  ]);

/** Sixteen hex digits. */
export const hashLines = (lines: readonly string[]): string => {
  const text = lines.join("\n");
  const half = (salt: string): string =>
    hashString(salt + text)
      .toString(16)
      .padStart(8, "0");
  return half("a") + half("b");
};
