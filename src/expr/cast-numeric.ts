/** Casts to numbers. N1: a fraction is cut off, never rounded, except into a decimal (HALF_UP). N2: out of range is CAST_OVERFLOW. */
import type { DataType } from "../core/data-type.ts";
import { canonicalLong, type Value } from "../core/value.ts";
import { intervalUnitSize } from "./cast-interval.ts";
import {
  decimalOfNumber,
  decimalToNumber,
  type DecimalType,
  fitsPrecision,
  pow10,
  rescale,
} from "./decimal.ts";
import { castOverflow, decimalOutOfRange } from "./runtime-errors.ts";
import { microsOf } from "./time/calendar.ts";
import { shownValue } from "./value-text.ts";

type Cast = (v: Value) => Value;
export const BOUNDS: Readonly<Record<"byte" | "short" | "int", number>> = {
  byte: 128,
  short: 32768,
  int: 2147483648,
};
const LONG_BOUND = 1n << 63n;
const TWO63 = 2 ** 63;

/** An exact integer as `to`, or undefined when out of range. */
export const integralIn = (x: number | bigint, to: DataType): number | bigint | undefined => {
  if (to.kind === "long") {
    if (typeof x === "number") return x;
    return x >= -LONG_BOUND && x < LONG_BOUND ? canonicalLong(x) : undefined;
  }
  const bound = BOUNDS[to.kind as "int"];
  return x >= -bound && x < bound ? Number(x) : undefined;
};

/** A double with its fraction cut off; undefined for NaN and what does not fit (2^63 itself saturates, as in Java). */
const truncated = (x: number, to: DataType): number | bigint | undefined => {
  if (Number.isNaN(x)) return undefined;
  const t = Math.trunc(x) + 0;
  if (to.kind !== "long") return integralIn(t, to);
  if (Math.abs(t) <= Number.MAX_SAFE_INTEGER) return t;
  if (t === TWO63) return LONG_BOUND - 1n;
  return Number.isFinite(t) ? integralIn(BigInt(t), to) : undefined;
};

const integerOf = (from: DataType, to: DataType): ((v: Value) => number | bigint | undefined) => {
  switch (from.kind) {
    case "boolean":
      return (v) => (v === true ? 1 : 0);
    case "float":
    case "double":
      return (v) => truncated(v as number, to);
    case "decimal":
      return (v) => integralIn((v as bigint) / pow10(from.scale), to);
    case "timestamp":
      return (v) => integralIn(Math.floor(microsOf(v as number) / 1_000_000), to);
    case "dayTimeInterval":
    case "yearMonthInterval":
      return (v) => integralIn(Math.trunc(Number(v) / intervalUnitSize(from)) + 0, to);
    default:
      return (v) => integralIn(v as number | bigint, to);
  }
};

export const castToIntegral = (from: DataType, to: DataType): Cast => {
  const convert = integerOf(from, to);
  return (v) => {
    const x = convert(v);
    if (x === undefined) throw castOverflow(shownValue(v, from, "UTC"), from, to);
    return x;
  };
};

export const castToFloating = (from: DataType, to: DataType): Cast => {
  const round = to.kind === "float" ? Math.fround : (x: number): number => x;
  switch (from.kind) {
    case "decimal":
      return (v) => round(decimalToNumber(v as bigint, from.scale));
    case "timestamp":
      return (v) => round(microsOf(v as number) / 1e6);
    default:
      return (v) => round(Number(v));
  }
};

const exactly = (unscaled: bigint, scale: number, to: DecimalType): bigint => {
  const x = rescale(unscaled, scale, to.scale);
  if (!fitsPrecision(x, to.precision)) throw decimalOutOfRange(unscaled, scale, to.precision, to.scale);
  return x;
};

export const castToDecimal = (from: DataType, to: DecimalType): Cast => {
  switch (from.kind) {
    case "decimal":
      return (v) => exactly(v as bigint, from.scale, to);
    case "float":
    case "double":
      return (v) => {
        const x = decimalOfNumber(v as number, to.scale);
        // NaN and the infinities have no decimal: null, as in Spark.
        if (x === undefined) return null;
        if (!fitsPrecision(x, to.precision)) throw decimalOutOfRange(x, to.scale, to.precision, to.scale);
        return x;
      };
    case "timestamp":
      return (v) => exactly(BigInt(microsOf(v as number)), 6, to);
    case "dayTimeInterval":
    case "yearMonthInterval":
      return (v) => exactly((BigInt(v as number) * 1_000_000n) / BigInt(intervalUnitSize(from)), 6, to);
    default:
      return (v) => exactly(BigInt(v as number | bigint | boolean), 0, to);
  }
};
