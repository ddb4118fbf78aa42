/**
 * Expressions, from OR down to unary operators, with Spark's precedence (loosest first):
 * `OR`, `AND`, `NOT`, one predicate (`BETWEEN IN LIKE RLIKE IS`), comparison, `|`, `^`, `&`, shifts, `+ - ||`, `* / % DIV`, unary `- + ~`.
 *
 *  X1  Chains of AND and of OR become balanced trees, so that thousands of conditions do not make a deep one.
 *  X2  Operators are calls whose `fn` is the symbol or the lower-case word; a negated predicate is wrapped in `not`.
 */
import { SQL_CHAIN_MAX } from "../core/limits.ts";
import { STRING } from "../core/data-type.ts";
import type { Expr } from "../expr/ast.ts";
import { atQuery } from "./lookahead.ts";
import { numberLiteral } from "./literal.ts";
import { postfix, primary } from "./primary-parser.ts";
import type { Parser } from "./token-stream.ts";
import type { Token } from "./token.ts";

interface Operand {
  readonly expr: Expr;
  readonly start: Token;
  readonly end: number;
}

/** A whole expression. */
export const parseExpr = (p: Parser): Expr => p.nested(() => disjunction(p));

const operand = (p: Parser, rule: (p: Parser) => Expr): Operand => {
  const start = p.peek();
  const expr = rule(p);
  return { expr, start, end: p.before()!.end };
};

/** X1: operands `from` to `to` (exclusive), in order. */
const balanced = (p: Parser, fn: string, operands: readonly Operand[], from: number, to: number): Expr => {
  if (to - from === 1) return operands[from]!.expr;
  const middle = from + Math.ceil((to - from) / 2);
  const args = [balanced(p, fn, operands, from, middle), balanced(p, fn, operands, middle, to)];
  const { start } = operands[from]!;
  const position = { ...p.source.locate(start.start), length: operands[to - 1]!.end - start.start };
  return { kind: "call", fn, args, position };
};

const chain = (p: Parser, word: "AND" | "OR", rule: (p: Parser) => Expr): Expr => {
  const first = operand(p, rule);
  if (!p.at(word)) return first.expr;
  const operands = [first];
  while (p.accept(word)) operands.push(operand(p, rule));
  return balanced(p, word.toLowerCase(), operands, 0, operands.length);
};

const disjunction = (p: Parser): Expr => chain(p, "OR", conjunction);
const conjunction = (p: Parser): Expr => chain(p, "AND", negation);

/** Whether NOT or ! stands here as an operator, not as a name. */
const atNot = (p: Parser): boolean => p.atOp("!") || (p.at("NOT") && !/^[,).;]?$/.test(p.peek(1).text));

const negation = (p: Parser): Expr => {
  if (!atNot(p)) return predicate(p);
  const start = p.next();
  const child = p.nested(() => negation(p));
  return { kind: "call", fn: "not", args: [child], position: p.position(start) };
};

const predicate = (p: Parser): Expr => {
  const start = p.peek();
  if (p.at("EXISTS") && p.atOp("(", 1) && atQuery(p, 2)) {
    p.next();
    p.next();
    const relation = p.grammar.query(p);
    p.expectOp(")");
    return {
      kind: "subquery",
      mode: "exists",
      relation,
      values: [],
      negated: false,
      position: p.position(start),
    };
  }
  const value = binary(p, 1);
  if (p.at("IS")) return isPredicate(p, value, start);
  const negated = (p.at("NOT") || p.atOp("!")) && PREDICATES.has(p.peek(1).upper);
  if (negated) p.next();
  const word = p.peek().upper;
  if (!PREDICATES.has(word)) return value;
  p.next();
  const tested: Tested = { value, negated, start };
  return word === "IN"
    ? inPredicate(p, tested)
    : word === "BETWEEN"
      ? between(p, tested)
      : likePredicate(p, word, tested);
};

/** The value in front of a predicate. */
interface Tested {
  readonly value: Expr;
  readonly negated: boolean;
  readonly start: Token;
}

const PREDICATES: ReadonlySet<string> = new Set(["BETWEEN", "IN", "LIKE", "ILIKE", "RLIKE", "REGEXP"]);

const call = (p: Parser, fn: string, args: readonly Expr[], start: Token): Expr => ({
  kind: "call",
  fn,
  args,
  position: p.position(start),
});

/** The predicate's call, inside `not` when it was negated. */
const result = (p: Parser, fn: string, args: readonly Expr[], { negated, start }: Tested): Expr => {
  const found = call(p, fn, args, start);
  return negated ? call(p, "not", [found], start) : found;
};

const isPredicate = (p: Parser, value: Expr, start: Token): Expr => {
  p.next();
  const negated = p.accept("NOT") || p.acceptOp("!");
  if (p.accept("NULL") || p.accept("UNKNOWN"))
    return call(p, negated ? "isnotnull" : "isnull", [value], start);
  if (p.at("DISTINCT")) {
    p.expect("DISTINCT", "FROM");
    const same = call(p, "<=>", [value, binary(p, 1)], start);
    return negated ? same : call(p, "not", [same], start);
  }
  const word = p.acceptAny(["TRUE", "FALSE"]);
  if (word === undefined) throw p.unexpected("NULL, TRUE, FALSE, UNKNOWN or DISTINCT FROM");
  const test = call(p, word === "TRUE" ? "istrue" : "isfalse", [value], start);
  return negated ? call(p, "not", [test], start) : test;
};

