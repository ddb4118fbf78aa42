/**
 * The supervisor of a query on one node: builds actors, runs each under the one loop, restarts the one that failed, and takes a final failure
 * to the whole query.
 */
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Fiber from "effect/Fiber";
import { type Clock, sleep } from "../src/core/clock.ts";
import { stateDropped } from "../src/core/shared-memory.ts";
import { pack } from "../src/codec/msgpack.ts";
import { sinkFactory } from "../src/connectors/registry.ts";
import type { Source } from "../src/connectors/source.ts";
import type { Log, LogStore, Publisher } from "../src/log/log.ts";
import type { PhysicalPlan, StagePlan } from "../src/plan/physical.ts";
import { AckSender } from "../src/runtime/acknowledgements.ts";
import type {
  ActorEnvironment,
  ActorIdentity,
  ActorInput,
  ProbePoint,
  QueryNames,
} from "../src/runtime/behaviour.ts";
import type { Topology } from "../src/runtime/entries.ts";
import type { QueryFollower } from "../src/runtime/follower.ts";
import { runActor, type ActorEnd } from "../src/runtime/loop.ts";
import type { RuntimeMetrics } from "../src/runtime/metrics.ts";
import { Outbox } from "../src/runtime/outbox.ts";
import { supervised } from "../src/runtime/supervision.ts";
import type { StateBackend } from "../src/state/backend.ts";
import { ActorWatch } from "../src/runtime/actor-watch.ts";
import { RowErrors } from "../src/runtime/dead-letters.ts";
import type { Row } from "../src/core/value.ts";
import { EpochSink } from "./sink.ts";
import { watchSpace } from "../src/runtime/mailbox-space.ts";
import { SourceInput } from "./source.ts";
import { MailboxInput } from "./stage.ts";

/** What the actors of one query on one node share. */
export interface QueryNode {
  readonly queryName: string;
  readonly queryId: string;
  readonly runId: string;
  readonly nodeId: string;
  readonly plan: PhysicalPlan;
  readonly names: QueryNames;
  readonly store: LogStore;
  readonly backend: StateBackend;
  readonly follower: QueryFollower;
  /** Running sources by id. */
  readonly sources: ReadonlyMap<string, Source>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timeZone: string;
  readonly alive: () => boolean;
  readonly metrics: RuntimeMetrics;
  readonly snapshotIntervalMs: number;
  readonly mailboxMaxBytes: number;
  readonly maxRestarts: number;
  /** Whether `last`s carry the digest of law 3. */
  readonly replayDigest: boolean;
  /** A fencing token for an actor's start: grows over all nodes. */
  readonly nextToken: () => number;
  readonly log: (
    level: "debug" | "info" | "warn" | "error",
    message: string,
    fields: Record<string, unknown>,
  ) => void;
  readonly probe?: (actor: ActorIdentity, point: ProbePoint, epoch: number) => void | Promise<void>;
}

export interface SupervisorEvents {
  /** No restart helps: the query fails. */
  readonly failed: (error: unknown, actor: ActorIdentity) => void;
  readonly ended: (actor: ActorIdentity, end: ActorEnd) => void;
}

const keyOf = (a: ActorIdentity): string => `${a.stage}/${a.partition}/${a.topology}`;

interface RunningActor {
  readonly identity: ActorIdentity;
  readonly watch: ActorWatch;
  readonly fiber: Fiber.Fiber<ActorEnd, unknown>;
  readonly drain: AbortController;
  readonly done: Promise<void>;
}

export class ActorSupervisor {
  readonly #node: QueryNode;
  readonly #actors = new Map<string, RunningActor>();
  readonly #acks: AckSender;
  readonly #events: SupervisorEvents;
  #starts = 0;

  constructor(node: QueryNode, events: SupervisorEvents) {
    this.#node = node;
    this.#events = events;
    this.#acks = new AckSender(node.store.bus, node.names.acks, node.follower, node.clock);
  }

