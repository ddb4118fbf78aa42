/** State on disk: one LevelDB for all actors of a node, each under its own key prefix. A write is one synchronous LevelDB batch. */
import { Level } from "level";
import { StorageError } from "../core/errors.ts";
import type { BackendChange, StateBackend } from "./backend.ts";

export class LevelBackend implements StateBackend {
  readonly #db: Level<string, Uint8Array>;

  private constructor(db: Level<string, Uint8Array>) {
    this.#db = db;
  }

  static async open(directory: string): Promise<LevelBackend> {
    const db = new Level<string, Uint8Array>(directory, { valueEncoding: "view", keyEncoding: "utf8" });
    try {
      await db.open();
    } catch (cause) {
      throw new StorageError(`cannot open the state store in ${directory}`, { cause });
    }
    return new LevelBackend(db);
  }

  get(key: string): Promise<Uint8Array | undefined> {
    return this.#db.get(key);
  }

  async keys(prefix: string): Promise<readonly string[]> {
    return this.#db.keys({ gte: prefix, lt: prefix + "\uffff" }).all();
  }

  async write(changes: readonly BackendChange[]): Promise<void> {
    try {
      await this.#db.batch(
        changes.map((c) =>
          "put" in c ? { type: "put", key: c.put, value: c.value } : { type: "del", key: c.del },
        ),
        { sync: false },
      );
    } catch (cause) {
      throw new StorageError(
        `cannot write state: ${cause instanceof Error ? cause.message : String(cause)}`,
        { cause },
      );
    }
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
