/** How far behind the base watermark an operator's own watermark is: time-range joins below it hold back what they still give (law 12). */
import { joinStateWatermarks } from "./join-watermarks.ts";
import type { LogicalPlan } from "./logical.ts";
import { childrenOf } from "./nodes.ts";

/** What an operator node is told of it: its watermark is B(e) minus the delay, and at most the cap. */
export const watermarkOptions = (
  plan: LogicalPlan,
): { readonly watermarkDelayMs: number; readonly watermarkCapMs?: number } => {
  const cap = watermarkCap(plan);
  return { watermarkDelayMs: watermarkDelay(plan), ...(cap === Infinity ? {} : { watermarkCapMs: cap }) };
};

/** The least that a join below lets through (W4 of join-watermarks.ts). */
const watermarkCap = (plan: LogicalPlan): number =>
  Math.min(
    Infinity,
    ...childrenOf(plan).map((p) => {
      const below = watermarkCap(p);
      if (p.kind !== "join" || !p.left.streaming || !p.right.streaming) return below;
      const { delayMs, atMostMs } = joinStateWatermarks(p);
      return Math.min(below - delayMs, atMostMs ?? Infinity);
    }),
  );

/** Milliseconds that In(e) of `plan` is behind B(e): the largest delay of what it reads. */
const watermarkDelay = (plan: LogicalPlan): number => Math.max(0, ...childrenOf(plan).map(passedOn));

const passedOn = (plan: LogicalPlan): number => {
  const own = watermarkDelay(plan);
  const joins = plan.kind === "join" && plan.left.streaming && plan.right.streaming;
  return joins ? own + joinStateWatermarks(plan).delayMs : own;
};
