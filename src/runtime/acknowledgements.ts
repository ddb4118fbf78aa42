/**
 * Acknowledgements between actors and the leader. They travel as unreliable messages; an actor repeats each until the logs show that the
 * leader has it (law 9), so a lost message or a new leader costs time, never an epoch.
 */
import type { Clock } from "../core/clock.ts";
import { ACK_REPEAT_MS } from "../core/limits.ts";
import type { Bus } from "../log/log.ts";
import type { PhysicalPlan } from "../plan/physical.ts";
import type { ActorIdentity } from "./behaviour.ts";
import {
  decodeAcknowledgement,
  encodeEntry,
  type Acknowledgement,
  type ActorWork,
  type EpochEntry,
  type EventTimeMaxima,
} from "./entries.ts";
import type { QueryFollower } from "./follower.ts";
import { contradiction, type Digests } from "./replay-digest.ts";

/** Node side: sends and repeats what the node's actors say. */
export class AckSender {
  readonly #bus: Bus;
  readonly #subject: string;
  readonly #follower: QueryFollower;
  readonly #clock: Clock;
  readonly #open = new Map<string, Acknowledgement>();
  #cancel: (() => void) | undefined;

  constructor(bus: Bus, subject: string, follower: QueryFollower, clock: Clock) {
    this.#bus = bus;
    this.#subject = subject;
    this.#follower = follower;
    this.#clock = clock;
  }

  send(ack: Acknowledgement): void {
    this.#open.set(`${ack.kind}/${ack.topology}/${ack.stage}/${ack.partition}/${ack.epoch}`, ack);
    // The leader is the only reader; a repetition goes everywhere, for the leader that is meant may be another by now.
    this.#bus.publish(this.#subject, encodeEntry(ack), true);
    this.#cancel ??= this.#clock.after(ACK_REPEAT_MS, () => this.#repeat());
  }

  #has(ack: Acknowledgement): boolean {
    if (ack.epoch <= this.#follower.committed) return true;
    return ack.kind === "read" && ack.epoch < (this.#follower.latest?.entry.epoch ?? 0);
  }

  #repeat(): void {
    this.#cancel = undefined;
    for (const [key, ack] of this.#open) {
      if (this.#has(ack)) this.#open.delete(key);
      else this.#bus.publish(this.#subject, encodeEntry(ack));
    }
    if (this.#open.size > 0) this.#cancel = this.#clock.after(ACK_REPEAT_MS, () => this.#repeat());
  }

  /** Repeats nothing more of what was said so far. */
  close(): void {
    this.#open.clear();
    this.#cancel?.();
    this.#cancel = undefined;
  }
}

interface ActorState {
  done: number;
  snapshotEpoch: number;
}

/** Leader side: what has been said of the epochs that are planned and not committed. */
export class AckBook {
  readonly #plan: PhysicalPlan;
  /** Stages whose operators see event times. */
  readonly #observing: readonly number[];
  readonly #actors = new Map<string, ActorState>();
  readonly #read = new Map<number, Map<string, EventTimeMaxima>>();
  readonly #work = new Map<number, Map<string, ActorWork>>();
  readonly #digests = new Map<number, Map<string, Digests>>();

  constructor(plan: PhysicalPlan, observing: readonly number[]) {
    this.#plan = plan;
    this.#observing = observing;
  }

  take(bytes: Uint8Array): void {
    const ack = decodeAcknowledgement(bytes);
    const key = `${ack.topology}/${ack.stage}/${ack.partition}`;
    if (this.#observing.includes(ack.stage))
      getOrMake(this.#read, ack.epoch, () => new Map()).set(key, ack.maxima);
    if (ack.kind === "read") return;
    const actor = getOrMake(this.#actors, key, () => ({ done: 0, snapshotEpoch: 0 }));
    actor.done = Math.max(actor.done, ack.epoch);
    actor.snapshotEpoch = Math.max(actor.snapshotEpoch, ack.snapshotEpoch);
    if (ack.work !== undefined) getOrMake(this.#work, ack.epoch, () => new Map()).set(key, ack.work);
    if (ack.digests !== undefined) getOrMake(this.#digests, ack.epoch, () => new Map()).set(key, ack.digests);
  }

  /** A producer of which readers had different rows of the epoch (law 3's option). */
  contradiction(epoch: number): string | undefined {
    return contradiction(this.#digests.get(epoch)?.values() ?? []);
  }

  #keys(entry: EpochEntry, stages: readonly number[]): string[] {
    return stages.flatMap((s) =>
      Array.from({ length: entry.topology.partitions[s]! }, (_, p) => `${entry.topology.version}/${s}/${p}`),
    );
  }

  /** Whether every actor has committed the epoch. */
  done(entry: EpochEntry): boolean {
    const stages = this.#plan.stages.map((s) => s.id);
    return this.#keys(entry, stages).every((k) => (this.#actors.get(k)?.done ?? 0) >= entry.epoch);
  }

  /** The actors that have not committed the epoch. */
  missing(entry: EpochEntry): readonly ActorIdentity[] {
    const { version: topology, partitions } = entry.topology;
    return this.#plan.stages.flatMap(({ id: stage }) =>
      Array.from({ length: partitions[stage]! }, (_, partition) => ({ stage, partition, topology })).filter(
        ({ partition }) => (this.#actors.get(`${topology}/${stage}/${partition}`)?.done ?? 0) < entry.epoch,
      ),
    );
  }

  /** The event-time maxima of the epoch from all actors that see them; undefined until the last has said it. */
  maxima(entry: EpochEntry): EventTimeMaxima | undefined {
    const said = this.#read.get(entry.epoch);
    const keys = this.#keys(entry, this.#observing);
    if (!keys.every((k) => said?.has(k) === true)) return undefined;
    return keys.reduce<EventTimeMaxima>((sum, k) => mergeMaxima(sum, said!.get(k)!), {});
  }

  /** The oldest of the actors' newest snapshots. */
  snapshotEpoch(entry: EpochEntry): number {
    const stages = this.#plan.stages.map((s) => s.id);
    return Math.min(...this.#keys(entry, stages).map((k) => this.#actors.get(k)?.snapshotEpoch ?? 0));
  }

  work(epoch: number): readonly { readonly stage: number; readonly work: ActorWork }[] {
    return [...(this.#work.get(epoch) ?? [])].map(([key, work]) => ({
      stage: Number(key.split("/")[1]),
      work,
    }));
  }

  forget(epoch: number): void {
    for (const map of [this.#read, this.#work, this.#digests])
      for (const e of map.keys()) if (e <= epoch) map.delete(e);
  }
}

const getOrMake = <K, V>(map: Map<K, V>, key: K, make: () => V): V => {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
};

/** The larger of two maxima, operator by operator and split by split. */
export const mergeMaxima = (a: EventTimeMaxima, b: EventTimeMaxima): EventTimeMaxima => {
  const out: Record<string, Record<string, number>> = Object.fromEntries(
    Object.entries(a).map(([k, v]) => [k, { ...v }]),
  );
  for (const [operator, splits] of Object.entries(b)) {
    const of = (out[operator] ??= {});
    for (const [split, max] of Object.entries(splits)) of[split] = Math.max(of[split] ?? max, max);
  }
  return out;
};
