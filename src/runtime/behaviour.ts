/**
 * The one contract that every kind of data actor implements, and what the loop gives it. Kinds live in `actors/`; the loop that runs them is
 * `loop.ts`.
 */
import type { Batch } from "../core/batch.ts";
import type { Clock } from "../core/clock.ts";
import type { LogStore } from "../log/log.ts";
import type { PhysicalPlan, StagePlan } from "../plan/physical.ts";
import type { StateBackend } from "../state/backend.ts";
import type { DeadLetter } from "./dead-letters.ts";
import type { StateStore } from "../state/store.ts";
import type { Acknowledgement, ActorWork, EpochEntry, Topology } from "./entries.ts";
import type { QueryFollower } from "./follower.ts";
import type { RuntimeMetrics } from "./metrics.ts";
import type { Digests } from "./replay-digest.ts";

/** Which actor of a query this is. */
export interface ActorIdentity {
  readonly stage: number;
  readonly partition: number;
  readonly topology: number;
}

/** Names of a query's logs and subjects; made by src/log/names. */
export interface QueryNames {
  readonly plan: string;
  readonly commit: string;
  mailbox(stage: number, topology: number, partition: number): string;
  snapshot(stage: number, topology: number, partition: number): string;
  /** Rows that could not be computed. */
  readonly deadLetters: string;
  /** Bus subjects. */
  readonly acks: string;
  readonly hints: string;
  /** The leader names actors that an epoch waits for. */
  readonly nudges: string;
}

/** Everything an actor gets from its node. */
export interface ActorEnvironment {
  readonly identity: ActorIdentity;
  readonly queryName: string;
  readonly queryId: string;
  readonly runId: string;
  readonly plan: PhysicalPlan;
  readonly stage: StagePlan;
  readonly names: QueryNames;
  readonly store: LogStore;
  readonly backend: StateBackend;
  readonly follower: QueryFollower;
  readonly clock: Clock;
  readonly timeZone: string;
  /** Unique per start of an actor anywhere; grows: the fencing token of law 11. */
  readonly token: number;
  readonly incarnation: string;
  /** False once the node's lease is gone: nothing shared may be written any more. */
  readonly alive: () => boolean;
  readonly acknowledge: (ack: Acknowledgement) => void;
  readonly metrics: RuntimeMetrics;
  readonly snapshotIntervalMs: number;
  readonly mailboxMaxBytes: number;
  /** What the loop, or the committer beside it, does from now on. */
  readonly step?: (side: Side, step: Step) => void;
  /** A named place in the actor's life was reached: tests crash there. */
  readonly probe?: (point: ProbePoint, epoch: number) => void | Promise<void>;
}

export type Side = "loop" | "commit";

/** What an actor does. In the first five it waits for somebody else. */
export type Step =
  "plan entry" | "input" | "sending" | "delivery" | "idle" | "recovery" | "processing" | "sink" | "state";

export type ProbePoint =
  | "begin"
  | "input"
  | "sending"
  | "sent"
  | "delivered"
  | "sinkWritten"
  | "sinkCommitted"
  | "committed"
  | "chunks"
  | "manifest"
  | "trimmed";

export interface InputBatch {
  /** Edge id, or "source". */
  readonly edge: string;
  readonly batch: Batch;
  /** The source's split it came from; "" behind an exchange. */
  readonly split: string;
}

/** What differs between kinds: where rows come from. */
export interface ActorInput {
  /** Called once the state is loaded: `resume` is the position to read from, `epoch` the newest committed one. */
  open(resume: number, epoch: number): Promise<void>;
  /** The rows of one epoch, in the order that counts, all of them. Ends early only when aborted. */
  rows(entry: EpochEntry, signal: AbortSignal): AsyncIterable<InputBatch>;
  /** The position to read from after the epoch just read (law 6). */
  resume(): number;
  /** Bytes read since the last call, for the snapshot interval. */
  takeBytes(): number;
  /** The digests of the epoch just read, by producer (law 3's option); absent: a source. */
  readonly digests?: Digests;
  /** Creation time of the mailbox; "" for sources. */
  readonly created: string;
  /** The mailbox may forget what is below (law 8). */
  trim(resume: number): Promise<void>;
  close(): Promise<void>;
}

/** Where rows go besides the stage's edges. */
export interface ActorSink {
  open(committed: number): Promise<void>;
  /** Writes and commits an epoch's rows, in order of epochs. */
  commit(epoch: number, rows: readonly Batch[]): Promise<void>;
  /** True when the state commits before the sink writes (at most once). */
  readonly commitsFirst: boolean;
  /** Rows of the epoch committed last that it could not write and set aside (`onError`). */
  takeDeadLetters?(): readonly DeadLetter[];
  close(): Promise<void>;
}

export interface Recovered {
  readonly epoch: number;
  readonly resume: number;
  readonly store: StateStore;
}

/** The final snapshots an actor of a new topology starts from (law 13). */
export type TopologyStart = Pick<Topology, "since" | "previous">;

export type Work = ActorWork;
