/**
 * Java's String.format for the conversions Spark users write: %d %s %f %e %g %a %x %o %c %b %h %n %%, with flags, width, precision and argument indexes.
 * P1: what Java refuses is refused: flags a conversion has no use for, `-` or `0` without a width, a precision of whole numbers, a lone `%`.
 */
import { type DataType, INT, LONG } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import { isIntegral } from "../coercion.ts";
import { plainDecimalString, toScale, parseDecimalText } from "../decimal.ts";
import { microsOf } from "../time/calendar.ts";
import { doubleText, floatText } from "../number-text.ts";
import { internalText } from "../internal-text.ts";
import { hexDouble, javaHash } from "./printf-values.ts";
import { failure, tooLong } from "./definition.ts";
import { TEXT_CHARS_MAX } from "../../core/limits.ts";

const SPEC = /%(?:(\d+)\$|(<))?([-#+ 0,(]*)(\d+)?(?:\.(\d+))?(t[a-zA-Z]|[a-zA-Z%])/y;

interface Spec {
  readonly flags: string;
  readonly width: number;
  readonly precision: number | undefined;
  readonly conversion: string;
}

const invalid = (format: string): Error =>
  failure("INVALID_PARAMETER_VALUE.PRINTF", `The format '${format}' does not fit its arguments.`);

const grouped = (whole: string): string => whole.replace(/\B(?=(?:\d{3})+$)/g, ",");

/** Sign, grouping and zero padding of an unsigned number's text. */
const signed = (negative: boolean, digits: string, s: Spec): string => {
  const [whole, ...rest] = digits.split(".") as [string, ...string[]];
  const body = [s.flags.includes(",") ? grouped(whole) : whole, ...rest].join(".");
  const [open, close] = negative
    ? s.flags.includes("(")
      ? ["(", ")"]
      : ["-", ""]
    : [s.flags.includes("+") ? "+" : s.flags.includes(" ") ? " " : "", ""];
  const zeros = s.flags.includes("0") ? Math.max(0, s.width - open!.length - close!.length - body.length) : 0;
  return open! + "0".repeat(zeros) + body + close!;
};

const padded = (text: string, s: Spec): string =>
  s.flags.includes("-") ? text.padEnd(s.width) : text.padStart(s.width);

const BITS: Partial<Record<DataType["kind"], number>> = { byte: 8, short: 16, int: 32, long: 64 };

const integer = (v: Value, type: DataType, s: Spec): string => {
  const x = BigInt(v as number | bigint);
  const c = s.conversion.toLowerCase();
  if (c === "d") return signed(x < 0n, String(x < 0n ? -x : x), s);
  const radix = c === "x" ? 16 : 8;
  const text = BigInt.asUintN(BITS[type.kind] ?? 64, x).toString(radix);
  const prefixed = s.flags.includes("#") ? (radix === 16 ? "0x" : "0") + text : text;
  return s.flags.includes("0") ? prefixed.padStart(s.width, "0") : prefixed;
};

/** Exact HALF_UP rounding of a double's shortest text, or of a decimal. */
const fixed = (unscaled: bigint, scale: number, places: number): string =>
  plainDecimalString(toScale(unscaled, scale, places), places);

const scientific = (x: number, places: number): string => {
  const [mantissa, exponent] = x.toExponential(places).split("e") as [string, string];
  const digits = exponent.slice(1).padStart(2, "0");
  return `${mantissa}e${exponent[0]}${digits}`;
};

/** Flags each conversion takes (P1). */
const FLAGS: Readonly<Record<string, string>> = {
  b: "-",
  h: "-",
  s: "-",
  c: "-",
  d: "-+ 0,(",
  x: "-#0",
  o: "-#0",
  e: "-#+ 0(",
  f: "-#+ 0,(",
  g: "-+ 0,(",
  a: "-#+ 0",
  "%": "-",
  n: "",
};

/** P1. */
const isLegal = (s: Spec, width: string | undefined): boolean => {
  const c = s.conversion.toLowerCase();
  const allowed = Object.hasOwn(FLAGS, c) ? FLAGS[c]! : undefined;
  if (allowed === undefined || /[DFON]/.test(s.conversion)) return false;
  const { flags } = s;
  if ([...flags].some((f, i) => !allowed.includes(f) || flags.indexOf(f) !== i)) return false;
  if (/[-0]/.test(flags) && width === undefined) return false;
  if ((flags.includes("-") && flags.includes("0")) || (flags.includes("+") && flags.includes(" ")))
    return false;
  if (s.precision !== undefined && "dxocn%".includes(c)) return false;
  return c !== "n" || width === undefined;
};

const general = (x: number, precision: number): string => {
  const p = precision === 0 ? 1 : precision;
  if (x !== 0 && (x < 1e-4 || x >= 10 ** p)) return scientific(x, p - 1);
  const whole = x < 1 ? 1 : Math.floor(Math.log10(x)) + 1;
  const parsed = parseDecimalText(String(x))!;
  return fixed(
    parsed.unscaled,
    parsed.scale,
    Math.max(0, x === 0 ? p - 1 : p - (x < 1 ? Math.floor(Math.log10(x)) + 1 : whole)),
  );
};

const fractional = (v: Value, type: DataType, s: Spec): string => {
  const places = s.precision ?? 6;
  const x = v as number;
  if (!Number.isFinite(x))
    return Number.isNaN(x) ? "NaN" : x > 0 ? (s.flags.includes("+") ? "+Infinity" : "Infinity") : "-Infinity";
  const negative = x < 0 || Object.is(x, -0);
  const c = s.conversion.toLowerCase();
  if (c === "e") return signed(negative, scientific(Math.abs(x), places), s);
  if (c === "g") return signed(negative, general(Math.abs(x), places), s);
  if (c === "a") return signed(negative, hexDouble(Math.abs(x), s.precision), s);
  const shortest = type.kind === "float" ? floatText(Math.abs(x)) : doubleText(Math.abs(x));
  const parsed = parseDecimalText(shortest)!;
  return signed(negative, fixed(parsed.unscaled, parsed.scale, places), s);
};

/** What Spark's engine holds for a time: days, microseconds, months. */
const internal = (v: Value, type: DataType): readonly [Value, DataType] => {
  switch (type.kind) {
    case "date":
    case "yearMonthInterval":
      return [v, INT];
    case "dayTimeInterval":
      return [v, LONG];
    case "timestamp":
    case "timestamp_ntz":
      return [microsOf(v as number), LONG];
    default:
      return [v, type];
  }
};

const text = (full: string, s: Spec): string =>
  s.precision === undefined ? full : full.slice(0, s.precision);

const convert = (given: Value, givenType: DataType, s: Spec, zone: string, format: string): string => {
  const c = s.conversion.toLowerCase();
  if (given === null) return text(c === "b" ? "false" : "null", s);
  const [v, type] = internal(given, givenType);
  if (c === "b") return text(typeof v === "boolean" ? String(v) : "true", s);
  if (c === "s") return text(internalText(v, type, zone), s);
  if (c === "h") {
    const hash = javaHash(v, type);
    if (hash !== undefined) return text((hash >>> 0).toString(16), s);
  }
  if (c === "c" && isIntegral(type) && type.kind !== "long" && Number(v) >= 0 && Number(v) <= 0x10ffff)
    return String.fromCodePoint(Number(v));
  if ("dxo".includes(c) && isIntegral(type)) return integer(v, type, s);
  if ("fega".includes(c) && (type.kind === "float" || type.kind === "double")) return fractional(v, type, s);
  throw invalid(format);
};

/** The formatted text. @throws ExecutionError when format and arguments do not fit */
export const formatText = (
  format: string,
  args: readonly Value[],
  types: readonly DataType[],
  zone: string,
): string => {
  let next = 0;
  let last = -1;
  const one = (m: RegExpExecArray): string => {
    const [, index, same, flags, width, precision, conversion] = m;
    const s: Spec = {
      flags: flags!,
      width: Number(width ?? 0),
      precision: precision === undefined ? undefined : Number(precision),
      conversion: conversion!,
    };
    if (!isLegal(s, width)) throw invalid(format);
    const widest = Math.max(s.width, s.precision ?? 0);
    if (widest > TEXT_CHARS_MAX) throw tooLong(widest, "format_string");
    if (conversion === "n") return "\n";
    if (conversion === "%") return padded("%", s);
    const i = index !== undefined ? Number(index) - 1 : same !== undefined ? last : next++;
    if (i < 0 || i >= args.length) throw invalid(format);
    last = i;
    const shown = padded(convert(args[i]!, types[i]!, s, zone, format), s);
    return /[A-Z]/.test(conversion!) ? shown.toUpperCase() : shown;
  };
  let out = "";
  for (let at = 0; at < format.length;) {
    const found = format.indexOf("%", at);
    if (found < 0) return out + format.slice(at);
    SPEC.lastIndex = found;
    const m = SPEC.exec(format);
    if (m === null) throw invalid(format);
    out += format.slice(at, found) + one(m);
    at = found + m[0].length;
  }
  return out;
};
