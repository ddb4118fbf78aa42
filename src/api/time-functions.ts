/** Functions of dates and times under Spark's names. The session's zone decides what a day or an hour is. */
import type { Expr, Typed, TypeOf } from "./expression.ts";
import {
  type DateArg,
  type IntArg,
  type NullableFn,
  type NumArg,
  scalar,
  type StrArg,
  type StrictFn,
  type TotalFn,
} from "./function-types.ts";
import type { DateTimeIn, OptIf, TimeIn } from "./tags.ts";

type Part = StrictFn<readonly [DateArg], "int">;
export const year: Part = scalar("year");
export const quarter: Part = scalar("quarter");
export const month: Part = scalar("month");
export const day: Part = scalar("day");
export const dayofmonth = day;
/** 1 is Sunday. */
export const dayofweek: Part = scalar("dayofweek");
/** 0 is Monday. */
export const weekday: Part = scalar("weekday");
export const dayofyear: Part = scalar("dayofyear");
export const weekofyear: Part = scalar("weekofyear");
export const hour: Part = scalar("hour");
export const minute: Part = scalar("minute");
export const second: Part = scalar("second");
export const dayname: StrictFn<readonly [DateArg], "string"> = scalar("dayname");
export const monthname: StrictFn<readonly [DateArg], "string"> = scalar("monthname");

export const current_timestamp: TotalFn<readonly [], "timestamp"> = scalar("current_timestamp");
export const now = current_timestamp;
export const current_date: TotalFn<readonly [], "date"> = scalar("current_date");
export const localtimestamp: TotalFn<readonly [], "timestamp_ntz"> = scalar("localtimestamp");
export const current_timezone: TotalFn<readonly [], "string"> = scalar("current_timezone");

type TimeUnit =
  | "year"
  | "quarter"
  | "month"
  | "week"
  | "day"
  | "hour"
  | "minute"
  | "second"
  | "millisecond"
  | "microsecond";
/** The start of the unit that the time is in. */
export const date_trunc: <const X extends Typed<DateTimeIn>>(
  unit: TimeUnit,
  x: X,
) => Expr<OptIf<TypeOf<X>, "timestamp">> = scalar("date_trunc");
export const trunc: NullableFn<readonly [DateArg, string], "date"> = scalar("trunc");
export const date_add: StrictFn<readonly [DateArg, IntArg], "date"> = scalar("date_add");
export const date_sub: StrictFn<readonly [DateArg, IntArg], "date"> = scalar("date_sub");
/** Days from `start` to `end`. */
export const datediff: StrictFn<readonly [end: DateArg, start: DateArg], "int"> = scalar("datediff");
export const date_diff = datediff;
export const add_months: StrictFn<readonly [DateArg, IntArg], "date"> = scalar("add_months");
export const months_between: StrictFn<readonly [DateArg, DateArg], "double"> = scalar("months_between");
export const last_day: StrictFn<readonly [DateArg], "date"> = scalar("last_day");
export const next_day: NullableFn<readonly [DateArg, string], "date"> = scalar("next_day");
/** By Java's patterns: `yyyy-MM-dd HH:mm:ss`. */
export const date_format: StrictFn<readonly [DateArg, StrArg], "string"> = scalar("date_format");
export const to_date: NullableFn<readonly [DateArg | StrArg, StrArg?], "date"> = scalar("to_date");
export const to_timestamp: NullableFn<readonly [DateArg | StrArg | Typed<"long">, StrArg?], "timestamp"> =
  scalar("to_timestamp");
export const try_to_timestamp: NullableFn<readonly [DateArg | StrArg, StrArg?], "timestamp"> =
  scalar("try_to_timestamp");
export const to_timestamp_ntz: NullableFn<readonly [DateArg | StrArg, StrArg?], "timestamp_ntz"> =
  scalar("to_timestamp_ntz");
export const unix_timestamp: NullableFn<readonly [(DateArg | StrArg)?, StrArg?], "long"> =
  scalar("unix_timestamp");
export const from_unixtime: NullableFn<readonly [NumArg, StrArg?], "string"> = scalar("from_unixtime");
export const timestamp_seconds: NullableFn<readonly [NumArg], "timestamp"> = scalar("timestamp_seconds");
export const timestamp_millis: StrictFn<readonly [NumArg], "timestamp"> = scalar("timestamp_millis");
export const timestamp_micros: StrictFn<readonly [NumArg], "timestamp"> = scalar("timestamp_micros");
type Unix = StrictFn<readonly [Typed<TimeIn>], "long">;
export const unix_seconds: Unix = scalar("unix_seconds");
export const unix_millis: Unix = scalar("unix_millis");
export const unix_micros: Unix = scalar("unix_micros");
export const from_utc_timestamp: StrictFn<readonly [DateArg, StrArg], "timestamp"> =
  scalar("from_utc_timestamp");
export const to_utc_timestamp: StrictFn<readonly [DateArg, StrArg], "timestamp"> = scalar("to_utc_timestamp");
export const make_date: NullableFn<readonly [IntArg, IntArg, IntArg], "date"> = scalar("make_date");
export const make_timestamp: NullableFn<
  readonly [IntArg, IntArg, IntArg, IntArg, IntArg, NumArg, StrArg?],
  "timestamp"
> = scalar("make_timestamp");
