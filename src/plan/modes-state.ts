/** Keyed state by user code: which modes and timeouts (flat)mapGroupsWithState and transformWithState take. */
import type { LogicalPlan } from "./logical.ts";
import { capitalised, type ModeContext, refuse } from "./modes-errors.ts";
import { eventTimeColumns, walk } from "./nodes.ts";

type GroupState = Extract<LogicalPlan, { kind: "groupState" }>;

/** How many of them a query may hold. */
export const checkStateCount = (plan: LogicalPlan, context: ModeContext): void => {
  const found: (GroupState & LogicalPlan)[] = [];
  walk(plan, (p) => {
    if (p.kind === "groupState" && p.streaming) found.push(p);
  });
  const maps = found.filter((p) => p.fn.mode === "mapGroups");
  const flat = found.filter((p) => p.fn.mode === "flatMapGroups");
  if (maps.length >= 2)
    refuse(
      maps[0]!,
      "Multiple mapGroupsWithStates are not supported on a streaming DataFrames/Datasets",
      "use transformWithState",
    );
  if (maps.length > 0 && flat.length > 0)
    refuse(
      maps[0]!,
      "Mixing mapGroupsWithStates and flatMapGroupsWithStates are not supported on a streaming DataFrames/Datasets",
      "use flatMapGroupsWithState in append mode for both",
    );
  if (flat.length >= 2 && (context.outputMode !== "append" || flat.some((p) => p.fn.outputMode !== "append")))
    refuse(
      flat[0]!,
      "Multiple flatMapGroupsWithStates are not supported when they are not all in append mode or the output mode is not append on a streaming DataFrames/Datasets",
      "use append mode in all of them",
    );
};

export const checkGroupState = (p: GroupState & LogicalPlan, context: ModeContext): void => {
  if (p.initial?.streaming === true)
    refuse(
      p,
      "Non-streaming DataFrame/Dataset is required as the initial state of an operation on keyed state of a streaming DataFrame/Dataset",
      "give the initial state as a batch DataFrame",
    );
  const mode = capitalised(context.outputMode);
  if (p.fn.mode === "mapGroups" && context.outputMode !== "update")
    refuse(
      p,
      `mapGroupsWithState is not supported with ${mode} output mode on a streaming DataFrame/Dataset`,
      "use update mode, or flatMapGroupsWithState",
    );
  if (p.fn.mode === "flatMapGroups") checkFlatMap(p, context, mode);
  if (p.fn.timeout === "eventTime" && eventTimeColumns(p.child).length === 0)
    refuse(
      p,
      "Watermark must be specified in the query using '[Dataset/DataFrame].withWatermark()' for using event-time timeout in a [map|flatMap]GroupsWithState. Event-time timeout not supported without watermark",
      "call withWatermark before it",
    );
};

const checkFlatMap = (p: GroupState & LogicalPlan, context: ModeContext, mode: string): void => {
  const own = p.fn.outputMode;
  if (!context.aggregated && own !== context.outputMode)
    refuse(
      p,
      `flatMapGroupsWithState in ${own} mode is not supported with ${mode} output mode on a streaming DataFrame/Dataset`,
      `use ${own} mode in both`,
    );
  if (context.aggregated && own === "update")
    refuse(
      p,
      "flatMapGroupsWithState in update mode is not supported with aggregation on a streaming DataFrame/Dataset",
      "use append mode in it",
    );
};
