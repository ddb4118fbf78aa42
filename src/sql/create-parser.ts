/** CREATE VIEW, CREATE TEMPORARY VIEW … USING and CREATE TABLE, with the WATERMARK clause that streams need. */
import type { Expr } from "../expr/ast.ts";
import { createFunction } from "./function-parser.ts";
import { intervalMs } from "./interval-literal.ts";
import { atQuery } from "./lookahead.ts";
import { tableName } from "./name-parser.ts";
import { noOptions, properties } from "./property-parser.ts";
import type {
  ColumnDefinition,
  Options,
  StatementBody,
  ViewColumn,
  WatermarkDefinition,
} from "./statement.ts";
import type { Parser } from "./token-stream.ts";
import { columnDefinitions, dataType } from "./type-parser.ts";

/** What stands between CREATE and VIEW or TABLE. */
interface CreateFlags {
  readonly replace: boolean;
  readonly global: boolean;
  readonly temporary: boolean;
  readonly streaming: boolean;
}

const ifNotExists = (p: Parser): boolean => {
  if (!p.accept("IF")) return false;
  p.expect("NOT", "EXISTS");
  return true;
};

/** CREATE has been taken. */
export const createStatement = (p: Parser): StatementBody => {
  const replace = p.accept("OR", "REPLACE");
  const global = p.accept("GLOBAL");
  const temporary = p.accept("TEMPORARY") || p.accept("TEMP");
  const streaming = p.accept("STREAMING");
  p.accept("EXTERNAL");
  const flags: CreateFlags = { replace, global, temporary, streaming };
  if (p.accept("TABLE")) return createTable(p, flags);
  if (p.accept("FUNCTION")) return createFunction(p, replace, temporary);
  if (!p.accept("VIEW")) throw p.unexpected("VIEW, TABLE or FUNCTION");
  return createView(p, flags);
};

/** Whether `(a INT, …)` or `(a, b COMMENT 'x')` is next: a type follows the first name. */
const atTypedColumns = (p: Parser): boolean =>
  p.atOp("(") && !p.atOp(",", 2) && !p.atOp(")", 2) && p.peek(2).upper !== "COMMENT";

const viewColumn = (p: Parser): ViewColumn => {
  const name = p.identifier("a column's name");
  return p.accept("COMMENT") ? { name, comment: p.string("the comment's text") } : { name };
};

const createView = (p: Parser, { replace, global, temporary }: CreateFlags): StatementBody => {
  const absent = ifNotExists(p);
  const name = tableName(p);
  if (atTypedColumns(p) || p.at("USING")) {
    if (!temporary) throw p.unexpected("AS: only a TEMPORARY view may have USING");
    return viewUsing(p, name, replace, global);
  }
  const columns = p.atOp("(") ? p.parenthesized(() => viewColumn(p)) : undefined;
  let comment: string | undefined;
  let props = noOptions();
  for (;;) {
    if (p.accept("COMMENT")) comment = p.string("the comment's text");
    else if (p.accept("TBLPROPERTIES")) props = properties(p);
    else break;
  }
  p.expect("AS");
  const query = p.grammar.query(p);
  return {
    kind: "createView",
    name,
    columns,
    query,
    replace,
    ifNotExists: absent,
    temporary,
    global,
    comment,
    properties: props,
  };
};

const viewUsing = (p: Parser, name: readonly string[], replace: boolean, global: boolean): StatementBody => {
  let schema;
  if (p.acceptOp("(")) {
    schema = columnDefinitions(p);
    p.expectOp(")");
  }
  p.expect("USING");
  const provider = p.multipart("a format").join(".").toLowerCase();
  const options = p.accept("OPTIONS") ? properties(p) : noOptions();
  return { kind: "createViewUsing", name, schema, provider, options, replace, global };
};

/** The clauses after a table's columns, in any order, each once. */
interface TableClauses {
  provider?: string;
  options?: Options;
  partitionedBy?: readonly string[];
  comment?: string;
  properties?: Options;
  watermark?: WatermarkDefinition;
}

const once = <K extends keyof TableClauses>(
  p: Parser,
  clauses: TableClauses,
  key: K,
  word: string,
  read: () => Required<TableClauses>[K],
): void => {
  const token = p.before()!;
  if (clauses[key] !== undefined)
    throw p.error(
      "DUPLICATE_CLAUSES",
      `Found duplicate clauses: ${word}. Please, remove one of them.`,
      token,
    );
  clauses[key] = read();
};

