/** What tests see of a running query from outside: when it commits, and which process runs which actors. */
import { assignmentLog, commitLog } from "../../src/log/names.ts";
import { unpack } from "../../src/codec/msgpack.ts";
import type { Assignment } from "../../src/cluster/assignment.ts";
import type { Log, LogStore, Reader } from "../../src/log/log.ts";
import type { Hooks } from "../support/temporary.ts";

const SESSION = "e2e";
const QUERY = "counts";

/** Times of commits, as this process sees them. */
export class CommitWatch {
  readonly #times: number[] = [];

  static async start(t: Hooks, store: LogStore): Promise<CommitWatch> {
    const watch = new CommitWatch();
    const log = await store.open(commitLog(SESSION, QUERY));
    const reader = log.reader((await log.bounds()).first);
    t.after(() => reader.close());
    void watch.#follow(reader).catch(() => {});
    return watch;
  }

  async #follow(reader: Reader): Promise<void> {
    for (;;) {
      const records = await reader.next();
      if (records.length === 0) return;
      for (const _ of records) this.#times.push(performance.now());
    }
  }

  get commits(): number {
    return this.#times.length;
  }

  /** The longest time without a commit since `from`, in ms. */
  silenceSince(from: number): number {
    const times = [from, ...this.#times.filter((at) => at > from), performance.now()];
    return Math.max(...times.slice(1).map((at, i) => at - times[i]!));
  }
}

/** The leader trims the log behind each new assignment: what was the newest a moment ago may be gone. */
const newest = async (log: Log): Promise<Assignment | undefined> => {
  for (;;) {
    const { first, last } = await log.bounds();
    if (last < first) return undefined;
    const record = await log.get(last);
    if (record !== undefined) return unpack(record.payload) as Assignment;
  }
};

/** The newest assignment: number of actors by process id. */
export const actorsByProcess = async (store: LogStore): Promise<ReadonlyMap<number, number>> => {
  const log = await store.open(assignmentLog(SESSION, QUERY));
  const out = new Map<number, number>();
  for (const [, node] of (await newest(log))?.actors ?? []) {
    const pid = Number(/-(\d+)-[0-9a-f]{8}$/.exec(node)?.[1]);
    out.set(pid, (out.get(pid) ?? 0) + 1);
  }
  return out;
};
