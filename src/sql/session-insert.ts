/**
 * INSERT INTO: rows of a query into a table. A streaming query starts and goes on until it is stopped; one whose trigger ends by itself
 * (availableNow, once) is waited for, as a batch is.
 *
 *  N1  Rows fit the declared columns: by position or BY NAME, cast as an assignment; a column left out takes its default, else null.
 */
import { randomUUID } from "node:crypto";
import { MemorySource } from "../connectors/memory-input.ts";
import type { SinkSpec } from "../connectors/sink.ts";
import { sameType, type DataType } from "../core/data-type.ts";
import { AnalysisError } from "../core/errors.ts";
import { type Schema } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import type { Expr } from "../expr/ast.ts";
import type { Catalog, TableTarget } from "../plan/catalog.ts";
import type { Relation } from "../plan/relation.ts";
import type { SessionRuntime, StartRequest } from "../query/runtime.ts";
import { type InsertSettings, insertSettings } from "./insert-options.ts";
import { MemoryTable } from "./memory-table.ts";
import {
  analysedRelation,
  batchCatalog,
  entryOf,
  quotedName,
  type SessionContext,
} from "./session-context.ts";
import type { StatementBody } from "./statement.ts";
import { done, type Outcome } from "./statement-result.ts";

type Insert = Extract<StatementBody, { kind: "insert" }>;

/** The sink of a table for the rows of a query. */
export const sinkOfTarget = (target: TableTarget, queryName: string): SinkSpec => {
  const { format, options, partitionBy, handle } = target;
  const own = handle instanceof MemoryTable ? handle.sink(queryName) : handle;
  return { format, options, partitionBy, ...(own === undefined ? {} : { handle: own }) };
};

const targetOf = (context: SessionContext, name: readonly string[]): TableTarget => {
  const entry = entryOf(context.catalog, name);
  if (entry.kind === "view") {
    const errorClass = "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE";
    throw new AnalysisError(`[${errorClass}] 'INSERT' expects a table but ${quotedName(name)} is a view.`, {
      errorClass,
      hint: "declare the target with CREATE TABLE … USING …",
    });
  }
  if (entry.target === undefined)
    throw new AnalysisError(`the table ${quotedName(name)} can only be read: its connector is no sink`);
  return entry.target;
};

const column = (name: string): Expr => ({ kind: "column", parts: [name] });
const asNamed = (child: Expr, name: string): Expr => ({ kind: "alias", child, names: [name] });
const ROWS = "inserted rows";

const arityError = (s: Insert, given: Schema, wanted: readonly string[]): AnalysisError => {
  const many = given.fields.length > wanted.length;
  const errorClass = `INSERT_COLUMN_ARITY_MISMATCH.${many ? "TOO_MANY" : "NOT_ENOUGH"}_DATA_COLUMNS`;
  return new AnalysisError(
    `[${errorClass}] Cannot write to ${quotedName(s.table)}, the reason is ${many ? "too many" : "not enough"} data columns: ` +
      `table columns: ${wanted.join(", ")}; data columns: ${given.fields.map((f) => f.name).join(", ")}.`,
    { errorClass },
  );
};

const sameNames = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every((n, i) => n === b[i]);

/** The names of the query's columns as the table's: given by the statement, by position, or their own. */
const dataNames = (s: Insert, given: Schema, columns: Schema): readonly string[] => {
  const own = given.fields.map((f) => f.name);
  const all = columns.fields.map((f) => f.name);
  const known = (name: string): string => {
    const found = all.find((c) => c.toLowerCase() === name.toLowerCase());
    if (found !== undefined) return found;
    const errorClass = s.byName
      ? "INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS"
      : "UNRESOLVED_COLUMN.WITH_SUGGESTION";
    throw new AnalysisError(
      `[${errorClass}] The table ${quotedName(s.table)} has no column ${quotedName([name])}; it has ${all.join(", ")}.`,
      { errorClass },
    );
  };
  if (s.byName) return own.map(known);
  const wanted = s.columns?.map(known) ?? all;
  if (wanted.length !== own.length) throw arityError(s, given, wanted);
  const twice = wanted.find((n, i) => wanted.indexOf(n) !== i);
  if (twice === undefined) return wanted;
  throw new AnalysisError(`[COLUMN_ALREADY_EXISTS] The column ${quotedName([twice])} already exists.`, {
    errorClass: "COLUMN_ALREADY_EXISTS",
  });
};

