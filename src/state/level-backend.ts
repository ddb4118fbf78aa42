/**
 * State on disk: one LevelDB for all actors of a node, each under its own key prefix. A write is one LevelDB batch.
 *
 * Long values are files beside it, written before the batch that names them: LevelDB would copy them four times, once of it on the main thread.
 *
 * Invariants. L1: a key is in the database itself or, as the name of its file, under `FILE + key`, never both. L2: a file that no key names is garbage of a
 * crash or of a value replaced, and goes at the latest when the backend is opened. L3: `files` is what the database says under `FILE`.
 */
import { closeSync, openSync, readSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Level } from "level";
import { StorageError } from "../core/errors.ts";
import { LEVEL_OPEN_FILES, STATE_FILE_BYTES, STATE_PART_FILE_BYTES } from "../core/limits.ts";
import type { BackendChange, Range, StateBackend } from "./backend.ts";
import type { StateMemory } from "./parts.ts";

/** After so many reads of a file others get their turn. */
const READS_AT_ONCE = 128;

/** No key of a store begins like this. */
const FILE = "\u0001file/";
const END = "\uffff";

type Operation =
  | { readonly type: "put"; readonly key: string; readonly value: Uint8Array }
  | { readonly type: "del"; readonly key: string };

const messageOf = (e: unknown): string => (e instanceof Error ? e.message : String(e));

/** A file that is not there is a value that is not there. */
const absent = (cause: unknown): undefined => {
  if ((cause as { code?: unknown }).code === "ENOENT") return undefined;
  throw new StorageError(`cannot read state: ${messageOf(cause)}`, { cause });
};

export class LevelBackend implements StateBackend {
  readonly #db: Level<string, Uint8Array>;
  /** Of the files. */
  readonly #directory: string;
  readonly #files = new Map<string, string>();
  #next = 1;
  readonly memory: StateMemory | undefined;

  private constructor(db: Level<string, Uint8Array>, directory: string, memory: StateMemory | undefined) {
    this.#db = db;
    this.#directory = directory;
    this.memory = memory;
  }

  static async open(directory: string, memory?: StateMemory): Promise<LevelBackend> {
    const db = new Level<string, Uint8Array>(directory, {
      valueEncoding: "view",
      keyEncoding: "utf8",
      maxOpenFiles: LEVEL_OPEN_FILES,
    });
    try {
      await db.open();
      const backend = new LevelBackend(db, join(directory, "blobs"), memory);
      await backend.#readFiles();
      return backend;
    } catch (cause) {
      throw new StorageError(`cannot open the state store in ${directory}`, { cause });
    }
  }

  /** L2 and L3. */
  async #readFiles(): Promise<void> {
    await mkdir(this.#directory, { recursive: true });
    for await (const [key, name] of this.#db.iterator({ gte: FILE, lt: FILE + END }))
      this.#files.set(key.slice(FILE.length), Buffer.from(name).toString());
    const named = new Set(this.#files.values());
    const found = await readdir(this.#directory);
    this.#next = Math.max(0, ...found.map(Number).filter(Number.isSafeInteger)) + 1;
    await this.#drop(found.filter((name) => !named.has(name)));
  }

  async #drop(names: readonly string[]): Promise<void> {
    for (const name of names) await rm(join(this.#directory, name), { force: true });
  }

  async get(key: string): Promise<Uint8Array | undefined> {
    const name = this.#files.get(key);
    if (name === undefined) return this.#db.get(key);
    try {
      const bytes = await readFile(join(this.#directory, name));
      return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    } catch (cause) {
      return absent(cause);
    }
  }

  /** Small reads of what the system mostly has in memory: a call costs less than the way to another thread and back. */
  async ranges(key: string, ranges: readonly Range[]): Promise<readonly Uint8Array[] | undefined> {
    const name = this.#files.get(key);
    if (name === undefined) {
      const value = await this.#db.get(key);
      return value && ranges.map(([from, to]) => value.subarray(from, to));
    }
    try {
      const file = openSync(join(this.#directory, name), "r");
      try {
        const found: Uint8Array[] = [];
        // One piece of memory: hundreds of small ones cost more than the reading.
        const bytes = new Uint8Array(ranges.reduce((n, [from, to]) => n + to - from, 0));
        let at = 0;
        for (const [from, to] of ranges) {
          found.push(bytes.subarray(at, at + readSync(file, bytes, at, to - from, from)));
          at += to - from;
          if (found.length % READS_AT_ONCE === 0) await new Promise(setImmediate);
        }
        return found;
      } finally {
        closeSync(file);
      }
    } catch (cause) {
      return absent(cause);
    }
  }

  async keys(prefix: string): Promise<readonly string[]> {
    const own = await this.#db.keys({ gte: prefix, lt: prefix + END }).all();
    const inFiles = [...this.#files.keys()].filter((k) => k.startsWith(prefix));
    return [...own.filter((k) => !k.startsWith(FILE)), ...inFiles].sort();
  }

  async write(changes: readonly BackendChange[]): Promise<void> {
    const operations: Operation[] = [];
    const files = new Map<string, string | undefined>();
    try {
      for (const c of changes) {
        const key = "put" in c ? c.put : c.del;
        const isFile =
          "put" in c && c.value.length >= (c.part === true ? STATE_PART_FILE_BYTES : STATE_FILE_BYTES);
        // What the key was before, of either kind (L1).
        if (!("put" in c) || isFile) operations.push({ type: "del", key });
        if (this.#files.has(key) || files.has(key)) operations.push({ type: "del", key: FILE + key });
        files.set(key, isFile ? await this.#file(c.value) : undefined);
        if (isFile) operations.push({ type: "put", key: FILE + key, value: Buffer.from(files.get(key)!) });
        else if ("put" in c) operations.push({ type: "put", key, value: c.value });
      }
      // Chained: without an object and its checks per operation.
      const batch = this.#db.batch();
      for (const o of operations) {
        if (o.type === "put") batch.put(o.key, o.value);
        else batch.del(o.key);
      }
      await batch.write({ sync: false });
    } catch (cause) {
      throw new StorageError(`cannot write state: ${messageOf(cause)}`, { cause });
    }
    const gone: string[] = [];
    for (const [key, name] of files) {
      const before = this.#files.get(key);
      if (before !== undefined) gone.push(before);
      if (name === undefined) this.#files.delete(key);
      else this.#files.set(key, name);
    }
    // A file that cannot be removed now is garbage (L2).
    await this.#drop(gone).catch(() => {});
  }

  async #file(value: Uint8Array): Promise<string> {
    const name = String(this.#next++);
    await writeFile(join(this.#directory, name), value);
    return name;
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
