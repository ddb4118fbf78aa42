/** Dates and timestamps made of parts, numbers and text, and back: to_timestamp, date_format, unix_timestamp, make_date, current_timestamp. */
import {
  DATE,
  type DataType,
  decimal,
  INT,
  LONG,
  STRING,
  TIMESTAMP,
  TIMESTAMP_NTZ,
} from "../../core/data-type.ts";
import { ExecutionError } from "../../core/errors.ts";
import type { Value } from "../../core/value.ts";
import { castFunction } from "../cast.ts";
import { isDatetime, isNumeric } from "../coercion.ts";
import { decimalToNumber } from "../decimal.ts";
import type { BoundCall, FunctionDefinition, TypeRule } from "../function.ts";
import {
  dateLike,
  integral,
  numeric,
  oneOf,
  signature,
  struct,
  timestampLike,
  type TypeClass,
} from "../rules.ts";
import {
  dayOfLocal,
  daysFromCivil,
  DAY_MS,
  fromMicros,
  isValidDate,
  microsOf,
  withMicros,
} from "../time/calendar.ts";
import { formatInstant } from "../time/pattern-format.ts";
import { parseInstant, type ParsedInstant, parsePattern } from "../time/pattern-parse.ts";
import { fromLocal, toLocal } from "../time/zones.ts";
import { instantOverflow } from "../runtime-errors.ts";
import { unexpectedInput } from "../type-errors.ts";
import { failure, family, overflow, plain, strict } from "./definition.ts";

const time = family("time");
const PATTERN_DEFAULT = "yyyy-MM-dd HH:mm:ss";

const unparsed = (text: string, pattern: string, instead: string): Error =>
  failure(
    "CANNOT_PARSE_TIMESTAMP",
    `Text '${text}' could not be parsed by '${pattern}'. Use \`${instead}\` to tolerate invalid input string and return NULL instead.`,
  );

/** Text, or any date or timestamp. */
const parsable: TypeClass = oneOf({ name: `"DATE"`, accepts: isDatetime, whenNull: STRING }, STRING);

/** For timestamps also seconds since the epoch. */
const instantLike: TypeClass = oneOf(
  { name: `"DATE"`, accepts: (t) => isDatetime(t) || isNumeric(t), whenNull: STRING },
  STRING,
);

const castOf = (v: Value, from: DataType, call: BoundCall): Value =>
  castFunction(from, call.type, { timeZone: call.context.timeZone, clockMs: call.context.clockMs })(v);

/** By a pattern that old formatters never saw: whatever is wrong with it, it is not recognized. */
const parseLocal = (text: string, pattern: string): ParsedInstant | undefined => {
  try {
    return parsePattern(text, pattern);
  } catch (e) {
    if (!(e instanceof ExecutionError)) throw e;
    throw failure(
      "INVALID_DATETIME_PATTERN.WITH_SUGGESTION",
      `Unrecognized datetime pattern: '${pattern}'. You can form a valid datetime pattern with the letters of Spark's datetime pattern reference.`,
    );
  }
};

const parseText = (text: string, pattern: string, to: DataType, zone: string): number | undefined => {
  if (to.kind === "timestamp") return parseInstant(text, zone, pattern);
  const p = to.kind === "date" ? parsePattern(text, pattern) : parseLocal(text, pattern);
  if (p === undefined) return undefined;
  return to.kind === "date" ? dayOfLocal(p.localMs) : p.localMs;
};

const parsing = (
  usage: string,
  summary: string,
  to: DataType,
  lenient: boolean,
  example: readonly [string, string],
  aliases: readonly string[] = [],
): FunctionDefinition =>
  time(
    usage,
    summary,
    signature([to.kind === "timestamp" ? instantLike : parsable, STRING], to, {
      optional: 1,
      ...(lenient ? { nullable: true } : {}),
    }),
    strict<[Value, string | undefined]>(([v, pattern], call) => {
      const from = call.argTypes[0]!;
      const text = from.kind === "string" && pattern !== undefined;
      if (lenient) {
        if (text) return parseText(v as string, pattern, to, call.context.timeZone) ?? null;
        return castFunction(from, call.type, { timeZone: call.context.timeZone, tryCast: true })(v);
      }
      if (!text) return castOf(v, from, call);
      const parsed = parseText(v as string, pattern, to, call.context.timeZone);
      if (parsed === undefined)
        throw unparsed(v as string, pattern, to.kind === "date" ? "try_to_date" : "try_to_timestamp");
      return parsed;
    }),
    { examples: [example], aliases },
  );

