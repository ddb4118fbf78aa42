/**
 * What the plan log and the commit log of a query hold (law 2). Plain msgpack records.
 *
 * The plan log is the query's only truth about what is to be done: which topology, which input, which clock, which watermark. The commit log
 * says up to where everything is done.
 */
import { pack, unpack } from "../codec/msgpack.ts";
import type { EpochDurations } from "./epoch-times.ts";
import type { Digests } from "./replay-digest.ts";
import type { Json, SplitRange } from "../connectors/source.ts";

/** Number of partitions of every stage, from epoch `since` on. Versions count from 1 (law 13). */
export interface Topology {
  readonly version: number;
  readonly since: number;
  readonly partitions: readonly number[];
  /** The topology before, whose final snapshots the actors of this one start from. */
  readonly previous: PreviousTopology | undefined;
}

/** Enough to run an actor of the topology before once more: it may have to begin with the finals of the one before it. */
export interface PreviousTopology {
  readonly version: number;
  readonly since: number;
  readonly partitions: readonly number[];
  readonly previous?: PreviousTopology | undefined;
}

/** Largest event time seen in ms, per watermark operator and split ("" where splits are not told apart). */
export type EventTimeMaxima = Readonly<Record<string, Readonly<Record<string, number>>>>;

/** A plan as text: what a program with another one is told. */
export interface PlanText {
  /** Hash of `lines`; what `EpochEntry.program` names. */
  readonly program: string;
  readonly lines: readonly string[];
  /** What the state depends on. */
  readonly fingerprintLines: readonly string[];
}

/** Everything an epoch depends on. */
export interface EpochEntry {
  readonly kind: "epoch";
  readonly epoch: number;
  /** Position of the epoch entry before it; 0 for the first. */
  readonly previous: number;
  /** Fencing token of the leader that planned it. */
  readonly token: number;
  readonly topology: Topology;
  readonly fingerprint: string;
  /** Hash of the whole plan that planned it; absent in entries of older programs. */
  readonly program?: string;
  /** The plan, now and then: the log is trimmed below the newest record that has it, never above. */
  readonly plan?: PlanText;
  /** Input per source id; no entry: no input of that source. */
  readonly ranges: Readonly<Record<string, readonly SplitRange[]>>;
  /** Where every split ends after this epoch, per source id. */
  readonly ends: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  /** Splits in the order they were found: split i belongs to source partition i mod partitions. */
  readonly splits: Readonly<Record<string, readonly string[]>>;
  /** Splits that had more input when this was planned than it takes: they hold the watermark back (law 12). */
  readonly unread: Readonly<Record<string, readonly string[]>>;
  readonly clockMs: number;
  /** Maxima of the event-time columns over the epochs before. */
  readonly maxima: EventTimeMaxima;
  readonly runId: string;
  readonly queryId: string;
  /** B(e) and B(e-1) of law 12, milliseconds. */
  readonly watermark: number;
  readonly lateWatermark: number;
  /** Event-time columns that were silent and left out of the minimum (`idleTimeout`); absent: none. */
  readonly idle?: readonly string[];
  /** True when it was planned only to close what the watermark passed. */
  readonly empty: boolean;
}

/** One `start()` of the query by a leader; ends an earlier stop or failure. */
export interface RunEntry {
  readonly kind: "run";
  readonly runId: string;
  readonly queryId: string;
  readonly token: number;
  readonly fingerprint: string;
  readonly fingerprintLines: readonly string[];
  /** Absent in entries of older programs. */
  readonly plan?: PlanText;
  readonly clockMs: number;
  /** Partitions of keyed stages that this start asks for (law 13); undefined: as before. */
  readonly partitions?: number | undefined;
}
export interface StopEntry {
  readonly kind: "stop";
  readonly token: number;
}
export interface FailEntry {
  readonly kind: "fail";
  readonly token: number;
  readonly name: string;
  readonly message: string;
  readonly errorClass: string | undefined;
}
/** Somebody asks for another number of partitions; the leader answers with a new topology version. */
export interface RescaleEntry {
  readonly kind: "rescale";
  readonly partitions: number;
}
export type PlanRecord = EpochEntry | RunEntry | StopEntry | FailEntry | RescaleEntry;

export interface CommitEntry {
  readonly epoch: number;
  readonly token: number;
  /** Maxima after this epoch: for a new leader that has to plan the next one (law 12). */
  readonly maxima: EventTimeMaxima;
  /** Every actor has a snapshot at least this new: entries up to here are history. */
  readonly snapshotEpoch: number;
  /** What the epoch did, for progress on all nodes. */
  readonly progress: EpochProgress;
}

export interface EpochProgress {
  readonly startMs: number;
  readonly endMs: number;
  /** Absent in entries of older programs. */
  readonly durationMs?: EpochDurations;
  readonly inputRows: Readonly<Record<string, number>>;
  readonly outputRows: number;
  readonly lateRows: number;
  readonly operators: Readonly<Record<string, OperatorProgress>>;
  readonly eventTime: Readonly<Record<string, EventTimeStats>>;
  readonly observed: Readonly<Record<string, Json>>;
}
export interface OperatorProgress {
  readonly rowsTotal: number;
  readonly bytes: number;
  readonly rowsUpdated: number;
  readonly rowsRemoved: number;
  readonly rowsLate: number;
  readonly commitMs: number;
  readonly partitions: number;
  /** Of `rowsTotal`: those that only the disk has, and what the state on disk takes; absent: nothing is there. */
  readonly spilledRows?: number;
  readonly spilledBytes?: number;
}
export interface EventTimeStats {
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly count: number;
}

/** An actor says: I have read all of epoch `epoch` (`read`), or committed it (`done`). Repeated until the logs have it (law 9). */
export interface Acknowledgement {
  readonly kind: "read" | "done";
  readonly stage: number;
  readonly partition: number;
  readonly topology: number;
  readonly epoch: number;
  readonly maxima: EventTimeMaxima;
  readonly snapshotEpoch: number;
  readonly work: ActorWork | undefined;
  /** Of a stage: what its producers' `last`s of the epoch carried (law 3's option). */
  readonly digests?: Digests;
}
export interface ActorWork {
  readonly inputRows: number;
  readonly outputRows: number;
  readonly lateRows: number;
  readonly operators: Readonly<Record<string, OperatorProgress>>;
  readonly eventTime: Readonly<Record<string, EventTimeStats>>;
  readonly observed: Readonly<Record<string, Json>>;
}

export const encodeEntry = (e: PlanRecord | CommitEntry | Acknowledgement): Uint8Array => pack(e);
export const decodePlanRecord = (bytes: Uint8Array): PlanRecord => unpack(bytes) as PlanRecord;
export const decodeCommitEntry = (bytes: Uint8Array): CommitEntry => unpack(bytes) as CommitEntry;
export const decodeAcknowledgement = (bytes: Uint8Array): Acknowledgement => unpack(bytes) as Acknowledgement;
