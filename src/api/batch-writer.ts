/** `df.write`: Spark's DataFrameWriter. The rows of a batch query go to a sink once, as one epoch of a query that ends by itself. */
import { AnalysisError } from "../core/errors.ts";
import { sinkFactory } from "../connectors/registry.ts";
import { nearest } from "../expr/suggestion.ts";
import type { StartRequest } from "../query/runtime.ts";
import type { FrameCore } from "./frame-core.ts";
import { tableSink } from "./stream-table.ts";

/** What is done when the target is there already. */
export type SaveMode = "append" | "overwrite" | "error" | "errorifexists" | "ignore";
const MODES = ["append", "overwrite", "error", "errorifexists", "ignore"];

interface Settings {
  readonly format: string;
  readonly options: Readonly<Record<string, string>>;
  readonly mode: string;
  readonly partitionBy: readonly string[];
  readonly handle: unknown;
}

export class DataFrameWriter {
  readonly #frame: FrameCore;
  #settings: Settings = { format: "file", options: {}, mode: "error", partitionBy: [], handle: undefined };

  constructor(frame: FrameCore) {
    this.#frame = frame;
  }

  #with(change: Partial<Settings>): this {
    this.#settings = { ...this.#settings, ...change };
    return this;
  }

  /** The sink: `file` (default), `nats`, `console`, `memory`. */
  format(format: string): this {
    return this.#with({ format });
  }

  /** `error` (default), `append`, `overwrite` or `ignore` when the target is there; for sinks of files. */
  mode(mode: SaveMode): this {
    if (!MODES.includes(mode))
      throw new AnalysisError(`[INVALID_SAVE_MODE] The specified save mode "${mode}" is invalid.`, {
        errorClass: "INVALID_SAVE_MODE",
        hint: `did you mean "${nearest(mode, MODES)[0]}"?`,
      });
    return this.#with({ mode: mode === "errorifexists" ? "error" : mode });
  }

  option(name: string, value: string | number | boolean): this {
    return this.options({ [name]: value });
  }

  options(options: Readonly<Record<string, string | number | boolean>>): this {
    const texts = Object.entries(options).map(([k, v]) => [k, String(v)] as const);
    return this.#with({ options: Object.fromEntries([...Object.entries(this.#settings.options), ...texts]) });
  }

  /** Columns by whose values folders are made. */
  partitionBy(...columns: readonly string[]): this {
    return this.#with({ partitionBy: columns });
  }

  /** In-process target: a MemorySink for `format("memory")`. */
  handle(handle: unknown): this {
    return this.#with({ handle });
  }

  /** Writes; resolves when all rows are there. */
  async save(path?: string): Promise<void> {
    const { format, options, mode, partitionBy, handle } = this.#settings;
    const { session, relation, isStreaming } = this.#frame;
    if (isStreaming)
      throw new AnalysisError(
        "[CALL_ON_STREAMING_DATASET_UNSUPPORTED] The method `write` can not be called on streaming Dataset/DataFrame.",
        {
          errorClass: "CALL_ON_STREAMING_DATASET_UNSUPPORTED",
          hint: "use writeStream",
        },
      );
    const given = path === undefined ? options : { ...options, path };
    // Only sinks of files have a target that may be there: to the others the mode means nothing.
    const saved = mode === "error" ? given : { ...given, saveMode: mode };
    const sink = {
      format: sinkFactory(format).format,
      options: saved,
      partitionBy,
      ...(handle === undefined ? {} : { handle }),
    };
    const request: StartRequest = {
      name: undefined,
      relation,
      catalog: session.catalog,
      outputMode: "append",
      trigger: { kind: "availableNow" },
      sink,
      partitions: undefined,
    };
    const query = await (await session.runtime()).start(request);
    await query.awaitTermination();
  }

  /** Writes into a table of the catalog. */
  saveAsTable(name: string): Promise<void> {
    return this.#with(tableSink(this.#frame.session.catalog, name)).save();
  }
  json(path: string): Promise<void> {
    return this.format("json").save(path);
  }
  csv(path: string): Promise<void> {
    return this.format("csv").save(path);
  }
}
