/** `session(…)`: the entry of the API. Settings come from here, then flags and MILLRACE_*; nothing connects before start() or collect(). */
import { LONG, struct } from "../core/data-type.ts";
import { AnalysisError, ConfigurationError } from "../core/errors.ts";
import { MemorySource } from "../connectors/memory-input.ts";
import { fromUserValue } from "../expr/user-values.ts";
import { SessionCatalog } from "../plan/catalog.ts";
import type { SessionRuntime } from "../query/runtime.ts";
import type { Row } from "../core/value.ts";
import { SqlSession } from "../sql/session.ts";
import type { StatementResult } from "../sql/statement-result.ts";
import { kindOf, objectArgument, schemaArgument, tableName, textArgument } from "./arguments.ts";
import { DataFrame } from "./data-frame.ts";
import type { FrameSession } from "./frame-core.ts";
import type { Flags, StaticFlags } from "./frame-types.ts";
import { literal } from "./literal.ts";
import { type DataFrameReader, type DataStreamReader, Reader } from "./reader.ts";
import {
  defaultTimeZone,
  type RuntimeProvider,
  runtimeFor,
  TIME_ZONE_DEFAULT,
  type SessionSettings,
} from "./runtime-provider.ts";
import type { Value } from "./expression.ts";
import { SessionQueries } from "./query-manager.ts";
import type { TypedSchema, TypeDef } from "./schema.ts";
import { parameterValues } from "./sql-parameters.ts";
import type { InputRowOf, JsIn, UntypedColumns } from "./tags.ts";
import type { StreamingQueryManager } from "../query/streaming-query.ts";
import { type Udaf, type UdafFunctions, type UdafTypes, userAggregateFunction } from "./user-aggregate.ts";
import { type Udf, type UdfArgs, type UdfTypes, userFunction } from "./user-function.ts";

const NO_ROWS = { schema: { fields: [] }, rows: [] };

export class Session implements FrameSession {
  readonly settings: SessionSettings;
  readonly catalog = new SessionCatalog();
  #runtime: Promise<SessionRuntime> | undefined;
  readonly #sql: SqlSession;
  readonly #provider: RuntimeProvider;

