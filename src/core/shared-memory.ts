/**
 * Memory that V8 does not count (growing-array.ts) comes back only with a full collection, and nothing tells V8 to begin one: queries that had ended kept
 * all that they had grown to. So it is counted here, and V8 is given a reason to collect when it has doubled since the last collection found some of it dead.
 *
 * Invariants.
 *  S1 what is held is at most twice what is in use and `FLOOR_BYTES`, as soon as the collection that was asked for is through.
 *  S2 collections asked for while a state grows are as many as it doubles, not one for each 64 MB.
 */
const FLOOR_BYTES = 256 * 1024 * 1024;
/** Worth a collection when a query ends. */
const WORTH_BYTES = 64 * 1024 * 1024;
/** More than V8 lets memory outside of its heap grow before it begins a collection. Nobody writes to it: it costs address space only. */
const REASON_BYTES = 80 * 1024 * 1024;

/** V8 counts an ordinary buffer, which is dead at once. */
const reason = (): void => {
  try {
    void new ArrayBuffer(REASON_BYTES);
  } catch {
    // Where not even so many addresses are left V8 has collected before it said so.
  }
};

export class MemoryCount {
  #bytes = 0;
  #limit = FLOOR_BYTES;
  readonly #collect: () => void;

  constructor(collect: () => void) {
    this.#collect = collect;
  }

  /** What is in use, or was and is not collected yet. */
  get bytes(): number {
    return this.#bytes;
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < this.#limit) return;
    this.#rest();
    this.#collect();
  }

  collected(bytes: number): void {
    this.#bytes -= bytes;
    this.#rest();
  }

  /** Much of it may be out of use: a query has ended. */
  dropped(): void {
    if (this.#bytes >= WORTH_BYTES) this.#collect();
  }

  #rest(): void {
    this.#limit = this.#bytes + Math.max(FLOOR_BYTES, this.#bytes);
  }
}

/** Of this process. */
const count = new MemoryCount(reason);
const sizes = new WeakMap<SharedArrayBuffer, { bytes: number }>();
const dead = new FinalizationRegistry<{ readonly bytes: number }>(({ bytes }) => count.collected(bytes));

/** Counts new memory, or what it has grown by; its own length says how much it is now. */
export const counted = (memory: SharedArrayBuffer): void => {
  let size = sizes.get(memory);
  if (size === undefined) {
    size = { bytes: 0 };
    sizes.set(memory, size);
    dead.register(memory, size);
  }
  const more = memory.byteLength - size.bytes;
  size.bytes = memory.byteLength;
  count.add(more);
};

/** A query's state here is out of use. */
export const stateDropped = (): void => count.dropped();
