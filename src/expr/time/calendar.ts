/**
 * The proleptic Gregorian calendar on plain numbers: a date is days since 1970-01-01, a local timestamp is milliseconds since
 * 1970-01-01T00:00 local (a fraction carries microseconds). No JS `Date`: its parsing and its 0…99 years differ from Spark's.
 */
export const DAY_MS = 86_400_000;
export const HOUR_MS = 3_600_000;
export const MINUTE_MS = 60_000;
export const SECOND_MS = 1000;

export interface CivilDate {
  readonly year: number;
  /** 1 … 12 */
  readonly month: number;
  /** 1 … 31 */
  readonly day: number;
}

/** Days since the epoch of a civil date (months outside 1 … 12 are not allowed). */
export const daysFromCivil = (year: number, month: number, day: number): number => {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146_097 + dayOfEra - 719_468;
};

export const civilFromDays = (days: number): CivilDate => {
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const doe = z - era * 146_097;
  const yoe = Math.floor(
    (doe - Math.floor(doe / 1460) + Math.floor(doe / 36_524) - Math.floor(doe / 146_096)) / 365,
  );
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  return {
    year: yoe + era * 400 + (month <= 2 ? 1 : 0),
    month,
    day: doy - Math.floor((153 * mp + 2) / 5) + 1,
  };
};

export const isLeapYear = (y: number): boolean => (y % 4 === 0 && y % 100 !== 0) || y % 400 === 0;

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31] as const;
export const daysInMonth = (year: number, month: number): number =>
  month === 2 && isLeapYear(year) ? 29 : MONTH_DAYS[month - 1]!;

export const isValidDate = (year: number, month: number, day: number): boolean =>
  month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month);

/** The day of a local timestamp. */
export const dayOfLocal = (localMs: number): number => Math.floor(localMs / DAY_MS);
/** Milliseconds (with fraction) since midnight of a local timestamp. */
export const timeOfLocal = (localMs: number): number => localMs - Math.floor(localMs / DAY_MS) * DAY_MS;

/** Adds months, clamping the day to the month's length: Jan 31 + 1 month = Feb 29. */
export const addMonthsToDays = (days: number, months: number): number => {
  const c = civilFromDays(days);
  const total = c.year * 12 + (c.month - 1) + months;
  const year = Math.floor(total / 12);
  const month = total - year * 12 + 1;
  return daysFromCivil(year, month, Math.min(c.day, daysInMonth(year, month)));
};

/** Monday is 0. */
export const weekday = (days: number): number => (((days + 3) % 7) + 7) % 7;
export const dayOfYear = (days: number): number => days - daysFromCivil(civilFromDays(days).year, 1, 1) + 1;

/** ISO week number and its year. */
export const isoWeek = (days: number): { readonly week: number; readonly year: number } => {
  const thursday = days - weekday(days) + 3;
  const year = civilFromDays(thursday).year;
  return { week: Math.floor((thursday - daysFromCivil(year, 1, 1)) / 7) + 1, year };
};

export const lastDayOfMonth = (days: number): number => {
  const c = civilFromDays(days);
  return days - c.day + daysInMonth(c.year, c.month);
};

/** The exact microseconds of a timestamp value: an integer. */
export const microsOf = (ms: number): number => Math.round(ms * 1000);
/** The greatest double below a number that is no power of two. */
const below = (x: number): number => x - 2 ** (Math.floor(Math.log2(Math.abs(x))) - 52);

/** Milliseconds with microseconds; where a double has no such fraction (far from 1970) the nearest in the same millisecond. */
export const withMicros = (ms: number, micros: number): number => {
  const sum = ms + micros / 1000;
  const end = ms + Math.floor(micros / 1000) + 1;
  return sum < end ? sum : below(end);
};
export const fromMicros = (micros: number): number => micros / 1000;

const DATE_LEVELS = new Map<string, number>([
  ["WEEK", 0],
  ["MON", 1],
  ["MONTH", 1],
  ["MM", 1],
  ["QUARTER", 2],
  ["YEAR", 3],
  ["YYYY", 3],
  ["YY", 3],
]);

/** `trunc(date, unit)`; undefined for a unit that it does not know (Spark: null). */
export const truncateDays = (days: number, unit: string): number | undefined => {
  const level = DATE_LEVELS.get(unit.toUpperCase());
  if (level === undefined) return undefined;
  if (level === 0) return days - weekday(days);
  const c = civilFromDays(days);
  if (level === 1) return days - c.day + 1;
  if (level === 2) return daysFromCivil(c.year, c.month - ((c.month - 1) % 3), 1);
  return daysFromCivil(c.year, 1, 1);
};

const TIME_LEVELS = new Map<string, number>([
  ["MICROSECOND", 0.001],
  ["MILLISECOND", 1],
  ["SECOND", SECOND_MS],
  ["MINUTE", MINUTE_MS],
  ["HOUR", HOUR_MS],
  ["DAY", DAY_MS],
  ["DD", DAY_MS],
]);

/** `date_trunc(unit, …)` of a local timestamp; undefined for an unknown unit. */
export const truncateLocal = (localMs: number, unit: string): number | undefined => {
  const name = unit.toUpperCase();
  const step = TIME_LEVELS.get(name);
  if (step === 0.001) return localMs;
  if (step !== undefined) return Math.floor(localMs / step) * step;
  const days = truncateDays(dayOfLocal(localMs), name);
  return days === undefined ? undefined : days * DAY_MS;
};

const pad = (n: number, width: number): string => String(n).padStart(width, "0");

/** A year as Spark prints it: at least four digits, a sign before negative and five-digit ones. */
export const formatYear = (year: number): string =>
  year < 0 ? `-${pad(-year, 4)}` : year > 9999 ? `+${year}` : pad(year, 4);

/** `2024-02-29` */
export const formatDate = (days: number): string => {
  const c = civilFromDays(days);
  return `${formatYear(c.year)}-${pad(c.month, 2)}-${pad(c.day, 2)}`;
};

/** `12:34:56.789`: the fraction without trailing zeros, up to six digits. */
export const formatTimeOfDay = (timeMs: number): string => {
  const micros = microsOf(timeMs);
  const seconds = Math.floor(micros / 1_000_000);
  const fraction = micros - seconds * 1_000_000;
  const text = `${pad(Math.floor(seconds / 3600), 2)}:${pad(Math.floor(seconds / 60) % 60, 2)}:${pad(seconds % 60, 2)}`;
  return fraction === 0 ? text : `${text}.${pad(fraction, 6).replace(/0+$/, "")}`;
};

/** `2024-02-29 12:34:56.789`, the text of a timestamp cast to string. */
export const formatLocalTimestamp = (localMs: number): string => {
  const days = dayOfLocal(localMs);
  const end = Math.ceil(localMs);
  const time = localMs - days * DAY_MS;
  // The last instant of a millisecond stands for its last microsecond where a double tells no two of them apart.
  const last = Math.abs(localMs) > 2 ** 43 && end !== localMs && localMs === below(end);
  if (!last && microsOf(time) === DAY_MS * 1000) return `${formatDate(days + 1)} 00:00:00`;
  return `${formatDate(days)} ${formatTimeOfDay(last ? Math.ceil(time) - 0.001 : time)}`;
};
