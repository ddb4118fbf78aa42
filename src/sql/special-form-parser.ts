/**
 * Functions with keywords between their parentheses: `CAST(x AS INT)`, `EXTRACT(DAY FROM d)`, `TRIM(BOTH 'x' FROM s)`, `SUBSTRING(s FROM 1 FOR 2)`,
 * `OVERLAY(s PLACING r FROM 2)`, `POSITION(a IN s)`, `STRUCT(a AS b)`, `FIRST(x IGNORE NULLS)`. They become calls of ordinary functions, or undefined when the form turns
 * out to be an ordinary call.
 */
import { STRING } from "../core/data-type.ts";
import type { Expr } from "../expr/ast.ts";
import { callSuffixes, functionCall } from "./call-parser.ts";
import { identifierClause, nameClause } from "./name-parser.ts";
import { dataType } from "./type-parser.ts";
import type { Parser } from "./token-stream.ts";
import type { Token } from "./token.ts";

type Form = (p: Parser, start: Token) => Expr | undefined;

const call = (p: Parser, fn: string, args: readonly Expr[], start: Token): Expr => ({
  kind: "call",
  fn,
  args,
  position: p.position(start),
});

const open = (p: Parser): void => {
  p.next();
  p.expectOp("(");
};

const cast =
  (tryCast: boolean): Form =>
  (p, start) => {
    open(p);
    const child = p.grammar.expression(p);
    p.expect("AS");
    const to = dataType(p);
    p.expectOp(")");
    return { kind: "cast", child, to, tryCast, position: p.position(start) };
  };

const extract: Form = (p, start) => {
  if (p.peek(3).upper !== "FROM") return undefined;
  open(p);
  const token = p.next();
  const unit: Expr = { kind: "literal", value: token.text, type: STRING, position: p.position(token) };
  p.expect("FROM");
  const source = p.grammar.value(p);
  p.expectOp(")");
  return call(p, "extract", [unit, source], start);
};

const substring: Form = (p, start) => {
  open(p);
  const args = [p.grammar.value(p)];
  const words = p.accept("FROM");
  if (words || p.acceptOp(",")) {
    args.push(p.grammar.value(p));
    if (p.accept("FOR") || p.acceptOp(",")) args.push(p.grammar.value(p));
  }
  p.expectOp(")");
  return call(p, start.upper === "SUBSTR" && !words ? "substr" : "substring", args, start);
};

const TRIMS: Readonly<Record<string, string>> = { BOTH: "trim", LEADING: "ltrim", TRAILING: "rtrim" };

/** The characters to trim come first, as in Spark's `trim(trimStr, str)`. */
const trim: Form = (p, start) => {
  open(p);
  const side = p.atOp(",", 1) || p.atOp(")", 1) ? undefined : p.acceptAny(["BOTH", "LEADING", "TRAILING"]);
  const fn = TRIMS[side ?? "BOTH"]!;
  const args: Expr[] = [];
  if (!p.accept("FROM")) {
    args.push(p.grammar.value(p));
    if (side !== undefined) p.expect("FROM");
    else if (!p.accept("FROM")) {
      while (p.acceptOp(",")) args.push(p.grammar.value(p));
      p.expectOp(")");
      return call(p, fn, args, start);
    }
  }
  args.push(p.grammar.value(p));
  p.expectOp(")");
  return call(p, fn, args, start);
};

const overlay: Form = (p, start) => {
  open(p);
  const args = [p.grammar.value(p)];
  if (p.accept("PLACING")) {
    args.push(p.grammar.value(p));
    p.expect("FROM");
    args.push(p.grammar.value(p));
    if (p.accept("FOR")) args.push(p.grammar.value(p));
  } else while (p.acceptOp(",")) args.push(p.grammar.value(p));
  p.expectOp(")");
  return call(p, "overlay", args, start);
};

/** The argument of `POSITION(a IN s)` may not hold an IN itself, so it is read as a value. */
const position: Form = (p, start) => {
  open(p);
  const args = [p.grammar.value(p)];
  const words = p.accept("IN");
  if (words) args.push(p.grammar.value(p));
  else while (p.acceptOp(",")) args.push(p.grammar.value(p));
  p.expectOp(")");
  return call(p, words ? "locate" : "position", args, start);
};

const struct: Form = (p, start) => {
  open(p);
  const args = p.atOp(")") ? [] : p.list(() => nameClause(p));
  p.expectOp(")");
  return call(p, "struct", args, start);
};

/** `first(x IGNORE NULLS)`: the option inside the parentheses. */
const picking: Form = (p, start) => {
  const close = p.closing(1);
  if (close < 3 || p.peek(close - 1).upper !== "NULLS" || p.peek(close - 2).upper !== "IGNORE")
    return undefined;
  open(p);
  const args = p.list(() => p.grammar.expression(p));
  p.expect("IGNORE", "NULLS");
  p.expectOp(")");
  return callSuffixes(p, { fn: start.text.toLowerCase(), args, ignoreNulls: true }, start);
};

const identifier: Form = (p, start) => {
  const parts = identifierClause(p);
  if (p.atOp("(")) return functionCall(p, parts, start);
  return { kind: "column", parts, position: p.position(start) };
};

/** By the upper-case name, for an unquoted word in front of a parenthesis. */
export const SPECIAL_FORMS: ReadonlyMap<string, Form> = new Map<string, Form>([
  ["CAST", cast(false)],
  ["TRY_CAST", cast(true)],
  ["EXTRACT", extract],
  ["SUBSTRING", substring],
  ["SUBSTR", substring],
  ["TRIM", trim],
  ["OVERLAY", overlay],
  ["POSITION", position],
  ["STRUCT", struct],
  ["FIRST", picking],
  ["LAST", picking],
  ["ANY_VALUE", picking],
  ["IDENTIFIER", identifier],
]);
