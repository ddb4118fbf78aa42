/** Moving dates and timestamps: add, subtract, differences, truncation, zones. */
import {
  CALENDAR_INTERVAL,
  DATE,
  DAY_TIME_INTERVAL,
  type DataType,
  decimal,
  DOUBLE,
  INT,
  LONG,
  STRING,
  TIMESTAMP,
  TIMESTAMP_NTZ,
  YEAR_MONTH_INTERVAL,
  BOOLEAN,
} from "../../core/data-type.ts";
import { ExecutionError } from "../../core/errors.ts";
import type { Value } from "../../core/value.ts";
import type { BoundCall, FunctionDefinition, TypeRule } from "../function.ts";
import { dateLike, signature, timestampLike, type TypeClass } from "../rules.ts";
import {
  addMonthsToDays,
  civilFromDays,
  dayOfLocal,
  DAY_MS,
  fromMicros,
  lastDayOfMonth,
  microsOf,
  timeOfLocal,
  truncateDays,
  truncateLocal,
  weekday,
} from "../time/calendar.ts";
import { fromLocal, toLocal } from "../time/zones.ts";
import { localOf } from "./datetime-fields.ts";
import { arithmeticOverflow, instantOverflow, intervalOverflow } from "../runtime-errors.ts";
import { constantOf, failure, family, plain, strict } from "./definition.ts";

const time = family("time");

const DAY_NAMES = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
const LONG_NAMES = ["MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY", "SUNDAY"];

const dayOfName = (name: string): number => {
  const upper = name.trim().toUpperCase();
  const i = LONG_NAMES.findIndex((l, k) => upper === l || upper === l.slice(0, 3) || upper === DAY_NAMES[k]);
  if (i < 0) throw failure("ILLEGAL_DAY_OF_WEEK", `Illegal input for day of week: ${name}.`);
  return i;
};

const monthsBetween = (a: number, b: number, roundOff: boolean): number => {
  const [d1, d2] = [dayOfLocal(a), dayOfLocal(b)];
  const [c1, c2] = [civilFromDays(d1), civilFromDays(d2)];
  const months = c1.year * 12 + c1.month - (c2.year * 12 + c2.month);
  const bothLast = d1 === lastDayOfMonth(d1) && d2 === lastDayOfMonth(d2);
  if (c1.day === c2.day || bothLast) return months;
  const seconds = (t: number): number => Math.floor(timeOfLocal(t) / 1000);
  const diff = months + ((c1.day - c2.day) * 86_400 + seconds(a) - seconds(b)) / (31 * 86_400);
  return roundOff ? Math.round(diff * 1e8) / 1e8 : diff;
};

/** Microseconds of the units that are lengths; the others count months. */
const LENGTHS = new Map<string, number>([
  ["MICROSECOND", 1],
  ["MILLISECOND", 1000],
  ["SECOND", 1_000_000],
  ["MINUTE", 60_000_000],
  ["HOUR", 3_600_000_000],
  ["DAY", 86_400_000_000],
  ["WEEK", 7 * 86_400_000_000],
]);
const MONTHS_OF = new Map<string, number>([
  ["MONTH", 1],
  ["QUARTER", 3],
  ["YEAR", 12],
]);

const unknownUnit = (unit: string, fn: string): Error =>
  failure(
    "INVALID_PARAMETER_VALUE.DATETIME_UNIT",
    `The value of parameter(s) \`unit\` in \`${fn}\` is invalid: expects one of the units without quotes YEAR, QUARTER, MONTH, WEEK, DAY, DAYOFYEAR, HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND, but got '${unit}'.`,
  );

const timestampAdd = (unit: string, n: number, v: number, type: DataType, call: BoundCall): number => {
  const at = movedBy(unit, n, v, type, call);
  if (Math.abs(at) * 1000 > 2 ** 63) throw instantOverflow(`add ${n} ${unit} to a timestamp`);
  return at;
};

