/**
 * The durable state of one actor: the blobs of its tables, and one record that says of which epoch they are.
 *
 * A commit is one atomic batch (law 6): new blobs, dropped blobs and the record `{epoch, resume, …}`. Per table the blobs are one base and
 * the deltas after it; when the deltas outgrow the base, or most of the base's rows are gone, the next drain writes a new base.
 *
 * Invariants.
 *  S1 the record names exactly the blobs that are there; a blob without a record is garbage of a crash and overwritten.
 *  S2 a record counts only if its lineage (checkpoint, stage, topology version, partition, state fingerprint) is the actor's (law 7).
 */
import { crc32 } from "../core/crc32.ts";
import { decodeRecord, encodeRecord } from "./record-codec.ts";
import { StateCorruptError } from "../core/errors.ts";
import type { BackendChange, StateBackend } from "./backend.ts";
import { createKeyedTable } from "./keyed-table.ts";
import type { KeyedTable, StateTable, TableRegistry, TableStats } from "./table.ts";

export const STATE_FORMAT = 1;
const FOLD_MINIMUM_BYTES = 64 * 1024;

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

/** Whether a table's blobs and one more delta become a new base: the deltas outgrow it, or most of its rows are gone (a watermark has passed). */
const folds = (blobs: readonly BlobInfo[], deltaBytes: number, rows: number): boolean => {
  const base = blobs.find((b) => b.base);
  const baseBytes = base?.bytes ?? 0;
  const deltas = blobs.reduce((sum, b) => sum + b.bytes, deltaBytes) - baseBytes;
  if (deltas > Math.max(baseBytes, FOLD_MINIMUM_BYTES)) return true;
  return baseBytes > FOLD_MINIMUM_BYTES && rows * 2 < (base?.rows ?? 0);
};

interface Drained {
  readonly bytes: Uint8Array;
  readonly base: boolean;
}

/** What a table adds to its blobs; undefined when nothing changed. */
const drained = (table: StateTable, blobs: readonly BlobInfo[], rows: number): Drained | undefined => {
  // The delta to come is taken to be as long as the one before: if it will be folded it is not made.
  if (rows > 0 && table.rebased !== undefined && folds(blobs, blobs.at(-1)?.bytes ?? 0, rows)) {
    const bytes = table.rebased();
    return bytes && { bytes, base: true };
  }
  const bytes = table.drain();
  if (bytes === undefined) return undefined;
  if (blobs.length === 0) return { bytes, base: true };
  const base = rows > 0 && table.rebased === undefined && folds(blobs, bytes.length, rows);
  return base ? { bytes: table.base(), base } : { bytes, base };
};

export class StateStore {
  readonly #backend: StateBackend;
  readonly #prefix: string;
  readonly #lineage: Lineage;
  readonly #tables = new Map<string, StateTable>();
  #blobs: readonly BlobInfo[] = [];
  /** Changed while an epoch is drained but not committed, so that folds do not depend on when commits happen. */
  committed: StateRecord | undefined;

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
      return table;
    };
    return { add, keyed: <V>(name: string): KeyedTable<V> => add(createKeyedTable<V>(name)) };
  }

  #blobKey(b: BlobInfo): string {
    return `${this.#prefix}/b/${b.table}/${String(b.epoch).padStart(12, "0")}${b.base ? "b" : "d"}`;
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
    for (const info of record.blobs) this.loadBlob(info.table, await this.readBlob(info), keeps);
    this.#blobs = record.blobs;
    this.committed = record;
  }

  /** Feeds one blob, from wherever, to its table. */
  loadBlob(table: string, bytes: Uint8Array, keeps: (group: number) => boolean): void {
    const target = this.#tables.get(table);
    if (target === undefined)
      throw new StateCorruptError(`the checkpoint has a table ${table} that the plan does not have`);
    target.load(bytes, keeps);
  }

  /** Makes blobs got from a snapshot the local content, in one batch. */
  async adopt(
    record: StateRecord,
    blobs: readonly Uint8Array[],
    keeps: (group: number) => boolean,
  ): Promise<void> {
    const changes: BackendChange[] = await this.#dropAll();
    record.blobs.forEach((info, i) => {
      this.loadBlob(info.table, blobs[i]!, keeps);
      changes.push({ put: this.#blobKey(info), value: blobs[i]! });
    });
    this.#blobs = record.blobs;
    await this.#put(record, changes);
  }

  /** Makes what is now in the tables the first local content: the start of an actor after a rescale. */
  async rebase(record: Omit<StateRecord, "blobs">): Promise<void> {
    const changes = await this.#dropAll();
    const blobs: BlobInfo[] = [];
    for (const [name, table] of this.#tables) {
      table.drain();
      const { rows } = table.stats();
      if (rows > 0) blobs.push(this.#addBlob(name, record.epoch, rows, table.base(), changes));
    }
    this.#blobs = blobs;
    await this.#put({ ...record, blobs }, changes);
  }

  /** Deletes the local content: it is damaged. */
  async discard(): Promise<void> {
    await this.#backend.write(await this.#dropAll());
  }

  async #dropAll(): Promise<BackendChange[]> {
    return (await this.#backend.keys(`${this.#prefix}/`)).map((del) => ({ del }));
  }

  async #put(record: StateRecord, changes: readonly BackendChange[]): Promise<void> {
    await this.#backend.write([...changes, { put: `${this.#prefix}/record`, value: encodeRecord(record) }]);
    this.committed = record;
  }

  #addBlob(
    table: string,
    epoch: number,
    rows: number | undefined,
    bytes: Uint8Array,
    changes: BackendChange[],
  ): BlobInfo {
    const base = rows !== undefined;
    const known = { table, epoch, base, bytes: bytes.length, crc: crc32(bytes) };
    const info: BlobInfo = base ? { ...known, rows } : known;
    changes.push({ put: this.#blobKey(info), value: bytes });
    return info;
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
      const mine = this.#blobs.filter((b) => b.table === name);
      const { rows } = table.stats();
      const added = drained(table, mine, rows);
      if (added !== undefined && (added.base || rows === 0))
        for (const b of mine) changes.push({ del: this.#blobKey(b) });
      else blobs.push(...mine);
      if (added !== undefined && rows > 0)
        blobs.push(this.#addBlob(name, epoch, added.base ? rows : undefined, added.bytes, changes));
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

  /** Makes a drained epoch durable: one atomic batch. In order of epochs. */
  commit(pending: PendingCommit): Promise<void> {
    return this.#put(pending.record, pending.changes);
  }

  /** Rows and bytes per operator. */
  stats(): ReadonlyMap<string, TableStats> {
    const out = new Map<string, TableStats>();
    for (const [name, table] of this.#tables) {
      const operator = name.slice(0, name.indexOf("/"));
      const s = table.stats();
      const sum = out.get(operator) ?? { rows: 0, bytes: 0 };
      out.set(operator, { rows: sum.rows + s.rows, bytes: sum.bytes + s.bytes });
    }
    return out;
  }
}
