/** What the coordinator gets from the node that leads. */
import type { Clock } from "../src/core/clock.ts";
import type { SourceEnumerator } from "../src/connectors/source.ts";
import type { Log, LogStore } from "../src/log/log.ts";
import type { PhysicalPlan } from "../src/plan/physical.ts";
import type { ActorIdentity, QueryNames } from "../src/runtime/behaviour.ts";
import type { Topology } from "../src/runtime/entries.ts";
import type { QueryFollower } from "../src/runtime/follower.ts";
import type { RuntimeMetrics } from "../src/runtime/metrics.ts";
import type { Trigger } from "../src/runtime/trigger.ts";

export interface CoordinatorEnvironment {
  readonly queryName: string;
  readonly queryId: string;
  readonly runId: string;
  readonly plan: PhysicalPlan;
  readonly names: QueryNames;
  readonly store: LogStore;
  readonly planLog: Log;
  readonly commitLog: Log;
  readonly follower: QueryFollower;
  readonly sources: ReadonlyMap<string, SourceEnumerator>;
  readonly clock: Clock;
  readonly timeZone: string;
  readonly metrics: RuntimeMetrics;
  /** Grows with every leader (the election's sequence). */
  readonly token: number;
  readonly alive: () => boolean;
  readonly trigger: Trigger;
  readonly limits: ReadonlyMap<string, SourceLimits>;
  /** Number of partitions wanted for keyed stages, and per source stage. */
  readonly partitions: (previous: Topology | undefined, rescaleTo: number | undefined) => readonly number[];
  /** What the program asks for at a new run; undefined: what the query had. */
  readonly partitionsWanted: number | undefined;
  /** True when no other node of the query lives: then this is a new run. */
  readonly newRun: boolean;
  readonly splitWatermark: "limited" | "max";
  /**
   * Whether a query that was stopped and started again still knows the maxima of its event-time columns. Spark forgets them: until each
   * column has new data the watermark stands still.
   */
  readonly maximaAfterStop: "keep" | "forget";
  /** A column that is silent for so long is left out of the watermark's minimum; undefined: never. */
  readonly idleTimeoutMs?: number | undefined;
  /** An epoch that takes longer is told, with what it waits for (milliseconds). */
  readonly stallMs: number;
  /** The node that an actor is assigned to. */
  readonly assigned: (actor: ActorIdentity) => string | undefined;
  /** Asks the nodes to look after actors that an epoch waits for. */
  readonly nudge: (actors: readonly ActorIdentity[]) => void;
  readonly warn: (message: string, fields: Record<string, unknown>) => void;
}

export interface SourceLimits {
  readonly maxOffsets: number | undefined;
  readonly minOffsets: number | undefined;
  readonly maxTriggerDelayMs: number;
}