const movedBy = (unit: string, n: number, v: number, type: DataType, call: BoundCall): number => {
  const name = unit.toUpperCase() === "DAYOFYEAR" ? "DAY" : unit.toUpperCase();
  const months = MONTHS_OF.get(name);
  const micros = LENGTHS.get(name);
  if (months === undefined && micros === undefined) throw unknownUnit(unit, "timestampadd");
  const zone = type.kind === "timestamp" ? call.context.timeZone : "UTC";
  if (micros !== undefined && micros < 86_400_000_000) return fromMicros(microsOf(v) + n * micros);
  const local = toLocal(v, zone);
  if (micros !== undefined) return fromLocal(local + (n * micros) / 1000, zone);
  return fromLocal(addMonthsToDays(dayOfLocal(local), n * months!) * DAY_MS + timeOfLocal(local), zone);
};

const timestampDiff = (unit: string, a: number, b: number): number => {
  const name = unit.toUpperCase();
  const micros = LENGTHS.get(name);
  if (micros !== undefined) return Math.trunc((microsOf(b) - microsOf(a)) / micros) + 0;
  const per = MONTHS_OF.get(name);
  if (per === undefined) throw unknownUnit(unit, "timestampdiff");
  const [c1, c2] = [civilFromDays(dayOfLocal(a)), civilFromDays(dayOfLocal(b))];
  let months = (c2.year - c1.year) * 12 + c2.month - c1.month;
  const into = (c: { day: number }, t: number): number => c.day * DAY_MS + timeOfLocal(t);
  const rest = into(c2, b) - into(c1, a);
  if (months > 0 && rest < 0) months--;
  else if (months < 0 && rest > 0) months++;
  return Math.trunc(months / per) + 0;
};

/** Days to move by: Spark takes no wider integers. */
const days: TypeClass = {
  name: `("INT" or "SMALLINT" or "TINYINT")`,
  accepts: (t) => t.kind === "int" || t.kind === "short" || t.kind === "byte",
  implicit: (t) => (t.kind === "string" ? INT : undefined),
  whenNull: INT,
};

/** date_add(date, days) and dateadd(unit, n, timestamp). */
const addRule: TypeRule = (args, site) =>
  args.length === 3
    ? signature([STRING, INT, timestampLike], (a) => a[2]!.type)(args, site)
    : signature([dateLike, days], DATE)(args, site);

const diffRule: TypeRule = (args, site) =>
  args.length === 3
    ? signature([STRING, timestampLike, timestampLike], LONG)(args, site)
    : signature([dateLike, dateLike], INT)(args, site);

const addUnit = (args: readonly Value[], call: BoundCall): Value =>
  timestampAdd(args[0] as string, args[1] as number, args[2] as number, call.argTypes[2]!, call);
const diffUnit = (args: readonly Value[], call: BoundCall): Value =>
  timestampDiff(
    args[0] as string,
    localOf(args[1]!, call.argTypes[1]!, call),
    localOf(args[2]!, call.argTypes[2]!, call),
  );

