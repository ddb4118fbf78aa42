/** A node whose program has another plan for the same query name is refused, with what differs (law 13). */
import { PlanMismatchError } from "../core/errors.ts";
import type { PhysicalPlan } from "../plan/physical.ts";
import type { QueryFollower } from "../runtime/follower.ts";

export const planDifference = (
  name: string,
  follower: QueryFollower,
  plan: PhysicalPlan,
): PlanMismatchError | undefined => {
  const lines = follower.run?.fingerprintLines ?? [];
  const theirs = follower.run?.fingerprint ?? follower.latest?.entry.fingerprint;
  if (theirs === undefined || theirs === plan.fingerprint) return undefined;
  const difference = [
    ...lines.filter((l) => !plan.fingerprintLines.includes(l)).map((l) => `  - ${l}`),
    ...plan.fingerprintLines.filter((l) => !lines.includes(l)).map((l) => `  + ${l}`),
  ];
  return new PlanMismatchError(
    `query ${name} has a checkpoint of another plan; what differs (- checkpoint, + this program):\n${difference.join("\n")}`,
    { hint: "give the changed query another name, or remove its checkpoint" },
  );
};
