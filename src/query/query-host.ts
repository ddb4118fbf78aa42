/**
 * One query on one node: who runs where. It follows the query's logs and the assignment, runs the actors that are this node's, and, where this
 * node leads, the coordinator and the assignment itself.
 *
 * Invariants.
 *  H1 actors run only what the newest assignment gives this node, of topologies that the plan log names.
 *  H2 at most one coordinator of the query runs here, and only while this node leads.
 *  H3 `ended` resolves the same on every node: what the logs say; only a failure that cannot be written to them (a full disk) is this node's own.
 */
import { ActorSupervisor } from "../../actors/supervisor.ts";
import { sleep } from "../core/clock.ts";
import { decisionOf, ExecutionError, MillraceError } from "../core/errors.ts";
import {
  ACK_REPEAT_MS,
  CONTROL_LOG_BYTES_MAX,
  EPOCH_STALL_MS,
  LEAVE_COMMIT_MS,
  SETTLE_MS,
  SHUTDOWN_MS,
} from "../core/limits.ts";
import { unpack } from "../codec/msgpack.ts";
import { assignmentLog } from "../log/names.ts";
import type { Log } from "../log/log.ts";
import { sourceFactory } from "../connectors/registry.ts";
import type { Source } from "../connectors/source.ts";
import type { PhysicalPlan } from "../plan/physical.ts";
import { takesAnyOrder } from "../plan/row-order.ts";
import type { ActorIdentity, QueryNames } from "../runtime/behaviour.ts";
import type { PlanRecord } from "../runtime/entries.ts";
import { QueryFollower } from "../runtime/follower.ts";
import type { Trigger } from "../runtime/trigger.ts";
import type { Membership } from "../cluster/membership.ts";
import { actorNode } from "./actor-node.ts";
import { AssignmentKeeper, topologyOf } from "./assignment-keeper.ts";
import { appendControl, failRecord } from "./control-entry.ts";
import { coordinatorEnvironment } from "./coordination.ts";
import { drained } from "./drain.ts";
import { QueryLeader } from "./query-leader.ts";
import { planDifference, programDifference } from "./plan-check.ts";
import { queryNames } from "./query-names.ts";
import type { NodeServices } from "./services.ts";

/** What is started: the same on every node. */
export interface QueryDefinition {
  readonly name: string;
  readonly plan: PhysicalPlan;
  readonly trigger: Trigger;
  /** Partitions of keyed stages; undefined: the node's setting for a new query, what it had for an old one. */
  readonly partitions: number | undefined;
}

export class QueryHost {
  readonly definition: QueryDefinition;
  readonly follower: QueryFollower;
  readonly names: QueryNames;
  readonly #services: NodeServices;
  readonly #planLog: Log;
  readonly #commitLog: Log;
  readonly #keeper: AssignmentKeeper;
  readonly #sources = new Map<string, Source>();
  readonly #ends: (() => void)[] = [];
  readonly #retired = new Set<string>();
  #supervisor: ActorSupervisor | undefined;
  readonly #leader: QueryLeader;
  #closed = false;
  /** Until `rejoin`: at the start, and while the node's lease is lost. */
  #suspended = true;
  /** What this host takes part under; another one than the node's when the node joined again meanwhile. */
  membership: Membership | undefined;
  #endMembership = (): void => {};
  #tokens = 0;
  /** This start wants a run, and the logs hold none: the query is new, was stopped, or failed. */
  #awaitingRun = false;
  /** Why this node may not take part: its plan is another one. */
  #refused: unknown;
  #told = false;
  /** The query has ended well: whoever goes on from here, perhaps elsewhere, finds all of its state in snapshots (law 10). */
  #settling: Promise<void> | undefined;
  /** What is drained must not begin again. */
  #leaving = false;
  /** Whether this node has led the query before, or lost its lease: a coordinator that is started again goes on with the same run. */
  led = false;
  #joins = 0;
  #epochAtStart = 0;
  /** The failure that this node met itself, with its cause. */
  #cause: unknown;
  /** The failure could not be written to the plan log (a full disk): the query ends on this node. */
  #unwritten = false;