  running(): readonly ActorIdentity[] {
    return [...this.#actors.values()].map((a) => a.identity);
  }

  has(identity: ActorIdentity): boolean {
    return this.#actors.has(keyOf(identity));
  }

  /** Starts an actor; it is restarted by the policy until it ends well, is stopped, or fails for good. */
  start(identity: ActorIdentity, topology: Topology): void {
    const key = keyOf(identity);
    if (this.#actors.has(key)) return;
    const drain = new AbortController();
    const labels = { query: this.#node.queryName, stage: identity.stage, partition: identity.partition };
    const watch = new ActorWatch(this.#node.clock);
    let body: Promise<unknown> = Promise.resolve();
    const run = (signal: AbortSignal): Promise<ActorEnd> => {
      const ended = watch.guard(signal, (s) => this.#run(identity, topology, watch, s, drain.signal));
      body = ended.catch(() => {});
      return ended;
    };
    const effect = supervised(run, {
      clock: this.#node.clock,
      maxRestarts: this.#node.maxRestarts,
      random: this.#node.random,
      onRestart: (error, delayMs) => {
        this.#node.metrics.restart(labels);
        this.#node.log("warn", "actor restarts", {
          ...labels,
          delayMs: Math.round(delayMs),
          error: String(error),
        });
      },
    });
    const fiber = Effect.runFork(effect);
    const done = Effect.runPromise(Fiber.await(fiber)).then(async (exit) => {
      // An interrupted fiber ends before its body does; the actor's files are free only after the body.
      await body;
      if (this.#actors.get(key)?.fiber === fiber) this.#actors.delete(key);
      if (Exit.isSuccess(exit)) this.#events.ended(identity, exit.value);
      else this.#escalate(exit, identity, drain.signal.aborted);
    });
    this.#actors.set(key, { identity, watch, fiber, drain, done });
  }

  /** One that was stopped, or failed while it drained, is told as ended: it may be wanted here again by now. */
  #escalate(exit: Exit.Exit<ActorEnd, unknown>, identity: ActorIdentity, draining: boolean): void {
    if (!Exit.isFailure(exit)) return;
    for (const reason of draining ? [] : exit.cause.reasons) {
      if (reason._tag === "Fail") return this.#events.failed(reason.error, identity);
      if (reason._tag === "Die") return this.#events.failed(reason.defect, identity);
    }
    this.#events.ended(identity, "aborted");
  }

  /** The leader waits for this actor: says what it does, and starts it again if it has waited for others since `stallMs` (twice that the next time). */
  nudge(identity: ActorIdentity, stallMs: number): void {
    const actor = this.#actors.get(keyOf(identity));
    if (actor === undefined) return;
    const restarts = actor.watch.nudge(stallMs);
    const { queryName: query } = this.#node;
    const { stage, partition } = identity;
    this.#node.log("warn", "an epoch waits for an actor", {
      query,
      stage,
      partition,
      ...actor.watch.describe(),
      restarts,
    });
  }

  /** Ends an actor between two epochs, with its state committed and a snapshot taken. */
  async drain(identity: ActorIdentity): Promise<void> {
    const actor = this.#actors.get(keyOf(identity));
    if (actor === undefined) return;
    actor.drain.abort();
    await actor.done;
  }

  /** Ends an actor at once, as a crash of it would. */
  async stop(identity: ActorIdentity): Promise<void> {
    const actor = this.#actors.get(keyOf(identity));
    if (actor === undefined) return;
    await Effect.runPromise(Fiber.interrupt(actor.fiber));
    await actor.done;
  }

  /** Drains every actor; those that cannot end their epoch in time (its other actors are gone) are stopped where they are. */
  async drainAll(patienceMs: number): Promise<void> {
    const patience = new AbortController();
    const late = sleep(this.#node.clock, patienceMs, patience.signal);
    const drained = Promise.all(this.running().map((a) => this.drain(a)));
    await Promise.race([drained, late]);
    patience.abort();
    await this.stopAll();
  }

  /** The query has ended: the actors that run now end with a last snapshot, or after `patienceMs` where they are. */
  async settle(patienceMs: number): Promise<void> {
    const ending = [...this.#actors.values()];
    const patience = new AbortController();
    for (const a of ending) a.drain.abort();
    const late = sleep(this.#node.clock, patienceMs, patience.signal);
    await Promise.race([Promise.all(ending.map((a) => a.done)), late]);
    patience.abort();
    // Not others of the same name: the query may have been started again meanwhile.
    await Promise.all(ending.map((a) => Effect.runPromise(Fiber.interrupt(a.fiber)).then(() => a.done)));
    stateDropped();
  }

  async stopAll(): Promise<void> {
    await Promise.all(this.running().map((a) => this.stop(a)));
    this.#acks.close();
    stateDropped();
  }

  async #run(
    identity: ActorIdentity,
    topology: Topology,
    watch: ActorWatch,
    signal: AbortSignal,
    drain: AbortSignal,
  ): Promise<ActorEnd> {
    const node = this.#node;
    const stage = node.plan.stages.find((s) => s.id === identity.stage)!;
    const env = this.#environment(identity, stage, watch);
    const labels = { query: node.queryName, stage: identity.stage, partition: identity.partition };
    const mailboxLog =
      stage.kind === "source" ? undefined : await this.#mailbox(identity.stage, topology, identity.partition);
    const input: ActorInput =
      mailboxLog === undefined
        ? this.#sourceInput(stage, identity, topology)
        : new MailboxInput(mailboxLog, stage.inputs, node.mailboxMaxBytes, (frames) =>
            node.metrics.framesReplayed(labels, frames),
          );
    const mailbox = mailboxLog === undefined ? undefined : await mailboxLog.bounds();
    const outbox = await this.#outbox(stage, identity, topology);
    const sink = this.#sink(env, stage, topology, signal);
    return runActor(env, { input, outbox, sink, mailbox, topology }, signal, drain);
  }

  #environment(identity: ActorIdentity, stage: StagePlan, watch: ActorWatch): ActorEnvironment {
    const node = this.#node;
    const { probe } = node;
    return {
      ...node,
      identity,
      stage,
      token: node.nextToken(),
      incarnation: `${node.nodeId}-${++this.#starts}`,
      acknowledge: (ack) => this.#acks.send(ack),
      step: (side, step) => watch.step(side, step),
      ...(probe === undefined
        ? {}
        : { probe: (point: ProbePoint, epoch: number) => probe(identity, point, epoch) }),
    } as ActorEnvironment;
  }

  #mailbox(stage: number, topology: Topology, partition: number): Promise<Log> {
    const { store, names, mailboxMaxBytes: maxBytes, plan } = this.#node;
    const from = new Set(plan.stages.flatMap((s) => s.outputs.filter((e) => e.to === stage).map(() => s.id)));
    const writers = [...from].reduce((sum, id) => sum + topology.partitions[id]!, 0);
    return store.open(names.mailbox(stage, topology.version, partition), { maxBytes, writers });
  }

  #sourceInput(stage: StagePlan, identity: ActorIdentity, topology: Topology): SourceInput {
    const { follower, sources, store, names } = this.#node;
    const { id } = stage.source!;
    const partition = { index: identity.partition, of: topology.partitions[identity.stage]! };
    return new SourceInput(
      id,
      sources.get(id)!.reader(),
      partition,
      () => follower.latest?.entry,
      (split, to) => store.bus.publish(names.hints, pack([id, split, to]), true),
    );
  }

