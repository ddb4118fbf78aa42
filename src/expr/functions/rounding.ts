/**
 * Functions whose result type follows the argument's: abs, ceil, floor, round, bround, greatest, least, pmod. R1: a double is rounded by its shortest decimal text,
 * as Spark's BigDecimal(double) does: round(2.675, 2) is 2.68.
 */
import { type DataType, decimal, DOUBLE, INT, LONG } from "../../core/data-type.ts";
import { canonicalLong, type Value } from "../../core/value.ts";
import type { TypedExpr } from "../ast.ts";
import { castTo, commonType, isNumeric } from "../coercion.ts";
import {
  type DecimalType,
  widerDecimal,
  decimalResult,
  decimalToNumber,
  divideHalfEven,
  divideHalfUp,
  fitsPrecision,
  parseDecimalText,
  pow10,
  toScale,
} from "../decimal.ts";
import type { CallSite, FunctionDefinition, TypeRule } from "../function.ts";
import { ansiInterval, decimalLike, numeric, oneOf, orderable, same, signature } from "../rules.ts";
import {
  analysisError,
  binaryDifferentTypes,
  binaryWrongType,
  wrongNumberOfArguments,
} from "../type-errors.ts";
import { compareValues } from "../value-order.ts";
import { decimalOperand } from "./operators.ts";
import {
  constantOf,
  custom,
  failure,
  family,
  longOf,
  overflow,
  saturatedLong,
  strict,
} from "./definition.ts";

const math = family("math");

const INTEGER_BITS: Partial<Record<DataType["kind"], bigint>> = { byte: 8n, short: 16n, int: 32n, long: 64n };

/** An exact integer as a value of an integral type. @throws ExecutionError ARITHMETIC_OVERFLOW */
const integerOf = (x: bigint, type: DataType, instead = ""): number | bigint => {
  const bits = INTEGER_BITS[type.kind]!;
  if (BigInt.asIntN(Number(bits), x) !== x) throw overflow(instead);
  return canonicalLong(x);
};

const absolute = (x: Value, type: DataType): Value => {
  if (typeof x === "bigint") return type.kind === "decimal" ? (x < 0n ? -x : x) : longOf(x < 0n ? -x : x);
  const n = Math.abs(x as number);
  const bits = INTEGER_BITS[type.kind];
  if (bits !== undefined && bits < 64n && n >= 2 ** (Number(bits) - 1)) throw overflow("try_abs");
  return n;
};

const wholeDecimal = (t: DataType & { kind: "decimal" }): DataType =>
  t.scale === 0 ? t : decimal(Math.min(38, t.precision - t.scale + 1), 0);

type Divide = (a: bigint, b: bigint) => bigint;
const divideFloor: Divide = (a, b) => (a % b !== 0n && a < 0n ? a / b - 1n : a / b);
const divideCeiling: Divide = (a, b) => (a % b !== 0n && a > 0n ? a / b + 1n : a / b);

/** The type of a decimal rounded to `places` (Spark's RoundBase). */
const roundedDecimal = (t: DataType & { kind: "decimal" }, places: number): DataType => {
  const whole = t.precision - t.scale + 1;
  if (places < 0) return decimal(Math.min(Math.max(whole, -places + 1), 38), 0);
  const scale = Math.min(t.scale, places);
  return decimal(Math.min(whole + scale, 38), scale);
};

/** Rounding further left than every digit of a number gives what this gives: no power of ten grows without bound. */
const FURTHEST_PLACES_OF_EXACT = -40;
const FURTHEST_PLACES_OF_DOUBLE = -400;

/** An unscaled value at `places` digits after the point, kept at scale `to`. */
const roundUnscaled = (x: bigint, scale: number, asked: number, to: number, divide: Divide): bigint => {
  if (asked >= scale) return toScale(x, scale, to);
  const places = Math.max(asked, FURTHEST_PLACES_OF_EXACT);
  return toScale(divide(x, pow10(scale - places)), places, to);
};

const roundDouble = (x: number, asked: number, divide: Divide): number => {
  if (!Number.isFinite(x)) return x;
  const places = Math.max(asked, FURTHEST_PLACES_OF_DOUBLE);
  const parsed = parseDecimalText(String(x))!;
  if (places >= parsed.scale) return x;
  return decimalToNumber(divide(parsed.unscaled, pow10(parsed.scale - places)), places) + 0;
};

