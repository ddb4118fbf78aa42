/**
 * Java's datetime patterns (`yyyy-MM-dd HH:mm:ss.SSS EEE`) as tokens, with what Spark allows of them. Formatting is in pattern-format.ts, parsing in
 * pattern-parse.ts. T1: a year letter means Java's `u` (proleptic) unless the pattern has an era (`G`).
 */
import { ExecutionError } from "../../core/errors.ts";

export type PatternToken =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "field"; readonly letter: string; readonly count: number }
  | { readonly kind: "optional"; readonly tokens: readonly PatternToken[] };

/** Letters whose meaning changed; SimpleDateFormat knew them, so Spark speaks of an upgrade. */
const LEGACY_LETTERS = new Set("GyYMLwWDdFEuaHkKhmsSzZX");
const WEEK_BASED = new Set("YWwuec");
const UNSUPPORTED = new Set("AnNpB");
const NOT_PARSED = new Set("EFqQ");

/** The longest run of each letter that is allowed. */
const COUNT_MAX: Readonly<Record<string, number>> = {
  G: 4,
  y: 6,
  M: 4,
  L: 4,
  d: 2,
  D: 3,
  E: 4,
  F: 1,
  a: 1,
  h: 2,
  K: 2,
  k: 2,
  H: 2,
  m: 2,
  s: 2,
  S: 9,
  V: 2,
  z: 4,
  O: 4,
  X: 5,
  x: 5,
  Z: 5,
  q: 4,
  Q: 4,
};

/** Letters whose narrow form, five of them, has no meaning, and years of seven digits. */
const TOO_MANY = /G{5}|M{5}|L{5}|E{5}|Q{5}|q{5}|y{7}/;

/** Why a pattern is refused: its letters meant something to old formatters, count weeks, are refused by name, are too many, or mean nothing. */
const unrecognized = (pattern: string, parsing: boolean): ExecutionError => {
  const bare = pattern.replace(/'[^']*(?:'|$)/g, "");
  const quotes = pattern.replace(/[^']/g, "").length % 2 === 0;
  const letters = [...bare.matchAll(/[A-Za-z]/g)].map((m) => m[0]);
  const refusal = (errorClass: string, message: string): ExecutionError =>
    new ExecutionError(`[${errorClass}] ${message}`, { errorClass });
  if (quotes && letters.every((c) => LEGACY_LETTERS.has(c)) && !bare.includes("XXXX"))
    return refusal(
      "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION",
      `Fail to recognize '${pattern}' pattern in the DateTimeFormatter. You can form a valid datetime pattern with the letters of Spark's datetime pattern reference.`,
    );
  if (letters.some((c) => WEEK_BASED.has(c)))
    return refusal(
      "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN",
      `The pattern '${pattern}' has a week-based letter (Y, W, w, u, e, c), which is not supported.`,
    );
  if (letters.some((c) => UNSUPPORTED.has(c) || (parsing && NOT_PARSED.has(c))))
    return refusal(
      "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER",
      `Unrecognized datetime pattern: '${pattern}'. Illegal pattern character found in datetime pattern.`,
    );
  if (TOO_MANY.test(bare))
    return refusal(
      "INVALID_DATETIME_PATTERN.LENGTH",
      `Unrecognized datetime pattern: '${pattern}'. Too many letters in datetime pattern. Please reduce pattern length.`,
    );
  return refusal(
    "INVALID_DATETIME_PATTERN.WITH_SUGGESTION",
    `Unrecognized datetime pattern: '${pattern}'. You can form a valid datetime pattern with the letters of Spark's datetime pattern reference.`,
  );
};

const checkField = (letter: string, count: number, pattern: string, parsing: boolean): void => {
  const max = Object.hasOwn(COUNT_MAX, letter) ? COUNT_MAX[letter]! : 0;
  const refused =
    WEEK_BASED.has(letter) ||
    UNSUPPORTED.has(letter) ||
    (parsing && NOT_PARSED.has(letter)) ||
    count > max ||
    (letter === "V" && count !== 2) ||
    (letter === "O" && count !== 1 && count !== 4);
  if (refused) throw unrecognized(pattern, parsing);
};

interface Reader {
  readonly pattern: string;
  readonly parsing: boolean;
  at: number;
}

const readQuoted = (r: Reader): string => {
  const { pattern } = r;
  r.at++;
  if (pattern[r.at] === "'") {
    r.at++;
    return "'";
  }
  let text = "";
  for (; r.at < pattern.length; r.at++) {
    if (pattern[r.at] !== "'") text += pattern[r.at];
    else if (pattern[r.at + 1] === "'") {
      text += "'";
      r.at++;
    } else {
      r.at++;
      return text;
    }
  }
  throw unrecognized(pattern, r.parsing);
};

const readTokens = (r: Reader, nested: boolean): PatternToken[] => {
  const tokens: PatternToken[] = [];
  const { pattern } = r;
  while (r.at < pattern.length) {
    const c = pattern[r.at]!;
    if (c === "]") {
      if (!nested) throw unrecognized(pattern, r.parsing);
      r.at++;
      return tokens;
    }
    if (c === "[") {
      r.at++;
      tokens.push({ kind: "optional", tokens: readTokens(r, true) });
    } else if (c === "'") tokens.push({ kind: "literal", text: readQuoted(r) });
    else if (c === "{" || c === "}" || c === "#") throw unrecognized(pattern, r.parsing);
    else if (/[A-Za-z]/.test(c)) {
      let end = r.at;
      while (pattern[end] === c) end++;
      checkField(c, end - r.at, pattern, r.parsing);
      tokens.push({ kind: "field", letter: c, count: end - r.at });
      r.at = end;
    } else {
      tokens.push({ kind: "literal", text: c });
      r.at++;
    }
  }
  return tokens;
};

const hasEra = (tokens: readonly PatternToken[]): boolean =>
  tokens.some((t) =>
    t.kind === "field" ? t.letter === "G" : t.kind === "optional" ? hasEra(t.tokens) : false,
  );

/** T1. */
const withProlepticYear = (tokens: readonly PatternToken[]): PatternToken[] =>
  tokens.map((t) =>
    t.kind === "field" && t.letter === "y"
      ? { ...t, letter: "u" }
      : t.kind === "optional"
        ? { ...t, tokens: withProlepticYear(t.tokens) }
        : t,
  );

const CACHE_PATTERNS_MAX = 1000;
const cache = new Map<string, readonly PatternToken[]>();

/** The tokens of a pattern, cached. @throws ExecutionError for patterns that Spark refuses. */
export const patternTokens = (pattern: string, parsing: boolean): readonly PatternToken[] => {
  const key = (parsing ? "p" : "f") + pattern;
  let tokens = cache.get(key);
  if (tokens === undefined) {
    tokens = readTokens({ pattern, parsing, at: 0 }, false);
    if (!hasEra(tokens)) tokens = withProlepticYear(tokens);
    if (cache.size >= CACHE_PATTERNS_MAX) cache.clear();
    cache.set(key, tokens);
  }
  return tokens;
};

export const MONTHS: readonly string[] = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
export const WEEKDAYS: readonly string[] = [
  "Monday",
  "Tuesday",
  "Wednesday",
  "Thursday",
  "Friday",
  "Saturday",
  "Sunday",
];
