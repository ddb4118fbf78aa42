/**
 * What a state store asks of the disk: ordered keys, one atomic batch. LevelDB in production (`level-backend.ts`); an
 * object in memory with the same contract in the simulation, where it can be lost or kept across a crash at will.
 */
import type { StateMemory } from "./parts.ts";

/** `part`: mostly ranges of it will be read. */
export type BackendChange =
  { readonly put: string; readonly value: Uint8Array; readonly part?: boolean } | { readonly del: string };

export type Range = readonly [from: number, to: number];

export interface StateBackend {
  /** What tables that can be larger may take of the memory; undefined: there is no limit, and they keep all rows in it. */
  readonly memory?: StateMemory | undefined;
  get(key: string): Promise<Uint8Array | undefined>;
  /** Ranges `[from, to)` of a value, each as long as it is there; undefined when there is no such value. */
  ranges(key: string, ranges: readonly Range[]): Promise<readonly Uint8Array[] | undefined>;
  /** All keys with the prefix, ascending. */
  keys(prefix: string): Promise<readonly string[]>;
  /** Applies all changes or none, durably. Rejects with StorageError when the disk refuses. */
  write(changes: readonly BackendChange[]): Promise<void>;
  close(): Promise<void>;
}

/** Keeps everything in a Map. */
export class MemoryBackend implements StateBackend {
  readonly #data = new Map<string, Uint8Array>();
  readonly memory: StateMemory | undefined;

  constructor(memory?: StateMemory) {
    this.memory = memory;
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#data.get(key));
  }

  ranges(key: string, ranges: readonly Range[]): Promise<readonly Uint8Array[] | undefined> {
    const value = this.#data.get(key);
    return Promise.resolve(value && ranges.map(([from, to]) => value.slice(from, to)));
  }

  keys(prefix: string): Promise<readonly string[]> {
    return Promise.resolve([...this.#data.keys()].filter((k) => k.startsWith(prefix)).sort());
  }

  write(changes: readonly BackendChange[]): Promise<void> {
    for (const c of changes) {
      if ("put" in c) this.#data.set(c.put, c.value);
      else this.#data.delete(c.del);
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