  private constructor(
    services: NodeServices,
    definition: QueryDefinition,
    logs: { plan: Log; commit: Log; assignment: Log },
  ) {
    this.#services = services;
    this.definition = definition;
    this.names = queryNames(services.session, definition.name);
    this.#planLog = logs.plan;
    this.#commitLog = logs.commit;
    this.follower = new QueryFollower(logs.plan, logs.commit);
    this.#keeper = new AssignmentKeeper(logs.assignment);
    this.#leader = this.#makeLeader();
  }

  /** H2. */
  #makeLeader(): QueryLeader {
    const { clock, settings } = this.#services;
    return new QueryLeader({
      follower: this.follower,
      queryName: this.definition.name,
      clock,
      keeper: this.#keeper,
      maxRestarts: settings.maxRestarts,
      membership: () => this.#services.membership,
      ended: () => this.ended,
      closed: () => this.#closed,
      awaitingRun: () => this.#awaitingRun,
      environment: async (token) => {
        const logs = { plan: this.#planLog, commit: this.#commitLog };
        const env = await coordinatorEnvironment(this.#services, this, logs, token);
        this.led = true;
        return env;
      },
      refuse: (e) => this.#refuse(e),
      fail: (e, who) => this.#fail(e, who),
      logError: (who, e) => this.#logError(who, e),
      reconcile: () => this.#reconcile(),
    });
  }

  /** Joins the query; resolves when this node has read the plan log. */
  static async start(services: NodeServices, definition: QueryDefinition): Promise<QueryHost> {
    const names = queryNames(services.session, definition.name);
    const [plan, commit, assignment] = await Promise.all([
      services.store.open(names.plan, CONTROL_LOG),
      services.store.open(names.commit, CONTROL_LOG),
      services.store.open(assignmentLog(services.session, definition.name), CONTROL_LOG),
    ]);
    const host = new QueryHost(services, definition, { plan, commit, assignment });
    await host.#begin();
    return host;
  }

  async #begin(): Promise<void> {
    const { store, clock, timeZone } = this.#services;
    await Promise.all([this.follower.start(), this.#keeper.start()]);
    this.#awaitingRun = this.follower.state !== "active";
    this.#epochAtStart = this.follower.latest?.entry.epoch ?? 0;
    const { name, plan } = this.definition;
    const others = this.#services.membership
      .hosts(name)
      .filter((n) => n !== this.#services.membership.nodeId)
      .map((n) => this.#services.membership.info(n)![`query:${name}`]!);
    const difference =
      planDifference(name, this.follower, plan) ?? programDifference(name, this.follower, plan, others);
    if (difference !== undefined) {
      await this.close();
      throw difference;
    }
    const splits = takesAnyOrder(plan.stages) ? (this.#services.settings.sourceSplits ?? 1) : 1;
    for (const stage of plan.stages) {
      if (stage.source === undefined) continue;
      const { id, spec } = stage.source;
      const context = {
        store,
        clock,
        session: this.#services.session,
        queryName: this.definition.name,
        sourceId: id,
        timeZone,
        splits,
      };
      this.#sources.set(id, sourceFactory(spec.format).create(spec, context, "stream"));
    }
    const reconcile = (): void => this.#reconcile();
    this.#ends.push(this.follower.onChange(reconcile), this.#keeper.onChange(reconcile));
    this.#ends.push(store.bus.subscribe(this.names.nudges, (bytes) => this.#nudged(bytes)));
    await this.rejoin();
  }

  /** The node's lease is lost: everything of it here ends at once, until `rejoin`. */
  async suspend(): Promise<void> {
    this.#suspended = true;
    this.#endMembership();
    this.#leader.abort();
    const supervisor = this.#supervisor;
    this.#supervisor = undefined;
    await supervisor?.stopAll();
  }

  /** The node has joined, perhaps again and under another id: it runs what the assignment gives to that. */
  async rejoin(): Promise<void> {
    if (this.#closed) return;
    await this.suspend();
    const { membership } = this.#services;
    if (!this.ended) await membership.host(this.definition.name, this.definition.plan.program);
    this.#endMembership();
    this.membership = membership;
    this.#joins++;
    this.#endMembership = membership.onChange(() => this.#reconcile());
    this.#suspended = false;
    this.#reconcile();
  }

  /** Whether nobody has led the query since this host began: alone, it begins a new run (with the number of partitions that it was given). */
  get fresh(): boolean {
    return !this.led && this.#joins <= 1 && (this.follower.latest?.entry.epoch ?? 0) === this.#epochAtStart;
  }

  get sources(): ReadonlyMap<string, Source> {
    return this.#sources;
  }

  get ended(): boolean {
    return this.#unwritten || (this.follower.finished && !this.#awaitingRun);
  }

  /** The failure of the query, if it failed; with the cause where it happened on this node. */
  get failure(): MillraceError | undefined {
    const entry = this.follower.failure;
    if (this.#unwritten) return asMillraceError(this.#cause);
    if (entry === undefined || this.follower.state !== "failed" || this.#awaitingRun) return undefined;
    if (this.#cause instanceof MillraceError) return this.#cause;
    const detail = entry.errorClass === undefined ? {} : { errorClass: entry.errorClass };
    return new ExecutionError(entry.message, { ...detail, cause: this.#cause });
  }

  /** Resolves when the query has an id and a run: a leader somewhere has started it. Rejects when it cannot. */
  async untilRunning(): Promise<void> {
    await this.follower.until(() => !this.#awaitingRun || this.#refused !== undefined || this.#closed);
    if (this.#refused !== undefined) throw this.#refused;
  }

  /** Resolves when the query has ended everywhere (H3), or `signal` aborts. */
  async untilEnded(signal?: AbortSignal): Promise<void> {
    await this.follower.until(() => this.ended || this.#closed, signal);
  }

  /** Resolves when all input that is there now is processed, committed and written. */
  processAllAvailable(): Promise<void> {
    const { clock, settings } = this.#services;
    return drained({
      follower: this.follower,
      sources: this.#sources,
      plan: this.definition.plan,
      clock,
      splitWatermark: settings.splitWatermark,
      closed: () => this.#closed || this.#unwritten,
    });
  }

  #reconcile(): void {
    if (this.#closed || this.#suspended) return;
    this.#refused ??= planDifference(this.definition.name, this.follower, this.definition.plan);
    if (this.#refused !== undefined) return this.#tellRefused();
    if (this.follower.state === "active") this.#awaitingRun = false;
    if (this.#keeper.error !== undefined && this.#cause === undefined)
      void this.#fail(this.#keeper.error, "assignment");
    this.#leader.reconcile();
    this.#runActors();
  }

  /** Another plan runs under the name since this host began: nothing of it runs here, and the log says so once. */
  #tellRefused(): void {
    if (!this.#told) this.#logError("taking part", this.#refused);
    this.#told = true;
  }

  /** The leader waits for actors: those that are to run here and do not begin now, and those that wait too long for others begin again. */
  #nudged(bytes: Uint8Array): void {
    this.#reconcile();
    const stallMs = this.#services.settings.stallMs ?? EPOCH_STALL_MS;
    for (const [stage, partition, topology] of unpack(bytes) as [number, number, number][])
      this.#supervisor?.nudge({ stage, partition, topology }, stallMs);
  }

  /** The node that an actor is assigned to. */
  assigned(actor: ActorIdentity): string | undefined {
    return this.#keeper.current?.actors.find(([a]) => keyOf(a) === keyOf(actor))?.[1];
  }

  /** The leader cannot begin: it has logged why, and whoever started the query gets it. */
  #refuse(e: unknown): void {
    this.#refused = e;
    this.#told = true;
    this.follower.wake();
  }

  /** H1. */
  #runActors(): void {
    const { nodeId } = this.#services.membership;
    if (this.#awaitingRun || this.#leaving) return;
    if (this.ended) {
      if (this.failure !== undefined) void this.#supervisor?.stopAll();
      else this.#settling ??= this.#supervisor?.settle(SETTLE_MS);
      return;
    }
    this.#settling = undefined;
    const supervisor = (this.#supervisor ??= this.#makeSupervisor());
    const mine = new Set<string>();
    for (const [actor, node] of this.#keeper.current?.actors ?? []) {
      if (node !== nodeId) continue;
      mine.add(keyOf(actor));
      const topology = topologyOf(actor, this.follower.latest?.entry.topology);
      if (topology === undefined || this.#retired.has(keyOf(actor)) || supervisor.has(actor)) continue;
      supervisor.start(actor, topology);
    }
    for (const actor of supervisor.running()) if (!mine.has(keyOf(actor))) void supervisor.drain(actor);
  }

  #makeSupervisor(): ActorSupervisor {
    // Any start anywhere after a new assignment has a higher token; within one, starts of this node count up.
    const nextToken = (): number => (this.#keeper.position + 1) * 1_000_000 + ++this.#tokens;
    const node = actorNode(this.#services, this, nextToken);
    return new ActorSupervisor(node, {
      failed: (e, actor) => void this.#fail(e, `stage ${actor.stage} partition ${actor.partition}`),
      ended: (actor, end) => {
        if (end === "retired") this.#retired.add(keyOf(actor));
        // Given away and given back while it drained: it starts again.
        this.#reconcile();
      },
    });
  }

  /** Takes the failure to all nodes: a fail entry in the plan log. */
  async #fail(error: unknown, who: string): Promise<void> {
    this.#logError(who, error);
    // A zombie's failure is its own: the query goes on elsewhere, or here again when the lease was late only.
    if (!this.#services.membership.alive()) {
      await sleep(this.#services.clock, ACK_REPEAT_MS);
      return this.#reconcile();
    }
    this.#cause ??= error;
    const record = failRecord(error, this.#services.membership.token ?? 0);
    while (!this.#closed) {
      try {
        return await this.#control(record);
      } catch (again) {
        this.#logError("fail entry", again);
        if (decisionOf(again) === "fail") break;
        await sleep(this.#services.clock, ACK_REPEAT_MS);
      }
    }
    this.#unwritten = true;
    this.follower.wake();
    this.#reconcile();
  }

  #logError(who: string, error: unknown): void {
    if (this.#closed) return;
    this.#services.log("error", `${who} failed`, { query: this.definition.name, error });
  }

  #control = (record: PlanRecord): Promise<void> => appendControl(this.#planLog, this.follower, record);

  /** Resolves when the actors of a query that has ended have taken their last snapshots. */
  async settled(): Promise<void> {
    await this.#settling;
  }

  /** Stops the query on all nodes: every planned epoch is finished first. */
  async stop(): Promise<void> {
    await this.#control({ kind: "stop", token: this.#services.membership.token ?? 0 });
    await this.untilEnded();
  }

  async rescale(partitions: number): Promise<void> {
    await this.#control({ kind: "rescale", partitions });
  }

  /**
   * This node leaves: where it leads it plans nothing more and commits what is planned (`leaveMs` at most), then it drains its actors and ends here. The
   * query goes on elsewhere.
   */
  async leave(): Promise<void> {
    await this.#leader.leave(this.#services.settings.leaveMs ?? LEAVE_COMMIT_MS);
    this.#leaving = true;
    await this.#settling;
    await this.#supervisor?.drainAll(SHUTDOWN_MS / 4);
    await this.close();
  }

  /** Ends everything of the query on this node at once, as a crash would; logs and state stay as they are. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#endMembership();
    for (const end of this.#ends) end();
    this.#leader.abort();
    await this.#supervisor?.stopAll();
    this.follower.close();
    this.#keeper.close();
    await this.#leader.idle();
  }
}

const CONTROL_LOG = { maxBytes: CONTROL_LOG_BYTES_MAX };
const asMillraceError = (e: unknown): MillraceError =>
  e instanceof MillraceError ? e : new ExecutionError(String(e), { cause: e });
const keyOf = (a: ActorIdentity): string => `${a.topology}/${a.stage}/${a.partition}`;
