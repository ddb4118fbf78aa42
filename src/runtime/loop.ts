/**
 * The loop under every data actor (sources, stages, sinks): recover, then epoch after epoch: wait for its plan entry, take its rows through the
 * operators, end it, send its `last`s, drain its state changes, hand it to the committer.
 *
 * Invariants.
 *  A1 no row of epoch e is used before entry e is read (law 2).
 *  A2 rows of e+1 are processed only after the changes of e are drained: a commit holds e and nothing of e+1 (law 6).
 *  A3 at most EPOCH_DEPTH epochs are processed and not committed.
 */
import type { Batch } from "../core/batch.ts";
import { rowCount } from "../core/batch.ts";
import { ExecutionError, MillraceError } from "../core/errors.ts";
import { EPOCH_DEPTH } from "../core/limits.ts";
import { RowErrors } from "./dead-letters.ts";
import { MaximaObserver } from "./maxima.ts";
import { isFork } from "../operators/fork.ts";
import { isObserver } from "../operators/observe.ts";
import type { Json } from "../connectors/source.ts";
import { SnapshotWriter } from "../state/snapshot-writer.ts";
import { StateStore } from "../state/store.ts";
import type { ActorEnvironment, ActorInput, ActorSink } from "./behaviour.ts";
import { Chain } from "./chain.ts";
import { Committer } from "./committer.ts";
import type { ActorWork, EpochEntry, EventTimeMaxima, OperatorProgress, Topology } from "./entries.ts";
import type { Outbox } from "./outbox.ts";
import { recover, type Mailbox } from "./recovery.ts";

/** How an actor ended when nothing failed: the query stopped, the node asked, or a new topology took over. */
export type ActorEnd = "finished" | "aborted" | "retired";

export interface ActorParts {
  readonly input: ActorInput;
  readonly outbox: Outbox;
  readonly sink: ActorSink | undefined;
  /** The mailbox as it is at the start; undefined for sources. */
  readonly mailbox: Mailbox | undefined;
  readonly topology: Topology;
}

interface Running {
  readonly env: ActorEnvironment;
  readonly parts: ActorParts;
  readonly store: StateStore;
  readonly chain: Chain;
  readonly rowErrors: RowErrors;
  readonly committer: Committer;
  readonly unpublishedUntil: number;
  /** The epoch under way. */
  entry: EpochEntry | undefined;
  sinkRows: Batch[];
  inputRows: number;
  readonly uncommitted: Promise<void>[];
}

export const runActor = async (
  env: ActorEnvironment,
  parts: ActorParts,
  signal: AbortSignal,
  drain: AbortSignal,
): Promise<ActorEnd> => {
  const { stage, partition, topology } = env.identity;
  const lineage = { checkpoint: env.queryId, stage, topology, partition, fingerprint: env.plan.fingerprint };
  const prefix = `${env.queryName}/${topology}/${stage}/${partition}`;
  const store = new StateStore(env.backend, prefix, lineage);
  const of = parts.topology.partitions[stage]!;
  const { root } = env.stage;
  const edges = isFork(root) ? root.spec.edges : undefined;
  const output = (batch: Batch, tree: number): void | Promise<void> => write(actor, batch, edges?.[tree]);
  const rowErrors = new RowErrors(env.plan.onError, env.identity);
  const chain = new Chain(root, store, { index: partition, of }, output, {
    clock: env.clock,
    onRowError: (error, row, schema) => rowErrors.handle(error, row, schema),
  });
  const point = await recover(env, store, parts.mailbox, parts.topology, signal);
  chain.restored();
  const snapshotLog = await env.store.open(env.names.snapshot(stage, topology, partition));
  const snapshots = new SnapshotWriter(snapshotLog, store, env.incarnation);
  const committer = new Committer(env, store, snapshots, parts.input, parts.sink);
  const actor: Running = {
    env,
    parts,
    store,
    chain,
    rowErrors,
    committer,
    unpublishedUntil: env.follower.committed,
    entry: undefined,
    sinkRows: [],
    inputRows: 0,
    uncommitted: [],
  };
  const { committed } = store;
  if (committed !== undefined && committed.epoch > env.follower.committed)
    env.acknowledge({
      kind: "done",
      stage,
      partition,
      topology,
      epoch: committed.epoch,
      maxima: committed.maxima,
      snapshotEpoch: 0,
      work: undefined,
    });
  // A source of a new topology begins with it: the epochs before are the old actors' (law 13).
  const epoch =
    parts.mailbox === undefined
      ? Math.max(point.epoch, env.follower.committed, parts.topology.since - 1)
      : point.epoch;
  try {
    await parts.sink?.open(epoch);
    await parts.input.open(point.resume, epoch);
    return await runEpochs(actor, epoch, signal, drain);
  } finally {
    await parts.input.close();
    parts.outbox.close();
    await committer.close();
    await parts.sink?.close();
    await chain.close();
  }
};

