/** Variables and dynamic SQL: DECLARE, SET VARIABLE, EXECUTE IMMEDIATE. */
import type { Expr } from "../expr/ast.ts";
import { atQuery } from "./lookahead.ts";
import { variableName } from "./name-parser.ts";
import type { Assignment, StatementBody } from "./statement.ts";
import type { Parser } from "./token-stream.ts";
import { dataType } from "./type-parser.ts";

/** `DECLARE [OR REPLACE] [VARIABLE] a, b [type] [DEFAULT|= expr]`; DECLARE has been taken. */
export const declareVariable = (p: Parser): StatementBody => {
  const start = p.before()!;
  const replace = p.accept("OR", "REPLACE");
  if (p.at("VARIABLE") && !p.atOp(",", 1) && !p.atOp("=", 1)) p.next();
  const unnamed = p.atEnd() || p.atOp(";");
  const names = unnamed ? [] : p.list(() => variableName(p));
  const value = (): boolean => p.at("DEFAULT") || p.atOp("=");
  const type = unnamed || p.atEnd() || p.atOp(";") || value() ? undefined : dataType(p);
  const initial = p.acceptOp("=") || p.accept("DEFAULT") ? p.grammar.expression(p) : undefined;
  if (type === undefined && initial === undefined)
    throw p.error(
      "INVALID_SQL_SYNTAX.VARIABLE_TYPE_OR_DEFAULT_REQUIRED",
      "The definition of a SQL variable requires either a datatype or a DEFAULT clause. For example, use `DECLARE name STRING` or `DECLARE name = 'SQL'` instead of `DECLARE name`.",
      start,
    );
  return { kind: "declareVariable", names, type, default: initial, replace };
};

/** `SET VAR a = expr, b = DEFAULT` or `SET VAR (a, b) = (query)`; what stands before the names has been taken. */
export const setVariables = (p: Parser): StatementBody => {
  if (p.atOp("(")) {
    const names = p.parenthesized(() => variableName(p));
    p.expectOp("=");
    p.expectOp("(");
    const query = p.grammar.query(p);
    p.expectOp(")");
    return { kind: "setVariablesOfQuery", names, query };
  }
  return { kind: "setVariables", assignments: p.list(() => assignment(p)) };
};

const assignment = (p: Parser): Assignment => {
  const start = p.peek();
  const name = variableName(p);
  if (!p.acceptOp("="))
    throw p.error("INVALID_SET_SYNTAX", "Expected format is 'SET VARIABLE name = value'.", start);
  const byDefault = p.at("DEFAULT") && (p.peek(1).kind === "end" || p.atOp(",", 1) || p.atOp(";", 1));
  if (byDefault) p.next();
  return { name, value: byDefault ? undefined : p.grammar.expression(p), position: p.position(start) };
};

/** `EXECUTE IMMEDIATE text [INTO a, b] [USING x, y AS name]`; EXECUTE has been taken. */
export const executeImmediate = (p: Parser): StatementBody => {
  p.expect("IMMEDIATE");
  const text = p.grammar.expression(p);
  const into = p.accept("INTO") ? p.list(() => variableName(p)) : [];
  const using = p.accept("USING") ? usingArguments(p) : [];
  return { kind: "executeImmediate", command: text, into, using };
};

const usingArguments = (p: Parser): { readonly value: Expr; readonly name: string | undefined }[] => {
  const wrapped = p.atOp("(") && p.closing(0) !== -1 && !atQuery(p, 0) && endsAfter(p, p.closing(0));
  const rule = (): { readonly value: Expr; readonly name: string | undefined } => {
    const value = p.grammar.expression(p);
    const named = p.accept("AS") || ["word", "quoted"].includes(p.peek().kind);
    return { value, name: named ? p.identifier("a parameter's name") : undefined };
  };
  return wrapped ? p.parenthesized(rule) : p.list(rule);
};

const endsAfter = (p: Parser, close: number): boolean =>
  p.peek(close + 1).kind === "end" || p.atOp(";", close + 1);
