/** A session's runtime on the node of this process: what `session()` runs on in programs. Registered by src/index.ts. */
import { randomUUID } from "node:crypto";
import type { RuntimeProvider, SessionSettings } from "../api/runtime-provider.ts";
import { UnavailableError } from "../core/errors.ts";
import { MAILBOX_BYTES_MAX, RESTARTS_MAX_DEFAULT, SNAPSHOT_INTERVAL_MS } from "../core/limits.ts";
import type { LogStore } from "../log/log.ts";
import { MemoryStore } from "../log/memory-log.ts";
import { nameToken } from "../log/names.ts";
import type { PlanningOptions } from "../query/planning.ts";
import { QueryRuntime } from "../query/query-runtime.ts";
import type { SessionRuntime, StartRequest } from "../query/runtime.ts";
import type { NodeServices } from "../query/services.ts";
import type { StreamingQuery } from "../query/streaming-query.ts";
import { SYSTEM_CLOCK } from "../query/system-clock.ts";
import type { Home } from "./home.ts";
import { processLogger } from "./log-output.ts";
import { PROCESS_NODE } from "./process-node.ts";
import type { SessionNode } from "./session-node.ts";
import { type Settings, settingsFrom } from "./settings.ts";
import { openJetStream } from "./stores.ts";

/** How long explain waits for a broker to ask. */
const CONNECT_MS = 5_000;

/** What the program's session adds to the settings of the node. */
const planningOf = (s: SessionSettings, timeZone: string): PlanningOptions => ({
  timeZone,
  compatibility: s.compatibility ?? "extended",
  watermarkPolicy: s["watermarkPolicy"] === "max" ? "max" : "min",
  staticReload: s["staticReload"] === "once" ? "once" : "epoch",
  withoutRules: [],
});

/** SessionRuntime that holds the process' node while its queries run. */
class NodeRuntime implements SessionRuntime {
  readonly #session: string;
  readonly #settings: Settings;
  readonly #planning: PlanningOptions;
  readonly #runtime: QueryRuntime;
  readonly #releases = new Set<() => void>();
  #home: Home | undefined;
  #node: SessionNode | undefined;
  #batchStore: Promise<LogStore> | undefined;

  constructor(session: string, settings: Settings, planning: PlanningOptions) {
    this.#session = session;
    this.#settings = settings;
    this.#planning = planning;
    this.#runtime = new QueryRuntime({
      planning,
      batch: { clock: SYSTEM_CLOCK, timeZone: planning.timeZone, store: () => this.#storeForBatch() },
      services: () => Promise.resolve(this.#services()),
      namesRequired: settings.nats !== undefined,
      uuid: randomUUID,
      onClose: () => Promise.resolve(),
    });
  }

  get queries(): QueryRuntime["queries"] {
    return this.#runtime.queries;
  }

  async start(request: StartRequest): Promise<StreamingQuery> {
    if (request.name !== undefined) nameToken("query", request.name);
    // AnalysisError before anything connects.
    this.#runtime.explain(request, "simple");
    const { home, release } = await PROCESS_NODE.hold(this.#settings);
    this.#releases.add(release);
    try {
      this.#home = home;
      this.#node = await home.session(this.#session);
      this.#node.runtimes.add(this.#runtime);
      const asked = this.#settings.partitionsGiven ? this.#settings.partitions : undefined;
      const query = await this.#runtime.start({ ...request, partitions: request.partitions ?? asked });
      PROCESS_NODE.show(this.#session, query);
      void this.#untilEnded(query, release);
      return query;
    } catch (e) {
      this.#released(release);
      throw e;
    }
  }

  async #untilEnded(query: StreamingQuery, release: () => void): Promise<void> {
    try {
      await query.awaitTermination();
      PROCESS_NODE.ended({ name: query.name, failure: undefined });
    } catch (failure) {
      PROCESS_NODE.ended({ name: query.name, failure });
    } finally {
      this.#released(release);
    }
  }

  #released(release: () => void): void {
    this.#releases.delete(release);
    release();
  }

  #services(): NodeServices {
    const [home, node, settings] = [this.#home!, this.#node!, this.#settings];
    return {
      session: this.#session,
      store: home.store,
      backend: node.backend,
      clock: SYSTEM_CLOCK,
      random: Math.random,
      uuid: randomUUID,
      get membership() {
        return node.membership;
      },
      metrics: home.metrics,
      log: home.log,
      timeZone: this.#planning.timeZone,
      settings: {
        partitions: settings.partitions,
        snapshotIntervalMs: SNAPSHOT_INTERVAL_MS,
        mailboxMaxBytes: MAILBOX_BYTES_MAX,
        maxRestarts: RESTARTS_MAX_DEFAULT,
        sourceSplits: this.#planning.compatibility === "spark" ? 1 : settings.workersOfParent,
        idleTimeoutMs: settings.idleTimeoutMs,
        leaveMs: settings.leaveMs,
        replayDigest: settings.replayDigest,
        splitWatermark: "limited",
        maximaAfterStop: this.#planning.compatibility === "spark" ? "forget" : "keep",
      },
    };
  }

  /** Batch queries need a broker for what they read from it, and no group, state or checkpoint. */
  #storeForBatch(waitMs?: number): Promise<LogStore> {
    const { nats, logLevel } = this.#settings;
    this.#batchStore ??=
      nats === undefined
        ? Promise.resolve(new MemoryStore({ clock: SYSTEM_CLOCK }))
        : openJetStream(
            this.#settings,
            nats,
            SYSTEM_CLOCK,
            processLogger(logLevel),
            waitMs === undefined ? undefined : AbortSignal.timeout(waitMs),
          );
    this.#batchStore.catch(() => (this.#batchStore = undefined));
    return this.#batchStore;
  }

  async collect(...args: Parameters<SessionRuntime["collect"]>): ReturnType<SessionRuntime["collect"]> {
    try {
      return await this.#runtime.collect(...args);
    } finally {
      await this.#closeBatchStore();
    }
  }

  /** A connection would keep the process from ending. */
  async #closeBatchStore(): Promise<void> {
    const store = this.#batchStore;
    this.#batchStore = undefined;
    await (await store?.catch(() => undefined))?.close();
  }

  analyse(...args: Parameters<SessionRuntime["analyse"]>): ReturnType<SessionRuntime["analyse"]> {
    return this.#runtime.analyse(...args);
  }

  explain(...args: Parameters<SessionRuntime["explain"]>): string {
    return this.#runtime.explain(...args);
  }

  async explainThere(
    ...[request, mode]: Parameters<NonNullable<SessionRuntime["explainThere"]>>
  ): Promise<string> {
    try {
      const store = this.#settings.nats === undefined ? undefined : await this.#storeForBatch(CONNECT_MS);
      return await this.#runtime.explainThere(request, mode, store);
    } catch (e) {
      if (!(e instanceof UnavailableError)) throw e;
      return this.#runtime.explain(request, mode);
    } finally {
      await this.#closeBatchStore();
    }
  }

  /** Stops what this session runs here; the queries go on at other nodes. */
  async close(): Promise<void> {
    await this.#runtime.leave();
    await this.#runtime.close();
    this.#node?.runtimes.delete(this.#runtime);
    for (const release of [...this.#releases]) this.#released(release);
    await this.#closeBatchStore();
  }
}

/** Makes runtimes for programs: `setRuntimeProvider(nodeRuntime)`. */
export const nodeRuntime: RuntimeProvider = async (session) => {
  const settings = settingsFrom(process.env, session);
  const name = nameToken("session", session.name);
  return new NodeRuntime(name, settings, planningOf(session, settings.timeZone));
};