/** Seconds since the epoch of a text or a time. */
const unixSeconds = (v: Value, pattern: string, call: BoundCall): Value => {
  const type = call.argTypes[0]!;
  const zone = call.context.timeZone;
  if (type.kind === "date") return Math.floor(fromLocal((v as number) * DAY_MS, zone) / 1000);
  if (type.kind === "timestamp_ntz") return Math.floor(fromLocal(v as number, zone) / 1000);
  if (type.kind === "timestamp") return Math.floor(microsOf(v as number) / 1_000_000);
  const ms = parseInstant(v as string, zone, pattern);
  if (ms === undefined) throw unparsed(v as string, pattern, "try_to_timestamp");
  return Math.floor(ms / 1000);
};

const unixRule: TypeRule = (args, site) =>
  args.length === 0 && site.fn.toLowerCase() === "unix_timestamp"
    ? { args, type: LONG, nullable: false }
    : signature([parsable, STRING], LONG, { optional: 1 })(args, site);

const fromSeconds = (v: Value, type: DataType): number => {
  if (type.kind === "float" || type.kind === "double") return fromMicros(Math.trunc((v as number) * 1e6));
  if (type.kind === "decimal") return fromMicros(Math.trunc(decimalToNumber(v as bigint, type.scale) * 1e6));
  const ms = BigInt(v as number | bigint) * 1_000_000n;
  if (BigInt.asIntN(64, ms) !== ms) throw overflow();
  return Number(v) * 1000;
};

const texts: readonly FunctionDefinition[] = [
  parsing("to_date(text[, pattern])", "A text as a date, by a pattern or as a cast.", DATE, false, [
    "to_date('2016-12-31', 'yyyy-MM-dd')",
    "2016-12-31",
  ]),
  parsing("try_to_date(text[, pattern])", "to_date; null where the text does not fit.", DATE, true, [
    "try_to_date('2016-12-31', 'yyyy-MM-dd')",
    "2016-12-31",
  ]),
  parsing(
    "to_timestamp(text[, pattern])",
    "A text as a timestamp, by a pattern or as a cast.",
    TIMESTAMP,
    false,
    ["to_timestamp('2016-12-31', 'yyyy-MM-dd')", "2016-12-31 00:00:00"],
    ["to_timestamp_ltz"],
  ),
  parsing(
    "try_to_timestamp(text[, pattern])",
    "to_timestamp; null where the text does not fit.",
    TIMESTAMP,
    true,
    ["try_to_timestamp('2016-12-31', 'yyyy-MM-dd')", "2016-12-31 00:00:00"],
  ),
  parsing("to_timestamp_ntz(text[, pattern])", "A text as a timestamp without zone.", TIMESTAMP_NTZ, false, [
    "to_timestamp_ntz('2016-12-31', 'yyyy-MM-dd')",
    "2016-12-31 00:00:00",
  ]),
  time(
    "date_format(timestamp, pattern)",
    "A date or timestamp as text by a pattern.",
    signature([timestampLike, STRING], STRING),
    strict<[number, string]>(([t, pattern], call) =>
      formatInstant(t, call.argTypes[0]!.kind === "timestamp" ? call.context.timeZone : "UTC", pattern),
    ),
    { examples: [["date_format('2016-04-08', 'y')", "2016"]] },
  ),
  time(
    "unix_timestamp([time[, pattern]])",
    "Seconds since 1970-01-01 UTC of a text or time; without arguments, of now.",
    unixRule,
    strict<[Value?, string?]>(([v, pattern], call) =>
      v === undefined
        ? Math.floor(call.context.clockMs / 1000)
        : unixSeconds(v, pattern ?? PATTERN_DEFAULT, call),
    ),
    { aliases: ["to_unix_timestamp"], deterministic: false },
  ),
  time(
    "from_unixtime(seconds[, pattern])",
    "Seconds since 1970-01-01 UTC as text.",
    signature([LONG, STRING], STRING, { optional: 1 }),
    strict<[number | bigint, string | undefined]>(([s, pattern], call) =>
      formatInstant(Number(s) * 1000, call.context.timeZone, pattern ?? PATTERN_DEFAULT),
    ),
    { examples: [["from_unixtime(0, 'yyyy-MM-dd HH:mm:ss')", "1970-01-01 00:00:00"]] },
  ),
];

