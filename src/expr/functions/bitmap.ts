/** Bitmaps of 32,768 bits that count distinct numbers by bucket: bitmap_bit_position, bitmap_bucket_number, bitmap_count. The aggregates are in src/expr/aggregates/bitmaps.ts. */
import { BINARY, LONG } from "../../core/data-type.ts";
import { canonicalLong, type Value } from "../../core/value.ts";
import type { FunctionDefinition, TypeRule } from "../function.ts";
import { signature } from "../rules.ts";
import { unexpectedInput } from "../type-errors.ts";
import { family, plain } from "./definition.ts";

const bitwise = family("bitwise");
const BITS = 32_768n;

const bytesOnly: TypeRule = (args, site) => {
  const kind = args[0]?.type.kind;
  if (args.length === 1 && kind !== "binary") throw unexpectedInput(site, args, 0, `"BINARY"`);
  return signature([BINARY], LONG)(args, site);
};

const ONES = Uint8Array.from({ length: 256 }, (_, byte) => byte.toString(2).replaceAll("0", "").length);

export const BITMAP_FUNCTIONS: readonly FunctionDefinition[] = [
  bitwise(
    "bitmap_bit_position(n)",
    "The bit of a number within the bitmap of its bucket, from 0.",
    signature([LONG], LONG),
    plain((n: number | bigint): Value => {
      const x = BigInt(n);
      return Number(x > 0n ? (x - 1n) % BITS : -x % BITS);
    }),
    { examples: [["bitmap_bit_position(123)", "122"]] },
  ),
  bitwise(
    "bitmap_bucket_number(n)",
    "The bucket of a number: 32,768 numbers have one bitmap.",
    signature([LONG], LONG),
    plain((n: number | bigint): Value => {
      const x = BigInt(n);
      return canonicalLong(x > 0n ? 1n + (x - 1n) / BITS : x / BITS);
    }),
    { examples: [["bitmap_bucket_number(123)", "1"]] },
  ),
  bitwise(
    "bitmap_count(bitmap)",
    "The number of bits set.",
    bytesOnly,
    plain((bytes: Uint8Array) => bytes.reduce((n, byte) => n + ONES[byte]!, 0)),
    { examples: [["bitmap_count(X'1010')", "2"]] },
  ),
];
