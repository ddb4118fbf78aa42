/** Expressions with names (`expr AS a`, `expr a`, `expr AS (a, b)`) and the `IDENTIFIER('a.b')` clause. */
import type { Expr } from "../expr/ast.ts";
import { atAlias } from "./lookahead.ts";
import type { Parser } from "./token-stream.ts";

/** An expression with its alias, if it has one. */
export const nameClause = (p: Parser): Expr => {
  const start = p.peek();
  const child = p.grammar.expression(p);
  const names = aliasNames(p);
  return names === undefined ? child : { kind: "alias", child, names, position: p.position(start) };
};

const aliasNames = (p: Parser): readonly string[] | undefined => {
  if (p.accept("AS"))
    return p.atOp("(") ? p.parenthesized(() => oneName(p, "an alias")) : [oneName(p, "an alias")];
  if (atAlias(p)) return [p.identifier()];
  return p.atOp("(") ? p.parenthesized(() => p.identifier("an alias")) : undefined;
};

/** One or more of them: a select list. */
export const nameClauses = (p: Parser): Expr[] => {
  const start = p.peek();
  return p.list(() => {
    if (
      p.peek() !== start &&
      p.at("FROM") &&
      ["word", "quoted"].includes(p.peek(1).kind) &&
      p.peek(1).upper !== "FROM"
    )
      throw p.error("TRAILING_COMMA_IN_SELECT", "Trailing comma detected in the SELECT list", p.peek());
    return nameClause(p);
  });
};

/** Whether `IDENTIFIER (` is next. */
export const atIdentifierClause = (p: Parser): boolean => p.at("IDENTIFIER") && p.atOp("(", 1);

/** What stands for a name that is not known yet: the statement is read again before it runs. */
export const LATER = "\u0000later";

/** The name of `IDENTIFIER('a.b')`, or of an expression that gives a constant text. */
export const identifierClause = (p: Parser): string[] => {
  const start = p.next();
  p.expectOp("(");
  const literal = p.peek().kind === "string" && p.atOp(")", 1);
  const e = literal ? undefined : p.grammar.expression(p);
  const text = e === undefined ? p.string() : (p.nameOf?.(e) ?? LATER);
  p.expectOp(")");
  if (text.trim() === "")
    throw p.error("PARSE_EMPTY_STATEMENT", "Syntax error, unexpected empty statement.", start);
  const parts = nameParts(text);
  if (parts !== undefined) return parts;
  throw p.error("PARSE_SYNTAX_ERROR", `'${text}' is not a name`, start);
};

/** The parts of `a.b`; undefined when the text is no name. */
const nameParts = (text: string): string[] | undefined => {
  if (!/^\s*(?:`(?:[^`]|``)*`|[^.`\s]+)(?:\s*\.\s*(?:`(?:[^`]|``)*`|[^.`\s]+))*\s*$/.test(text))
    return undefined;
  return [...text.matchAll(/`((?:[^`]|``)*)`|([^.`\s]+)/g)].map((m) =>
    m[1] === undefined ? m[2]! : m[1].replaceAll("``", "`"),
  );
};

/** A table's name. */
export const tableName = (p: Parser): string[] =>
  atIdentifierClause(p) ? identifierClause(p) : p.multipart("a table's name");

/** A variable's name. */
export const variableName = (p: Parser): string[] =>
  atIdentifierClause(p) ? identifierClause(p) : p.multipart("a variable's name");

/** A name of one part, or `IDENTIFIER('a')`. */
export const oneName = (p: Parser, what: string): string =>
  atIdentifierClause(p) && p.peek(2).kind === "string" ? identifierClause(p).join(".") : p.identifier(what);
