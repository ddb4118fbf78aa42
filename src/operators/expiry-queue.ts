/**
 * Items filed by the time at which they expire: taking all that expired costs what is taken, not what is there.
 * Derived from tables, never persisted.
 *
 * Invariants. E1: `heap` is a binary min-heap of the distinct times that have a list. E2: items of one time keep the
 * order in which they were added.
 */
export class ExpiryQueue<T> {
  readonly #lists = new Map<number, T[]>();
  readonly #heap: number[] = [];

  add(time: number, item: T): void {
    const list = this.#lists.get(time);
    if (list !== undefined) {
      list.push(item);
      return;
    }
    this.#lists.set(time, [item]);
    this.#push(time);
  }

  /** The earliest time that has items; Infinity when there is none. */
  get first(): number {
    return this.#heap.length === 0 ? Infinity : this.#heap[0]!;
  }

  /** Takes out all items with time <= limit, earliest first, by E2 within a time. */
  takeThrough(limit: number): T[] {
    const taken: T[] = [];
    while (this.#heap.length > 0 && this.#heap[0]! <= limit) {
      const time = this.#pop();
      for (const item of this.#lists.get(time)!) taken.push(item);
      this.#lists.delete(time);
    }
    return taken;
  }

  /** All items, in the order in which `takeThrough` would give them. */
  *items(): Iterable<T> {
    for (const time of [...this.#heap].sort((a, b) => (a < b ? -1 : 1))) yield* this.#lists.get(time)!;
  }

  clear(): void {
    this.#lists.clear();
    this.#heap.length = 0;
  }

  #push(time: number): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(time);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (heap[parent]! <= time) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = time;
  }

  #pop(): number {
    const heap = this.#heap;
    const top = heap[0]!;
    const last = heap.pop()!;
    const n = heap.length;
    if (n === 0) return top;
    let i = 0;
    for (;;) {
      let child = 2 * i + 1;
      if (child >= n) break;
      if (child + 1 < n && heap[child + 1]! < heap[child]!) child++;
      if (heap[child]! >= last) break;
      heap[i] = heap[child]!;
      i = child;
    }
    heap[i] = last;
    return top;
  }
}
