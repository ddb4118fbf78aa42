/** SHOW, DESCRIBE: what the session knows, in the columns that Spark gives. */
import { type Field, typeName } from "../core/data-type.ts";
import { AnalysisError } from "../core/errors.ts";
import type { Schema } from "../core/schema.ts";
import type { Row } from "../core/value.ts";
import { aggregateDefinitions } from "../expr/aggregates/registry.ts";
import { generatorDefinitions } from "../expr/generators.ts";
import { functionDefinitions } from "../expr/registry.ts";
import { nearest } from "../expr/suggestion.ts";
import { windowFunctionDefinitions } from "../expr/window-functions.ts";
import type { CatalogEntry } from "../plan/catalog.ts";
import { analysedRelation, entryOf, quotedName, type SessionContext } from "./session-context.ts";
import { describeSqlFunction } from "./session-functions.ts";
import type { StatementBody } from "./statement.ts";
import { type Outcome, textRows } from "./statement-result.ts";

type Of<K extends StatementBody["kind"]> = Extract<StatementBody, { kind: K }>;

interface Documented {
  readonly name: string;
  readonly aliases?: readonly string[];
  readonly usage: string;
  readonly summary: string;
  readonly examples?: readonly (readonly [string, string])[];
}

const builtIn = (): readonly Documented[] => [
  ...functionDefinitions(),
  ...aggregateDefinitions(),
  ...windowFunctionDefinitions(),
  ...generatorDefinitions(),
];

/** `*` is any text, `|` or; without case. Anything else is itself. */
const matcher = (pattern: string | undefined): ((name: string) => boolean) => {
  if (pattern === undefined) return () => true;
  const parts = pattern.split("|").map((part) => {
    const source = part
      .trim()
      .replace(/[.+?^${}()[\]\\]/g, "\\$&")
      .replaceAll("*", ".*");
    return new RegExp(`^${source}$`, "i");
  });
  return (name) => parts.some((p) => p.test(name));
};

export const show = (context: SessionContext, s: Of<"show">): Outcome => {
  switch (s.what) {
    case "tables":
    case "views":
      return showTables(context, s.what, s.pattern);
    case "functions":
      return showFunctions(context, s.scope, s.pattern);
    case "columns": {
      const { fields } = columnsOf(context, entryOf(context.catalog, s.table));
      return textRows(
        ["col_name"],
        fields.map((f) => [f.name]),
      );
    }
    case "createTable":
      return showCreate(context, s.table);
  }
};

const showTables = (
  context: SessionContext,
  what: "tables" | "views",
  pattern: string | undefined,
): Outcome => {
  const matches = matcher(pattern);
  const entries = context.catalog
    .tableNames()
    .map((n) => context.catalog.table([n])!)
    .filter((e) => matches(e.name) && (what === "tables" || e.kind === "view"));
  const name = what === "tables" ? "tableName" : "viewName";
  return textRows(
    ["namespace", name, "isTemporary"],
    entries.map((e) => ["", e.name, e.kind === "view"]),
  );
};

/** Names that are words, and operators too, sorted. */
const showFunctions = (
  context: SessionContext,
  scope: "all" | "system" | "user",
  pattern: string | undefined,
): Outcome => {
  const matches = matcher(pattern);
  const names = new Set<string>();
  if (scope !== "user")
    for (const d of builtIn()) for (const n of [d.name, ...(d.aliases ?? [])]) names.add(n);
  if (scope !== "system") for (const n of context.catalog.functionNames()) names.add(n);
  return textRows(
    ["function"],
    [...names]
      .filter(matches)
      .sort()
      .map((n) => [n]),
  );
};

/** The columns of a table: those it declares, else those of what it reads. */
const columnsOf = (context: SessionContext, entry: CatalogEntry): Schema =>
  entry.target?.columns ?? analysedRelation(context, { kind: "table", name: [entry.name] }).schema;

const identifier = (name: string): string => (/^[A-Za-z_]\w*$/.test(name) ? name : quotedName([name]));

