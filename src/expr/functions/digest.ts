/** Digests and row hashes: md5, sha1, sha2, crc32, hash (murmur3), xxhash64. */
import { createHash } from "node:crypto";
import { type DataType, INT, LONG, STRING } from "../../core/data-type.ts";
import { canonicalLong, type Value } from "../../core/value.ts";
import type { FunctionDefinition, TypeRule } from "../function.ts";
import { murmur3, xxHash64 } from "../hash-values.ts";
import { any, binary, signature } from "../rules.ts";
import { mismatch, wrongNumberOfArguments } from "../type-errors.ts";
import { custom, family, plain, strict } from "./definition.ts";

const hash = family("hash");

const digest = (algorithm: string, bytes: Uint8Array): string =>
  createHash(algorithm).update(bytes).digest("hex");

const SHA2 = new Map<number, string>([
  [0, "sha256"],
  [224, "sha224"],
  [256, "sha256"],
  [384, "sha384"],
  [512, "sha512"],
]);

const CRC = Uint32Array.from({ length: 256 }, (_, n) => {
  let c = n;
  for (let k = 0; k < 8; k++) c = c & 1 ? 0xedb88320 ^ (c >>> 1) : c >>> 1;
  return c >>> 0;
});
const crc32 = (bytes: Uint8Array): number => {
  let c = 0xffffffff;
  for (const b of bytes) c = CRC[(c ^ b) & 0xff]! ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
};

/** Equal maps may hold their entries in other orders, so maps have no hash. */
const holdsMap = (t: DataType): boolean =>
  t.kind === "map" ||
  (t.kind === "array" && holdsMap(t.element)) ||
  (t.kind === "struct" && t.fields.some((f) => holdsMap(f.type)));

const holdsVariant = (t: DataType): boolean =>
  t.kind === "variant" ||
  (t.kind === "array" && holdsVariant(t.element)) ||
  (t.kind === "struct" && t.fields.some((f) => holdsVariant(f.type)));

const SEED = 42;
const anyArguments =
  (type: typeof INT): TypeRule =>
  (args, site) => {
    if (args.length === 0) throw wrongNumberOfArguments(site, "> 0", 0);
    if (args.some((a) => holdsMap(a.type)))
      throw mismatch(
        "HASH_MAP_TYPE",
        site,
        args,
        `Input to the function \`${site.fn}\` cannot contain elements of the "MAP" type.`,
      );
    if (args.some((a) => holdsVariant(a.type)))
      throw mismatch(
        "HASH_VARIANT_TYPE",
        site,
        args,
        `Input to the function \`${site.fn}\` cannot contain elements of the "VARIANT" type.`,
      );
    return { ...signature([any], type, { variadic: true })(args, site), nullable: false };
  };

export const DIGEST_FUNCTIONS: readonly FunctionDefinition[] = [
  hash(
    "md5(x)",
    "The MD5 digest as 32 hexadecimal digits.",
    signature([binary], STRING),
    plain((b: Uint8Array) => digest("md5", b)),
    { examples: [["md5('Spark')", "8cde774d6f7333752ed72cacddb05126"]] },
  ),
  hash(
    "sha1(x)",
    "The SHA-1 digest in hexadecimal digits.",
    signature([binary], STRING),
    plain((b: Uint8Array) => digest("sha1", b)),
    { aliases: ["sha"], examples: [["sha1('Spark')", "85f5955f4b27a9a4c2aab6ffe5d7189fc298b92c"]] },
  ),
  hash(
    "sha2(x, bits)",
    "The SHA-2 digest of 224, 256 (or 0), 384 or 512 bits; null for other lengths.",
    signature([binary, INT], STRING, { nullable: true }),
    strict<[Uint8Array, number]>(([b, bits]) => (SHA2.has(bits) ? digest(SHA2.get(bits)!, b) : null)),
    {
      examples: [["sha2('Spark', 256)", "529bc3b07127ecb7e53a4dcf1991d9152c24537d919178022b2c42657f79a26b"]],
    },
  ),
  hash("crc32(x)", "The CRC-32 checksum.", signature([binary], LONG), plain(crc32), {
    examples: [["crc32('Spark')", "1557323817"]],
  }),
  hash(
    "hash(a, …)",
    "Spark's murmur3 hash of the values.",
    anyArguments(INT),
    custom<Value[]>((args, call) =>
      args.reduce<number>((seed, v, i) => murmur3(call.argTypes[i]!)(v, seed), SEED),
    ),
    { examples: [["hash('Spark', array(123), 2)", "-1321691492"]] },
  ),
  hash(
    "xxhash64(a, …)",
    "Spark's xxHash64 of the values.",
    anyArguments(LONG),
    custom<Value[]>((args, call) =>
      canonicalLong(args.reduce<bigint>((seed, v, i) => xxHash64(call.argTypes[i]!)(v, seed), BigInt(SEED))),
    ),
    { examples: [["xxhash64('Spark', array(123), 2)", "5602566077635097486"]] },
  ),
];
