/**
 * Frames to bytes and back. The message is one msgpack array:
 *
 *   [version, crc bin4, edge, topology, partition, epoch, firstRow, rows, last,          // always; last: false, true, or its digest
 *    schema fingerprint, then per column: layout code, nulls bin or null, data …]        // when rows > 0
 *
 * Data per layout: `bool` bits; `i32 f64 i64` the little-endian array; `dict` the used strings as an array, the width of an id
 * in bytes, then the ids (of strings that are bytes: whether they are ASCII, the entries' ends and the bytes instead of the array); `any` a bin that holds the msgpack array of the values. Nulls and booleans are bits, lowest first.
 *
 * Invariants.
 *  F1 decode(encode(h, b)) has the header h and the live rows of b, every value identical (longs in the same layout).
 *  F2 anything but the bytes of a frame of this version and schema throws FrameError: the CRC-32 covers all that stands behind
 *     it, and what stands before it is checked by value.
 *  F3 decoded vectors own their memory, aligned: the frame's buffer may be reused.
 */
import type { Batch } from "../core/batch.ts";
import { batchOf } from "../core/batch.ts";
import { epoch, partitionIndex } from "../core/brands.ts";
import { crc32 } from "../core/crc32.ts";
import { typeName } from "../core/data-type.ts";
import { FrameError } from "../core/errors.ts";
import type { Schema } from "../core/schema.ts";
import type { Vector } from "../core/vector.ts";
import { decodeColumn, encodeColumn, itemsOfColumn } from "./column-codec.ts";
import { FRAME_VERSION, type Frame, type FrameHeader } from "./frame.ts";
import { packItems, packPlain, unpackViews } from "./msgpack.ts";

/** A range of the live rows of a batch, `to` exclusive. */
export interface RowRange {
  readonly from: number;
  readonly to: number;
}

const HEADER_ITEMS = 9;
const CRC_BYTES = 4;

const fingerprints = new WeakMap<Schema, number>();

/** Hash of the column types in order. Names do not count: both sides have them from the same plan. */
export const schemaFingerprint = (schema: Schema): number => {
  let f = fingerprints.get(schema);
  if (f === undefined) {
    f = crc32(Buffer.from(schema.fields.map((x) => typeName(x.type)).join("\n"))) >>> 0;
    fingerprints.set(schema, f);
  }
  return f;
};

/** Index of the CRC's first byte: behind the array head, the version and the bin head. */
const crcOffset = (bytes: Uint8Array): number => {
  const head = bytes[0]!;
  const items = head >= 0x90 && head <= 0x9f ? 1 : head === 0xdc ? 3 : head === 0xdd ? 5 : -1;
  if (items < 0) throw new FrameError("Not a frame: the bytes do not start with a msgpack array");
  if (bytes[items] !== FRAME_VERSION)
    throw new FrameError(
      `Frame version ${bytes[items] ?? "missing"} is unknown to this program (it reads version ${FRAME_VERSION})`,
    );
  if (bytes[items + 1] !== 0xc4 || bytes[items + 2] !== CRC_BYTES)
    throw new FrameError("Not a frame: no checksum behind the version");
  return items + 3;
};

/** Long frames get memory of their own size: msgpackr doubles its own until they fit, and all of it would live as long as the frame. */
const LONG_BYTES = 16 * 1024;
const isLong = (items: readonly unknown[]): boolean =>
  items.reduce<number>((n, x) => (x instanceof Uint8Array ? n + x.length : n), 0) >= LONG_BYTES;

/**
 * Encodes the live rows of `batch` in `range` (default: all of them). `header.rows` must be their number; a frame without rows
 * takes no batch.
 */
