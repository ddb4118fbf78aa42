/**
 * Snapshots: the remote copy of an actor's state, in a log of its own. Chunks of blobs, then a manifest (law 10). Here they are read; snapshot-writer.ts
 * writes them.
 *
 * A header of every record says what its writer knew: the newest manifest up to some position. Of a manifest that is the position before it; of a chunk it is
 * a few less, because several are under way at once. Whoever looks for manifests goes from the log's end from one to the next and reads a few chunks at most.
 *
 * Invariants (N1 and N2: snapshot-writer.ts).
 *  N3 a manifest is used only if every chunk is there and its checksum right; else the one before.
 */
import { crc32 } from "../core/crc32.ts";
import { LogGapError } from "../core/errors.ts";
import { SNAPSHOT_READ_BYTES } from "../core/limits.ts";
import { position } from "../core/brands.ts";
import { unpack } from "../codec/msgpack.ts";
import type { Log, LogRecord } from "../log/log.ts";
import { readAhead } from "./read-ahead.ts";
import { sameLineage, STATE_FORMAT, type BlobInfo, type Lineage, type StateRecord } from "./store.ts";

export interface ManifestBlob extends BlobInfo {
  readonly chunks: readonly number[];
}

export interface Manifest {
  readonly format: number;
  /** Which copy of the actor wrote it. */
  readonly writer: string;
  readonly record: StateRecord;
  readonly blobs: readonly ManifestBlob[];
}

/** Of any format and lineage. */
export interface FoundManifest {
  readonly position: number;
  readonly manifest: Manifest;
}

const isManifest = (r: LogRecord): boolean => r.headers?.["mr"] === "manifest";
export const oldestChunk = (f: FoundManifest): number =>
  Math.min(f.position, ...f.manifest.blobs.flatMap((b) => b.chunks));

/** The newest manifest up to position `upTo`; 0: there is none. */
export interface Known {
  readonly manifest: number;
  readonly upTo: number;
}

const KNOWN = "known";

export const recordHeaders = (kind: "chunk" | "manifest", known: Known): Record<string, string> => ({
  mr: kind,
  [KNOWN]: `${known.manifest},${known.upTo}`,
});

/** Records of older programs say it of the position before them, or not at all. */
const knownBefore = (r: LogRecord): Known | undefined => {
  const [manifest, upTo] = r.headers?.[KNOWN]?.split(",").map(Number) ?? [];
  if (manifest !== undefined && upTo !== undefined) return { manifest, upTo };
  const before = r.headers?.["before"];
  return before === undefined ? undefined : { manifest: Number(before), upTo: r.position - 1 };
};

/** The manifests in `[from, last]`, oldest first, by reading all records. */
const scan = async (log: Log, from: number, last: number): Promise<FoundManifest[]> => {
  const found: FoundManifest[] = [];
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

const manifestOf = (r: LogRecord): FoundManifest => ({
  position: r.position,
  manifest: unpack(r.payload) as Manifest,
});

/** The manifests in `[first, last]`, newest first. Ends at a record that is trimmed meanwhile. */
export const walk = async function* (
  log: Log,
  first: number,
  last: number,
): AsyncGenerator<FoundManifest, void> {
  let known: Known = { manifest: 0, upTo: 0 };
  for (let at = last; at >= first;) {
    const r = await log.get(position(at));
    if (r === undefined) {
      if ((await log.bounds()).first <= at)
        throw new LogGapError(`the log ${log.name} does not have its record ${at}`);
      return;
    }
    if (isManifest(r)) yield manifestOf(r);
    const before = knownBefore(r);
    if (before === undefined) {
      if (at > first) yield* (await scan(log, first, at - 1)).reverse();
      return;
    }
    // What a record above said holds down to where it knew of.
    if (at <= known.upTo || before.upTo > known.upTo) known = before;
    at = at - 1 > known.upTo ? at - 1 : Math.min(at - 1, known.manifest);
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
const walkAll = async function* (log: Log): AsyncGenerator<FoundManifest, void> {
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

/** Downloads a snapshot, several blobs at a time; undefined when a chunk is gone or damaged. */
export const download = async (
  log: Log,
  found: FoundManifest,
  receiver?: BlobReceiver,
): Promise<Snapshot | undefined> => {
  const blobs: Uint8Array[] = [];
  const take = async (b: ManifestBlob): Promise<Uint8Array | undefined> => {
    const takes = receiver?.takes(b) ?? "keep";
    const bytes = takes === "drop" ? NOTHING : await readBlob(log, b);
    if (bytes !== undefined && takes === "receive") await receiver!.receive(b, bytes);
    return bytes === undefined || takes === "keep" ? bytes : NOTHING;
  };
  for await (const [, bytes] of readAhead(found.manifest.blobs, SNAPSHOT_READ_BYTES, take)) {
    if (bytes === undefined) return undefined;
    blobs.push(bytes);
  }
  return { record: found.manifest.record, blobs };
};
