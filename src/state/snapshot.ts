/**
 * Snapshots: the remote copy of an actor's state, in a log of its own. Chunks of blobs, then a manifest (law 10).
 *
 * Every append, of a chunk or a manifest, expects the position that this writer saw last, so that any other copy of the actor that
 * uploads too is noticed at once. So its writer knows of every record which manifest is the newest before it, and the record says so in a header: whoever
 * looks for manifests goes from the log's end from one to the next and reads no chunk. Blobs that the newest own manifest already holds are not uploaded again.
 *
 * Invariants.
 *  N1 a manifest is appended only if its epoch is above the newest manifest's and no manifest of another copy was appended since
 *     its oldest chunk; otherwise the upload starts again with all blobs (C10).
 *  N2 only what lies below the oldest chunk of the `SNAPSHOTS_KEPT` newest manifests is purged, and only by the writer of an accepted manifest.
 *  N3 a manifest is used only if every chunk is there and its checksum right; else the one before.
 */
import { crc32 } from "../core/crc32.ts";
import { LogConflictError, LogGapError } from "../core/errors.ts";
import { SNAPSHOT_CHUNK_BYTES, SNAPSHOTS_KEPT } from "../core/limits.ts";
import { position } from "../core/brands.ts";
import { pack, unpack } from "../codec/msgpack.ts";
import type { Log, LogRecord } from "../log/log.ts";
import {
  sameLineage,
  STATE_FORMAT,
  type BlobInfo,
  type Lineage,
  type StateRecord,
  type StateStore,
} from "./store.ts";

interface ManifestBlob extends BlobInfo {
  readonly chunks: readonly number[];
}

export interface Manifest {
  readonly format: number;
  /** Which copy of the actor wrote it. */
  readonly writer: string;
  readonly record: StateRecord;
  readonly blobs: readonly ManifestBlob[];
}

/** Without chunks: read from the store when its turn comes. */
type PreparedBlob = ManifestBlob | BlobInfo;

/** A snapshot about to be uploaded: where an earlier manifest has its blobs. */
export interface SnapshotUpload {
  readonly record: StateRecord;
  readonly blobs: readonly PreparedBlob[];
  /** The store may delete the record's blobs. */
  readonly release: () => Promise<void>;
}

const sameBlob = (a: BlobInfo, b: BlobInfo): boolean =>
  a.table === b.table &&
  a.part === b.part &&
  a.piece === b.piece &&
  a.epoch === b.epoch &&
  a.base === b.base &&
  a.crc === b.crc &&
  a.bytes === b.bytes;

export interface FoundManifest {
  readonly position: number;
  readonly manifest: Manifest;
}

const isManifest = (r: LogRecord): boolean => r.headers?.["mr"] === "manifest";
/** Header: position of the newest manifest before the record, 0 when there is none. */
const BEFORE = "before";

const oldestChunk = (f: FoundManifest): number =>
  Math.min(f.position, ...f.manifest.blobs.flatMap((b) => b.chunks));

/** A manifest of any format and lineage. */
type LoggedManifest = FoundManifest;

/** The manifests in `[from, last]`, oldest first, by reading all records. */
const scan = async (log: Log, from: number, last: number): Promise<LoggedManifest[]> => {
  const found: LoggedManifest[] = [];
  const reader = log.reader(position(from));
  try {
    for (let next = from; next <= last;) {
      for (const r of await reader.next()) {
        next = r.position + 1;
        if (isManifest(r)) found.push(manifestOf(r));
      }
    }
  } finally {
    reader.close();
  }
  return found;
};

const manifestOf = (r: LogRecord): LoggedManifest => ({
  position: r.position,
  manifest: unpack(r.payload) as Manifest,
});

/** A record of an older program does not say it. */
const manifestBefore = (r: LogRecord): number | undefined => {
  const before = r.headers?.[BEFORE];
  return before === undefined ? undefined : Number(before);
};

/** The manifests in `[first, last]`, newest first. Ends at a record that is trimmed meanwhile. */
const walk = async function* (log: Log, first: number, last: number): AsyncGenerator<LoggedManifest, void> {
  for (let at = last; at >= first;) {
    const r = await log.get(position(at));
    if (r === undefined) {
      if ((await log.bounds()).first <= at)
        throw new LogGapError(`the log ${log.name} does not have its record ${at}`);
      return;
    }
    if (isManifest(r)) yield manifestOf(r);
    const before = manifestBefore(r);
    if (before === undefined) {
      if (at > first) yield* (await scan(log, first, at - 1)).reverse();
      return;
    }
    at = before;
  }
};

