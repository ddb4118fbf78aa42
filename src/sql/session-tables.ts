/**
 * CREATE VIEW, CREATE TABLE, DROP: names of the session.
 *
 *  D1  A definition that fails leaves the name as it was.
 *  D2  A table names a connector. What it is read with and what it is written with share one list of options: each connector's own names
 *      tell which is which, and a name of neither is refused.
 *  D3  A table is a stream when it has a watermark, when its connector never ends (nats, rate), or by option `streaming`.
 */
import { OptionValues } from "../connectors/options.ts";
import { sinkFactory, sourceFactory } from "../connectors/registry.ts";
import type { SinkFactory } from "../connectors/sink.ts";
import type { SourceFactory } from "../connectors/source.ts";
import { AnalysisError, ConfigurationError } from "../core/errors.ts";
import { type Schema, schemaOf } from "../core/schema.ts";
import type { Expr } from "../expr/ast.ts";
import type { CatalogEntry, TableTarget } from "../plan/catalog.ts";
import type { Relation } from "../plan/relation.ts";
import { MemoryTable } from "./memory-table.ts";
import { withoutPositions } from "./parameters.ts";
import { analysedRelation, entryOf, notFound, quotedName, type SessionContext } from "./session-context.ts";
import type { Options, StatementBody } from "./statement.ts";
import { done, type Outcome } from "./statement-result.ts";

type Of<K extends StatementBody["kind"]> = Extract<StatementBody, { kind: K }>;

const nameOf = (parts: readonly string[]): string => parts.join(".");

/** Defines an entry and looks whether it can be read (D1). */
const defineChecked = (context: SessionContext, entry: CatalogEntry, replace: boolean): void => {
  const { catalog } = context;
  const before = catalog.table([entry.name]);
  catalog.define(entry, replace);
  try {
    analysedRelation(context, { kind: "table", name: [entry.name] });
  } catch (e) {
    catalog.drop(entry.name);
    if (before !== undefined) catalog.define(before, true);
    throw e;
  }
};

export const createView = (context: SessionContext, s: Of<"createView">): Outcome => {
  const name = nameOf(s.name);
  if (s.ifNotExists && context.catalog.table(s.name) !== undefined)
    return done(`view ${name} is there already`);
  // Analysed with its positions first: an error shows its place.
  arity(s, analysedRelation(context, s.query).schema);
  const entry: CatalogEntry = {
    name,
    kind: "view",
    relation: withoutPositions(s.query),
    columns: s.columns?.map((c) => c.name),
    comment: s.comment,
  };
  defineChecked(context, entry, s.replace);
  return done(`view ${name} is defined`);
};

const arity = (s: Of<"createView">, schema: Schema): void => {
  if (s.columns === undefined || s.columns.length === schema.fields.length) return;
  const errorClass =
    s.columns.length > schema.fields.length
      ? "CREATE_VIEW_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS"
      : "CREATE_VIEW_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS";
  throw new AnalysisError(
    `[${errorClass}] Cannot create view ${quotedName(s.name)}: it names ${s.columns.length} columns, and its query gives ${schema.fields.length}.`,
    { errorClass },
  );
};

export const createViewUsing = (context: SessionContext, s: Of<"createViewUsing">): Outcome => {
  const name = nameOf(s.name);
  const factory = sourceFactory(s.provider);
  const { streaming, options } = readerOptions(s.provider, s.options, factory.optionNames, false);
  const relation = sourceRelation(factory, options, s.schema, streaming, name);
  defineChecked(context, { name, kind: "view", relation }, s.replace);
  return done(`view ${name} is defined`);
};

const ENDLESS: readonly string[] = ["nats", "rate"];

/** The option `streaming` of a table, and the others (D3). */
const readerOptions = (
  provider: string,
  given: Options,
  known: readonly string[],
  watermark: boolean,
): { readonly streaming: boolean; readonly options: Options } => {
  const values = new OptionValues(`${provider} table`, given, [...known, "streaming"]);
  const streaming = values.flag("streaming", watermark || ENDLESS.includes(provider));
  if (!streaming && watermark)
    throw new AnalysisError("a table with a watermark is a stream: it cannot have streaming false");
  return { streaming, options: only(given, known) };
};

const only = (given: Options, names: readonly string[]): Options => {
  const wanted = new Set(names.map((n) => n.toLowerCase()));
  return Object.assign(
    Object.create(null) as Options,
    Object.fromEntries(Object.entries(given).filter(([k]) => wanted.has(k.toLowerCase()))),
  );
};

const sourceRelation = (
  factory: SourceFactory,
  options: Options,
  schema: Schema | undefined,
  streaming: boolean,
  name: string,
): Relation => {
  factory.validate(options, streaming ? "stream" : "batch");
  const columns = schema ?? factory.defaultSchema(options);
  return {
    kind: "source",
    source: { format: factory.format, options, schema: columns, pushed: [] },
    streaming,
    name,
  };
};

const optional = <T>(find: () => T): T | undefined => {
  try {
    return find();
  } catch (e) {
    if (e instanceof ConfigurationError) return undefined;
    throw e;
  }
};

