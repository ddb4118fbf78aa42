/**
 * Interval literals: `INTERVAL 5 SECONDS`, `INTERVAL '5' DAY 2 HOURS`, `INTERVAL '1-2' YEAR TO MONTH`, `INTERVAL '1 day 2 hours'`. They are ANSI
 * intervals: years and months, or days to seconds, never both; their type spans the units that were written.
 */
import type { CalendarInterval } from "../core/interval-text.ts";
import type { DataType, DayTimeUnit, YearMonthUnit } from "../core/data-type.ts";
import type { Expr } from "../expr/ast.ts";
import {
  hasDayTimeForm,
  intervalUnit,
  parseCalendarInterval,
  parseDayTimeInterval,
  parseYearMonthInterval,
} from "../expr/time/interval-text.ts";
import type { Parser } from "./token-stream.ts";
import type { Token } from "./token.ts";

const DAY_US = 86_400_000_000;
const DAY_TIME: readonly DayTimeUnit[] = ["day", "hour", "minute", "second"];
/** Day-time intervals count 64 bits of microseconds. */
const MICROS_END = 2 ** 63;
const YEAR_MONTH: readonly YearMonthUnit[] = ["year", "month"];

/** Units on both sides of TO. */
const SPANS: ReadonlySet<string> = new Set(["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"]);

const INT_END = 2 ** 31;
/** What a part of an interval is counted in: months and days 32 bits, the rest 64. */
const inInt = (x: number): boolean => x >= -INT_END && x < INT_END;
const inMicros = (x: number): boolean => x >= -MICROS_END && x < MICROS_END;

interface Span {
  readonly start: number;
  readonly end: number;
}
interface TypedInterval {
  readonly value: number;
  readonly type: DataType;
}

const singular = (unit: string): string => unit.toLowerCase().replace(/s$/, "");

/** The unit of a type that a written unit belongs to. */
const field = (unit: string): YearMonthUnit | DayTimeUnit => {
  if (unit === "week") return "day";
  return unit === "millisecond" || unit === "microsecond" ? "second" : (unit as YearMonthUnit | DayTimeUnit);
};

const invalid = (p: Parser, span: Span, text: string, why: string, errorClass: string): Error =>
  p.error(errorClass, `Error parsing '${text}' to interval: ${why}.`, span);

const inRange = ([months, days, micros]: CalendarInterval): boolean =>
  inInt(months) && inInt(days) && inMicros(micros);

/** The value with the type that its units span. */
const spanning = (
  p: Parser,
  [months, days, micros]: CalendarInterval,
  units: readonly string[],
  span: Span,
  text: string,
): TypedInterval => {
  if (!inRange([months, days, micros]))
    throw invalid(p, span, text, "out of range", "INVALID_INTERVAL_FORMAT.ARITHMETIC_EXCEPTION");
  const fields = new Set(units.map((u) => field(singular(u))));
  const years = YEAR_MONTH.filter((u) => fields.has(u));
  const times = DAY_TIME.filter((u) => fields.has(u));
  if (years.length > 0 && times.length > 0) {
    const message = `Cannot mix year-month and day-time fields: ${text}`;
    throw p.error("_LEGACY_ERROR_TEMP_0029", message, span, "add two intervals instead, one of each kind");
  }
  if (years.length > 0)
    return { value: months, type: { kind: "yearMonthInterval", from: years[0]!, to: years.at(-1)! } };
  const value = days * DAY_US + micros;
  if (!inMicros(value))
    throw p.error(
      "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION",
      `The interval ${text} is out of range.`,
      span,
    );
  return { value, type: { kind: "dayTimeInterval", from: times[0]!, to: times.at(-1)! } };
};

