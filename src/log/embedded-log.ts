/**
 * Logs in LevelDB, in this process, without a server: one database for all logs of a data directory. Appends of all logs that wait while
 * a write runs go into the next one together (group commit).
 *
 * Invariants (beside L1-L4).
 *  E1 an append resolves after its LevelDB batch was written: it survives kill -9; with `sync`, a power loss too.
 *  E2 a batch is written whole or not at all, so positions stay contiguous; when one fails its appends are refused with
 *     StorageError and no position was given.
 *  E3 the first position is stored before the records below it are deleted; a crash between leaves records that the next open deletes.
 */
import { Level } from "level";
import { pack, unpack } from "../codec/msgpack.ts";
import { position } from "../core/brands.ts";
import type { Clock } from "../core/clock.ts";
import { DataDirectoryInUseError, StorageError, UnavailableError } from "../core/errors.ts";
import { LEVEL_OPEN_FILES, MAILBOX_BYTES_MAX, READ_BATCH_BYTES } from "../core/limits.ts";
import * as K from "./embedded-content.ts";
import { EmbeddedContent } from "./embedded-content.ts";
import { EmbeddedLog } from "./embedded-handle.ts";
import { LocalBus } from "./local-bus.ts";
import type { Bus, Log, LogOptions, LogRecord, LogStore } from "./log.ts";
import { checkLogName } from "./names.ts";
import { conflict, full, recreated } from "./refusals.ts";

export interface EmbeddedOptions {
  /** Folder of the database. Lock the data directory around it first (data-directory.ts). */
  readonly directory: string;
  readonly clock: Clock;
  /** fsync each batch. Default false: kill -9 loses nothing, a power loss may. */
  readonly sync?: boolean;
  /** Called before each write; what it throws is the write's failure. For fault injection. */
  readonly beforeWrite?: () => void;
}

type Database = Level<Uint8Array, Uint8Array>;
type Operation =
  | { readonly type: "put"; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: "del"; readonly key: Uint8Array };

interface Append {
  readonly content: EmbeddedContent;
  readonly payload: Uint8Array;
  readonly headers: Record<string, string> | undefined;
  readonly expectLast: number | undefined;
  readonly done: (error: unknown, at?: number) => void;
}

interface Put {
  readonly key: Uint8Array;
  /** Bytes of all records of the log up to this one. */
  readonly total: number;
  readonly a: Append;
}

const GROUP_BYTES_MAX = 8 * 1024 * 1024;

const storageError = (what: string, cause: unknown): StorageError => {
  const why = cause instanceof Error ? ((cause.cause as Error | undefined)?.message ?? cause.message) : cause;
  return new StorageError(`The embedded log cannot ${what}: ${String(why)}`, { cause });
};

const openDatabase = async (directory: string): Promise<Database> => {
  const db: Database = new Level(directory, {
    keyEncoding: "view",
    valueEncoding: "view",
    maxOpenFiles: LEVEL_OPEN_FILES,
  });
  try {
    await db.open();
  } catch (cause) {
    const code = (cause as { cause?: { code?: string } }).cause?.code;
    if (code === "LEVEL_LOCKED")
      throw new DataDirectoryInUseError(`The log in ${directory} is in use by another process`, { cause });
    throw storageError(`be opened in ${directory}`, cause);
  }
  return db;
};

export class EmbeddedStore implements LogStore {
  readonly kind = "embedded";
  readonly bus: Bus = new LocalBus();
  readonly clock: Clock;
  readonly #db: Database;
  readonly #sync: boolean;
  readonly #beforeWrite: (() => void) | undefined;
  readonly #contents = new Map<string, EmbeddedContent>();
  readonly #opening = new Map<string, Promise<EmbeddedContent>>();
  #nextId = 1;
  #queue: Append[] = [];
  #writing = false;
  #closed = false;

  private constructor(db: Database, options: EmbeddedOptions) {
    this.#db = db;
    this.clock = options.clock;
    this.#sync = options.sync ?? false;
    this.#beforeWrite = options.beforeWrite;
  }

  /** DataDirectoryInUseError when another process has the database, StorageError when the disk refuses. */
  static async open(options: EmbeddedOptions): Promise<EmbeddedStore> {
    const store = new EmbeddedStore(await openDatabase(options.directory), options);
    await store.#recover();
    return store;
  }

