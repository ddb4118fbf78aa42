/** Formats a timestamp by a Java pattern (`date_format`, `from_unixtime`, the `timestampFormat` of JSON and CSV), locale en-US. */
import { civilFromDays, dayOfLocal, dayOfYear, microsOf, timeOfLocal, weekday } from "./calendar.ts";
import { MONTHS, patternTokens, type PatternToken, WEEKDAYS } from "./pattern-text.ts";
import { formatOffset, toLocal, zoneName, zoneOffset } from "./zones.ts";

interface Moment {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly days: number;
  /** Whole seconds since midnight. */
  readonly seconds: number;
  readonly micros: number;
  readonly zone: string;
  readonly utcMs: number;
}

const pad = (n: number, width: number): string =>
  n < 0 ? `-${String(-n).padStart(width, "0")}` : String(n).padStart(width, "0");

const yearText = (year: number, count: number): string => {
  if (count === 2) return pad(((year % 100) + 100) % 100, 2);
  return count >= 4 && year >= 10 ** count ? `+${year}` : pad(year, count);
};

const quarterText = (m: Moment, count: number): string => {
  const q = Math.floor((m.month - 1) / 3) + 1;
  if (count <= 2) return pad(q, count);
  return count === 3 ? `Q${q}` : `${q}${["st", "nd", "rd", "th"][q - 1]} quarter`;
};

const named = (names: readonly string[], index: number, full: boolean): string =>
  full ? names[index]! : names[index]!.slice(0, 3);

const compactOffset = (offset: number, minutes: "never0" | "always", seconds: boolean): string => {
  const text = formatOffset(offset, "+00:00");
  const [h, mm, ss] = text.split(":") as [string, string, string | undefined];
  if (minutes === "never0" && mm === "00" && ss === undefined) return h;
  return h + mm + (seconds && ss !== undefined ? ss : "");
};

/** The letters X, x, Z and O. */
const offsetText = (m: Moment, letter: string, count: number): string => {
  const offset = zoneOffset(m.zone, m.utcMs);
  if (letter === "X" && offset === 0) return "Z";
  if (letter === "O" || (letter === "Z" && count === 4)) {
    if (offset === 0) return "GMT";
    const long = formatOffset(offset);
    return `GMT${count === 4 ? long : long.replace(/^([+-])0/, "$1").replace(":00", "")}`;
  }
  if (letter === "Z") return count === 5 ? formatOffset(offset) : compactOffset(offset, "always", false);
  if (count === 1) return compactOffset(offset, "never0", false);
  if (count === 2 || count === 4) return compactOffset(offset, "always", count === 4);
  const text = formatOffset(offset, "+00:00");
  return count === 3 ? text.slice(0, 6) : text;
};

const fieldText = (m: Moment, letter: string, count: number): string => {
  const hour = Math.floor(m.seconds / 3600);
  switch (letter) {
    case "G":
      return count < 4 ? (m.year > 0 ? "AD" : "BC") : m.year > 0 ? "Anno Domini" : "Before Christ";
    case "u":
      return yearText(m.year, count);
    case "y":
      return yearText(m.year > 0 ? m.year : 1 - m.year, count);
    case "M":
    case "L":
      return count <= 2 ? pad(m.month, count) : named(MONTHS, m.month - 1, count === 4);
    case "d":
      return pad(m.day, count);
    case "D":
      return pad(dayOfYear(m.days), count);
    case "E":
      return named(WEEKDAYS, weekday(m.days), count === 4);
    case "F":
      return String(((m.day - 1) % 7) + 1);
    case "a":
      return hour < 12 ? "AM" : "PM";
    case "h":
      return pad(hour % 12 || 12, count);
    case "K":
      return pad(hour % 12, count);
    case "k":
      return pad(hour || 24, count);
    case "H":
      return pad(hour, count);
    case "m":
      return pad(Math.floor(m.seconds / 60) % 60, count);
    case "s":
      return pad(m.seconds % 60, count);
    case "S":
      return `${pad(m.micros, 6)}000`.slice(0, count);
    case "q":
    case "Q":
      return quarterText(m, count);
    case "V":
      return m.zone;
    case "z":
      return zoneName(m.zone, m.utcMs, count === 4);
    default:
      return offsetText(m, letter, count);
  }
};

const write = (tokens: readonly PatternToken[], m: Moment): string => {
  let out = "";
  for (const t of tokens)
    out +=
      t.kind === "literal"
        ? t.text
        : t.kind === "field"
          ? fieldText(m, t.letter, t.count)
          : write(t.tokens, m);
  return out;
};

/** The text of an instant in a zone. @throws ExecutionError for a pattern that Spark refuses */
export const formatInstant = (utcMs: number, zone: string, pattern: string): string => {
  const micros = microsOf(toLocal(utcMs, zone));
  const local = micros / 1000;
  const days = dayOfLocal(local);
  const inDay = microsOf(timeOfLocal(local));
  const seconds = Math.floor(inDay / 1_000_000);
  const c = civilFromDays(days);
  return write(patternTokens(pattern, false), {
    ...c,
    days,
    seconds,
    micros: inDay - seconds * 1_000_000,
    zone,
    utcMs,
  });
};
