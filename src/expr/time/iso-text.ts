/**
 * Dates and timestamps as Spark's casts read them: `yyyy[-[m]m[-[d]d]]`, then after a blank or T `[h]h:[m]m:[s]s[.f…][zone]`. Not as lax as
 * `new Date(text)` and not as strict as ISO-8601. Text that does not fit is `undefined`; the caller knows which error that is.
 */
import { daysFromCivil, DAY_MS, isValidDate, withMicros } from "./calendar.ts";
import { fromLocal, isZone, toLocal } from "./zones.ts";

const DATE_TEXT = /^([+-]?\d{4,7})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T].*)?)?)?$/s;

/** Java's `trimAll`: blanks and control characters at both ends. */
export const trimControl = (text: string): string => {
  let start = 0;
  let end = text.length;
  while (start < end && (text.charCodeAt(start) <= 32 || text.charCodeAt(start) === 127)) start++;
  while (end > start && (text.charCodeAt(end - 1) <= 32 || text.charCodeAt(end - 1) === 127)) end--;
  return start === 0 && end === text.length ? text : text.slice(start, end);
};

/** Days since the epoch, or undefined. */
export const parseDate = (text: string): number | undefined => {
  const m = DATE_TEXT.exec(trimControl(text));
  if (m === null) return undefined;
  const [year, month, day] = [Number(m[1]), Number(m[2] ?? 1), Number(m[3] ?? 1)];
  return isValidDate(year, month, day) ? daysFromCivil(year, month, day) : undefined;
};

export interface TimestampText {
  /** Local timestamp; only the time of the day when `timeOnly`. */
  readonly localMs: number;
  readonly zone: string | undefined;
  readonly timeOnly: boolean;
}

const TIMESTAMP_TEXT = /^(?:([+-]?\d{4,6})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T](.*)|)?)?)?|T?(\d{1,2}:.*))$/s;
const TIME_TEXT = /^(\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:\.(\d*))?(.*)?)?)?$/s;

/** `+1:0` → `+01:00`, as Spark's getZoneId. */
const normalizeZone = (text: string): string =>
  text
    .trim()
    .replace(/([+-])(\d):/, "$10$2:")
    .replace(/([+-])(\d\d):(\d)$/, "$1$2:0$3");

const parseTime = (text: string): { ms: number; micros: number; zone: string | undefined } | undefined => {
  const m = TIME_TEXT.exec(text);
  if (m === null) return undefined;
  const [hour, minute, second] = [Number(m[1]), Number(m[2] ?? 0), Number(m[3] ?? 0)];
  if (hour > 23 || minute > 59 || second > 59) return undefined;
  const micros = Number((m[4] ?? "").slice(0, 6).padEnd(6, "0"));
  const zoneText = (m[5] ?? "").trim();
  const zone = zoneText === "" ? undefined : normalizeZone(zoneText);
  if (zone !== undefined && !isZone(zone)) return undefined;
  return { ms: hour * 3_600_000 + minute * 60_000 + second * 1000, micros, zone };
};

/** The parts of a timestamp's text, or undefined. */
export const parseTimestampText = (text: string): TimestampText | undefined => {
  const m = TIMESTAMP_TEXT.exec(trimControl(text));
  if (m === null) return undefined;
  if (m[5] !== undefined) {
    const t = parseTime(m[5]);
    return t === undefined
      ? undefined
      : { localMs: withMicros(t.ms, t.micros), zone: t.zone, timeOnly: true };
  }
  const [year, month, day] = [Number(m[1]), Number(m[2] ?? 1), Number(m[3] ?? 1)];
  if (!isValidDate(year, month, day)) return undefined;
  const date = daysFromCivil(year, month, day) * DAY_MS;
  if (m[4] === undefined || m[4] === "") return { localMs: date, zone: undefined, timeOnly: false };
  const t = parseTime(m[4]);
  if (t === undefined) return undefined;
  return { localMs: withMicros(date + t.ms, t.micros), zone: t.zone, timeOnly: false };
};

/** The clock of what is computed while a plan is made: there is none. */
export const NO_CLOCK = Number.NaN;

/** A value that depends on the clock was asked for where there is none: it has to be computed by the query. */
export class ClockNeeded extends Error {
  override readonly name = "ClockNeeded";
}

/**
 * A `timestamp` value of a text: its own zone, else `zone`. A text without a date means the day of `clockMs` in that zone (not given: undefined). Throws
 * ClockNeeded for NO_CLOCK.
 */
export const parseTimestamp = (text: string, zone: string, clockMs?: number): number | undefined => {
  const t = parseTimestampText(text);
  if (t === undefined) return undefined;
  let local = t.localMs;
  if (t.timeOnly) {
    if (clockMs === undefined) return undefined;
    if (Number.isNaN(clockMs)) throw new ClockNeeded(`'${text}' means a time of today`);
    local += Math.floor(toLocal(clockMs, t.zone ?? zone) / DAY_MS) * DAY_MS;
  }
  return fromLocal(local, t.zone ?? zone);
};

/** A `timestamp_ntz` value of a text; a zone in it is ignored when `allowZone`, else makes it invalid. */
export const parseTimestampNtz = (text: string, allowZone = true): number | undefined => {
  const t = parseTimestampText(text);
  return t === undefined || t.timeOnly || (t.zone !== undefined && !allowZone) ? undefined : t.localMs;
};
