/** What a node gives to the queries it runs. Made by src/node (real time, broker, disk) or by the test kit (virtual time, memory). */
import type { Clock } from "../core/clock.ts";
import type { Membership } from "../cluster/membership.ts";
import type { LogStore } from "../log/log.ts";
import type { ActorIdentity, ProbePoint } from "../runtime/behaviour.ts";
import type { RuntimeMetrics } from "../runtime/metrics.ts";
import type { StateBackend } from "../state/backend.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type Logger = (level: LogLevel, message: string, fields?: Readonly<Record<string, unknown>>) => void;

export interface NodeServices {
  readonly session: string;
  readonly store: LogStore;
  readonly backend: StateBackend;
  readonly clock: Clock;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** A new unique id (uuid). */
  readonly uuid: () => string;
  /** Replaced when the node had to join again. */
  readonly membership: Membership;
  readonly metrics: RuntimeMetrics;
  readonly log: Logger;
  readonly timeZone: string;
  readonly settings: NodeSettings;
  readonly probe?: (actor: ActorIdentity, point: ProbePoint, epoch: number) => void | Promise<void>;
}

export interface NodeSettings {
  readonly partitions: number;
  readonly snapshotIntervalMs: number;
  readonly mailboxMaxBytes: number;
  readonly maxRestarts: number;
  /** Splits of sources that do not say, where the order of rows within an epoch does not matter (SourceContext). Absent: 1. */
  readonly sourceSplits?: number;
  readonly splitWatermark: "limited" | "max";
  /** "forget" with compatibility "spark". */
  readonly maximaAfterStop: "keep" | "forget";
  /** An event-time column that is silent for so long no longer holds the watermark back; absent: it always does. */
  readonly idleTimeoutMs?: number | undefined;
  /** An epoch that takes longer is told, and the actors it waits for are looked after. Default EPOCH_STALL_MS. */
  readonly stallMs?: number;
  /** Compare content at replays too (law 3's digest): notices functions that give other rows again; costs a hash per row. Default false. */
  readonly replayDigest?: boolean;
  /** How long a leader that leaves goes on committing what is planned. Default LEAVE_COMMIT_MS. */
  readonly leaveMs?: number;
}
