/**
 * A set of (group, number) pairs for many groups at once: one open-addressing table over typed arrays instead of a Set for each group. The numbers of a group
 * hang together, newest first, so that what was added last is found without the rest.
 *
 * Invariants. P1: a slot holds entry + 1, 0 when empty; every pair is reachable from its hash by linear probing without a gap. P2: numbers are neither NaN
 * nor -0. P3: entry `e` of group `groups[e]` is followed by `next[e]`, -1 at the end; a free entry has group -1 and is followed by the next free one.
 */
const SLOTS_FIRST = 64;
export const PAIR_BYTES = 24;

const value = new Float64Array(1);
const words = new Int32Array(value.buffer);

const hashOf = (group: number, v: number): number => {
  value[0] = v;
  let h = Math.imul(words[0]! ^ Math.imul(words[1]!, 0x85ebca6b), 0x9e3779b1);
  h = Math.imul(h ^ (h >>> 15) ^ Math.imul(group, 0x27d4eb2f), 0x85ebca6b);
  return h ^ (h >>> 13);
};

const resized = <A extends Float64Array | Int32Array>(data: A, to: A): A => {
  to.set(data);
  return to;
};

export class PairSet {
  values = new Float64Array(SLOTS_FIRST / 2);
  groups = new Int32Array(SLOTS_FIRST / 2);
  next = new Int32Array(SLOTS_FIRST / 2);
  #slots = new Int32Array(SLOTS_FIRST);
  #mask = SLOTS_FIRST - 1;
  #used = 0;
  #free = -1;
  size = 0;

  /** Entries below this have been in use. */
  get used(): number {
    return this.#used;
  }

  /** Adds a pair; `head` is the newest entry of the group. Gives the new one, or -1 when the pair was there. */
  add(group: number, v: number, head: number): number {
    let slot = hashOf(group, v) & this.#mask;
    for (;;) {
      const e = this.#slots[slot]! - 1;
      if (e < 0) break;
      if (this.values[e] === v && this.groups[e] === group) return -1;
      slot = (slot + 1) & this.#mask;
    }
    const e = this.#take();
    this.values[e] = v;
    this.groups[e] = group;
    this.next[e] = head;
    this.#slots[slot] = e + 1;
    if (++this.size * 2 > this.#mask) this.#grow();
    return e;
  }

  #take(): number {
    const e = this.#free;
    if (e < 0) return this.#used++;
    this.#free = this.next[e]!;
    return e;
  }

  #grow(): void {
    const slots = this.#slots.length * 2;
    this.values = resized(this.values, new Float64Array(slots / 2));
    this.groups = resized(this.groups, new Int32Array(slots / 2));
    this.next = resized(this.next, new Int32Array(slots / 2));
    this.#slots = new Int32Array(slots);
    this.#mask = slots - 1;
    this.rehash();
  }

  /** All slots anew: numbers of entries were changed, or there is more room. */
  rehash(): void {
    this.#slots.fill(0);
    for (let e = 0; e < this.#used; e++) {
      if (this.groups[e]! < 0) continue;
      let slot = hashOf(this.groups[e]!, this.values[e]!) & this.#mask;
      while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
      this.#slots[slot] = e + 1;
    }
  }

  /** Removes all pairs of a group. */
  removeAll(head: number): void {
    for (let e = head; e >= 0;) {
      const after = this.next[e]!;
      this.#unlink(e);
      this.groups[e] = -1;
      this.next[e] = this.#free;
      this.#free = e;
      this.size--;
      e = after;
    }
    if (this.size > 0 || this.#used === 0) return;
    // Nothing is left: the room goes too.
    this.values = new Float64Array(SLOTS_FIRST / 2);
    this.groups = new Int32Array(SLOTS_FIRST / 2);
    this.next = new Int32Array(SLOTS_FIRST / 2);
    this.#slots = new Int32Array(SLOTS_FIRST);
    this.#mask = SLOTS_FIRST - 1;
    this.#used = 0;
    this.#free = -1;
  }

  /** Takes an entry out of its slot and moves those behind it up, so that no gap is left (P1). */
  #unlink(entry: number): void {
    const [slots, mask] = [this.#slots, this.#mask];
    let hole = hashOf(this.groups[entry]!, this.values[entry]!) & mask;
    while (slots[hole] !== entry + 1) hole = (hole + 1) & mask;
    for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const e = slots[slot]! - 1;
      const home = hashOf(this.groups[e]!, this.values[e]!) & mask;
      // It may move to the hole unless its home lies behind the hole.
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole] = e + 1;
      hole = slot;
    }
    slots[hole] = 0;
  }
}
