/** JS values as literal expressions: Spark's `lit`. */
import {
  array,
  BINARY,
  BOOLEAN,
  DAY_TIME_INTERVAL,
  type DataType,
  DOUBLE,
  INT,
  LONG,
  NULL,
  STRING,
  TIMESTAMP,
} from "../core/data-type.ts";
import { parseDuration } from "../core/duration.ts";
import { AnalysisError } from "../core/errors.ts";
import { canonicalLong, type Value } from "../core/value.ts";
import type { Expr } from "../expr/ast.ts";
import { isExpression, nodeOf } from "./node.ts";

const INT_MAX = 2 ** 31;
const MICROS_PER_MS = 1000;

export const literal = (value: Value, type: DataType): Expr =>
  Object.freeze({ kind: "literal", value, type });

const numberLiteral = (x: number): Expr => {
  if (!Number.isInteger(x) || Object.is(x, -0)) return literal(x, DOUBLE);
  if (x >= -INT_MAX && x < INT_MAX) return literal(x, INT);
  return Number.isSafeInteger(x) ? literal(x, LONG) : literal(x, DOUBLE);
};

const bigintLiteral = (x: bigint): Expr => {
  if (BigInt.asIntN(64, x) !== x)
    throw new AnalysisError(`the literal ${x} does not fit 64 bits; give it as text and cast it to decimal`, {
      errorClass: "ARITHMETIC_OVERFLOW",
    });
  return literal(canonicalLong(x), LONG);
};

/** An expression as it is, any other value as a literal. Throws AnalysisError UNSUPPORTED_FEATURE.LITERAL_TYPE. */
export const lift = (x: unknown): Expr => {
  if (isExpression(x)) return nodeOf(x);
  switch (typeof x) {
    case "number":
      return numberLiteral(x);
    case "bigint":
      return bigintLiteral(x);
    case "string":
      return literal(x, STRING);
    case "boolean":
      return literal(x, BOOLEAN);
    default:
  }
  if (x === null) return literal(null, NULL);
  if (x instanceof Date && !Number.isNaN(x.getTime())) return literal(x.getTime(), TIMESTAMP);
  if (x instanceof Uint8Array) return literal(x, BINARY);
  if (Array.isArray(x)) return arrayLiteral(x);
  const what =
    x === undefined ? "undefined" : x instanceof Date ? "an invalid Date" : `a value of type ${typeof x}`;
  throw new AnalysisError(
    `[UNSUPPORTED_FEATURE.LITERAL_TYPE] ${what} is neither a column expression nor a literal`,
    {
      errorClass: "UNSUPPORTED_FEATURE.LITERAL_TYPE",
      hint: "use a column (c => c.name), a number, bigint, string, boolean, Date, Uint8Array, an array of them or null",
    },
  );
};

const arrayLiteral = (xs: readonly unknown[]): Expr =>
  xs.length === 0
    ? literal([], array(NULL, false))
    : Object.freeze({ kind: "call", fn: "array", args: Object.freeze(xs.map(lift)) });

/** A duration as an interval literal. Throws ConfigurationError when the text is none. */
export const intervalLiteral = (duration: string): Expr =>
  literal(Math.round(parseDuration(duration) * MICROS_PER_MS), DAY_TIME_INTERVAL);
