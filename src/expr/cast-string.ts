/** Casts from string, as Spark's UTF8String and Cast read them: blanks around are trimmed, integers take no fraction. */
import type { DataType } from "../core/data-type.ts";
import { STRING } from "../core/data-type.ts";
import { canonicalLong, type Value } from "../core/value.ts";
import { type DecimalType, fitsPrecision, parseDecimalText, toScale } from "./decimal.ts";
import { castInvalidInput, decimalOutOfRange, executionError } from "./runtime-errors.ts";
import { parseCalendarInterval, parseDayTimeInterval, parseYearMonthInterval } from "./time/interval-text.ts";
import { parseDate, parseTimestamp, parseTimestampNtz, trimControl } from "./time/iso-text.ts";
import { sqlType } from "./type-errors.ts";

const INTEGER = /^[+-]?\d+$/;
const FLOATING = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[dDfF]?$/;
const SPECIAL = new Map<string, number>([
  ["inf", Infinity],
  ["+inf", Infinity],
  ["infinity", Infinity],
  ["+infinity", Infinity],
  ["-inf", -Infinity],
  ["-infinity", -Infinity],
  ["nan", NaN],
]);
const TRUE = new Set(["t", "true", "y", "yes", "1"]);
const FALSE = new Set(["f", "false", "n", "no", "0"]);
const BITS: Partial<Record<DataType["kind"], bigint>> = { byte: 7n, short: 15n, int: 31n, long: 63n };
const ENCODER = new TextEncoder();

/** A text as an integral type; undefined when malformed or out of range. */
export const parseIntegral = (text: string, type: DataType): number | bigint | undefined => {
  const t = trimControl(text);
  if (!INTEGER.test(t)) return undefined;
  if (t.length < 10) return Number(t) + 0;
  const x = BigInt(t.startsWith("+") ? t.slice(1) : t);
  const bound = 1n << BITS[type.kind]!;
  return x >= -bound && x < bound ? canonicalLong(x) : undefined;
};

const inRange = (x: number | bigint | undefined, type: DataType): number | bigint | undefined => {
  if (typeof x !== "number" || type.kind === "long") return x;
  const bound = 2 ** Number(BITS[type.kind]!);
  return x >= -bound && x < bound ? x : undefined;
};

/** A text as a double (Java's Double.parseDouble, and inf, nan in any case). */
export const parseFloating = (text: string): number | undefined => {
  const t = trimControl(text);
  if (FLOATING.test(t)) return Number(t.replace(/[dDfF]$/, ""));
  return SPECIAL.get(t.toLowerCase());
};

export const parseBoolean = (text: string): boolean | undefined => {
  const t = trimControl(text).toLowerCase();
  return TRUE.has(t) ? true : FALSE.has(t) ? false : undefined;
};

const toDecimal = (text: string, to: DecimalType): bigint | undefined => {
  const parsed = parseDecimalText(trimControl(text));
  if (parsed === undefined) return undefined;
  const unscaled = toScale(parsed.unscaled, parsed.scale, to.scale);
  if (!fitsPrecision(unscaled, to.precision))
    throw decimalOutOfRange(parsed.unscaled, parsed.scale, to.precision, to.scale);
  return unscaled;
};

/** Spark has a class of its own for years and months that have the form and are out of range. */
const YEAR_MONTH_FORM = { single: /^\s*[+-]?\d+\s*$/, both: /^\s*[+-]?\d+-\d+\s*$/ };

type IntervalType = Extract<DataType, { kind: "dayTimeInterval" | "yearMonthInterval" }>;

const intervalFormat = (text: string, to: IntervalType): Error => {
  const form = YEAR_MONTH_FORM[to.from === to.to ? "single" : "both"];
  if (to.kind === "yearMonthInterval" && form.test(text))
    return executionError(
      "INVALID_INTERVAL_FORMAT.INTERVAL_PARSING",
      `Error parsing '${text}' to interval: it is out of the range of ${sqlType(to)}.`,
    );
  return executionError(
    to.kind === "dayTimeInterval"
      ? "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE"
      : "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING",
    `Error parsing '${text}' to interval: it does not match the format of ${sqlType(to)}.`,
  );
};

const parser = (
  to: DataType,
  zone: string,
  clockMs: number | undefined,
): ((s: string) => Value | undefined) => {
  switch (to.kind) {
    case "boolean":
      return parseBoolean;
    case "byte":
    case "short":
    case "int":
    case "long":
      return (s) => inRange(parseIntegral(s, to), to);
    case "float":
      return (s) => {
        const x = parseFloating(s);
        return x === undefined ? undefined : Math.fround(x);
      };
    case "double":
      return parseFloating;
    case "decimal":
      return (s) => toDecimal(s, to);
    case "date":
      return parseDate;
    case "timestamp":
      return (s) => parseTimestamp(s, zone, clockMs);
    case "timestamp_ntz":
      return (s) => parseTimestampNtz(s);
    case "binary":
      return (s) => ENCODER.encode(s);
    case "dayTimeInterval":
      return (s) => parseDayTimeInterval(s, to.from, to.to);
    case "yearMonthInterval":
      return (s) => parseYearMonthInterval(s, to.from, to.to);
    case "calendarInterval":
      return parseCalendarInterval;
    default:
      throw new TypeError(`no cast from string to ${to.kind}`);
  }
};

/** Casts text to an atomic type. Throws CAST_INVALID_INPUT for malformed text. */
export const castFromString = (to: DataType, zone: string, clockMs?: number): ((v: Value) => Value) => {
  const parse = parser(to, zone, clockMs);
  return (v) => {
    const x = parse(v as string);
    if (x !== undefined) return x;
    // Spark has no error for a text that is no calendar interval: it is null in ANSI mode, too.
    if (to.kind === "calendarInterval") return null;
    if (to.kind === "dayTimeInterval" || to.kind === "yearMonthInterval")
      throw intervalFormat(v as string, to);
    throw castInvalidInput(`'${String(v)}'`, STRING, to);
  };
};
