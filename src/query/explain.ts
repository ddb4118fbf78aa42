/** `explain()`: every level of a plan as deterministic text (DESIGN section 5). */
import { AnalysisError } from "../core/errors.ts";
import { sinkFactory } from "../connectors/registry.ts";
import type { SinkContext } from "../connectors/sink.ts";
import type { LogicalPlan } from "../plan/logical.ts";
import { explainLogical } from "../plan/explain-logical.ts";
import { explainPhysical, explainCode } from "../plan/explain-physical.ts";
import { checkStreaming } from "../plan/modes.ts";
import type { PhysicalPlan } from "../plan/physical.ts";
import { optimised, type PlanningOptions } from "./planning.ts";
import type { ExplainMode } from "./runtime.ts";

export interface Plans {
  readonly logical: LogicalPlan;
  readonly optimised: LogicalPlan;
  readonly physical: PhysicalPlan;
}

const section = (title: string, text: string): string => `== ${title} ==\n${text}\n`;

/** What Spark says to a query that only the default compatibility runs; "" for queries that Spark runs too. */
const extensionOf = ({ logical, physical }: Plans): string => {
  try {
    checkStreaming(logical, physical.outputMode, "spark");
    return "";
  } catch (e) {
    if (!(e instanceof AnalysisError)) throw e;
    return (
      section("Extension", `Apache Spark refuses this query: ${e.message.split(". Operator: ")[0]}.\n`) + "\n"
    );
  }
};

/** `target`: as of `inspectSink`. */
export const explainQuery = (plans: Plans, mode: ExplainMode, target?: string): string =>
  extensionOf(plans) + explainPlans(plans, mode, target);

/** What the plan's sink says of its target, such as the fence it uses there; undefined when it cannot be asked now. */
export const inspectSink = async (
  { stages }: PhysicalPlan,
  services: Pick<SinkContext, "store" | "clock">,
): Promise<string | undefined> => {
  const sink = stages.find((s) => s.sink !== undefined)?.sink;
  if (sink === undefined) return undefined;
  try {
    return await sinkFactory(sink.format).inspect?.(sink, services);
  } catch {
    // A target that is not there yet or cannot be reached is for the query itself to tell.
    return undefined;
  }
};

const explainPlans = (plans: Plans, mode: ExplainMode, target: string | undefined): string => {
  const physical = section("Physical Plan", explainPhysical(plans.physical, target));
  if (mode === "simple" || mode === "cost") return physical;
  if (mode === "codegen") return physical + "\n" + section("Generated Code", explainCode(plans.physical));
  return [
    section("Analyzed Logical Plan", explainLogical(plans.logical)),
    section("Optimized Logical Plan", explainLogical(plans.optimised)),
    physical,
  ].join("\n");
};

export const explainFrame = (plan: LogicalPlan, o: PlanningOptions, mode: ExplainMode): string => {
  const better = section("Optimized Logical Plan", explainLogical(optimised(plan, o)));
  return mode === "simple" ? better : section("Analyzed Logical Plan", explainLogical(plan)) + "\n" + better;
};
