/**
 * Arithmetic operators and their try_ forms. O1: each operand is cast before the call (bigint and double for mixed numbers, decimals keep their own
 * type, `/` works on doubles or decimals), so evaluation looks at the argument types only. O2: dates and intervals go by src/expr/temporal.ts.
 */
import { type DataType, DOUBLE, LONG, sameType, STRING, TIMESTAMP } from "../../core/data-type.ts";
import { ExecutionError } from "../../core/errors.ts";
import type { Value } from "../../core/value.ts";
import {
  addInt,
  addLong,
  addLongSafe,
  divideDouble,
  divideLong,
  divideLongSafe,
  type Long,
  multiplyInt,
  multiplyLong,
  multiplyLongSafe,
  negateInt,
  negateLong,
  remainder,
  remainderDouble,
  remainderLong,
  small,
  subtractInt,
  subtractLong,
  subtractLongSafe,
} from "../arithmetic.ts";
import type { TypedExpr } from "../ast.ts";
import { castFunction } from "../cast.ts";
import {
  castTo,
  isAnsiInterval,
  isInterval,
  isIntegral,
  isNumeric,
  stringPromotion,
  tightestCommonType,
} from "../coercion.ts";
import { decimalFor, decimalOfLiteral, decimalResult, type DecimalType } from "../decimal.ts";
import { decimalOperation, decimalQuotient, emitDecimal } from "../decimal-arithmetic.ts";
import type {
  BoundCall,
  CallSite,
  Emit,
  Evaluate,
  FunctionDefinition,
  Resolution,
  TypeRule,
} from "../function.ts";
import { arithmeticOverflow, intervalOverflow } from "../runtime-errors.ts";
import { refuseMixedTimes, tolerantTexts } from "./operand-errors.ts";
import { emitTemporal, type TemporalOp, temporalRule, temporalValue } from "../temporal.ts";
import {
  binaryDifferentTypes,
  binaryWrongType,
  unexpectedInput,
  wrongNumberOfArguments,
} from "../type-errors.ts";

type Op = "+" | "-" | "*" | "/" | "%" | "div";

const REQUIRED: Readonly<Record<Op, string>> = {
  "+": `("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH" or "INTERVAL")`,
  "-": `("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH" or "INTERVAL")`,
  "*": `"NUMERIC"`,
  "/": `("DOUBLE" or "DECIMAL")`,
  "%": `"NUMERIC"`,
  div: `("BIGINT" or "DECIMAL" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH")`,
};

const integerLiteral = (e: TypedExpr): number | bigint | undefined => {
  if (e.kind === "call" && e.fn === "-" && e.args.length === 1) return integerLiteral(e.args[0]!);
  if (e.kind !== "literal" || e.value === null || !isIntegral(e.type)) return undefined;
  return e.value as number | bigint;
};

/** The decimal that an operand beside a decimal becomes: a literal its own digits, any other its type's. */
export const decimalOperand = (e: TypedExpr): DecimalType => {
  const literal = integerLiteral(e);
  return literal === undefined ? decimalFor(e.type) : decimalOfLiteral(literal);
};

const pair = (args: readonly TypedExpr[], a: DataType, b: DataType): readonly [TypedExpr, TypedExpr] => [
  castTo(args[0]!, a),
  castTo(args[1]!, b),
];

/** Operands brought together: strings promoted, decimals, then the tightest common type. As they are when there is none. */
export const meetOperands = (args: readonly TypedExpr[]): readonly [TypedExpr, TypedExpr] => {
  const [a, b] = args as readonly [TypedExpr, TypedExpr];
  const promoted = stringPromotion(a.type, b.type);
  if (promoted !== undefined) return meetOperands(pair(args, promoted, promoted));
  if (a.type.kind === "decimal" || b.type.kind === "decimal") {
    if (
      (a.type.kind === "decimal" || isIntegral(a.type)) &&
      (b.type.kind === "decimal" || isIntegral(b.type))
    )
      return pair(args, decimalOperand(a), decimalOperand(b));
    if (isNumeric(a.type) && isNumeric(b.type)) return pair(args, DOUBLE, DOUBLE);
  }
  const common = tightestCommonType(a.type, b.type);
  return common === undefined ? [a, b] : pair(args, common, common);
};