/** `INTERVAL '1 day 2 hours'`: the units stand in the string. */
export const typedInterval = (p: Parser, text: string, span: Span): TypedInterval => {
  const parsed = parseCalendarInterval(text);
  if (parsed === undefined || !inRange(parsed))
    throw p.error(
      "INVALID_TYPED_LITERAL",
      `The value of the typed literal "INTERVAL" is invalid: '${text}'.`,
      span,
      "write a number and a unit for each part, as in '1 day 2 hours'",
    );
  const units = text
    .toLowerCase()
    .split(/\s+/)
    .filter((w) => /^[a-z]+$/.test(w) && w !== "interval");
  return spanning(p, parsed, units, span, `'${text}'`);
};

/** Whether an interval value stands `ahead`: a number or a string, after a sign or none. Gives the place of the unit, else -1. */
const unitAhead = (p: Parser, ahead: number): number => {
  const at = p.atOp("-", ahead) || p.atOp("+", ahead) ? ahead + 1 : ahead;
  const value = p.peek(at);
  if (value.kind !== "string" && value.kind !== "number") return -1;
  const unit = p.peek(at + 1).upper;
  return unit !== "" && (intervalUnit(unit) !== undefined || /^NANOSECONDS?$/.test(unit)) ? at + 1 : -1;
};

/** Whether INTERVAL begins a literal here (it may be a name). */
export const atInterval = (p: Parser): boolean =>
  p.at("INTERVAL") &&
  (unitAhead(p, 1) !== -1 ||
    p.peek(1).kind === "string" ||
    (p.peek(1).kind === "number" && p.peek(2).upper !== ""));

/** The sign and digits of a value: in quotes, or a number without exponent and suffix. */
const signedValue = (p: Parser): { text: string; token: Token } => {
  let sign = "";
  if (p.acceptOp("-")) sign = "-";
  else p.acceptOp("+");
  if (p.peek(0).kind === "number" && !/^[\d.]+$/.test(p.peek(0).text)) throw p.unexpected("a plain number");
  const token = p.next();
  const body = token.text.trim().replace(/^([+-])\s+(?=[\d.])/, "$1");
  if (sign === "-" && body.startsWith("-")) return { text: body.slice(1), token };
  return { text: sign + body.replace(/^\+/, ""), token };
};

const yearToMonth = (p: Parser, text: string, span: Span): TypedInterval => {
  const value = parseYearMonthInterval(text, "year", "month");
  if (value !== undefined) return { value, type: { kind: "yearMonthInterval", from: "year", to: "month" } };
  const errorClass = /^[+-]?\d+-\d+$/.test(text)
    ? "INVALID_INTERVAL_FORMAT.INTERVAL_PARSING"
    : "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING";
  throw invalid(p, span, text, "expected the form [+|-]y-m", errorClass);
};

const unitToUnit = (
  p: Parser,
  { text, token }: { text: string; token: Token },
  from: string,
  to: string,
  span: Span,
): TypedInterval => {
  const [f, t] = [from.toLowerCase(), to.toLowerCase()];
  if (token.kind !== "string")
    throw p.error(
      "_LEGACY_ERROR_TEMP_0027",
      "The value of from-to unit must be a string.",
      span,
      `write it in quotes: '${text}'`,
    );
  if (f === "year" && t === "month") return yearToMonth(p, text, span);
  const [fi, ti] = [DAY_TIME.indexOf(f as DayTimeUnit), DAY_TIME.indexOf(t as DayTimeUnit)];
  if (fi === -1 || ti <= fi)
    throw p.error(
      "INVALID_INTERVAL_FORMAT.UNSUPPORTED_FROM_TO_EXPRESSION",
      `Intervals from ${from} to ${to} are not supported.`,
      span,
      "Use YEAR TO MONTH or a span of DAY, HOUR, MINUTE and SECOND",
    );
  const [low, high] = [DAY_TIME[fi]!, DAY_TIME[ti]!];
  const value = parseDayTimeInterval(text, low, high);
  if (value !== undefined) return { value, type: { kind: "dayTimeInterval", from: low, to: high } };
  if (hasDayTimeForm(text, low, high))
    throw invalid(p, span, text, `a part of it is out of range`, "_LEGACY_ERROR_TEMP_0063");
  throw invalid(
    p,
    span,
    text,
    `expected the form of ${from} TO ${to}, as in '1 02:03:04.5' for DAY TO SECOND`,
    "INVALID_INTERVAL_FORMAT.UNMATCHED_FORMAT_STRING_WITH_NOTICE",
  );
};

