/**
 * Writes snapshots (snapshot.ts): the blobs of a record that are new, as chunks, several under way at once, then the manifest.
 *
 * Chunks are appended wherever the log's end is; the manifest expects the position that this writer saw last, so a manifest of any other copy of the actor is
 * noticed before it counts. Blobs that the newest own manifest already holds are not uploaded again, unless the log has become much longer than what counts of it.
 *
 * Invariants (N3: snapshot.ts).
 *  N1 a manifest is appended only if its epoch is above the newest manifest's and no manifest of another copy was appended since
 *     its oldest chunk; otherwise the upload starts again with all blobs (C10).
 *  N2 only what lies below the oldest chunk of the `SNAPSHOTS_KEPT` newest manifests is purged, and only by the writer of an accepted manifest.
 *  N4 every record up to `tail` was seen: `before` is the newest manifest there, and `own` has positions above it.
 */
import { position, type Position } from "../core/brands.ts";
import { ConfigurationError, LogConflictError, LogFullError, UnavailableError } from "../core/errors.ts";
import {
  MAILBOX_BYTES_MAX,
  SNAPSHOT_CHUNK_BYTES,
  SNAPSHOT_CHUNKS_DEAD,
  SNAPSHOT_WINDOW_BYTES,
  SNAPSHOT_WINDOW_RECORDS,
  SNAPSHOTS_KEPT,
} from "../core/limits.ts";
import { pack } from "../codec/msgpack.ts";
import type { Log } from "../log/log.ts";
import { readAhead } from "./read-ahead.ts";
import {
  type FoundManifest,
  type Known,
  type Manifest,
  type ManifestBlob,
  oldestChunk,
  recordHeaders,
  walk,
} from "./snapshot.ts";
import { type BlobInfo, sameLineage, STATE_FORMAT, type StateRecord, type StateStore } from "./store.ts";

/** Of one append: several copies of an actor may fill what one of them has asked for. */
const RAISES_MAX = 8;

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

const keyOf = (b: BlobInfo): string => `${b.table}/${b.part ?? ""}/${b.epoch}`;

/** Appends under way. */
class Flight {
  readonly #chunks = new Set<Promise<unknown>>();
  #bytes = 0;

