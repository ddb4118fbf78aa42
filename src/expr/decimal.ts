/**
 * Decimals: values are unscaled bigints, types carry precision and scale (Spark's DecimalType and DecimalPrecision).
 * Rounding is HALF_UP unless said otherwise; nothing here goes through floating point except the named conversions.
 */
import { type DataType, decimal } from "../core/data-type.ts";

/** Digits a decimal may have, and the scale that a result keeps when its precision must shrink. */
export const DECIMAL_PRECISION_MAX = 38;
export const DECIMAL_SCALE_KEPT_MIN = 6;

export type DecimalType = Extract<DataType, { kind: "decimal" }>;

export const makeDecimal = (precision: number, scale: number): DecimalType =>
  decimal(precision, scale) as DecimalType;

/** Spark's DecimalType.SYSTEM_DEFAULT. */
export const DECIMAL_DEFAULT: DecimalType = makeDecimal(38, 18);

const POWERS: bigint[] = [1n];
/** 10^n, exact. */
export const pow10 = (n: number): bigint => {
  for (let i = POWERS.length; i <= n; i++) POWERS.push(POWERS[i - 1]! * 10n);
  return POWERS[n]!;
};

/** Clips a type to 38 digits (for widening: no precision is given up for the scale). */
export const boundedDecimal = (precision: number, scale: number): DecimalType =>
  makeDecimal(Math.min(precision, DECIMAL_PRECISION_MAX), Math.min(scale, DECIMAL_PRECISION_MAX));

/** Spark's adjustPrecisionScale: a result wider than 38 digits gives up scale, but never below 6. */
export const adjustPrecisionScale = (precision: number, scale: number): DecimalType => {
  if (precision <= DECIMAL_PRECISION_MAX) return makeDecimal(precision, scale);
  if (scale < 0) return makeDecimal(DECIMAL_PRECISION_MAX, scale);
  const whole = precision - scale;
  const kept = Math.min(scale, DECIMAL_SCALE_KEPT_MIN);
  return makeDecimal(DECIMAL_PRECISION_MAX, Math.max(DECIMAL_PRECISION_MAX - whole, kept));
};

/** The type of `a op b` for decimals. */
export const decimalResult = (
  op: "+" | "-" | "*" | "/" | "%",
  a: DecimalType,
  b: DecimalType,
): DecimalType => {
  const { precision: p1, scale: s1 } = a;
  const { precision: p2, scale: s2 } = b;
  switch (op) {
    case "+":
    case "-": {
      const scale = Math.max(s1, s2);
      return adjustPrecisionScale(Math.max(p1 - s1, p2 - s2) + scale + 1, scale);
    }
    case "*":
      return adjustPrecisionScale(p1 + p2 + 1, s1 + s2);
    case "/": {
      const scale = Math.max(DECIMAL_SCALE_KEPT_MIN, s1 + p2 + 1);
      return adjustPrecisionScale(p1 - s1 + s2 + scale, scale);
    }
    case "%": {
      const scale = Math.max(s1, s2);
      return adjustPrecisionScale(Math.min(p1 - s1, p2 - s2) + scale, scale);
    }
  }
};

/** The decimal that holds both (comparison, union, coalesce); above 38 digits the whole ones stay and the scale gives way. */
export const widerDecimal = (a: DecimalType, b: DecimalType): DecimalType => {
  const scale = Math.max(a.scale, b.scale);
  const whole = Math.max(a.precision - a.scale, b.precision - b.scale);
  const lost = Math.max(0, whole + scale - DECIMAL_PRECISION_MAX);
  return boundedDecimal(whole + scale, Math.max(0, scale - lost));
};

const FOR_TYPE: Partial<Record<DataType["kind"], DecimalType>> = {
  byte: makeDecimal(3, 0),
  short: makeDecimal(5, 0),
  int: makeDecimal(10, 0),
  long: makeDecimal(20, 0),
  float: makeDecimal(14, 7),
  double: makeDecimal(30, 15),
};

/** Spark's DecimalType.forType: the decimal that holds every value of a numeric type (null: system default). */
export const decimalFor = (t: DataType): DecimalType =>
  t.kind === "decimal" ? t : (FOR_TYPE[t.kind] ?? DECIMAL_DEFAULT);

const digits = (x: bigint): number => (x < 0n ? -x : x).toString().length;