/** Chunks under way at once. */
const READS_AT_ONCE = 16;

const readBlob = async (log: Log, blob: ManifestBlob): Promise<Uint8Array | undefined> => {
  const parts: Uint8Array[] = [];
  for (let from = 0; from < blob.chunks.length; from += READS_AT_ONCE) {
    const chunks = blob.chunks.slice(from, from + READS_AT_ONCE);
    for (const record of await Promise.all(chunks.map((at) => log.get(position(at))))) {
      if (record === undefined) return undefined;
      parts.push(record.payload);
    }
  }
  const bytes = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  return bytes.length === blob.bytes && crc32(bytes) === blob.crc ? bytes : undefined;
};

export interface Snapshot {
  readonly record: StateRecord;
  /** Empty where a receiver took or refused it. */
  readonly blobs: readonly Uint8Array[];
}

/** Takes blobs one by one, so that a snapshot need not fit the memory. */
export interface BlobReceiver {
  readonly takes: (info: BlobInfo) => "receive" | "keep" | "drop";
  readonly receive: (info: BlobInfo, bytes: Uint8Array) => Promise<void>;
}

const NOTHING = new Uint8Array(0);

/** All manifests that are there, newest first. */
const walkAll = async function* (log: Log): AsyncGenerator<LoggedManifest, void> {
  for (let bounds = await log.bounds(); bounds.last >= bounds.first;) {
    let found = false;
    try {
      for await (const f of walk(log, bounds.first, bounds.last)) {
        found = true;
        yield f;
      }
    } catch (e) {
      // Its writer trimmed it meanwhile. Any other gap is lost data.
      if (!(e instanceof LogGapError) || (await log.bounds()).first <= bounds.first) throw e;
    }
    // Nothing usable below what its writer trimmed; but if all of it was trimmed there is something newer: another look.
    const now = await log.bounds();
    if (found || now.first === bounds.first) return;
    bounds = now;
  }
};

/** The newest manifest of a log, whosever it is. */
export const newestManifest = async (log: Log): Promise<Manifest | undefined> =>
  (await walkAll(log).next()).value?.manifest;

/** The usable snapshots of a lineage, newest epoch first (N1), each found and downloaded only when asked for (N3). */
export const findSnapshots = async function* (
  log: Log,
  lineage: Lineage,
): AsyncGenerator<FoundManifest, void> {
  for await (const f of walkAll(log))
    if (f.manifest.format === STATE_FORMAT && sameLineage(f.manifest.record.lineage, lineage)) yield f;
};

/** Downloads a snapshot; undefined when a chunk is gone or damaged. */
export const download = async (
  log: Log,
  found: FoundManifest,
  receiver?: BlobReceiver,
): Promise<Snapshot | undefined> => {
  const blobs: Uint8Array[] = [];
  for (const b of found.manifest.blobs) {
    const takes = receiver?.takes(b) ?? "keep";
    const bytes = takes === "drop" ? NOTHING : await readBlob(log, b);
    if (bytes === undefined) return undefined;
    if (takes === "receive") await receiver!.receive(b, bytes);
    blobs.push(takes === "keep" ? bytes : NOTHING);
  }
  return { record: found.manifest.record, blobs };
};

export class SnapshotWriter {
  readonly #log: Log;
  readonly #store: StateStore;
  readonly #writer: string;
  #tail: number | undefined;
  /** Position of the newest manifest up to `tail`. */
  #before = 0;
  /** Manifests that count, oldest first: at most SNAPSHOTS_KEPT. */
  #kept: FoundManifest[] = [];
  bytesUploaded = 0;

  constructor(log: Log, store: StateStore, writer: string) {
    this.#log = log;
    this.#store = store;
    this.#writer = writer;
  }

  /** The record below whose `resume` the mailbox may be trimmed: the older of the two kept (so that a damaged snapshot is survived). */
  get trimRecord(): StateRecord | undefined {
    return this.#kept.length < SNAPSHOTS_KEPT ? undefined : this.#kept[0]!.manifest.record;
  }

  /** Epoch of the older of the two kept, 0 before there are two: what a recovery may go back to. */
  get keptEpoch(): number {
    return this.trimRecord?.epoch ?? 0;
  }

  get newestEpoch(): number {
    return this.#kept.at(-1)?.manifest.record.epoch ?? 0;
  }

