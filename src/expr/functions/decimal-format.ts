/**
 * format_number: java.text.DecimalFormat with the signs of Locale.US, rounding HALF_EVEN. F1: the digits of a double are those of its shortest text; where they end
 * exactly between two results, the exact binary value decides, and only then the even digit.
 */
import { type DataType, INT, STRING } from "../../core/data-type.ts";
import type { Value } from "../../core/value.ts";
import { isNumeric } from "../coercion.ts";
import { parseDecimalText, plainDecimalString, pow10 } from "../decimal.ts";
import type { FunctionDefinition, TypeRule } from "../function.ts";
import { numeric, oneOf, signature } from "../rules.ts";
import { unexpectedInput } from "../type-errors.ts";
import { failure, family, strict, tooLong } from "./definition.ts";

const string = family("string");
/** More digits behind the point than any number needs: beyond it a power of ten would not fit the process. */
const PLACES_MAX = 100_000;

/** What one pattern says; prefixes and suffixes with their signs in place. */
interface Format {
  readonly positive: readonly [prefix: string, suffix: string];
  readonly negative: readonly [prefix: string, suffix: string];
  /** A power of ten that the number is multiplied by: percent 2, per mille 3. */
  readonly shift: number;
  readonly leastWhole: number;
  readonly mostWhole: number;
  readonly leastFraction: number;
  readonly mostFraction: number;
  readonly group: number;
  /** Digits of the exponent; 0: no exponent. */
  readonly exponent: number;
  readonly pointAlways: boolean;
}

const malformed = (pattern: string): Error =>
  failure("INVALID_FORMAT.UNEXPECTED_TOKEN", `The format is invalid: '${pattern}' is no pattern of numbers.`);

interface Affix {
  readonly text: string;
  readonly shift: number;
  readonly next: number;
}

/** Text outside of the digits, from `at` to the first special character of the number or the end of the part. */
const readAffix = (pattern: string, from: number, specials: string): Affix => {
  let text = "";
  let shift = 0;
  let quoted = false;
  let at = from;
  for (; at < pattern.length; at++) {
    const c = pattern[at]!;
    if (c === "'") {
      if (pattern[at + 1] === "'") {
        text += "'";
        at++;
      } else quoted = !quoted;
    } else if (quoted) text += c;
    else if (c === ";" || specials.includes(c)) break;
    else if (c === "%" || c === "‰") {
      if (shift !== 0) throw malformed(pattern);
      shift = c === "%" ? 2 : 3;
      text += c;
    } else if (c === "¤") {
      const international = pattern[at + 1] === "¤";
      if (international) at++;
      text += international ? "USD" : "$";
    } else text += c;
  }
  if (quoted) throw malformed(pattern);
  return { text, shift, next: at };
};

interface Digits {
  readonly left: number;
  readonly zeros: number;
  readonly right: number;
  readonly point: number;
  readonly grouping: number;
  readonly exponent: number;
  readonly next: number;
}

const readDigits = (pattern: string, from: number): Digits => {
  let [left, zeros, right, point, grouping, exponent] = [0, 0, 0, -1, -1, 0];
  let at = from;
  for (; at < pattern.length; at++) {
    const c = pattern[at]!;
    if (c === "#" || c === "0") {
      if (c === "#" && zeros === 0) left++;
      else if (c === "#") right++;
      else if (right > 0) throw malformed(pattern);
      else zeros++;
      if (grouping >= 0 && point < 0) grouping++;
    } else if (c === ",") grouping = 0;
    else if (c === ".") {
      if (point >= 0) throw malformed(pattern);
      point = left + zeros + right;
    } else break;
  }
  if (pattern[at] === "E") {
    while (pattern[++at] === "0") exponent++;
    if (left + zeros < 1 || exponent < 1) throw malformed(pattern);
  }
  if (zeros === 0 && left > 0 && point >= 0) {
    const whole = point === 0 ? 1 : point;
    [left, zeros, right] = [whole - 1, 1, left - whole];
  }
  const misplaced = point < 0 ? right > 0 : point < left || point > left + zeros;
  if (misplaced || grouping === 0) throw malformed(pattern);
  return { left, zeros, right, point, grouping, exponent, next: at };
};