const moving: readonly FunctionDefinition[] = [
  time(
    "date_add(date, days)",
    "The date some days later; `dateadd(unit, n, timestamp)` adds n units.",
    addRule,
    strict<Value[]>((args, call) =>
      args.length === 3 ? addUnit(args, call) : (args[0] as number) + (args[1] as number),
    ),
    {
      aliases: ["dateadd"],
      examples: [["date_add('2016-07-30', 1)", "2016-07-31"]],
    },
  ),
  time(
    "date_sub(date, days)",
    "The date some days earlier.",
    signature([dateLike, days], DATE),
    plain((d: number, n: number) => d - n),
    { examples: [["date_sub('2016-07-30', 1)", "2016-07-29"]] },
  ),
  time(
    "datediff(end, start)",
    "Days from start to end; `datediff(unit, start, end)` counts whole units.",
    diffRule,
    strict<Value[]>((args, call) =>
      args.length === 3 ? diffUnit(args, call) : (args[0] as number) - (args[1] as number),
    ),
    {
      aliases: ["date_diff"],
      examples: [["datediff('2009-07-31', '2009-07-30')", "1"]],
    },
  ),
  time("timestampadd(unit, n, timestamp)", "The timestamp n units later.", addRule, strict<Value[]>(addUnit)),
  time(
    "timestampdiff(unit, start, end)",
    "Whole units from start to end.",
    diffRule,
    strict<Value[]>(diffUnit),
  ),
  time(
    "add_months(date, n)",
    "The date n months later; its day is cut to the month's length.",
    signature([dateLike, INT], DATE),
    plain((d: number, n: number) => addMonthsToDays(d, n)),
    {
      examples: [["add_months('2016-08-31', 1)", "2016-09-30"]],
    },
  ),
  time(
    "months_between(a, b[, roundOff])",
    "Months from b to a; days count as 31sts of a month unless both are the same day or the last of their months.",
    signature([timestampLike, timestampLike, BOOLEAN], DOUBLE, { optional: 1 }),
    strict<[number, number, boolean | undefined]>(([a, b, round], call) =>
      monthsBetween(localOf(a, call.argTypes[0]!, call), localOf(b, call.argTypes[1]!, call), round ?? true),
    ),
    { examples: [["months_between('1997-02-28 10:30:00', '1996-10-30')", "3.94959677"]] },
  ),
  time("last_day(date)", "The last day of the month.", signature([dateLike], DATE), plain(lastDayOfMonth), {
    examples: [["last_day('2009-01-12')", "2009-01-31"]],
  }),
  time(
    "next_day(date, dayOfWeek)",
    "The first such day of the week after the date.",
    signature([dateLike, STRING], DATE),
    plain((d: number, name: string) => d + 1 + ((dayOfName(name) - weekday(d + 1) + 7) % 7)),
    {
      examples: [["next_day('2015-01-14', 'TU')", "2015-01-20"]],
    },
  ),
];

/** With a unit that means nothing the result is null, whatever there is to cut. */
const knownUnit =
  (at: number, cut: (unit: string) => number | undefined, rule: TypeRule): TypeRule =>
  (args, site) => {
    const r = rule(args, site);
    const unit = constantOf(r.args[at]);
    if (typeof unit !== "string" || cut(unit) !== undefined) return r;
    return { ...r, replacement: { kind: "literal", value: null, type: r.type, nullable: true } };
  };

const truncating: readonly FunctionDefinition[] = [
  time(
    "trunc(date, unit)",
    "The date cut to YEAR, QUARTER, MONTH or WEEK; null for other units.",
    knownUnit(1, (u) => truncateDays(0, u), signature([dateLike, STRING], DATE, { nullable: true })),
    strict<[number, string]>(([d, unit]) => truncateDays(d, unit) ?? null),
    {
      examples: [["trunc('2019-08-04', 'week')", "2019-07-29"]],
    },
  ),
  time(
    "date_trunc(unit, timestamp)",
    "The timestamp cut to a unit from YEAR to MICROSECOND; null for other units.",
    knownUnit(0, (u) => truncateLocal(0, u), signature([STRING, TIMESTAMP], TIMESTAMP, { nullable: true })),
    strict<[string, number]>(([unit, v], call) => {
      const zone = call.context.timeZone;
      const local = truncateLocal(toLocal(v, zone), unit);
      return local === undefined ? null : fromLocal(local, zone);
    }),
    { examples: [["date_trunc('HOUR', '2015-03-05T09:32:05.359')", "2015-03-05 09:00:00"]] },
  ),
];

const zones: readonly FunctionDefinition[] = [
  time(
    "from_utc_timestamp(timestamp, zone)",
    "The timestamp, taken as UTC, as the local time of a zone.",
    signature([TIMESTAMP, STRING], TIMESTAMP),
    plain((t: number, zone: string) => toLocal(t, zone)),
    {
      examples: [["from_utc_timestamp('2016-08-31', 'Asia/Seoul')", "2016-08-31 09:00:00"]],
    },
  ),
  time(
    "to_utc_timestamp(timestamp, zone)",
    "The timestamp, taken as the local time of a zone, in UTC.",
    signature([TIMESTAMP, STRING], TIMESTAMP),
    plain((t: number, zone: string) => fromLocal(t, zone)),
    {
      examples: [["to_utc_timestamp('2016-08-31', 'Asia/Seoul')", "2016-08-30 15:00:00"]],
    },
  ),
  time(
    "convert_timezone([from,] to, timestamp_ntz)",
    "A local timestamp of one zone (default: the session's) as that of another.",
    (args, site) =>
      args.length === 2
        ? signature([STRING, TIMESTAMP_NTZ], TIMESTAMP_NTZ)(args, site)
        : signature([STRING, STRING, TIMESTAMP_NTZ], TIMESTAMP_NTZ)(args, site),
    strict<Value[]>((args, call) => {
      const [from, to, t] = args.length === 3 ? args : [call.context.timeZone, ...args];
      return toLocal(fromLocal(t as number, from as string), to as string);
    }),
    {
      examples: [
        [
          "convert_timezone('Europe/Brussels', 'America/Los_Angeles', timestamp_ntz'2021-12-06 00:00:00')",
          "2021-12-05 15:00:00",
        ],
      ],
    },
  ),
];

