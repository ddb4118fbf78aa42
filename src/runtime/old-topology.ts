/**
 * Logs of a topology version that is over (law 13): its mailboxes, and its snapshots, which stay until every actor of the version after it has a
 * manifest of its own.
 */
import type { LogStore } from "../log/log.ts";
import type { QueryNames } from "./behaviour.ts";
import type { EpochEntry } from "./entries.ts";

/** Removes the logs of the version before the entry's, if nobody can need them any more. Returns the version removed. */
export const removeOldTopology = async (
  store: LogStore,
  names: QueryNames,
  entry: EpochEntry,
  snapshotEpoch: number,
): Promise<number | undefined> => {
  const { previous, since } = entry.topology;
  if (previous === undefined || snapshotEpoch < since || entry.epoch < since) return undefined;
  for (const [stage, partitions] of previous.partitions.entries())
    for (let p = 0; p < partitions; p++) {
      await store.remove(names.mailbox(stage, previous.version, p));
      await store.remove(names.snapshot(stage, previous.version, p));
    }
  return previous.version;
};
