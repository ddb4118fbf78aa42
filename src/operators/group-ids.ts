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

/** 32-bit hashes of rows of doubles, by the bits of the parts `which`. */
export const hashParts = (
  parts: readonly Float64Array[],
  which: readonly number[],
  n: number,
  out: Int32Array,
): void => {
  out.fill(0, 0, n);
  for (const p of which) {
    const words = new Int32Array(parts[p]!.buffer, parts[p]!.byteOffset, n * 2);
    for (let i = 0; i < n; i++) {
      let h = Math.imul(out[i]! ^ words[2 * i]!, 0x85ebca6b);
      h = Math.imul(h ^ (h >>> 13) ^ words[2 * i + 1]!, 0xc2b2ae35);
      out[i] = h ^ (h >>> 16);
    }
  }
};
