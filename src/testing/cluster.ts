/**
 * An application's nodes in one process, on one embedded log, under virtual time: the same nodes, actors and protocol as in production, with
 * time, kills and restarts in the hands of the test.
 */
import { Membership } from "../cluster/membership.ts";
import { nameToken, leaseLog } from "../log/names.ts";
import type { LogStore } from "../log/log.ts";
import { MemoryStore } from "../log/memory-log.ts";
import type { ActorIdentity, ProbePoint } from "../runtime/behaviour.ts";
import { NO_METRICS, type RuntimeMetrics } from "../runtime/metrics.ts";
import type { PlanningOptions } from "../query/planning.ts";
import { QueryRuntime } from "../query/query-runtime.ts";
import type { StartRequest } from "../query/runtime.ts";
import type { Logger, NodeServices, NodeSettings } from "../query/services.ts";
import type { StreamingQuery } from "../query/streaming-query.ts";
import { MemoryBackend, type StateBackend } from "../state/backend.ts";
import { NodeView } from "./node-view.ts";
import { settle, VirtualClock } from "./virtual-clock.ts";

export interface TestClusterOptions {
  readonly nodes?: number;
  readonly partitions?: number;
  readonly session?: string;
  readonly timeZone?: string;
  readonly compatibility?: "extended" | "spark";
  readonly watermarkPolicy?: "min" | "max";
  readonly startMs?: number;
  /** Where the logs live; default: in memory, for as long as the cluster. */
  readonly store?: (clock: VirtualClock) => Promise<LogStore>;
  /** A node's disk; default: in memory, kept over a kill. */
  readonly backend?: (node: number) => Promise<StateBackend>;
  readonly settings?: Partial<NodeSettings>;
  readonly leaseMs?: number;
  readonly log?: Logger;
  readonly metrics?: RuntimeMetrics;
  readonly probe?: (
    node: number,
    actor: ActorIdentity,
    point: ProbePoint,
    epoch: number,
  ) => void | Promise<void>;
}

/** Long: in a test nodes die when the test says so, not because it moved time by a day. */
const LEASE_MS = 1_000 * 86_400_000;

interface TestNode {
  readonly index: number;
  readonly runtime: QueryRuntime;
  readonly membership: Membership;
  readonly view: NodeView;
}

export class TestCluster {
  readonly clock: VirtualClock;
  readonly #store: Promise<LogStore>;
  readonly #o: TestClusterOptions;
  readonly #backends = new Map<number, StateBackend>();
  readonly #nodes = new Map<number, TestNode>();
  readonly #requests = new Map<string, StartRequest>();
  readonly #gone = new Set<string>();
  readonly #zombies: TestNode[] = [];
  #ids = 0;
  #seed = 1;

  constructor(options: TestClusterOptions = {}) {
    this.#o = options;
    this.clock = new VirtualClock(options.startMs);
    this.#store = options.store?.(this.clock) ?? Promise.resolve(new MemoryStore({ clock: this.clock }));
  }

  get planning(): PlanningOptions {
    return {
      timeZone: this.#o.timeZone ?? "UTC",
      compatibility: this.#o.compatibility ?? "extended",
      watermarkPolicy: this.#o.watermarkPolicy ?? "min",
      staticReload: "epoch",
      withoutRules: [],
    };
  }

