/** CREATE FUNCTION with a body in SQL. */
import { type DataType, NULL } from "../core/data-type.ts";
import type { Expr } from "../expr/ast.ts";
import type { SqlParameter } from "../plan/catalog.ts";
import { atQuery } from "./lookahead.ts";
import { tableName } from "./name-parser.ts";
import type { StatementBody } from "./statement.ts";
import type { Parser } from "./token-stream.ts";
import { columnDefinitions, dataType } from "./type-parser.ts";

/** `CREATE [OR REPLACE] [TEMPORARY] FUNCTION [IF NOT EXISTS] f(x INT DEFAULT 0) [RETURNS INT] … RETURN body`; FUNCTION has been taken. */
export const createFunction = (p: Parser, replace: boolean, temporary: boolean): StatementBody => {
  const start = p.before()!;
  const ifNotExists = p.accept("IF", "NOT", "EXISTS");
  if (ifNotExists && temporary)
    throw p.error(
      "INVALID_SQL_SYNTAX.CREATE_TEMP_FUNC_WITH_IF_NOT_EXISTS",
      "CREATE TEMPORARY FUNCTION with IF NOT EXISTS is not allowed.",
      start,
    );
  const name = tableName(p);
  if (p.at("AS"))
    throw p.error(
      "UNSUPPORTED_FEATURE",
      "Functions of classes do not exist here.",
      p.peek(),
      "Write a body in SQL (RETURN …), or register one with mill.udf",
    );
  const parameters =
    p.atOp("(") && p.atOp(")", 1) ? (p.next(), p.next(), []) : p.parenthesized(() => parameter(p));
  const twice = parameters.find((x, i) =>
    parameters.some((y, j) => j < i && x.name.toLowerCase() === y.name.toLowerCase()),
  );
  if (twice !== undefined)
    throw p.error(
      "DUPLICATE_ROUTINE_PARAMETER_NAMES",
      `Found duplicate name(s) in the parameter list of the user-defined routine ${name.join(".")}: \`${twice.name}\`.`,
      start,
    );
  let returns: DataType | undefined;
  if (p.accept("RETURNS")) {
    if (p.accept("TABLE")) return tableFunction(p, { name, parameters, replace, ifNotExists, temporary });
    returns = dataType(p);
  }
  const comment = characteristics(p);
  p.expect("RETURN");
  const [body, table] = [returned(p), undefined];
  return {
    kind: "createFunction",
    name,
    parameters,
    returns,
    body,
    table,
    comment,
    replace,
    ifNotExists,
    temporary,
  };
};

type Head = "name" | "parameters" | "replace" | "ifNotExists" | "temporary";

/** `RETURNS TABLE [(columns)] … RETURN query`; TABLE has been taken. */
const tableFunction = (
  p: Parser,
  head: Pick<Extract<StatementBody, { kind: "createFunction" }>, Head>,
): StatementBody => {
  const columns = p.acceptOp("(") ? columnDefinitions(p) : undefined;
  if (columns !== undefined) p.expectOp(")");
  const comment = characteristics(p);
  p.expect("RETURN");
  const table = { query: p.grammar.query(p), columns };
  const body: Expr = { kind: "literal", value: null, type: NULL };
  return { kind: "createFunction", ...head, returns: undefined, body, table, comment };
};

const parameter = (p: Parser): SqlParameter => {
  const name = p.identifier("a parameter's name");
  const type = dataType(p);
  let initial: Expr | undefined;
  for (;;) {
    if (p.accept("DEFAULT")) initial = p.grammar.expression(p);
    else if (p.accept("COMMENT")) p.string("the comment's text");
    else return { name, type, default: initial };
  }
};

/** COMMENT, and what says nothing here: LANGUAGE SQL, [NOT] DETERMINISTIC, CONTAINS SQL, READS SQL DATA, SQL SECURITY. */
const characteristics = (p: Parser): string | undefined => {
  let comment: string | undefined;
  for (;;) {
    if (p.accept("COMMENT")) comment = p.string("the comment's text");
    else if (
      !p.accept("LANGUAGE", "SQL") &&
      !p.accept("DETERMINISTIC") &&
      !p.accept("NOT", "DETERMINISTIC") &&
      !p.accept("CONTAINS", "SQL") &&
      !p.accept("READS", "SQL", "DATA") &&
      !p.accept("SQL", "SECURITY", "INVOKER") &&
      !p.accept("SQL", "SECURITY", "DEFINER")
    )
      return comment;
  }
};

/** An expression, or a query of one value. */
const returned = (p: Parser): Expr => {
  const start = p.peek();
  if (!atQuery(p, 0) || p.atOp("(")) return p.grammar.expression(p);
  const relation = p.grammar.query(p);
  return {
    kind: "subquery",
    mode: "scalar",
    relation,
    values: [],
    negated: false,
    position: p.position(start),
  };
};