  /** Rejects with what failed of those under way. */
  async room(bytes: number): Promise<void> {
    while (
      this.#chunks.size >= SNAPSHOT_WINDOW_RECORDS ||
      (this.#chunks.size > 0 && this.#bytes + bytes > SNAPSHOT_WINDOW_BYTES)
    )
      await Promise.race(this.#chunks);
  }

  add<T>(chunk: Promise<T>, bytes: number): Promise<T> {
    const mine = chunk.finally(() => {
      this.#chunks.delete(mine);
      this.#bytes -= bytes;
    });
    // Seen by whoever waits for room, or for its position.
    mine.catch(() => {});
    this.#chunks.add(mine);
    this.#bytes += bytes;
    return mine;
  }
}

export class SnapshotWriter {
  readonly #log: Log;
  readonly #store: StateStore;
  readonly #writer: string;
  #tail: number | undefined;
  #before = 0;
  readonly #own = new Set<number>();
  /** Manifests that count, oldest first: at most SNAPSHOTS_KEPT. */
  #kept: FoundManifest[] = [];
  #raising: Promise<void> | undefined;
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
    const there = new Map<string, ManifestBlob[]>();
    for (const b of this.#reusable()) there.set(keyOf(b), [...(there.get(keyOf(b)) ?? []), b]);
    const prepare = (info: BlobInfo): PreparedBlob => {
      const before = there.get(keyOf(info))?.find((b) => sameBlob(b, info));
      return before === undefined ? info : { ...info, chunks: before.chunks };
    };
    return { record, blobs: record.blobs.map(prepare), release };
  }

  /** A log is trimmed from its front alone: one old chunk that counts would keep all behind it for ever. */
  #reusable(): readonly ManifestBlob[] {
    const last = this.#kept.at(-1);
    if (last?.manifest.writer !== this.#writer) return [];
    const { blobs } = last.manifest;
    const live = blobs.reduce((n, b) => n + b.chunks.length, 0);
    const dead = last.position - oldestChunk(last) - live;
    return dead > Math.max(SNAPSHOT_CHUNKS_DEAD, live * 2) ? [] : blobs;
  }

  /**
   * Uploads what was prepared. Resolves with false when a newer snapshot is there, or another copy's manifest came between (N1): prepare again.
   */
  async upload(upload: SnapshotUpload): Promise<boolean> {
    try {
      return await this.#upload(upload);
    } catch (e) {
      this.#tail = undefined;
      throw e;
    } finally {
      await upload.release();
    }
  }

  async #upload({ record, blobs }: SnapshotUpload): Promise<boolean> {
    if (this.newestEpoch >= record.epoch) return false;
    const fresh = blobs.filter((b) => !("chunks" in b));
    let left = fresh.reduce((n, b) => n + b.bytes, 0);
    const size = Math.min(SNAPSHOT_CHUNK_BYTES, this.#log.recordBytesMax ?? SNAPSHOT_CHUNK_BYTES);
    const flight = new Flight();
    const placed = new Map<BlobInfo, Promise<number>[]>();
    const read = (b: BlobInfo): Promise<Uint8Array> => this.#store.readBlob(b);
    for await (const [blob, payload] of readAhead(fresh, 2 * SNAPSHOT_WINDOW_BYTES, read)) {
      const chunks: Promise<number>[] = [];
      for (let from = 0; from < payload.length; from += size) {
        // A copy: a log that keeps its newest records in memory would keep all of the blob with each.
        const chunk = payload.slice(from, from + size);
        await flight.room(chunk.length);
        if (this.#own.size > SNAPSHOT_WINDOW_RECORDS && (await this.#catchUp())) return false;
        chunks.push(flight.add(this.#chunk(chunk, left), chunk.length));
        left -= chunk.length;
      }
      placed.set(blob, chunks);
      this.bytesUploaded += payload.length;
    }
    const uploaded: ManifestBlob[] = [];
    for (const b of blobs)
      uploaded.push("chunks" in b ? b : { ...b, chunks: await Promise.all(placed.get(b)!) });
    return this.#finish({ format: STATE_FORMAT, writer: this.#writer, record, blobs: uploaded });
  }

  async #finish(manifest: Manifest): Promise<boolean> {
    const at = await this.#appendManifest(pack(manifest));
    if (at === undefined) return false;
    this.#before = at;
    this.#kept = [...this.#kept, { position: at, manifest }].slice(-SNAPSHOTS_KEPT);
    await this.#log.trim(position(Math.min(...this.#kept.map(oldestChunk))));
    await this.#lower();
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
    [this.#kept, this.#before] = [kept, before];
    this.#seen(last);
  }

  #isMine({ manifest }: FoundManifest): boolean {
    return manifest.format === STATE_FORMAT && sameLineage(manifest.record.lineage, this.#store.lineage);
  }

  /** Reads what came since the last look. True when a manifest of another copy is among it. */
  async #catchUp(): Promise<boolean> {
    const { first, last } = await this.#log.bounds();
    const found: FoundManifest[] = [];
    for await (const f of walk(this.#log, Math.max(first, this.#tail! + 1), last)) found.unshift(f);
    this.#before = found.at(-1)?.position ?? this.#before;
    this.#seen(last);
    const mine = found.filter((f) => this.#isMine(f));
    this.#kept = [...this.#kept, ...mine].slice(-SNAPSHOTS_KEPT);
    return mine.some((f) => f.manifest.writer !== this.#writer);
  }

  /** N4. */
  #seen(tail: number): void {
    this.#tail = tail;
    for (const at of this.#own) if (at <= tail) this.#own.delete(at);
    while (this.#own.delete(this.#tail + 1)) this.#tail++;
  }

  get #known(): Known {
    return { manifest: this.#before, upTo: this.#tail! };
  }

  /** `left`: bytes of the upload from this chunk on. */
  async #chunk(payload: Uint8Array, left: number): Promise<number> {
    const at = await this.#append(payload, { headers: recordHeaders("chunk", this.#known) }, left);
    if (this.#tail !== undefined && at > this.#tail) {
      this.#own.add(at);
      this.#seen(this.#tail);
    }
    return at;
  }

  /** Appends at the expected tail. Undefined when another manifest came between (N1). */
  async #appendManifest(payload: Uint8Array): Promise<number | undefined> {
    for (;;) {
      try {
        const expectLast = position(this.#tail!);
        const headers = recordHeaders("manifest", this.#known);
        const at = await this.#append(payload, { expectLast, headers }, payload.length);
        this.#seen(at);
        return at;
      } catch (e) {
        if (!(e instanceof LogConflictError)) throw e;
        if (await this.#catchUp()) return undefined;
      }
    }
  }

  /** A log that is full is given the room of what is still to come: a snapshot is as large as the state is. */
  async #append(
    payload: Uint8Array,
    options: { expectLast?: Position; headers: Record<string, string> },
    left: number,
  ): Promise<number> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#log.append(payload, options);
      } catch (e) {
        // Raised again and again, and still full: it is not the limit.
        if (!(e instanceof LogFullError) || tries > RAISES_MAX) throw e;
        await (this.#raising ??= this.#raise(left, e).finally(() => (this.#raising = undefined)));
      }
    }
  }

  async #raise(left: number, refused: LogFullError): Promise<void> {
    try {
      const { bytes } = await this.#log.bounds();
      await this.#log.setMaxBytes(Math.ceil(bytes + left * 1.1 + MAILBOX_BYTES_MAX / 8));
    } catch (e) {
      if (e instanceof UnavailableError) throw e;
      throw new ConfigurationError(`${refused.message}, and it cannot be raised for a snapshot`, {
        cause: e,
        hint: "give the broker more room",
      });
    }
  }

  /** A limit that was raised goes back once there is far less. */
  async #lower(): Promise<void> {
    const { bytes, maxBytes } = await this.#log.bounds();
    if (maxBytes > MAILBOX_BYTES_MAX && bytes < MAILBOX_BYTES_MAX / 4)
      await this.#log.setMaxBytes(MAILBOX_BYTES_MAX);
  }
}