const tableClauses = (p: Parser, clauses: TableClauses): void => {
  for (;;) {
    if (p.accept("USING"))
      once(p, clauses, "provider", "USING", () => p.multipart("a format").join(".").toLowerCase());
    else if (p.accept("OPTIONS")) once(p, clauses, "options", "OPTIONS", () => properties(p));
    else if (p.accept("PARTITIONED", "BY"))
      once(p, clauses, "partitionedBy", "PARTITIONED BY", () =>
        p.parenthesized(() => p.identifier("a column")),
      );
    else if (p.accept("COMMENT"))
      once(p, clauses, "comment", "COMMENT", () => p.string("the comment's text"));
    else if (p.accept("TBLPROPERTIES")) once(p, clauses, "properties", "TBLPROPERTIES", () => properties(p));
    else if (p.accept("WATERMARK")) once(p, clauses, "watermark", "WATERMARK", () => watermarkFor(p));
    else return;
  }
};

const createTable = (p: Parser, { replace, temporary, streaming }: CreateFlags): StatementBody => {
  const absent = ifNotExists(p);
  const name = tableName(p);
  const clauses: TableClauses = {};
  const columns = p.atOp("(") && !atQuery(p, 1) ? tableColumns(p, clauses) : undefined;
  tableClauses(p, clauses);
  const query = p.accept("AS") || atQuery(p, 0) ? p.grammar.query(p) : undefined;
  return {
    kind: "createTable",
    name,
    columns,
    watermark: clauses.watermark,
    provider: clauses.provider,
    options: clauses.options ?? noOptions(),
    partitionedBy: clauses.partitionedBy ?? [],
    comment: clauses.comment,
    properties: clauses.properties ?? noOptions(),
    ifNotExists: absent,
    replace,
    temporary,
    streaming,
    query,
  };
};

/** Columns and, among them, the watermark. */
const tableColumns = (p: Parser, clauses: TableClauses): readonly ColumnDefinition[] => {
  const columns: ColumnDefinition[] = [];
  p.parenthesized(() => {
    if (p.at("WATERMARK", "FOR")) {
      p.next();
      once(p, clauses, "watermark", "WATERMARK", () => watermarkFor(p));
    } else columns.push(tableColumn(p));
  });
  return columns;
};

const tableColumn = (p: Parser): ColumnDefinition => {
  const name = p.identifier("a column's name");
  p.acceptOp(":");
  const type = dataType(p);
  let nullable = true;
  let comment: string | undefined;
  let value: Expr | undefined;
  for (;;) {
    if (p.accept("NOT", "NULL")) nullable = false;
    else if (p.accept("COMMENT")) comment = p.string("the comment's text");
    else if (p.accept("DEFAULT")) value = p.grammar.value(p);
    else break;
  }
  return {
    name,
    type,
    nullable,
    ...(comment === undefined ? {} : { comment }),
    ...(value === undefined ? {} : { default: value }),
  };
};

/** `FOR ts AS ts - INTERVAL 5 SECONDS`; WATERMARK has been taken. The delay is that of the same column, not negative. */
const watermarkFor = (p: Parser): WatermarkDefinition => {
  p.expect("FOR");
  const column = p.multipart("a column");
  p.expect("AS");
  const token = p.peek();
  const expr = p.grammar.value(p);
  const delayMs = delayOf(expr, column);
  if (delayMs !== undefined && delayMs >= 0) return { column, delayMs };
  const message = `The watermark of \`${column.join(".")}\` must be the column itself, or the column minus an interval that is not negative.`;
  throw p.error(
    "INVALID_WATERMARK",
    message,
    { start: token.start, end: p.before()!.end },
    `Write WATERMARK FOR ${column.join(".")} AS ${column.join(".")} - INTERVAL 5 SECONDS`,
  );
};

const delayOf = (e: Expr, column: readonly string[]): number | undefined => {
  const isColumn = (x: Expr): boolean =>
    x.kind === "column" && x.parts.join("\0").toLowerCase() === column.join("\0").toLowerCase();
  if (isColumn(e)) return 0;
  if (e.kind !== "call" || e.fn !== "-" || !isColumn(e.args[0]!)) return undefined;
  const delay = e.args[1]!;
  return delay.kind === "literal" && typeof delay.value === "number"
    ? intervalMs(delay.value, delay.type)
    : undefined;
};
