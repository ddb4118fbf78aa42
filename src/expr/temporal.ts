/**
 * Dates, timestamps and intervals under + - * /: the type of each combination (Spark's ResolveBinaryArithmetic) and its value. T1: months move the
 * calendar in the session's zone and clip the day; T2: the whole days of an interval too, the rest is exact microseconds.
 */
import {
  CALENDAR_INTERVAL,
  type DataType,
  DATE,
  DAY_TIME_INTERVAL,
  STRING,
  TIMESTAMP,
  TIMESTAMP_NTZ,
  YEAR_MONTH_INTERVAL,
} from "../core/data-type.ts";
import type { Value } from "../core/value.ts";
import { isAnsiInterval, isDatetime, isInterval, isNumeric } from "./coercion.ts";
import { divideHalfUp, pow10 } from "./decimal.ts";
import {
  arithmeticOverflow,
  executionError,
  instantOverflow,
  intervalDividedByZero,
  intervalOverflow,
  intervalOverflowInstead,
} from "./runtime-errors.ts";
import { addMonthsToDays, DAY_MS, dayOfLocal, microsOf } from "./time/calendar.ts";
import { fromLocal, toLocal } from "./time/zones.ts";

export type TemporalOp = "+" | "-" | "*" | "/";
/** A resolved combination: the types to cast the operands to, and the result's. */
export interface TemporalRule {
  readonly left: DataType;
  readonly right: DataType;
  readonly type: DataType;
}

export const MICROS_PER_DAY = DAY_MS * 1000;
const DAYS: DataType = { kind: "dayTimeInterval", from: "day", to: "day" };
const isDays = (t: DataType): boolean => t.kind === "dayTimeInterval" && t.from === "day" && t.to === "day";
const isDaysNumber = (t: DataType): boolean => t.kind === "int" || t.kind === "short" || t.kind === "byte";

/** datetime ± interval. */
const shifted = (datetime: DataType, interval: DataType): DataType | undefined => {
  if (datetime.kind === "string") return interval.kind === "yearMonthInterval" ? undefined : TIMESTAMP;
  if (datetime.kind !== "date") return datetime;
  if (interval.kind === "yearMonthInterval" || interval.kind === "calendarInterval" || isDays(interval))
    return DATE;
  return TIMESTAMP;
};

const intervalSum = (a: DataType, b: DataType): DataType | undefined => {
  if (a.kind !== b.kind) return undefined;
  if (a.kind === "dayTimeInterval" && b.kind === "dayTimeInterval") {
    const units = ["day", "hour", "minute", "second"] as const;
    const from = units[Math.min(units.indexOf(a.from), units.indexOf(b.from))]!;
    const to = units[Math.max(units.indexOf(a.to), units.indexOf(b.to))]!;
    return { kind: a.kind, from, to };
  }
  if (a.kind === "yearMonthInterval" && b.kind === "yearMonthInterval")
    return a.from === b.from && a.to === b.to ? a : { kind: a.kind, from: "year", to: "month" };
  return a;
};

const additive = (op: "+" | "-", a: DataType, b: DataType): TemporalRule | undefined => {
  if (isInterval(a) && isInterval(b)) {
    const type = intervalSum(a, b);
    return type && { left: type, right: type, type };
  }
  if (isInterval(b)) {
    const t = a.kind === "null" ? b : a;
    if (t === b) return { left: b, right: b, type: b };
    if (!isDatetime(a) && a.kind !== "string") return undefined;
    const type = shifted(a, b);
    if (type === undefined) return undefined;
    return { left: type, right: b, type: a.kind === "string" ? STRING : type };
  }
  if (op === "+") {
    // A null beside a date counts as a day-time interval.
    if (a.kind === "date" && b.kind === "null")
      return { left: TIMESTAMP, right: DAY_TIME_INTERVAL, type: TIMESTAMP };
    if (a.kind === "null" && b.kind === "date")
      return { left: DAY_TIME_INTERVAL, right: TIMESTAMP, type: TIMESTAMP };
    if (isInterval(a) && (isDatetime(b) || b.kind === "string" || b.kind === "null")) {
      const turned = additive("+", b, a);
      return turned && { left: turned.right, right: turned.left, type: turned.type };
    }
    if (a.kind === "date" && isDaysNumber(b)) return { left: a, right: b, type: DATE };
    if (b.kind === "date" && isDaysNumber(a)) return { left: a, right: b, type: DATE };
    return undefined;
  }
  return difference(a, b);
};

const difference = (a: DataType, b: DataType): TemporalRule | undefined => {
  const castable = (t: DataType): boolean => isDatetime(t) || t.kind === "string" || t.kind === "null";
  const instant = a.kind === "timestamp" || b.kind === "timestamp" ? TIMESTAMP : TIMESTAMP_NTZ;
  const timed = (t: DataType): boolean => t.kind === "timestamp" || t.kind === "timestamp_ntz";
  if ((timed(a) || timed(b)) && castable(a) && castable(b))
    return { left: instant, right: instant, type: DAY_TIME_INTERVAL };
  if (a.kind === "date" && isDaysNumber(b)) return { left: a, right: b, type: DATE };
  if ((b.kind === "date" && castable(a)) || (a.kind === "date" && (b.kind === "string" || b.kind === "null")))
    return { left: DATE, right: DATE, type: DAYS };
  return undefined;
};

