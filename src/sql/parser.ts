/** The SQL parser's front: text in, expressions, relations, types and schemas out. All throw ParseError. */
import type { DataType } from "../core/data-type.ts";
import type { Schema } from "../core/schema.ts";
import { ParseError } from "../core/errors.ts";
import type { Expr } from "../expr/ast.ts";
import type { Relation } from "../plan/relation.ts";
import { parseExpr, parseValue } from "./expression-parser.ts";
import { nameClause } from "./name-parser.ts";
import { parseQueryRule } from "./query-parser.ts";
import { Parser, type Grammar, type ParseOptions } from "./token-stream.ts";
import { columnDefinitions, dataType } from "./type-parser.ts";

const GRAMMAR: Grammar = { expression: parseExpr, value: parseValue, query: parseQueryRule };

/** Runs a rule over a text; an overflow of the stack, should the limits ever allow one, is an error of the text too. */
export const parseText = <T>(text: string, rule: (p: Parser) => T, options: ParseOptions = {}): T => {
  try {
    return rule(new Parser(text, GRAMMAR, options));
  } catch (e) {
    if (!(e instanceof RangeError)) throw e;
    const errorClass = "FAILED_TO_PARSE_TOO_COMPLEX";
    throw new ParseError(`[${errorClass}] The statement is too deep or too complex.`, {
      errorClass,
      cause: e,
    });
  }
};

/** The whole text by one rule. */
const whole = <T>(text: string, rule: (p: Parser) => T, options?: ParseOptions): T =>
  parseText(
    text,
    (p) => {
      if (p.atEnd()) throw p.error("PARSE_EMPTY_STATEMENT", "Syntax error, unexpected empty statement.");
      const result = rule(p);
      p.expectEnd();
      return result;
    },
    options,
  );

/** One expression, with an alias or without: `v + 1 AS w`. */
export const parseExpression = (text: string, options?: ParseOptions): Expr =>
  whole(text, nameClause, options);

/** One query, a semicolon at its end or none. */
export const parseQuery = (text: string, options?: ParseOptions): Relation =>
  whole(
    text,
    (p) => {
      const query = parseQueryRule(p);
      while (p.acceptOp(";"));
      return query;
    },
    options,
  );

/** `ARRAY<STRUCT<a: INT>>` */
export const parseDataType = (text: string): DataType => whole(text, dataType);

/** Columns as in CREATE TABLE: `a INT NOT NULL, b STRING`. */
export const parseSchema = (ddl: string): Schema => whole(ddl, columnDefinitions);
