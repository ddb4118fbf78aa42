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
    return p.atOp("(") ? p.parenthesized(() => p.identifier("an alias")) : [p.identifier("an alias")];
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

/** The name of `IDENTIFIER('a.b')`; it must be known to the parser, so only a string will do. */
export const identifierClause = (p: Parser): string[] => {
  const start = p.next();
  p.expectOp("(");
  const text = p.string("a string: IDENTIFIER takes no expression here");
  p.expectOp(")");
  const parts = [...text.matchAll(/`((?:[^`]|``)*)`|([^.`]+)/g)].map((m) =>
    m[1] === undefined ? m[2]!.trim() : m[1].replaceAll("``", "`"),
  );
  if (parts.length > 0) return parts;
  throw p.error("PARSE_SYNTAX_ERROR", `'${text}' is not a name`, start);
};

/** A table's name. */
export const tableName = (p: Parser): string[] =>
  atIdentifierClause(p) ? identifierClause(p) : p.multipart("a table's name");
