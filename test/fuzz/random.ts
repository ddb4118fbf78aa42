/** A seeded source of chances for the fuzzers: the same seed makes the same cases on every machine. */

export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let x = this.#state;
    x = Math.imul(x ^ (x >>> 15), x | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** An integer from `low` to `high`, both included. */
  int(low: number, high: number): number {
    return low + Math.floor(this.next() * (high - low + 1));
  }

  chance(probability: number): boolean {
    return this.next() < probability;
  }

  pick<T>(from: readonly T[]): T {
    return from[Math.floor(this.next() * from.length)]!;
  }

  /** Between `low` and `high` results of `make`. */
  many<T>(low: number, high: number, make: (i: number) => T): T[] {
    return Array.from({ length: this.int(low, high) }, (_, i) => make(i));
  }
}

/** From MILLRACE_SEED, else from the clock; it is always printed. */
export const seedOfRun = (): number => {
  const given = process.env["MILLRACE_SEED"];
  return given === undefined ? Date.now() % 4_294_967_296 : Number(given);
};

/** How long and how many: MILLRACE_COUNT cases, or else as many as fit into MILLRACE_SECONDS (default 25). */
export const budget = (): ((done: number) => boolean) => {
  const count = process.env["MILLRACE_COUNT"];
  if (count !== undefined) return (done) => done < Number(count);
  const until = Date.now() + Number(process.env["MILLRACE_SECONDS"] ?? 25) * 1000;
  return () => Date.now() < until;
};
