/**
 * Slots of a table filed by the time at which their rows expire, in time buckets: taking what expired costs what is taken. Derived, never persisted.
 *
 * Invariants. E1: `heap` is a binary min-heap of the numbers of the buckets that have slots. E2: a slot whose row went by another way stays filed until its
 * bucket is taken; `timeOf` says what counts: NaN where the slot has no row.
 */
import { SlotList } from "../state/slot-list.ts";

const BUCKET_MS = 1000;

export class SlotExpiry {
  readonly #buckets = new Map<number, SlotList>();
  readonly #heap: number[] = [];
  #last = NaN;
  #lastList: SlotList | undefined;

  /** Infinity: never. */
  add(time: number, slot: number): void {
    if (time === Infinity) return;
    const bucket = Math.floor(time / BUCKET_MS);
    if (bucket !== this.#last || this.#lastList === undefined) {
      this.#last = bucket;
      this.#lastList = this.#buckets.get(bucket);
      if (this.#lastList === undefined) {
        this.#buckets.set(bucket, (this.#lastList = new SlotList()));
        this.#push(bucket);
      }
    }
    this.#lastList.push(slot);
  }

  /** Takes out the slots with time <= limit, a slot once, in no order that counts. */
  takeThrough(limit: number, timeOf: (slot: number) => number): Int32Array {
    const taken = new SlotList();
    this.#lastList = undefined;
    while (this.#heap.length > 0 && this.#heap[0]! * BUCKET_MS <= limit) {
      const bucket = this.#heap[0]!;
      const { data, length } = this.#buckets.get(bucket)!;
      const rest = new SlotList();
      for (let k = 0; k < length; k++) {
        const time = timeOf(data[k]!);
        // The slot may be used again by a row that never expires.
        if (time <= limit && time !== Infinity) taken.push(data[k]!);
        else if (Math.floor(time / BUCKET_MS) === bucket) rest.push(data[k]!);
      }
      if (rest.length > 0) {
        this.#buckets.set(bucket, rest);
        break;
      }
      this.#pop();
      this.#buckets.delete(bucket);
    }
    return distinct(taken);
  }

  clear(): void {
    this.#buckets.clear();
    this.#heap.length = 0;
    this.#lastList = undefined;
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

/** A slot used again in a bucket stands there twice (E2). */
const distinct = (list: SlotList): Int32Array => {
  const slots = list.data.slice(0, list.length).sort();
  let n = 0;
  for (let k = 0; k < slots.length; k++) if (k === 0 || slots[k] !== slots[k - 1]) slots[n++] = slots[k]!;
  return slots.subarray(0, n);
};
