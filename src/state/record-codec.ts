/**
 * The record of a store as bytes. It is written in every epoch and may name hundreds of small deltas: these go as columns of numbers, not as objects.
 * Parts come before all other blobs: they are loaded first.
 */
import { pack, unpack } from "../codec/msgpack.ts";
import { isPart, type PartInfo } from "./parts.ts";
import type { BlobInfo, StateRecord } from "./store.ts";

/** Table, epoch, kind, bytes, checksum. */
const NUMBERS = 5;
/** Kind: of a delta, of a base that does not say its rows, of a further piece of a base (less its number); else the rows of a base. */
const [DELTA, BASE, PIECE] = [-1, -2, -2];

const kindOf = ({ base, rows, piece }: BlobInfo): number =>
  !base ? DELTA : piece === undefined ? (rows ?? BASE) : PIECE - piece;

interface Stored extends Omit<StateRecord, "blobs"> {
  /** In records of older programs. */
  readonly blobs?: readonly BlobInfo[];
  readonly tables?: readonly string[];
  readonly numbers?: Uint8Array;
  readonly parts?: readonly PartInfo[];
}

export const encodeRecord = ({ blobs: all, ...record }: StateRecord): Uint8Array => {
  const blobs = all.filter((b) => !isPart(b));
  const parts = all.filter(isPart);
  const tables = [...new Set(blobs.map((b) => b.table))];
  const numbers = new Float64Array(blobs.length * NUMBERS);
  let at = 0;
  for (const b of blobs) {
    numbers[at++] = tables.indexOf(b.table);
    numbers[at++] = b.epoch;
    numbers[at++] = kindOf(b);
    numbers[at++] = b.bytes;
    numbers[at++] = b.crc;
  }
  const stored: Stored = { ...record, tables, numbers: new Uint8Array(numbers.buffer) };
  return pack(parts.length === 0 ? stored : { ...stored, parts });
};

const blobsOf = (tables: readonly string[], bytes: Uint8Array): BlobInfo[] => {
  const numbers = new Float64Array(bytes.slice().buffer);
  return Array.from({ length: numbers.length / NUMBERS }, (_, i) => {
    const [table, epoch, kind, length, crc] = numbers.subarray(i * NUMBERS) as unknown as readonly [
      number,
      number,
      number,
      number,
      number,
    ];
    const info = { table: tables[table]!, epoch, base: kind !== DELTA, bytes: length, crc };
    if (kind >= 0) return { ...info, rows: kind };
    return kind < PIECE ? { ...info, piece: PIECE - kind } : info;
  });
};

export const decodeRecord = (bytes: Uint8Array): StateRecord => {
  const { tables, numbers, parts = [], blobs = [], ...record } = unpack(bytes) as Stored;
  if (tables === undefined || numbers === undefined) return { ...record, blobs };
  return { ...record, blobs: [...parts, ...blobsOf(tables, numbers)] };
};
