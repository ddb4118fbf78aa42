/** Formats a timestamp by a Java pattern (`date_format`, `from_unixtime`, the `timestampFormat` of JSON and CSV), locale en-US. */
import {
  civilFromDays,
  DAY_MS,
  dayOfLocal,
  dayOfYear,
  HOUR_MS,
  microsOf,
  MINUTE_MS,
  SECOND_MS,
  timeOfLocal,
  weekday,
} from "./calendar.ts";
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
    case "z":
      return zoneName(m.zone, m.utcMs, count === 4);
    default:
      return offsetText(m, letter, count);
  }
};

/** How long the text of a letter stays the same, in milliseconds of local time; absent: it never does (parts of a second, offsets and names of zones). */
const SPANS: ReadonlyMap<string, number> = new Map([
  ...[..."GuyMLdDEFqQ"].map((c) => [c, DAY_MS] as const),
  ...[..."ahKkH"].map((c) => [c, HOUR_MS] as const),
  ["m", MINUTE_MS],
  ["s", SECOND_MS],
]);

type FieldToken = Extract<PatternToken, { kind: "field" }>;
type Part = FieldToken | string;

/** Neighbours in a pattern whose text changes together. */
interface Segment {
  /** 0: computed each time. */
  readonly span: number;
  readonly parts: readonly Part[];
  /** The span that `text` is of. */
  at: number;
  text: string;
}

/** The parts in order; what is optional is written always, and a zone's id is a text. */
const partsOf = (tokens: readonly PatternToken[], zone: string): readonly Part[] =>
  tokens.flatMap((t) => {
    if (t.kind === "optional") return partsOf(t.tokens, zone);
    if (t.kind === "literal") return [t.text];
    return [t.letter === "V" ? zone : t];
  });

const segmentsOf = (parts: readonly Part[]): readonly Segment[] => {
  const groups: { span: number; parts: Part[] }[] = [];
  for (const part of parts) {
    const span = typeof part === "string" ? undefined : (SPANS.get(part.letter) ?? 0);
    const last = groups.at(-1);
    if (last !== undefined && (span === undefined || span === last.span)) last.parts.push(part);
    else groups.push({ span: span ?? DAY_MS, parts: [part] });
  }
  return groups.map((g) => ({ ...g, at: Number.NaN, text: "" }));
};

/** A pattern in a zone. The text of the last instant is kept: in a stream most are of the same minute or day as those before. */
class InstantFormat {
  readonly #zone: string;
  readonly #segments: readonly Segment[];
  /** The shortest span of all segments. */
  readonly #span: number;
  #at = Number.NaN;
  #text = "";

  constructor(pattern: string, zone: string) {
    this.#zone = zone;
    this.#segments = segmentsOf(partsOf(patternTokens(pattern, false), zone));
    this.#span = Math.min(DAY_MS, ...this.#segments.map((s) => s.span));
  }

  format(utcMs: number): string {
    const local = microsOf(toLocal(utcMs, this.#zone)) / 1000;
    if (this.#span === 0) return this.#compute(local, utcMs);
    const at = Math.floor(local / this.#span);
    if (at !== this.#at) {
      this.#text = this.#compute(local, utcMs);
      this.#at = at;
    }
    return this.#text;
  }

  #compute(local: number, utcMs: number): string {
    let out = "";
    let moment: Moment | undefined;
    for (const s of this.#segments) {
      const at = s.span === 0 ? Number.NaN : Math.floor(local / s.span);
      if (at !== s.at) {
        moment ??= momentOf(local, utcMs, this.#zone);
        s.text = "";
        for (const p of s.parts) s.text += typeof p === "string" ? p : fieldText(moment, p.letter, p.count);
        s.at = at;
      }
      out += s.text;
    }
    return out;
  }
}

const momentOf = (local: number, utcMs: number, zone: string): Moment => {
  const days = dayOfLocal(local);
  const inDay = microsOf(timeOfLocal(local));
  const seconds = Math.floor(inDay / 1_000_000);
  return { ...civilFromDays(days), days, seconds, micros: inDay - seconds * 1_000_000, zone, utcMs };
};

const PATTERNS_MAX = 1000;
const formats = new Map<string, Map<string, InstantFormat>>();

const formatOf = (pattern: string, zone: string): InstantFormat => {
  let ofZone = formats.get(zone);
  if (ofZone === undefined) formats.set(zone, (ofZone = new Map()));
  let format = ofZone.get(pattern);
  if (format === undefined) {
    if (ofZone.size >= PATTERNS_MAX) ofZone.clear();
    ofZone.set(pattern, (format = new InstantFormat(pattern, zone)));
  }
  return format;
};

/** The text of an instant in a zone. @throws ExecutionError for a pattern that Spark refuses */
export const formatInstant = (utcMs: number, zone: string, pattern: string): string =>
  formatOf(pattern, zone).format(utcMs);
