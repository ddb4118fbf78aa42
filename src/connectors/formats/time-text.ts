/**
 * Dates and timestamps as text at the edges of the engine, in their ISO-8601 forms (Spark's defaults for JSON and CSV). One hand-written fast path
 * for the usual 20-30 characters, one pattern for the rest. Values are those of src/core/value.ts.
 */

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;

const daysFromCivil = (year: number, month: number, day: number): number => {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yoe = y - era * 400;
  const doy = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return era * 146_097 + yoe * 365 + Math.floor(yoe / 4) - Math.floor(yoe / 100) + doy - 719_468;
};

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
const validDay = (y: number, m: number, d: number): boolean =>
  m >= 1 &&
  m <= 12 &&
  d >= 1 &&
  d <= (m === 2 && y % 4 === 0 && (y % 100 !== 0 || y % 400 === 0) ? 29 : MONTH_DAYS[m - 1]!);

const offsetCaches = new Map<string, { format: Intl.DateTimeFormat; hours: Map<number, number> }>();

/** Offset of a named zone at an instant, milliseconds east of UTC. */
const zoneOffset = (zone: string, utcMs: number): number => {
  let cache = offsetCaches.get(zone);
  if (cache === undefined) {
    const format = new Intl.DateTimeFormat("en-US", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "numeric",
      day: "numeric",
      hour: "numeric",
      minute: "numeric",
      second: "numeric",
      era: "short",
    });
    offsetCaches.set(zone, (cache = { format, hours: new Map() }));
  }
  // A quarter of an hour: zones change at those.
  const quarter = Math.floor(utcMs / 900_000);
  let offset = cache.hours.get(quarter);
  if (offset === undefined) {
    const parts = Object.fromEntries(
      cache.format.formatToParts(quarter * 900_000).map((p) => [p.type, p.value]),
    );
    const year = parts["era"]?.startsWith("B") === true ? 1 - Number(parts["year"]) : Number(parts["year"]);
    const days = daysFromCivil(year, Number(parts["month"]), Number(parts["day"]));
    const time = Number(parts["hour"]) * 3600 + Number(parts["minute"]) * 60 + Number(parts["second"]);
    offset = days * DAY_MS + time * 1000 - quarter * 900_000;
    if (cache.hours.size > 100_000) cache.hours.clear();
    cache.hours.set(quarter, offset);
  }
  return offset;
};

const isUtc = (zone: string): boolean => zone === "UTC" || zone === "Z" || zone === "Etc/UTC";
const FIXED = /^(?:UTC|GMT|UT)?([+-])(\d{1,2})(?::?(\d{2}))?(?::?(\d{2}))?$/;

const fixedOffset = (zone: string): number | undefined => {
  if (isUtc(zone) || zone === "GMT" || zone === "UT") return 0;
  const m = FIXED.exec(zone);
  if (m === null || Number(m[2]) > 18 || Number(m[3] ?? 0) > 59 || Number(m[4] ?? 0) > 59) return undefined;
  const ms = Number(m[2]) * HOUR_MS + Number(m[3] ?? 0) * 60_000 + Number(m[4] ?? 0) * 1000;
  return m[1] === "-" ? -ms : ms;
};

/** UTC of a local time: one in a gap moves forward by the gap, one in an overlap takes the earlier offset (java.time's rule). */
const toUtc = (localMs: number, zone: string): number | undefined => {
  if (isUtc(zone)) return localMs;
  const fixed = fixedOffset(zone);
  if (fixed !== undefined) return localMs - fixed;
  try {
    const before = zoneOffset(zone, localMs - DAY_MS);
    if (zoneOffset(zone, localMs - before) === before) return localMs - before;
    const after = zoneOffset(zone, localMs + DAY_MS);
    return zoneOffset(zone, localMs - after) === after ? localMs - after : localMs - before;
  } catch {
    return undefined; // no such zone
  }
};

/** Local milliseconds of an instant in a zone. */
export const toLocal = (utcMs: number, zone: string): number =>
  utcMs + (fixedOffset(zone) ?? zoneOffset(zone, utcMs));

const two = (s: string, i: number): number => {
  const a = s.charCodeAt(i) - 48;
  const b = s.charCodeAt(i + 1) - 48;
  return a >= 0 && a <= 9 && b >= 0 && b <= 9 ? a * 10 + b : -1;
};

/** Milliseconds of a UTC time in years, months, … and microseconds; NaN when one is out of its range. */
export const timestampFields = (
  year: number,
  month: number,
  day: number,
  hour: number,
  minute: number,
  second: number,
  micros: number,
): number => {
  if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59) return NaN;
  if (!validDay(year, month, day)) return NaN;
  return (
    daysFromCivil(year, month, day) * DAY_MS + ((hour * 60 + minute) * 60 + second) * 1000 + micros / 1000
  );
};

