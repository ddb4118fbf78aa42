/**
 * The generators behind Spark's random functions, bit by bit: XORShiftRandom (rand, randn, uniform, randstr) and the Mersenne Twister (shuffle, uuid).
 * R1: a generator's numbers depend on its seed alone.
 */

const LONG = 0xffff_ffff_ffff_ffffn;

const rotated = (x: number, by: number): number => (x << by) | (x >>> (32 - by));

/** MurmurHash3 of a long's big-endian bytes, as Scala's `bytesHash` reads them. */
const hashLong = (x: bigint, seed: number): number => {
  const bytes = new DataView(new ArrayBuffer(8));
  bytes.setBigUint64(0, BigInt.asUintN(64, x));
  let h = seed;
  for (const at of [0, 4]) {
    let k = Math.imul(bytes.getInt32(at, true), 0xcc9e2d51);
    k = Math.imul(rotated(k, 15), 0x1b873593);
    h = (Math.imul(rotated(h ^ k, 13), 5) + 0xe6546b64) | 0;
  }
  h ^= 8;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
};

const ARRAY_SEED = 0x3c074a61;

/** Where the generator of a seed starts. */
const hashSeed = (seed: bigint): bigint => {
  const low = hashLong(seed, ARRAY_SEED);
  const high = hashLong(seed, low);
  return (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
};

const UNIT = 2 ** -53;

export class XorShiftRandom {
  #state: bigint;
  #nextGaussian: number | undefined;

  constructor(seed: bigint) {
    this.#state = hashSeed(seed);
  }

  #next(bits: number): number {
    let s = this.#state;
    s ^= (s << 21n) & LONG;
    s ^= s >> 35n;
    s ^= (s << 4n) & LONG;
    this.#state = s;
    return Number(s & ((1n << BigInt(bits)) - 1n));
  }

  /** A 32-bit integer. */
  int(): number {
    return this.#next(32) | 0;
  }

  /** In [0, 1). */
  double(): number {
    return (this.#next(26) * 2 ** 27 + this.#next(27)) * UNIT;
  }

  /** Normally distributed, mean 0 and variance 1 (the polar method, as java.util.Random). */
  gaussian(): number {
    const waiting = this.#nextGaussian;
    this.#nextGaussian = undefined;
    if (waiting !== undefined) return waiting;
    for (;;) {
      const a = 2 * this.double() - 1;
      const b = 2 * this.double() - 1;
      const s = a * a + b * b;
      if (s >= 1 || s === 0) continue;
      const factor = Math.sqrt((-2 * Math.log(s)) / s);
      this.#nextGaussian = b * factor;
      return a * factor;
    }
  }
}

const SIZE = 624;
const OFFSET = 397;

export class MersenneTwister {
  readonly #state = new Uint32Array(SIZE);
  #at = SIZE;

  constructor(seed: bigint) {
    const s = this.#state;
    const key = [Number((seed >> 32n) & 0xffff_ffffn), Number(seed & 0xffff_ffffn)];
    s[0] = 19650218;
    for (let i = 1; i < SIZE; i++) s[i] = Math.imul(1812433253, s[i - 1]! ^ (s[i - 1]! >>> 30)) + i;
    let i = 1;
    const mixed = (by: number): number => s[i]! ^ Math.imul(s[i - 1]! ^ (s[i - 1]! >>> 30), by);
    const step = (): void => {
      if (++i < SIZE) return;
      s[0] = s[SIZE - 1]!;
      i = 1;
    };
    for (let k = 0; k < SIZE; k++) {
      s[i] = mixed(1664525) + key[k % 2]! + (k % 2);
      step();
    }
    for (let k = 1; k < SIZE; k++) {
      s[i] = mixed(1566083941) - i;
      step();
    }
    s[0] = 0x80000000;
  }

  #refill(): void {
    const s = this.#state;
    for (let k = 0; k < SIZE; k++) {
      const y = (s[k]! & 0x80000000) | (s[(k + 1) % SIZE]! & 0x7fffffff);
      s[k] = s[(k + OFFSET) % SIZE]! ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
    }
    this.#at = 0;
  }

  /** The upper `bits` of 32 random ones, as a signed number when all are asked for. */
  #next(bits: number): number {
    if (this.#at >= SIZE) this.#refill();
    let y = this.#state[this.#at++]!;
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    y ^= y >>> 18;
    return bits === 32 ? y | 0 : y >>> (32 - bits);
  }

  /** In [0, below). */
  int(below: number): number {
    if ((below & -below) === below) return Number((BigInt(below) * BigInt(this.#next(31))) >> 31n);
    for (;;) {
      const bits = this.#next(31);
      const value = bits % below;
      if (bits - value + (below - 1) <= 0x7fffffff) return value;
    }
  }

  /** 64 bits, unsigned. */
  long(): bigint {
    const high = BigInt(this.#next(32) >>> 0) << 32n;
    return high | BigInt(this.#next(32) >>> 0);
  }
}
