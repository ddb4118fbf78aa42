/** Parts of dates and timestamps: year … second, extract, day and month names. A timestamp is read in the session's zone, a timestamp_ntz as it is. */
import { BYTE, type DataType, decimal, DOUBLE, INT, STRING } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import type { TypedExpr } from "../ast.ts";
import { castTo, isInterval } from "../coercion.ts";
import type { BoundCall, FunctionDefinition, TypeRule } from "../function.ts";
import { dateLike, oneOf, signature, timestampLike, type TypeClass } from "../rules.ts";
import {
  civilFromDays,
  dayOfLocal,
  dayOfYear,
  DAY_MS,
  isoWeek,
  microsOf,
  timeOfLocal,
  weekday,
} from "../time/calendar.ts";
import { MONTHS, WEEKDAYS } from "../time/pattern-text.ts";
import { toLocal } from "../time/zones.ts";
import { analysisError } from "../type-errors.ts";
import { constantOf, family, plain, strict } from "./definition.ts";

const time = family("time");

/** The local timestamp of a date, timestamp or timestamp_ntz. */
export const localOf = (v: Value, type: DataType, call: BoundCall): number => {
  if (type.kind === "date") return (v as number) * DAY_MS;
  return type.kind === "timestamp" ? toLocal(v as number, call.context.timeZone) : (v as number);
};

const quarter = (days: number): number => Math.floor((civilFromDays(days).month - 1) / 3) + 1;

const dayField = (
  usage: string,
  summary: string,
  f: (days: number) => number,
  example: readonly [string, string],
  aliases: readonly string[] = [],
): FunctionDefinition =>
  time(usage, summary, signature([dateLike], INT), plain(f), { examples: [example], aliases });

const timeField = (
  usage: string,
  summary: string,
  f: (seconds: number) => number,
  example: readonly [string, string],
): FunctionDefinition =>
  time(
    usage,
    summary,
    signature([timestampLike], INT),
    strict<[number]>(([v], call) => f(Math.floor(timeOfLocal(localOf(v, call.argTypes[0]!, call)) / 1000))),
    { examples: [example] },
  );

type DayPart = (days: number) => number;
const DAY_PARTS = new Map<string, DayPart>([
  ["YEAR", (d) => civilFromDays(d).year],
  ["YEAROFWEEK", (d) => isoWeek(d).year],
  ["QUARTER", quarter],
  ["MONTH", (d) => civilFromDays(d).month],
  ["WEEK", (d) => isoWeek(d).week],
  ["DAY", (d) => civilFromDays(d).day],
  ["DAYOFWEEK", (d) => ((weekday(d) + 1) % 7) + 1],
  ["DAYOFWEEK_ISO", (d) => weekday(d) + 1],
  ["DOY", dayOfYear],
]);
const SYNONYMS = new Map<string, string>(
  (
    [
      ["YEAR", "Y YEARS YR YRS"],
      ["YEAROFWEEK", "ISOYEAR"],
      ["QUARTER", "QTR"],
      ["MONTH", "MON MONS MONTHS"],
      ["WEEK", "W WEEKS"],
      ["DAY", "D DAYS"],
      ["DAYOFWEEK", "DOW"],
      ["DAYOFWEEK_ISO", "DOW_ISO ISODOW"],
      ["DOY", "DAYOFYEAR"],
      ["HOUR", "H HOURS HR HRS"],
      ["MINUTE", "M MIN MINS MINUTES"],
      ["SECOND", "S SEC SECONDS SECS"],
    ] as const
  ).flatMap(([name, others]) => [name, ...others.split(" ")].map((o) => [o, name] as const)),
);

const SECONDS = decimal(8, 6);

/** The field of an interval: [its number, per unit and below the next one]. */
const intervalPart = (v: Value, type: DataType, name: string): Value | undefined => {
  const [months, days, micros] =
    type.kind === "calendarInterval"
      ? (v as readonly [number, number, number])
      : type.kind === "yearMonthInterval"
        ? [v as number, 0, 0]
        : [0, Math.trunc((v as number) / 86_400_000_000), (v as number) % 86_400_000_000];
  switch (name) {
    case "YEAR":
      return Math.trunc(months / 12);
    case "MONTH":
      return months % 12;
    case "DAY":
      return days;
    case "HOUR":
      return Math.trunc(micros / 3_600_000_000) % (type.kind === "calendarInterval" ? Infinity : 24);
    case "MINUTE":
      return Math.trunc(micros / 60_000_000) % 60;
    case "SECOND":
      return BigInt(micros % 60_000_000);
    default:
      return undefined;
  }
};

const UNITS = ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"];

/** The fields that the type of an interval has; undefined for a type that is none. */
const intervalFields = (t: DataType): readonly string[] | undefined => {
  if (t.kind === "calendarInterval") return UNITS;
  return t.kind === "yearMonthInterval" || t.kind === "dayTimeInterval"
    ? UNITS.slice(UNITS.indexOf(t.from.toUpperCase()), UNITS.indexOf(t.to.toUpperCase()) + 1)
    : undefined;
};