  /** Blobs of `record` that the newest own manifest does not hold yet; the store keeps them until they are uploaded. */
  async prepare(record: StateRecord): Promise<SnapshotUpload> {
    // Before anything is waited for: the next commit may drop some of them.
    const release = this.#store.pin(record);
    try {
      if (this.#tail === undefined) await this.#begin();
    } catch (e) {
      await release();
      throw e;
    }
    const last = this.#kept.at(-1);
    const previous = last?.manifest.writer === this.#writer ? last : undefined;
    const prepare = (info: BlobInfo): PreparedBlob => {
      const there = previous?.manifest.blobs.find((b) => sameBlob(b, info));
      return there === undefined ? info : { ...info, chunks: there.chunks };
    };
    return { record, blobs: record.blobs.map(prepare), release };
  }

  /**
   * Uploads what was prepared. Resolves with false when a newer snapshot is there, or another copy's manifest came between (N1): prepare again.
   */
  async upload(upload: SnapshotUpload): Promise<boolean> {
    try {
      return await this.#upload(upload);
    } finally {
      await upload.release();
    }
  }

  async #upload({ record, blobs }: SnapshotUpload): Promise<boolean> {
    if (this.newestEpoch >= record.epoch) return false;
    const uploaded: ManifestBlob[] = [];
    for (const blob of blobs) {
      if ("chunks" in blob) {
        uploaded.push(blob);
        continue;
      }
      const payload = await this.#store.readBlob(blob);
      const chunks: number[] = [];
      const size = Math.min(SNAPSHOT_CHUNK_BYTES, this.#log.recordBytesMax ?? SNAPSHOT_CHUNK_BYTES);
      for (let from = 0; from < payload.length; from += size) {
        // A copy: a log that keeps its newest records in memory would keep all of the blob with each.
        const at = await this.#append(payload.slice(from, from + size), "chunk");
        if (at === undefined) return false;
        chunks.push(at);
      }
      this.bytesUploaded += payload.length;
      uploaded.push({ ...blob, chunks });
    }
    const manifest: Manifest = { format: STATE_FORMAT, writer: this.#writer, record, blobs: uploaded };
    const at = await this.#append(pack(manifest), "manifest");
    if (at === undefined) return false;
    this.#before = at;
    this.#kept = [...this.#kept, { position: at, manifest }].slice(-SNAPSHOTS_KEPT);
    await this.#log.trim(position(Math.min(...this.#kept.map(oldestChunk))));
    return true;
  }

  /** The first look: the newest manifests. */
  async #begin(): Promise<void> {
    const { first, last } = await this.#log.bounds();
    const kept: FoundManifest[] = [];
    let before = 0;
    for await (const f of walk(this.#log, first, last)) {
      before = Math.max(before, f.position);
      if (this.#isMine(f)) kept.unshift(f);
      if (kept.length === SNAPSHOTS_KEPT) break;
    }
    [this.#kept, this.#before, this.#tail] = [kept, before, last];
  }

  #isMine({ manifest }: FoundManifest): boolean {
    return manifest.format === STATE_FORMAT && sameLineage(manifest.record.lineage, this.#store.lineage);
  }

  /** Reads what came since the last look. True when a manifest of another copy is among it. */
  async #catchUp(): Promise<boolean> {
    const { first, last } = await this.#log.bounds();
    const found: FoundManifest[] = [];
    for await (const f of walk(this.#log, Math.max(first, this.#tail! + 1), last)) found.unshift(f);
    this.#tail = last;
    this.#before = found.at(-1)?.position ?? this.#before;
    const mine = found.filter((f) => this.#isMine(f));
    this.#kept = [...this.#kept, ...mine].slice(-SNAPSHOTS_KEPT);
    return mine.some((f) => f.manifest.writer !== this.#writer);
  }

  /** Appends at the expected tail. Undefined when another manifest came between (N1). */
  async #append(payload: Uint8Array, kind: "chunk" | "manifest"): Promise<number | undefined> {
    for (;;) {
      try {
        const at = await this.#log.append(payload, {
          expectLast: position(this.#tail!),
          headers: { mr: kind, [BEFORE]: String(this.#before) },
        });
        this.#tail = at;
        return at;
      } catch (e) {
        if (!(e instanceof LogConflictError)) {
          this.#tail = undefined;
          throw e;
        }
        if (await this.#catchUp()) return undefined;
      }
    }
  }
}