/** A text is read as the type, a timestamp without zone as one with; no other type becomes it. */
const exactly =
  (kind: "date" | "timestamp", rule: TypeRule): TypeRule =>
  (args, site) => {
    const given = args[0]?.type.kind ?? kind;
    const accepted = [kind, "string", "null", ...(kind === "timestamp" ? ["timestamp_ntz"] : [])];
    if (args.length === 1 && !accepted.includes(given))
      throw unexpectedInput(site, args, 0, `"${kind.toUpperCase()}"`);
    return rule(args, site);
  };

const instant = (usage: string, summary: string, micros: number): FunctionDefinition =>
  time(
    usage,
    summary,
    signature([integral], TIMESTAMP),
    strict<[number | bigint]>(([n]) => {
      const exact = BigInt(n) * BigInt(micros);
      if (BigInt.asIntN(64, exact) !== exact) throw instantOverflow(usage.slice(0, usage.indexOf("(")));
      return fromMicros(Number(exact));
    }),
  );
const unixOf = (usage: string, summary: string, micros: number): FunctionDefinition =>
  time(
    usage,
    summary,
    exactly("timestamp", signature([TIMESTAMP], LONG)),
    plain((t: number) => Math.floor(microsOf(t) / micros)),
  );

const numbers: readonly FunctionDefinition[] = [
  time(
    "timestamp_seconds(n)",
    "The timestamp some seconds after 1970-01-01 UTC.",
    (args, site) => {
      if (args[0]?.type.kind === "string") throw unexpectedInput(site, args, 0, `"NUMERIC"`);
      return signature([numeric], TIMESTAMP)(args, site);
    },
    strict<[Value]>(([v], call) => fromSeconds(v, call.argTypes[0]!)),
    {
      examples: [["timestamp_seconds(1230219000)", "2008-12-25 15:30:00"]],
    },
  ),
  instant("timestamp_millis(n)", "The timestamp some milliseconds after 1970-01-01 UTC.", 1000),
  instant("timestamp_micros(n)", "The timestamp some microseconds after 1970-01-01 UTC.", 1),
  unixOf("unix_seconds(timestamp)", "Whole seconds since 1970-01-01 UTC.", 1_000_000),
  unixOf("unix_millis(timestamp)", "Whole milliseconds since 1970-01-01 UTC.", 1000),
  unixOf("unix_micros(timestamp)", "Microseconds since 1970-01-01 UTC.", 1),
  time(
    "unix_date(date)",
    "Days since 1970-01-01.",
    exactly("date", signature([dateLike], INT)),
    plain((d: number) => d),
    { examples: [["unix_date(DATE('1970-01-02'))", "1"]] },
  ),
  time(
    "date_from_unix_date(days)",
    "The date some days after 1970-01-01.",
    signature([INT], DATE),
    plain((d: number) => d),
    { examples: [["date_from_unix_date(1)", "1970-01-02"]] },
  ),
  time(
    "window_time(window)",
    "The last instant of a window: its end less a microsecond.",
    signature([struct], TIMESTAMP),
    strict<[readonly number[]]>(([w]) => fromMicros(microsOf(w[1]!) - 1)),
  ),
];

const outOfBounds = (message: string): Error =>
  failure("DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", `${message}.`);

const SECONDS = decimal(16, 6);

/** The local timestamp of parts; seconds are microseconds (scale 6) and may be exactly 60. */
const localOfParts = (y: number, mo: number, d: number, h: number, mi: number, seconds: bigint): number => {
  const micros = Number(seconds);
  if (!isValidDate(y, mo, d)) throw outOfBounds(`Invalid date '${y}-${mo}-${d}'`);
  if (h < 0 || h > 23) throw outOfBounds(`Invalid value for HourOfDay (valid values 0 - 23): ${h}`);
  if (mi < 0 || mi > 59) throw outOfBounds(`Invalid value for MinuteOfHour (valid values 0 - 59): ${mi}`);
  if (micros > 60_000_000) {
    if (micros < 61_000_000)
      throw failure(
        "INVALID_FRACTION_OF_SECOND",
        "Valid range for seconds is [0, 60] (inclusive). Use `try_make_timestamp` to tolerate invalid input and return NULL instead.",
      );
  }
  if (micros < 0 || micros > 60_000_000)
    throw outOfBounds(`Invalid value for SecondOfMinute (valid values 0 - 59): ${micros / 1e6}`);
  return withMicros(daysFromCivil(y, mo, d) * DAY_MS + h * 3_600_000 + mi * 60_000, micros);
};

