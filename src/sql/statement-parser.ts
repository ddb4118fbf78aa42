/**
 * Statements and scripts of them.
 *
 *  S1  A script is split by its tokens, so a semicolon in a string, a quoted name or a comment ends nothing.
 *  S2  The value of SET is the raw text up to the semicolon, as in Spark.
 */
import { createStatement } from "./create-parser.ts";
import { atQuery } from "./lookahead.ts";
import { tableName } from "./name-parser.ts";
import { parseText } from "./parser.ts";
import { queryBody, withClause } from "./query-parser.ts";
import { noOptions, properties } from "./property-parser.ts";
import { ScriptParser } from "./script-parser.ts";
import { declareVariable, executeImmediate, setVariables } from "./variable-parser.ts";
import type { ExplainMode, Statement, StatementBody } from "./statement.ts";
import type { ParseOptions, Parser } from "./token-stream.ts";

const STATEMENTS =
  "a statement: SELECT, WITH, FROM, VALUES, TABLE, CREATE, INSERT, EXPLAIN, DESCRIBE, SHOW, SET, RESET, DROP, DECLARE, EXECUTE, BEGIN, CACHE, UNCACHE or CLEAR";

/** The statements of a script, empty ones left out. Throws ParseError at the first that does not parse. */
export const parseScript = (text: string, options?: ParseOptions): Statement[] =>
  parseText(
    text,
    (p) => {
      const statements: Statement[] = [];
      while (!p.atEnd()) {
        if (p.acceptOp(";")) continue;
        statements.push(statement(p));
        if (!p.acceptOp(";")) p.expectEnd();
      }
      return statements;
    },
    options,
  );

/** One statement, a semicolon at its end or none. Throws ParseError. */
export const parseStatement = (text: string, options?: ParseOptions): Statement =>
  parseText(
    text,
    (p) => {
      if (p.atEnd()) throw p.error("PARSE_EMPTY_STATEMENT", "Syntax error, unexpected empty statement.");
      const found = statement(p);
      while (p.acceptOp(";"));
      p.expectEnd();
      return found;
    },
    options,
  );

const statement = (p: Parser, inScript = false): Statement => {
  const start = p.peek();
  const body = p.nested(() => statementBody(p, inScript));
  return { ...body, position: p.position(start), text: p.source.text.slice(start.start, p.before()!.end) };
};

const RULES: ReadonlyMap<string, (p: Parser) => StatementBody> = new Map([
  ["CREATE", (p: Parser) => createStatement(p)],
  ["INSERT", (p: Parser) => insert(p)],
  ["EXPLAIN", (p: Parser) => explain(p)],
  ["DESCRIBE", (p: Parser) => describe(p)],
  ["DESC", (p: Parser) => describe(p)],
  ["SHOW", (p: Parser) => show(p)],
  ["SET", (p: Parser) => set(p)],
  ["DECLARE", (p: Parser) => declareVariable(p)],
  ["EXECUTE", (p: Parser) => executeImmediate(p)],
  ["RESET", (p: Parser): StatementBody => ({ kind: "reset", key: rawText(p) })],
  ["DROP", (p: Parser) => drop(p)],
  ["CACHE", (p: Parser) => cache(p)],
  ["UNCACHE", (p: Parser) => uncache(p)],
  ["CLEAR", (p: Parser): StatementBody => (p.expect("CACHE"), { kind: "clearCache" })],
]);

const statementBody = (p: Parser, inScript: boolean): StatementBody => {
  if (p.at("WITH")) return afterWith(p);
  if (atQuery(p, 0)) return { kind: "query", query: p.grammar.query(p) };
  if (p.at("BEGIN") && p.peek(1).kind !== "end")
    return { kind: "script", block: new ScriptParser(p, statement).block() };
  if (inScript && p.at("SET")) {
    p.next();
    return setVariables(p);
  }
  const rule = RULES.get(p.peek().upper);
  if (rule === undefined) throw p.unexpected(STATEMENTS);
  p.next();
  return rule(p);
};

/** `WITH t AS (…) SELECT …` or `WITH t AS (…) INSERT INTO …` */
const afterWith = (p: Parser): StatementBody => {
  const definitions = withClause(p)!;
  if (!p.accept("INSERT")) return { kind: "query", query: definitions.around(queryBody(p)) };
  const found = insert(p);
  return { ...found, query: definitions.around(found.query) };
};

/** `INSERT INTO|OVERWRITE [TABLE] t [WITH (options)] [(columns) | BY NAME] query` */
const insert = (p: Parser): Extract<StatementBody, { kind: "insert" }> => {
  const overwrite = p.expectAny(["INTO", "OVERWRITE"]) === "OVERWRITE";
  if (p.peek(1).kind !== "op" || p.atOp(".", 2)) p.accept("TABLE");
  const table = tableName(p);
  const options = p.at("WITH") && p.atOp("(", 1) ? (p.next(), properties(p)) : noOptions();
  const byName = p.accept("BY", "NAME");
  const columns =
    !byName && p.atOp("(") && !atQuery(p, 0) ? p.parenthesized(() => p.identifier("a column")) : undefined;
  return { kind: "insert", table, columns, byName, overwrite, options, query: p.grammar.query(p) };
};

const EXPLAIN_MODES: readonly string[] = ["LOGICAL", "FORMATTED", "EXTENDED", "CODEGEN", "COST"];

const explain = (p: Parser): StatementBody => {
  const mode = (p.acceptAny(EXPLAIN_MODES) ?? "SIMPLE").toLowerCase() as ExplainMode;
  return { kind: "explain", mode, statement: statement(p) };
};

