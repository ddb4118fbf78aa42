/** xxHash64 of 4 bytes, 8 bytes and byte strings, as signed 64-bit integers. */
const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;
const MASK = 0xffffffffffffffffn;

const u64 = (x: bigint): bigint => x & MASK;
const rotate = (x: bigint, n: bigint): bigint => u64(x << n) | (x >> (64n - n));
const round = (h: bigint, k: bigint): bigint => u64(rotate(u64(h + k * P2), 31n) * P1);
const mergeRound = (h: bigint, v: bigint): bigint => u64((h ^ round(0n, v)) * P1 + P4);

const avalanche = (x: bigint): bigint => {
  let h = u64((x ^ (x >> 33n)) * P2);
  h = u64((h ^ (h >> 29n)) * P3);
  return BigInt.asIntN(64, h ^ (h >> 32n));
};
const word8 = (h: bigint, k: bigint): bigint => u64(rotate(h ^ round(0n, k), 27n) * P1 + P4);
const word4 = (h: bigint, k: bigint): bigint => u64(rotate(h ^ u64(k * P1), 23n) * P2 + P3);

export const xxInt = (x: number, seed: bigint): bigint =>
  avalanche(word4(u64(u64(seed) + P5 + 4n), BigInt(x >>> 0)));

export const xxLong = (x: bigint, seed: bigint): bigint => avalanche(word8(u64(u64(seed) + P5 + 8n), u64(x)));

export const xxBytes = (b: Uint8Array, seedSigned: bigint): bigint => {
  const view = new DataView(b.buffer, b.byteOffset, b.length);
  const seed = u64(seedSigned);
  let at = 0;
  let h = u64(seed + P5);
  if (b.length >= 32) {
    let [v1, v2, v3, v4] = [u64(seed + P1 + P2), u64(seed + P2), seed, u64(seed - P1)];
    for (; at + 32 <= b.length; at += 32) {
      v1 = round(v1, view.getBigUint64(at, true));
      v2 = round(v2, view.getBigUint64(at + 8, true));
      v3 = round(v3, view.getBigUint64(at + 16, true));
      v4 = round(v4, view.getBigUint64(at + 24, true));
    }
    h = u64(rotate(v1, 1n) + rotate(v2, 7n) + rotate(v3, 12n) + rotate(v4, 18n));
    for (const v of [v1, v2, v3, v4]) h = mergeRound(h, v);
  }
  h = u64(h + BigInt(b.length));
  for (; at + 8 <= b.length; at += 8) h = word8(h, view.getBigUint64(at, true));
  if (at + 4 <= b.length) {
    h = word4(h, BigInt(view.getUint32(at, true)));
    at += 4;
  }
  for (; at < b.length; at++) h = u64(rotate(h ^ u64(BigInt(b[at]!) * P5), 11n) * P1);
  return avalanche(h);
};
