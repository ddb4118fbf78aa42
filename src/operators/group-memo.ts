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
/** So many new arrays in one batch, and the other parts vary too much: hash for a while. */
const NEW_PER_BATCH = 16;
const PAUSE_BATCHES = 64;
const PAUSED = new Int32Array(0);

interface Slot {
  others: readonly [number, number];
  groups: Int32Array;
}

export class GroupMemo {
  #slots: Slot[] = [];
  #next = 0;
  #made = 0;
  #pause = 0;

  /** A batch begins. */
  begin(): void {
    this.#made = 0;
    if (this.#pause > 0) this.#pause--;
  }

  /** Whether it is not worth it at the moment. */
  get paused(): boolean {
    return this.#pause > 0;
  }

  /** The array for these other parts; entries of a new one are unknown. */
  of(first: number, second: number): Int32Array {
    for (const s of this.#slots) if (s.others[0] === first && s.others[1] === second) return s.groups;
    if (++this.#made > NEW_PER_BATCH) {
      this.#pause = PAUSE_BATCHES;
      this.forget();
      return PAUSED;
    }
    const groups =
      this.#slots.length < SLOTS ? new Int32Array(FIRST_SIZE) : this.#slots[this.#next]!.groups.fill(0);
    this.#slots[this.#next] = { others: [first, second], groups };
    this.#next = (this.#next + 1) % SLOTS;
    return groups;
  }

  /** Notes a group; returns the array to go on with, which may have grown. */
  put(groups: Int32Array, part: number, group: number): Int32Array {
    if (this.#pause > 0 || !(part >= 0 && part < PART_MAX) || !Number.isInteger(part)) return groups;
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

/** Which part indexes the memo (of a key that is no time) and which, at most two, are the others; undefined when there are too many. */
export const memoParts = (
  keys: readonly { readonly parts: number; readonly form: string }[],
  eventTime: number | undefined,
): { readonly index: number; readonly others: readonly number[] } | undefined => {
  const parts = keys.flatMap((k, i) =>
    Array.from({ length: k.parts }, () => k.form !== "window" && i !== eventTime),
  );
  const index = parts.lastIndexOf(true);
  if (index < 0 || parts.length > 3) return undefined;
  return { index, others: [...parts.keys()].filter((p) => p !== index) };
};
