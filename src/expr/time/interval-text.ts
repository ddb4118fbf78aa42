/**
 * Intervals as text: the unit form (`1 day 2 hours`, of window durations and `CAST(… AS INTERVAL)`), the ANSI forms (`1 02:03:04.5`, `1-2`) with
 * their FROM/TO units. Their printed forms are in src/core/interval-text.ts. Text that does not fit is `undefined`.
 */
import type { DayTimeUnit, YearMonthUnit } from "../../core/data-type.ts";
import { type CalendarInterval, DAY_TIME_ORDER, DAY_TIME_US } from "../../core/interval-text.ts";

const SECOND_US = 1_000_000;
const MINUTE_US = 60 * SECOND_US;
const HOUR_US = 60 * MINUTE_US;

/** What one unit adds: [months, days, microseconds]. */
const UNITS = new Map<string, CalendarInterval>([
  ["year", [12, 0, 0]],
  ["month", [1, 0, 0]],
  ["week", [0, 7, 0]],
  ["day", [0, 1, 0]],
  ["hour", [0, 0, HOUR_US]],
  ["minute", [0, 0, MINUTE_US]],
  ["second", [0, 0, SECOND_US]],
  ["millisecond", [0, 0, 1000]],
  ["microsecond", [0, 0, 1]],
]);

/** The weights of a unit, singular or plural, any case. */
export const intervalUnit = (name: string): CalendarInterval | undefined => {
  const lower = name.toLowerCase();
  return UNITS.get(lower) ?? (lower.endsWith("s") ? UNITS.get(lower.slice(0, -1)) : undefined);
};

const ITEM = /\s*([+-]?)\s*(\d+)?(?:\.(\d{0,9}))?\s+([a-z]+)(?=\s|$)/iy;

/** `[interval] 1 year 2.5 seconds …` as months, days and microseconds. */
export const parseCalendarInterval = (text: string): CalendarInterval | undefined => {
  const body = text.trim().replace(/^interval(?=\s)/i, "");
  if (body.trim() === "") return undefined;
  let [months, days, micros] = [0, 0, 0];
  ITEM.lastIndex = 0;
  while (ITEM.lastIndex < body.length) {
    if (body.slice(ITEM.lastIndex).trim() === "") break;
    const m = ITEM.exec(body);
    if (m === null || (m[2] === undefined && !m[3])) return undefined;
    const weights = intervalUnit(m[4]!);
    if (weights === undefined) return undefined;
    const seconds = weights[2] === SECOND_US;
    if (m[3] !== undefined && !seconds) return undefined;
    const sign = m[1] === "-" ? -1 : 1;
    const n = Number(m[2] ?? 0) * sign;
    months += n * weights[0];
    days += n * weights[1];
    micros += n * weights[2] + (seconds ? sign * Math.trunc(Number((m[3] ?? "").padEnd(9, "0")) / 1000) : 0);
  }
  return [months + 0, days + 0, micros + 0];
};

/** A field that is not the first must stay below this. */
const FIELD_MAX: Readonly<Record<DayTimeUnit, number>> = {
  day: Number.MAX_SAFE_INTEGER,
  hour: 23,
  minute: 59,
  second: 59,
};

/** Digits that a first field may have: as many as 64 bits of microseconds can need. */
const FIRST_DIGITS: Readonly<Record<DayTimeUnit, number>> = { day: 9, hour: 10, minute: 12, second: 13 };

const dayTimePattern = (from: DayTimeUnit, to: DayTimeUnit): RegExp => {
  const units = DAY_TIME_ORDER.slice(DAY_TIME_ORDER.indexOf(from), DAY_TIME_ORDER.indexOf(to) + 1);
  const part = (u: DayTimeUnit, i: number): string =>
    `(\\d{1,${i === 0 ? FIRST_DIGITS[u] : 2}}${u === "second" ? "(?:\\.\\d{1,9})?" : ""})`;
  const body = units
    .map((u, i) => (i === 0 ? "" : units[i - 1] === "day" ? "\\s+" : ":") + part(u, i))
    .join("");
  return new RegExp(`^\\s*([+-]?)${body}\\s*$`);
};

const LITERAL = /^\s*INTERVAL\s*([+-]?)\s*'([^']*)'\s*([a-z]+)(?:\s+TO\s+([a-z]+))?\s*$/i;

/** Unwraps `INTERVAL '…' DAY TO SECOND` when the units are the asked ones. */
const unwrapLiteral = (text: string, from: string, to: string): string | undefined => {
  const m = LITERAL.exec(text);
  if (m === null) return text;
  if (m[3]!.toLowerCase() !== from || (m[4] ?? m[3])!.toLowerCase() !== to) return undefined;
  const inner = m[2]!.trim();
  if (m[1] !== "-") return inner;
  return inner.startsWith("-") ? inner.slice(1) : `-${inner}`;
};

/** Whether a text has the form of these fields, whatever their values. */
export const hasDayTimeForm = (text: string, from: DayTimeUnit, to: DayTimeUnit): boolean =>
  dayTimePattern(from, to).test(text);

/** `1 02:03:04.5` (or a part of it, by the units) in microseconds. */
export const parseDayTimeInterval = (
  text: string,
  from: DayTimeUnit,
  to: DayTimeUnit,
): number | undefined => {
  const body = unwrapLiteral(text, from, to);
  const m = body === undefined ? null : dayTimePattern(from, to).exec(body);
  if (m === null) return undefined;
  let micros = 0n;
  for (let i = 2; i < m.length; i++) {
    const unit = DAY_TIME_ORDER[DAY_TIME_ORDER.indexOf(from) + i - 2]!;
    const [whole, fraction] = m[i]!.split(".");
    if (i > 2 && Number(whole) > FIELD_MAX[unit]) return undefined;
    micros += BigInt(whole!) * BigInt(DAY_TIME_US[unit]);
    if (fraction !== undefined) micros += BigInt(fraction.slice(0, 6).padEnd(6, "0"));
  }
  const signed = m[1] === "-" ? -micros : micros;
  return BigInt.asIntN(64, signed) === signed ? Number(signed) : undefined;
};

/** `1-2`, `1` (years or months, by the units) in months. */
export const parseYearMonthInterval = (
  text: string,
  from: YearMonthUnit,
  to: YearMonthUnit,
): number | undefined => {
  const body = unwrapLiteral(text, from, to);
  if (body === undefined) return undefined;
  const m = (from === to ? /^\s*([+-]?)(\d+)\s*$/ : /^\s*([+-]?)(\d+)-(\d+)\s*$/).exec(body);
  if (m === null || (m[3] !== undefined && Number(m[3]) > 11)) return undefined;
  const months = from === to ? Number(m[2]) * (from === "year" ? 12 : 1) : Number(m[2]) * 12 + Number(m[3]);
  const signed = m[1] === "-" && months !== 0 ? -months : months;
  return signed === (signed | 0) ? signed : undefined;
};
