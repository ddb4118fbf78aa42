/**
 * Snapshots: the remote copy of an actor's state, in a log of its own. Chunks of blobs, then a manifest (law 10).
 *
 * Every append, of a chunk or a manifest, expects the position that this writer saw last, so that any other copy of the actor that
 * uploads too is noticed at once. Blobs that the newest own manifest already holds are not uploaded again.
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

/** Without chunks and payload: a part, which is read when its turn comes. */
type PreparedBlob = ManifestBlob | (BlobInfo & { readonly payload?: Uint8Array });

/** A snapshot about to be uploaded: its blobs in memory, or where an earlier manifest has them. */
export interface SnapshotUpload {
  readonly record: StateRecord;
  readonly blobs: readonly PreparedBlob[];
  /** The store may delete the record's parts. */
  readonly release: () => Promise<void>;
}

const sameBlob = (a: BlobInfo, b: BlobInfo): boolean =>
  a.table === b.table &&
  a.part === b.part &&
  a.epoch === b.epoch &&
  a.base === b.base &&
  a.crc === b.crc &&
  a.bytes === b.bytes;

export interface FoundManifest {
  readonly position: number;
  readonly manifest: Manifest;
}

const isManifest = (r: LogRecord): boolean => r.headers?.["mr"] === "manifest";

const oldestChunk = (f: FoundManifest): number =>
  Math.min(f.position, ...f.manifest.blobs.flatMap((b) => b.chunks));

/** The manifests in `[from, last]`, oldest first. */
const scan = async (log: Log, from: number, last: number): Promise<FoundManifest[]> => {
  const found: FoundManifest[] = [];
  const reader = log.reader(position(from));
  try {
    for (let next = from; next <= last;) {
      for (const r of await reader.next()) {
        next = r.position + 1;
        if (isManifest(r)) found.push({ position: r.position, manifest: unpack(r.payload) as Manifest });
      }
    }
  } finally {
    reader.close();
  }
  return found.filter((f) => f.manifest.format === STATE_FORMAT);
};

const readBlob = async (log: Log, blob: ManifestBlob): Promise<Uint8Array | undefined> => {
  const parts: Uint8Array[] = [];
  for (const at of blob.chunks) {
    const record = await log.get(position(at));
    if (record === undefined) return undefined;
    parts.push(record.payload);
  }
  const bytes = Buffer.concat(parts);
  return bytes.length === blob.bytes && crc32(bytes) === blob.crc ? bytes : undefined;
};

export interface Snapshot {
  readonly record: StateRecord;
  /** Empty where a receiver took or refused it. */
  readonly blobs: readonly Uint8Array[];
}

/** Takes parts one by one, so that a snapshot need not fit the memory. */
export interface PartReceiver {
  readonly wants: (part: number) => boolean;
  readonly receive: (info: BlobInfo, bytes: Uint8Array) => Promise<void>;
}

const NOTHING = new Uint8Array(0);

const scanAll = async (log: Log): Promise<FoundManifest[]> => {
  for (let bounds = await log.bounds(); bounds.last >= bounds.first;) {
    try {
      return await scan(log, bounds.first, bounds.last);
    } catch (e) {
      // Its writer trimmed it meanwhile: another look. Any other gap is lost data.
      const now = e instanceof LogGapError ? await log.bounds() : bounds;
      if (now.first <= bounds.first) throw e;
      bounds = now;
    }
  }
  return [];
};

/** The usable snapshots of a lineage, newest epoch first, each downloaded only when asked for (N3). */
export const findSnapshots = async (log: Log, lineage: Lineage): Promise<readonly FoundManifest[]> => {
  const all = await scanAll(log);
  return all
    .filter((f) => sameLineage(f.manifest.record.lineage, lineage))
    .sort((a, b) => b.manifest.record.epoch - a.manifest.record.epoch);
};

/** Downloads a snapshot; undefined when a chunk is gone or damaged. */
export const download = async (
  log: Log,
  found: FoundManifest,
  parts?: PartReceiver,
): Promise<Snapshot | undefined> => {
  const blobs: Uint8Array[] = [];
  for (const b of found.manifest.blobs) {
    const isPart = b.part !== undefined && parts !== undefined;
    if (isPart && !parts.wants(b.part!)) {
      blobs.push(NOTHING);
      continue;
    }
    const bytes = await readBlob(log, b);
    if (bytes === undefined) return undefined;
    if (isPart) await parts.receive(b, bytes);
    blobs.push(isPart ? NOTHING : bytes);
  }
  return { record: found.manifest.record, blobs };
};

export class SnapshotWriter {
  readonly #log: Log;
  readonly #store: StateStore;
  readonly #writer: string;
  #tail: number | undefined;
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

  /** Blobs of `record` that the newest own manifest does not hold yet, read while the store still has them. */
  async prepare(record: StateRecord): Promise<SnapshotUpload> {
    if (this.#tail === undefined) await this.#catchUp();
    const last = this.#kept.at(-1);
    const previous = last?.manifest.writer === this.#writer ? last : undefined;
    const release = this.#store.pin(record);
    const prepare = async (info: BlobInfo): Promise<PreparedBlob> => {
      const there = previous?.manifest.blobs.find((b) => sameBlob(b, info));
      if (there !== undefined) return { ...info, chunks: there.chunks };
      return info.part === undefined ? { ...info, payload: await this.#store.readBlob(info) } : info;
    };
    return { record, blobs: await Promise.all(record.blobs.map(prepare)), release };
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
      const { payload = await this.#store.readBlob(blob), ...info } = blob;
      const chunks: number[] = [];
      const size = Math.min(SNAPSHOT_CHUNK_BYTES, this.#log.recordBytesMax ?? SNAPSHOT_CHUNK_BYTES);
      for (let from = 0; from < payload.length; from += size) {
        const at = await this.#append(payload.subarray(from, from + size), "chunk");
        if (at === undefined) return false;
        chunks.push(at);
      }
      this.bytesUploaded += payload.length;
      uploaded.push({ ...info, chunks });
    }
    const manifest: Manifest = { format: STATE_FORMAT, writer: this.#writer, record, blobs: uploaded };
    const at = await this.#append(pack(manifest), "manifest");
    if (at === undefined) return false;
    this.#kept = [...this.#kept, { position: at, manifest }].slice(-SNAPSHOTS_KEPT);
    await this.#log.trim(position(Math.min(...this.#kept.map(oldestChunk))));
    return true;
  }

  /** Reads what came since the last look. True when a manifest of another copy is among it. */
  async #catchUp(): Promise<boolean> {
    const bounds = await this.#log.bounds();
    const from = Math.max(bounds.first, (this.#tail ?? 0) + 1);
    const found = bounds.last >= from ? await scan(this.#log, from, bounds.last) : [];
    this.#tail = bounds.last;
    const mine = found.filter((f) => sameLineage(f.manifest.record.lineage, this.#store.lineage));
    this.#kept = [...this.#kept, ...mine].slice(-SNAPSHOTS_KEPT);
    return mine.some((f) => f.manifest.writer !== this.#writer);
  }

  /** Appends at the expected tail. Undefined when another manifest came between (N1). */
  async #append(payload: Uint8Array, kind: "chunk" | "manifest"): Promise<number | undefined> {
    for (;;) {
      try {
        const at = await this.#log.append(payload, {
          expectLast: position(this.#tail!),
          headers: { mr: kind },
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
