/** java.util.Random in doubles: the 48-bit state is kept as two halves of 24 bits, so that every product stays below 2^53. */
const HALF = 0x1000000;
const LOW = 0xece66d;
const HIGH = 0x5de;

export class JavaRandom {
  #low = 0;
  #high = 0;

  /** As `new Random(seed)`; `seed` is a non-negative safe integer. */
  seed(seed: number): this {
    this.#low = (seed % HALF) ^ LOW;
    this.#high = (Math.floor(seed / HALF) % HALF) ^ HIGH;
    return this;
  }

  #step(): void {
    const low = this.#low * LOW + 0xb;
    const carry = Math.floor(low / HALF);
    const high = this.#high * LOW + this.#low * HIGH + carry;
    this.#low = low - carry * HALF;
    this.#high = high % HALF;
  }

  /** next(32): signed. */
  int32(): number {
    this.#step();
    return (this.#high << 8) | (this.#low >>> 16);
  }

  /** next(31). */
  #int31(): number {
    this.#step();
    return (this.#high << 7) | (this.#low >>> 17);
  }

  /** nextInt(bound). */
  below(bound: number): number {
    if ((bound & -bound) === bound) return Math.floor((bound * this.#int31()) / 0x80000000);
    for (;;) {
      const bits = this.#int31();
      const value = bits % bound;
      if (bits - value + (bound - 1) <= 0x7fffffff) return value;
    }
  }

  /** nextDouble(). */
  double(): number {
    this.#step();
    const high = (this.#high << 2) | (this.#low >>> 22);
    this.#step();
    const low = (this.#high << 3) | (this.#low >>> 21);
    return (high * 0x8000000 + low) / 0x20000000000000;
  }
}
