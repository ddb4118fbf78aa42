/** The operators & | ^ ~ on integers, in two's complement of the operands' common type. */
import { type DataType, DOUBLE, INT, sameType } from "../../core/data-type.ts";
import { canonicalLong } from "../../core/value.ts";
import { castTo, isIntegral, stringPromotion, tightestCommonType } from "../coercion.ts";
import type { Emit, Evaluate, FunctionDefinition, TypeRule } from "../function.ts";
import { integral, signature } from "../rules.ts";
import { binaryDifferentTypes, binaryWrongType, wrongNumberOfArguments } from "../type-errors.ts";

const isDecimalBesideDouble = (a: DataType, b: DataType): boolean =>
  (a.kind === "decimal" && b.kind === "double") || (a.kind === "double" && b.kind === "decimal");

const rule: TypeRule = (raw, site) => {
  if (raw.length !== 2) throw wrongNumberOfArguments(site, "2", raw.length);
  const [ta, tb] = raw.map((a) => a.type) as [DataType, DataType];
  const promoted = stringPromotion(ta, tb) ?? (isDecimalBesideDouble(ta, tb) ? DOUBLE : undefined);
  const common = ta.kind === "null" && tb.kind === "null" ? INT : (promoted ?? tightestCommonType(ta, tb));
  const meets = common !== undefined && (isIntegral(common) || common === promoted);
  const args = meets ? raw.map((a) => castTo(a, common)) : raw;
  if (!sameType(args[0]!.type, args[1]!.type)) throw binaryDifferentTypes(site, args);
  if (!isIntegral(args[0]!.type)) throw binaryWrongType(site, args, `"INTEGRAL"`);
  return { args, type: args[0]!.type, nullable: args.some((a) => a.nullable) };
};

type Bits = (a: bigint, b: bigint) => bigint;
const binary = (name: "&" | "|" | "^", summary: string, wide: Bits, example: string): FunctionDefinition => {
  const narrow = {
    "&": (a: number, b: number) => a & b,
    "|": (a: number, b: number) => a | b,
    "^": (a: number, b: number) => a ^ b,
  }[name];
  const evaluate: Evaluate = ([a, b], call) =>
    call.type.kind === "long"
      ? canonicalLong(wide(BigInt(a as number | bigint), BigInt(b as number | bigint)))
      : narrow(a as number, b as number);
  const emit: Emit = ([a, b], call) => (call.type.kind === "long" ? undefined : `(${a} ${name} ${b})`);
  return {
    name,
    category: "bitwise",
    usage: `expr1 ${name} expr2`,
    summary,
    examples: [[`3 ${name} 5`, example]],
    resolve: rule,
    nulls: "strict",
    evaluate,
    emit,
  };
};

export const BIT_OPERATOR_FUNCTIONS: readonly FunctionDefinition[] = [
  binary("&", "Bitwise and.", (a, b) => a & b, "1"),
  binary("|", "Bitwise or.", (a, b) => a | b, "7"),
  binary("^", "Bitwise exclusive or.", (a, b) => a ^ b, "6"),
  {
    name: "~",
    category: "bitwise",
    usage: "~expr",
    summary: "Bitwise not.",
    examples: [["~0", "-1"]],
    resolve: signature([integral], (args) => args[0]!.type),
    nulls: "strict",
    evaluate: ([a]) => (typeof a === "bigint" ? canonicalLong(~a) : -(a as number) - 1),
    emit: ([a], call) => (call.type.kind === "long" ? undefined : `(~${a})`),
  },
];
