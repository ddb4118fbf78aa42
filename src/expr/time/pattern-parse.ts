/**
 * Parses text by a Java pattern as Spark does: strict fields, text without regard to case, missing fields from 1970-01-01 00:00, fractions
 * of one digit up to the pattern's number. Text that does not fit is `undefined`.
 */
import { civilFromDays, daysFromCivil, DAY_MS, isLeapYear, isValidDate, withMicros } from "./calendar.ts";
import { MONTHS, patternTokens, type PatternToken } from "./pattern-text.ts";
import { fromLocal, isZone } from "./zones.ts";

type Fields = Map<string, number>;
interface State {
  readonly text: string;
  at: number;
  fields: Fields;
  zone: string | undefined;
}

const NUMERIC = new Set("uydDhKkHmsSqQ");
const isNumeric = (t: PatternToken | undefined): boolean =>
  t?.kind === "field" && (NUMERIC.has(t.letter) || ((t.letter === "M" || t.letter === "L") && t.count <= 2));

/** [least, most] digits of a numeric field. */
const widthOf = (letter: string, count: number): readonly [number, number] => {
  if (letter === "S") return [1, count];
  if (letter === "u" || letter === "y") return count === 2 ? [2, 2] : count >= 4 ? [count, 19] : [count, 19];
  if (letter === "D") return count === 1 ? [1, 19] : [count, 3];
  return count === 1 ? [1, 19] : [count, count];
};

/** Digits that fixed-width fields directly after a variable one need (Java's adjacent value parsing). */
const reservedAfter = (tokens: readonly PatternToken[], i: number): number => {
  let reserved = 0;
  for (let k = i + 1; isNumeric(tokens[k]); k++) {
    const t = tokens[k] as { letter: string; count: number };
    const [least, most] = widthOf(t.letter, t.count);
    if (least !== most) break;
    reserved += least;
  }
  return reserved;
};

const readNumber = (s: State, tokens: readonly PatternToken[], i: number): boolean => {
  const t = tokens[i] as { letter: string; count: number };
  const year = t.letter === "u" || t.letter === "y";
  const [least, most] = widthOf(t.letter, t.count);
  let at = s.at;
  let sign = 1;
  const signed = least !== most && t.letter !== "S" && (s.text[at] === "-" || s.text[at] === "+");
  if (signed) {
    if (s.text[at] === "-") sign = -1;
    else if (!(year && t.count >= 4)) return false;
    at++;
  }
  let digits = 0;
  while (digits < most && /[0-9]/.test(s.text[at + digits] ?? "")) digits++;
  if (least !== most && t.letter !== "S") {
    const reserved = reservedAfter(tokens, i);
    if (reserved > 0) digits = Math.max(Math.min(digits, most) - reserved, Math.min(least, digits));
  }
  if (digits < least) return false;
  // More digits than letters want a sign, and a plus sign wants more digits.
  const positive = sign > 0 && signed;
  if (year && t.count >= 4 && (digits > t.count ? !signed : positive)) return false;
  const piece = s.text.slice(at, at + digits);
  let value = sign * Number(piece);
  if (t.letter === "S") value = Number(piece.slice(0, 6).padEnd(6, "0"));
  if (year && t.count === 2) value += 2000;
  s.at = at + digits;
  return setField(s, t.letter === "L" ? "M" : t.letter, value);
};

const RANGES: Readonly<Record<string, readonly [number, number]>> = {
  M: [1, 12],
  d: [1, 31],
  D: [1, 366],
  h: [1, 12],
  K: [0, 11],
  k: [1, 24],
  H: [0, 23],
  m: [0, 59],
  s: [0, 59],
};

const setField = (s: State, letter: string, value: number): boolean => {
  const range = RANGES[letter];
  if (range !== undefined && (value < range[0] || value > range[1])) return false;
  const before = s.fields.get(letter);
  if (before !== undefined && before !== value) return false;
  s.fields.set(letter, value);
  return true;
};

const readWord = (s: State, words: readonly string[], letter: string, first: number): boolean => {
  const rest = s.text.slice(s.at).toLowerCase();
  const i = words.findIndex((w) => rest.startsWith(w.toLowerCase()));
  if (i < 0) return false;
  s.at += words[i]!.length;
  return setField(s, letter, i + first);
};

const OFFSET = /^(?:GMT|UTC|UT)?(?:Z|[+-]\d{1,2}(?::?\d{2}(?::?\d{2})?)?)/;
const ZONE_ID = /^[A-Za-z][A-Za-z0-9~/._+-]*(?::\d{2})?/;