/** What is wrong with a value that does not parse, in Spark's terms. */
const fault = (text: string): readonly [errorClass: string, why: string] => {
  const [, sign = "", body = ""] = /^\s*([+-]?)\s*(.*?)\s*$/s.exec(text)!;
  if (sign === "" && !/^[\d.]/.test(body))
    return ["INVALID_INTERVAL_FORMAT.UNRECOGNIZED_NUMBER", `'${text}' is not a number`];
  if (/^(\d+\.\d*|\.\d+)$/.test(body))
    return /\.\d{10}/.test(body)
      ? ["INVALID_INTERVAL_FORMAT.INVALID_PRECISION", "a second has nine digits behind the point at most"]
      : [
          "INVALID_INTERVAL_FORMAT.INVALID_FRACTION",
          `'${text}' is not an integer; only SECOND takes a fraction`,
        ];
  return /^\d+\s/.test(body)
    ? ["INVALID_INTERVAL_FORMAT.INVALID_UNIT", `'${text}' holds more than a number`]
    : ["INVALID_INTERVAL_FORMAT.INVALID_VALUE", `'${text}' is not a number`];
};

/** One value and unit as text that `parseCalendarInterval` reads. */
const part = (p: Parser, text: string, unit: string, token: Token): CalendarInterval => {
  const name = singular(unit);
  if (name === "nanosecond")
    throw invalid(
      p,
      token,
      `${text} ${unit}`,
      `there is no unit '${unit}'`,
      "INVALID_INTERVAL_FORMAT.INVALID_UNIT",
    );
  if (/\p{L}/u.test(text))
    throw invalid(p, token, text, "a value before a unit is a number", "_LEGACY_ERROR_TEMP_0026");
  const parsed = /^-?(\d+\.?\d*|\.\d+)$/.test(text) ? parseCalendarInterval(`${text} ${name}`) : undefined;
  if (parsed !== undefined) return parsed;
  const [errorClass, why] = fault(text);
  throw invalid(p, token, `${text} ${unit}`, why, errorClass);
};

/** INTERVAL and what follows it; see `atInterval`. */
export const intervalLiteral = (p: Parser): Expr => {
  const start = p.next();
  const units: string[] = [];
  let [months, days, micros] = [0, 0, 0];
  const span = (): Span => ({ start: start.start, end: p.before()!.end });
  if (unitAhead(p, 0) === -1)
    throw p.unexpected("a value and a unit (YEAR MONTH WEEK DAY HOUR MINUTE SECOND MILLISECOND MICROSECOND)");
  while (unitAhead(p, 0) !== -1) {
    const value = signedValue(p);
    const { text, token } = value;
    const unit = p.next().upper;
    if (p.at("TO") && intervalUnit(p.peek(1).upper) !== undefined && units.length === 0) {
      if (!SPANS.has(unit)) throw p.unexpected("one unit, or YEAR TO MONTH, DAY TO SECOND");
      p.next();
      if (!SPANS.has(p.peek(0).upper)) throw p.unexpected([...SPANS].join(", "));
      const typed = unitToUnit(p, value, unit, p.next().upper, span());
      return { kind: "literal", ...typed, position: p.position(start) };
    }
    const [m, d, us] = part(p, text, unit, token);
    months += m;
    days += d;
    micros += us;
    units.push(unit);
  }
  const typed = spanning(
    p,
    [months, days, micros],
    units,
    span(),
    p.source.text.slice(start.start, p.before()!.end),
  );
  return { kind: "literal", ...typed, position: p.position(start) };
};

const MONTH_MS = 31 * 86_400_000;

/** Milliseconds of an interval's value, as a delay: a month counts 31 days, as in Spark's watermarks. */
export const intervalMs = (value: number, type: DataType): number =>
  type.kind === "yearMonthInterval" ? value * MONTH_MS : value / 1000;
