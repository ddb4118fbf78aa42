/**
 * The durable state of one actor: the blobs of its tables, and one record that says of which epoch they are.
 *
 * A commit is one atomic batch (law 6): new blobs, dropped blobs and the record `{epoch, resume, …}`. Per table the blobs are one base and
 * the deltas after it; when the deltas outgrow the base, or most of the base's rows are gone, the next drain writes a new base.
 *
 * Invariants.
 *  S1 the record names exactly the blobs that are there; a blob without a record is garbage of a crash and overwritten.
 *  Parts of tables larger than memory (parts.ts) are written before the batch; the record names them too.
 *  S2 a record counts only if its lineage (checkpoint, stage, topology version, partition, state fingerprint) is the actor's (law 7).
 */
import { crc32 } from "../core/crc32.ts";
import { decodeRecord, encodeRecord } from "./record-codec.ts";
import { StateCorruptError } from "../core/errors.ts";
import type { BackendChange, StateBackend } from "./backend.ts";
import { createKeyedTable } from "./keyed-table.ts";
import { basesOf, drained, rowsInBlobs } from "./fold.ts";
import { isPart, type PartInfo, type PartSpace } from "./parts.ts";
import type { KeyedTable, StateTable, TableRegistry, TableStats } from "./table.ts";

export const STATE_FORMAT = 1;
/** Whose state it is. Two stores can stand in for each other only if all of it agrees. */
export interface Lineage {
  /** Identity of the checkpoint: the query's id. */
  readonly checkpoint: string;
  readonly stage: number;
  readonly topology: number;
  readonly partition: number;
  readonly fingerprint: string;
}

export interface BlobInfo {
  readonly table: string;
  readonly epoch: number;
  readonly base: boolean;
  readonly bytes: number;
  readonly crc: number;
  /** Rows of the table when a base was written. */
  readonly rows?: number;
  /** Key group of the rows in a part: it then is a PartInfo. */
  readonly part?: number;
  /** Of a base in several blobs: its place among them, above 0; absent in the first. */
  readonly piece?: number;
}

/** What one commit says, besides the blobs. */
export interface StateRecord {
  readonly format: number;
  readonly lineage: Lineage;
  readonly epoch: number;
  /** Next mailbox position to read (law 6), and the creation time of the mailbox it belongs to. */
  readonly resume: number;
  readonly mailboxCreated: string;
  /** Event-time maxima that the actor reported for this epoch: said again after a restart (law 9). */
  readonly maxima: Readonly<Record<string, Readonly<Record<string, number>>>>;
  readonly blobs: readonly BlobInfo[];
}

/** The changes of one epoch, drained at its end, committed when its outputs are acknowledged. */
export interface PendingCommit {
  readonly record: StateRecord;
  readonly changes: readonly BackendChange[];
}

export const sameLineage = (a: Lineage, b: Lineage): boolean =>
  a.checkpoint === b.checkpoint &&
  a.stage === b.stage &&
  a.topology === b.topology &&
  a.partition === b.partition &&
  a.fingerprint === b.fingerprint;

export class StateStore {
  readonly #backend: StateBackend;
  readonly #prefix: string;
  readonly #lineage: Lineage;
  readonly #tables = new Map<string, StateTable>();
  #blobs: readonly BlobInfo[] = [];
  /** Changed while an epoch is drained but not committed, so that folds do not depend on when commits happen. */
  committed: StateRecord | undefined;
  /** Blobs that an upload still reads, and those of them to delete after it (D2). */
  #pinned = new Set<string>();
  #deferred: string[] = [];

  constructor(backend: StateBackend, prefix: string, lineage: Lineage) {
    this.#backend = backend;
    this.#prefix = prefix;
    this.#lineage = lineage;
  }

  get lineage(): Lineage {
    return this.#lineage;
  }

