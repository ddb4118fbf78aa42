/**
 * The queries that a log store holds, read and changed from outside: `ls`, `status`, `stop`, `rescale` and `explain` of the command line, which are no node
 * of the group.
 */
import { sleep, type Clock } from "../core/clock.ts";
import { position } from "../core/brands.ts";
import { ConfigurationError, LogConflictError } from "../core/errors.ts";
import { CONTROL_LOG_BYTES_MAX } from "../core/limits.ts";
import { commitLog, planLog } from "../log/names.ts";
import type { LogStore } from "../log/log.ts";
import { encodeEntry, type PlanRecord } from "../runtime/entries.ts";
import { QueryFollower } from "../runtime/follower.ts";

/** A query as its logs describe it. */
export interface QueryRecord {
  readonly session: string;
  readonly name: string;
  readonly id: string;
  readonly runId: string;
  readonly state: "active" | "stopping" | "stopped" | "failed" | "empty";
  readonly plannedEpoch: number;
  readonly committedEpoch: number;
  /** Of each stage. */
  readonly partitions: readonly number[];
  /** ISO time, where the query has a watermark. */
  readonly watermark: string | undefined;
  readonly failure: string | undefined;
  readonly inputRows: number | undefined;
  readonly outputRows: number | undefined;
  readonly lateRows: number | undefined;
  readonly stateRows: number | undefined;
  readonly lastEpochAt: string | undefined;
  readonly plan: readonly string[];
}

const CONTROL_LOG = { maxBytes: CONTROL_LOG_BYTES_MAX };
const iso = (ms: number): string => new Date(ms).toISOString();
const total = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

const stateOf = (f: QueryFollower): QueryRecord["state"] =>
  f.state === "stopping" && f.finished ? "stopped" : f.state;

const recordOf = (session: string, name: string, f: QueryFollower): QueryRecord => {
  const entry = f.latest?.entry;
  const progress = f.lastCommit?.progress;
  return {
    session,
    name,
    id: f.run?.queryId ?? entry?.queryId ?? "",
    runId: f.run?.runId ?? entry?.runId ?? "",
    state: stateOf(f),
    plannedEpoch: entry?.epoch ?? 0,
    committedEpoch: f.committed,
    partitions: entry?.topology.partitions ?? [],
    watermark: entry !== undefined && entry.watermark > 0 ? iso(entry.watermark) : undefined,
    failure: f.state === "failed" ? f.failure?.message : undefined,
    inputRows: progress && total(Object.values(progress.inputRows)),
    outputRows: progress?.outputRows,
    lateRows: progress?.lateRows,
    stateRows: progress && total(Object.values(progress.operators).map((o) => o.rowsTotal)),
    lastEpochAt: progress && iso(progress.endMs),
    plan: f.plan?.fingerprintLines ?? [],
  };
};

export class Catalogue {
  readonly #store: LogStore;
  readonly #clock: Clock;

  constructor(store: LogStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Session and name of every query with a plan log. */
  async names(): Promise<readonly (readonly [string, string])[]> {
    const logs = await this.#store.list("");
    return logs
      .map((log) => log.split("."))
      .filter((tokens) => tokens.length === 3 && tokens[2] === "plan")
      .map(([session, query]) => [session!, query!] as const);
  }

  async all(): Promise<readonly QueryRecord[]> {
    const out: QueryRecord[] = [];
    for (const [session, name] of await this.names())
      out.push(await this.#with(session, name, (f) => Promise.resolve(recordOf(session, name, f))));
    return out;
  }

  /** By name, `session.name` or id. ConfigurationError when there is none, or more than one. */
  async find(key: string): Promise<QueryRecord> {
    const all = await this.all();
    return only(
      key,
      all.filter((q) => [q.id, q.name, `${q.session}.${q.name}`].includes(key)),
      all,
    );
  }

  async #with<T>(
    session: string,
    name: string,
    use: (f: QueryFollower, append: (r: PlanRecord) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    const plan = await this.#store.open(planLog(session, name), CONTROL_LOG);
    const commit = await this.#store.open(commitLog(session, name), CONTROL_LOG);
    const follower = new QueryFollower(plan, commit);
    await follower.start();
    const append = async (record: PlanRecord): Promise<void> => {
      for (;;) {
        await follower.catchUp();
        try {
          const at = await plan.append(encodeEntry(record), { expectLast: position(follower.planPosition) });
          return await follower.until(() => follower.planPosition >= at);
        } catch (e) {
          if (!(e instanceof LogConflictError)) throw e;
        }
      }
    };
    try {
      return await use(follower, append);
    } finally {
      follower.close();
    }
  }

  /** Asks all nodes to stop the query; waits up to `waitMs` for the planned epochs to finish. */
  stop(query: QueryRecord, waitMs: number): Promise<QueryRecord> {
    return this.#with(query.session, query.name, async (f, append) => {
      if (f.state === "active" || f.state === "empty") await append({ kind: "stop", token: 0 });
      const patience = new AbortController();
      void sleep(this.#clock, waitMs, patience.signal).then(() => patience.abort());
      await f.until(() => f.finished, patience.signal);
      patience.abort();
      return recordOf(query.session, query.name, f);
    });
  }

  /** Asks for another number of partitions: the leader answers with a new topology (law 13). */
  rescale(query: QueryRecord, partitions: number): Promise<void> {
    return this.#with(query.session, query.name, (_, append) => append({ kind: "rescale", partitions }));
  }
}

/** The one match. `all` are named when there is none. */
export const only = <Q extends { readonly session: string; readonly name: string }>(
  key: string,
  found: readonly Q[],
  all: readonly Q[],
): Q => {
  const names = (list: readonly Q[]): string => list.map((q) => `${q.session}.${q.name}`).join(", ");
  if (found.length === 1) return found[0]!;
  if (found.length > 1)
    throw new ConfigurationError(`several queries are called ${key}: ${names(found)}`, {
      hint: "give session.name, or the id",
    });
  throw new ConfigurationError(`there is no query ${JSON.stringify(key)}`, {
    hint: all.length === 0 ? "no query has a checkpoint here" : `there are ${names(all)}`,
  });
};
