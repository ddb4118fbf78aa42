/**
 * The source contract: one file per source, one test, one line in `registry.ts`.
 *
 * A source has splits (a stream, a partition, a directory), each a replayable ordered sequence. The coordinator runs the
 * enumerator, which finds splits and their newest offsets and cuts ranges; source actors run readers, which turn a range
 * into batches. Ranges are JSON, kept in the plan log, and must give the same rows in the same order whenever they are
 * read again (law 2). Input that cannot do that is first copied into a log by its connector.
 */
import type { Batch } from "../core/batch.ts";
import type { Clock } from "../core/clock.ts";
import type { Schema } from "../core/schema.ts";
import type { TypedExpr } from "../expr/ast.ts";
import type { LogStore } from "../log/log.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [k: string]: Json };
export type Options = Readonly<Record<string, string>>;

/** A planned piece of one split. `from` of epoch e equals `to` of e-1. `data` is the source's own (file names, creation time). */
export interface SplitRange {
  readonly split: string;
  readonly from: Json;
  readonly to: Json;
  /** Rows in it if known, for progress. */
  readonly rows?: number;
  readonly data?: Json;
  /**
   * Splits with the same timeline are read to the same end in every epoch, so that none lags behind another: the watermark takes them for one split
   * of this name (law 12), which is also what `unread` says.
   */
  readonly timeline?: string;
}

export interface SourceContext {
  /** The application's own broker. A NATS source reads from it unless its options name another. */
  readonly store: LogStore;
  readonly clock: Clock;
  /** Name of the session, for log names. */
  readonly session?: string;
  readonly queryName: string;
  /** Unique per source of a query, stable over restarts: names logs and metrics. */
  readonly sourceId: string;
  readonly timeZone: string;
  /** Splits of a source that can make any number of them, when its options do not say. Absent: 1. */
  readonly splits?: number;
  /** Rows the source could not decode, by mode. */
  readonly onCorrupt?: (count: number) => void;
}

export interface PlanLimits {
  /** At most this many offsets (rows or messages) in the epoch, over all splits, proportionally. */
  readonly maxOffsets?: number;
}

/** Coordinator side. One at a time per source, on the leader. */
export interface SourceEnumerator {
  /** `state`: the `to` of every split in the newest plan entry; undefined on the first start. */
  open(state: Readonly<Record<string, Json>> | undefined): Promise<void>;
  /**
   * What can be planned now: a range per split with new input, from where the last one ended. Empty when nothing is new.
   * Looks at the outside world (new splits, newest offsets, `available` hints of readers).
   */
  plan(limits: PlanLimits): Promise<readonly SplitRange[]>;
  /** What is there now is all that will be planned from here on (triggers availableNow and once). */
  freeze?(): Promise<void>;
  /** Splits known to hold more input than was planned so far: they hold the watermark back (law 12). */
  unread?(): readonly string[];
  /** How much input waits, in offsets, if cheap to know: minOffsetsPerTrigger, lag metrics. */
  backlog(): Promise<number>;
  /** A reader saw input of a split up to `to` (exclusive): saves asking the outside. */
  available?(split: string, to: Json): void;
  /** Calls `wake` when new input may have come; sources that cannot tell are polled. Returns the end of it. */
  onInput?(wake: () => void): () => void;
  /** The epoch is in the commit log: input below may be forgotten (acknowledged, archived). */
  committed?(ends: Readonly<Record<string, Json>>): Promise<void>;
  close(): Promise<void>;
}

/** Source actor side. */
export interface SourceReader {
  /** Reads exactly the range, in order, in batches of at most a few thousand rows. Waits for what is not there yet; DataLossError when gone. */
  read(range: SplitRange, signal: AbortSignal): AsyncIterable<Batch>;
  /** Starts to read a split ahead of the plan and reports what is there. */
  prefetch?(split: string, from: Json, onAvailable: (to: Json) => void): void;
  close(): Promise<void>;
}

export interface Source {
  readonly schema: Schema;
  /** Number of source actors wanted for the splits known at start; at least 1. */
  parallelism(): Promise<number>;
  enumerator(): SourceEnumerator;
  reader(): SourceReader;
  /** One line for progress and explain, e.g. `nats[IN]`. */
  readonly description: string;
}

/** Where a column stands in a record when it is no field of its top level. */
export interface ColumnPath {
  /** Names from the outside in; structs of the declared schema but the last. */
  readonly path: readonly string[];
  /** The column is a boolean: whether the struct at `path` is not null. */
  readonly presence: boolean;
}

/** A source as plan data. */
export interface SourceSpec {
  readonly format: string;
  readonly options: Options;
  /** Columns read, after pruning; the source decodes only these. */
  readonly schema: Schema;
  /** The columns before pruning, where their order in the input counts (CSV). Absent: `schema` is all of them. */
  readonly declared?: Schema;
  /** By column of `schema`, for those inside structs of `declared`. Only where the factory says `nested`. */
  readonly paths?: readonly (ColumnPath | undefined)[];
  /** Conjuncts the source may use to skip rows; they are applied again behind it. */
  readonly pushed: readonly TypedExpr[];
  /** In-process handle of a memory source or a test. */
  readonly handle?: unknown;
}

export interface SourceFactory {
  readonly format: string;
  /** Names of all options: CREATE TABLE tells those of the source from those of the sink by them. */
  readonly optionNames: readonly string[];
  /** Options known, with defaults; anything else is a ConfigurationError with a suggestion. Throws on bad values. */
  validate(options: Options, mode: "batch" | "stream"): void;
  /** Whether it can read single fields of structs (`SourceSpec.paths`). */
  nested?(options: Options): boolean;
  /** The source of the decoder generated for these columns, for `explain("codegen")`; undefined when none is generated. */
  decoderCode?(spec: SourceSpec): string | undefined;
  /** The schema when the user gives none; throws an AnalysisError where one is needed. */
  defaultSchema(options: Options): Schema;
  create(spec: SourceSpec, context: SourceContext, mode: "batch" | "stream"): Source;
}
