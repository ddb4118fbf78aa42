/** How far behind the base watermark an operator's own watermark is: time-range joins below it hold back what they still give (law 12). */
import { joinStateWatermarks } from "./join-watermarks.ts";
import type { LogicalPlan } from "./logical.ts";
import { childrenOf } from "./nodes.ts";

/** Milliseconds that In(e) of `plan` is behind B(e): the largest delay of what it reads. */
export const watermarkDelay = (plan: LogicalPlan): number => Math.max(0, ...childrenOf(plan).map(passedOn));

const passedOn = (plan: LogicalPlan): number => {
  const own = watermarkDelay(plan);
  const joins = plan.kind === "join" && plan.left.streaming && plan.right.streaming;
  return joins ? own + joinStateWatermarks(plan).delayMs : own;
};