const inPredicate = (p: Parser, tested: Tested): Expr => {
  const { value, negated, start } = tested;
  p.expectOp("(");
  if (atQuery(p, 0)) {
    const relation = p.grammar.query(p);
    p.expectOp(")");
    const values = value.kind === "call" && value.fn === "struct" ? value.args.map(unaliased) : [value];
    return { kind: "subquery", mode: "in", relation, values, negated, position: p.position(start) };
  }
  const items = p.list(() => parseExpr(p));
  p.expectOp(")");
  return result(p, "in", [value, ...items], tested);
};

const unaliased = (e: Expr): Expr => (e.kind === "alias" ? e.child : e);

const between = (p: Parser, tested: Tested): Expr => {
  const low = binary(p, 1);
  p.expect("AND");
  return result(p, "between", [tested.value, low, binary(p, 1)], tested);
};

const likePredicate = (p: Parser, word: string, tested: Tested): Expr => {
  const { value } = tested;
  if (word === "RLIKE" || word === "REGEXP") return result(p, "rlike", [value, binary(p, 1)], tested);
  const fn = word.toLowerCase();
  const quantifier = p.atOp("(", 1) ? p.acceptAny(["ANY", "SOME", "ALL"]) : undefined;
  if (quantifier !== undefined) return quantifiedLike(p, fn, quantifier === "ALL" ? "and" : "or", tested);
  const pattern = binary(p, 1);
  if (!p.accept("ESCAPE")) return result(p, fn, [value, pattern], tested);
  const token = p.peek();
  const escape = p.string("the escape character");
  if (escape.length !== 1) {
    const message = `\`EscapeChar\` should be a string literal of length one, but got '${escape}'.`;
    throw p.error("INVALID_ESC", message, token);
  }
  const literal: Expr = { kind: "literal", value: escape, type: STRING, position: p.position(token) };
  return result(p, fn, [value, pattern, literal], tested);
};

const isText = (e: Expr): boolean => e.kind === "literal" && e.type.kind === "string" && e.value !== null;

/** `LIKE ALL (…)` is the conjunction of the patterns, `LIKE ANY (…)` their disjunction; NOT goes to each pattern. Spark names it as one call when all patterns are texts. */
const quantifiedLike = (p: Parser, fn: string, join: "and" | "or", tested: Tested): Expr => {
  p.expectOp("(");
  const patterns: Expr[] = [];
  if (p.atOp(")"))
    throw p.error("INVALID_SQL_SYNTAX.EMPTY_QUANTIFIED_PATTERN", "Expected something between '(' and ')'.");
  const tests = p.list((): Operand => {
    const start = p.peek();
    const pattern = parseExpr(p);
    patterns.push(pattern);
    return { expr: result(p, fn, [tested.value, pattern], tested), start, end: p.before()!.end };
  });
  p.expectOp(")");
  const whole = balanced(p, join, tests, 0, tests.length);
  if (whole.kind !== "call" || !patterns.every(isText)) return whole;
  const value: Expr = fn === "like" ? tested.value : { kind: "call", fn: "lower", args: [tested.value] };
  const name = `${tested.negated ? "not" : ""}like${join === "or" ? "any" : "all"}`;
  return { ...whole, shown: { kind: "call", fn: name, args: [value] } };
};

/** Level (higher binds tighter) and function of each infix operator. */
const INFIX = new Map<string, readonly [number, string]>([
  ...["=", "<=>", "!=", "<", "<=", ">", ">="].map((op) => [op, [1, op]] as const),
  ["|", [2, "|"]],
  ["^", [3, "^"]],
  ["&", [4, "&"]],
  ...["<<", ">>", ">>>"].map((op) => [op, [5, op]] as const),
  ["+", [6, "+"]],
  ["-", [6, "-"]],
  ["||", [6, "concat"]],
  ["*", [7, "*"]],
  ["/", [7, "/"]],
  ["%", [7, "%"]],
  ["DIV", [7, "div"]],
]);

/** The infix operator that is next, with the number of its tokens: `>` `>` without a blank between is a shift. */
const infix = (p: Parser): { op: string; tokens: number } => {
  const token = p.peek();
  if (token.upper === "DIV") return { op: "DIV", tokens: 1 };
  if (token.kind !== "op") return { op: "", tokens: 0 };
  let tokens = 1;
  if (token.text === ">")
    while (tokens < 3 && p.atOp(">", tokens) && p.peek(tokens).start === token.start + tokens) tokens++;
  return { op: token.text.repeat(tokens), tokens };
};

/** Operators of `level` and tighter, left-associative. */
const binary = (p: Parser, level: number): Expr => {
  const start = p.peek();
  let left = unary(p);
  for (let links = 0; ; links++) {
    const { op, tokens } = infix(p);
    const found = INFIX.get(op);
    if (found === undefined || found[0] < level) return left;
    if (links === SQL_CHAIN_MAX) throw p.tooComplex(`a chain of more than ${SQL_CHAIN_MAX} operators`);
    for (let i = 0; i < tokens; i++) p.next();
    const right = binary(p, found[0] + 1);
    left = call(p, found[1], [left, right], start);
  }
};

const UNARY: Readonly<Record<string, string>> = { "-": "-", "+": "positive", "~": "~" };

const unary = (p: Parser): Expr => {
  const token = p.peek();
  if (token.kind !== "op" || !["-", "+", "~"].includes(token.text)) return primary(p);
  p.next();
  if (token.text === "-" && p.peek().kind === "number") {
    const literal = numberLiteral(p, p.next(), true);
    return postfix(p, { kind: "literal", ...literal, position: p.position(token) }, token);
  }
  const child = p.nested(() => unary(p));
  return call(p, UNARY[token.text]!, [child], token);
};

/** An expression without AND, OR, NOT and predicates at its top (Spark's valueExpression). */
export const parseValue = (p: Parser): Expr => p.nested(() => binary(p, 1));