const scaled = (op: "*" | "/", a: DataType, b: DataType): TemporalRule | undefined => {
  const factor = (t: DataType): DataType | undefined =>
    isNumeric(t) ? t : t.kind === "string" || t.kind === "null" ? { kind: "double" } : undefined;
  if (isInterval(a)) {
    const right = factor(b);
    return right && { left: a, right, type: widest(a) };
  }
  if (op === "*" && isInterval(b)) {
    const left = factor(a);
    return left && { left, right: b, type: widest(b) };
  }
  return undefined;
};

const widest = (t: DataType): DataType =>
  t.kind === "dayTimeInterval"
    ? DAY_TIME_INTERVAL
    : t.kind === "yearMonthInterval"
      ? YEAR_MONTH_INTERVAL
      : CALENDAR_INTERVAL;

/** The rule for operands of which one is a datetime or an interval; undefined when there is none. */
export const temporalRule = (op: TemporalOp, a: DataType, b: DataType): TemporalRule | undefined => {
  if (!isDatetime(a) && !isDatetime(b) && !isInterval(a) && !isInterval(b)) return undefined;
  return op === "+" || op === "-" ? additive(op, a, b) : scaled(op, a, b);
};

type Calendar = readonly [number, number, number];

/** Day-time intervals count up to 64 bits of microseconds; beyond 2^53 (285 years) as near as a double comes. */
const MICROS_END = 2 ** 63;

const overflow = (instead?: string): Error =>
  instead === undefined ? intervalOverflow() : intervalOverflowInstead(instead);

const checkedMicros = (x: number, instead?: string): number => {
  if (!(x >= -MICROS_END && x < MICROS_END)) throw overflow(instead);
  return x + 0;
};
const checkedMonths = (x: number, instead?: string): number => {
  if (x !== (x | 0)) throw overflow(instead);
  return x;
};

/** The parts an interval adds. */
export const intervalParts = (v: Value, type: DataType): Calendar => {
  if (type.kind === "yearMonthInterval") return [v as number, 0, 0];
  if (type.kind === "dayTimeInterval") {
    const days = Math.trunc((v as number) / MICROS_PER_DAY);
    return [0, days, (v as number) - days * MICROS_PER_DAY];
  }
  return v as unknown as Calendar;
};

/** A calendar interval with a time of day is refused. */
const shiftDate = (days: number, [months, d, micros]: Calendar, sign: number): number => {
  if (micros !== 0)
    throw executionError(
      "INVALID_INTERVAL_WITH_MICROSECONDS_ADDITION",
      "Cannot add an interval to a date because its microseconds part is not 0. Cast the date to a timestamp.",
    );
  return addMonthsToDays(days, months * sign) + d * sign;
};

/** An instant plus calendar months and days in `zone`, then exact microseconds. */
export const shiftInstant = (
  ms: number,
  [months, days, micros]: Calendar,
  sign: number,
  zone: string,
): number => {
  let at = ms;
  if (months !== 0 || days !== 0) {
    const local = toLocal(at, zone);
    const day = dayOfLocal(local);
    const moved = addMonthsToDays(day, months * sign) + days * sign;
    at = fromLocal(local + (moved - day) * DAY_MS, zone);
  }
  if (micros !== 0) at = (microsOf(at) + micros * sign) / 1000;
  if (Math.abs(at) * 1000 > MICROS_END) throw instantOverflow("add an interval to a timestamp");
  return at;
};

/** `shiftInstant` by microseconds of a day-time interval; what is less than a day is not taken apart. */
const shiftByDayTime = (ms: number, micros: number, sign: number, zone: string): number => {
  if (Math.abs(micros) >= MICROS_PER_DAY || micros === 0)
    return shiftInstant(ms, intervalParts(micros, DAY_TIME_INTERVAL), sign, zone);
  const at = (microsOf(ms) + micros * sign) / 1000;
  if (Math.abs(at) * 1000 > MICROS_END) throw instantOverflow("add an interval to a timestamp");
  return at;
};

const addIntervals = (a: Value, b: Value, type: DataType, sign: number): Value => {
  const instead = sign > 0 ? "try_add" : "try_subtract";
  if (type.kind === "yearMonthInterval") return checkedMonths((a as number) + (b as number) * sign, instead);
  if (type.kind === "dayTimeInterval") return checkedMicros((a as number) + (b as number) * sign, instead);
  const [x, y] = [a as unknown as Calendar, b as unknown as Calendar];
  return [x[0] + y[0] * sign, x[1] + y[1] * sign, x[2] + y[2] * sign];
};

