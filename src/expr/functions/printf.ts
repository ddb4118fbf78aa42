/** Java's String.format for the conversions Spark users write: %d %s %f %e %g %x %o %c %b %n %%, with flags, width, precision and argument indexes. */
import { type DataType, LONG } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import { isIntegral } from "../coercion.ts";
import { plainDecimalString, toScale, parseDecimalText, decimalToNumber } from "../decimal.ts";
import { microsOf } from "../time/calendar.ts";
import { valueText } from "../value-text.ts";
import { failure, tooLong } from "./definition.ts";
import { TEXT_CHARS_MAX } from "../../core/limits.ts";

const SPEC = /%(?:(\d+)\$|(<))?([-#+ 0,(]*)(\d+)?(?:\.(\d+))?([a-zA-Z%])/g;

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
  const x = type.kind === "decimal" ? decimalToNumber(v as bigint, type.scale) : (v as number);
  if (!Number.isFinite(x))
    return Number.isNaN(x) ? "NaN" : x > 0 ? (s.flags.includes("+") ? "+Infinity" : "Infinity") : "-Infinity";
  const negative = x < 0 || Object.is(x, -0);
  const c = s.conversion.toLowerCase();
  if (c === "e") return signed(negative, scientific(Math.abs(x), places), s);
  if (c === "g") return signed(negative, general(Math.abs(x), places), s);
  if (type.kind === "decimal") {
    const unscaled = v as bigint;
    return signed(unscaled < 0n, fixed(unscaled < 0n ? -unscaled : unscaled, type.scale, places), s);
  }
  const parsed = parseDecimalText(String(Math.abs(x)))!;
  return signed(negative, fixed(parsed.unscaled, parsed.scale, places), s);
};

/** What Spark's engine holds for a time: days, microseconds, months. */
const internal = (v: Value, type: DataType): Value | undefined => {
  switch (type.kind) {
    case "date":
    case "dayTimeInterval":
    case "yearMonthInterval":
      return v;
    case "timestamp":
    case "timestamp_ntz":
      return microsOf(v as number);
    default:
      return undefined;
  }
};

const text = (v: Value, type: DataType, s: Spec, zone: string): string => {
  const full = v === null ? "null" : valueText(type, zone)(v);
  return s.precision === undefined ? full : full.slice(0, s.precision);
};

const convert = (v: Value, type: DataType, s: Spec, zone: string, format: string): string => {
  const held = v === null ? undefined : internal(v, type);
  if (held !== undefined) return convert(held, LONG, s, zone, format);
  const c = s.conversion.toLowerCase();
  if (c === "b") return v === null ? "false" : typeof v === "boolean" ? String(v) : "true";
  if (c === "s" || v === null) return text(v, type, s, zone);
  if (c === "c" && isIntegral(type)) return String.fromCodePoint(Number(v));
  if (c === "c" && typeof v === "string" && v.length === 1) return v;
  if ("dxo".includes(c) && isIntegral(type)) return integer(v, type, s);
  if ("feg".includes(c) && (type.kind === "float" || type.kind === "double" || type.kind === "decimal"))
    return fractional(v, type, s);
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
  const out = format.replace(
    SPEC,
    (
      _,
      index: string | undefined,
      same: string | undefined,
      flags: string,
      width: string | undefined,
      precision: string | undefined,
      conversion: string,
    ) => {
      if (conversion === "n") return "\n";
      const widest = Math.max(Number(width ?? 0), Number(precision ?? 0));
      if (widest > TEXT_CHARS_MAX) throw tooLong(widest, "format_string");
      const s: Spec = {
        flags,
        width: Number(width ?? 0),
        precision: precision === undefined ? undefined : Number(precision),
        conversion,
      };
      if (conversion === "%") return padded("%", s);
      const i = index !== undefined ? Number(index) - 1 : same !== undefined ? last : next++;
      if (i < 0 || i >= args.length) throw invalid(format);
      last = i;
      const shown = padded(convert(args[i]!, types[i]!, s, zone, format), s);
      return /[A-Z]/.test(conversion) ? shown.toUpperCase() : shown;
    },
  );
  return out;
};
