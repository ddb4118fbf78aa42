/** The next plan entry from the one before and what the leader knows: pure, so that every rule of it can be tested by itself (laws 2, 12, 13). */
import type { Json, SplitRange } from "../connectors/source.ts";
import type { EpochEntry, EventTimeMaxima, PlanText, PreviousTopology, Topology } from "./entries.ts";

export interface NextEpoch {
  readonly last: EpochEntry | undefined;
  /** Position of the last entry in the plan log. */
  readonly previous: number;
  readonly ranges: Readonly<Record<string, readonly SplitRange[]>>;
  readonly unread: Readonly<Record<string, readonly string[]>>;
  readonly maxima: EventTimeMaxima;
  readonly watermark: number;
  readonly idle?: readonly string[];
  readonly nowMs: number;
  readonly token: number;
  readonly topology: Topology;
  readonly fingerprint: string;
  readonly program?: string | undefined;
  readonly plan?: PlanText | undefined;
  readonly runId: string;
  readonly queryId: string;
  readonly sources: readonly string[];
}

export const nextEntry = (n: NextEpoch): EpochEntry => {
  const { last } = n;
  const ends: Record<string, Record<string, Json>> = {};
  const splits: Record<string, string[]> = {};
  for (const id of n.sources) {
    const end = (ends[id] = { ...last?.ends[id] });
    const known = (splits[id] = [...(last?.splits[id] ?? [])]);
    for (const r of n.ranges[id] ?? []) {
      end[r.split] = r.to;
      if (!known.includes(r.split)) known.push(r.split);
    }
  }
  return {
    kind: "epoch",
    epoch: (last?.epoch ?? 0) + 1,
    previous: n.previous,
    token: n.token,
    topology: n.topology,
    fingerprint: n.fingerprint,
    ...(n.program === undefined ? {} : { program: n.program }),
    ...(n.plan === undefined ? {} : { plan: n.plan }),
    ranges: n.ranges,
    ends,
    splits,
    unread: n.unread,
    // Never below the entry before: a new leader's clock may be behind.
    clockMs: Math.max(last?.clockMs ?? 0, n.nowMs),
    maxima: n.maxima,
    watermark: n.watermark,
    lateWatermark: last?.watermark ?? 0,
    ...(n.idle === undefined || n.idle.length === 0 ? {} : { idle: n.idle }),
    empty: !Object.values(n.ranges).some((r) => r.length > 0),
    runId: n.runId,
    queryId: n.queryId,
  };
};

const withoutHistory = ({ version, since, partitions, previous }: Topology): PreviousTopology => ({
  version,
  since,
  partitions,
  previous:
    previous === undefined
      ? undefined
      : { version: previous.version, since: previous.since, partitions: previous.partitions },
});

/**
 * The topology of the next epoch: the last one, or a new version when other numbers of partitions are wanted. A new version waits until epoch `since`
 * of the last one is committed: then every final snapshot before it is there, and only two topologies ever run (law 13).
 */
export const nextTopology = (
  last: EpochEntry | undefined,
  wanted: readonly number[],
  committed: number,
): Topology => {
  const before = last?.topology;
  if (before !== undefined && wanted.every((n, i) => n === before.partitions[i])) return before;
  if (before !== undefined && committed < before.since) return before;
  return {
    version: (before?.version ?? 0) + 1,
    since: (last?.epoch ?? 0) + 1,
    partitions: wanted,
    previous: before === undefined ? undefined : withoutHistory(before),
  };
};
