/**
 * Primary expressions: literals, names, parentheses, CASE, CAST, lambdas, and the suffixes `[key]`, `.field`, `::type`, `COLLATE`.
 * Calls of functions are in call-parser, the forms with keywords inside their parentheses in special-form-parser.
 */
import { SQL_CHAIN_MAX } from "../core/limits.ts";
import { BOOLEAN, NULL, STRING } from "../core/data-type.ts";
import type { Expr } from "../expr/ast.ts";
import { functionCall } from "./call-parser.ts";
import { atInterval, intervalLiteral } from "./interval-literal.ts";
import { numberLiteral, typedLiteral, TYPED_LITERALS } from "./literal.ts";
import { atQuery, endsName, misplaced } from "./lookahead.ts";
import { nameClause } from "./name-parser.ts";
import { SPECIAL_FORMS } from "./special-form-parser.ts";
import { collation, dataType } from "./type-parser.ts";
import { atVariantPath, variantPath } from "./variant-path.ts";
import type { Parser } from "./token-stream.ts";
import type { Token } from "./token.ts";

/** A primary expression with its suffixes. */
export const primary = (p: Parser): Expr => {
  const start = p.peek();
  return postfix(p, base(p), start);
};

/** `[key]`, `.field`, `::type`, `:path`, `COLLATE name` after `left`. */
export const postfix = (p: Parser, left: Expr, start: Token): Expr => {
  let expr = left;
  for (let links = 0; ; links++) {
    if (links > SQL_CHAIN_MAX) throw p.tooComplex(`a chain of more than ${SQL_CHAIN_MAX} operators`);
    if (p.acceptOp("[")) {
      const key = p.grammar.value(p);
      p.expectOp("]");
      expr = { kind: "item", child: expr, key, position: p.position(start) };
    } else if (p.acceptOp(".")) {
      const name = p.identifier("a field's name");
      expr = { kind: "field", child: expr, name, position: p.position(start) };
    } else if (p.acceptOp("::")) {
      expr = { kind: "cast", child: expr, to: dataType(p), tryCast: false, position: p.position(start) };
    } else if (atVariantPath(p)) {
      expr = variantPath(p, expr, start);
    } else if (p.at("COLLATE") && !endsName(p, 1)) {
      p.next();
      collation(p);
    } else return expr;
  }
};

const base = (p: Parser): Expr => {
  const token = p.peek();
  switch (token.kind) {
    case "number": {
      p.next();
      return { kind: "literal", ...numberLiteral(p, token, false), position: p.position(token) };
    }
    case "string": {
      let value = p.next().text;
      while (p.peek().kind === "string") value += p.next().text;
      return { kind: "literal", value, type: STRING, position: p.position(token) };
    }
    case "op":
      return operator(p, token);
    case "end":
      throw p.unexpected("an expression");
    default:
      return token.kind === "word" ? word(p, token) : name(p);
  }
};

const operator = (p: Parser, token: Token): Expr => {
  if (token.text === "(") return parentheses(p, token);
  if (token.text === "*") return star(p, [], token);
  if (token.text === "?") {
    p.next();
    return { kind: "parameter", name: `?${++p.parameters}`, position: p.position(token) };
  }
  if (token.text !== ":") throw p.unexpected("an expression");
  p.next();
  return { kind: "parameter", name: p.identifier("a parameter's name"), position: p.position(token) };
};

/** `*`, `t.*`, `* EXCEPT (a, b)`; the star is next. */
const star = (p: Parser, qualifier: readonly string[], start: Token): Expr => {
  p.expectOp("*");
  const except =
    p.at("EXCEPT") && p.atOp("(", 1) && !atQuery(p, 2) && p.accept("EXCEPT")
      ? p.parenthesized(() => p.multipart("a column"))
      : undefined;
  return {
    kind: "star",
    qualifier,
    ...(except === undefined ? {} : { except }),
    position: p.position(start),
  };
};

const parentheses = (p: Parser, start: Token): Expr => {
  const parameters = lambdaParameters(p);
  if (parameters !== undefined) return lambda(p, parameters, start);
  p.next();
  if (atQuery(p, 0)) {
    const relation = p.grammar.query(p);
    p.expectOp(")");
    return {
      kind: "subquery",
      mode: "scalar",
      relation,
      values: [],
      negated: false,
      position: p.position(start),
    };
  }
  const items = p.list(() => nameClause(p));
  p.expectOp(")");
  const [first] = items;
  if (items.length > 1) return { kind: "call", fn: "struct", args: items, position: p.position(start) };
  if (first!.kind === "alias") throw p.unexpected("no alias inside parentheses");
  return first!;
};

/** The names of `(x, y) ->`, when that is next. */
const lambdaParameters = (p: Parser): string[] | undefined => {
  const close = p.closing(0);
  if (close === -1 || !p.atOp("->", close + 1)) return undefined;
  const names = p.parenthesized(() => p.identifier("a lambda's parameter"));
  return names;
};

const lambda = (p: Parser, parameters: readonly string[], start: Token): Expr => {
  p.expectOp("->");
  const body = p.grammar.expression(p);
  return { kind: "lambda", parameters, body, position: p.position(start) };
};

/** Functions that may be called without parentheses. The names of users are left to the analyser: a column of that name comes first. */
const WITHOUT_PARENTHESES: ReadonlySet<string> = new Set([
  "CURRENT_DATE",
  "CURRENT_TIMESTAMP",
  "LOCALTIMESTAMP",
]);