/** Rows that left a root: to its edge or all of them, and to the fused sink once the epoch is complete. */
const write = (actor: Running, batch: Batch, edge: string | undefined): void | Promise<void> => {
  if (actor.parts.sink !== undefined) actor.sinkRows.push(batch);
  if (actor.env.stage.outputs.length === 0) return;
  const { entry } = actor as Running & { entry?: EpochEntry };
  if (entry!.epoch <= actor.unpublishedUntil) return;
  const context = { clockMs: entry!.clockMs, timeZone: actor.env.timeZone };
  return actor.parts.outbox.write(batch, entry!.epoch, context, edge);
};

const runEpochs = async (
  actor: Running,
  from: number,
  signal: AbortSignal,
  drain: AbortSignal,
): Promise<ActorEnd> => {
  const { env, committer } = actor;
  const stopped = AbortSignal.any([signal, drain]);
  let failure: unknown;
  const failed = new AbortController();
  committer.onFailure = (e): void => {
    failure = e;
    failed.abort();
  };
  const ended = AbortSignal.any([stopped, failed.signal]);
  // Whoever waits for room in a full mailbox, or for its acknowledgements, must not wait for ever.
  const over = AbortSignal.any([signal, failed.signal]);
  const close = (): void => actor.parts.outbox.close();
  over.addEventListener("abort", close);
  try {
    for (let epoch = from + 1; ; epoch++) {
      env.step?.("loop", "plan entry");
      const entry = await env.follower.entry(epoch, ended);
      if (failure !== undefined) throw failure;
      if (entry === undefined)
        return await finish(actor, signal.aborted || drain.aborted ? "aborted" : "finished", signal);
      if (entry.topology.version !== env.identity.topology) return await finish(actor, "retired", signal);
      // A drained node ends between two epochs; a killed one anywhere.
      const complete = await runEpoch(actor, entry, over).catch((e: unknown) => {
        throw failure ?? e;
      });
      if (failure !== undefined) throw failure;
      if (!complete) return "aborted";
      while (actor.uncommitted.length >= EPOCH_DEPTH) await actor.uncommitted.shift();
    }
  } finally {
    // Node keeps a joined signal, and the actor with it, for as long as somebody listens to it.
    over.removeEventListener("abort", close);
  }
};

const finish = async (actor: Running, end: ActorEnd, signal: AbortSignal): Promise<ActorEnd> => {
  if (signal.aborted) return "aborted";
  await actor.committer.idle();
  await actor.committer.finalSnapshot();
  return end;
};

