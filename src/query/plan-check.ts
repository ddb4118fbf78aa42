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

/**
 * Two versions of a program whose state agrees may follow each other, but not work on one epoch: half of it would be old, half new (law 13).
 * `others`: what the other living nodes of the query announced.
 */
export const programDifference = (
  name: string,
  follower: QueryFollower,
  plan: PhysicalPlan,
  others: readonly string[],
): PlanMismatchError | undefined => {
  if (others.some((p) => p !== plan.program))
    return new PlanMismatchError(`query ${name} runs on other nodes by another version of this program`, {
      hint: "stop those nodes, or the query, first",
    });
  const last = follower.latest?.entry;
  const unfinished = last !== undefined && last.epoch > follower.committed;
  if (!unfinished || last.program === undefined || last.program === plan.program) return undefined;
  return new PlanMismatchError(
    `query ${name} has unfinished epochs (${follower.committed + 1} to ${last.epoch}) of another version of this program`,
    { hint: "start the old program once to finish them" },
  );
};
