/** A node whose program has another plan for the same query name is refused, with what differs (law 13). */
import { PlanMismatchError } from "../core/errors.ts";
import type { PhysicalPlan } from "../plan/physical.ts";
import type { QueryFollower } from "../runtime/follower.ts";
import { linesOf } from "../runtime/plan-text.ts";

export const planDifference = (
  name: string,
  follower: QueryFollower,
  plan: PhysicalPlan,
): PlanMismatchError | undefined => {
  const theirs = follower.run?.fingerprint ?? follower.latest?.entry.fingerprint;
  if (theirs === undefined || theirs === plan.fingerprint) return undefined;
  return new PlanMismatchError(
    `query ${name} has a checkpoint of another plan; what differs (- checkpoint, + this program):\n${difference(follower.plan?.fingerprintLines ?? [], plan.fingerprintLines)}`,
    { hint: "give the changed query another name, or remove its checkpoint" },
  );
};

const difference = (theirs: readonly string[], ours: readonly string[]): string =>
  [
    ...theirs.filter((l) => !ours.includes(l)).map((l) => `  - ${l}`),
    ...ours.filter((l) => !theirs.includes(l)).map((l) => `  + ${l}`),
  ].join("\n");

/** What differs from the program that planned last, where the log has its plan. */
const programLines = ({ plan: theirs }: QueryFollower, plan: PhysicalPlan): string =>
  theirs === undefined || theirs.lines.length === 0 || theirs.program === plan.program
    ? ""
    : `; what differs (- theirs, + this program):\n${difference(theirs.lines, linesOf(plan))}`;

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
    return new PlanMismatchError(
      `query ${name} runs on other nodes by another version of this program${programLines(follower, plan)}`,
      {
        hint: "stop those nodes, or the query, first",
      },
    );
  const last = follower.latest?.entry;
  const unfinished = last !== undefined && last.epoch > follower.committed;
  if (!unfinished || last.program === undefined || last.program === plan.program) return undefined;
  return new PlanMismatchError(
    `query ${name} has unfinished epochs (${follower.committed + 1} to ${last.epoch}) of another version of this program${programLines(follower, plan)}`,
    { hint: "start the old program once to finish them" },
  );
};