/** One epoch. False when aborted in the middle: nothing of it is kept. */
const runEpoch = async (actor: Running, entry: EpochEntry, signal: AbortSignal): Promise<boolean> => {
  const { env, parts, chain } = actor;
  const started = env.clock.monotonic();
  await env.probe?.("begin", entry.epoch);
  env.step?.("loop", "input");
  actor.entry = entry;
  actor.sinkRows = [];
  actor.inputRows = 0;
  parts.outbox.rows = 0;
  actor.rowErrors.begin(entry.epoch);
  chain.begin({ ...entry, timeZone: env.timeZone, final: false });
  const maxima = new MaximaObserver(chain, env.plan.watermarks);
  for await (const { edge, batch, split } of parts.input.rows(entry, signal)) {
    actor.inputRows += rowCount(batch);
    env.step?.("loop", "processing");
    try {
      await chain.feed(edge, batch);
      maxima.observe(split);
    } catch (e) {
      throw located(e, entry, env);
    }
    env.step?.("loop", "input");
  }
  if (signal.aborted) return false;
  await env.probe?.("input", entry.epoch);
  if (maxima.concerned) announce(actor, entry.epoch, maxima.maxima);
  try {
    await chain.end();
  } catch (e) {
    throw located(e, entry, env);
  }
  await env.probe?.("sending", entry.epoch);
  if (entry.epoch > actor.unpublishedUntil) await parts.outbox.end(entry.epoch);
  await env.probe?.("sent", entry.epoch);
  const pending = actor.store.drain(entry.epoch, parts.input.resume(), parts.input.created, maxima.maxima);
  const work = workOf(actor, maxima);
  const labels = { query: env.queryName, stage: env.identity.stage, partition: env.identity.partition };
  env.metrics.rowsIn(labels, work.inputRows);
  env.metrics.rowsOut(labels, work.outputRows);
  env.metrics.rowsLate(labels, work.lateRows);
  const held = Object.values(work.operators);
  if (held.length > 0)
    env.metrics.state(
      labels,
      held.reduce((n, o) => n + o.rowsTotal, 0),
      held.reduce((n, o) => n + o.bytes, 0),
    );
  env.metrics.epochSeconds(labels, (env.clock.monotonic() - started) / 1000);
  const committed = actor.committer.enqueue({
    epoch: entry.epoch,
    pending,
    delivered: parts.outbox.delivered(),
    sinkRows: actor.sinkRows,
    deadLetters: actor.rowErrors.take(),
    maxima: maxima.maxima,
    work,
    inputBytes: parts.input.takeBytes(),
    digests: parts.input.digests,
  });
  committed.catch(() => {});
  actor.uncommitted.push(committed);
  return true;
};

/** Says the maxima as soon as the rows are read, long before the epoch commits (law 12). */
const announce = (actor: Running, epoch: number, maxima: EventTimeMaxima): void => {
  const { stage, partition, topology } = actor.env.identity;
  actor.env.acknowledge({
    kind: "read",
    stage,
    partition,
    topology,
    epoch,
    maxima,
    snapshotEpoch: 0,
    work: undefined,
  });
};

const workOf = (actor: Running, times: MaximaObserver): ActorWork => {
  const stats = actor.store.stats();
  const operators: Record<string, OperatorProgress> = {};
  const observed: Record<string, Json> = {};
  let lateRows = 0;
  for (const { node, operator } of actor.chain.operators()) {
    if (isObserver(operator)) observed[node.id] = (operator.observed() ?? null) as Json;
    const m = operator.metrics?.();
    lateRows += m?.rowsDroppedByWatermark ?? 0;
    const s = stats.get(node.id);
    if (m === undefined && s === undefined) continue;
    operators[node.id] = {
      rowsTotal: s?.rows ?? 0,
      bytes: s?.bytes ?? 0,
      rowsUpdated: m?.rowsUpdated ?? 0,
      rowsRemoved: m?.rowsRemoved ?? 0,
      rowsLate: m?.rowsDroppedByWatermark ?? 0,
      commitMs: 0,
      partitions: 1,
      ...((s?.spilledBytes ?? 0) > 0 ? { spilledRows: s!.spilledRows!, spilledBytes: s!.spilledBytes! } : {}),
    };
  }
  const outputRows = actor.sinkRows.reduce((n, b) => n + rowCount(b), actor.parts.outbox.rows);
  return {
    inputRows: actor.inputRows,
    outputRows,
    lateRows,
    operators,
    eventTime: times.statistics(),
    observed,
  };
};

/** Says where an error happened, once. */
const located = (e: unknown, entry: EpochEntry, env: ActorEnvironment): unknown => {
  if (!(e instanceof MillraceError)) return e;
  const row = e instanceof ExecutionError && e.row !== undefined ? `, row ${e.row}` : "";
  const ranges = Object.values(entry.ranges)
    .flat()
    .map((r) => `${r.split} ${JSON.stringify(r.from)}..${JSON.stringify(r.to)}`);
  e.where = `${e.where ?? "input"}, stage ${env.identity.stage} partition ${env.identity.partition}, epoch ${entry.epoch}, input ${ranges.join("; ") || "none"}${row}`;
  return e;
};
