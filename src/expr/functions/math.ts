/** Elementary functions of doubles. Java's StrictMath and V8 share fdlibm, so results agree to the last bit where the formula does. */
import { BINARY, DOUBLE, INT, LONG, STRING } from "../../core/data-type.ts";
import { canonicalLong, type Value } from "../../core/value.ts";
import type { FunctionDefinition } from "../function.ts";
import type { TypedExpr } from "../ast.ts";
import { ansiInterval, oneOf, signature, type SignatureOptions } from "../rules.ts";
import { unexpectedInput } from "../type-errors.ts";
import { family, overflow, plain, saturatedLong, strict } from "./definition.ts";

const math = family("math");

type Unary = (x: number) => number;
const unary = (
  usage: string,
  summary: string,
  f: Unary,
  example?: readonly [string, string],
  aliases?: readonly string[],
): FunctionDefinition =>
  math(usage, summary, signature([DOUBLE], DOUBLE), plain(f), {
    ...(example ? { examples: [example] } : {}),
    ...(aliases ? { aliases } : {}),
    emit: (args, _, bind) => `${bind(f)}(${args[0]})`,
  });

/** A double or an interval of one kind, by its length. */
const measure = oneOf(DOUBLE, ansiInterval);
const oneMeasure: SignatureOptions["check"] = (args: readonly TypedExpr[], site) => {
  const odd = args.slice(1, 3).findIndex((a) => a.type.kind !== args[0]!.type.kind);
  if (odd >= 0) throw unexpectedInput(site, args, odd + 1, measure.name);
};

/** A logarithm: null outside its domain, as in Spark. */
const logarithm = (
  usage: string,
  summary: string,
  f: Unary,
  above: number,
  example: readonly [string, string],
): FunctionDefinition =>
  math(
    usage,
    summary,
    signature([DOUBLE], DOUBLE, { nullable: true }),
    strict<[number]>(([x]) => (x <= above ? null : f(x))),
    { examples: [example] },
  );

const rint = (x: number): number => {
  if (!Number.isFinite(x) || Math.abs(x) >= 2 ** 52) return x;
  const floor = Math.floor(x);
  const d = x - floor;
  const r = d < 0.5 ? floor : d > 0.5 ? floor + 1 : floor % 2 === 0 ? floor : floor + 1;
  return r === 0 && (x < 0 || Object.is(x, -0)) ? -0 : r;
};

const FACTORIALS: bigint[] = [1n];
for (let i = 1n; i <= 20n; i++) FACTORIALS.push(FACTORIALS[Number(i) - 1]! * i);

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";

/** `conv(num, from, to)`: digits up to the first invalid one, as an unsigned 64-bit number (signed when `to` is negative). */
const convert = (text: string, from: number, to: number): string | null => {
  const base = Math.abs(to);
  if (from < 2 || from > 36 || base < 2 || base > 36) return null;
  const trimmed = text.trim();
  if (trimmed === "") return null;
  const negative = trimmed.startsWith("-");
  let value = 0n;
  for (const c of trimmed.slice(negative ? 1 : 0).toUpperCase()) {
    const d = DIGITS.indexOf(c);
    if (d < 0 || d >= from) break;
    value = value * BigInt(from) + BigInt(d);
    if (value >= 2n ** 64n) throw overflow();
  }
  if (negative) {
    if (to < 0 && value > 2n ** 63n) throw overflow();
    // A magnitude beyond 63 bits is -1, as in Hive.
    value = to < 0 ? -value : BigInt.asUintN(64, value >= 2n ** 63n ? -1n : -value);
  } else if (to < 0) value = BigInt.asIntN(64, value);
  return value.toString(base).toUpperCase();
};

const hexOf = (v: Value): string => {
  if (v instanceof Uint8Array) return Buffer.from(v).toString("hex").toUpperCase();
  if (typeof v === "string") return Buffer.from(v, "utf8").toString("hex").toUpperCase();
  return BigInt.asUintN(64, BigInt(v as number | bigint))
    .toString(16)
    .toUpperCase();
};

const unhex = (text: string): Uint8Array | null => {
  if (!/^[0-9a-fA-F]*$/.test(text)) return null;
  return new Uint8Array(Buffer.from(text.length % 2 === 0 ? text : `0${text}`, "hex"));
};

/** V8 corrects exp(1) to the nearest double, Java's StrictMath keeps what fdlibm computes; cosh is made of it. */
const EXP_1 = 2.7182818284590455;
const exp = (x: number): number => (x === 1 ? EXP_1 : Math.exp(x));
const cosh = (x: number): number => (x === 1 || x === -1 ? EXP_1 / 2 + 0.5 / EXP_1 : Math.cosh(x));

