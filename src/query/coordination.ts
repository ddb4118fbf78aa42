/** What the coordinator gets: its environment from the node's services and the query's definition. */
import type { CoordinatorEnvironment, SourceLimits } from "../../actors/coordinator-environment.ts";
import { pack } from "../codec/msgpack.ts";
import { parseDuration } from "../core/duration.ts";
import { EPOCH_STALL_MS } from "../core/limits.ts";
import type { Log } from "../log/log.ts";
import type { Options } from "../connectors/source.ts";
import type { Topology } from "../runtime/entries.ts";
import type { QueryHost } from "./query-host.ts";
import type { NodeServices } from "./services.ts";

const DEFAULT_MAX_TRIGGER_DELAY = "15 minutes";

const numberOption = (options: Options, ...names: readonly string[]): number | undefined => {
  for (const name of names) {
    const key = Object.keys(options).find((k) => k.toLowerCase() === name.toLowerCase());
    if (key !== undefined) return Number(options[key]);
  }
  return undefined;
};

const limitsOf = (options: Options): SourceLimits => ({
  maxOffsets: numberOption(options, "maxOffsetsPerTrigger", "maxFilesPerTrigger"),
  minOffsets: numberOption(options, "minOffsetsPerTrigger"),
  maxTriggerDelayMs: parseDuration(
    options[Object.keys(options).find((k) => k.toLowerCase() === "maxtriggerdelay") ?? ""] ??
      DEFAULT_MAX_TRIGGER_DELAY,
  ),
});

export const coordinatorEnvironment = async (
  services: NodeServices,
  host: QueryHost,
  logs: { readonly plan: Log; readonly commit: Log },
  token: number,
): Promise<CoordinatorEnvironment> => {
  const { definition, follower, names, sources } = host;
  const { plan } = definition;
  const others = services.membership.hosts(definition.name).filter((n) => n !== services.membership.nodeId);
  const parallelism = new Map<number, number>();
  for (const stage of plan.stages)
    if (stage.partitioning === "source")
      parallelism.set(stage.id, await sources.get(stage.source!.id)!.parallelism());
  const newRun = others.length === 0 && host.fresh;
  const partitions = (previous: Topology | undefined, rescaleTo: number | undefined): readonly number[] => {
    const keyedBefore = plan.stages.findIndex((s) => s.partitioning === "keyed");
    const before = keyedBefore < 0 ? undefined : previous?.partitions[keyedBefore];
    const keyed = rescaleTo ?? before ?? definition.partitions ?? services.settings.partitions;
    return plan.stages.map((s, i) =>
      s.partitioning === "keyed"
        ? keyed
        : s.partitioning === 1
          ? 1
          : // What the sources have to read may have changed since the last start; within a run it stays.
            ((newRun ? undefined : previous?.partitions[i]) ?? Math.min(parallelism.get(s.id)!, keyed)),
    );
  };
  return {
    queryName: definition.name,
    queryId: follower.run?.queryId ?? follower.latest?.entry.queryId ?? services.uuid(),
    runId: services.uuid(),
    plan,
    names,
    store: services.store,
    planLog: logs.plan,
    commitLog: logs.commit,
    follower,
    sources: new Map([...sources].map(([id, s]) => [id, s.enumerator()])),
    clock: services.clock,
    timeZone: services.timeZone,
    metrics: services.metrics,
    token,
    alive: () => services.membership.token === token,
    trigger: definition.trigger,
    limits: new Map(
      plan.stages.flatMap((s) =>
        s.source === undefined ? [] : [[s.source.id, limitsOf(s.source.spec.options)] as const],
      ),
    ),
    partitions,
    partitionsWanted: definition.partitions,
    newRun,
    splitWatermark: services.settings.splitWatermark,
    maximaAfterStop: services.settings.maximaAfterStop,
    idleTimeoutMs: services.settings.idleTimeoutMs,
    stallMs: services.settings.stallMs ?? EPOCH_STALL_MS,
    assigned: (actor) => host.assigned(actor),
    nudge: (actors) =>
      services.store.bus.publish(names.nudges, pack(actors.map((a) => [a.stage, a.partition, a.topology]))),
    warn: (message, fields) => services.log("warn", message, fields),
  };
};