export const encodeFrame = (header: FrameHeader, batch: Batch | undefined, range?: RowRange): Uint8Array => {
  const items: unknown[] = [
    FRAME_VERSION,
    new Uint8Array(CRC_BYTES),
    header.edge,
    header.topology,
    header.partition,
    header.epoch,
    header.firstRow,
    header.rows,
    header.last && header.digest !== undefined ? header.digest : header.last,
  ];
  if (batch !== undefined && header.rows > 0) {
    const from = range?.from ?? 0;
    const live = batch.selection === undefined ? batch.length : batch.selection.length;
    const to = range?.to ?? live;
    if (to - from !== header.rows || from < 0 || to > live)
      throw new FrameError(`A frame of ${header.rows} rows was given rows ${from} to ${to} of ${live}`);
    const rows = batch.selection?.subarray(from, to);
    items.push(schemaFingerprint(batch.schema));
    for (const column of batch.columns) encodeColumn(column, from, to, rows, items);
  } else if (header.rows !== 0) throw new FrameError(`A frame of ${header.rows} rows was given no batch`);
  const bytes = isLong(items) ? packItems(items) : packPlain(items);
  const at = crcOffset(bytes);
  const crc = crc32(bytes.subarray(at + CRC_BYTES)) >>> 0;
  new DataView(bytes.buffer, bytes.byteOffset).setUint32(at, crc);
  return bytes;
};

const unpackItems = (bytes: Uint8Array): readonly unknown[] => {
  const at = crcOffset(bytes);
  if (bytes.length < at + CRC_BYTES) throw new FrameError("Truncated frame");
  const stored = new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
  if (crc32(bytes.subarray(at + CRC_BYTES)) >>> 0 !== stored)
    throw new FrameError(`Corrupt or truncated frame of ${bytes.length} bytes: its checksum does not match`);
  let items: unknown;
  try {
    items = unpackViews(bytes);
  } catch (cause) {
    throw new FrameError("Corrupt frame: not msgpack", { cause });
  }
  if (!Array.isArray(items) || items.length < HEADER_ITEMS)
    throw new FrameError("Corrupt frame: header too short");
  return items;
};

const count = (x: unknown): x is number => typeof x === "number" && Number.isSafeInteger(x) && x >= 0;

const headerOf = (items: readonly unknown[]): FrameHeader => {
  const [, , edge, topology, partition, epochNumber, firstRow, rows, last] = items;
  if (
    typeof edge !== "string" ||
    !count(topology) ||
    !count(partition) ||
    !count(epochNumber) ||
    !count(firstRow) ||
    !count(rows) ||
    (typeof last !== "boolean" && !count(last))
  )
    throw new FrameError("Corrupt frame: a header field has the wrong type");
  return {
    edge,
    topology,
    partition: partitionIndex(partition),
    epoch: epoch(epochNumber),
    firstRow,
    rows,
    last: last !== false,
    ...(typeof last === "number" ? { digest: last } : {}),
  };
};

const columnsOf = (items: readonly unknown[], rows: number, schema: Schema): Vector[] => {
  if (items[HEADER_ITEMS] !== schemaFingerprint(schema))
    throw new FrameError("The frame has another schema than its reader expects");
  const columns: Vector[] = [];
  let at = HEADER_ITEMS + 1;
  for (const field of schema.fields) {
    columns.push(decodeColumn(items, at, rows, field.type));
    at += itemsOfColumn(items[at]);
  }
  if (at !== items.length) throw new FrameError("Corrupt frame: items left over");
  return columns;
};

/** The header of a frame; the checksum is verified, the columns are not decoded. */
export const decodeHeader = (bytes: Uint8Array): FrameHeader => headerOf(unpackItems(bytes));

/** A frame whose columns are decoded only on demand: readers drop duplicates by header (law 3). */
export interface LazyFrame {
  readonly header: FrameHeader;
  /** Decodes the columns; undefined without rows. */
  batch(schema: Schema): Batch | undefined;
}

export const openFrame = (bytes: Uint8Array): LazyFrame => {
  const items = unpackItems(bytes);
  const header = headerOf(items);
  const batch = (schema: Schema): Batch | undefined => {
    if (header.rows > 0) return batchOf(schema, header.rows, columnsOf(items, header.rows, schema));
    if (items.length !== HEADER_ITEMS) throw new FrameError("Corrupt frame: columns without rows");
    return undefined;
  };
  return { header, batch };
};

/** Header and rows. Throws FrameError (F2). */
export const decodeFrame = (bytes: Uint8Array, schema: Schema): Frame => {
  const frame = openFrame(bytes);
  return { header: frame.header, batch: frame.batch(schema) };
};