  async #recover(): Promise<void> {
    const next = await this.#db.get(K.NEXT_ID_KEY);
    if (next !== undefined) this.#nextId = unpack(next) as number;
    for await (const [key, value] of this.#db.iterator({ gte: K.META_FROM, lt: K.META_TO })) {
      const [id, created, maxBytes, first] = unpack(value) as [number, string, number, number];
      const content = new EmbeddedContent(K.nameOfMetaKey(key), id, created, maxBytes, first);
      await this.#db.clear({ gte: K.recordKey(id, 0), lt: K.recordKey(id, first) });
      const range = { gte: K.recordKey(id, first), lt: K.recordKey(id + 1, 0), limit: 1 };
      const [oldest] = await this.#db.iterator(range).all();
      const [newest] = await this.#db.iterator({ ...range, reverse: true }).all();
      if (oldest !== undefined && newest !== undefined) {
        content.last = K.positionOfKey(newest[0]);
        content.total = K.totalOf(newest[1]);
        content.totalBelow = K.totalOf(oldest[1]) - K.sizeOf(K.decodeRecord(first, oldest[1]).payload);
      }
      this.#contents.set(content.name, content);
    }
  }

  async open(name: string, options: LogOptions = {}): Promise<Log> {
    checkLogName(name);
    const known = this.#contents.get(name);
    if (known !== undefined) return new EmbeddedLog(this, known);
    let opening = this.#opening.get(name);
    if (opening === undefined) {
      opening = this.#create(name, options).finally(() => this.#opening.delete(name));
      this.#opening.set(name, opening);
    }
    return new EmbeddedLog(this, await opening);
  }

  async #create(name: string, options: LogOptions): Promise<EmbeddedContent> {
    const id = this.#nextId++;
    const created = `${id}-${this.clock.now()}`;
    const content = new EmbeddedContent(name, id, created, options.maxBytes ?? MAILBOX_BYTES_MAX, 1);
    await this.write(
      [
        { type: "put", key: K.NEXT_ID_KEY, value: pack(this.#nextId) },
        { type: "put", key: K.metaKey(name), value: content.meta() },
      ],
      `create the log ${name}`,
    );
    this.#contents.set(name, content);
    return content;
  }

  async list(prefix: string): Promise<readonly string[]> {
    return [...this.#contents.keys()].filter((n) => n.startsWith(prefix)).sort();
  }

  async remove(name: string): Promise<void> {
    const content = this.#contents.get(name);
    if (content === undefined) return;
    this.#contents.delete(name);
    content.removed = true;
    content.wake();
    await this.write([{ type: "del", key: K.metaKey(name) }], `remove the log ${name}`);
    await this.#db.clear({ gte: K.recordKey(content.id, 0), lt: K.recordKey(content.id + 1, 0) });
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const content of this.#contents.values()) content.wake();
    // LevelDB finishes the write that runs; what waits behind it is refused.
    for (const a of this.#queue.splice(0)) a.done(new UnavailableError("The embedded log is closed"));
    await this.#db.close();
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Throws LogRecreatedError once the log was removed. */
  alive(content: EmbeddedContent): void {
    if (this.#closed) throw new UnavailableError("The embedded log is closed");
    if (content.removed)
      throw recreated(content.name, content.created, this.#contents.get(content.name)?.created);
  }

  append(a: Append): void {
    this.#queue.push(a);
    if (!this.#writing) {
      this.#writing = true;
      queueMicrotask(() => void this.#run());
    }
  }

  write(operations: Operation[], what: string): Promise<void> {
    return this.#written(what, () => this.#db.batch(operations, { sync: this.#sync } as object));
  }

  /** Records are copied into the batch one by one, from one memory. */
  #writeRecords(puts: readonly Put[]): Promise<void> {
    const batch = this.#db.batch();
    for (const { key, total, a } of puts) batch.put(key, K.encodeRecord(total, a.payload, a.headers));
    return batch.write({ sync: this.#sync } as object);
  }

  async #written(what: string, write: () => Promise<void>): Promise<void> {
    try {
      this.#beforeWrite?.();
      await write();
    } catch (cause) {
      if (this.#closed) throw new UnavailableError("The embedded log is closed", { cause });
      throw storageError(what, cause);
    }
  }

  async #run(): Promise<void> {
    while (this.#queue.length > 0) await this.#group();
    this.#writing = false;
  }

  /** Writes what waits as one batch (E2). */
  async #group(): Promise<void> {
    const puts: Put[] = [];
    // Answers go out in the order of the attempts, refusals too: a publisher would go back too far otherwise.
    const answers: { a: Append; refused?: Error; record?: LogRecord }[] = [];
    const ends = new Map<EmbeddedContent, { last: number; total: number; records: LogRecord[] }>();
    let taken = 0;
    for (let bytes = 0; taken < this.#queue.length && bytes < GROUP_BYTES_MAX; taken++) {
      const a = this.#queue[taken]!;
      const c = a.content;
      let end = ends.get(c);
      if (end === undefined) ends.set(c, (end = { last: c.last, total: c.total, records: [] }));
      const size = K.sizeOf(a.payload);
      const refused = this.#refusal(a, end.last, end.total - c.totalBelow + size);
      if (refused !== undefined) {
        answers.push({ a, refused });
        continue;
      }
      end.last++;
      end.total += size;
      bytes += size;
      const record: LogRecord = { position: position(end.last), payload: a.payload, headers: a.headers };
      puts.push({ key: K.recordKey(c.id, end.last), total: end.total, a });
      end.records.push(record);
      answers.push({ a, record });
    }
    this.#queue = this.#queue.slice(taken);
    let failed: unknown;
    if (puts.length > 0)
      try {
        await this.#written("store records", () => this.#writeRecords(puts));
        for (const [content, end] of ends) content.add(end.records, end.total);
      } catch (error) {
        failed = error;
      }
    for (const { a, refused, record } of answers) a.done(refused ?? failed, record?.position);
  }

  #refusal(a: Append, last: number, bytes: number): Error | undefined {
    try {
      this.alive(a.content);
    } catch (e) {
      return e as Error;
    }
    const { name, maxBytes } = a.content;
    if (a.expectLast !== undefined && a.expectLast !== last) return conflict(name, a.expectLast, last);
    return bytes > maxBytes ? full(name, maxBytes) : undefined;
  }

  async record(content: EmbeddedContent, at: number): Promise<LogRecord | undefined> {
    const value = await this.#db.get(K.recordKey(content.id, at));
    return value === undefined || at < content.first ? undefined : K.decodeRecord(at, value);
  }

  /** Stored records from `from` on, up to READ_BATCH_BYTES. */
  async scan(content: EmbeddedContent, from: number): Promise<LogRecord[]> {
    const found: LogRecord[] = [];
    let bytes = 0;
    const iterator = this.#db.iterator({
      gte: K.recordKey(content.id, from),
      lt: K.recordKey(content.id, content.last + 1),
      highWaterMarkBytes: READ_BATCH_BYTES,
    } as object);
    try {
      while (bytes < READ_BATCH_BYTES) {
        const entries = await iterator.nextv(64);
        if (entries.length === 0) break;
        for (const [key, value] of entries) {
          bytes += value.byteLength;
          found.push(K.decodeRecord(K.positionOfKey(key), value));
        }
      }
    } finally {
      await iterator.close();
    }
    return found;
  }

  async trim(content: EmbeddedContent, to: number): Promise<void> {
    const end = Math.min(to, content.last + 1);
    if (end <= content.first) return;
    const below = end === content.last + 1 ? undefined : await this.#db.get(K.recordKey(content.id, end - 1));
    const total = below === undefined ? content.total : K.totalOf(below);
    if (end <= content.first) return;
    const from = content.first;
    content.forget(end, total);
    await this.write([{ type: "put", key: K.metaKey(content.name), value: content.meta() }], "trim");
    await this.#db.clear({ gte: K.recordKey(content.id, from), lt: K.recordKey(content.id, end) });
  }

  async setMaxBytes(content: EmbeddedContent, maxBytes: number): Promise<void> {
    content.maxBytes = maxBytes;
    await this.write(
      [{ type: "put", key: K.metaKey(content.name), value: content.meta() }],
      "set its size limit",
    );
  }
}
