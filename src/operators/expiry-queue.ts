/**
 * Items filed by the time at which they expire: taking all that expired costs what is taken, not what is there. Derived from tables, never persisted.
 *
 * Invariants. E1: `heap` is a binary min-heap of the numbers of the buckets (of BUCKET_MS) that have items. E2: what is taken comes by time, items of one
 * time in the order in which they were added.
 */
const BUCKET_MS = 1000;

interface Entry<T> {
  readonly time: number;
  readonly item: T;
}

const byTime = <T>(a: Entry<T>, b: Entry<T>): number => (a.time === b.time ? 0 : a.time < b.time ? -1 : 1);

export class ExpiryQueue<T> {
  readonly #buckets = new Map<number, Entry<T>[]>();
  readonly #heap: number[] = [];

  add(time: number, item: T): void {
    const bucket = Math.floor(time / BUCKET_MS);
    const entries = this.#buckets.get(bucket);
    if (entries !== undefined) entries.push({ time, item });
    else {
      this.#buckets.set(bucket, [{ time, item }]);
      this.#push(bucket);
    }
  }

  /** Not above the earliest time that has items; Infinity when there is none. */
  get first(): number {
    return this.#heap.length === 0 ? Infinity : this.#heap[0]! * BUCKET_MS;
  }

  /** Takes out all items with time <= limit, by E2. */
  takeThrough(limit: number): T[] {
    const taken: T[] = [];
    while (this.#heap.length > 0 && this.#heap[0]! * BUCKET_MS <= limit) {
      const bucket = this.#heap[0]!;
      const entries = this.#buckets.get(bucket)!;
      const due = entries.filter((e) => e.time <= limit).sort(byTime);
      for (const e of due) taken.push(e.item);
      if (due.length < entries.length) {
        if (due.length > 0)
          this.#buckets.set(
            bucket,
            entries.filter((e) => e.time > limit),
          );
        break;
      }
      this.#pop();
      this.#buckets.delete(bucket);
    }
    return taken;
  }

  /** All items, in the order in which `takeThrough` would give them. */
  *items(): Iterable<T> {
    for (const bucket of [...this.#heap].sort((a, b) => (a < b ? -1 : 1)))
      for (const e of [...this.#buckets.get(bucket)!].sort(byTime)) yield e.item;
  }

  /** Takes out the items that `keeps` refuses. */
  keep(keeps: (item: T) => boolean): void {
    for (const [bucket, entries] of this.#buckets)
      this.#buckets.set(
        bucket,
        entries.filter((e) => keeps(e.item)),
      );
  }

  clear(): void {
    this.#buckets.clear();
    this.#heap.length = 0;
  }

  #push(bucket: number): void {
    const heap = this.#heap;
    let i = heap.length;
    heap.push(bucket);
    while (i > 0) {
      const parent = (i - 1) >> 1;
      if (heap[parent]! <= bucket) break;
      heap[i] = heap[parent]!;
      i = parent;
    }
    heap[i] = bucket;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    const n = heap.length;
    if (n === 0) return;
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
  }
}