const acceptable = (op: Op, t: DataType): boolean => {
  if (op === "div") return isIntegral(t) || t.kind === "decimal" || isAnsiInterval(t);
  if (op === "+" || op === "-") return isNumeric(t) || isInterval(t);
  return isNumeric(t);
};

const isNested = (a: DataType, b: DataType): boolean =>
  ["array", "map", "struct"].includes(a.kind) && !sameType(a, b);

const met = (op: Op, args: readonly TypedExpr[], site: CallSite): readonly [TypedExpr, TypedExpr] => {
  if (args.every((a) => a.type.kind === "null")) {
    const t = op === "div" ? LONG : DOUBLE;
    return pair(args, t, t);
  }
  const kinds = args.map((x) => x.type.kind);
  if (op === "/" && kinds.join() === "null,decimal") return pair(args, DOUBLE, DOUBLE);
  const [a, b] = meetOperands(args);
  const same = a.type.kind === b.type.kind && !isNested(a.type, b.type);
  // Operands that would meet in a type the operator does not take are left as they are (Spark's messages name the originals).
  if (op === "div" && same && a.type.kind === "double" && args[0]!.type.kind !== args[1]!.type.kind) {
    const given = args.map((x) => x.type);
    if (given.every(isNumeric) && given.some((t) => isIntegral(t) || t.kind === "float"))
      throw binaryDifferentTypes(site, args);
  }
  refuseMixedTimes(op, args, site);
  const promoted = args.some((x) => x.type.kind === "string") || args.every((x) => isNumeric(x.type));
  if (!acceptable(op, a.type) && !sameType(args[0]!.type, args[1]!.type) && !promoted)
    throw binaryDifferentTypes(site, args);
  if (!same) throw binaryDifferentTypes(site, [a, b]);
  if (!acceptable(op, a.type)) throw binaryWrongType(site, [a, b], REQUIRED[op]);
  return [a, b];
};

const numericResolution = (op: Op, raw: readonly TypedExpr[], site: CallSite): Resolution => {
  let [a, b] = met(op, raw, site);
  if (a.type.kind === "decimal" && b.type.kind === "decimal") {
    const type = op === "div" ? LONG : decimalResult(op, a.type, b.type);
    return { args: [a, b], type, nullable: a.nullable || b.nullable };
  }
  const t = op === "/" ? DOUBLE : op === "div" && !isAnsiInterval(a.type) ? LONG : a.type;
  if (!isAnsiInterval(a.type)) [a, b] = pair([a, b], t, t);
  return {
    args: [a, b],
    type: isAnsiInterval(a.type) && op === "div" ? LONG : t,
    nullable: a.nullable || b.nullable,
  };
};

const unaryResolution = (args: readonly TypedExpr[], site: CallSite): Resolution => {
  const a = args[0]!;
  const t = a.type;
  const arg = t.kind === "string" || t.kind === "null" ? castTo(a, DOUBLE) : a;
  if (!isNumeric(arg.type) && !isInterval(arg.type))
    throw unexpectedInput(
      site,
      args,
      0,
      `("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH" or "INTERVAL")`,
    );
  return { args: [arg], type: arg.type, nullable: arg.nullable };
};

const arithmeticRule =
  (op: Op): TypeRule =>
  (args, site) => {
    if (args.length === 1 && (op === "+" || op === "-")) return unaryResolution(args, site);
    if (args.length !== 2) throw wrongNumberOfArguments(site, "2", args.length);
    const [a, b] = args as readonly [TypedExpr, TypedExpr];
    if (op !== "%" && op !== "div") {
      const temporal = temporalRule(op, a.type, b.type);
      if (temporal !== undefined) {
        const coerced = pair(args, temporal.left, temporal.right);
        return { args: coerced, type: temporal.type, nullable: coerced.some((x) => x.nullable) };
      }
    }
    return numericResolution(op, args, site);
  };

const SMALL_BOUND: Partial<Record<DataType["kind"], number>> = { byte: 128, short: 32768 };

