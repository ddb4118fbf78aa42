/** The commit log of a query as history: what each epoch did. */
import { position } from "../core/brands.ts";
import type { Log } from "../log/log.ts";
import { type CommitEntry, decodeCommitEntry } from "../runtime/entries.ts";

/** The committed epochs that the log still holds, oldest first, each once. */
export const committedEpochs = async (log: Log): Promise<readonly CommitEntry[]> => {
  const { first, last } = await log.bounds();
  const entries = new Map<number, CommitEntry>();
  for (let at = Number(first); at <= last; at++) {
    const record = await log.get(position(at));
    if (record === undefined) continue;
    const entry = decodeCommitEntry(record.payload);
    // A leader that lost its place may have written an epoch again: the first entry counts.
    if (!entries.has(entry.epoch)) entries.set(entry.epoch, entry);
  }
  return [...entries.values()];
};