const describe = (p: Parser): StatementBody => {
  if (p.at("FUNCTION") && p.peek(1).kind !== "end") {
    p.next();
    const extended = p.accept("EXTENDED");
    const token = p.next();
    if (token.kind === "end") throw p.unexpected("a function's name");
    return { kind: "describeFunction", name: token.text.toLowerCase(), extended };
  }
  if (atQuery(p, 0) && !(p.at("TABLE") && !p.at("TABLE", "TABLE")))
    return { kind: "describeQuery", query: p.grammar.query(p) };
  if (p.at("QUERY") && atQuery(p, 1)) {
    p.next();
    return { kind: "describeQuery", query: p.grammar.query(p) };
  }
  if (p.peek(1).kind !== "end") p.accept("TABLE");
  const extended = p.peek(1).kind !== "end" && p.acceptAny(["EXTENDED", "FORMATTED"]) !== undefined;
  const name = tableName(p);
  const column = p.atEnd() || p.atOp(";") ? undefined : p.multipart("a column");
  return { kind: "describeTable", name, extended, column };
};

/** `[FROM|IN schema] [[LIKE] 'pattern']`: there is one schema, so its name says nothing. */
const showFilter = (p: Parser): string | undefined => {
  if (p.accept("FROM") || p.accept("IN")) p.multipart("a schema");
  const like = p.accept("LIKE");
  if (p.peek().kind === "string") return p.string();
  if (like) return p.multipart("a pattern").join(".");
  return p.atEnd() || p.atOp(";") ? undefined : p.multipart("a pattern").join(".");
};

const show = (p: Parser): StatementBody => {
  if (p.accept("TABLES")) return { kind: "show", what: "tables", pattern: showFilter(p) };
  if (p.accept("VIEWS")) return { kind: "show", what: "views", pattern: showFilter(p) };
  if (p.accept("COLUMNS")) {
    p.expectAny(["FROM", "IN"]);
    return { kind: "show", what: "columns", table: tableName(p) };
  }
  if (p.accept("CREATE", "TABLE")) return { kind: "show", what: "createTable", table: tableName(p) };
  const scope = p.acceptAny(["ALL", "SYSTEM", "USER"]) ?? "ALL";
  if (!p.accept("FUNCTIONS")) throw p.unexpected("TABLES, VIEWS, FUNCTIONS, COLUMNS or CREATE TABLE");
  return {
    kind: "show",
    what: "functions",
    scope: scope.toLowerCase() as "all" | "system" | "user",
    pattern: showFilter(p),
  };
};

/** The text up to the semicolon or the end (S2); undefined when there is none. */
const rawText = (p: Parser): string | undefined => {
  if (p.atEnd() || p.atOp(";")) return undefined;
  const start = p.peek().start;
  while (!p.atEnd() && !p.atOp(";")) p.next();
  return p.source.text.slice(start, p.before()!.end);
};

/** `SET`, `SET key`, `SET key = value`, `SET TIME ZONE 'x'`; a key in backquotes may hold anything. */
const set = (p: Parser): StatementBody => {
  if (p.at("TIME", "ZONE")) {
    p.accept("TIME", "ZONE");
    const value = p.peek().kind === "string" ? p.string() : (rawText(p) ?? "");
    return { kind: "set", key: "spark.sql.session.timeZone", value };
  }
  if (p.atEnd() || p.atOp(";")) return { kind: "set", key: undefined, value: undefined };
  if (
    ["VAR", "VARIABLE"].includes(p.peek().upper) &&
    (p.peek(1).kind !== "op" || p.atOp("(", 1)) &&
    p.peek(1).kind !== "end"
  ) {
    p.next();
    return setVariables(p);
  }
  const start = p.peek();
  while (!p.atEnd() && !p.atOp(";") && !p.atOp("=")) p.next();
  const end = p.before()!;
  const quoted = start.kind === "quoted" && end === start;
  const key = quoted ? start.text : p.source.text.slice(start.start, end.end);
  if (end.end <= start.start || (!quoted && /\s/.test(key))) {
    const message = "Expected format is 'SET', 'SET key', or 'SET key=value'.";
    throw p.error(
      "INVALID_SET_SYNTAX",
      message,
      start,
      "Quote a key that holds special characters: SET `key`=`value`",
    );
  }
  if (!p.acceptOp("=")) return { kind: "set", key, value: undefined };
  const value = p.peek();
  const raw = rawText(p) ?? "";
  return {
    kind: "set",
    key,
    value: (value.kind === "quoted" || value.kind === "string") && p.before() === value ? value.text : raw,
  };
};

const drop = (p: Parser): StatementBody => {
  const temporary = p.accept("TEMPORARY") || p.accept("TEMP");
  const word = p.expectAny(["VIEW", "TABLE", "FUNCTION", ...(temporary ? ["VARIABLE"] : [])]);
  const ifExists = p.accept("IF", "EXISTS");
  const name = tableName(p);
  if (word === "FUNCTION") return { kind: "dropFunction", name, ifExists };
  if (word === "VARIABLE") return { kind: "dropVariable", name, ifExists };
  const what = word === "VIEW" ? "view" : "table";
  if (what === "table") p.accept("PURGE");
  return { kind: "drop", what, name, ifExists };
};

const cache = (p: Parser): StatementBody => {
  p.accept("LAZY");
  p.expect("TABLE");
  const name = tableName(p);
  const query = p.accept("AS") || atQuery(p, 0) ? p.grammar.query(p) : undefined;
  return { kind: "cacheTable", name, query };
};

const uncache = (p: Parser): StatementBody => {
  p.expect("TABLE");
  const ifExists = p.accept("IF", "EXISTS");
  return { kind: "uncacheTable", name: tableName(p), ifExists };
};
