/**
 * The parser's cursor over tokens, and what every rule of the grammar is given.
 *
 *  T1  The cursor only moves forward; rules look ahead and never try and take back, so parsing is linear.
 *  T2  `nested` bounds the recursion: text of any depth is a ParseError, never an overflow of the stack.
 */
import { SQL_DEPTH_MAX } from "../core/limits.ts";
import type { ParseError } from "../core/errors.ts";
import type { Expr, SourcePosition } from "../expr/ast.ts";
import type { Relation } from "../plan/relation.ts";
import { tokenize } from "./lexer.ts";
import { parseError, syntaxError } from "./parse-error.ts";
import type { SourceText, Token } from "./token.ts";

/** Rules that call each other across files are reached through this record, so that files do not import in circles. */
export interface Grammar {
  readonly expression: (p: Parser) => Expr;
  /** An expression without AND, OR, NOT and predicates at its top (Spark's valueExpression). */
  readonly value: (p: Parser) => Expr;
  readonly query: (p: Parser) => Relation;
}

/** What the meaning of a text depends on besides the text. */
export interface ParseOptions {
  /** The session's zone: timestamps without a zone are read in it. */
  readonly timeZone?: string;
  /** The name that the expression of an IDENTIFIER clause gives. Without it only texts are names, and others stand for one not known yet. */
  readonly nameOf?: (e: Expr) => string;
}

export class Parser {
  readonly source: SourceText;
  readonly grammar: Grammar;
  readonly timeZone: string;
  readonly nameOf: ParseOptions["nameOf"];
  /** Positional parameters seen. */
  parameters = 0;
  /** Blocks of scripts around: in them DO ends a query. */
  scripts = 0;
  readonly #tokens: readonly Token[];
  #index = 0;
  #depth = 0;
  #closing: Int32Array | undefined;

  constructor(text: string, grammar: Grammar, options: ParseOptions = {}) {
    const { source, tokens } = tokenize(text);
    this.source = source;
    this.#tokens = tokens;
    this.grammar = grammar;
    this.timeZone = options.timeZone ?? "UTC";
    this.nameOf = options.nameOf;
  }

  /** The token `ahead` of the next one; the end token beyond the end. */
  peek(ahead = 0): Token {
    return this.#tokens[this.#index + ahead] ?? this.#tokens.at(-1)!;
  }

  /** Takes the next token. */
  next(): Token {
    const token = this.peek();
    if (token.kind !== "end") this.#index++;
    return token;
  }

  /** Whether the next tokens are these keywords. */
  at(...words: readonly string[]): boolean {
    return words.every((w, i) => this.peek(i).upper === w);
  }

  atOp(op: string, ahead = 0): boolean {
    const token = this.peek(ahead);
    return token.kind === "op" && token.text === op;
  }

  atEnd(): boolean {
    return this.peek().kind === "end";
  }

  /** Takes the keywords when they are next. */
  accept(...words: readonly string[]): boolean {
    if (!this.at(...words)) return false;
    this.#index += words.length;
    return true;
  }

  /** Takes one of the keywords and says which. */
  acceptAny(words: readonly string[]): string | undefined {
    const upper = this.peek().upper;
    if (upper === "" || !words.includes(upper)) return undefined;
    this.#index++;
    return upper;
  }

  acceptOp(op: string): boolean {
    if (!this.atOp(op)) return false;
    this.#index++;
    return true;
  }

  /** Takes `word BY`; after the word BY must follow. */
  acceptBy(word: string): boolean {
    if (!this.accept(word)) return false;
    this.expect("BY");
    return true;
  }

  expect(...words: readonly string[]): void {
    for (const word of words) if (!this.accept(word)) throw this.unexpected(word);
  }

  expectAny(words: readonly string[]): string {
    const found = this.acceptAny(words);
    if (found === undefined) throw this.unexpected(words.join(" or "));
    return found;
  }

  expectOp(op: string): void {
    if (!this.acceptOp(op)) throw this.unexpected(`'${op}'`);
  }

  expectEnd(): void {
    if (!this.atEnd()) throw this.unexpected("the end of the statement");
  }

  /** One or more of `rule`, with commas between. */
  list<T>(rule: () => T): T[] {
    const items = [rule()];
    while (this.acceptOp(",")) items.push(rule());
    return items;
  }

  /** `( rule, … )` */
  parenthesized<T>(rule: () => T): T[] {
    this.expectOp("(");
    const items = this.list(rule);
    this.expectOp(")");
    return items;
  }

  /** A name: any word or a backquoted name. */
  identifier(what = "a name"): string {
    const token = this.peek();
    if (token.kind !== "word" && token.kind !== "quoted") throw this.unexpected(what);
    this.#index++;
    return token.text;
  }

  /** `a`, `a.b.c` */
  multipart(what = "a name"): string[] {
    const parts = [this.identifier(what)];
    while (this.acceptOp(".")) parts.push(this.identifier("a name after the dot"));
    const [dash, word] = [this.peek(), this.peek(1)];
    const before = this.before();
    if (
      this.atOp("-") &&
      before !== undefined &&
      before.end === dash.start &&
      word.start === dash.end &&
      word.upper !== ""
    )
      throw this.error(
        "INVALID_IDENTIFIER",
        `The unquoted name ${parts.at(-1)!}-${word.text} is invalid.`,
        dash,
        `Quote it: \`${parts.at(-1)!}-${word.text}\``,
      );
    return parts;
  }

  /** The value of a string literal. */
  string(what = "a string"): string {
    if (this.peek().kind !== "string") throw this.unexpected(what);
    return this.next().text;
  }

  /** The token taken last. */
  before(): Token | undefined {
    return this.#tokens[this.#index - 1];
  }

  /** From `start` to the token taken last. */
  position(start: Token): SourcePosition {
    const end = Math.max(this.before()?.end ?? start.end, start.end);
    return { ...this.source.locate(start.start), length: end - start.start };
  }

  /** How many tokens ahead the parenthesis closes that opens `ahead` tokens from here; -1 when it never does. */
  closing(ahead: number): number {
    this.#closing ??= matchParentheses(this.#tokens);
    const at = this.#closing[this.#index + ahead]!;
    return at === -1 ? -1 : at - this.#index;
  }

  /** Runs a rule that may contain itself (T2). */
  nested<T>(rule: () => T): T {
    if (++this.#depth > SQL_DEPTH_MAX) throw this.tooComplex(`more than ${SQL_DEPTH_MAX} levels of nesting`);
    const result = rule();
    this.#depth--;
    return result;
  }

  tooComplex(why: string): ParseError {
    return this.error("FAILED_TO_PARSE_TOO_COMPLEX", `The statement is too deep or too complex: ${why}`);
  }

  /** PARSE_SYNTAX_ERROR at the next token. */
  unexpected(expected: string): ParseError {
    return syntaxError(this.source, this.peek(), this.before(), expected);
  }

  /** An error of another class, at the next token unless one is named. */
  error(
    errorClass: string,
    message: string,
    at: { start: number; end: number } = this.peek(),
    hint?: string,
  ): ParseError {
    return parseError(this.source, at, errorClass, message, hint);
  }
}

/** For each opening parenthesis the index of its closing one, else -1. */
const matchParentheses = (tokens: readonly Token[]): Int32Array => {
  const closing = new Int32Array(tokens.length).fill(-1);
  const open: number[] = [];
  tokens.forEach((t, i) => {
    if (t.kind !== "op") return;
    if (t.text === "(") open.push(i);
    else if (t.text === ")" && open.length > 0) closing[open.pop()!] = i;
  });
  return closing;
};
