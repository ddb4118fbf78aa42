/** Intervals as Spark prints them, in casts to string and in tables. */
import type { DayTimeUnit, YearMonthUnit } from "./data-type.ts";

export type CalendarInterval = readonly [months: number, days: number, micros: number];

const SECOND_US = 1_000_000;
const MINUTE_US = 60 * SECOND_US;
const HOUR_US = 60 * MINUTE_US;
const DAY_US = 24 * HOUR_US;

export const DAY_TIME_ORDER: readonly DayTimeUnit[] = ["day", "hour", "minute", "second"];
export const DAY_TIME_US: Readonly<Record<DayTimeUnit, number>> = {
  day: DAY_US,
  hour: HOUR_US,
  minute: MINUTE_US,
  second: SECOND_US,
};

const two = (n: number): string => String(n).padStart(2, "0");
const fractionText = (micros: number): string =>
  micros === 0 ? "" : `.${String(micros).padStart(6, "0").replace(/0+$/, "")}`;

/** The quoted part of an ANSI day-time interval: `1 02:03:04.5`. */
const dayTimeBody = (abs: number, from: DayTimeUnit, to: DayTimeUnit): string => {
  const units = DAY_TIME_ORDER.slice(DAY_TIME_ORDER.indexOf(from), DAY_TIME_ORDER.indexOf(to) + 1);
  let rest = abs;
  let out = "";
  units.forEach((u, i) => {
    const n = Math.floor(rest / DAY_TIME_US[u]);
    rest -= n * DAY_TIME_US[u];
    if (i > 0) out += units[i - 1] === "day" ? " " : ":";
    out += u === "day" ? String(n) : two(n);
    if (u === "second") out += fractionText(rest);
  });
  return out;
};

/** Spark's text of a day-time interval: `INTERVAL '1 02:03:04' DAY TO SECOND`. */
export const formatDayTimeInterval = (micros: number, from: DayTimeUnit, to: DayTimeUnit): string => {
  const units = from === to ? from : `${from} to ${to}`;
  const sign = micros < 0 ? "-" : "";
  return `INTERVAL '${sign}${dayTimeBody(Math.abs(micros), from, to)}' ${units.toUpperCase()}`;
};

/** Spark's text of a year-month interval: `INTERVAL '1-2' YEAR TO MONTH`. */
export const formatYearMonthInterval = (months: number, from: YearMonthUnit, to: YearMonthUnit): string => {
  const abs = Math.abs(months);
  const sign = months < 0 ? "-" : "";
  const body =
    from !== to ? `${Math.floor(abs / 12)}-${abs % 12}` : from === "year" ? Math.floor(abs / 12) : abs;
  return `INTERVAL '${sign}${body}' ${(from === to ? from : `${from} to ${to}`).toUpperCase()}`;
};

/** Spark's text of a calendar interval: `1 years 2 months 3 days 4 hours 5.5 seconds`. */
export const formatCalendarInterval = ([months, days, micros]: CalendarInterval): string => {
  const parts: string[] = [];
  const add = (n: number, unit: string): void => {
    if (n !== 0) parts.push(`${n} ${unit}`);
  };
  add(Math.trunc(months / 12), "years");
  add(months % 12, "months");
  add(days, "days");
  let rest = micros;
  add(Math.trunc(rest / HOUR_US), "hours");
  rest %= HOUR_US;
  add(Math.trunc(rest / MINUTE_US), "minutes");
  rest %= MINUTE_US;
  if (rest !== 0) {
    const abs = Math.abs(rest);
    const whole = Math.floor(abs / SECOND_US);
    parts.push(`${rest < 0 ? "-" : ""}${whole}${fractionText(abs - whole * SECOND_US)} seconds`);
  }
  return parts.length === 0 ? "0 seconds" : parts.join(" ");
};
