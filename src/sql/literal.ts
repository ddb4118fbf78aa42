/**
 * Literals of numbers and of typed strings (`DATE '2024-01-01'`, `X'1F'`), with Spark's choice of type: an integer is int, else long, else decimal;
 * a number with a point is a decimal of just its digits, one with an exponent a double; a suffix decides (L S Y D F BD).
 */
import { canonicalLong } from "../core/value.ts";
import type { Value } from "../core/value.ts";
import {
  decimal,
  BINARY,
  BYTE,
  DATE,
  DOUBLE,
  FLOAT,
  INT,
  LONG,
  SHORT,
  STRING,
  TIMESTAMP,
  TIMESTAMP_NTZ,
  type DataType,
} from "../core/data-type.ts";
import type { Expr } from "../expr/ast.ts";
import { parseDate, parseTimestamp, parseTimestampNtz, parseTimestampText } from "../expr/time/iso-text.ts";
import { typedInterval } from "./interval-literal.ts";
import type { Parser } from "./token-stream.ts";
import type { Token } from "./token.ts";

const DECIMAL_PRECISION_MAX = 38;

interface Typed {
  readonly value: Value;
  readonly type: DataType;
}

/** Suffix, type and bits of the integer literals that name their type. */
const INTEGRAL = new Map<string, readonly [DataType, bigint]>([
  ["L", [LONG, 64n]],
  ["S", [SHORT, 16n]],
  ["Y", [BYTE, 8n]],
]);

const PARTS = /^([0-9]*)(?:(\.)([0-9]*))?(?:E([+-]?[0-9]+))?(BD|[LSYDF])?$/;

const outOfRange = (p: Parser, token: Token, text: string, type: string): Error =>
  p.error(
    "INVALID_NUMERIC_LITERAL_RANGE",
    `The numeric literal ${text} is outside the range of ${type}.`,
    token,
  );

const fits = (n: bigint, bits: bigint): boolean => n >= -(1n << (bits - 1n)) && n < 1n << (bits - 1n);

/** A decimal of `digits` with `scale` of them behind the point, of just the precision it needs. */
const decimalValue = (p: Parser, token: Token, digits: bigint, scale: number): Typed => {
  const unscaled = scale < 0 ? digits * 10n ** BigInt(-scale) : digits;
  const kept = Math.max(scale, 0);
  const length = (unscaled < 0n ? -unscaled : unscaled).toString().length;
  const precision = Math.max(length, kept);
  if (precision <= DECIMAL_PRECISION_MAX) return { value: unscaled, type: decimal(precision, kept) };
  const message = `Decimal precision ${precision} exceeds max precision ${DECIMAL_PRECISION_MAX}.`;
  throw p.error("DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", message, token);
};

const floating = (p: Parser, token: Token, text: string, single: boolean): Typed => {
  const value = single ? Math.fround(Number(text)) : Number(text);
  if (!Number.isFinite(value)) throw outOfRange(p, token, text, single ? "float" : "double");
  return { value, type: single ? FLOAT : DOUBLE };
};

const integral = (p: Parser, token: Token, n: bigint): Typed => {
  if (fits(n, 32n)) return { value: Number(n), type: INT };
  if (fits(n, 64n)) return { value: canonicalLong(n), type: LONG };
  return decimalValue(p, token, n, 0);
};

/** The literal of a number token; `negative` when a minus stood in front of it, so that the lowest values exist. */
export const numberLiteral = (p: Parser, token: Token, negative: boolean): Typed => {
  const m = PARTS.exec(token.text.toUpperCase());
  if (m === null) throw p.error("PARSE_SYNTAX_ERROR", `'${token.text}' is not a number`, token);
  const [, whole = "", point, fraction = "", exponent, suffix] = m;
  const sign = negative ? "-" : "";
  const plain = `${sign}${whole}${point === undefined ? "" : `.${fraction}`}${exponent === undefined ? "" : `e${exponent}`}`;
  if (suffix === "D" || suffix === "F") return floating(p, token, plain, suffix === "F");
  if (exponent !== undefined && suffix === undefined) return floating(p, token, plain, false);
  const digits = BigInt(whole + fraction) * (negative ? -1n : 1n);
  if (suffix === "BD" || point !== undefined) {
    const scale = fraction.length - Number(exponent ?? 0);
    if (scale > DECIMAL_PRECISION_MAX || scale < -DECIMAL_PRECISION_MAX)
      throw outOfRange(p, token, plain, "decimal(38,38)");
    return decimalValue(p, token, digits, scale);
  }
  const named = suffix === undefined ? undefined : INTEGRAL.get(suffix);
  if (named === undefined) return integral(p, token, digits);
  const [type, bits] = named;
  if (!fits(digits, bits))
    throw outOfRange(p, token, plain, { L: "bigint", S: "smallint", Y: "tinyint" }[suffix!]!);
  return { value: bits === 64n ? canonicalLong(digits) : Number(digits), type };
};