const OFFSETS: Readonly<Record<string, RegExp>> = {
  X1: /^(?:Z|[+-]\d{2}(?:\d{2})?)/,
  X2: /^(?:Z|[+-]\d{4})/,
  X3: /^(?:Z|[+-]\d{2}:\d{2})/,
  X4: /^(?:Z|[+-]\d{4}(?:\d{2})?)/,
  X5: /^(?:Z|[+-]\d{2}:\d{2}(?::\d{2})?)/,
  x1: /^[+-]\d{2}(?:\d{2})?/,
  x2: /^[+-]\d{4}/,
  x3: /^[+-]\d{2}:\d{2}/,
  x4: /^[+-]\d{4}(?:\d{2})?/,
  x5: /^[+-]\d{2}:\d{2}(?::\d{2})?/,
  Z1: /^[+-]\d{4}/,
  Z2: /^[+-]\d{4}/,
  Z3: /^[+-]\d{4}/,
  Z4: /^GMT(?:[+-]\d{2}:\d{2}(?::\d{2})?)?/,
  Z5: /^(?:Z|[+-]\d{2}:\d{2}(?::\d{2})?)/,
  O1: /^GMT(?:[+-]\d{1,2}(?::\d{2}(?::\d{2})?)?)?/,
  O4: /^GMT(?:[+-]\d{2}:\d{2}(?::\d{2})?)?/,
};

const readZone = (s: State, letter: string, count: number): boolean => {
  const rest = s.text.slice(s.at);
  const fixed = OFFSETS[letter + count];
  const m =
    fixed !== undefined ? fixed.exec(rest) : /^[+-]/.test(rest) ? OFFSET.exec(rest) : ZONE_ID.exec(rest);
  if (m === null || m[0] === "" || !isZone(m[0])) return false;
  s.zone = m[0];
  s.at += m[0].length;
  return true;
};

const readField = (s: State, tokens: readonly PatternToken[], i: number): boolean => {
  const t = tokens[i] as { letter: string; count: number };
  switch (t.letter) {
    case "G":
      return readWord(s, t.count < 4 ? ["BC", "AD"] : ["Before Christ", "Anno Domini"], "G", 0);
    case "a":
      return readWord(s, ["AM", "PM"], "a", 0);
    case "M":
    case "L":
      if (t.count <= 2) return readNumber(s, tokens, i);
      return readWord(s, t.count === 4 ? MONTHS : MONTHS.map((m) => m.slice(0, 3)), "M", 1);
    default:
      return NUMERIC.has(t.letter) ? readNumber(s, tokens, i) : readZone(s, t.letter, t.count);
  }
};

const read = (s: State, tokens: readonly PatternToken[]): boolean => {
  for (let i = 0; i < tokens.length; i++) {
    const t = tokens[i]!;
    if (t.kind === "literal") {
      if (s.text.slice(s.at, s.at + t.text.length).toLowerCase() !== t.text.toLowerCase()) return false;
      s.at += t.text.length;
    } else if (t.kind === "field") {
      if (!readField(s, tokens, i)) return false;
    } else {
      const saved = { at: s.at, fields: new Map(s.fields), zone: s.zone };
      if (!read(s, t.tokens)) Object.assign(s, saved);
    }
  }
  return true;
};

const dateOf = (f: Fields): number | undefined => {
  let year = f.get("u") ?? f.get("y") ?? 1970;
  if (f.get("G") === 0) year = 1 - year;
  const yearDay = f.get("D");
  if (yearDay !== undefined) {
    if (yearDay === 366 && !isLeapYear(year)) return undefined;
    const days = daysFromCivil(year, 1, 1) + yearDay - 1;
    // A month or day beside it must be the same date's.
    const { month, day } = civilFromDays(days);
    return (f.get("M") ?? month) === month && (f.get("d") ?? day) === day ? days : undefined;
  }
  const [month, day] = [f.get("M") ?? 1, f.get("d") ?? 1];
  return isValidDate(year, month, day) ? daysFromCivil(year, month, day) : undefined;
};

const hourOf = (f: Fields): number => {
  const hour = f.get("H") ?? (f.has("k") ? f.get("k")! % 24 : undefined);
  if (hour !== undefined) return hour;
  const half = f.get("K") ?? (f.has("h") ? f.get("h")! % 12 : undefined);
  return (half ?? 0) + (f.get("a") === 1 ? 12 : 0);
};

export interface ParsedInstant {
  readonly localMs: number;
  readonly zone: string | undefined;
}

/** The local timestamp (and the zone when the text has one) of a text. @throws ExecutionError for a pattern that Spark refuses */
export const parsePattern = (text: string, pattern: string): ParsedInstant | undefined => {
  const s: State = { text, at: 0, fields: new Map(), zone: undefined };
  if (!read(s, patternTokens(pattern, true)) || s.at !== text.length) return undefined;
  const days = dateOf(s.fields);
  if (days === undefined) return undefined;
  const f = s.fields;
  const seconds = hourOf(f) * 3600 + (f.get("m") ?? 0) * 60 + (f.get("s") ?? 0);
  return { localMs: withMicros(days * DAY_MS + seconds * 1000, f.get("S") ?? 0), zone: s.zone };
};

/** The instant of a text in its own zone, else in `zone`. */
export const parseInstant = (text: string, zone: string, pattern: string): number | undefined => {
  const p = parsePattern(text, pattern);
  return p === undefined ? undefined : fromLocal(p.localMs, p.zone ?? zone);
};