const bucketOf = (position: number): number | bigint => canonicalLong(BigInt(saturatedLong(position)) + 1n);

const widthBucket = (v: number, min: number, max: number, buckets: bigint): number | bigint | null => {
  const valid =
    buckets > 0n &&
    buckets < 2n ** 63n - 1n &&
    !Number.isNaN(v) &&
    Number.isFinite(min) &&
    Number.isFinite(max);
  if (!valid || min === max) return null;
  const [lower, upper] = [Math.min(min, max), Math.max(min, max)];
  if (min < max) {
    if (v < lower) return 0;
    if (v >= upper) return canonicalLong(buckets + 1n);
    return bucketOf((Number(buckets) * (v - lower)) / (upper - lower));
  }
  if (v > upper) return 0;
  if (v <= lower) return canonicalLong(buckets + 1n);
  return bucketOf((Number(buckets) * (upper - v)) / (upper - lower));
};

const trigonometry: readonly FunctionDefinition[] = [
  unary("sin(x)", "Sine of an angle in radians.", Math.sin, ["sin(0)", "0.0"]),
  unary("cos(x)", "Cosine of an angle in radians.", Math.cos, ["cos(0)", "1.0"]),
  unary("tan(x)", "Tangent of an angle in radians.", Math.tan, ["tan(0)", "0.0"]),
  unary("cot(x)", "Cotangent of an angle in radians.", (x) => 1 / Math.tan(x), [
    "cot(1)",
    "0.6420926159343306",
  ]),
  unary("sec(x)", "Secant of an angle in radians.", (x) => 1 / Math.cos(x), ["sec(0)", "1.0"]),
  unary("csc(x)", "Cosecant of an angle in radians.", (x) => 1 / Math.sin(x), [
    "csc(1)",
    "1.1883951057781212",
  ]),
  unary("asin(x)", "Arc sine in radians; NaN outside [-1, 1].", Math.asin, ["asin(0)", "0.0"]),
  unary("acos(x)", "Arc cosine in radians; NaN outside [-1, 1].", Math.acos, ["acos(1)", "0.0"]),
  unary("atan(x)", "Arc tangent in radians.", Math.atan, ["atan(0)", "0.0"]),
  unary("sinh(x)", "Hyperbolic sine.", Math.sinh, ["sinh(0)", "0.0"]),
  unary("cosh(x)", "Hyperbolic cosine.", cosh, ["cosh(0)", "1.0"]),
  unary("tanh(x)", "Hyperbolic tangent.", Math.tanh, ["tanh(0)", "0.0"]),
  unary("asinh(x)", "Inverse hyperbolic sine.", Math.asinh, ["asinh(0)", "0.0"]),
  unary("acosh(x)", "Inverse hyperbolic cosine.", Math.acosh, ["acosh(1)", "0.0"]),
  unary("atanh(x)", "Inverse hyperbolic tangent.", (x) => 0.5 * (Math.log1p(x) - Math.log1p(-x)), [
    "atanh(0)",
    "0.0",
  ]),
  unary("degrees(x)", "Radians as degrees.", (x) => x * (180 / Math.PI), [
    "degrees(3.141592653589793)",
    "180.0",
  ]),
  unary("radians(x)", "Degrees as radians.", (x) => x * (Math.PI / 180), [
    "radians(180)",
    "3.141592653589793",
  ]),
  math(
    "atan2(y, x)",
    "Angle of the point (x, y).",
    signature([DOUBLE, DOUBLE], DOUBLE),
    plain((y: number, x: number) => Math.atan2(y + 0, x + 0)),
    {
      examples: [["atan2(0, 3)", "0.0"]],
    },
  ),
];

