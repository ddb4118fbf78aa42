/**
 * Recovery of one actor alone (law 7): the higher epoch of local store and snapshots, then replay from its `resume`. After a rescale, the
 * final snapshots of the topology before (law 13).
 */
import { LogGapError, MillraceError, StateCorruptError } from "../core/errors.ts";
import { ownsKeyGroup } from "../core/hash.ts";
import { sleep } from "../core/clock.ts";
import { FINAL_POLL_MS } from "../core/limits.ts";
import type { Log } from "../log/log.ts";
import { isPart } from "../state/parts.ts";
import { download, findSnapshots, type FoundManifest } from "../state/snapshot.ts";
import {
  type BlobInfo,
  STATE_FORMAT,
  type Lineage,
  type StateRecord,
  type StateStore,
} from "../state/store.ts";
import type { ActorEnvironment } from "./behaviour.ts";
import type { Topology } from "./entries.ts";

export interface Mailbox {
  readonly created: string;
  readonly first: number;
  /** Newest position when the actor started; 0: nothing was ever written. */
  readonly last: number;
}

export interface RecoveryPoint {
  readonly epoch: number;
  readonly resume: number;
}

/** State that belongs to this mailbox and whose `resume` the mailbox still holds. */
const usable = (record: StateRecord, mailbox: Mailbox | undefined): boolean =>
  mailbox === undefined || (record.mailboxCreated === mailbox.created && record.resume >= mailbox.first);

/**
 * Fills `store` and says after which epoch to go on. `mailbox` is undefined for a source actor. Throws LogGapError when even the newest
 * snapshot is below what the mailbox holds.
 */
export const recover = async (
  env: ActorEnvironment,
  store: StateStore,
  mailbox: Mailbox | undefined,
  topology: Topology,
  signal: AbortSignal,
): Promise<RecoveryPoint> => {
  if (env.stage.kind === "source") {
    const own = await store.readRecord();
    store.committed = own;
    return { epoch: Math.max(own?.epoch ?? 0, env.follower.committed), resume: 0 };
  }
  const everything = (): boolean => true;
  const log = await env.store.open(
    env.names.snapshot(env.identity.stage, env.identity.topology, env.identity.partition),
  );
  const local = await store.readRecord();
  const snapshots = findSnapshots(log, store.lineage);
  const newest = await snapshots.next();
  const newestEpoch = newest.value?.manifest.record.epoch ?? -1;
  if (local !== undefined && local.epoch >= newestEpoch && usable(local, mailbox)) {
    const point = await fromLocal(store, local);
    if (point !== undefined) return point;
  }
  for (let found = newest; found.done !== true; found = await snapshots.next()) {
    if (!usable(found.value.manifest.record, mailbox)) continue;
    const receive = store.receive.bind(store);
    const snapshot = await download(log, found.value, { takes: () => "receive", receive });
    if (snapshot === undefined) continue;
    await store.adopt(snapshot.record, snapshot.blobs, everything);
    return { epoch: snapshot.record.epoch, resume: snapshot.record.resume };
  }
  if (newest.done !== true || (local !== undefined && mailbox !== undefined && !usable(local, mailbox))) {
    // Another copy uploads (this actor moves here): what was found may be trimmed while it is read, and there is something newer.
    const now = await findSnapshots(log, store.lineage).next();
    if (now.value?.position !== newest.value?.position)
      throw new LogGapError(`the log ${log.name} has newer snapshots meanwhile: choose again`);
    throw new LogGapErrorForGood(
      `stage ${env.identity.stage} partition ${env.identity.partition} has no state that its mailbox can continue: the mailbox of ${mailbox?.created ?? ""} starts at ${mailbox?.first ?? 0}`,
    );
  }
  return fromNothing(env, store, mailbox, topology, signal);
};

/** A gap that choosing again did not solve: the query fails. */
class LogGapErrorForGood extends LogGapError {
  override readonly decision = "fail" as const;
}

