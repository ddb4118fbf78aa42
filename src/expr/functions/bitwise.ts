/** Functions of the bits of integers. Integers are two's complement in the width of their type, as in Java. */
import { BYTE, type DataType, INT, LONG } from "../../core/data-type.ts";
import { canonicalLong, type Value } from "../../core/value.ts";
import type { FunctionDefinition } from "../function.ts";
import { isIntegral } from "../coercion.ts";
import { integral, oneOf, signature, type TypeClass } from "../rules.ts";
import { failure, family, strict } from "./definition.ts";

const bitwise = family("bitwise");

/** Integers and booleans as they are: nothing is cast to one. */
const countable: TypeClass = {
  name: `("INTEGRAL" or "BOOLEAN")`,
  accepts: (t) => isIntegral(t) || t.kind === "boolean",
  whenNull: INT,
};

const WIDTH: Partial<Record<DataType["kind"], number>> = { byte: 8, short: 16, int: 32, long: 64 };

const bitCount = (v: Value): number => {
  if (typeof v === "boolean") return v ? 1 : 0;
  let bits = BigInt.asUintN(64, BigInt(v as number | bigint));
  let n = 0;
  while (bits > 0n) {
    bits &= bits - 1n;
    n++;
  }
  return n;
};

const bitGet = (v: Value, position: number, type: DataType): number => {
  const width = WIDTH[type.kind] ?? 64;
  if (position < 0 || position >= width) {
    throw failure(
      "INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE",
      `The value of parameter(s) \`pos\` in \`bit_get\` is invalid: expects an integer value in [0, ${width}), but got ${position}.`,
    );
  }
  return Number((BigInt.asUintN(64, BigInt(v as number | bigint)) >> BigInt(position)) & 1n);
};

type Shift = (bits: bigint, by: bigint, width: number) => bigint;
const shift = (
  usage: string,
  summary: string,
  f: Shift,
  example: readonly [string, string],
  aliases: readonly string[] = [],
): FunctionDefinition =>
  bitwise(
    usage,
    summary,
    signature([oneOf(INT, LONG), INT], (args) => args[0]!.type),
    strict<[number | bigint, number]>(([x, by], call) => {
      const width = call.type.kind === "long" ? 64 : 32;
      const amount = BigInt(by & (width - 1));
      return canonicalLong(BigInt.asIntN(width, f(BigInt(x), amount, width)));
    }),
    { examples: [example], aliases },
  );

export const BITWISE_FUNCTIONS: readonly FunctionDefinition[] = [
  bitwise(
    "bit_count(x)",
    "The number of bits that are set.",
    signature([countable], INT),
    strict<[Value]>(([v]) => bitCount(v)),
    {
      examples: [
        ["bit_count(0)", "0"],
        ["bit_count(7)", "3"],
      ],
    },
  ),
  bitwise(
    "bit_get(x, position)",
    "The bit at a position, counted from 0 at the right.",
    signature([integral, INT], BYTE),
    strict<[Value, number]>(([v, position], call) => bitGet(v, position, call.argTypes[0]!)),
    {
      aliases: ["getbit"],
      examples: [
        ["bit_get(11, 0)", "1"],
        ["bit_get(11, 2)", "0"],
      ],
    },
  ),
  shift(
    "shiftleft(base, n)",
    "base with its bits n places to the left.",
    (x, by) => x << by,
    ["shiftleft(2, 1)", "4"],
    ["<<"],
  ),
  shift(
    "shiftright(base, n)",
    "base with its bits n places to the right, keeping the sign.",
    (x, by) => x >> by,
    ["shiftright(4, 1)", "2"],
    [">>"],
  ),
  shift(
    "shiftrightunsigned(base, n)",
    "base with its bits n places to the right, zeros coming in.",
    (x, by, width) => BigInt.asUintN(width, x) >> by,
    ["shiftrightunsigned(4, 1)", "2"],
    [">>>"],
  ),
];