const showCreate = (context: SessionContext, name: readonly string[]): Outcome => {
  const entry = entryOf(context.catalog, name);
  const columns = columnsOf(context, entry).fields.map(
    (f) => `${identifier(f.name)} ${typeName(f.type).toUpperCase()}${f.nullable ? "" : " NOT NULL"}`,
  );
  if (entry.kind === "view") {
    const errorClass = "UNSUPPORTED_SHOW_CREATE_TABLE.ON_TEMPORARY_VIEW";
    throw new AnalysisError(
      `[${errorClass}] Unsupported a SHOW CREATE TABLE command: the command is not supported on a temporary view ${quotedName(name)}.`,
      { errorClass },
    );
  }
  const { target } = entry;
  const options = Object.entries(target?.options ?? {}).map(
    ([k, v]) => `'${k}' = '${v.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`,
  );
  const text = [
    `CREATE TABLE ${identifier(entry.name)} (\n  ${columns.join(",\n  ")})`,
    ...(target === undefined ? [] : [`USING ${target.format}`]),
    ...(options.length === 0 ? [] : [`OPTIONS (\n  ${options.join(",\n  ")})`]),
  ].join("\n");
  return textRows(["createtab_stmt"], [[text]]);
};

const description = (fields: readonly Field[]): Row[] => fields.map((f) => [f.name, typeName(f.type), null]);

export const describeQuery = (context: SessionContext, s: Of<"describeQuery">): Outcome =>
  textRows(
    ["col_name", "data_type", "comment"],
    description(analysedRelation(context, s.query).schema.fields),
  );

export const describeTable = (context: SessionContext, s: Of<"describeTable">): Outcome => {
  const entry = entryOf(context.catalog, s.name);
  const { fields } = columnsOf(context, entry);
  if (s.column !== undefined) return describeColumn(s.column, fields);
  const rows = description(fields);
  if (s.extended) {
    rows.push(["", "", ""], ["# Detailed Table Information", "", ""], ["Table", entry.name, ""]);
    rows.push(["Type", entry.kind === "view" ? "VIEW" : "TABLE", ""]);
    if (entry.target !== undefined) rows.push(["Provider", entry.target.format, ""]);
    if (entry.comment !== undefined) rows.push(["Comment", entry.comment, ""]);
  }
  return textRows(["col_name", "data_type", "comment"], rows);
};

const describeColumn = (name: readonly string[], fields: readonly Field[]): Outcome => {
  const found = fields.find((f) => f.name.toLowerCase() === name.at(-1)!.toLowerCase());
  if (found === undefined) {
    const errorClass = "UNRESOLVED_COLUMN.WITH_SUGGESTION";
    const near = nearest(
      name.at(-1)!,
      fields.map((f) => f.name),
    );
    throw new AnalysisError(
      `[${errorClass}] A column with name ${quotedName(name)} cannot be resolved. Did you mean one of the following? [${near.map((n) => quotedName([n])).join(", ")}].`,
      { errorClass },
    );
  }
  return textRows(
    ["info_name", "info_value"],
    [
      ["col_name", found.name],
      ["data_type", typeName(found.type)],
      ["comment", "NULL"],
    ],
  );
};

export const describeFunction = (context: SessionContext, s: Of<"describeFunction">): Outcome => {
  const own = context.catalog.sqlFunction(s.name);
  if (own !== undefined) return describeSqlFunction(own);
  const all = builtIn();
  const found = all.find((d) => [d.name, ...(d.aliases ?? [])].some((n) => n.toLowerCase() === s.name));
  if (found === undefined) {
    const user = context.catalog.function(s.name);
    if (user !== undefined)
      return textRows(["function_desc"], [[`Function: ${user.name}`], ["Usage: a user function"]]);
    const errorClass = "UNRESOLVED_ROUTINE";
    const near = nearest(s.name, [...all.map((d) => d.name), ...context.catalog.functionNames()])[0];
    throw new AnalysisError(`[${errorClass}] Cannot resolve routine ${quotedName([s.name])}.`, {
      errorClass,
      ...(near === undefined ? {} : { hint: `did you mean ${near}?` }),
    });
  }
  const lines = [`Function: ${found.name}`, `Usage: ${found.usage} - ${found.summary}`];
  if (s.extended)
    for (const [sql, result] of found.examples ?? []) lines.push(`Example: SELECT ${sql}; -- ${result}`);
  return textRows(
    ["function_desc"],
    lines.map((l) => [l]),
  );
};