const roundValue = (x: Value, from: DataType, to: DataType, places: number, divide: Divide): Value => {
  switch (from.kind) {
    case "decimal": {
      const scale = (to as DataType & { kind: "decimal" }).scale;
      const r = roundUnscaled(x as bigint, from.scale, places, scale, divide);
      if (!fitsPrecision(r, (to as DataType & { kind: "decimal" }).precision))
        throw failure(
          "NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION",
          "The rounded value does not fit its decimal type.",
        );
      return r;
    }
    case "double":
      return roundDouble(x as number, places, divide);
    case "float":
      return Math.fround(roundDouble(x as number, places, divide));
    default: {
      if (places >= 0) return x;
      const unit = pow10(-Math.max(places, FURTHEST_PLACES_OF_EXACT));
      return integerOf(divide(BigInt(x as number | bigint), unit) * unit, from);
    }
  }
};

const placesOf = (args: readonly TypedExpr[], site: CallSite): number => {
  if (args.length < 2) return 0;
  const v = constantOf(args[1]);
  if (v === undefined)
    throw analysisError(
      "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
      `Cannot resolve "${site.fn}" due to data type mismatch: the input \`scale\` should be a foldable "INT" expression.`,
      site.position,
    );
  return Number(v ?? 0);
};

const roundRule: TypeRule = (raw, site) => {
  const base = signature([numeric, INT], DOUBLE, { optional: 1 })(raw, site);
  const t = base.args[0]!.type;
  return { ...base, type: t.kind === "decimal" ? roundedDecimal(t, placesOf(base.args, site)) : t };
};

const rounding = (
  usage: string,
  summary: string,
  divide: Divide,
  example: readonly [string, string],
): FunctionDefinition =>
  math(
    usage,
    summary,
    roundRule,
    strict<[Value, number | undefined]>(([x, places], call) =>
      roundValue(x, call.argTypes[0]!, call.type, places ?? 0, divide),
    ),
    { examples: [example] },
  );

/** @throws ExecutionError ARITHMETIC_OVERFLOW outside 64 bits */
const wholeLong = (x: number): Value => {
  if (Math.abs(x) > 2 ** 63) throw overflow();
  return saturatedLong(x);
};

/** ceil and floor: bigint for numbers, a decimal without fraction for decimals; with a scale they round decimals. */
const wholeRule: TypeRule = (raw, site) => {
  if (raw.length === 2) {
    const places = raw[1]!.type.kind === "int" ? constantOf(raw[1]) : undefined;
    if (places === undefined || places === null)
      throw analysisError(
        "NON_FOLDABLE_ARGUMENT",
        `The function \`${site.fn}\` requires the parameter \`scale\` to be a foldable expression of the type "INT", but the actual argument is a non-foldable.`,
        site.position,
      );
    const base = signature([decimalLike, INT], DOUBLE)(raw, site);
    const t = base.args[0]!.type as DataType & { kind: "decimal" };
    return { ...base, type: roundedDecimal(t, placesOf(base.args, site)) };
  }
  return signature([oneOf(LONG, decimalLike, DOUBLE)], (args) => {
    const t = args[0]!.type;
    return t.kind === "decimal" ? wholeDecimal(t) : LONG;
  })(
    raw.length === 1 && (raw[0]!.type.kind === "float" || raw[0]!.type.kind === "string")
      ? [castTo(raw[0]!, DOUBLE)]
      : raw,
    site,
  );
};

const wholeFunction = (
  usage: string,
  summary: string,
  ofDouble: (x: number) => number,
  divide: Divide,
  example: readonly [string, string],
  aliases: readonly string[] = [],
): FunctionDefinition =>
  math(
    usage,
    summary,
    wholeRule,
    strict<[Value, number | undefined]>(([x, places], call) => {
      const from = call.argTypes[0]!;
      if (from.kind === "decimal") return roundValue(x, from, call.type, places ?? 0, divide);
      return from.kind === "double" ? wholeLong(ofDouble(x as number)) : x;
    }),
    { examples: [example], aliases },
  );