  /** Node `index` (from 0), started if it is not running. */
  async node(index = 0): Promise<TestNode> {
    const running = this.#nodes.get(index);
    if (running !== undefined) return running;
    const { session = "test", timeZone = "UTC" } = this.#o;
    const store = new NodeView(await this.#store);
    if (!this.#backends.has(index))
      this.#backends.set(index, (await this.#o.backend?.(index)) ?? new MemoryBackend());
    const backend = this.#backends.get(index)!;
    const membership = new Membership({
      log: await store.open(leaseLog(nameToken("session", session))),
      clock: this.clock,
      nodeId: `node${index}-${++this.#ids}`,
      leaseMs: this.#o.leaseMs ?? LEASE_MS,
      boot: "",
      info: {},
      gone: this.#gone,
    });
    await membership.start();
    const { probe } = this.#o;
    const services: NodeServices = {
      session,
      store,
      backend,
      clock: this.clock,
      random: () => this.#random(),
      uuid: () => `00000000-0000-4000-8000-${String(++this.#ids).padStart(12, "0")}`,
      membership,
      metrics: this.#o.metrics ?? NO_METRICS,
      log: this.#o.log ?? ((): void => {}),
      timeZone,
      settings: {
        partitions: this.#o.partitions ?? 4,
        snapshotIntervalMs: 10_000,
        mailboxMaxBytes: 64 * 1024 * 1024,
        maxRestarts: 10,
        splitWatermark: "limited",
        maximaAfterStop: this.#o.compatibility === "spark" ? "forget" : "keep",
        ...this.#o.settings,
      },
      ...(probe === undefined
        ? {}
        : { probe: (a: ActorIdentity, p: ProbePoint, e: number) => probe(index, a, p, e) }),
    };
    const runtime = new QueryRuntime({
      planning: this.planning,
      batch: { clock: this.clock, timeZone, store: () => Promise.resolve(store) },
      services: () => Promise.resolve(services),
      namesRequired: false,
      uuid: services.uuid,
      onClose: () => Promise.resolve(membership.close()),
    });
    const node = { index, runtime, membership, view: store };
    this.#nodes.set(index, node);
    return node;
  }

  /** A small generator with a fixed seed: jitter is the same in every run. */
  #random(): number {
    this.#seed = (Math.imul(this.#seed, 1664525) + 1013904223) >>> 0;
    return this.#seed / 2 ** 32;
  }

  /** Starts a query on every node. Resolves with the first node's view of it. */
  async start(request: StartRequest): Promise<StreamingQuery> {
    const named = { ...request, name: request.name ?? "query" };
    this.#requests.set(named.name, named);
    const queries = await Promise.all(
      Array.from({ length: this.#o.nodes ?? 1 }, async (_, i) => (await this.node(i)).runtime.start(named)),
    );
    return queries[0]!;
  }

  /** The query as node `index` sees it. */
  async query(name = "query", index = 0): Promise<StreamingQuery> {
    const { runtime } = await this.node(index);
    const found = runtime.queries.all.find((q) => q.name === name);
    if (found === undefined) throw new Error(`node ${index} runs no query ${name}`);
    return found;
  }

  /** Stops a query on all nodes and starts it again: a new run of the same checkpoint. */
  async stopAndStart(name = "query"): Promise<void> {
    const [first] = this.#nodes.values();
    await (await this.query(name, first?.index ?? 0)).stop();
    // The other nodes hear of it a little later.
    await Promise.all([...this.#nodes.values()].map(async (n) => n.runtime.hosts.get(name)?.untilEnded()));
    const request = this.#requests.get(name)!;
    await Promise.all([...this.#nodes.values()].map((n) => n.runtime.start(request)));
  }

  async advanceTime(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }

  /**
   * Waits until all input of the query is processed. Time stands still, except that when nothing moves any more it goes on in small steps: to the
   * next tick of a trigger, or the delay of a restart.
   */
  async processAllAvailable(name = "query"): Promise<void> {
    const alive = [...this.#nodes.values()][0];
    if (alive === undefined) throw new Error("no node is running");
    let done = false;
    let failure: unknown;
    const query = await this.query(name, alive.index);
    query.processAllAvailable().then(
      () => (done = true),
      (e: unknown) => {
        failure = e;
        done = true;
      },
    );
    for (let quiet = 0; !done; quiet++) {
      await settle(4);
      if (quiet < 25) continue;
      const next = this.clock.untilNext();
      if (next !== undefined && next <= STEP_MS_MAX) await this.clock.advance(next);
      quiet = 15;
    }
    if (failure !== undefined) throw failure;
  }

  /** Ends a node as kill -9 does. `disk: "lost"` throws its local state away. */
  async kill(index: number, disk: "kept" | "lost" = "kept"): Promise<void> {
    const node = this.#nodes.get(index);
    if (node === undefined) return;
    this.#nodes.delete(index);
    node.membership.close();
    await node.runtime.close();
    this.#gone.add(node.membership.nodeId);
    for (const other of this.#nodes.values()) other.membership.forget(node.membership.nodeId);
    if (disk === "lost") this.#backends.delete(index);
  }

  /**
   * The others take a node for dead, but it goes on and does not notice: a zombie. Its place is free for a new node, with another disk. It ends
   * with `endZombies` or `close`.
   */
  abandon(index: number): void {
    const node = this.#nodes.get(index);
    if (node === undefined) return;
    this.#nodes.delete(index);
    this.#backends.delete(index);
    node.view.blind = true;
    this.#zombies.push(node);
    this.#gone.add(node.membership.nodeId);
    for (const other of this.#nodes.values()) other.membership.forget(node.membership.nodeId);
  }

  async endZombies(): Promise<void> {
    for (const zombie of this.#zombies.splice(0)) {
      zombie.membership.close();
      await zombie.runtime.close();
    }
  }

  /** The first of the running nodes. */
  get first(): TestNode | undefined {
    return [...this.#nodes.values()][0];
  }

  /** Names of the queries that were started. */
  get names(): readonly string[] {
    return [...this.#requests.keys()];
  }

  /** Indexes of the running nodes. */
  get running(): readonly number[] {
    return [...this.#nodes.keys()];
  }

  /** Starts a killed node again with all its queries. */
  async restart(index = 0): Promise<void> {
    const { runtime } = await this.node(index);
    for (const request of this.#requests.values()) await runtime.start(request);
  }

  /** A node leaves in good order, as on SIGTERM. */
  async leave(index: number): Promise<void> {
    const node = this.#nodes.get(index);
    if (node === undefined) return;
    this.#nodes.delete(index);
    await node.runtime.leave();
    await node.membership.leave();
  }

  async close(): Promise<void> {
    await this.endZombies();
    for (const index of [...this.#nodes.keys()]) await this.kill(index);
    for (const backend of this.#backends.values()) await backend.close();
    await (await this.#store).close();
  }
}

/** Timers further away (leases, snapshots) do not fire while a test only waits. */
const STEP_MS_MAX = 60_000;
