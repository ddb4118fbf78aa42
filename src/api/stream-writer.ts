/** `df.writeStream`: Spark's DataStreamWriter. Collects what a query needs; `start()` hands it to the runtime, and only then something connects. */
import type { OnError } from "../runtime/dead-letters.ts";
import type { Batch } from "../core/batch.ts";
import { rowsOf } from "../core/batch.ts";
import { struct } from "../core/data-type.ts";
import { AnalysisError, ConfigurationError } from "../core/errors.ts";
import { sinkFactory } from "../connectors/registry.ts";
import type { BatchFunction, EpochInfo, RowFunctions } from "../connectors/function-sink.ts";
import type { OutputMode } from "../connectors/sink.ts";
import { toUserValue } from "../expr/user-values.ts";
import { nearest } from "../expr/suggestion.ts";
import type { StartRequest } from "../query/runtime.ts";
import type { StreamingQuery } from "../query/streaming-query.ts";
import type { Trigger } from "../runtime/trigger.ts";
import type { DataFrame, FrameMaker } from "./data-frame.ts";
import { namesOf } from "./frame-items.ts";
import type { FrameCore } from "./frame-core.ts";
import { durationArgument, kindOf, objectArgument, optionTexts, textArgument } from "./arguments.ts";
import type { Flags, OutputModes, StaticFlags } from "./frame-types.ts";
import { isWritable, tableSink } from "./stream-table.ts";
import type { Duration, Keys, RowOf } from "./tags.ts";

/** When epochs are planned; exactly one of them. */
export type TriggerOptions =
  | { readonly processingTime: Duration | number }
  /** An epoch per this many rows. */
  | { readonly count: number }
  /** What is there now, in epochs by the rate options; then the query ends. */
  | { readonly availableNow: true }
  /** What is there now in one epoch; then the query ends. */
  | { readonly once: true }
  | { readonly realTime: Duration | number };
/** Row-wise sink. `open` may refuse an epoch (false) that it knows to be written. */
export interface ForeachWriter<S> {
  open?(partition: number, batchId: number): boolean | Promise<boolean>;
  process(row: RowOf<S>): void | Promise<void>;
  close?(error?: unknown): void | Promise<void>;
}

const TRIGGERS = ["processingTime", "count", "availableNow", "once", "realTime"];
const ON_ERROR: readonly string[] = ["fail", "skip", "deadLetter"];
const shown = (x: unknown): string => (typeof x === "string" ? `"${x}"` : kindOf(x));
const MODES: readonly string[] = ["append", "update", "complete"];

const triggerOf = (options: TriggerOptions): Trigger => {
  objectArgument("trigger", "an object", options, 'trigger({ processingTime: "10 seconds" })');
  const entries = Object.entries(options).filter(([, v]) => v !== undefined);
  const [kind, value] = entries[0] ?? [];
  if (entries.length !== 1 || kind === undefined || !TRIGGERS.includes(kind))
    throw new AnalysisError(`trigger takes exactly one of ${TRIGGERS.join(", ")}`, {
      hint: `for example trigger({ processingTime: "10 seconds" })${kind === undefined ? "" : `; did you mean "${nearest(kind, TRIGGERS)[0]}"?`}`,
    });
  switch (kind) {
    case "processingTime":
    case "realTime": {
      const intervalMs = durationArgument(`trigger: ${kind}`, value);
      if (!(intervalMs >= 0))
        throw new AnalysisError(`trigger: the interval must not be negative, but is ${intervalMs} ms`);
      return { kind, intervalMs };
    }
    case "count":
      if (!Number.isSafeInteger(value) || (value as number) < 1)
        throw new AnalysisError(`trigger: count must be a whole number from 1, not ${String(value)}`);
      return { kind, rows: value as number };
    default:
      if (value !== true) throw new AnalysisError(`trigger: ${kind} takes true only`);
      return { kind: kind as "availableNow" | "once" };
  }
};

interface Settings {
  readonly mode: OutputMode;
  readonly trigger: Trigger;
  readonly format: string | undefined;
  readonly options: Readonly<Record<string, string>>;
  readonly onError: OnError;
  readonly name: string | undefined;
  readonly partitionBy: readonly string[];
  readonly partitions: number | undefined;
  readonly handle: unknown;
}

