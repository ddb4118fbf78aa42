/**
 * Time zones through Intl, made fast by caching the offset of each hour. Z1: an offset never changes inside a quarter of an hour of UTC;
 * offsets are cached per quarter hour only where the hour around it changes. Z2: a local time in a gap moves forward by the gap, one in
 * an overlap takes the earlier offset (java.time's rule).
 */
import { ExecutionError } from "../../core/errors.ts";
import { daysFromCivil, DAY_MS, HOUR_MS, MINUTE_MS } from "./calendar.ts";

interface Zone {
  readonly id: string;
  readonly offsetAt: (utcMs: number) => number;
}

const QUARTER_MS = 15 * MINUTE_MS;
const CACHE_ENTRIES_MAX = 100_000;
const zones = new Map<string, Zone>();

const invalidZone = (id: string): ExecutionError =>
  new ExecutionError(
    `[INVALID_TIMEZONE] The timezone: ${id} is invalid. The timezone must be either a region-based zone ID or a zone offset. ` +
      `Region IDs must have the form 'area/city', such as 'America/Los_Angeles'. Zone offsets must be in the format '(+|-)HH', '(+|-)HH:mm' or '(+|-)HH:mm:ss'.`,
    { errorClass: "INVALID_TIMEZONE" },
  );

const FIXED = /^(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2})(?::?(\d{2}))?)?$/;

const fixedOffset = (id: string): number | undefined => {
  if (id === "Z" || id === "UTC" || id === "GMT" || id === "UT" || id === "Etc/UTC") return 0;
  const m = FIXED.exec(id);
  if (m === null) return undefined;
  const [hours, minutes, seconds] = [Number(m[2]), Number(m[3] ?? 0), Number(m[4] ?? 0)];
  if (hours > 18 || minutes > 59 || seconds > 59) return undefined;
  const ms = hours * HOUR_MS + minutes * MINUTE_MS + seconds * 1000;
  if (ms > 18 * HOUR_MS) return undefined;
  return m[1] === "-" ? -ms : ms;
};

/** Java's short ids that Intl does not know or reads differently. */
const SHORT_IDS: Readonly<Record<string, string>> = Object.freeze({
  __proto__: null as never,
  PST: "America/Los_Angeles",
  CST: "America/Chicago",
  CTT: "Asia/Shanghai",
  JST: "Asia/Tokyo",
  IST: "Asia/Kolkata",
  BST: "Asia/Dhaka",
  ECT: "Europe/Paris",
  AET: "Australia/Sydney",
  ACT: "Australia/Darwin",
  AGT: "America/Argentina/Buenos_Aires",
  ART: "Africa/Cairo",
  AST: "America/Anchorage",
  BET: "America/Sao_Paulo",
  CAT: "Africa/Harare",
  CNT: "America/St_Johns",
  EAT: "Africa/Addis_Ababa",
  IET: "America/Indiana/Indianapolis",
  MIT: "Pacific/Apia",
  NET: "Asia/Yerevan",
  NST: "Pacific/Auckland",
  PLT: "Asia/Karachi",
  PNT: "America/Phoenix",
  PRT: "America/Puerto_Rico",
  SST: "Pacific/Guadalcanal",
  VST: "Asia/Ho_Chi_Minh",
  EST: "-05:00",
  MST: "-07:00",
  HST: "-10:00",
});

const intlOffset = (format: Intl.DateTimeFormat, utcMs: number): number => {
  const whole = Math.floor(utcMs / 1000) * 1000;
  const field = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
  let bc = false;
  for (const p of format.formatToParts(whole)) {
    if (p.type === "era") bc = p.value.startsWith("B");
    else if (p.type in field) field[p.type as keyof typeof field] = Number(p.value);
  }
  const year = bc ? 1 - field.year : field.year;
  const local =
    daysFromCivil(year, field.month, field.day) * DAY_MS +
    (field.hour % 24) * HOUR_MS +
    field.minute * MINUTE_MS +
    field.second * 1000;
  return local - whole;
};

/** The largest instant Intl formats; beyond it the offset at the edge is used. */
const INTL_MS_MAX = 8.6e15;

/** Java minds the case of ids, Intl does not: words begin with a capital, and only short ones are capitals all through. */
const isWritten = (id: string): boolean =>
  id
    .split(/[/_-]/)
    .every(
      (word) =>
        /^(?:of|au|es|\d.*|[+].*)?$/.test(word) ||
        (/^[A-Z]/.test(word) && !/^(?!CHAT$)[A-Z]{4,}$/.test(word)),
    );