/** `case(a, b)` is a call of a function; `CASE (a) WHEN …` is none. */
const isCallOfCase = (p: Parser): boolean => {
  let depth = 0;
  let commas = 0;
  for (let at = 1; ; at++) {
    const token = p.peek(at);
    if (token.kind === "end") return true;
    if (p.atOp("(", at)) depth++;
    else if (p.atOp(",", at) && depth === 1) commas++;
    else if (p.atOp(")", at) && --depth === 0)
      return p.peek(at + 1).upper !== "WHEN" && (commas > 0 || at === 2);
  }
};

const word = (p: Parser, token: Token): Expr => {
  const literal = keywordLiteral(p, token);
  if (literal !== undefined) return literal;
  if (p.atOp("(", 1)) {
    if (token.upper === "CASE" && !isCallOfCase(p)) return caseExpr(p);
    const form = SPECIAL_FORMS.get(token.upper);
    const special = form?.(p, token);
    if (special !== undefined) return special;
  } else {
    if (WITHOUT_PARENTHESES.has(token.upper) && !p.atOp(".", 1)) {
      p.next();
      return { kind: "call", fn: token.text.toLowerCase(), args: [], position: p.position(token) };
    }
    if (token.upper === "CASE" && !endsName(p, 1) && !p.atOp(".", 1)) return caseExpr(p);
    if (misplaced(p)) throw p.unexpected("an expression");
  }
  return name(p);
};

const keywordLiteral = (p: Parser, token: Token): Expr | undefined => {
  const after = p.peek(1);
  if (
    after.kind === "string" &&
    TYPED_LITERALS.has(token.upper) &&
    !(token.upper === "INTERVAL" && p.peek(2).upper !== "" && atUnit(p))
  )
    return typedLiteral(p);
  if (token.upper === "INTERVAL" && atInterval(p)) return intervalLiteral(p);
  if (after.kind === "op" && [".", "(", "->"].includes(after.text)) return undefined;
  if (token.upper !== "NULL" && token.upper !== "TRUE" && token.upper !== "FALSE") return undefined;
  p.next();
  const position = p.position(token);
  if (token.upper === "NULL") return { kind: "literal", value: null, type: NULL, position };
  return { kind: "literal", value: token.upper === "TRUE", type: BOOLEAN, position };
};

/** Whether a unit follows the string of `INTERVAL '…'`. */
const atUnit = (p: Parser): boolean =>
  /^(YEAR|MONTH|WEEK|DAY|HOUR|MINUTE|SECOND|MILLISECOND|MICROSECOND|NANOSECOND)S?$/.test(p.peek(2).upper);

/** A column, a star with its qualifier, a lambda of one parameter or a call. */
const name = (p: Parser): Expr => {
  const start = p.peek();
  const first = p.identifier();
  if (start.kind === "word" && p.peek().kind === "string") throw unsupportedLiteral(p, start);
  if (p.atOp("->")) return lambda(p, [first], start);
  const parts = [first];
  while (p.atOp(".")) {
    if (p.atOp("*", 1)) {
      p.next();
      return star(p, parts, start);
    }
    p.next();
    parts.push(p.identifier("a name after the dot"));
  }
  if (p.atOp("(")) return functionCall(p, parts, start);
  return { kind: "column", parts, position: p.position(start) };
};

const TIME_TEXT =
  /^\s*T?(?:[01]?\d|2[0-3]):[0-5]?\d(?::[0-5]?\d(?:\.\d{0,9})?)?\s*$|^\s*(?:0?[1-9]|1[0-2]):[0-5]?\d(?::[0-5]?\d(?:\.\d{0,9})?)?\s*[AP]M\s*$/i;

/** The TIME type is off in Spark by default; its literals are read, and refused. */
const timeLiteral = (p: Parser, start: Token): Error => {
  const text = p.peek();
  const span = { start: start.start, end: text.end };
  return TIME_TEXT.test(text.text)
    ? p.error("UNSUPPORTED_TIME_TYPE", "The data type TIME is not supported.", span)
    : p.error("INVALID_TYPED_LITERAL", `The value of the typed literal "TIME" is invalid.`, span);
};

/** `word 'text'` is a typed literal to Spark, never a column with an alias. */
const unsupportedLiteral = (p: Parser, start: Token): Error => {
  if (start.upper === "TIME") return timeLiteral(p, start);
  const types = "DATE, TIMESTAMP, TIMESTAMP_NTZ, TIMESTAMP_LTZ, INTERVAL and X";
  const message = `Literals of the type "${start.upper}" are not supported: the types are ${types}.`;
  return p.error("UNSUPPORTED_TYPED_LITERAL", message, { start: start.start, end: p.peek().end });
};

const caseExpr = (p: Parser): Expr => {
  const start = p.next();
  const subject = p.at("WHEN") ? undefined : p.grammar.expression(p);
  const branches: (readonly [Expr, Expr])[] = [];
  while (p.accept("WHEN")) {
    const when = p.grammar.expression(p);
    p.expect("THEN");
    const condition: Expr =
      subject === undefined
        ? when
        : { kind: "call", fn: "=", args: [subject, when], position: when.position };
    branches.push([condition, p.grammar.expression(p)]);
  }
  if (branches.length === 0) throw p.unexpected("WHEN");
  const otherwise = p.accept("ELSE") ? p.grammar.expression(p) : undefined;
  p.expect("END");
  return { kind: "case", branches, otherwise, position: p.position(start) };
};
