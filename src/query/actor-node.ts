/** What the supervisor of a query gets: what all its actors on this node share, under the membership that the host takes part with. */
import type { QueryNode } from "../../actors/supervisor.ts";
import type { QueryHost } from "./query-host.ts";
import type { NodeServices } from "./services.ts";

export const actorNode = (s: NodeServices, host: QueryHost, nextToken: () => number): QueryNode => {
  const { definition, follower, names, sources } = host;
  const membership = host.membership!;
  const { run } = follower;
  return {
    queryName: definition.name,
    queryId: run?.queryId ?? follower.latest!.entry.queryId,
    runId: run?.runId ?? follower.latest!.entry.runId,
    nodeId: membership.nodeId,
    plan: definition.plan,
    names,
    store: s.store,
    backend: s.backend,
    follower,
    sources,
    clock: s.clock,
    random: s.random,
    timeZone: s.timeZone,
    alive: () => membership.alive(),
    metrics: s.metrics,
    snapshotIntervalMs: s.settings.snapshotIntervalMs,
    mailboxMaxBytes: s.settings.mailboxMaxBytes,
    maxRestarts: s.settings.maxRestarts,
    replayDigest: s.settings.replayDigest ?? false,
    nextToken,
    log: s.log,
    ...(s.probe === undefined ? {} : { probe: s.probe }),
  };
};