const regionZone = (id: string): Zone => {
  if (!isWritten(id)) throw invalidZone(id);
  let format: Intl.DateTimeFormat;
  try {
    format = new Intl.DateTimeFormat("en-u-ca-gregory-nu-latn", {
      timeZone: id,
      era: "short",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
      hourCycle: "h23",
    });
  } catch {
    throw invalidZone(id);
  }
  const cache = new Map<number, number>();
  let last = Number.NaN;
  let lastOffset = 0;
  const offsetAt = (utcMs: number): number => {
    const quarter = Math.floor(utcMs / QUARTER_MS);
    if (quarter === last) return lastOffset;
    let offset = cache.get(quarter);
    if (offset === undefined) {
      const at = Math.max(-INTL_MS_MAX, Math.min(INTL_MS_MAX, quarter * QUARTER_MS));
      offset = intlOffset(format, at);
      if (cache.size >= CACHE_ENTRIES_MAX) cache.clear();
      cache.set(quarter, offset);
      if (quarter % 4 === 0 && intlOffset(format, at + HOUR_MS - 1000) === offset)
        for (let q = 1; q < 4; q++) cache.set(quarter + q, offset);
    }
    last = quarter;
    lastOffset = offset;
    return offset;
  };
  return { id, offsetAt };
};

/** The zone of an id: `UTC`, `+02:00`, `GMT+2`, `Europe/Berlin`, Java's short ids. @throws ExecutionError INVALID_TIMEZONE */
const zoneOf = (id: string): Zone => {
  let zone = zones.get(id);
  if (zone === undefined) {
    const known = SHORT_IDS[id] ?? id;
    const fixed = fixedOffset(known.trim());
    zone = fixed === undefined ? regionZone(known) : { id, offsetAt: () => fixed };
    zones.set(id, zone);
  }
  return zone;
};

/** Milliseconds that local time is ahead of UTC at an instant. */
export const zoneOffset = (zone: string, utcMs: number): number =>
  zone === "UTC" ? 0 : zoneOf(zone).offsetAt(utcMs);

/** The local timestamp (see calendar.ts) of an instant. */
export const toLocal = (utcMs: number, zone: string): number =>
  zone === "UTC" ? utcMs : utcMs + zoneOf(zone).offsetAt(utcMs);

/** The instant of a local timestamp (Z2). */
export const fromLocal = (localMs: number, zone: string): number => {
  if (zone === "UTC") return localMs;
  const z = zoneOf(zone);
  const before = z.offsetAt(localMs - DAY_MS);
  const after = z.offsetAt(localMs + DAY_MS);
  const early = localMs - before;
  if (before === after || z.offsetAt(early) === before) return early;
  const late = localMs - after;
  return z.offsetAt(late) === after ? late : early;
};

/** Checks an id. */
export const isZone = (id: string): boolean => {
  try {
    zoneOf(id);
    return true;
  } catch {
    return false;
  }
};

/** `+02:00`; seconds only where there are some; `zero` for UTC itself. */
export const formatOffset = (offsetMs: number, zero = "Z"): string => {
  if (offsetMs === 0) return zero;
  const s = Math.abs(offsetMs) / 1000;
  const two = (n: number): string => String(Math.floor(n)).padStart(2, "0");
  const base = `${offsetMs < 0 ? "-" : "+"}${two(s / 3600)}:${two((s / 60) % 60)}`;
  return s % 60 === 0 ? base : `${base}:${two(s % 60)}`;
};

const WINTER_2020 = Date.UTC(2020, 0, 1);
const SUMMER_2020 = Date.UTC(2020, 6, 1);
/** An instant of 2020 that has summer time when the given one has. */
const modernInstant = (zone: string, utcMs: number): number => {
  const [winter, summer] = [zoneOffset(zone, WINTER_2020), zoneOffset(zone, SUMMER_2020)];
  const saving = winter !== summer && zoneOffset(zone, utcMs) === Math.max(winter, summer);
  return summer > winter === saving ? SUMMER_2020 : WINTER_2020;
};

/** Intl's name of a zone at an instant (`PST`, `Pacific Standard Time`). */
export const zoneName = (zone: string, utcMs: number, long: boolean): string => {
  // Names are those of today: before 1970 only summer and winter time are told apart.
  if (utcMs < 0 && fixedOffset(zone) === undefined) return zoneName(zone, modernInstant(zone, utcMs), long);
  if (fixedOffset(zone) === 0) return long ? "Coordinated Universal Time" : zone === "GMT" ? "GMT" : "UTC";
  const fixed = fixedOffset(zone);
  if (fixed !== undefined) return formatOffset(fixed);
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: SHORT_IDS[zone] ?? zone,
    timeZoneName: long ? "long" : "short",
  }).formatToParts(utcMs);
  return parts.find((p) => p.type === "timeZoneName")?.value ?? zone;
};
