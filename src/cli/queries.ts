/**
 * How commands find queries: through `--nats`; else through `--data`: the HTTP API of the process that has the directory, or the embedded log itself
 * when none has.
 */
import { existsSync, readdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { ConfigurationError, UnavailableError } from "../core/errors.ts";
import { SHUTDOWN_MS } from "../core/limits.ts";
import { type NodeAddress, readAddress } from "../http/address-file.ts";
import { lockDataDirectory } from "../log/data-directory.ts";
import type { Log, LogStore } from "../log/log.ts";
import { commitLog, deadLetterLog } from "../log/names.ts";
import { Catalogue, only, type QueryRecord } from "../node/catalogue.ts";
import { processLogger } from "../node/log-output.ts";
import { NODE_FLAGS, type Settings, settingsFrom } from "../node/settings.ts";
import { openEmbedded, openJetStream } from "../node/stores.ts";
import { SYSTEM_CLOCK } from "../query/system-clock.ts";
import type { StreamingQueryProgress } from "../query/streaming-query.ts";
import { clearDeadLetters, type FiledLetter, readDeadLetters } from "../query/dead-letter-log.ts";
import { committedEpochs } from "../query/epoch-log.ts";
import type { StateLookup, StateOperator } from "../query/query-inspection.ts";
import type { Arguments, FlagSpec } from "./arguments.ts";
import { JSON_FLAG } from "./command.ts";
import { exportFlags } from "./environment.ts";

const FINDING = new Set(["nats", "creds", "tls-ca", "data", "log-level"]);

/** The flags of every command that looks at queries. */
export const QUERY_FLAGS: readonly FlagSpec[] = [...NODE_FLAGS.filter((f) => FINDING.has(f.name)), JSON_FLAG];

/** Another way to a process: its address. */
export const URL_FLAGS: readonly FlagSpec[] = [
  {
    name: "url",
    value: "URL",
    help: "address of a process that runs the query, instead of --nats or --data",
  },
  { name: "token", value: "TOKEN", help: "its token, for what changes a query" },
];

/** How long a command waits for a broker that does not answer. */
const CONNECT_MS = 5_000;

/** The queries of a broker, a process or a directory. */
export interface Queries {
  all(): Promise<readonly QueryRecord[]>;
  find(key: string): Promise<QueryRecord>;
  stop(query: QueryRecord): Promise<QueryRecord>;
  rescale(query: QueryRecord, partitions: number): Promise<void>;
  /** Text of the plans. */
  plan(query: QueryRecord): Promise<string>;
  /** Its committed epochs, oldest first: as far back as its logs, or its process, still have them. */
  epochs(query: QueryRecord): Promise<readonly EpochLine[]>;
  deadLetters(query: QueryRecord): Promise<readonly FiledLetter[]>;
  /** Forgets dead letters up to a position; gives how many. */
  clearDeadLetters(query: QueryRecord, through: number | undefined): Promise<number>;
  /** The operators whose state can be asked for. Only a process that runs the query knows. */
  stateOperators(query: QueryRecord): Promise<readonly StateOperator[]>;
  state(query: QueryRecord, operator: string, key: string): Promise<StateAnswer>;
}

export interface EpochLine {
  readonly epoch: number;
  /** ISO time of its end. */
  readonly at: string;
  readonly inputRows: number;
  readonly outputRows: number;
  readonly lateRows: number;
  readonly stateRows: number;
  readonly ms: number;
}

export type StateAnswer = Omit<StateLookup, "state"> & { readonly found: boolean; readonly state: unknown };

class LoggedQueries extends Catalogue implements Queries {
  readonly #waitMs: number;
  readonly #store: LogStore;

  constructor(store: LogStore, waitMs: number) {
    super(store, SYSTEM_CLOCK);
    this.#store = store;
    this.#waitMs = waitMs;
  }

  override stop(query: QueryRecord): Promise<QueryRecord> {
    return super.stop(query, this.#waitMs);
  }

  plan(query: QueryRecord): Promise<string> {
    return Promise.resolve(query.plan.join("\n"));
  }

  async epochs({ session, name }: QueryRecord): Promise<readonly EpochLine[]> {
    return (await committedEpochs(await this.#store.open(commitLog(session, name)))).map(
      ({ epoch, progress: p }) => ({
        epoch,
        at: new Date(p.endMs).toISOString(),
        inputRows: sum(Object.values(p.inputRows)),
        outputRows: p.outputRows,
        lateRows: p.lateRows,
        stateRows: sum(Object.values(p.operators).map((o) => o.rowsTotal)),
        ms: p.endMs - p.startMs,
      }),
    );
  }

  /** A query without dead letters has no log of them: none is made. */
  async #letters<T>({ session, name }: QueryRecord, none: T, use: (log: Log) => Promise<T>): Promise<T> {
    const log = deadLetterLog(session, name);
    return (await this.#store.list(log)).includes(log) ? use(await this.#store.open(log)) : none;
  }

  deadLetters(query: QueryRecord): Promise<readonly FiledLetter[]> {
    return this.#letters<readonly FiledLetter[]>(query, [], readDeadLetters);
  }

  clearDeadLetters(query: QueryRecord, through: number | undefined): Promise<number> {
    return this.#letters(query, 0, (log) => clearDeadLetters(log, through));
  }

  stateOperators(): Promise<readonly StateOperator[]> {
    return Promise.reject(
      new ConfigurationError("state is read through a process that runs the query: it knows the types", {
        hint: "give its address with --url http://HOST:PORT, or its data directory with --data while it runs",
      }),
    );
  }

  state(): Promise<never> {
    return this.stateOperators() as Promise<never>;
  }
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);

interface ServedQuery {
  readonly id: string;
  readonly runId: string;
  readonly name: string;
  readonly session: string;
  readonly isActive: boolean;
  readonly exception?: { readonly message: string };
  readonly lastProgress: StreamingQueryProgress | null;
}

const recordOf = (q: ServedQuery): QueryRecord => {
  const p = q.lastProgress;
  const epoch = p === null ? 0 : p.batchId + 1;
  return {
    session: q.session,
    name: q.name,
    id: q.id,
    runId: q.runId,
    state: q.exception !== undefined ? "failed" : q.isActive ? "active" : "stopped",
    plannedEpoch: epoch,
    committedEpoch: epoch,
    partitions: p === null ? [] : p.stateOperators.map((o) => o.numShufflePartitions),
    watermark: p?.eventTime["watermark"],
    failure: q.exception?.message,
    inputRows: p?.numInputRows,
    outputRows: p?.sink.numOutputRows,
    lateRows: p?.stateOperators.reduce((n, o) => n + o.numRowsDroppedByWatermark, 0),
    stateRows: p?.stateOperators.reduce((n, o) => n + o.numRowsTotal, 0),
    lastEpochAt: p?.timestamp,
    plan: [],
  };
};

/** The queries of the process that has the data directory, over its HTTP API. */
class ServedQueries implements Queries {
  readonly #address: NodeAddress;

  constructor(address: NodeAddress) {
    this.#address = address;
  }

  async #ask<T>(path: string, body?: unknown): Promise<T> {
    const { url, token } = this.#address;
    const answer = await fetch(`${url}/api/queries${path}`, {
      ...(body === undefined ? {} : { method: "POST", body: JSON.stringify(body) }),
      headers: { authorization: `Bearer ${token}` },
    });
    const value = (await answer.json()) as T & { readonly error?: string };
    if (!answer.ok) throw new UnavailableError(value.error ?? `${url} answers ${answer.status}`);
    return value;
  }

  async all(): Promise<readonly QueryRecord[]> {
    return (await this.#ask<readonly ServedQuery[]>("")).map(recordOf);
  }

  async find(key: string): Promise<QueryRecord> {
    const all = await this.all();
    const found = all.filter((q) => [q.id, q.name, `${q.session}.${q.name}`].includes(key));
    return only(key, found, all);
  }

  async stop(query: QueryRecord): Promise<QueryRecord> {
    return recordOf(await this.#ask<ServedQuery>(`/${encodeURIComponent(query.id)}/stop`, {}));
  }

  async rescale(query: QueryRecord, partitions: number): Promise<void> {
    await this.#ask(`/${encodeURIComponent(query.id)}/rescale`, { partitions });
  }

  async plan(query: QueryRecord): Promise<string> {
    return (await this.#ask<{ plan: string }>(`/${encodeURIComponent(query.id)}/plan`)).plan;
  }

  async epochs(query: QueryRecord): Promise<readonly EpochLine[]> {
    const all = await this.#ask<readonly StreamingQueryProgress[]>(
      `/${encodeURIComponent(query.id)}/progress`,
    );
    return all.map((p) => ({
      epoch: p.batchId + 1,
      at: p.timestamp,
      inputRows: p.numInputRows,
      outputRows: p.sink.numOutputRows,
      lateRows: sum(p.stateOperators.map((o) => o.numRowsDroppedByWatermark)),
      stateRows: sum(p.stateOperators.map((o) => o.numRowsTotal)),
      ms: p.batchDuration,
    }));
  }

  deadLetters(query: QueryRecord): Promise<readonly FiledLetter[]> {
    return this.#ask(`/${encodeURIComponent(query.id)}/dlq`);
  }

  async clearDeadLetters(query: QueryRecord, through: number | undefined): Promise<number> {
    const path = `/${encodeURIComponent(query.id)}/dlq`;
    return (await this.#ask<{ cleared: number }>(path, through === undefined ? {} : { through })).cleared;
  }

  stateOperators(query: QueryRecord): Promise<readonly StateOperator[]> {
    return this.#ask(`/${encodeURIComponent(query.id)}/state`);
  }

  state(query: QueryRecord, operator: string, key: string): Promise<StateAnswer> {
    return this.#ask(
      `/${encodeURIComponent(query.id)}/state/${encodeURIComponent(operator)}?key=${encodeURIComponent(key)}`,
    );
  }
}

const answers = async (address: NodeAddress): Promise<boolean> => {
  try {
    return (await fetch(`${address.url}/healthz`, { signal: AbortSignal.timeout(CONNECT_MS) })).ok;
  } catch {
    return false;
  }
};

/** The address of a process that has the directory: its own, or that of one of its workers. */
const liveProcess = async (data: string): Promise<NodeAddress | undefined> => {
  const workers = readdirSync(data).filter((n) => /^node-\d+$/.test(n));
  for (const folder of [data, ...workers.map((w) => join(data, w))]) {
    const address = await readAddress(folder);
    if (address !== undefined && (await answers(address))) return address;
  }
  return undefined;
};

const withNats = async <T>(
  settings: Settings,
  servers: string,
  use: (q: Queries) => Promise<T>,
): Promise<T> => {
  const log = processLogger(settings.logLevel);
  const store = await openJetStream(settings, servers, SYSTEM_CLOCK, log, AbortSignal.timeout(CONNECT_MS));
  try {
    return await use(new LoggedQueries(store, SHUTDOWN_MS));
  } finally {
    await store.close();
  }
};

const withData = async <T>(settings: Settings, use: (q: Queries) => Promise<T>): Promise<T> => {
  const data = resolve(settings.data);
  if (!existsSync(data))
    throw new ConfigurationError(`there is no data directory ${settings.data}`, {
      hint: "give the directory of the application with --data, or its broker with --nats",
    });
  const address = await liveProcess(data);
  if (address !== undefined) return use(new ServedQueries(address));
  const directory = await lockDataDirectory(data);
  try {
    const store = await openEmbedded(data, SYSTEM_CLOCK);
    try {
      // No node runs: nobody would finish the epochs that are planned.
      return await use(new LoggedQueries(store, 0));
    } finally {
      await store.close();
    }
  } finally {
    await directory.release();
  }
};

const servedAt = (url: string, token: string | undefined): Queries => {
  if (!/^https?:\/\/[^/]+\/?$/.test(url))
    throw new ConfigurationError(`--url must be the address of a process, not ${JSON.stringify(url)}`, {
      hint: "for example http://127.0.0.1:4040",
    });
  return new ServedQueries({ url: url.replace(/\/$/, ""), token: token ?? "", pid: 0 });
};

/** Calls `use` with the queries that the flags and the environment name. */
export const withQueries = async <T>(args: Arguments, use: (q: Queries) => Promise<T>): Promise<T> => {
  const url = args.flags.get("url");
  if (url !== undefined) return use(servedAt(url, args.flags.get("token") ?? process.env["MILLRACE_TOKEN"]));
  exportFlags(args.flags);
  const settings = settingsFrom(process.env);
  return settings.nats === undefined ? withData(settings, use) : withNats(settings, settings.nats, use);
};
