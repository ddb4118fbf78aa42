/** to_base32 and from_base32 (RFC 4648). Reading takes both cases, skips other characters and stops at the first `=`. */
import { BINARY, STRING } from "../../core/data-type.ts";
import type { FunctionDefinition } from "../function.ts";
import { binary, signature } from "../rules.ts";
import { family, plain } from "./definition.ts";

const string = family("string");
const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
const GROUP_BYTES = 5;
const GROUP_DIGITS = 8;

const toBase32 = (bytes: Uint8Array): string => {
  let out = "";
  for (let at = 0; at < bytes.length; at += GROUP_BYTES) {
    const group = bytes.subarray(at, at + GROUP_BYTES);
    let bits = 0n;
    for (let i = 0; i < GROUP_BYTES; i++) bits = (bits << 8n) | BigInt(group[i] ?? 0);
    const digits = Math.ceil((group.length * 8) / 5);
    for (let i = 0; i < GROUP_DIGITS; i++)
      out += i < digits ? ALPHABET[Number((bits >> BigInt(35 - 5 * i)) & 31n)]! : "=";
  }
  return out;
};

/** Bytes of the last 1 to 7 digits; a lone digit shares a byte with the bits before it. */
const TAIL: readonly (readonly [drop: bigint, bytes: number])[] = [
  [0n, 0],
  [2n, 1],
  [2n, 1],
  [7n, 1],
  [4n, 2],
  [1n, 3],
  [6n, 3],
  [3n, 4],
];

const fromBase32 = (text: string): Uint8Array => {
  const out: number[] = [];
  let bits = 0n;
  let digits = 0;
  const take = (from: bigint, count: number): void => {
    for (let i = count - 1; i >= 0; i--) out.push(Number((from >> BigInt(8 * i)) & 255n));
  };
  for (const c of text) {
    if (c === "=") break;
    const value = ALPHABET.indexOf(c >= "a" && c <= "z" ? c.toUpperCase() : c);
    if (value < 0) continue;
    bits = ((bits << 5n) | BigInt(value)) & 0xffff_ffff_ffffn;
    digits = (digits + 1) % GROUP_DIGITS;
    if (digits === 0) take(bits, GROUP_BYTES);
  }
  const [drop, bytes] = TAIL[digits]!;
  take(bits >> drop, bytes);
  return new Uint8Array(out);
};

export const BASE32_FUNCTIONS: readonly FunctionDefinition[] = [
  string("to_base32(bytes)", "Bytes as base 32 text.", signature([binary], STRING), plain(toBase32), {
    examples: [["to_base32('foobar')", "MZXW6YTBOI======"]],
  }),
  string(
    "from_base32(text)",
    "The bytes of a base 32 text.",
    signature([STRING], BINARY),
    plain(fromBase32),
    {
      examples: [["from_base32('MZXW6YTBOI======')", "foobar"]],
    },
  ),
];