  /** One publisher per reader's mailbox, shared by the edges that lead there. */
  async #outbox(stage: StagePlan, identity: ActorIdentity, topology: Topology): Promise<Outbox> {
    const publishers = new Map<string, Publisher>();
    const perEdge: Publisher[][] = [];
    for (const edge of stage.outputs) {
      const readers: Publisher[] = [];
      for (let p = 0; p < topology.partitions[edge.to]!; p++) {
        const key = `${edge.to}/${p}`;
        let publisher = publishers.get(key);
        if (publisher === undefined) {
          const log = await this.#mailbox(edge.to, topology, p);
          publisher = log.publisher();
          this.#watchSpace(log, publisher);
          publishers.set(key, publisher);
        }
        readers.push(publisher);
      }
      perEdge.push(readers);
    }
    const producer = { topology: topology.version, partition: identity.partition };
    return new Outbox(stage.outputs, perEdge, producer, this.#node.replayDigest);
  }

  /** A full mailbox is raised for the oldest unfinished epoch (law 8); for later ones its writers wait. */
  #watchSpace(log: Log, publisher: Publisher): void {
    const { follower, mailboxMaxBytes, queryName, log: say } = this.#node;
    watchSpace(log, publisher, follower, mailboxMaxBytes, (limit, raised) =>
      say(
        "warn",
        raised ? "a mailbox is raised above its limit" : "a mailbox is full: its reader is behind",
        {
          query: queryName,
          mailbox: log.name,
          limit,
        },
      ),
    );
  }

  #sink(
    env: ActorEnvironment,
    stage: StagePlan,
    topology: Topology,
    signal: AbortSignal,
  ): EpochSink | undefined {
    if (stage.sink === undefined) return undefined;
    const factory = sinkFactory(stage.sink.format);
    const { onError, output } = this.#node.plan;
    const errors = onError === "fail" ? undefined : new RowErrors(onError, env.identity);
    const writer = factory.writer(stage.sink, output, {
      store: env.store,
      clock: env.clock,
      queryName: env.queryName,
      queryId: env.queryId,
      runId: env.runId,
      partition: env.identity.partition,
      partitions: topology.partitions[stage.id]!,
      outputMode: env.plan.outputMode,
      timeZone: env.timeZone,
      token: env.token,
      // A sink that waits for its target (a full stream) ends with its actor.
      alive: () => !signal.aborted && env.alive(),
      warn: (message) =>
        this.#node.log("warn", message, { query: env.queryName, partition: env.identity.partition }),
      ...(errors === undefined
        ? {}
        : { onRowError: (e: unknown, row: Row) => errors.handle(e, () => row, output) }),
    });
    return new EpochSink(writer, factory.guarantee(stage.sink) === "atMostOnce", env.probe, errors);
  }
}
