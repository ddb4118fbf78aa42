/**
 * A shortcut past hashing: while all parts of the key but one stay as in the row before (a window), the group is read from an array by that one part (the
 * id of a string, a small integer). A few such arrays are kept, for rows that go back and forth between windows.
 *
 * Invariants. M1: an entry is group + 1, 0 when unknown. M2: `forget` is called before a group id can mean another key.
 */
const SLOTS = 4;
/** Larger parts are hashed. */
const PART_MAX = 2 ** 21;
const FIRST_SIZE = 1024;

interface Slot {
  others: readonly [number, number];
  groups: Int32Array;
}

export class GroupMemo {
  #slots: Slot[] = [];
  #next = 0;

  /** The array for these other parts; entries of a new one are unknown. */
  of(first: number, second: number): Int32Array {
    for (const s of this.#slots) if (s.others[0] === first && s.others[1] === second) return s.groups;
    const groups =
      this.#slots.length < SLOTS ? new Int32Array(FIRST_SIZE) : this.#slots[this.#next]!.groups.fill(0);
    this.#slots[this.#next] = { others: [first, second], groups };
    this.#next = (this.#next + 1) % SLOTS;
    return groups;
  }

  /** Notes a group; returns the array to go on with, which may have grown. */
  put(groups: Int32Array, part: number, group: number): Int32Array {
    if (!(part >= 0 && part < PART_MAX) || !Number.isInteger(part)) return groups;
    let into = groups;
    if (part >= groups.length) {
      into = new Int32Array(2 ** Math.ceil(Math.log2(part + 1)));
      into.set(groups);
      const slot = this.#slots.find((s) => s.groups === groups);
      if (slot !== undefined) slot.groups = into;
    }
    into[part] = group + 1;
    return into;
  }

  forget(): void {
    this.#slots = [];
    this.#next = 0;
  }
}

/** Which part indexes the memo and which (at most two) are the others; undefined when there are too many. */
export const memoParts = (
  parts: readonly { readonly part: number; readonly indexable: boolean }[],
): { readonly index: number; readonly others: readonly number[] } | undefined => {
  const index = parts.findLast((p) => p.indexable)?.part;
  if (index === undefined || parts.length > 3) return undefined;
  return { index, others: parts.map((p) => p.part).filter((p) => p !== index) };
};