type Kernels = Readonly<Partial<Record<DataType["kind"], (a: never, b: never) => Value>>>;
const smallKernel = (op: "+" | "-" | "*", kind: "byte" | "short") => (a: number, b: number) =>
  small(a, op, b, SMALL_BOUND[kind]!);

/** The kernel of each operator by result type. */
const KERNELS: Readonly<Record<Op, Kernels>> = {
  "+": {
    byte: smallKernel("+", "byte"),
    short: smallKernel("+", "short"),
    int: addInt,
    long: addLong,
    float: (a: number, b: number) => Math.fround(a + b),
    double: (a: number, b: number) => a + b,
  },
  "-": {
    byte: smallKernel("-", "byte"),
    short: smallKernel("-", "short"),
    int: subtractInt,
    long: subtractLong,
    float: (a: number, b: number) => Math.fround(a - b),
    double: (a: number, b: number) => a - b,
  },
  "*": {
    byte: smallKernel("*", "byte"),
    short: smallKernel("*", "short"),
    int: multiplyInt,
    long: multiplyLong,
    float: (a: number, b: number) => Math.fround(a * b),
    double: (a: number, b: number) => a * b,
  },
  "/": { double: divideDouble },
  "%": {
    byte: remainder,
    short: remainder,
    int: remainder,
    long: remainderLong,
    float: (a: number, b: number) => Math.fround(remainderDouble(a, b)),
    double: remainderDouble,
  },
  div: { long: divideLong },
};
const SAFE_LONG: Readonly<Partial<Record<Op, (a: number, b: number) => number>>> = {
  "+": addLongSafe,
  "-": subtractLongSafe,
  "*": multiplyLongSafe,
  div: divideLongSafe,
  "%": remainder,
};

const isDecimal = (t: DataType): t is DecimalType => t.kind === "decimal";

const temporalResult = (op: TemporalOp, a: Value, b: Value, call: BoundCall): Value => {
  const v = temporalValue(op, a, b, call.argTypes, call.context.timeZone);
  return call.type.kind === "string" ? castFunction(TIMESTAMP, STRING, call.context)(v) : v;
};

const evaluateBinary =
  (op: Op): Evaluate =>
  ([a, b], call) => {
    const [ta, tb] = call.argTypes as readonly [DataType, DataType];
    if (isDecimal(ta) && isDecimal(tb)) {
      if (op === "div") return decimalQuotient(a as bigint, ta, b as bigint, tb);
      return decimalOperation(op, a as bigint, ta, b as bigint, tb, call.type as DecimalType);
    }
    const kernel = isNumeric(ta) && isNumeric(tb) ? KERNELS[op][call.type.kind] : undefined;
    if (kernel !== undefined) return (kernel as (a: unknown, b: unknown) => Value)(a, b);
    if (op === "div") return divideLong(a as Long, b as Long);
    return temporalResult(op as TemporalOp, a as Value, b as Value, call);
  };

const negateValue = (v: Value, type: DataType): Value => {
  switch (type.kind) {
    case "long":
      return negateLong(v as Long);
    case "int":
      return negateInt(v as number);
    case "byte":
    case "short":
      if (v === -SMALL_BOUND[type.kind]!) throw arithmeticOverflow(`- ${String(v)} caused`);
      return 0 - (v as number);
    case "decimal":
      return -(v as bigint);
    case "float":
    case "double":
      return -(v as number);
    case "yearMonthInterval":
      if (v === -2147483648) throw intervalOverflow();
      return 0 - (v as number);
    case "calendarInterval":
      return (v as readonly number[]).map((x) => 0 - x);
    default:
      return 0 - (v as number);
  }
};

const evaluate =
  (op: Op): Evaluate =>
  (args, call) => {
    if (args.length === 2) return BINARY[op](args, call);
    return op === "-" ? negateValue(args[0] as Value, call.type) : (args[0] as Value);
  };
const BINARY: Readonly<Record<Op, Evaluate>> = {
  "+": evaluateBinary("+"),
  "-": evaluateBinary("-"),
  "*": evaluateBinary("*"),
  "/": evaluateBinary("/"),
  "%": evaluateBinary("%"),
  div: evaluateBinary("div"),
};

