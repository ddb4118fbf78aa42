/**
 * Errors of the parser: Spark's error class, line and column, the line of the text with a caret under the place, and the keyword that the
 * writer may have meant.
 */
import { editDistance } from "../core/edit-distance.ts";
import { ParseError } from "../core/errors.ts";
import type { SourceText, Token } from "./token.ts";

/** Longest part of a line shown around the caret. */
const EXCERPT_CHARS_MAX = 100;

/** Words that start or continue a clause: what a misspelled word is compared with. */
const CLAUSE_WORDS: readonly string[] = (
  "SELECT FROM WHERE GROUP BY HAVING ORDER SORT LIMIT OFFSET UNION INTERSECT EXCEPT MINUS WITH RECURSIVE VALUES TABLE JOIN INNER LEFT " +
  "RIGHT FULL OUTER CROSS NATURAL SEMI ANTI LATERAL VIEW ON USING PIVOT UNPIVOT TABLESAMPLE WINDOW PARTITION DISTINCT BETWEEN LIKE " +
  "ILIKE RLIKE REGEXP ESCAPE AND OR NOT NULL NULLS FIRST LAST CASE WHEN THEN ELSE END CAST INTERVAL EXISTS OVER FILTER WITHIN ROWS " +
  "RANGE PRECEDING FOLLOWING UNBOUNDED CURRENT CREATE REPLACE TEMPORARY GLOBAL INSERT INTO OVERWRITE EXPLAIN EXTENDED FORMATTED " +
  "CODEGEN COST DESCRIBE SHOW TABLES VIEWS FUNCTIONS COLUMNS SET RESET DROP OPTIONS WATERMARK PARTITIONED AGGREGATE EXTEND ROLLUP " +
  "CUBE GROUPING SETS DESC ASC"
).split(" ");

/** The candidate nearest to `word` (upper case), when one is near enough to be what was meant. */
export const nearest = (word: string, candidates: readonly string[] = CLAUSE_WORDS): string | undefined => {
  if (word.length < 2 || word.length > 30 || candidates.includes(word)) return undefined;
  let limit = word.length <= 4 ? 1 : 2;
  let found: string | undefined;
  for (const c of candidates) {
    const d = editDistance(word, c);
    if (d > limit || d >= Math.max(word.length, c.length) / 2 + 0.5) continue;
    if (found !== undefined && d === limit) continue;
    found = c;
    limit = d;
  }
  return found;
};

const excerpt = (source: SourceText, start: number, end: number): string => {
  const line = source.lineAt(start);
  const column = source.locate(start).column - 1;
  const from = Math.max(0, column - EXCERPT_CHARS_MAX / 2);
  const shown = line.slice(from, from + EXCERPT_CHARS_MAX);
  const pad = shown.slice(0, column - from).replace(/[^\t]/g, " ");
  const width = Math.max(1, Math.min(end - start, shown.length - (column - from)));
  return `  ${shown}\n  ${pad}${"^".repeat(width)}`;
};

/** Any error at a place of the text; `hint` becomes the last line of the message. */
export const parseError = (
  source: SourceText,
  place: { readonly start: number; readonly end: number },
  errorClass: string,
  message: string,
  hint?: string,
): ParseError => {
  const position = source.locate(place.start);
  const text = `[${errorClass}] ${message} (line ${position.line}, column ${position.column})\n${excerpt(source, place.start, place.end)}`;
  return new ParseError(hint === undefined ? text : `${text}\n  ${hint}`, {
    errorClass,
    position,
    ...(hint === undefined ? {} : { hint }),
  });
};

const meant = (token: Token | undefined, candidates?: readonly string[]): string | undefined =>
  token?.kind === "word" ? nearest(token.upper, candidates) : undefined;

/** PARSE_SYNTAX_ERROR at `token`. `before` is the token in front of it: a misspelled keyword was often taken for an alias. */
export const syntaxError = (
  source: SourceText,
  token: Token,
  before: Token | undefined,
  expected: string,
): ParseError => {
  const asked = expected.split(/[^A-Z]+/).filter((w) => w.length > 1);
  const own = meant(token, asked) ?? meant(token);
  // a short alias is near to some keyword or other
  const earlier = own === undefined && (before?.text.length ?? 0) > 3 ? meant(before) : undefined;
  const hint =
    own !== undefined
      ? `Did you mean ${own}?`
      : earlier !== undefined
        ? `Did you mean ${earlier} instead of ${before!.text}?`
        : undefined;
  const near =
    token.kind === "end" ? "end of input" : `'${source.text.slice(token.start, token.end).slice(0, 40)}'`;
  const message = `Syntax error at or near ${near}${expected === "" ? "" : `: expected ${expected}`}`;
  return parseError(source, token, "PARSE_SYNTAX_ERROR", message, hint);
};
