/** From a relation to something that runs: analyse, check the mode, optimise, plan. The one path of the typed API, SQL and tests. */
import { type Batch, rowsOf } from "../core/batch.ts";
import type { SinkSpec, OutputMode } from "../connectors/sink.ts";
import { sinkFactory, sourceFactory } from "../connectors/registry.ts";
import { analyse } from "../plan/analyse.ts";
import type { Catalog } from "../plan/catalog.ts";
import type { LogicalPlan } from "../plan/logical.ts";
import { checkStreaming } from "../plan/modes.ts";
import { childrenOf } from "../plan/nodes.ts";
import { optimise } from "../plan/optimise.ts";
import { schemaOfAttributes } from "../plan/fragment.ts";
import type { PhysicalPlan } from "../plan/physical.ts";
import { withinStack } from "../plan/nesting.ts";
import { planBatch, planStream } from "../plan/physical-planner.ts";
import type { Relation } from "../plan/relation.ts";
import { recogniseTopN } from "../plan/top-n.ts";
import { AnalysisError } from "../core/errors.ts";
import { materialise } from "./materialise.ts";
import { type BatchServices, runBatchPlan } from "./batch-runner.ts";

export interface PlanningOptions {
  readonly timeZone: string;
  readonly compatibility: "extended" | "spark";
  readonly watermarkPolicy: "min" | "max";
  readonly staticReload: "epoch" | "once";
  /** Optimiser rules left out: the fuzz test compares results with and without. */
  readonly withoutRules: readonly string[];
}

export const analysed = (relation: Relation, catalog: Catalog, o: PlanningOptions): LogicalPlan =>
  analyse(relation, catalog, { timeZone: o.timeZone, compatibility: o.compatibility });

export const optimised = (plan: LogicalPlan, o: PlanningOptions): LogicalPlan =>
  withinStack(() =>
    optimise(plan, { timeZone: o.timeZone, compatibility: o.compatibility, without: o.withoutRules }),
  );

/** Runs an analysed batch plan. */
export const runBatch = async (
  plan: LogicalPlan,
  o: PlanningOptions,
  services: BatchServices,
): Promise<readonly Batch[]> => {
  const flat = await materialise(plan, {
    run: async (p) => (await runFlat(p, o, services)).flatMap(rowsOf),
    clockMs: services.clock.now(),
    timeZone: o.timeZone,
  });
  return runFlat(flat, o, services);
};

const runFlat = (
  plan: LogicalPlan,
  o: PlanningOptions,
  services: BatchServices,
): Promise<readonly Batch[]> => {
  const better = optimised(plan, o);
  const physical = withinStack(() => planBatch(better, { runBatch: (p) => runBatch(p, o, services) }));
  return runBatchPlan(physical, services);
};

/** Every source's options are checked before anything starts. */
const validateSources = (plan: LogicalPlan): void => {
  if (plan.kind === "source")
    sourceFactory(plan.source.format).validate(plan.source.options, plan.streaming ? "stream" : "batch");
  for (const child of childrenOf(plan)) validateSources(child);
};

interface PlannedQuery {
  readonly logical: LogicalPlan;
  readonly optimised: LogicalPlan;
  readonly physical: PhysicalPlan;
}

const plannedQuery = (
  relation: Relation,
  catalog: Catalog,
  outputMode: OutputMode,
  sink: SinkSpec,
  o: PlanningOptions,
  services: BatchServices,
  onError: PhysicalPlan["onError"] = "fail",
): PlannedQuery => {
  const resolved = analysed(relation, catalog, o);
  const logical = o.compatibility === "extended" ? recogniseTopN(resolved) : resolved;
  if (!logical.streaming)
    throw new AnalysisError(
      "writeStream needs a streaming frame: this one has no stream in it; use write, or readStream instead of read",
      {
        errorClass: "WRITE_STREAM_NOT_ALLOWED",
      },
    );
  checkStreaming(logical, outputMode, o.compatibility);
  validateSources(logical);
  const factory = sinkFactory(sink.format);
  factory.validate(sink, schemaOfAttributes(logical.output), outputMode);
  const better = optimised(logical, o);
  const physical = planStream(better, sink, factory.partitioned(sink), {
    outputMode,
    watermarkPolicy: o.watermarkPolicy,
    staticReload: o.staticReload,
    onError,
    runBatch: (p) => runBatch(p, o, services),
  });
  return { logical, optimised: better, physical };
};

/** Plans a streaming query; AnalysisError or ConfigurationError before anything connects. */
export const planQuery = (...args: Parameters<typeof plannedQuery>): PlannedQuery =>
  withinStack(() => plannedQuery(...args));
