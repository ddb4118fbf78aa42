/** Pieces of the aggregate table: lists of group ids, hashes of keys, and slots of open addressing (id + 1, 0 when empty; their number a power of two). */

/** From this length on a list is worth giving back. */
const LONG_LIST = 65_536;

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
  /** The list is not empty. */
  pop(): number {
    return this.data[--this.length]!;
  }
  clear(): void {
    this.#empty();
  }
  /** A copy. */
  ids(): Int32Array {
    return this.data.slice(0, this.length);
  }
  /** Takes the mark off all ids and forgets them. */
  unmark(flags: Uint8Array, mark: number): void {
    for (let i = 0; i < this.length; i++) flags[this.data[i]!]! &= ~mark;
    this.#empty();
  }
  /** A list that was long once may not be so again: its memory goes when it was not used. */
  #empty(): void {
    if (this.data.length > LONG_LIST && this.length * 4 < this.data.length) this.data = new Int32Array(64);
    this.length = 0;
  }
  /** Drops the ids without the mark. */
  keepMarked(flags: Uint8Array, mark: number): void {
    let kept = 0;
    for (let i = 0; i < this.length; i++) {
      const g = this.data[i]!;
      if (flags[g]! & mark) this.data[kept++] = g;
    }
    this.length = kept;
  }
}

/** Copies what `from` holds into the larger `to`. */
export const grown = <A extends Float64Array | Int32Array | Int16Array | Uint8Array>(to: A, from: A): A => {
  to.set(from as never);
  return to;
};

/** Sorts ids in place by their orders, whole numbers: with its place in one double where both fit, which needs no function for every comparison. */
export const sortByOrder = (ids: Int32Array, orders: Float64Array): Int32Array => {
  const places = 2 ** Math.ceil(Math.log2(ids.length + 1));
  let most = 0;
  for (let i = 0; i < ids.length; i++) most = Math.max(most, orders[ids[i]!]!);
  if (most >= Number.MAX_SAFE_INTEGER / places - 1) return ids.sort((a, b) => orders[a]! - orders[b]!);
  const keys = new Float64Array(ids.length);
  for (let i = 0; i < ids.length; i++) keys[i] = orders[ids[i]!]! * places + i;
  keys.sort();
  const before = ids.slice();
  for (let i = 0; i < ids.length; i++) ids[i] = before[keys[i]! - Math.floor(keys[i]! / places) * places]!;
  return ids;
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

/** Slots for exactly the ids whose slots `from` holds. */
export const filledSlots = (size: number, hashes: Int32Array, from: Int32Array): Int32Array<ArrayBuffer> => {
  const slots = new Int32Array(size);
  const mask = size - 1;
  for (let i = 0; i < from.length; i++) {
    if (from[i] === 0) continue;
    let slot = hashes[from[i]! - 1]! & mask;
    while (slots[slot] !== 0) slot = (slot + 1) & mask;
    slots[slot] = from[i]!;
  }
  return slots;
};

/** Removes an id's slot by shifting back what follows. */
export const unlinkSlot = (slots: Int32Array, hashes: Int32Array, id: number): void => {
  const mask = slots.length - 1;
  let hole = hashes[id]! & mask;
  while (slots[hole] !== id + 1) hole = (hole + 1) & mask;
  for (let next = (hole + 1) & mask; slots[next] !== 0; next = (next + 1) & mask) {
    const home = hashes[slots[next]! - 1]! & mask;
    if (((next - home) & mask) >= ((next - hole) & mask)) {
      slots[hole] = slots[next]!;
      hole = next;
    }
  }
  slots[hole] = 0;
};