  /** The registry of one operator: its tables are named after it. */
  registry(operatorId: string): TableRegistry {
    const add = <T extends StateTable>(table: T): T => {
      const name = `${operatorId}/${table.name}`;
      if (this.#tables.has(name)) throw new StateCorruptError(`two state tables are called ${name}`);
      this.#tables.set(name, table);
      table.spill?.attach(this.#space(name), this.#backend.memory !== undefined);
      return table;
    };
    return { add, keyed: <V>(name: string): KeyedTable<V> => add(createKeyedTable<V>(name)) };
  }

  #blobKey(b: BlobInfo): string {
    const epoch = String(b.epoch).padStart(12, "0");
    if (b.part !== undefined)
      return `${this.#prefix}/b/${b.table}/p${String(b.part).padStart(3, "0")}/${epoch}`;
    const piece = b.piece === undefined ? "" : String(b.piece);
    return `${this.#prefix}/b/${b.table}/${epoch}${b.base ? "b" : "d"}${piece}`;
  }

  /** Where the table `name` keeps its parts. */
  #space(name: string): PartSpace {
    const backend = this.#backend;
    const claim = `${this.#prefix}/${name}`;
    backend.memory?.claim(claim);
    return {
      get share() {
        return backend.memory?.share ?? Infinity;
      },
      reader: (part) => async (ranges) => {
        const found = await backend.ranges(this.#blobKey(part), ranges);
        return found ?? (await this.#damaged(part));
      },
      whole: async (part) => (await backend.get(this.#blobKey(part))) ?? (await this.#damaged(part)),
      write: async (part, epoch, bytes) => {
        const info = { table: name, epoch, base: true, bytes: bytes.length, crc: crc32(bytes), part };
        await this.receive(info, bytes);
        return info;
      },
      damaged: () => this.discard(),
      close: () => backend.memory?.release(claim),
    };
  }

  /** What was there is not: the local store is lost, the next start takes the snapshot. */
  async #damaged(info: BlobInfo): Promise<never> {
    await this.discard();
    throw new StateCorruptError(`state blob ${info.table} of epoch ${info.epoch} is missing or damaged`);
  }

  /** The record on disk, if it is of this lineage. */
  async readRecord(): Promise<StateRecord | undefined> {
    const bytes = await this.#backend.get(`${this.#prefix}/record`);
    if (bytes === undefined) return undefined;
    const record = decodeRecord(bytes);
    return record.format === STATE_FORMAT && sameLineage(record.lineage, this.#lineage) ? record : undefined;
  }

  /** A blob named by the record, checked. */
  async readBlob(info: BlobInfo): Promise<Uint8Array> {
    const bytes = await this.#backend.get(this.#blobKey(info));
    if (bytes === undefined || bytes.length !== info.bytes || crc32(bytes) !== info.crc)
      throw new StateCorruptError(`state blob ${info.table} of epoch ${info.epoch} is missing or damaged`);
    return bytes;
  }

  /** Fills the tables from the record on disk. */
  async loadLocal(record: StateRecord, keeps: (group: number) => boolean): Promise<void> {
    await this.#sweep(record);
    for (const info of record.blobs)
      if (isPart(info)) await this.addPart(info);
      else this.loadBlob(info.table, await this.readBlob(info), keeps, info.epoch);
    await this.#loaded();
    this.#blobs = record.blobs;
    this.committed = record;
  }

  /** Garbage goes (D1). */
  async #sweep(record: StateRecord): Promise<void> {
    const named = new Set(record.blobs.map((b) => this.#blobKey(b)));
    const found = await this.#backend.keys(`${this.#prefix}/b/`);
    const changes = found.filter((k) => !named.has(k)).map((del) => ({ del }));
    if (changes.length > 0) await this.#backend.write(changes);
  }

  async #loaded(): Promise<void> {
    for (const table of this.#tables.values()) await table.spill?.loaded();
  }

  /** What is loaded from here on was written by another actor. */
  nextOrigin(): void {
    for (const table of this.#tables.values()) table.spill?.nextOrigin();
  }

  /** A blob from elsewhere, before the record that names it. */
  async receive(info: BlobInfo, bytes: Uint8Array): Promise<void> {
    const part = info.part !== undefined;
    await this.#backend.write([{ put: this.#blobKey(info), value: bytes, part }]);
  }

  /** Gives a part to its table: it is in the backend, or all of it in `bytes`, and then comes to memory. */
  addPart(info: PartInfo, bytes?: Uint8Array): Promise<void> {
    const { spill } = this.#table(info.table);
    if (spill === undefined)
      throw new StateCorruptError(
        `the checkpoint has parts of ${info.table}, which the plan keeps in memory`,
      );
    return spill.addPart(info, bytes);
  }

  #table(name: string): StateTable {
    const table = this.#tables.get(name);
    if (table === undefined)
      throw new StateCorruptError(`the checkpoint has a table ${name} that the plan does not have`);
    return table;
  }

  /** Feeds one blob, from wherever, to its table. */
  loadBlob(table: string, bytes: Uint8Array, keeps: (group: number) => boolean, epoch = Infinity): void {
    this.#table(table).load(bytes, keeps, epoch);
  }

  /** Makes blobs got from a snapshot the local content, in one batch. Those of no length were received, as parts are: read one by one they need not fit the memory. */
  async adopt(
    record: StateRecord,
    blobs: readonly Uint8Array[],
    keeps: (group: number) => boolean,
  ): Promise<void> {
    const received = record.blobs.filter((_, i) => blobs[i]!.length === 0);
    const changes: BackendChange[] = await this.#dropAll(received);
    for (const [i, info] of record.blobs.entries()) {
      const bytes = blobs[i]!;
      if (isPart(info)) await this.addPart(info);
      else
        this.loadBlob(info.table, bytes.length === 0 ? await this.readBlob(info) : bytes, keeps, info.epoch);
      if (bytes.length > 0) changes.push({ put: this.#blobKey(info), value: bytes });
    }
    await this.#loaded();
    this.#blobs = record.blobs;
    await this.#put(record, changes);
  }

  /** Makes what is now in the tables the first local content: the start of an actor after a rescale. */
  async rebase(record: Omit<StateRecord, "blobs">): Promise<void> {
    await this.#loaded();
    const blobs: BlobInfo[] = [];
    for (const table of this.#tables.values()) blobs.push(...(table.spill?.parts() ?? []));
    const changes = await this.#dropAll(blobs);
    for (const [name, table] of this.#tables) {
      table.drain();
      const rows = rowsInBlobs(table);
      if (rows > 0) blobs.push(...this.#addBlobs(name, record.epoch, rows, basesOf(table), changes));
    }
    this.#blobs = blobs;
    await this.#put({ ...record, blobs }, changes);
  }

  /** Deletes the local content: it is damaged. */
  async discard(): Promise<void> {
    await this.#backend.write(await this.#dropAll());
  }

  async #dropAll(but: readonly BlobInfo[] = []): Promise<BackendChange[]> {
    const kept = new Set(but.map((b) => this.#blobKey(b)));
    const keys = await this.#backend.keys(`${this.#prefix}/`);
    return keys.filter((k) => !kept.has(k)).map((del) => ({ del }));
  }

  /** Keeps the blobs that `record` names until the function given back is called (D2). One at a time. */
  pin(record: StateRecord): () => Promise<void> {
    this.#pinned = new Set(record.blobs.map((b) => this.#blobKey(b)));
    return async () => {
      this.#pinned.clear();
      const changes = this.#deferred.splice(0).map((del) => ({ del }));
      if (changes.length > 0) await this.#backend.write(changes);
    };
  }

  async #put(record: StateRecord, changes: readonly BackendChange[]): Promise<void> {
    await this.#backend.write([...changes, { put: `${this.#prefix}/record`, value: encodeRecord(record) }]);
    this.committed = record;
  }

  /** `rows`: of a base; undefined for a delta. */
  #addBlobs(
    table: string,
    epoch: number,
    rows: number | undefined,
    pieces: readonly Uint8Array[],
    changes: BackendChange[],
  ): readonly BlobInfo[] {
    const base = rows !== undefined;
    return pieces.map((bytes, piece) => {
      const known = { table, epoch, base, bytes: bytes.length, crc: crc32(bytes) };
      const info: BlobInfo = piece > 0 ? { ...known, piece } : base ? { ...known, rows } : known;
      changes.push({ put: this.#blobKey(info), value: bytes });
      return info;
    });
  }

  /**
   * Collects what epoch `epoch` changed. Called at its end, before a row of the next one is processed. The fold is decided by what was drained
   * before, never by what was committed.
   */
  drain(
    epoch: number,
    resume: number,
    mailboxCreated: string,
    maxima: StateRecord["maxima"] = {},
  ): PendingCommit {
    const changes: BackendChange[] = [];
    const blobs: BlobInfo[] = [];
    for (const [name, table] of this.#tables) {
      const before = this.#blobs.filter((b) => b.table === name);
      const mine = before.filter((b) => !isPart(b));
      blobs.push(...this.#parts(table, before, changes));
      const rows = rowsInBlobs(table);
      const added = drained(table, mine, rows);
      if (added?.base === true || rows === 0) for (const b of mine) changes.push({ del: this.#blobKey(b) });
      else blobs.push(...mine);
      if (added !== undefined && rows > 0)
        blobs.push(...this.#addBlobs(name, epoch, added.base ? rows : undefined, added.pieces, changes));
    }
    this.#blobs = blobs;
    const record: StateRecord = {
      format: STATE_FORMAT,
      lineage: this.#lineage,
      epoch,
      resume,
      mailboxCreated,
      maxima,
      blobs,
    };
    return { record, changes };
  }

  /** The parts that count now; those that no longer do are deleted. */
  #parts(table: StateTable, before: readonly BlobInfo[], changes: BackendChange[]): readonly PartInfo[] {
    const parts = table.spill?.parts() ?? [];
    const kept = new Set(parts.map((p) => this.#blobKey(p)));
    for (const b of before)
      if (isPart(b) && !kept.has(this.#blobKey(b))) changes.push({ del: this.#blobKey(b) });
    return parts;
  }

  /** Makes a drained epoch durable: one atomic batch. In order of epochs. */
  commit({ record, changes }: PendingCommit): Promise<void> {
    const pinned = (c: BackendChange): boolean => "del" in c && this.#pinned.has(c.del);
    for (const c of changes) if ("del" in c && pinned(c)) this.#deferred.push(c.del);
    return this.#put(record, this.#pinned.size === 0 ? changes : changes.filter((c) => !pinned(c)));
  }

  /** Rows and bytes per operator. */
  stats(): ReadonlyMap<string, TableStats> {
    const out = new Map<string, TableStats>();
    for (const [name, table] of this.#tables) {
      const operator = name.slice(0, name.indexOf("/"));
      const s = table.stats();
      const sum = out.get(operator) ?? { rows: 0, bytes: 0 };
      out.set(operator, {
        rows: sum.rows + s.rows,
        bytes: sum.bytes + s.bytes,
        spilledRows: (sum.spilledRows ?? 0) + (s.spilledRows ?? 0),
        spilledBytes: (sum.spilledBytes ?? 0) + (s.spilledBytes ?? 0),
      });
    }
    return out;
  }
}
