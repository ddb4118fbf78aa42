/**
 * The source actor's input: the ranges that the plan log gives to its splits. It keeps nothing: where it stands is in the logs (law 6). It
 * reads ahead where the source can, and says what it sees, so that the coordinator need not ask.
 */
import type { Json, SourceReader, SplitRange } from "../src/connectors/source.ts";
import type { ActorInput, InputBatch } from "../src/runtime/behaviour.ts";
import type { EpochEntry } from "../src/runtime/entries.ts";

/** Splits of a source that belong to one of its partitions: split i to partition i mod partitions, in the order of their discovery. */
export const splitsOf = (
  entry: EpochEntry,
  sourceId: string,
  partition: number,
  partitions: number,
): readonly string[] => (entry.splits[sourceId] ?? []).filter((_, i) => i % partitions === partition);

export class SourceInput implements ActorInput {
  readonly #sourceId: string;
  readonly #reader: SourceReader;
  readonly #partition: { readonly index: number; readonly of: number };
  readonly #newest: () => EpochEntry | undefined;
  readonly #onAvailable: (split: string, to: Json) => void;
  readonly #prefetched = new Set<string>();
  readonly created = "";

  constructor(
    sourceId: string,
    reader: SourceReader,
    partition: { readonly index: number; readonly of: number },
    newest: () => EpochEntry | undefined,
    onAvailable: (split: string, to: Json) => void,
  ) {
    this.#sourceId = sourceId;
    this.#reader = reader;
    this.#partition = partition;
    this.#newest = newest;
    this.#onAvailable = onAvailable;
  }

  open(): Promise<void> {
    return Promise.resolve();
  }

  async *rows(entry: EpochEntry, signal: AbortSignal): AsyncIterable<InputBatch> {
    const mine = splitsOf(entry, this.#sourceId, this.#partition.index, this.#partition.of);
    const ranges = new Map<string, SplitRange>();
    for (const r of entry.ranges[this.#sourceId] ?? []) ranges.set(r.split, r);
    for (const split of mine) {
      const range = ranges.get(split);
      if (range === undefined) continue;
      this.#prefetch(split, range.from);
      for await (const batch of this.#reader.read(range, signal)) {
        if (signal.aborted) return;
        yield { edge: "source", batch, split: range.timeline ?? split };
      }
    }
    this.#prefetchAll(mine);
  }

  /** Splits without input in this epoch are read ahead too: their next rows must wake the coordinator. */
  #prefetchAll(mine: readonly string[]): void {
    const ends = this.#newest()?.ends[this.#sourceId];
    for (const split of mine) if (ends?.[split] !== undefined) this.#prefetch(split, ends[split]);
  }

  #prefetch(split: string, from: Json): void {
    if (this.#reader.prefetch === undefined || this.#prefetched.has(split)) return;
    this.#prefetched.add(split);
    this.#reader.prefetch(split, from, (to) => this.#onAvailable(split, to));
  }

  resume(): number {
    return 0;
  }

  takeBytes(): number {
    return 0;
  }

  trim(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return this.#reader.close();
  }
}
