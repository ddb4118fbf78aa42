/** Two pieces of the aggregate table: lists of group ids, and hashes of keys. */

/** Ids in order, growing. */
export class IdList {
  data = new Int32Array(64);
  length = 0;
  push(id: number): void {
    if (this.length === this.data.length) {
      const bigger = new Int32Array(this.length * 2);
      bigger.set(this.data);
      this.data = bigger;
    }
    this.data[this.length++] = id;
  }
}

/** Copies what `from` holds into the larger `to`. */
export const grown = <A extends Float64Array | Int32Array | Int16Array | Uint8Array>(to: A, from: A): A => {
  to.set(from as never);
  return to;
};

/** 0, 1, … n - 1. */
export const idsBelow = (n: number): Int32Array => {
  const ids = new Int32Array(n);
  for (let i = 0; i < n; i++) ids[i] = i;
  return ids;
};

/** 32-bit hash of row i, by the bits of the parts `which`; `words` are the parts' memory as 32-bit words. */
export const hashRow = (words: readonly Int32Array[], which: readonly number[], i: number): number => {
  let h = 0;
  for (let k = 0; k < which.length; k++) {
    const w = words[which[k]!]!;
    h = Math.imul(h ^ w[2 * i]!, 0x85ebca6b);
    h = Math.imul(h ^ (h >>> 13) ^ w[2 * i + 1]!, 0xc2b2ae35);
    h ^= h >>> 16;
  }
  return h;
};