const powers: readonly FunctionDefinition[] = [
  unary("sqrt(x)", "Square root; NaN below 0.", Math.sqrt, ["sqrt(4)", "2.0"]),
  unary("cbrt(x)", "Cube root.", Math.cbrt, ["cbrt(27)", "3.0"]),
  unary("exp(x)", "e to the power of x.", exp, ["exp(0)", "1.0"]),
  unary("expm1(x)", "exp(x) - 1, exact near 0.", Math.expm1, ["expm1(0)", "0.0"]),
  unary("rint(x)", "The nearest integer as a double, ties to even.", rint, ["rint(12.3456)", "12.0"]),
  math(
    "sign(x)",
    "-1.0, 0.0 or 1.0, of a number or an interval.",
    signature([measure], DOUBLE),
    plain((x: number) => Math.sign(x)),
    { aliases: ["signum"], examples: [["sign(40)", "1.0"]] },
  ),
  math(
    "power(x, y)",
    "x to the power of y.",
    signature([DOUBLE, DOUBLE], DOUBLE),
    plain((x: number, y: number) => x ** y),
    {
      aliases: ["pow"],
      examples: [["power(2, 3)", "8.0"]],
    },
  ),
  math(
    "hypot(a, b)",
    "sqrt(a² + b²).",
    signature([DOUBLE, DOUBLE], DOUBLE),
    plain((a: number, b: number) => Math.hypot(a, b)),
    {
      examples: [["hypot(3, 4)", "5.0"]],
    },
  ),
  logarithm("ln(x)", "Natural logarithm; null at 0 and below.", Math.log, 0, ["ln(1)", "0.0"]),
  logarithm("log10(x)", "Logarithm to base 10; null at 0 and below.", Math.log10, 0, ["log10(10)", "1.0"]),
  logarithm("log2(x)", "Logarithm to base 2; null at 0 and below.", (x) => Math.log(x) / Math.log(2), 0, [
    "log2(2)",
    "1.0",
  ]),
  logarithm("log1p(x)", "ln(1 + x); null at -1 and below.", Math.log1p, -1, ["log1p(0)", "0.0"]),
  math(
    "log([base,] x)",
    "Logarithm to a base (default e); null when base or x is 0 or below.",
    signature([DOUBLE, DOUBLE], DOUBLE, { optional: 1, nullable: true }),
    strict<[number, number | undefined]>(([a, b]) => {
      if (b === undefined) return a <= 0 ? null : Math.log(a);
      return a <= 0 || b <= 0 ? null : Math.log(b) / Math.log(a);
    }),
    { examples: [["log(10, 100)", "2.0"]] },
  ),
  math(
    "e()",
    "Euler's number.",
    signature([], DOUBLE),
    plain(() => Math.E),
    { examples: [["e()", "2.718281828459045"]] },
  ),
  math(
    "pi()",
    "The number pi.",
    signature([], DOUBLE),
    plain(() => Math.PI),
    { examples: [["pi()", "3.141592653589793"]] },
  ),
];

const integers: readonly FunctionDefinition[] = [
  math(
    "factorial(n)",
    "n!; null when n is outside 0 … 20.",
    signature([INT], LONG, { nullable: true }),
    strict<[number]>(([n]) => (n < 0 || n > 20 ? null : canonicalLong(FACTORIALS[n]!))),
    { examples: [["factorial(5)", "120"]] },
  ),
  math(
    "conv(num, from_base, to_base)",
    "A number's text in another base, as an unsigned 64-bit number; signed when to_base is negative.",
    signature([STRING, INT, INT], STRING, { nullable: true }),
    strict<[string, number, number]>(([s, from, to]) => convert(s, from, to)),
    { examples: [["conv('100', 2, 10)", "4"]] },
  ),
  math(
    "bin(n)",
    "Binary digits of a 64-bit integer.",
    signature([LONG], STRING),
    plain((n: number | bigint) => BigInt.asUintN(64, BigInt(n)).toString(2)),
    {
      examples: [["bin(13)", "1101"]],
    },
  ),
  math(
    "hex(x)",
    "Hexadecimal digits of an integer, binary or string.",
    signature([oneOf(LONG, BINARY, STRING)], STRING),
    plain(hexOf),
    {
      examples: [
        ["hex(17)", "11"],
        ["hex('Spark')", "537061726B"],
      ],
    },
  ),
  math(
    "unhex(text)",
    "The bytes of hexadecimal digits; null when there are others.",
    signature([STRING], BINARY, { nullable: true }),
    strict<[string]>(([s]) => unhex(s)),
    { examples: [["decode(unhex('537061726B'), 'UTF-8')", "Spark"]] },
  ),
  math(
    "width_bucket(x, min, max, buckets)",
    "The bucket of x in an equal-width histogram from min to max; 0 and buckets + 1 are outside.",
    signature([measure, measure, measure, LONG], LONG, { nullable: true, check: oneMeasure }),
    strict<[number, number, number, number | bigint]>(([x, min, max, n]) =>
      widthBucket(x, min, max, BigInt(n)),
    ),
    { examples: [["width_bucket(5.3, 0.2, 10.6, 5)", "3"]] },
  ),
];

export const MATH_FUNCTIONS: readonly FunctionDefinition[] = [...trigonometry, ...powers, ...integers];
