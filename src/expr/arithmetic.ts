/**
 * Arithmetic on values, with Spark's ANSI checks. A long is a number while safe, else a bigint; A1: results are canonical; A2: a result outside
 * 64 bits is ARITHMETIC_OVERFLOW. The `…Safe` forms take and give numbers only: they throw UNSAFE_LONG when a result leaves ±2^53, and
 * the compiler runs the batch again with the exact forms.
 */
import { canonicalLong } from "../core/value.ts";
import { arithmeticOverflow, binaryOverflow, divideByZero, remainderByZero } from "./runtime-errors.ts";

export type Long = number | bigint;

const SAFE = Number.MAX_SAFE_INTEGER;
const LONG_BOUND = 1n << 63n;

/** Thrown by safe forms; never seen outside the compiler. */
export const UNSAFE_LONG: unique symbol = Symbol("unsafe long");

/** A number that a safe loop may go on with. */
export const safeLong = (x: Long): number => {
  if (typeof x !== "number") throw UNSAFE_LONG;
  return x;
};

const exactLong = (x: bigint, what: string, alternative?: string): Long => {
  if (x >= LONG_BOUND || x < -LONG_BOUND) throw arithmeticOverflow(what, alternative);
  return canonicalLong(x);
};

export const addInt = (a: number, b: number): number => {
  const r = a + b;
  if (r !== (r | 0)) throw arithmeticOverflow("integer", "try_add");
  return r;
};
export const subtractInt = (a: number, b: number): number => {
  const r = a - b;
  if (r !== (r | 0)) throw arithmeticOverflow("integer", "try_subtract");
  return r;
};
export const multiplyInt = (a: number, b: number): number => {
  const r = a * b;
  if (r > 2147483647 || r < -2147483648) throw arithmeticOverflow("integer", "try_multiply");
  return r + 0;
};
export const negateInt = (a: number): number => {
  if (a === -2147483648) throw arithmeticOverflow("integer");
  return 0 - a;
};

/** byte and short: the result must stay within ±bound. */
export const small = (a: number, symbol: "+" | "-" | "*", b: number, bound: number): number => {
  const r = symbol === "+" ? a + b : symbol === "-" ? a - b : a * b + 0;
  if (r >= bound || r < -bound)
    throw binaryOverflow(a, symbol, b, { "+": "try_add", "-": "try_subtract", "*": "try_multiply" }[symbol]);
  return r;
};

export const addLong = (a: Long, b: Long): Long => {
  if (typeof a === "number" && typeof b === "number") {
    const r = a + b;
    if (r <= SAFE && r >= -SAFE) return r;
  }
  return exactLong(BigInt(a) + BigInt(b), "long", "try_add");
};
export const subtractLong = (a: Long, b: Long): Long => {
  if (typeof a === "number" && typeof b === "number") {
    const r = a - b;
    if (r <= SAFE && r >= -SAFE) return r;
  }
  return exactLong(BigInt(a) - BigInt(b), "long", "try_subtract");
};
export const multiplyLong = (a: Long, b: Long): Long => {
  if (typeof a === "number" && typeof b === "number") {
    const r = a * b;
    if (r <= SAFE && r >= -SAFE) return r + 0;
  }
  return exactLong(BigInt(a) * BigInt(b), "long", "try_multiply");
};
export const negateLong = (a: Long): Long => (typeof a === "number" ? 0 - a : exactLong(-a, "long"));

export const addLongSafe = (a: number, b: number): number => {
  const r = a + b;
  if (r > SAFE || r < -SAFE) throw UNSAFE_LONG;
  return r;
};
export const subtractLongSafe = (a: number, b: number): number => {
  const r = a - b;
  if (r > SAFE || r < -SAFE) throw UNSAFE_LONG;
  return r;
};
export const multiplyLongSafe = (a: number, b: number): number => {
  const r = a * b;
  if (r > SAFE || r < -SAFE) throw UNSAFE_LONG;
  return r + 0;
};

export const divideDouble = (a: number, b: number): number => {
  if (b === 0) throw divideByZero();
  return a / b;
};
/** Integral division, truncating. */
export const divideLong = (a: Long, b: Long): Long => {
  if (b === 0) throw divideByZero();
  if (typeof a === "number" && typeof b === "number")
    return Math.trunc(a / b) + 0 === a / b ? a / b + 0 : quotient(a, b);
  return exactLong(BigInt(a) / BigInt(b), "long");
};
/** Exact quotient of safe integers: a / b may round up to the next integer. */
const quotient = (a: number, b: number): number => (a - (a % b)) / b + 0;
export const divideLongSafe = (a: number, b: number): number => {
  if (b === 0) throw divideByZero();
  return quotient(a, b);
};

/** The remainder, with the sign of the dividend; for every type that is a number. */
export const remainder = (a: number, b: number): number => {
  if (b === 0) throw remainderByZero();
  return (a % b) + 0;
};
/** As `remainder`, for doubles, where -0 is kept. */
export const remainderDouble = (a: number, b: number): number => {
  if (b === 0) throw remainderByZero();
  return a % b;
};
export const remainderLong = (a: Long, b: Long): Long => {
  if (b === 0) throw remainderByZero();
  if (typeof a === "number" && typeof b === "number") return (a % b) + 0;
  return canonicalLong(BigInt(a) % BigInt(b));
};
