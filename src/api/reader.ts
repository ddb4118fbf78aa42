/** `readStream` and `read`: Spark's DataStreamReader and DataFrameReader. Nothing is opened before the query starts. */
import { AnalysisError } from "../core/errors.ts";
import type { Schema } from "../core/schema.ts";
import { sourceFactory } from "../connectors/registry.ts";
import type { MemorySource } from "../connectors/memory-input.ts";
import type { Relation } from "../plan/relation.ts";
import { parseSchema } from "../sql/parser.ts";
import { optionTexts, schemaArgument, tableName, textArgument } from "./arguments.ts";
import { DataFrame } from "./data-frame.ts";
import type { FrameSession } from "./frame-core.ts";
import type { Fl, Flags } from "./frame-types.ts";
import type { TypedSchema } from "./schema.ts";
import type { UntypedColumns } from "./tags.ts";

type OptionValue = string | number | boolean;

/** The flags of what a reader loads. */
type Loaded<M extends boolean> = Fl<M, "none", never>;

interface ReaderState {
  readonly format: string;
  readonly options: Readonly<Record<string, string>>;
  readonly schema: Schema | undefined;
  readonly handle: unknown;
}

/** A reader of streams (`M` true) or of batches. Each call gives a new reader. */
export class Reader<S, M extends boolean> {
  readonly #session: FrameSession;
  readonly #streaming: M;
  readonly #state: ReaderState;

  constructor(session: FrameSession, streaming: M, state?: ReaderState) {
    this.#session = session;
    this.#streaming = streaming;
    this.#state = state ?? { format: "", options: {}, schema: undefined, handle: undefined };
  }

  #with<S2 = S>(change: Partial<ReaderState>): Reader<S2, M> {
    return new Reader<S2, M>(this.#session, this.#streaming, { ...this.#state, ...change });
  }

  /** The connector: `nats`, `file`, `json`, `csv`, `text`, `rate`, `memory`. */
  format(format: string): Reader<S, M> {
    textArgument("format", "the name of a source", format, 'format("nats")');
    return this.#with({ format });
  }

  /** An option of the connector; names do not count case. */
  option(name: string, value: OptionValue | readonly string[]): Reader<S, M> {
    return this.options({ [name]: value });
  }

  /** Options of the connector. */
  options(options: Readonly<Record<string, OptionValue | readonly string[]>>): Reader<S, M> {
    const texts = optionTexts("option", options);
    return this.#with({ options: Object.fromEntries([...Object.entries(this.#state.options), ...texts]) });
  }

  /** The columns: a schema of `schema({ … })`, or DDL text (`"k STRING, v BIGINT"`), which leaves the frame untyped. */
  schema<const A extends TypedSchema<unknown> | string>(
    columns: A,
  ): Reader<A extends TypedSchema<infer S2> ? S2 : UntypedColumns, M> {
    return this.#with({
      schema:
        typeof columns === "string"
          ? parseSchema(columns)
          : schemaArgument("schema", columns as TypedSchema<unknown>),
    });
  }

  /** The frame. Throws ConfigurationError for unknown formats and options, AnalysisError where a schema is missing. */
  load(path?: string): DataFrame<S, Loaded<M>> {
    const { format, schema, handle } = this.#state;
    if (format === "")
      throw new AnalysisError("the reader has no format", { hint: 'name one: readStream.format("nats")' });
    const options = path === undefined ? this.#state.options : { ...this.#state.options, path };
    const factory = sourceFactory(format);
    factory.validate(options, this.#streaming ? "stream" : "batch");
    const source = {
      format: factory.format,
      options,
      schema: schema ?? factory.defaultSchema(options),
      pushed: [],
      ...(handle === undefined ? {} : { handle }),
    };
    const relation: Relation = { kind: "source", source, streaming: this.#streaming, name: "" };
    return new DataFrame<S, Flags>(this.#session, relation) as unknown as DataFrame<S, Loaded<M>>;
  }

  /** Files of JSON, one row a line. */
  json(path: string): DataFrame<S, Loaded<M>> {
    return this.format("json").load(path);
  }

  /** Files of comma-separated values. */
  csv(path: string): DataFrame<S, Loaded<M>> {
    return this.format("csv").load(path);
  }

  /** Lines of text files, in a column `value`. */
  text(path: string): DataFrame<{ readonly value: "string?" }, Loaded<M>> {
    return this.#with<{ readonly value: "string?" }>({ format: "text" }).load(path);
  }

  /** Rows that the program adds to a MemorySource. */
  memory<S2>(source: MemorySource & { readonly schema: TypedSchema<S2> | Schema }): DataFrame<S2, Loaded<M>> {
    schemaArgument("memory", (source as { schema?: unknown } | null | undefined)?.schema);
    return this.#with<S2>({ format: "memory", handle: source, schema: source.schema }).load();
  }

  /** A table or view of the session by name. */
  table(name: string): DataFrame<UntypedColumns, Flags> {
    return new DataFrame(this.#session, { kind: "table", name: tableName(name) });
  }
}
export type DataStreamReader = Reader<UntypedColumns, true>;
export type DataFrameReader = Reader<UntypedColumns, false>;