const extreme = (
  usage: string,
  summary: string,
  sign: 1 | -1,
  example: readonly [string, string],
): FunctionDefinition =>
  math(
    usage,
    summary,
    same(0, {
      least: 2,
      of: orderable,
      withoutStrings: true,
      nullable: (args) => args.every((a) => a.nullable),
    }),
    custom<Value[]>((args, call) => {
      const compare = compareValues(call.type);
      let best: Value = null;
      for (const v of args) if (v !== null && (best === null || compare(v, best) * sign > 0)) best = v;
      return best;
    }),
    { examples: [example] },
  );

/** The types of `%` for two numbers. */
const remainderRule: TypeRule = (args, site) => {
  if (args.length !== 2) throw wrongNumberOfArguments(site, "2", args.length);
  const [a, b] = [args[0]!, args[1]!];
  const common = commonType([a.type, b.type]);
  if (common === undefined) throw binaryDifferentTypes(site, args);
  if (!(isNumeric(common) || common.kind === "null")) throw binaryWrongType(site, args, `"NUMERIC"`);
  const nullable = a.nullable || b.nullable;
  if (common.kind === "null") return { args: [castTo(a, DOUBLE), castTo(b, DOUBLE)], type: DOUBLE, nullable };
  if (common.kind !== "decimal")
    return { args: [castTo(a, common), castTo(b, common)], type: common, nullable };
  // A bare NULL has the type of the other; literals count with their own digits.
  const operand = (x: TypedExpr, other: TypedExpr): DecimalType =>
    decimalOperand(x.type.kind === "null" ? other : x);
  const [da, db] = [operand(a, b), operand(b, a)];
  const wide = widerDecimal(da, db);
  return { args: [castTo(a, wide), castTo(b, wide)], type: decimalResult("%", da, db), nullable };
};

const pmod = (a: Value, b: Value, from: DataType, to: DataType): Value => {
  if (b === 0 || b === 0n) {
    throw failure(
      "REMAINDER_BY_ZERO",
      "Remainder by zero. Use `try_mod` to tolerate divisor being 0 and return NULL instead.",
    );
  }
  if (from.kind === "float" || from.kind === "double") {
    const [x, y] = [a as number, b as number];
    const r = x % y;
    const result = r < 0 ? (r + y) % y : r;
    return from.kind === "float" ? Math.fround(result) : result;
  }
  const [x, y] = [BigInt(a as number | bigint), BigInt(b as number | bigint)];
  const r = x % y;
  const result = r < 0n ? (r + y) % y : r;
  if (from.kind === "decimal")
    return toScale(result, from.scale, (to as DataType & { kind: "decimal" }).scale);
  return canonicalLong(result);
};

export const ROUNDING_FUNCTIONS: readonly FunctionDefinition[] = [
  math(
    "abs(x)",
    "Absolute value of a number or an interval.",
    signature([oneOf(numeric, ansiInterval)], (args) => args[0]!.type),
    strict<[Value]>(([x], call) => absolute(x, call.type)),
    { examples: [["abs(-1)", "1"]] },
  ),
  wholeFunction(
    "ceil(x[, scale])",
    "The smallest integer not below x; with a scale, the decimal.",
    Math.ceil,
    divideCeiling,
    ["ceil(-0.1)", "0"],
    ["ceiling"],
  ),
  wholeFunction(
    "floor(x[, scale])",
    "The greatest integer not above x; with a scale, the decimal.",
    Math.floor,
    divideFloor,
    ["floor(-0.1)", "-1"],
  ),
  rounding("round(x[, scale])", "Rounds half up to a number of digits after the point.", divideHalfUp, [
    "round(2.5, 0)",
    "3",
  ]),
  rounding(
    "bround(x[, scale])",
    "Rounds half to even to a number of digits after the point.",
    divideHalfEven,
    ["bround(2.5, 0)", "2"],
  ),
  extreme("greatest(a, b, …)", "The greatest argument; nulls are skipped, NaN is the greatest.", 1, [
    "greatest(10, 9, 2, 4, 3)",
    "10",
  ]),
  extreme("least(a, b, …)", "The least argument; nulls are skipped.", -1, ["least(10, 9, 2, 4, 3)", "2"]),
  math(
    "pmod(a, b)",
    "The remainder of a / b, positive when b is.",
    remainderRule,
    strict<[Value, Value]>(([a, b], call) => pmod(a, b, call.argTypes[0]!, call.type)),
    {
      examples: [
        ["pmod(10, 3)", "1"],
        ["pmod(-10, 3)", "2"],
      ],
    },
  ),
];