  /** `provider`: what makes its runtime; the process' own when absent. */
  constructor(settings: SessionSettings, provider: RuntimeProvider = runtimeFor) {
    this.#provider = provider;
    if (typeof settings?.name !== "string" || settings.name === "")
      throw new ConfigurationError("a session needs a name", { hint: 'session({ name: "orders" })' });
    const { compatibility } = settings;
    if (compatibility !== undefined && compatibility !== "spark" && compatibility !== "extended")
      throw new ConfigurationError(`compatibility is "extended" or "spark", not "${String(compatibility)}"`);
    this.settings = Object.freeze({ ...settings });
    const timeZone = settings.timeZone ?? (provider === runtimeFor ? defaultTimeZone() : TIME_ZONE_DEFAULT);
    this.#sql = new SqlSession({
      catalog: this.catalog,
      runtime: () => this.runtime(),
      timeZone,
      compatibility: this.compatibility,
    });
  }

  get name(): string {
    return this.settings.name;
  }
  get timeZone(): string {
    return this.#sql.timeZone;
  }
  get compatibility(): "extended" | "spark" {
    return this.settings.compatibility ?? "extended";
  }

  /** Reads streams: `readStream.format("nats").option("stream", "IN").schema(…).load()`. */
  get readStream(): DataStreamReader {
    return new Reader<UntypedColumns, true>(this, true);
  }

  /** Reads batches, with the same connectors. */
  get read(): DataFrameReader {
    return new Reader<UntypedColumns, false>(this, false);
  }

  /**
   * One statement of SQL: a query gives its frame (`.as(schema)` types it); CREATE VIEW, CREATE TABLE, SET, SHOW, DESCRIBE, DROP act at once and
   * give their rows. `parameters` are the values of `:name`, never part of the text. Throws ParseError with line, column and suggestion;
   * AnalysisError for statements that run something (INSERT, CREATE TABLE AS, EXPLAIN): `execute` runs those.
   */
  sql(text: string, parameters?: Readonly<Record<string, Value>>): DataFrame<UntypedColumns, Flags> {
    textArgument("sql", "a statement as text", text, 'sql("SELECT 1 AS x")');
    const statement = this.#sql.parsed(text, parameterValues(parameters));
    if (statement.kind === "query") return new DataFrame(this, statement.query);
    const outcome = this.#sql.apply(statement, text);
    if (outcome === undefined)
      throw new AnalysisError("sql() does not run this statement: it starts or runs something", {
        hint: "await mill.execute(text)",
      });
    const { schema, rows } = outcome.kind === "rows" ? outcome : NO_ROWS;
    return new DataFrame(this, { kind: "rows", schema, rows });
  }

  /**
   * Runs a script of SQL statements, one after the other: INSERT INTO of a stream starts a query and leaves it running, a plain SELECT reads
   * streams to their end as it is now. Rejects at the first statement that fails; those before it have acted.
   */
  execute(text: string, parameters?: Readonly<Record<string, Value>>): Promise<readonly StatementResult[]> {
    return this.#sql.run(text, parameterValues(parameters));
  }

  /** As `execute`, each result as soon as its statement is done; the next one runs when it is asked for. */
  script(
    text: string,
    parameters?: Readonly<Record<string, Value>>,
  ): AsyncGenerator<StatementResult, void, undefined> {
    return this.#sql.execute(text, parameterValues(parameters));
  }

  /** A scalar function: its column form, and its name in SQL. It must be deterministic. */
  udf<const P extends readonly TypeDef<unknown>[], R>(
    name: string,
    types: UdfTypes<P, R>,
    f: (...args: UdfArgs<P>) => JsIn<NoInfer<R>>,
  ): Udf<P, R> {
    return userFunction(this.catalog, name, types, f);
  }

  /** An aggregate: its column form for `agg`, and its name in SQL. Its functions must be deterministic. */
  udaf<const P extends readonly TypeDef<unknown>[], St, R>(
    name: string,
    types: UdafTypes<P, St, R>,
    functions: UdafFunctions<P, St, R>,
  ): Udaf<P, R> {
    return userAggregateFunction(this.catalog, name, types, functions);
  }

  /** The queries of this session: `active`, `get(id)`, `awaitAnyTermination`, listeners. */
  readonly streams: StreamingQueryManager = new SessionQueries(() => this.runtime());

  /** A table or view by name. */
  table(name: string): DataFrame<UntypedColumns, Flags> {
    return new DataFrame(this, { kind: "table", name: tableName(name) });
  }

  /** Whole numbers in a column `id`: from 0 to `start`, or from `start` to `end`, exclusive. */
  range(start: number, end?: number, step = 1): DataFrame<{ readonly id: "long" }, StaticFlags> {
    for (const n of [start, end ?? 0, step])
      if (!Number.isSafeInteger(n)) throw new AnalysisError(`range takes whole numbers, not ${kindOf(n)}`);
    const [from, to] = end === undefined ? [0, start] : [start, end];
    return new DataFrame(this, { kind: "range", args: [from, to, step].map((x) => literal(x, LONG)) });
  }

  /** A batch frame of objects. Throws ExecutionError for a row that does not fit the schema. */
  createDataFrame<S>(
    rows: Iterable<InputRowOf<NoInfer<S>>>,
    schema: TypedSchema<S>,
  ): DataFrame<S, StaticFlags> {
    const type = struct(schemaArgument("createDataFrame", schema).fields);
    if (typeof (rows as Partial<typeof rows> | null | undefined)?.[Symbol.iterator] !== "function")
      throw new AnalysisError(`createDataFrame takes a list of rows, not ${kindOf(rows)}`);
    const values = Array.from(rows, (row) => {
      objectArgument("createDataFrame", "rows as objects", row as object);
      return checkedRow(schema, fromUserValue(row, type) as Row);
    });
    return new DataFrame(this, { kind: "rows", schema, rows: values });
  }

  /** A source that this program feeds: `source.addData([…])`, read by `readStream.memory(source)`. */
  memorySource<S>(schema: TypedSchema<S>): MemorySource & { readonly schema: TypedSchema<S> } {
    return new MemorySource(schemaArgument("memorySource", schema)) as MemorySource & {
      readonly schema: TypedSchema<S>;
    };
  }

  /** The runtime, made at the first call. Rejects with ConfigurationError, UnavailableError, … */
  runtime(): Promise<SessionRuntime> {
    if (this.#runtime === undefined) {
      const made = this.#provider(this.settings);
      this.#runtime = made;
      made.then(
        (runtime) => (this.streams as SessionQueries).attach(runtime.queries),
        () => (this.#runtime = undefined),
      );
    }
    return this.#runtime;
  }

  print(text: string): void {
    if (this.settings.print === undefined) process.stdout.write(text);
    else this.settings.print(text);
  }

  /** Leaves: stops what this node runs, closes connections. Queries go on at other nodes. */
  async stop(): Promise<void> {
    const runtime = this.#runtime;
    this.#runtime = undefined;
    (this.streams as SessionQueries).attach(undefined);
    await (await runtime)?.close();
  }
}

const checkedRow = (schema: TypedSchema<unknown>, row: Row): Row => {
  const missing = schema.fields.find((f, i) => !f.nullable && row[i] === null);
  if (missing !== undefined)
    throw new AnalysisError(
      `[NOT_NULL_CONSTRAINT_VIOLATION] the column \`${missing.name}\` is not nullable, and a row has no value for it`,
      {
        errorClass: "NOT_NULL_CONSTRAINT_VIOLATION",
        hint: "declare it with .nullable()",
      },
    );
  return row;
};

/** Opens a session. Nothing connects before start() or collect(). */
export const session = (settings: SessionSettings): Session => new Session(settings);