/** The smallest decimal of an integer literal (Spark's DecimalType.fromLiteral). */
export const decimalOfLiteral = (x: number | bigint): DecimalType => makeDecimal(digits(BigInt(x)), 0);

export const fitsPrecision = (unscaled: bigint, precision: number): boolean => {
  const bound = pow10(precision);
  return unscaled < bound && unscaled > -bound;
};

/** a / b rounded HALF_UP (away from zero at the half). */
export const divideHalfUp = (a: bigint, b: bigint): bigint => {
  const q = a / b;
  const r = a % b;
  const twice = (r < 0n ? -r : r) * 2n;
  if (twice < (b < 0n ? -b : b)) return q;
  return a < 0n === b < 0n ? q + 1n : q - 1n;
};

/** a / b rounded HALF_EVEN (`bround`). */
export const divideHalfEven = (a: bigint, b: bigint): bigint => {
  const q = a / b;
  const r = a % b;
  const twice = (r < 0n ? -r : r) * 2n;
  const magnitude = b < 0n ? -b : b;
  if (twice < magnitude || (twice === magnitude && q % 2n === 0n)) return q;
  return a < 0n === b < 0n ? q + 1n : q - 1n;
};

/** The unscaled value at another scale, HALF_UP when digits are lost. */
export const rescale = (unscaled: bigint, from: number, to: number): bigint => {
  if (from === to) return unscaled;
  return to > from ? unscaled * pow10(to - from) : divideHalfUp(unscaled, pow10(from - to));
};

/** Java's BigDecimal.toString: plain, or with an exponent when the scale is above digits + 5. */
export const javaDecimalString = (unscaled: bigint, scale: number): string => {
  if (scale === 0) return unscaled.toString();
  const negative = unscaled < 0n;
  const text = (negative ? -unscaled : unscaled).toString();
  const sign = negative ? "-" : "";
  const adjusted = text.length - 1 - scale;
  if (scale >= 0 && adjusted >= -6) return sign + placePoint(text, scale);
  const mantissa = text.length > 1 ? `${text[0]}.${text.slice(1)}` : text;
  return `${sign}${mantissa}E${adjusted >= 0 ? "+" : ""}${adjusted}`;
};

const placePoint = (text: string, scale: number): string => {
  const padded = text.padStart(scale + 1, "0");
  return `${padded.slice(0, padded.length - scale)}.${padded.slice(padded.length - scale)}`;
};

/** Plain notation (`toPlainString`): what casts to string and `show` print. */
export const plainDecimalString = (unscaled: bigint, scale: number): string => {
  if (scale <= 0) return (unscaled * pow10(-scale)).toString();
  const negative = unscaled < 0n;
  return (negative ? "-" : "") + placePoint((negative ? -unscaled : unscaled).toString(), scale);
};

const NUMBER = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([+-]?\d+))?$/;

/** Exact value of a decimal text as unscaled value and scale; undefined when it is none. */
export const parseDecimalText = (text: string): { unscaled: bigint; scale: number } | undefined => {
  const m = NUMBER.exec(text);
  if (m === null) return undefined;
  const whole = m[2] ?? "";
  const fraction = m[3] ?? "";
  if (whole.length + fraction.length === 0) return undefined;
  const exponent = m[4] === undefined ? 0 : Number(m[4]);
  if (Math.abs(exponent) > 10_000) return undefined;
  const magnitude = BigInt(whole + fraction);
  return { unscaled: m[1] === "-" ? -magnitude : magnitude, scale: fraction.length - exponent };
};

/** The unscaled value at `scale`, HALF_UP; scales may be negative. */
export const toScale = (unscaled: bigint, from: number, to: number): bigint =>
  from <= to
    ? unscaled * pow10(to - from)
    : from - to > 10_000
      ? 0n
      : divideHalfUp(unscaled, pow10(from - to));

export const decimalToNumber = (unscaled: bigint, scale: number): number =>
  scale === 0 ? Number(unscaled) : Number(`${unscaled}e${-scale}`);

/** A double as a decimal, by its shortest text (Spark: BigDecimal(double)); undefined for NaN and infinities. */
export const decimalOfNumber = (x: number, scale: number): bigint | undefined => {
  if (!Number.isFinite(x)) return undefined;
  const parsed = parseDecimalText(String(x));
  return parsed === undefined ? undefined : toScale(parsed.unscaled, parsed.scale, scale);
};