const bytesOf = (hex: string): Uint8Array | undefined => {
  const even = hex.length % 2 === 0 ? hex : `0${hex}`;
  return /^[0-9a-f]*$/i.test(hex) ? new Uint8Array(Buffer.from(even, "hex")) : undefined;
};

/** Days from today that a text of a date or timestamp literal stands for: moments of the query, not fixed ones. */
const CLOCK: Readonly<Record<string, number>> = { NOW: 0, TODAY: 0, TOMORROW: 1, YESTERDAY: -1 };

const call = (fn: string, ...args: Expr[]): Expr => ({ kind: "call", fn, args });

/** `DATE 'tomorrow'`, `TIMESTAMP 'now'` as calls of the clock's functions; undefined for other texts. */
const clockLiteral = (word: string, text: string): Expr | undefined => {
  const key = text.trim().toUpperCase();
  const to = { DATE, TIMESTAMP, TIMESTAMP_LTZ: TIMESTAMP, TIMESTAMP_NTZ }[word];
  if (to === undefined || !Object.hasOwn(CLOCK, key)) return undefined;
  if (key === "NOW" && to !== DATE) return call(to === TIMESTAMP ? "current_timestamp" : "localtimestamp");
  const days: Expr = { kind: "literal", value: CLOCK[key]!, type: INT };
  const date = call("date_add", call("current_date"), days);
  return to === DATE ? date : { kind: "cast", child: date, to, tryCast: false };
};

/** `TIMESTAMP '10:15'`: today, as the query's clock has it. */
const timeOfDay = (word: string, text: string): Expr | undefined =>
  (word === "TIMESTAMP" || word === "TIMESTAMP_LTZ") && parseTimestampText(text)?.timeOnly === true
    ? { kind: "cast", child: { kind: "literal", value: text, type: STRING }, to: TIMESTAMP, tryCast: false }
    : undefined;

const timeValue = (p: Parser, word: string, text: string): Typed | undefined => {
  const epoch = text.trim().toLowerCase() === "epoch";
  switch (word) {
    case "DATE": {
      const days = epoch ? 0 : parseDate(text);
      return days === undefined ? undefined : { value: days, type: DATE };
    }
    case "TIMESTAMP":
    case "TIMESTAMP_LTZ": {
      const ms = epoch ? 0 : parseTimestamp(text, p.timeZone);
      return ms === undefined ? undefined : { value: ms, type: TIMESTAMP };
    }
    case "TIMESTAMP_NTZ": {
      const ms = epoch ? 0 : parseTimestampNtz(text);
      return ms === undefined ? undefined : { value: ms, type: TIMESTAMP_NTZ };
    }
    default: {
      const bytes = bytesOf(text);
      return bytes === undefined ? undefined : { value: bytes, type: BINARY };
    }
  }
};

export const TYPED_LITERALS: ReadonlySet<string> = new Set([
  "DATE",
  "TIMESTAMP",
  "TIMESTAMP_LTZ",
  "TIMESTAMP_NTZ",
  "X",
  "INTERVAL",
]);

/** `DATE '…'`, `TIMESTAMP '…'`, `X'…'`, `INTERVAL '1 day'`; the word and the string are next. */
export const typedLiteral = (p: Parser): Expr => {
  const token = p.next();
  const text = p.string();
  const position = p.position(token);
  const word = token.upper;
  const span = { start: token.start, end: p.before()!.end };
  if (word === "INTERVAL") return { kind: "literal", ...typedInterval(p, text, span), position };
  const clock = clockLiteral(word, text) ?? timeOfDay(word, text);
  if (clock !== undefined) return { ...clock, position };
  const typed = timeValue(p, word, text);
  if (typed === undefined) {
    const message = `The value of the typed literal "${word}" is invalid: '${text}'.`;
    throw p.error("INVALID_TYPED_LITERAL", message, span);
  }
  return { kind: "literal", ...typed, ...(typed.type === TIMESTAMP ? { zone: p.timeZone } : {}), position };
};
