/**
 * What a state store asks of the disk: ordered keys, one atomic batch. LevelDB in production (`level-backend.ts`); an
 * object in memory with the same contract in the simulation, where it can be lost or kept across a crash at will.
 */
export type BackendChange = { readonly put: string; readonly value: Uint8Array } | { readonly del: string };

export interface StateBackend {
  get(key: string): Promise<Uint8Array | undefined>;
  /** All keys with the prefix, ascending. */
  keys(prefix: string): Promise<readonly string[]>;
  /** Applies all changes or none, durably. Rejects with StorageError when the disk refuses. */
  write(changes: readonly BackendChange[]): Promise<void>;
  close(): Promise<void>;
}

/** Keeps everything in a Map. */
export class MemoryBackend implements StateBackend {
  readonly #data = new Map<string, Uint8Array>();

  get(key: string): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#data.get(key));
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