const shift = (v: Value, type: DataType, by: Value, byType: DataType, sign: number, zone: string): Value => {
  if (type.kind === "date") {
    // Days wrap around in 32 bits, as in Spark.
    if (!isInterval(byType)) return ((v as number) + (by as number) * sign) | 0;
    return shiftDate(v as number, intervalParts(by, byType), sign);
  }
  return shiftInstant(v as number, intervalParts(by, byType), sign, type.kind === "timestamp" ? zone : "UTC");
};

/** The value of a resolved combination. `types` are the coerced operands'. A string result is left as its timestamp: the caller casts it. */
export const temporalValue = (
  op: TemporalOp,
  a: Value,
  b: Value,
  types: readonly DataType[],
  zone: string,
): Value => {
  const [ta, tb] = types as [DataType, DataType];
  if (op === "*") return isInterval(ta) ? multiply(a, ta, b, tb) : multiply(b, tb, a, ta);
  if (op === "/") return divide(a, ta, b, tb);
  const sign = op === "+" ? 1 : -1;
  if (isInterval(ta) && isInterval(tb)) return addIntervals(a, b, ta, sign);
  if (isDatetime(ta) && isDatetime(tb)) {
    if (ta.kind === "date") return ((a as number) - (b as number)) * DAY_MS * 1000;
    const local = (v: Value): number =>
      microsOf(ta.kind === "timestamp" ? toLocal(v as number, zone) : (v as number));
    return local(a) - local(b);
  }
  return isDatetime(ta) ? shift(a, ta, b, tb, sign, zone) : shift(b, tb, a, ta, sign, zone);
};

/** Rounds HALF_UP, away from zero. */
const roundHalfUp = (x: number): number => Math.sign(x) * Math.round(Math.abs(x)) + 0;

/** Java's `toIntExact((long) x)`: NaN is 0. */
const exactInt = (x: number): number => {
  const whole = Number.isNaN(x) ? 0 : Math.trunc(x) + 0;
  if (whole !== (whole | 0)) throw arithmeticOverflow("integer");
  return whole;
};

const scaleParts = (v: Calendar, by: (x: number) => number): Value => {
  const months = by(v[0]);
  const days = by(v[1]);
  const micros = roundHalfUp(by(v[2]) + (days - Math.trunc(days)) * DAY_MS * 1000);
  return [
    exactInt(months),
    exactInt(days),
    Number.isNaN(micros) ? 0 : Math.max(-MICROS_END, Math.min(MICROS_END, micros)),
  ];
};

const multiply = (v: Value, type: DataType, n: Value, nType: DataType): Value => {
  if (!isAnsiInterval(type)) return scaleParts(v as unknown as Calendar, (x) => x * numberOf(n, nType));
  const check = type.kind === "yearMonthInterval" ? checkedMonths : checkedMicros;
  if (nType.kind === "float" || nType.kind === "double")
    return check(roundHalfUp((v as number) * (n as number)));
  const scale = nType.kind === "decimal" ? nType.scale : 0;
  return check(Number(divideHalfUp(BigInt(v as number) * BigInt(n as number | bigint), pow10(scale))));
};

const numberOf = (n: Value, type: DataType): number =>
  Number(n) / (type.kind === "decimal" ? 10 ** type.scale : 1);

const divide = (v: Value, type: DataType, n: Value, nType: DataType): Value => {
  if (n === 0 || n === 0n) throw intervalDividedByZero();
  if (!isAnsiInterval(type)) return scaleParts(v as unknown as Calendar, (x) => x / numberOf(n, nType));
  const check = type.kind === "yearMonthInterval" ? checkedMonths : checkedMicros;
  if (nType.kind === "float" || nType.kind === "double")
    return check(roundHalfUp((v as number) / (n as number)));
  const scale = nType.kind === "decimal" ? nType.scale : 0;
  const quotient = divideHalfUp(BigInt(v as number) * pow10(scale), BigInt(n as number | bigint));
  return check(Number(quotient), scale === 0 ? "try_divide" : undefined);
};

/** A timestamp plus or minus a day-time interval, which stand in this order, in a generated loop; undefined for all else. */
export const emitTemporal = (
  op: string,
  args: readonly string[],
  argTypes: readonly DataType[],
  type: DataType,
  bind: (value: unknown) => string,
): string | undefined => {
  const [ta, tb] = argTypes as readonly [DataType, DataType];
  if ((op !== "+" && op !== "-") || tb.kind !== "dayTimeInterval" || type.kind !== ta.kind) return undefined;
  if (ta.kind !== "timestamp" && ta.kind !== "timestamp_ntz") return undefined;
  const zone = ta.kind === "timestamp" ? "ctx.timeZone" : bind("UTC");
  return `${bind(shiftByDayTime)}(${args.join(", ")}, ${op === "+" ? 1 : -1}, ${zone})`;
};
