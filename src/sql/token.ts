/**
 * Tokens of SQL text and where they stand. Spark's default is followed: no word is reserved, so the lexer does not know keywords; the
 * parser asks for a word by its upper-case form and a backquoted name never equals a keyword.
 */
export type TokenKind = "word" | "quoted" | "string" | "number" | "op" | "end";

export interface Token {
  readonly kind: TokenKind;
  /** A word or number as written, a backquoted name or string unescaped, an operator's canonical symbol; "" at the end. */
  readonly text: string;
  /** Upper case of a word; "" for all other kinds, so that comparing with a keyword is enough. */
  readonly upper: string;
  /** Offsets into the text, end exclusive. */
  readonly start: number;
  readonly end: number;
}

/** The text and the start of each of its lines: positions are found by binary search, only when asked for. */
export class SourceText {
  readonly text: string;
  #lines: number[] | undefined;

  constructor(text: string) {
    this.text = text;
  }

  /** Line and column from 1. */
  locate(offset: number): { line: number; column: number } {
    const lines = (this.#lines ??= lineStarts(this.text));
    let low = 0;
    let high = lines.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (lines[middle]! <= offset) low = middle;
      else high = middle - 1;
    }
    return { line: low + 1, column: offset - lines[low]! + 1 };
  }

  /** The line that holds `offset`, without its end. */
  lineAt(offset: number): string {
    const start = this.text.lastIndexOf("\n", offset - 1) + 1;
    const end = this.text.indexOf("\n", offset);
    return this.text.slice(start, end === -1 ? undefined : end).replace(/\r$/, "");
  }
}

const lineStarts = (text: string): number[] => {
  const starts = [0];
  for (let i = text.indexOf("\n"); i !== -1; i = text.indexOf("\n", i + 1)) starts.push(i + 1);
  return starts;
};
