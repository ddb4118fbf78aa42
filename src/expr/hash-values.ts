/**
 * Spark's row hashes: murmur3 (`hash`, seed 42) and xxhash64 (seed 42), exact bit for bit. V1: null leaves the seed as it is; nested values are hashed part by
 * part, each with the hash so far as its seed. V2: byte, short, int, date and boolean hash as 4 bytes, long, timestamp (microseconds) and small decimals as 8.
 */
import type { DataType } from "../core/data-type.ts";
import type { Value } from "../core/value.ts";
import { microsOf } from "./time/calendar.ts";
import { xxBytes, xxInt, xxLong } from "./xxhash.ts";

type Hash32 = (v: Value, seed: number) => number;
type Hash64 = (v: Value, seed: bigint) => bigint;

const C1 = 0xcc9e2d51;
const C2 = 0x1b873593;
const mixK = (k: number): number => {
  const x = Math.imul(k, C1);
  return Math.imul((x << 15) | (x >>> 17), C2);
};
const mixH = (h: number, k: number): number => {
  const x = h ^ mixK(k);
  return (Math.imul((x << 13) | (x >>> 19), 5) + 0xe6546b64) | 0;
};
const finish = (h: number, length: number): number => {
  let x = h ^ length;
  x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
  x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
  return x ^ (x >>> 16);
};

const murmurInt = (x: number, seed: number): number => finish(mixH(seed, x), 4);
const murmurLong = (x: bigint, seed: number): number => {
  const low = Number(BigInt.asIntN(32, x));
  const high = Number(BigInt.asIntN(32, x >> 32n));
  return finish(mixH(mixH(seed, low), high), 8);
};
/** Spark hashes the bytes after the last whole word one by one, each as a word of its own. */
const murmurBytes = (b: Uint8Array, seed: number): number => {
  const view = new DataView(b.buffer, b.byteOffset, b.length);
  const whole = b.length - (b.length % 4);
  let h = seed;
  for (let i = 0; i < whole; i += 4) h = mixH(h, view.getInt32(i, true));
  for (let i = whole; i < b.length; i++) h = mixH(h, view.getInt8(i));
  return finish(h, b.length);
};

const bits = new DataView(new ArrayBuffer(8));
const doubleBits = (x: number): bigint => {
  bits.setFloat64(0, x === 0 ? 0 : x);
  return Number.isNaN(x) ? 0x7ff8000000000000n : bits.getBigInt64(0);
};
const floatBits = (x: number): number => {
  bits.setFloat32(0, x === 0 ? 0 : x);
  return Number.isNaN(x) ? 0x7fc00000 : bits.getInt32(0);
};

/** Java's BigInteger.toByteArray: two's complement, big-endian, as short as can be. */
const bigBytes = (x: bigint): Uint8Array => {
  let n = 1;
  while (BigInt.asIntN(n * 8, x) !== x) n++;
  return Uint8Array.from({ length: n }, (_, i) => Number((x >> BigInt((n - 1 - i) * 8)) & 0xffn));
};

/** What hashing needs of an algorithm: V2's three sizes. */
interface Primitives<S> {
  readonly int: (x: number, seed: S) => S;
  readonly long: (x: bigint, seed: S) => S;
  readonly bytes: (b: Uint8Array, seed: S) => S;
}

const encoder = new TextEncoder();

const nested = <S>(type: DataType, p: Primitives<S>): ((v: Value, seed: S) => S) | undefined => {
  if (type.kind === "array") {
    const element = hasher(type.element, p);
    return (v, seed) => (v as readonly Value[]).reduce<S>((s, x) => element(x, s), seed);
  }
  if (type.kind === "struct") {
    const fields = type.fields.map((f) => hasher(f.type, p));
    return (v, seed) => (v as readonly Value[]).reduce<S>((s, x, i) => fields[i]!(x, s), seed);
  }
  if (type.kind === "map") {
    const [key, value] = [hasher(type.key, p), hasher(type.value, p)];
    return (v, seed) =>
      (v as readonly (readonly [Value, Value])[]).reduce<S>((s, [k, x]) => value(x, key(k, s)), seed);
  }
  return undefined;
};

const hasher = <S>(type: DataType, p: Primitives<S>): ((v: Value, seed: S) => S) => {
  const leaf = nested(type, p) ?? leafHasher(type, p);
  return (v, seed) => (v === null ? seed : leaf(v, seed));
};

const leafHasher = <S>(type: DataType, p: Primitives<S>): ((v: Value, seed: S) => S) => {
  switch (type.kind) {
    case "boolean":
      return (v, s) => p.int(v === true ? 1 : 0, s);
    case "byte":
    case "short":
    case "int":
    case "date":
    case "yearMonthInterval":
      return (v, s) => p.int(v as number, s);
    case "float":
      return (v, s) => p.int(floatBits(v as number), s);
    case "double":
      return (v, s) => p.long(doubleBits(v as number), s);
    case "timestamp":
    case "timestamp_ntz":
      return (v, s) => p.long(BigInt(microsOf(v as number)), s);
    case "decimal":
      return type.precision <= 18
        ? (v, s) => p.long(v as bigint, s)
        : (v, s) => p.bytes(bigBytes(v as bigint), s);
    case "string":
      return (v, s) => p.bytes(encoder.encode(v as string), s);
    case "binary":
      return (v, s) => p.bytes(v as Uint8Array, s);
    case "calendarInterval":
      return (v, s) => {
        const [months, days, micros] = v as unknown as readonly [number, number, number];
        return p.int(months, p.int(days, p.long(BigInt(micros), s)));
      };
    default:
      return (v, s) => p.long(BigInt(v as number | bigint), s);
  }
};

/** murmur3 of values of a type. */
export const murmur3 = (type: DataType): Hash32 =>
  hasher<number>(type, { int: murmurInt, long: murmurLong, bytes: murmurBytes });

/** xxhash64 of values of a type, as a signed 64-bit integer. */
export const xxHash64 = (type: DataType): Hash64 =>
  hasher<bigint>(type, { int: xxInt, long: xxLong, bytes: xxBytes });