/** The query with the columns of the table (N1); as it is when they agree. */
const fitted = (s: Insert, target: TableTarget, given: Schema): Relation => {
  const { columns } = target;
  if (columns === undefined) return s.query;
  const names = dataNames(s, given, columns);
  const typeOf = (name: string): DataType | undefined => given.fields[names.indexOf(name)]?.type;
  const all = columns.fields.map((f) => f.name);
  const renamed: Relation = sameNames(
    names,
    given.fields.map((f) => f.name),
  )
    ? s.query
    : { kind: "alias", child: s.query, name: ROWS, columns: names };
  if (sameNames(names, all) && columns.fields.every((f) => sameType(f.type, typeOf(f.name)!))) return renamed;
  const exprs = columns.fields.map(({ name, type }): Expr => {
    const from = typeOf(name);
    if (from !== undefined && sameType(from, type)) return asNamed(column(name), name);
    const value: Expr =
      from !== undefined
        ? column(name)
        : (target.defaults?.[name.toLowerCase()] ?? { kind: "literal", value: null, type: { kind: "null" } });
    return asNamed({ kind: "cast", child: value, to: type, tryCast: false }, name);
  });
  return { kind: "select", child: renamed, exprs };
};

/** What an INSERT would start; `streaming` false: what it would write. */
export const insertRequest = (
  context: SessionContext,
  s: Insert,
): StartRequest & { readonly target: TableTarget; readonly streaming: boolean } => {
  const target = targetOf(context, s.table);
  const { schema, streaming } = analysedRelation(context, s.query);
  const settings: InsertSettings = insertSettings(s.options, s.table.at(-1)!, (k) => context.settings.get(k));
  const sink = sinkOfTarget(
    { ...target, options: { ...target.options, ...settings.options } },
    settings.queryName,
  );
  return {
    name: settings.queryName,
    relation: fitted(s, target, schema),
    catalog: context.catalog,
    outputMode: settings.outputMode,
    trigger: settings.trigger,
    sink,
    partitions: settings.partitions,
    target,
    streaming,
  };
};

/**
 * Writes rows once, through a query that ends by itself: every sink works so, exactly once. Its name is the target's, so that its epochs go on
 * where an earlier write ended.
 */
export const writeRows = async (
  runtime: SessionRuntime,
  catalog: Catalog,
  rows: readonly Row[],
  schema: Schema,
  sink: SinkSpec,
  name: string = `write-${randomUUID().slice(0, 8)}`,
): Promise<void> => {
  const handle = new MemorySource(schema);
  await handle.addData(rows);
  const source = { format: "memory", options: {}, schema, pushed: [], handle };
  const query = await runtime.start({
    name,
    relation: { kind: "source", source, streaming: true, name: "" },
    catalog,
    outputMode: "append",
    trigger: { kind: "availableNow" },
    sink,
    partitions: undefined,
  });
  await query.awaitTermination();
};

export const insert = async (context: SessionContext, s: Insert): Promise<Outcome> => {
  const request = insertRequest(context, s);
  const { target, streaming } = request;
  const table = target.handle instanceof MemoryTable ? target.handle : undefined;
  if (s.overwrite && (streaming || table === undefined))
    throw new AnalysisError(
      "INSERT OVERWRITE replaces the rows of a table in memory by those of a batch query only",
      {
        errorClass: "UNSUPPORTED_OVERWRITE.TABLE",
        hint: "use INSERT INTO",
      },
    );
  const runtime = await context.runtime();
  if (streaming) {
    const query = await runtime.start(request);
    const ended = request.trigger.kind === "availableNow" || request.trigger.kind === "once";
    if (ended) await query.awaitTermination();
    return { kind: "query", query, ended };
  }
  const { schema, rows } = await runtime.collect(request.relation, batchCatalog(context.catalog));
  if (table !== undefined) {
    if (s.overwrite) table.clear();
    table.insert(rows);
  } else await writeRows(runtime, context.catalog, rows, schema, request.sink, `insert-${s.table.at(-1)!}`);
  return done(`${rows.length} ${rows.length === 1 ? "row" : "rows"} inserted into ${s.table.join(".")}`);
};
