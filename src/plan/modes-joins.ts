/**
 * Which joins run on streams. A stream with static data keeps no state, so only the stream's side may be preserved; two streams need a
 * watermark and, where unmatched rows are given, a bound that says when no partner can come.
 */
import { hasRangeBound, joinStateWatermarks } from "./join-watermarks.ts";
import type { LogicalPlan } from "./logical.ts";
import { capitalised, type ModeContext, refuse } from "./modes-errors.ts";
import type { JoinHow } from "./relation.ts";

type Join = Extract<LogicalPlan, { kind: "join" }>;

/** Spark's names of join types. */
const NAME: Record<JoinHow, string> = {
  inner: "Inner",
  cross: "Cross",
  left: "LeftOuter",
  right: "RightOuter",
  full: "FullOuter",
  semi: "LeftSemi",
  anti: "LeftAnti",
};

const UPDATABLE: readonly JoinHow[] = ["inner", "cross", "semi"];

export const checkJoin = (p: Join & LogicalPlan, context: ModeContext): void => {
  if (p.origin === "except" || p.origin === "intersect") return checkSetOperation(p, context);
  const both = p.left.streaming && p.right.streaming;
  if (both) checkModeOfBoth(p, context);
  switch (p.how) {
    case "inner":
    case "cross":
      return;
    case "full":
      return both ? checkBound(p, context) : refuseSide(p);
    case "left":
    case "semi":
      return both ? checkBound(p, context) : p.right.streaming ? refuseSide(p) : undefined;
    case "right":
      return both ? checkBound(p, context) : p.left.streaming ? refuseSide(p) : undefined;
    case "anti":
      return checkAnti(p, context);
  }
};

const checkModeOfBoth = (p: Join & LogicalPlan, context: ModeContext): void => {
  if (context.outputMode === "append") return;
  if (context.outputMode === "update" && UPDATABLE.includes(p.how)) return;
  if (context.compatibility === "extended") return;
  refuse(
    p,
    `${NAME[p.how]} join between two streaming DataFrames/Datasets is not supported in ${capitalised(context.outputMode)} output mode, only in Append output mode`,
    "use append mode",
  );
};

const checkAnti = (p: Join & LogicalPlan, context: ModeContext): void => {
  if (!p.right.streaming) return;
  if (context.compatibility === "extended" && p.left.streaming) return checkBound(p, context);
  refuse(
    p,
    "LeftAnti joins with a streaming DataFrame/Dataset on the right are not supported",
    p.left.streaming ? 'set compatibility to "extended"' : "read the left side as a stream too",
  );
};

const refuseSide = (p: Join & LogicalPlan): never => {
  const [stream, other] = p.left.streaming ? ["left", "right"] : ["right", "left"];
  return refuse(
    p,
    `${NAME[p.how]} joins with streaming DataFrames/Datasets on the ${stream} and a static DataFrame/Dataset on the ${other} is not supported`,
    `a row of the static side has no time at which it is known to have no partner: preserve the ${stream} side, or read the ${other} side as a stream`,
  );
};

/** Unmatched rows are given once a bound from the watermark says so. */
const checkBound = (p: Join & LogicalPlan, context: ModeContext): void => {
  const spark = context.compatibility === "spark";
  if (joinStateWatermarks(p).left?.from === "key") return;
  const ofLeft = hasRangeBound(p.left.output, p.right.output, p.condition, spark);
  const ofRight = hasRangeBound(p.right.output, p.left.output, p.condition, spark);
  const bound = p.how === "right" ? ofRight : p.how === "full" ? ofLeft || ofRight : ofLeft;
  if (bound) return;
  refuse(
    p,
    `Stream-stream ${NAME[p.how]} join between two streaming DataFrame/Datasets is not supported without a watermark in the join keys, or a watermark on the nullable side and an appropriate range condition`,
    "call withWatermark on both sides and join on windows, or add a condition such as r.time BETWEEN l.time AND l.time + INTERVAL 1 HOUR",
  );
};

const checkSetOperation = (p: Join & LogicalPlan, context: ModeContext): void => {
  if (p.origin === "except") {
    if (p.right.streaming)
      refuse(
        p,
        "Except on a streaming DataFrame/Dataset on the right is not supported",
        "a row is known to be absent from a stream only at its end: use an anti join with a condition on event times",
      );
    // Spark plans it as an aggregate of all columns, which fails in the first epoch.
    if (
      context.compatibility === "spark" &&
      context.outputMode === "append" &&
      p.output.every((x) => x.eventTimeDelayMs === undefined)
    )
      refuse(
        p,
        "Append output mode not supported for aggregations on streaming DataFrames/DataSets without watermark",
        'keep the watermarked column among the selected ones, use update, or set compatibility to "extended"',
        "UNSUPPORTED_STREAMING_OPERATOR_WITHOUT_WATERMARK",
      );
    return;
  }
  if (context.compatibility === "extended" && !(p.left.streaming && p.right.streaming)) {
    if (p.right.streaming) refuseSide(p);
    return;
  }
  refuse(
    p,
    "Intersect of streaming DataFrames/Datasets is not supported",
    "use a semi join; of two streams with a condition on event times",
  );
};