const SPECIALS = "#0,.";

/** The prefix and suffix of the part behind `;`; its digits say nothing. */
const readNegative = (pattern: string, from: number): readonly [string, string] => {
  const prefix = readAffix(pattern, from, SPECIALS);
  const digits = readDigits(pattern, prefix.next);
  const suffix = readAffix(pattern, digits.next, SPECIALS);
  if (suffix.next < pattern.length) throw malformed(pattern);
  return [prefix.text, suffix.text];
};

const readFormat = (pattern: string): Format => {
  const prefix = readAffix(pattern, 0, SPECIALS);
  const d = readDigits(pattern, prefix.next);
  const suffix = readAffix(pattern, d.next, SPECIALS);
  if (suffix.next < pattern.length && pattern[suffix.next] !== ";") throw malformed(pattern);
  const positive = [prefix.text, suffix.text] as const;
  const own = suffix.next < pattern.length ? readNegative(pattern, suffix.next + 1) : positive;
  const same = own[0] === positive[0] && own[1] === positive[1];
  const total = d.left + d.zeros + d.right;
  const leastWhole = (d.point >= 0 ? d.point : total) - d.left;
  return {
    positive,
    negative: same ? [`-${positive[0]}`, positive[1]] : own,
    shift: prefix.shift + suffix.shift,
    leastWhole,
    mostWhole: d.exponent > 0 ? d.left + leastWhole : Infinity,
    leastFraction: d.point >= 0 ? d.left + d.zeros - d.point : 0,
    mostFraction: d.point >= 0 ? total - d.point : 0,
    group: Math.max(0, d.grouping),
    exponent: d.exponent,
    pointAlways: d.point === 0 || (d.point > 0 && d.point === total),
  };
};

/** A magnitude with, for F1, how its exact value compares to the digits. */
interface Magnitude {
  readonly unscaled: bigint;
  readonly scale: number;
  readonly exact: -1 | 0 | 1;
}

/** How the exact value of a double compares to `unscaled / 10^scale`. */
const compareExact = (x: number, unscaled: bigint, scale: number): -1 | 0 | 1 => {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, x);
  const bits = view.getBigUint64(0);
  const field = Number((bits >> 52n) & 0x7ffn);
  const mantissa = (bits & 0xfffffffffffffn) | (field === 0 ? 0n : 1n << 52n);
  const power = (field === 0 ? 1 : field) - 1075;
  const ours = mantissa * (power > 0 ? 1n << BigInt(power) : 1n) * pow10(Math.max(0, scale));
  const theirs = unscaled * (power < 0 ? 1n << BigInt(-power) : 1n) * pow10(Math.max(0, -scale));
  return ours < theirs ? -1 : ours > theirs ? 1 : 0;
};

const magnitudeOf = (v: Value, type: DataType): Magnitude | undefined => {
  if (type.kind === "decimal") {
    const x = v as bigint;
    return { unscaled: x < 0n ? -x : x, scale: type.scale, exact: 0 };
  }
  const parsed = parseDecimalText(String(v).replace(/^-/, ""));
  if (parsed === undefined) return undefined;
  const floating = type.kind === "double" || type.kind === "float";
  const exact = floating ? compareExact(Math.abs(v as number), parsed.unscaled, parsed.scale) : 0;
  return { ...parsed, exact };
};

/** `x` in units of 10^-places, HALF_EVEN (F1). */
const rounded = (x: Magnitude, places: number): bigint => {
  if (x.scale <= places) return x.unscaled * pow10(places - x.scale);
  const unit = pow10(x.scale - places);
  const [quotient, rest] = [x.unscaled / unit, x.unscaled % unit];
  const twice = rest * 2n - unit;
  const up = twice > 0n || (twice === 0n && (x.exact > 0 || (x.exact === 0 && quotient % 2n === 1n)));
  return up ? quotient + 1n : quotient;
};

const grouped = (whole: string, group: number): string =>
  group > 0 ? whole.replace(new RegExp(`\\B(?=(?:\\d{${group}})+$)`, "g"), ",") : whole;