const MICROS = decimal(18, 6);
const micros = (seconds: bigint): number => Number(seconds);

const checkedMonths = (n: number): number => {
  if (n !== (n | 0))
    throw failure(
      "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION",
      "Integer overflow while operating with intervals.",
    );
  return n;
};

const exact = (n: number): number => {
  if (n !== (n | 0)) throw arithmeticOverflow("integer");
  return n;
};

const calendarInterval = ([y = 0, mo = 0, w = 0, d = 0, h = 0, mi = 0, s = 0n]: readonly (
  number | bigint
)[]): Value => [
  exact(Number(y) * 12 + Number(mo)),
  exact(Number(w) * 7 + Number(d)),
  Number(h) * 3_600_000_000 + Number(mi) * 60_000_000 + Number(s),
];

const intervals: readonly FunctionDefinition[] = [
  time(
    "make_interval([years[, months[, weeks[, days[, hours[, mins[, secs]]]]]]])",
    "A calendar interval of its parts.",
    signature([INT, INT, INT, INT, INT, INT, MICROS], CALENDAR_INTERVAL, { optional: 7 }),
    strict<(number | bigint)[]>((parts) => calendarInterval(parts)),
    {
      examples: [
        [
          "make_interval(100, 11, 1, 1, 12, 30, 01.001001)",
          "100 years 11 months 8 days 12 hours 30 minutes 1.001001 seconds",
        ],
      ],
    },
  ),
  time(
    "try_make_interval([years[, months[, weeks[, days[, hours[, mins[, secs]]]]]]])",
    "make_interval; null when a part is out of bounds.",
    signature([INT, INT, INT, INT, INT, INT, MICROS], CALENDAR_INTERVAL, { optional: 7, nullable: true }),
    strict<(number | bigint)[]>((parts) => {
      try {
        return calendarInterval(parts);
      } catch (e) {
        if (e instanceof ExecutionError) return null;
        throw e;
      }
    }),
  ),
  time(
    "make_dt_interval([days[, hours[, mins[, secs]]]])",
    "A day-time interval of its parts.",
    signature([INT, INT, INT, MICROS], DAY_TIME_INTERVAL, { optional: 4 }),
    strict<[number?, number?, number?, bigint?]>(([d = 0, h = 0, m = 0, s = 0n]) => {
      const total = BigInt(d) * 86_400_000_000n + BigInt(h) * 3_600_000_000n + BigInt(m) * 60_000_000n + s;
      if (BigInt.asIntN(64, total) !== total) throw intervalOverflow();
      return micros(total);
    }),
    { examples: [["make_dt_interval(1, 12, 30, 01.001001)", "INTERVAL '1 12:30:01.001001' DAY TO SECOND"]] },
  ),
  time(
    "make_ym_interval([years[, months]])",
    "A year-month interval of its parts.",
    signature([INT, INT], YEAR_MONTH_INTERVAL, { optional: 2 }),
    strict<[number?, number?]>(([y = 0, m = 0]) => checkedMonths(y * 12 + m)),
    {
      examples: [["make_ym_interval(1, 2)", "INTERVAL '1-2' YEAR TO MONTH"]],
    },
  ),
];

export const DATETIME_ARITHMETIC_FUNCTIONS: readonly FunctionDefinition[] = [
  ...moving,
  ...truncating,
  ...zones,
  ...intervals,
];