const fromLocal = async (store: StateStore, record: StateRecord): Promise<RecoveryPoint | undefined> => {
  try {
    await store.loadLocal(record, () => true);
    return { epoch: record.epoch, resume: record.resume };
  } catch (e) {
    // A damaged local store is a lost one; the tables may be half filled, so the actor starts again.
    if (e instanceof StateCorruptError) {
      await store.discard();
      throw new DamagedStoreError(e.message, { cause: e });
    }
    throw e;
  }
};

/** The local store was damaged and is deleted: recover again, without it. */
export class DamagedStoreError extends MillraceError {
  override readonly decision = "restart" as const;
}

const fromNothing = async (
  env: ActorEnvironment,
  store: StateStore,
  mailbox: Mailbox | undefined,
  topology: Topology,
  signal: AbortSignal,
): Promise<RecoveryPoint> => {
  if (mailbox !== undefined && mailbox.first > 1)
    throw new LogGapErrorForGood(
      `the mailbox of stage ${env.identity.stage} partition ${env.identity.partition} starts at ${mailbox.first}, but there is no snapshot of its state`,
    );
  const epoch = topology.since - 1;
  // Every epoch leaves at least the `last`s of its producers in the mailbox (law 1: lost acknowledged data fails the query).
  if (mailbox?.last === 0 && env.follower.committed > epoch)
    throw new LogGapErrorForGood(
      `the mailbox of stage ${env.identity.stage} partition ${env.identity.partition} is empty, but epoch ${env.follower.committed} is committed: acknowledged frames are lost`,
    );
  if (topology.previous !== undefined) await fromFinals(env, store, topology, signal);
  const record = {
    format: STATE_FORMAT,
    lineage: store.lineage,
    epoch,
    resume: 1,
    mailboxCreated: mailbox?.created ?? "",
    maxima: {},
  };
  await store.rebase(record);
  return { epoch, resume: 1 };
};

/** Loads this partition's key groups from the final snapshots of every actor of the stage in the topology before. */
const fromFinals = async (
  env: ActorEnvironment,
  store: StateStore,
  topology: Topology,
  signal: AbortSignal,
): Promise<void> => {
  const { stage, partition } = env.identity;
  const { version, partitions } = topology.previous!;
  const keeps = ownsKeyGroup(partition, topology.partitions[stage]!);
  const receive = store.receive.bind(store);
  const takes = (info: BlobInfo): "receive" | "keep" | "drop" =>
    info.part === undefined ? "keep" : keeps(info.part) ? "receive" : "drop";
  for (let p = 0; p < partitions[stage]!; p++) {
    const log = await env.store.open(env.names.snapshot(stage, version, p));
    const lineage = { ...store.lineage, topology: version, partition: p };
    const final = await untilFinal(env, log, lineage, topology.since - 1, signal);
    const snapshot = final === undefined ? undefined : await download(log, final, { takes, receive });
    if (snapshot === undefined)
      throw new StateCorruptError(
        `the final snapshot of stage ${stage} partition ${p} at epoch ${topology.since - 1} cannot be read`,
      );
    store.nextOrigin();
    for (const [i, info] of snapshot.record.blobs.entries())
      if (!isPart(info)) store.loadBlob(info.table, snapshot.blobs[i]!, keeps, info.epoch);
      else if (keeps(info.part)) await store.addPart(info);
  }
};

/** The old actors may still be on their way to the last epoch of their topology. */
const untilFinal = async (
  env: ActorEnvironment,
  log: Log,
  lineage: Lineage,
  epoch: number,
  signal: AbortSignal,
): Promise<FoundManifest | undefined> => {
  while (!signal.aborted) {
    for await (const found of findSnapshots(log, lineage)) {
      const at = found.manifest.record.epoch;
      if (at === epoch) return found;
      if (at < epoch) break;
    }
    await sleep(env.clock, FINAL_POLL_MS, signal);
  }
  return undefined;
};