const plainText = (x: Magnitude, f: Format): string => {
  const [whole, fraction = ""] = plainDecimalString(rounded(x, f.mostFraction), f.mostFraction).split(
    ".",
  ) as [string, string?];
  let kept = fraction;
  while (kept.length > f.leastFraction && kept.endsWith("0")) kept = kept.slice(0, -1);
  const digits = whole.replace(/^0+/, "").padStart(f.leastWhole, "0");
  const shown = digits === "" && kept === "" ? "0" : digits;
  return `${grouped(shown, f.group)}${kept === "" && !f.pointAlways ? "" : "."}${kept}`;
};

/** `mostWhole` digits in front of the point, the exponent a multiple of them, or exactly `leastWhole`. */
const exponentText = (x: Magnitude, f: Format): string => {
  const significant = f.mostWhole + f.mostFraction;
  let text = String(x.unscaled);
  let pointAt = text.length - x.scale;
  if (x.unscaled === 0n) [text, pointAt] = ["", 0];
  else if (text.length > significant) {
    const longer = String(rounded(x, significant - pointAt));
    if (longer.length > significant) pointAt++;
    text = longer.slice(0, significant);
  }
  text = text.replace(/0+$/, "");
  const repeats = f.mostWhole > 1 && f.mostWhole > f.leastWhole;
  const least = repeats ? 1 : f.leastWhole;
  const power = repeats ? Math.floor((pointAt - 1) / f.mostWhole) * f.mostWhole : pointAt - least;
  const exponent = text === "" ? 0 : power;
  const whole = text === "" ? least : pointAt - exponent;
  const digits = text.padEnd(Math.max(f.leastWhole + f.leastFraction, whole), "0");
  const fraction = digits.slice(whole);
  const shown = String(Math.abs(exponent)).padStart(f.exponent, "0");
  return `${digits.slice(0, whole)}${fraction === "" ? "" : `.${fraction}`}E${exponent < 0 ? "-" : ""}${shown}`;
};

const withPlaces = (places: number): Format => ({
  positive: ["", ""],
  negative: ["-", ""],
  shift: 0,
  leastWhole: 1,
  mostWhole: Infinity,
  leastFraction: places,
  mostFraction: places,
  group: 3,
  exponent: 0,
  pointAlways: false,
});

const formatNumber = (v: Value, type: DataType, places: Value): string | null => {
  if (typeof places === "number" && places < 0) return null;
  if (typeof places === "number" && places > PLACES_MAX) throw tooLong(places, "format_number");
  const format =
    typeof places === "number"
      ? withPlaces(places)
      : places === ""
        ? withPlaces(0)
        : readFormat(places as string);
  if (Number.isNaN(v)) return "NaN";
  const x = magnitudeOf(v, type);
  const negative = typeof v === "number" ? v < 0 || Object.is(v, -0) : (v as bigint) < 0n;
  const [prefix, suffix] = negative ? format.negative : format.positive;
  if (x === undefined) return `${prefix}∞${suffix}`;
  const shifted = { ...x, scale: x.scale - format.shift };
  return `${prefix}${format.exponent > 0 ? exponentText(shifted, format) : plainText(shifted, format)}${suffix}`;
};

/** Neither a text for the number nor a fraction for the places is cast. */
const rule: TypeRule = (args, site) => {
  const [x, places] = args;
  if (x !== undefined && x.type.kind !== "null" && !isNumeric(x.type))
    throw unexpectedInput(site, args, 0, `"NUMERIC"`);
  if (
    places !== undefined &&
    (places.type.kind === "decimal" || ["float", "double"].includes(places.type.kind))
  )
    throw unexpectedInput(site, args, 1, `("INT" or "STRING")`);
  return signature([numeric, oneOf(INT, STRING)], STRING, { nullable: true })(args, site);
};

export const DECIMAL_FORMAT_FUNCTIONS: readonly FunctionDefinition[] = [
  string(
    "format_number(x, places)",
    "A number with grouped thousands, rounded half to even; places may be a pattern of Java's DecimalFormat such as '#,##0.00'.",
    rule,
    strict<[Value, Value]>(([v, p], call) => formatNumber(v, call.argTypes[0]!, p)),
    {
      examples: [
        ["format_number(12332.123456, 4)", "12,332.1235"],
        ["format_number(0.126, '0.0%')", "12.6%"],
      ],
    },
  ),
];
