/**
 * A node for benchmarks: the production runtime on the embedded log, real time, one process. `durable: false` keeps logs and state in memory, so that the
 * cost of checkpoints can be told apart.
 */
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { Membership } from "../cluster/membership.ts";
import { LEASE_MS_DEFAULT, MAILBOX_BYTES_MAX, RESTARTS_MAX_DEFAULT } from "../core/limits.ts";
import { EmbeddedStore } from "../log/embedded-log.ts";
import type { LogStore } from "../log/log.ts";
import { MemoryStore } from "../log/memory-log.ts";
import { leaseLog } from "../log/names.ts";
import { QueryRuntime } from "../query/query-runtime.ts";
import type { StartRequest } from "../query/runtime.ts";
import type { Logger, NodeServices } from "../query/services.ts";
import type { StreamingQuery } from "../query/streaming-query.ts";
import { SYSTEM_CLOCK } from "../query/system-clock.ts";
import { NO_METRICS } from "../runtime/metrics.ts";
import { MemoryBackend, type StateBackend } from "../state/backend.ts";
import { LevelBackend } from "../state/level-backend.ts";
import { StateMemory } from "../state/parts.ts";

export interface EngineOptions {
  /** Where logs and state go. */
  readonly directory: string;
  readonly durable: boolean;
  readonly partitions: number;
  readonly snapshotIntervalMs: number;
  /** Bytes of state that stay in memory; undefined: all. */
  readonly stateMemory?: number | undefined;
  /** Closed with the engine. Default: an embedded log in `directory`. */
  readonly store?: LogStore | undefined;
  /** The others that run the same queries over this store: nothing is removed from it then. */
  readonly shared?: { readonly session: string; readonly workers: number } | undefined;
  /** The session of an engine whose process was killed: this one goes on from its logs in `directory`. */
  readonly resumes?: string | undefined;
  readonly log?: Logger;
  /** Default: so long that a long batch cannot outlast it. */
  readonly leaseMs?: number;
  /** Hears where actors are. */
  readonly probe?: NodeServices["probe"];
}

const stateOn = (o: EngineOptions, folder: string): Promise<LevelBackend> => {
  const memory = o.stateMemory === undefined ? undefined : new StateMemory(o.stateMemory);
  return LevelBackend.open(join(o.directory, folder), memory);
};

/** No lease of this process may run out while a long batch keeps its event loop busy. */
const LEASE_MS = 100 * LEASE_MS_DEFAULT;

interface Node {
  readonly runtime: QueryRuntime;
  readonly membership: Membership;
}

export class BenchEngine {
  readonly #o: EngineOptions;
  readonly #store: LogStore;
  /** Its own for each engine: on a broker that lives longer nothing goes on from an earlier run. */
  readonly #session: string;
  #backend: StateBackend;
  #node: Node | undefined;
  readonly #gone = new Set<string>();
  readonly #boot = randomUUID();

  private constructor(options: EngineOptions, store: LogStore, backend: StateBackend) {
    this.#o = options;
    this.#session = options.shared?.session ?? options.resumes ?? `bench-${randomUUID().slice(0, 8)}`;
    this.#store = store;
    this.#backend = backend;
  }

  static async open(options: EngineOptions): Promise<BenchEngine> {
    const { directory, durable } = options;
    const clock = SYSTEM_CLOCK;
    const embedded = (): Promise<LogStore> =>
      durable
        ? EmbeddedStore.open({ directory: join(directory, "log"), clock })
        : Promise.resolve(new MemoryStore({ clock }));
    const store = options.store ?? (await embedded());
    const backend = durable ? await stateOn(options, "state") : new MemoryBackend();
    return new BenchEngine(options, store, backend);
  }

  get store(): LogStore {
    return this.#store;
  }

  async #started(): Promise<Node> {
    if (this.#node !== undefined) return this.#node;
    const membership = new Membership({
      log: await this.#store.open(leaseLog(this.#session)),
      clock: SYSTEM_CLOCK,
      nodeId: randomUUID(),
      leaseMs: this.#o.leaseMs ?? LEASE_MS,
      // Who locks the embedded log anew knows that the node before is gone.
      boot: this.#o.resumes === undefined ? "" : this.#boot,
      info: {},
      gone: this.#gone,
    });
    await membership.start();
    const services = this.#services(membership);
    const runtime = new QueryRuntime({
      planning: {
        timeZone: "UTC",
        compatibility: "extended",
        watermarkPolicy: "min",
        staticReload: "once",
        withoutRules: [],
      },
      batch: { clock: SYSTEM_CLOCK, timeZone: "UTC", store: () => Promise.resolve(this.#store) },
      services: () => Promise.resolve(services),
      namesRequired: false,
      uuid: randomUUID,
      onClose: () => Promise.resolve(membership.close()),
    });
    this.#node = { runtime, membership };
    return this.#node;
  }

  #services(membership: Membership): NodeServices {
    return {
      session: this.#session,
      store: this.#store,
      backend: this.#backend,
      clock: SYSTEM_CLOCK,
      random: Math.random,
      uuid: randomUUID,
      membership,
      metrics: NO_METRICS,
      log:
        this.#o.log ??
        ((level, message, fields) => {
          if (level === "error") process.stderr.write(`${message} ${String(fields?.["error"])}\n`);
        }),
      timeZone: "UTC",
      ...(this.#o.probe === undefined ? {} : { probe: this.#o.probe }),
      settings: {
        partitions: this.#o.partitions,
        snapshotIntervalMs: this.#o.snapshotIntervalMs,
        mailboxMaxBytes: MAILBOX_BYTES_MAX,
        maxRestarts: RESTARTS_MAX_DEFAULT,
        sourceSplits: this.#o.shared?.workers ?? 1,
        splitWatermark: "limited",
        maximaAfterStop: "keep",
      },
    };
  }

  async start(request: StartRequest): Promise<StreamingQuery> {
    return (await this.#started()).runtime.start(request);
  }

  /** Resolves when queries that have ended have taken their last snapshots. */
  async settled(): Promise<void> {
    await this.#node?.runtime.settled();
  }

  /** Ends the node as a crash does: nothing is finished, drained or handed over. The next `start` is another node on the same logs. */
  async kill(disk: "kept" | "lost" = "kept"): Promise<void> {
    const node = this.#node;
    if (node === undefined) return;
    this.#node = undefined;
    this.#gone.add(node.membership.nodeId);
    node.membership.close();
    await node.runtime.close();
    if (disk === "lost") {
      await this.#backend.close();
      const limited = this.#o.stateMemory !== undefined;
      this.#backend = limited ? await stateOn(this.#o, "state-after-loss") : new MemoryBackend();
    }
  }

  async close(): Promise<void> {
    await this.kill();
    await this.#backend.close();
    if (this.#o.store !== undefined && this.#o.shared === undefined)
      for (const name of await this.#store.list(`${this.#session}.`)) await this.#store.remove(name);
    await this.#store.close();
  }
}
