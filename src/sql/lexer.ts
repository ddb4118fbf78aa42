/**
 * SQL text to tokens, by Spark's lexical rules.
 *
 *  L1  Comments (`--` to the end of the line, nested block comments, hints) and blanks make no tokens; an unclosed comment is an error.
 *  L2  A number is the longest one that is not followed by a letter, digit or underscore; else its digits begin a word (`1a`).
 *  L3  `>` is always a token of its own (`ARRAY<ARRAY<INT>>`); the expression parser joins neighbours to shifts.
 *  L4  Work is linear in the text; no regular expression backtracks over more than one token.
 */
import { SQL_TEXT_CHARS_MAX } from "../core/limits.ts";
import type { ParseError } from "../core/errors.ts";
import { parseError } from "./parse-error.ts";
import { unescapeString } from "./string-literal.ts";
import { SourceText, type Token, type TokenKind } from "./token.ts";

const BLANK = /[\s\u000b\u00a0\u1680\u2000-\u200a\u2028\u202f\u205f\u3000]+/y;
const LINE_COMMENT = /--(?:\\\n|[^\r\n])*/y;
const WORD = /[\p{L}\p{N}_]+/uy;
const DECIMAL = /(?:[0-9]+\.[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?(?:bd|[df])?(?![a-z0-9_])/iy;
const INTEGER = /[0-9]+(?:e[+-]?[0-9]+(?:bd|[df])?|bd|[lsydf])?(?![\p{L}0-9_])/iuy;
const OPERATOR = /<=>|<=|<>|<<|>=|==|=>|!=|!<|!>|\|\||\|>|->|::|:=|[-+*/%&|^~<>=!(),.;:?[\]]/y;
const CANONICAL: Readonly<Record<string, string>> = { "==": "=", "<>": "!=", "!<": ">=", "!>": "<=" };

class Lexer {
  readonly source: SourceText;
  readonly tokens: Token[] = [];
  #at = 0;

  constructor(text: string) {
    this.source = new SourceText(text);
  }

  run(): readonly Token[] {
    const text = this.source.text;
    if (text.length > SQL_TEXT_CHARS_MAX) {
      const message = `the text has ${text.length} characters, more than ${SQL_TEXT_CHARS_MAX}`;
      throw parseError(this.source, { start: 0, end: 1 }, "FAILED_TO_PARSE_TOO_COMPLEX", message);
    }
    while (this.#at < text.length) if (!this.#skip()) this.#token(text.charAt(this.#at));
    this.#push("end", "", text.length);
    return this.tokens;
  }

  #push(kind: TokenKind, text: string, end: number): void {
    this.tokens.push({ kind, text, upper: kind === "word" ? text.toUpperCase() : "", start: this.#at, end });
    this.#at = end;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    return pattern.exec(this.source.text)?.[0];
  }

  /** Blanks and comments (L1). */
  #skip(): boolean {
    const text = this.source.text;
    const blank = this.#match(BLANK) ?? this.#match(LINE_COMMENT);
    if (blank !== undefined) {
      this.#at += blank.length;
      return true;
    }
    if (!text.startsWith("/*", this.#at)) return false;
    let depth = 1;
    let at = this.#at + 2;
    while (depth > 0) {
      const close = text.indexOf("*/", at);
      if (close === -1) throw this.#unclosed("UNCLOSED_BRACKETED_COMMENT", "a bracketed comment", "*/");
      const open = text.indexOf("/*", at);
      const nested = open !== -1 && open < close;
      depth += nested ? 1 : -1;
      at = (nested ? open : close) + 2;
    }
    this.#at = at;
    return true;
  }

  #token(c: string): void {
    if (c === "'" || c === '"') return this.#string(c, this.#at + 1);
    if (c === "`") return this.#quoted();
    const next = this.source.text.charAt(this.#at + 1);
    if ((c === "r" || c === "R") && (next === "'" || next === '"')) return this.#raw(next);
    if ((c >= "0" && c <= "9") || (c === "." && next >= "0" && next <= "9")) {
      const number = this.#match(DECIMAL) ?? this.#match(INTEGER);
      if (number !== undefined) return this.#push("number", number, this.#at + number.length);
    }
    const word = this.#match(WORD);
    if (word !== undefined) return this.#word(word);
    const op = this.#match(OPERATOR);
    if (op !== undefined) return this.#push("op", CANONICAL[op] ?? op, this.#at + op.length);
    const symbol = String.fromCodePoint(this.source.text.codePointAt(this.#at)!);
    throw this.#error("PARSE_SYNTAX_ERROR", `Syntax error at or near '${symbol}'`, symbol.length);
  }

  #word(word: string): void {
    if (!/^\w+$/.test(word)) {
      const hint = `Quote it: \`${word}\``;
      const message = `The unquoted identifier ${word} is invalid: only ASCII letters, digits and underscores may stand outside backquotes.`;
      throw this.#error("INVALID_IDENTIFIER", message, word.length, hint);
    }
    this.#push("word", word, this.#at + word.length);
  }

  /** A string with escapes, its quote doubled inside. */
  #string(quote: string, from: number): void {
    const text = this.source.text;
    let at = from;
    for (;;) {
      const c = text.charAt(at);
      if (c === "") throw this.#unclosed("PARSE_SYNTAX_ERROR", "a string", quote);
      if (c === "\\") at += 2;
      else if (c !== quote) at += 1;
      else if (text.charAt(at + 1) === quote) at += 2;
      else break;
    }
    this.#push("string", unescapeString(text.slice(from, at), quote), at + 1);
  }

  #raw(quote: string): void {
    const end = this.source.text.indexOf(quote, this.#at + 2);
    if (end === -1) throw this.#unclosed("PARSE_SYNTAX_ERROR", "a raw string", quote);
    this.#push("string", this.source.text.slice(this.#at + 2, end), end + 1);
  }

  #quoted(): void {
    const text = this.source.text;
    let end = text.indexOf("`", this.#at + 1);
    while (end !== -1 && text.charAt(end + 1) === "`") end = text.indexOf("`", end + 2);
    if (end === -1) throw this.#unclosed("PARSE_SYNTAX_ERROR", "a quoted name", "`");
    this.#push("quoted", text.slice(this.#at + 1, end).replaceAll("``", "`"), end + 1);
  }

  #unclosed(errorClass: string, what: string, close: string): ParseError {
    return this.#error(errorClass, `Found ${what} that is not closed: ${close} is missing`, 1);
  }

  #error(errorClass: string, message: string, width: number, hint?: string): ParseError {
    return parseError(this.source, { start: this.#at, end: this.#at + width }, errorClass, message, hint);
  }
}

/** The tokens of a text, an `end` token last. Throws ParseError. */
export const tokenize = (
  text: string,
): { readonly source: SourceText; readonly tokens: readonly Token[] } => {
  const lexer = new Lexer(text);
  return { source: lexer.source, tokens: lexer.run() };
};
