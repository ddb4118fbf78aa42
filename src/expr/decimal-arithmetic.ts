/** Decimal arithmetic on unscaled values: exact, then rounded HALF_UP to the result's scale; beyond its precision NUMERIC_VALUE_OUT_OF_RANGE. */
import { divideHalfUp, type DecimalType, fitsPrecision, pow10, rescale } from "./decimal.ts";
import { decimalOutOfRange, divideByZero, remainderByZero } from "./runtime-errors.ts";
import { canonicalLong } from "../core/value.ts";

const within = (unscaled: bigint, scale: number, to: DecimalType): bigint => {
  const x = rescale(unscaled, scale, to.scale);
  if (!fitsPrecision(x, to.precision)) throw decimalOutOfRange(unscaled, scale, to.precision, to.scale);
  return x;
};

const aligned = (a: bigint, sa: number, b: bigint, sb: number): readonly [bigint, bigint, number] => {
  const scale = Math.max(sa, sb);
  return [a * pow10(scale - sa), b * pow10(scale - sb), scale];
};

/** `a op b` as the result type. Throws DIVIDE_BY_ZERO, REMAINDER_BY_ZERO. */
export const decimalOperation = (
  op: "+" | "-" | "*" | "/" | "%",
  a: bigint,
  ta: DecimalType,
  b: bigint,
  tb: DecimalType,
  to: DecimalType,
): bigint => {
  switch (op) {
    case "+":
    case "-": {
      const [x, y, scale] = aligned(a, ta.scale, b, tb.scale);
      return within(op === "+" ? x + y : x - y, scale, to);
    }
    case "*":
      return within(a * b, ta.scale + tb.scale, to);
    case "/": {
      if (b === 0n) throw divideByZero();
      const scale = Math.max(38, to.scale);
      const shift = scale + tb.scale - ta.scale;
      return within(divideHalfUp(a * pow10(Math.max(shift, 0)), b * pow10(Math.max(-shift, 0))), scale, to);
    }
    case "%": {
      if (b === 0n) throw remainderByZero();
      const [x, y, scale] = aligned(a, ta.scale, b, tb.scale);
      return within(x % y, scale, to);
    }
  }
};

/** `a div b` of decimals: a long. */
export const decimalQuotient = (a: bigint, ta: DecimalType, b: bigint, tb: DecimalType): number | bigint => {
  if (b === 0n) throw divideByZero();
  const [x, y] = aligned(a, ta.scale, b, tb.scale);
  const q = x / y;
  const precision = Math.min(38, Math.max(1, ta.precision - ta.scale + tb.scale));
  if (!fitsPrecision(q, precision)) throw decimalOutOfRange(q, 0, precision, 0);
  // Spark keeps the low 64 bits.
  return canonicalLong(BigInt.asIntN(64, q));
};

/** `a op b` of decimals in a generated loop, op one of + - * / %: the operator itself where no result can be too large or has to be rounded. */
export const emitDecimal = (
  op: "+" | "-" | "*" | "/" | "%",
  [a, b]: readonly string[],
  [ta, tb, to]: readonly [DecimalType, DecimalType, DecimalType],
  bind: (value: unknown) => string,
): string => {
  const whole = to.precision - to.scale;
  if (op === "*" && to.scale === ta.scale + tb.scale && to.precision >= ta.precision + tb.precision)
    return `(${a} * ${b})`;
  const scale = Math.max(ta.scale, tb.scale);
  const wholes = Math.max(ta.precision - ta.scale, tb.precision - tb.scale);
  if ((op === "+" || op === "-") && to.scale === scale && whole > wholes) {
    const scaled = (x: string, from: number): string =>
      from === scale ? x : `${x} * ${bind(pow10(scale - from))}`;
    return `(${scaled(a!, ta.scale)} ${op} ${scaled(b!, tb.scale)})`;
  }
  const operation = (x: bigint, y: bigint): bigint => decimalOperation(op, x, ta, y, tb, to);
  return `${bind(operation)}(${a}, ${b})`;
};