const source: TypeClass = {
  ...oneOf(dateLike, timestampLike, { name: `"INTERVAL"`, accepts: isInterval, whenNull: INT }),
  // A text is read as a timestamp: its time of day counts.
  implicit: (t) => (t.kind === "string" ? { kind: "timestamp" } : undefined),
};

const invalidField = (args: readonly TypedExpr[], name: string): Error =>
  analysisError(
    "INVALID_EXTRACT_FIELD",
    `Cannot extract \`${name}\` from "${args[1]!.type.kind.toUpperCase()}".`,
    args[0]!.position,
  );

const extractRule: TypeRule = (raw, site) => {
  const base = signature([STRING, source], INT)(raw, site);
  const given = constantOf(base.args[0]);
  if (given === undefined)
    throw analysisError(
      "NON_FOLDABLE_ARGUMENT",
      `The function \`${site.fn}\` requires the parameter \`field\` to be a foldable expression of the type "STRING".`,
      site.position,
    );
  if (given === null) return { ...base, type: DOUBLE, nullable: true };
  const name = SYNONYMS.get((given as string).toUpperCase());
  const t = base.args[1]!.type;
  const fields = intervalFields(t);
  if (name === undefined || (fields !== undefined && !fields.includes(name)))
    throw invalidField(base.args, given as string);
  const timed = name === "HOUR" || name === "MINUTE" || name === "SECOND";
  const args =
    timed && t.kind === "date" ? base.args.with(1, castTo(base.args[1]!, { kind: "timestamp" })) : base.args;
  const small = fields !== undefined && (name === "MONTH" || name === "HOUR" || name === "MINUTE");
  return { ...base, args, type: name === "SECOND" ? SECONDS : small ? BYTE : INT };
};

const extract = (field: string, v: Value, call: BoundCall): Value => {
  const name = SYNONYMS.get(field.toUpperCase())!;
  const type = call.argTypes[1]!;
  if (isInterval(type)) return intervalPart(v, type, name) ?? null;
  const local = localOf(v, type, call);
  const part = DAY_PARTS.get(name);
  if (part !== undefined) return part(dayOfLocal(local));
  const micros = microsOf(timeOfLocal(local));
  if (name === "HOUR") return Math.floor(micros / 3_600_000_000);
  return name === "MINUTE" ? Math.floor(micros / 60_000_000) % 60 : BigInt(micros % 60_000_000);
};

export const DATETIME_FIELD_FUNCTIONS: readonly FunctionDefinition[] = [
  dayField("year(date)", "The year.", DAY_PARTS.get("YEAR")!, ["year('2016-07-30')", "2016"]),
  dayField("quarter(date)", "The quarter, 1 to 4.", quarter, ["quarter('2016-08-31')", "3"]),
  dayField("month(date)", "The month, 1 to 12.", DAY_PARTS.get("MONTH")!, ["month('2016-07-30')", "7"]),
  dayField(
    "day(date)",
    "The day of the month.",
    DAY_PARTS.get("DAY")!,
    ["day('2009-07-30')", "30"],
    ["dayofmonth"],
  ),
  dayField("dayofweek(date)", "The day of the week, 1 (Sunday) to 7.", DAY_PARTS.get("DAYOFWEEK")!, [
    "dayofweek('2009-07-30')",
    "5",
  ]),
  dayField("weekday(date)", "The day of the week, 0 (Monday) to 6.", weekday, ["weekday('2009-07-30')", "3"]),
  dayField("dayofyear(date)", "The day of the year.", dayOfYear, ["dayofyear('2016-04-09')", "100"]),
  dayField("weekofyear(date)", "The ISO week of the year.", DAY_PARTS.get("WEEK")!, [
    "weekofyear('2008-02-20')",
    "8",
  ]),
  timeField("hour(timestamp)", "The hour, 0 to 23.", (s) => Math.floor(s / 3600), [
    "hour('2018-02-14 12:58:59')",
    "12",
  ]),
  timeField("minute(timestamp)", "The minute.", (s) => Math.floor(s / 60) % 60, [
    "minute('2009-07-30 12:58:59')",
    "58",
  ]),
  timeField("second(timestamp)", "The second.", (s) => s % 60, ["second('2018-02-14 12:58:59')", "59"]),
  time(
    "dayname(date)",
    "The day of the week as three letters.",
    signature([dateLike], STRING),
    plain((d: number) => WEEKDAYS[weekday(d)]!.slice(0, 3)),
    {
      examples: [["dayname(DATE '2008-02-20')", "Wed"]],
    },
  ),
  time(
    "monthname(date)",
    "The month as three letters.",
    signature([dateLike], STRING),
    plain((d: number) => MONTHS[civilFromDays(d).month - 1]!.slice(0, 3)),
    {
      examples: [["monthname(DATE '2008-02-20')", "Feb"]],
    },
  ),
  time(
    "date_part(field, source)",
    "A field of a date, timestamp or interval: YEAR, QUARTER, MONTH, WEEK, DAY, DAYOFWEEK, DOY, HOUR, MINUTE, SECOND, …",
    extractRule,
    strict<[string, Value]>(([field, v], call) => extract(field, v, call)),
    {
      aliases: ["datepart", "extract"],
      examples: [["date_part('YEAR', TIMESTAMP '2019-08-12 01:00:00.123456')", "2019"]],
    },
  ),
];
