/** `df.write`: Spark's DataFrameWriter. The rows of a batch query go to a sink once, as one epoch of a query that ends by itself. */
import { AnalysisError } from "../core/errors.ts";
import { createHash } from "node:crypto";
import { sinkFactory } from "../connectors/registry.ts";
import type { SinkSpec } from "../connectors/sink.ts";
import { writeRows } from "../sql/session-insert.ts";
import { nearest } from "../expr/suggestion.ts";
import { kindOf, optionTexts, textArgument } from "./arguments.ts";
import { namesOf } from "./frame-items.ts";
import type { FrameCore } from "./frame-core.ts";
import { tableSink } from "./stream-table.ts";

/** What is done when the target is there already: `error` (default) refuses a directory that holds output, `append` adds to it. */
export type SaveMode = "append" | "error" | "errorifexists";
const MODES = ["append", "error", "errorifexists"];

/** Writes that append to one target are epochs of one query; any other write is a query of its own, which a directory in use refuses. */
const writeName = (mode: string, { format, options }: SinkSpec): string | undefined =>
  mode === "append"
    ? `write-${createHash("sha256")
        .update(JSON.stringify([format, Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1))]))
        .digest("hex")
        .slice(0, 16)}`
    : undefined;

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
    textArgument("format", "the name of a sink", format, 'format("json")');
    return this.#with({ format });
  }

  /** `error` (default) or `append` when the target is there; for sinks of files. Spark's `overwrite` and `ignore` are refused. */
  mode(mode: SaveMode): this {
    if (!MODES.includes(mode))
      throw new AnalysisError(
        `[INVALID_SAVE_MODE] The specified save mode "${typeof mode === "string" ? mode : kindOf(mode)}" is invalid.`,
        {
          errorClass: "INVALID_SAVE_MODE",
          hint: `did you mean "${nearest(String(mode), MODES)[0]}"?`,
        },
      );
    return this.#with({ mode: mode === "errorifexists" ? "error" : mode });
  }

  option(name: string, value: string | number | boolean): this {
    return this.options({ [name]: value });
  }

  options(options: Readonly<Record<string, string | number | boolean>>): this {
    const texts = optionTexts("write.option", options);
    return this.#with({ options: Object.fromEntries([...Object.entries(this.#settings.options), ...texts]) });
  }

  /** Columns by whose values folders are made. */
  partitionBy(...columns: readonly string[]): this {
    return this.#with({ partitionBy: namesOf("partitionBy", columns) });
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
    const factory = sinkFactory(format);
    const spec: SinkSpec = {
      format: factory.format,
      options: given,
      partitionBy,
      ...(handle === undefined ? {} : { handle }),
    };
    factory.validate(spec, this.#frame.schema, "append");
    const runtime = await session.runtime();
    const { schema, rows } = await runtime.collect(relation, session.catalog);
    await writeRows(runtime, session.catalog, rows, schema, spec, writeName(mode, spec));
  }

  /** Writes into a table of the catalog. */
  async saveAsTable(name: string): Promise<void> {
    textArgument("saveAsTable", "the name of a table", name);
    return this.#with(tableSink(this.#frame.session.catalog, name)).save();
  }
  json(path: string): Promise<void> {
    return this.format("json").save(path);
  }
  csv(path: string): Promise<void> {
    return this.format("csv").save(path);
  }
}