/** `YYYY-MM-DDTHH:MM:SS[.f{1,6}]Z` in ms, NaN for any other form. */
const parseUsual = (s: string): number => {
  const length = s.length;
  if (length < 20 || length > 27 || s.charCodeAt(length - 1) !== 90) return NaN;
  if (s.charCodeAt(4) !== 45 || s.charCodeAt(7) !== 45) return NaN;
  if (s.charCodeAt(13) !== 58 || s.charCodeAt(16) !== 58) return NaN;
  const separator = s.charCodeAt(10);
  if (separator !== 84 && separator !== 32) return NaN;
  const [century, year] = [two(s, 0), two(s, 2)];
  if (century < 0 || year < 0) return NaN;
  let micros = 0;
  if (length > 20) {
    if (s.charCodeAt(19) !== 46 || length === 21) return NaN;
    let weight = 100_000;
    for (let i = 20; i < length - 1; i++, weight /= 10) {
      const digit = s.charCodeAt(i) - 48;
      if (digit < 0 || digit > 9) return NaN;
      micros += digit * weight;
    }
  }
  const [month, day, hour] = [two(s, 5), two(s, 8), two(s, 11)];
  return timestampFields(century * 100 + year, month, day, hour, two(s, 14), two(s, 17), micros);
};

const TEXT =
  /^([+-]?\d{4,6})(?:-(\d{1,2})(?:-(\d{1,2})(?:[ T](?:(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:\.(\d*))?)?\s*(\S.*)?)?)?)?)?$/;

const parseAny = (
  text: string,
): { readonly localMs: number; readonly zone: string | undefined } | undefined => {
  const m = TEXT.exec(text.trim());
  if (m === null) return undefined;
  const [year, month, day] = [Number(m[1]), Number(m[2] ?? 1), Number(m[3] ?? 1)];
  const [hour, minute, second] = [Number(m[4] ?? 0), Number(m[5] ?? 0), Number(m[6] ?? 0)];
  if (!validDay(year, month, day) || hour > 23 || minute > 59 || second > 59) return undefined;
  const micros = Number((m[7] ?? "").slice(0, 6).padEnd(6, "0"));
  const time = ((hour * 60 + minute) * 60 + second) * 1000 + micros / 1000;
  return { localMs: daysFromCivil(year, month, day) * DAY_MS + time, zone: m[8] };
};

/** Milliseconds UTC of a timestamp's text; one without a zone is in `zone`. NaN when it is none. */
export const timestampOfText = (text: string, zone: string): number => {
  const usual = parseUsual(text);
  if (usual === usual) return usual;
  const parts = parseAny(text);
  if (parts === undefined) return NaN;
  return toUtc(parts.localMs, parts.zone ?? zone) ?? NaN;
};

/** Local milliseconds of a timestamp_ntz; a zone in the text is refused, as in Spark. NaN when it is none. */
export const timestampNtzOfText = (text: string): number => {
  const parts = parseAny(text);
  return parts === undefined || parts.zone !== undefined ? NaN : parts.localMs;
};

/** Days since the epoch of `yyyy-[m]m-[d]d`, a time behind it is ignored. NaN when it is none. */
export const dateOfText = (text: string): number => {
  const parts = parseAny(text);
  return parts === undefined ? NaN : Math.floor(parts.localMs / DAY_MS);
};

const pad2 = (n: number): string => (n < 10 ? `0${n}` : String(n));
const pad3 = (n: number): string => (n < 10 ? `00${n}` : n < 100 ? `0${n}` : String(n));

let cachedDay = NaN;
let cachedText = "";

/** `yyyy-MM-dd` of days since the epoch. */
export const dateText = (days: number): string => {
  if (days === cachedDay) return cachedText;
  const z = days + 719_468;
  const era = Math.floor(z / 146_097);
  const doe = z - era * 146_097;
  const yoe = Math.floor(
    (doe - Math.floor(doe / 1460) + Math.floor(doe / 36_524) - Math.floor(doe / 146_096)) / 365,
  );
  const doy = doe - (365 * yoe + Math.floor(yoe / 4) - Math.floor(yoe / 100));
  const mp = Math.floor((5 * doy + 2) / 153);
  const month = mp < 10 ? mp + 3 : mp - 9;
  const year = yoe + era * 400 + (month <= 2 ? 1 : 0);
  const yearText =
    year < 0
      ? `-${String(-year).padStart(4, "0")}`
      : year > 9999
        ? `+${year}`
        : String(year).padStart(4, "0");
  cachedText = `${yearText}-${pad2(month)}-${pad2(doy - Math.floor((153 * mp + 2) / 5) + 1)}`;
  cachedDay = days;
  return cachedText;
};

/** `yyyy-MM-ddTHH:mm:ss.SSS` of milliseconds; microseconds are cut off (the JSON form of DESIGN section 4). */
export const localTimestampText = (ms: number): string => {
  const days = Math.floor(ms / DAY_MS);
  const t = Math.floor(ms - days * DAY_MS);
  const s = (t / 1000) | 0;
  const m = (s / 60) | 0;
  const h = (m / 60) | 0;
  return `${dateText(days)}T${pad2(h)}:${pad2(m - h * 60)}:${pad2(s - m * 60)}.${pad3(t - s * 1000)}`;
};