/** The parts; or one argument, a date. With two or three Spark takes a date and a TIME, which is not supported. */
const partsRule = (to: DataType, lenient: boolean): TypeRule => {
  const zoned = to.kind === "timestamp";
  const nullable = lenient ? { nullable: true } : {};
  const all = [INT, INT, INT, INT, INT, SECONDS];
  const ofParts = signature(zoned ? [...all, STRING] : all, to, { optional: zoned ? 1 : 0, ...nullable });
  const ofDate = signature([DATE], to, nullable);
  return (args, site) => {
    if (zoned && args.length === 1 && !site.fn.toLowerCase().endsWith("_ltz")) return ofDate(args, site);
    if (args.length === 2 || (zoned && args.length === 3)) {
      ofDate(args.slice(0, 1), site);
      throw unexpectedInput(site, args, 1, `"TIME"`);
    }
    return ofParts(args, site);
  };
};

type Parts = [number, number, number, number, number, bigint, (string | undefined)?];
const making = (
  name: string,
  to: DataType,
  lenient: boolean,
  aliases: readonly string[] = [],
): FunctionDefinition =>
  time(
    `${name}(year, month, day, hour, min, sec${to.kind === "timestamp" ? "[, zone]" : ""})`,
    `A timestamp of its parts${lenient ? "; null when they are out of bounds" : ""}.`,
    partsRule(to, lenient),
    strict<Parts>(([y, mo, d, h, mi, s, zone], call) => {
      // Of a date alone: the start of its day.
      if (mo === undefined)
        return to.kind === "timestamp" ? fromLocal(y * DAY_MS, call.context.timeZone) : y * DAY_MS;
      try {
        const local = localOfParts(y, mo, d, h, mi, s);
        return to.kind === "timestamp" ? fromLocal(local, zone ?? call.context.timeZone) : local;
      } catch (e) {
        if (lenient) return null;
        throw e;
      }
    }),
    { aliases },
  );

const parts: readonly FunctionDefinition[] = [
  time(
    "make_date(year, month, day)",
    "A date of its parts.",
    signature([INT, INT, INT], DATE),
    plain((y: number, m: number, d: number) => {
      if (!isValidDate(y, m, d)) throw outOfBounds(`Invalid date '${y}-${m}-${d}'`);
      return daysFromCivil(y, m, d);
    }),
    { examples: [["make_date(2013, 7, 15)", "2013-07-15"]] },
  ),
  making("make_timestamp", TIMESTAMP, false, ["make_timestamp_ltz"]),
  making("try_make_timestamp", TIMESTAMP, true, ["try_make_timestamp_ltz"]),
  making("make_timestamp_ntz", TIMESTAMP_NTZ, false),
  making("try_make_timestamp_ntz", TIMESTAMP_NTZ, true),
];

const now = (
  usage: string,
  summary: string,
  type: DataType,
  f: (call: BoundCall) => Value,
  aliases: readonly string[] = [],
): FunctionDefinition =>
  time(
    usage,
    summary,
    signature([], type, { nullable: false }),
    strict<[]>((_, call) => f(call)),
    { aliases, deterministic: false },
  );

const clock: readonly FunctionDefinition[] = [
  now(
    "current_timestamp()",
    "The time of the epoch (of the query, in batch).",
    TIMESTAMP,
    (c) => c.context.clockMs,
    ["now"],
  ),
  now("localtimestamp()", "current_timestamp() as local time without zone.", TIMESTAMP_NTZ, (c) =>
    toLocal(c.context.clockMs, c.context.timeZone),
  ),
  now(
    "current_date()",
    "The date of current_timestamp() in the session's zone.",
    DATE,
    (c) => dayOfLocal(toLocal(c.context.clockMs, c.context.timeZone)),
    ["curdate"],
  ),
  now("current_timezone()", "The session's zone.", STRING, (c) => c.context.timeZone),
];

export const DATETIME_CONVERT_FUNCTIONS: readonly FunctionDefinition[] = [
  ...texts,
  ...numbers,
  ...parts,
  ...clock,
];
