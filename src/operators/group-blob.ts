/**
 * Groups of an aggregate table as a blob, and back. Version 2: states of accumulators that grow are packed by themselves, in a delta as changes; version 1 has all
 * states as values.
 */
import { pack, unpack } from "../codec/msgpack.ts";
import { StateCorruptError } from "../core/errors.ts";
import { KEY_GROUPS } from "../core/hash.ts";
import type { Value } from "../core/value.ts";
import type { Accumulator } from "../expr/contract.ts";
import {
  type ColumnBlob,
  type GrowthBlob,
  growthBlob,
  isGrowth,
  numbersBlob,
  packColumn,
  unpackColumn,
} from "./column-blob.ts";
import type { GroupColumns } from "./group-columns.ts";
import type { GroupSpill } from "./group-spill.ts";
import { IN_PART } from "./spill-host.ts";

const VERSION = 2;

type Blob = [
  version: number,
  closed: number | null,
  keyGroups: Uint8Array,
  keys: ColumnBlob[],
  states: (ColumnBlob | GrowthBlob)[],
  /** Of tables with parts: where each group stands among those of its time, and whether its part has it too. */
  orders?: ColumnBlob,
  inPart?: Uint8Array,
];

/** What a blob is made of. */
export interface BlobTable {
  readonly columns: GroupColumns;
  readonly accumulators: readonly Accumulator[];
  readonly spill: GroupSpill | undefined;
}

/** `whole`: not only what was added to states since they were last encoded. */
export const encodeGroups = (
  { columns, accumulators, spill }: BlobTable,
  groups: Int32Array,
  flags: Uint8Array,
  closed: number | null,
  whole: boolean,
): Uint8Array => {
  const n = groups.length;
  const keyGroups = new Uint8Array(n);
  for (let i = 0; i < n; i++) keyGroups[i] = columns.keyGroup(groups[i]!);
  const states = accumulators.map((a) => {
    if (a.growth !== undefined) return growthBlob(a.growth.take(groups, whole));
    const values: Value[] = new Array(n);
    for (let i = 0; i < n; i++) values[i] = a.save(groups[i]!);
    return packColumn(values);
  });
  const blob: Blob = [VERSION, closed, keyGroups, columns.pack(groups), states];
  const orders = spill?.orders;
  if (orders !== undefined) {
    const [own, inPart] = [new Float64Array(n), new Uint8Array(n)];
    for (let i = 0; i < n; i++) {
      own[i] = orders[groups[i]!]!;
      inPart[i] = flags[groups[i]!]! & IN_PART;
    }
    blob.push(numbersBlob(own), inPart);
  }
  return pack(blob);
};

/** Groups of one blob of a base: few enough that what they are encoded by is small beside a large table. */
const PIECE_GROUPS = 131_072;

/** All of the groups, whole. */
export const encodePieces = (
  table: BlobTable,
  groups: Int32Array,
  flags: Uint8Array,
): readonly Uint8Array[] => {
  const pieces: Uint8Array[] = [];
  for (let from = 0; from === 0 || from < groups.length; from += PIECE_GROUPS)
    pieces.push(encodeGroups(table, groups.subarray(from, from + PIECE_GROUPS), flags, null, true));
  return pieces;
};

/** About what a group takes in a base, which is in memory until it is written, and of its order. */
export const blobBytes = ({ columns, accumulators, spill }: BlobTable): number =>
  2 + 8 * columns.keys.length + 12 * accumulators.length + (spill?.orders === undefined ? 0 : 16);

export interface LoadedGroups {
  readonly closed: number | null;
  /** The rows that count. */
  readonly rows: Int32Array;
  readonly keyGroups: Uint8Array;
  readonly keys: readonly (readonly Value[])[];
  /** Brings the state `call` of the rows that count into their groups. */
  readonly loadState: (a: Accumulator, call: number, groups: Int32Array) => void;
  readonly orders: readonly Value[] | undefined;
  readonly inPart: Uint8Array | undefined;
}

const rowsThatCount = (keyGroups: Uint8Array, counts: (keyGroup: number) => boolean): Int32Array => {
  const counted = Array.from({ length: KEY_GROUPS }, (_, k) => counts(k));
  const rows = new Int32Array(keyGroups.length);
  let n = 0;
  for (let i = 0; i < keyGroups.length; i++) if (counted[keyGroups[i]!] === true) rows[n++] = i;
  return rows.subarray(0, n);
};

/** `counts`: whether rows of a key group do. */
export const decodeGroups = (bytes: Uint8Array, counts: (keyGroup: number) => boolean): LoadedGroups => {
  const [version, closed, keyGroups, keys, states, orders, inPart] = unpack(bytes) as Blob;
  if (version > VERSION)
    throw new StateCorruptError(`groups are in the format ${version} of a later version`);
  const rows = rowsThatCount(keyGroups, counts);
  return {
    closed,
    rows,
    keyGroups,
    keys: keys.map(unpackColumn),
    loadState: (a, call, groups) => {
      const blob = states[call]!;
      if (isGrowth(blob)) a.growth!.apply(groups, rows, blob[1]);
      else {
        const values = unpackColumn(blob);
        for (let row = 0; row < rows.length; row++) a.load(groups[row]!, values[rows[row]!]!);
      }
    },
    orders: orders === undefined ? undefined : unpackColumn(orders),
    inPart,
  };
};
