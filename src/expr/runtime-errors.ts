/** Errors of a row's computation, with Spark's error classes and wording. */
import type { DataType } from "../core/data-type.ts";
import { ExecutionError } from "../core/errors.ts";
import type { Value } from "../core/value.ts";
import { plainDecimalString } from "./decimal.ts";
import { sqlType } from "./type-errors.ts";

/** An ExecutionError of a class: the message begins with `[CLASS]`. */
export const executionError = (errorClass: string, message: string): ExecutionError =>
  new ExecutionError(`[${errorClass}] ${message}`, { errorClass });

export const divideByZero = (): ExecutionError =>
  executionError(
    "DIVIDE_BY_ZERO",
    "Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead.",
  );
export const remainderByZero = (): ExecutionError =>
  executionError(
    "REMAINDER_BY_ZERO",
    "Remainder by zero. Use `try_mod` to tolerate divisor being 0 and return NULL instead.",
  );
export const intervalDividedByZero = (): ExecutionError =>
  executionError(
    "INTERVAL_DIVIDED_BY_ZERO",
    "Division by zero. Use `try_divide` to tolerate divisor being 0 and return NULL instead.",
  );
/** `alternative`: the try_ function that gives null instead. */
export const arithmeticOverflow = (what: string, alternative?: string): ExecutionError =>
  executionError(
    "ARITHMETIC_OVERFLOW",
    `${what} overflow.${alternative ? ` Use '${alternative}' to tolerate overflow and return NULL instead.` : ""}`,
  );
export const intervalOverflow = (): ExecutionError =>
  executionError(
    "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION",
    "Integer overflow while operating with intervals.",
  );
/** A time is beyond 64 bits of microseconds. */
export const instantOverflow = (what: string): ExecutionError =>
  executionError("DATETIME_OVERFLOW", `Datetime operation overflow: ${what}.`);
/** `alternative`: the try_ function that gives null instead. */
export const intervalOverflowInstead = (alternative: string): ExecutionError =>
  executionError(
    "INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION",
    `Integer overflow while operating with intervals. Use \`${alternative}\` to tolerate overflow and return NULL instead.`,
  );
export const binaryOverflow = (a: Value, symbol: string, b: Value, name: string): ExecutionError =>
  executionError(
    "BINARY_ARITHMETIC_OVERFLOW",
    `${String(a)} ${symbol} ${String(b)} caused overflow. Use \`${name}\` to ignore overflow problem and return NULL.`,
  );
export const decimalOutOfRange = (
  unscaled: bigint,
  scale: number,
  precision: number,
  to: number,
): ExecutionError =>
  executionError(
    "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION",
    `The ${plainDecimalString(unscaled, scale)} rounded half up cannot be represented as Decimal(${precision}, ${to}).`,
  );

export const castInvalidInput = (shown: string, from: DataType, to: DataType): ExecutionError =>
  executionError(
    "CAST_INVALID_INPUT",
    `The value ${shown} of the type "${sqlType(from)}" cannot be cast to "${sqlType(to)}" because it is malformed. ` +
      "Correct the value as per the syntax, or change its target type. Use `try_cast` to tolerate malformed input and return NULL instead.",
  );
export const castOverflow = (shown: string, from: DataType, to: DataType): ExecutionError =>
  executionError(
    "CAST_OVERFLOW",
    `The value ${shown} of the type "${sqlType(from)}" cannot be cast to "${sqlType(to)}" due to an overflow. ` +
      "Use `try_cast` to tolerate overflow and return NULL instead.",
  );
