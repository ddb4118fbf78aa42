/**
 * time_bucket: the start of the bucket of a timestamp. Buckets are counted from an origin (1970-01-01 00:00:00 local). Months and whole days follow the session's
 * calendar; buckets shorter than a day are plain spans of time.
 */
import { type DataType, TIMESTAMP } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import { castTo } from "../coercion.ts";
import type { BoundCall, FunctionDefinition, TypeRule } from "../function.ts";
import { addMonthsToDays, civilFromDays, DAY_MS, dayOfLocal, timeOfLocal } from "../time/calendar.ts";
import { fromLocal, toLocal } from "../time/zones.ts";
import { mismatch, unexpectedInput, wrongNumberOfArguments } from "../type-errors.ts";
import { constantOf, family, strict } from "./definition.ts";

const time = family("time");

const isTimestamp = (t: DataType): boolean => t.kind === "timestamp" || t.kind === "timestamp_ntz";
const isBucket = (t: DataType): boolean => t.kind === "dayTimeInterval" || t.kind === "yearMonthInterval";

const bucketRule: TypeRule = (raw, site) => {
  if (raw.length < 2 || raw.length > 3) throw wrongNumberOfArguments(site, "[2, 3]", raw.length);
  const [size, at, origin] = [raw[0]!, raw[1]!, raw[2]];
  const isNull = (i: number): boolean => raw[i]!.type.kind === "null";
  if (!isNull(0) && !isBucket(size.type))
    throw unexpectedInput(site, raw, 0, `("DAY-TIME INTERVAL" or "YEAR-MONTH INTERVAL")`);
  if (!isNull(1) && !isTimestamp(at.type))
    throw unexpectedInput(site, raw, 1, `("TIMESTAMP" or "TIMESTAMP_NTZ")`);
  const type = isNull(1) ? TIMESTAMP : at.type;
  if (origin !== undefined && !isNull(2) && origin.type.kind !== type.kind)
    throw unexpectedInput(site, raw, 2, `"${type.kind === "timestamp" ? "TIMESTAMP" : "TIMESTAMP_NTZ"}"`);
  const length = constantOf(size);
  if (typeof length === "number" && length <= 0)
    throw mismatch("VALUE_OUT_OF_RANGE", site, raw, "The `bucketSize` must be positive.");
  const args = [
    isNull(0) ? castTo(size, { kind: "dayTimeInterval", from: "day", to: "second" }) : size,
    castTo(at, type),
    ...(origin === undefined ? [] : [castTo(origin, type)]),
  ];
  return { args, type, nullable: args.some((a) => a.nullable) };
};

const monthsOf = (localMs: number): number => {
  const { year, month } = civilFromDays(dayOfLocal(localMs));
  return year * 12 + month;
};

const monthBucket = (size: number, at: number, origin: number): number => {
  const startOf = (n: number): number =>
    addMonthsToDays(dayOfLocal(origin), n * size) * DAY_MS + timeOfLocal(origin);
  const n = Math.floor((monthsOf(at) - monthsOf(origin)) / size);
  return startOf(n) <= at ? startOf(n) : startOf(n - 1);
};

const spanBucket = (micros: number, at: number, origin: number): number => {
  const [size, distance] = [
    BigInt(micros),
    BigInt(Math.round(at * 1000)) - BigInt(Math.round(origin * 1000)),
  ];
  const into = ((distance % size) + size) % size;
  return Number(BigInt(Math.round(at * 1000)) - into) / 1000;
};

const bucketOf = (size: number, at: number, from: number | undefined, call: BoundCall): Value => {
  const zone = call.type.kind === "timestamp" ? call.context.timeZone : "UTC";
  const origin = from ?? fromLocal(0, zone);
  const months = call.argTypes[0]!.kind === "yearMonthInterval";
  if (!months && size < DAY_MS * 1000) return spanBucket(size, at, origin);
  const [local, start] = [toLocal(at, zone), toLocal(origin, zone)];
  return fromLocal(months ? monthBucket(size, local, start) : spanBucket(size, local, start), zone);
};

export const TIME_BUCKET_FUNCTIONS: readonly FunctionDefinition[] = [
  time(
    "time_bucket(size, timestamp[, origin])",
    "The start of the bucket of an interval's length that a timestamp falls into.",
    bucketRule,
    strict<[number, number, number | undefined]>(([size, at, from], call) =>
      bucketOf(Number(size), at, from, call),
    ),
    {
      examples: [
        ["time_bucket(INTERVAL '15' MINUTE, TIMESTAMP'2024-01-01 11:27:00')", "2024-01-01 11:15:00"],
      ],
    },
  ),
];
