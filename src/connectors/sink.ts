/**
 * The sink contract: one file per sink, one test, one line in `registry.ts`. A sink commits each epoch once (law 11): the
 * writer is told epochs in order, writes rows as they come, and makes epoch e final in `commit`. After a start it finds out
 * by itself (scan, stored epoch number, manifest) what of the epoch is there already, and refuses what is done.
 */
import type { Batch } from "../core/batch.ts";
import type { Clock } from "../core/clock.ts";
import type { Row } from "../core/value.ts";
import type { Schema } from "../core/schema.ts";
import type { LogStore } from "../log/log.ts";
import type { Options } from "./source.ts";

export type OutputMode = "append" | "update" | "complete";

export interface SinkContext {
  readonly store: LogStore;
  readonly clock: Clock;
  readonly queryName: string;
  readonly queryId: string;
  readonly runId: string;
  /** Which of `partitions` writers this is. */
  readonly partition: number;
  readonly partitions: number;
  readonly outputMode: OutputMode;
  readonly timeZone: string;
  /** Fencing token of this incarnation of the actor: grows with every start anywhere. */
  readonly token: number;
  /** False once the actor's lease is gone: a writer checks it before each append. */
  readonly alive: () => boolean;
  /** Something goes wrong again and again, and the writer goes on trying. */
  readonly warn?: (message: string) => void;
  /** With an `onError` other than "fail": takes a row that the program's own function refused, or throws the error when it is not the row's. */
  readonly onRowError?: (error: unknown, row: Row) => void;
}

/** Rows of one epoch reach the writer in order between `begin` and `commit`; epochs do not overlap. */
export interface SinkWriter {
  /** `committed`: the newest epoch that the actor's own store says is done; the target may know of one more. */
  open(committed: number): Promise<void>;
  begin(epoch: number): Promise<void> | void;
  write(batch: Batch): Promise<void> | void;
  /** Makes the epoch final. When it resolves, the rows are there once. */
  commit(epoch: number): Promise<void>;
  close(): Promise<void>;
}

export interface SinkSpec {
  readonly format: string;
  readonly options: Options;
  readonly partitionBy: readonly string[];
  /** In-process handle: memory sink, console stream, `foreachBatch`/`foreach` function. */
  readonly handle?: unknown;
}

export interface SinkFactory {
  readonly format: string;
  /** Names of all options, as of a source. */
  readonly optionNames: readonly string[];
  /** Throws ConfigurationError with a suggestion for unknown options and bad values. */
  validate(spec: SinkSpec, schema: Schema, outputMode: OutputMode): void;
  /** True when every partition of the last stage may write for itself; false gathers all rows in one writer. */
  partitioned(spec: SinkSpec): boolean;
  /** How it is made exactly once, for explain: `fence: expected last subject sequence, one in flight`. */
  describe(spec: SinkSpec): string;
  /** Options beyond the guarantee: `atMostOnce` commits the epoch's state before it writes. */
  guarantee(spec: SinkSpec): "exactlyOnce" | "atLeastOnce" | "atMostOnce";
  /** As `describe`, after asking the target: which fence is used there. */
  inspect?(spec: SinkSpec, context: Pick<SinkContext, "store" | "clock">): Promise<string>;
  /**
   * Asked before anything of the query runs. Rejects with ConfigurationError where the target refuses what the sink would write, such as a stream
   * that is not there; a target that does not answer is for the query to wait for.
   */
  checkTarget?(spec: SinkSpec, context: Pick<SinkContext, "store" | "clock">): Promise<void>;
  writer(spec: SinkSpec, schema: Schema, context: SinkContext): SinkWriter;
}
