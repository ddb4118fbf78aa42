/**
 * The plan as text in the plan log: a program that joins with another plan is told what differs, and `explain` has something to print, long after the
 * record of the run was trimmed.
 *
 *  T1 the log always holds a record with the text: nothing from the newest one on is trimmed. T2 An epoch entry has it when the next trim would stop at the one
 *     before, and when another program's is there.
 */
import { COMMIT_HISTORY } from "../core/limits.ts";
import { explainPhysical } from "../plan/explain-physical.ts";
import type { PhysicalPlan } from "../plan/physical.ts";
import type { PlanText } from "./entries.ts";
import type { QueryFollower } from "./follower.ts";

export const linesOf = (plan: PhysicalPlan): readonly string[] => explainPhysical(plan).split("\n");

type Followed = Pick<QueryFollower, "plan" | "planTextAt" | "positionOf" | "lastCommit">;

export class PlanNotes {
  readonly #follower: Followed;
  readonly #plan: PhysicalPlan;
  #text: PlanText | undefined;

  constructor(follower: Followed, plan: PhysicalPlan) {
    this.#follower = follower;
    this.#plan = plan;
  }

  get text(): PlanText {
    const { program, fingerprintLines } = this.#plan;
    return (this.#text ??= { program, lines: linesOf(this.#plan), fingerprintLines });
  }

  /** The text for the entry of an epoch, where it is due (T2). */
  forEpoch(epoch: number): PlanText | undefined {
    const { plan, planTextAt, lastCommit } = this.#follower;
    if (plan?.program !== this.#plan.program) return this.text;
    if (epoch % COMMIT_HISTORY !== 0) return undefined;
    const keep = this.#follower.positionOf(lastCommit?.snapshotEpoch ?? 0);
    return keep !== undefined && planTextAt < keep ? this.text : undefined;
  }

  /** Position that the plan log may be trimmed to (T1), of an epoch that every actor has a snapshot of; undefined: not known. */
  keep(snapshotEpoch: number): number | undefined {
    const { planTextAt } = this.#follower;
    const at = this.#follower.positionOf(snapshotEpoch);
    return at === undefined || planTextAt === 0 ? at : Math.min(at, planTextAt);
  }
}