const emitUnary = (op: Op, arg: string, kind: string, bind: (v: unknown) => string): string | undefined => {
  if (op === "+") return arg;
  if (kind === "double" || kind === "float") return `(-${arg})`;
  if (kind === "int") return `${bind(negateInt)}(${arg})`;
  return kind === "long" ? `${bind(negateLong)}(${arg})` : undefined;
};

const emit =
  (op: Op): Emit =>
  (args, call, bind) => {
    const kind = call.type.kind;
    if (args.length === 1) return emitUnary(op, args[0]!, kind, bind);
    if (!call.argTypes.every(isNumeric)) return emitTemporal(op, args, call.argTypes, call.type, bind);
    if (kind === "double" && (op === "+" || op === "-" || op === "*")) return `(${args[0]} ${op} ${args[1]})`;
    const [ta, tb] = call.argTypes as readonly [DataType, DataType];
    if (isDecimal(ta) && isDecimal(tb) && isDecimal(call.type) && op !== "div")
      return emitDecimal(op, args, [ta, tb, call.type], bind);
    if (isDecimal(ta) || isDecimal(tb)) return undefined;
    const kernel = kind === "long" && call.safeLongs && ta.kind === "long" ? SAFE_LONG[op] : undefined;
    const chosen = kernel ?? KERNELS[op][kind];
    return chosen && `${bind(chosen)}(${args.join(", ")})`;
  };

const operator = (
  op: Op,
  usage: string,
  summary: string,
  examples: FunctionDefinition["examples"],
  aliases: readonly string[] = [],
): FunctionDefinition => ({
  name: op,
  aliases,
  category: "operator",
  usage,
  summary,
  ...(examples ? { examples } : {}),
  resolve: arithmeticRule(op),
  nulls: "strict",
  evaluate: evaluate(op),
  emit: emit(op),
});

const tolerant =
  (inner: Evaluate): Evaluate =>
  (args, call) => {
    try {
      return inner(args, call);
    } catch (e) {
      if (e instanceof ExecutionError) return null;
      throw e;
    }
  };

const tryOperator = (name: string, op: Op): FunctionDefinition => ({
  name,
  category: "operator",
  usage: `${name}(expr1, expr2)`,
  summary: `\`expr1 ${op} expr2\`, null where the operator would fail (overflow, division by zero).`,
  resolve: (args, site) => {
    if (args.length !== 2) throw wrongNumberOfArguments(site, "2", args.length);
    const resolved = arithmeticRule(op)(args, site);
    return { ...resolved, args: tolerantTexts(resolved.args, args), nullable: true };
  },
  nulls: "strict",
  evaluate: tolerant(BINARY[op]),
});

const unary = (name: string, op: "+" | "-"): FunctionDefinition => ({
  name,
  category: "operator",
  usage: `${name}(expr)`,
  summary: op === "-" ? "The negated value." : "The value itself.",
  resolve: (args, site) => {
    if (args.length !== 1) throw wrongNumberOfArguments(site, "1", args.length);
    return unaryResolution(args, site);
  },
  nulls: "strict",
  evaluate: evaluate(op),
  emit: emit(op),
});

export const OPERATOR_FUNCTIONS: readonly FunctionDefinition[] = [
  operator("+", "expr1 + expr2", "Sum; a date or timestamp plus an interval.", [["1 + 2", "3"]]),
  operator(
    "-",
    "expr1 - expr2",
    "Difference; the interval between two timestamps; with one operand, negation.",
    [["5 - 7", "-2"]],
  ),
  operator("*", "expr1 * expr2", "Product; an interval times a number.", [["2 * 3", "6"]]),
  operator("/", "expr1 / expr2", "Quotient, always fractional (double or decimal).", [["3 / 2", "1.5"]]),
  operator("%", "expr1 % expr2", "Remainder with the sign of `expr1`.", [["-7 % 3", "-1"]], ["mod"]),
  operator("div", "expr1 div expr2", "Integral quotient, truncated, as bigint.", [["-7 div 2", "-3"]]),
  unary("negative", "-"),
  unary("positive", "+"),
  tryOperator("try_add", "+"),
  tryOperator("try_subtract", "-"),
  tryOperator("try_multiply", "*"),
  tryOperator("try_divide", "/"),
  tryOperator("try_mod", "%"),
];
