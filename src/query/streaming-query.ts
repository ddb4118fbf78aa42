/** A started query as programs see it: Spark's StreamingQuery and StreamingQueryManager (spark.md 1.17-1.19). */
import type { MillraceError } from "../core/errors.ts";
import type { QueryInspection } from "./query-inspection.ts";
import type { Json } from "../connectors/source.ts";

export interface StreamingQueryStatus {
  readonly message: string;
  readonly isDataAvailable: boolean;
  readonly isTriggerActive: boolean;
}

/** Spark's field names; batchId counts from 0. */
export interface StreamingQueryProgress {
  readonly id: string;
  readonly runId: string;
  readonly name: string;
  readonly timestamp: string;
  readonly batchId: number;
  readonly batchDuration: number;
  readonly numInputRows: number;
  readonly inputRowsPerSecond: number;
  readonly processedRowsPerSecond: number;
  readonly durationMs: Readonly<Record<string, number>>;
  readonly eventTime: Readonly<Record<string, string>>;
  readonly stateOperators: readonly StateOperatorProgress[];
  readonly sources: readonly SourceProgress[];
  readonly sink: { readonly description: string; readonly numOutputRows: number };
  readonly observedMetrics: Readonly<Record<string, Json>>;
}
export interface StateOperatorProgress {
  readonly operatorName: string;
  readonly numRowsTotal: number;
  readonly numRowsUpdated: number;
  readonly allUpdatesTimeMs: number;
  readonly numRowsRemoved: number;
  readonly allRemovalsTimeMs: number;
  readonly commitTimeMs: number;
  readonly memoryUsedBytes: number;
  readonly numRowsDroppedByWatermark: number;
  readonly numShufflePartitions: number;
  readonly numStateStoreInstances: number;
  readonly customMetrics: Readonly<Record<string, number>>;
}
export interface SourceProgress {
  readonly description: string;
  readonly startOffset: Json;
  readonly endOffset: Json;
  readonly latestOffset: Json;
  readonly numInputRows: number;
  readonly inputRowsPerSecond: number;
  readonly processedRowsPerSecond: number;
  readonly metrics: Readonly<Record<string, number>>;
}

export interface StreamingQuery {
  /** Lives as long as the checkpoint. */
  readonly id: string;
  /** One start. */
  readonly runId: string;
  readonly name: string;
  readonly isActive: boolean;
  readonly status: StreamingQueryStatus;
  readonly lastProgress: StreamingQueryProgress | undefined;
  readonly recentProgress: readonly StreamingQueryProgress[];
  readonly exception: MillraceError | undefined;
  /** Stops the query on all nodes; resolves when every planned epoch is finished. */
  stop(): Promise<void>;
  /** Resolves (true) when the query stopped, rejects when it failed; false when `timeoutMs` passed first. */
  awaitTermination(timeoutMs?: number): Promise<boolean>;
  /** Resolves when all input that is there now is processed, committed and written. For tests. */
  processAllAvailable(): Promise<void>;
  explain(mode?: "simple" | "extended" | "codegen" | "cost"): string;
  /** What the query keeps: state by key, dead letters. */
  readonly inspection: QueryInspection;
  /** Changes the number of partitions of the running query (law 13). */
  rescale(partitions: number): Promise<void>;
}

export interface StreamingQueryListener {
  onQueryStarted?(event: {
    readonly id: string;
    readonly runId: string;
    readonly name: string;
    readonly timestamp: string;
  }): void;
  onQueryProgress?(event: { readonly progress: StreamingQueryProgress }): void;
  /** Every ten seconds without progress. */
  onQueryIdle?(event: { readonly id: string; readonly runId: string; readonly timestamp: string }): void;
  onQueryTerminated?(event: {
    readonly id: string;
    readonly runId: string;
    readonly exception?: string;
    readonly errorClassOnException?: string;
  }): void;
}

export interface StreamingQueryManager {
  readonly active: readonly StreamingQuery[];
  get(id: string): StreamingQuery | undefined;
  awaitAnyTermination(timeoutMs?: number): Promise<boolean>;
  addListener(listener: StreamingQueryListener): void;
  removeListener(listener: StreamingQueryListener): void;
}
