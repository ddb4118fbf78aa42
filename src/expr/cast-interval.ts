/** Casts to and between ANSI intervals. A number counts units of the interval's last field. */
import type { DataType } from "../core/data-type.ts";
import type { Value } from "../core/value.ts";
import { divideHalfUp, pow10 } from "./decimal.ts";
import { castOverflow } from "./runtime-errors.ts";
import { shownValue } from "./value-text.ts";

const SIZES: Readonly<Record<string, number>> = {
  day: 86_400_000_000,
  hour: 3_600_000_000,
  minute: 60_000_000,
  second: 1_000_000,
  year: 12,
  month: 1,
};

/** Microseconds or months of the last field of an ANSI interval type. */
export const intervalUnitSize = (t: DataType): number =>
  t.kind === "dayTimeInterval" || t.kind === "yearMonthInterval" ? SIZES[t.to]! : 1;

const MONTHS_END = 2 ** 31;
const MICROS_END = 2 ** 63;

/** Decimals count the months or microseconds of their fraction too, rounded half up. */
const decimalAmount = (unscaled: bigint, scale: number, to: DataType): bigint => {
  const size = BigInt(intervalUnitSize(to));
  const whole = pow10(scale);
  return divideHalfUp(unscaled * size, whole);
};

export const castToInterval = (from: DataType, to: DataType): ((v: Value) => Value) => {
  const size = intervalUnitSize(to);
  // A narrower interval drops the fields below its last one.
  if (from.kind === to.kind) {
    if (to.kind === "dayTimeInterval" && to.to === "second") return (v) => v;
    return (v) => Math.trunc((v as number) / size) * size + 0;
  }
  return (v) => {
    const amount =
      from.kind === "decimal"
        ? decimalAmount(v as bigint, from.scale, to)
        : BigInt(v as number) * BigInt(size);
    const x = Number(amount);
    if (
      x >= (to.kind === "yearMonthInterval" ? MONTHS_END : MICROS_END) ||
      x < -(to.kind === "yearMonthInterval" ? MONTHS_END : MICROS_END)
    )
      throw castOverflow(shownValue(v, from, "UTC"), from, to);
    return x;
  };
};