/** The table of CREATE TABLE; INSERT of its query, if it has one, is the caller's. */
export const createTable = (
  context: SessionContext,
  s: Of<"createTable">,
): { readonly outcome: Outcome; readonly created: boolean } => {
  const name = nameOf(s.name);
  if (s.ifNotExists && context.catalog.table(s.name) !== undefined)
    return { outcome: done(`table ${name} is there already`), created: false };
  if (s.temporary && s.query === undefined && s.provider === undefined)
    throw new AnalysisError("a temporary table is written CREATE TEMPORARY VIEW … USING, or CREATE TABLE", {
      errorClass: "_LEGACY_ERROR_TEMP_0035",
    });
  const entry =
    s.provider === undefined || s.provider === "memory"
      ? memoryEntry(context, s, name)
      : connectorEntry(s, name, s.provider);
  context.catalog.define(entry, s.replace);
  return { outcome: done(`table ${name} is defined`), created: true };
};

const columnsOf = (s: Of<"createTable">): Schema | undefined =>
  s.columns === undefined
    ? undefined
    : schemaOf(s.columns.map(({ name, type, nullable }) => ({ name, type, nullable })));

const defaultsOf = (s: Of<"createTable">): Readonly<Record<string, Expr>> => {
  const defaults = Object.create(null) as Record<string, Expr>;
  for (const c of s.columns ?? []) if (c.default !== undefined) defaults[c.name.toLowerCase()] = c.default;
  return defaults;
};

const memoryEntry = (context: SessionContext, s: Of<"createTable">, name: string): CatalogEntry => {
  if (s.watermark !== undefined)
    throw new AnalysisError("a table in memory is no stream: it has no watermark", {
      hint: "name a connector: USING nats, rate or a file format",
    });
  new OptionValues("memory table", s.options, []);
  const columns =
    columnsOf(s) ?? (s.query === undefined ? undefined : analysedRelation(context, s.query).schema);
  if (columns === undefined)
    throw new AnalysisError(`the table ${quotedName([name])} needs columns, or a connector that has them`, {
      hint: `CREATE TABLE ${name} (k STRING, v BIGINT)`,
    });
  const table = new MemoryTable(columns);
  const target: TableTarget = {
    format: "memory",
    options: {},
    partitionBy: [],
    columns,
    defaults: defaultsOf(s),
    handle: table,
  };
  return {
    name,
    kind: "table",
    comment: s.comment,
    target,
    get relation(): Relation {
      return { kind: "rows", schema: columns, rows: table.rows() };
    },
  };
};

const connectorEntry = (s: Of<"createTable">, name: string, provider: string): CatalogEntry => {
  const source = optional(() => sourceFactory(provider));
  const sink = optional(() => sinkFactory(provider));
  if (source === undefined && sink === undefined) sourceFactory(provider);
  const known = [...new Set([...(source?.optionNames ?? []), ...(sink?.optionNames ?? [])])];
  const { streaming } = readerOptions(provider, s.options, known, s.watermark !== undefined);
  const columns = columnsOf(s);
  const relation = tableRelation(s, name, provider, streaming, source, sink);
  const target: TableTarget | undefined =
    sink === undefined
      ? undefined
      : {
          format: sink.format,
          options: only(s.options, sink.optionNames),
          partitionBy: s.partitionedBy,
          columns,
          defaults: defaultsOf(s),
        };
  return {
    name,
    kind: "table",
    comment: s.comment,
    ...(target === undefined ? {} : { target }),
    get relation() {
      return relation();
    },
  };
};

/** How the table is read; a table that can only be written says so when it is read. */
const tableRelation = (
  s: Of<"createTable">,
  name: string,
  provider: string,
  streaming: boolean,
  source: SourceFactory | undefined,
  sink: SinkFactory | undefined,
): (() => Relation) => {
  if (source === undefined)
    return () => {
      throw new AnalysisError(
        `the table ${quotedName([name])} can only be written: ${provider} is no source`,
      );
    };
  const options = only(s.options, source.optionNames);
  const read = (): Relation => {
    const child = sourceRelation(source, options, columnsOf(s), streaming, name);
    return s.watermark === undefined
      ? child
      : { kind: "watermark", child, column: s.watermark.column, delayMs: s.watermark.delayMs };
  };
  try {
    const relation = read();
    return () => relation;
  } catch (e) {
    // A sink's table may lack what a source needs; an option of the source alone, or a watermark, tells that it is to be read.
    const reads = Object.keys(options).some(
      (k) => !(sink?.optionNames ?? []).some((n) => n.toLowerCase() === k.toLowerCase()),
    );
    if (sink === undefined || reads || s.watermark !== undefined) throw e;
    return read;
  }
};

export const drop = (context: SessionContext, s: Of<"drop">): Outcome => {
  const { catalog } = context;
  const entry = catalog.table(s.name);
  if (entry === undefined) {
    if (s.ifExists) return done(`there is no ${s.what} ${nameOf(s.name)}`);
    throw notFound(catalog, s.name);
  }
  if (s.what === "view" && entry.kind === "table") {
    const errorClass = "EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE";
    throw new AnalysisError(
      `[${errorClass}] 'DROP VIEW' expects a view but ${quotedName(s.name)} is a table.`,
      {
        errorClass,
        hint: "use DROP TABLE",
      },
    );
  }
  catalog.drop(entry.name);
  return done(`${entry.kind} ${entry.name} is dropped`);
};

/** CACHE TABLE t AS SELECT makes the view; keeping its rows is no business of a stream processor's session. */
export const cacheTable = (context: SessionContext, s: Of<"cacheTable">): Outcome => {
  if (s.query !== undefined)
    defineChecked(
      context,
      { name: nameOf(s.name), kind: "view", relation: withoutPositions(s.query) },
      false,
    );
  else entryOf(context.catalog, s.name);
  return done(`${nameOf(s.name)} is not kept in memory: caching has no effect here`);
};