export class DataStreamWriter<S, F extends Flags, M extends string> {
  readonly #frame: FrameCore;
  readonly #make: FrameMaker;
  #settings: Settings = {
    mode: "append",
    trigger: { kind: "default" },
    format: undefined,
    options: {},
    onError: "fail",
    name: undefined,
    partitionBy: [],
    partitions: undefined,
    handle: undefined,
  };
  declare readonly mode: M;

  constructor(frame: FrameCore, make: FrameMaker) {
    if (!isWritable(frame))
      throw new AnalysisError(
        "[WRITE_STREAM_NOT_ALLOWED] `writeStream` can be called only on streaming Dataset/DataFrame.",
        {
          errorClass: "WRITE_STREAM_NOT_ALLOWED",
          hint: "use `write` for a batch query, or read the source with readStream",
        },
      );
    this.#frame = frame;
    this.#make = make;
  }

  #with(change: Partial<Settings>): this {
    this.#settings = { ...this.#settings, ...change };
    return this;
  }

  /** `append` (rows that are final; default), `update` (rows that changed), `complete` (the whole result). */
  outputMode<const N extends OutputModes<F>>(mode: N): DataStreamWriter<S, F, N> {
    const known = String(mode).toLowerCase();
    if (!MODES.includes(known))
      throw new AnalysisError(
        `[STREAMING_OUTPUT_MODE.INVALID] Invalid streaming output mode: ${typeof mode === "string" ? mode : kindOf(mode)}.`,
        {
          errorClass: "STREAMING_OUTPUT_MODE.INVALID",
          hint: `did you mean "${nearest(known, MODES)[0]}"?`,
        },
      );
    return this.#with({ mode: known as OutputMode }) as unknown as DataStreamWriter<S, F, N>;
  }

  /** When epochs are planned; without it, as soon as input waits and the epoch before is planned. */
  trigger(options: TriggerOptions): this {
    return this.#with({ trigger: triggerOf(options) });
  }

  /** The sink: `nats`, `file`, `console`, `memory`, … */
  format(format: string): this {
    textArgument("format", "the name of a sink", format, 'format("nats")');
    return this.#with({ format });
  }

  /**
   * What becomes of a row that an operator cannot compute (a cast, an overflow, a user function that throws): the query fails (the default), the row is
   * left out and counted, or it goes to the query's dead-letter log as well. So with a row at which `foreach` throws; `foreachBatch` always fails the query.
   */
  onError(policy: OnError): this {
    if (!ON_ERROR.includes(policy))
      throw new AnalysisError(`onError is one of ${ON_ERROR.join(", ")}, not ${shown(policy)}`, {
        hint: `did you mean "${nearest(String(policy), ON_ERROR)[0]}"?`,
      });
    return this.#with({ onError: policy });
  }

  /** An option of the sink. */
  option(name: string, value: string | number | boolean): this {
    return this.options({ [name]: value });
  }

  /** Options of the sink. */
  options(options: Readonly<Record<string, string | number | boolean>>): this {
    const texts = optionTexts("writeStream.option", options);
    return this.#with({ options: Object.fromEntries([...Object.entries(this.#settings.options), ...texts]) });
  }

  /** Name of the query; with the session's name, of its checkpoint. Required on NATS. */
  queryName(name: string): this {
    textArgument("queryName", "a name", name, 'queryName("orders")');
    return this.#with({ name });
  }

  /** Columns by whose values a file sink makes folders. */
  partitionBy<K extends Keys<S>>(...columns: readonly K[]): this {
    return this.#with({ partitionBy: namesOf("partitionBy", columns) });
  }

  /** Partitions of keyed stages (a setting of new queries). */
  partitions(n: number): this {
    if (!Number.isSafeInteger(n) || n < 1)
      throw new ConfigurationError(
        `partitions must be a whole number from 1, not ${typeof n === "number" ? n : kindOf(n)}`,
      );
    return this.#with({ partitions: n });
  }

  /** In-process target of the sink: a MemorySink for `format("memory")`, a writable for `console`. */
  handle(handle: unknown): this {
    return this.#with({ handle });
  }

  /** Once per epoch, with its rows as a batch frame. At least once: `batchId` is the same when an epoch comes again. */
  foreachBatch(f: (batch: DataFrame<S, StaticFlags>, batchId: number) => void | Promise<void>): this {
    if (typeof f !== "function")
      throw new AnalysisError("foreachBatch takes a function of a batch and its batchId");
    const make = this.#make;
    const handle: BatchFunction = (batches: readonly Batch[], info: EpochInfo) =>
      f(
        make({ kind: "rows", schema: info.schema, rows: batches.flatMap((b) => [...rowsOf(b)]) }),
        info.epoch - 1,
      );
    return this.#with({ format: "foreachBatch", handle });
  }

  /** Every row, as an object, by a function or by an object with open, process and close. */
  foreach(writer: ForeachWriter<S> | ((row: RowOf<S>) => void | Promise<void>)): this {
    const user: ForeachWriter<S> = typeof writer === "function" ? { process: writer } : writer;
    if (typeof (user as Partial<ForeachWriter<S>> | undefined)?.process !== "function")
      throw new AnalysisError("foreach takes a function of a row, or an object with process(row)");
    const { schema } = this.#frame;
    const type = struct(schema.fields);
    const handle: RowFunctions = {
      open: (info) => user.open?.(info.partition, info.epoch - 1) ?? true,
      process: (row) => user.process(toUserValue(row, type) as RowOf<S>),
      close: (error) => user.close?.(error),
    };
    return this.#with({ format: "foreach", handle });
  }

  /** Starts the query into a table of the catalog. */
  toTable(name: string): Promise<StreamingQuery> {
    textArgument("toTable", "the name of a table", name);
    return this.#with(tableSink(this.#frame.session.catalog, name)).start();
  }

  /** What `start()` hands over. Throws AnalysisError and ConfigurationError. */
  request(path?: string): StartRequest {
    const { mode, trigger, format, options, name, partitionBy, partitions, handle, onError } = this.#settings;
    if (format === undefined)
      throw new AnalysisError("writeStream has no sink", {
        hint: 'name one: .format("nats"), .foreachBatch(…)',
      });
    const sink = {
      format: sinkFactory(format).format,
      options: path === undefined ? options : { ...options, path },
      partitionBy,
      ...(handle === undefined ? {} : { handle }),
    };
    const { relation, session } = this.#frame;
    return { name, relation, catalog: session.catalog, outputMode: mode, trigger, sink, partitions, onError };
  }

  /** Starts the query: resolves when this node has joined it. Throws AnalysisError before anything connects. */
  async start(path?: string): Promise<StreamingQuery> {
    const request = this.request(path);
    return (await this.#frame.session.runtime()).start(request);
  }
}
