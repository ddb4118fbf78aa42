/** Groups of an aggregate table as a blob, and back. */
import { pack, unpack } from "../codec/msgpack.ts";
import type { Value } from "../core/value.ts";
import type { Accumulator } from "../expr/contract.ts";
import { type ColumnBlob, numbersBlob, packColumn, unpackColumn } from "./column-blob.ts";
import type { GroupColumns } from "./group-columns.ts";
import type { GroupSpill } from "./group-spill.ts";
import { IN_PART } from "./spill-host.ts";

type Blob = [
  version: 1,
  closed: number | null,
  keyGroups: Uint8Array,
  keys: ColumnBlob[],
  states: ColumnBlob[],
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

export const encodeGroups = (
  { columns, accumulators, spill }: BlobTable,
  groups: Int32Array,
  flags: Uint8Array,
  closed: number | null,
): Uint8Array => {
  const keyGroups = Uint8Array.from(groups, (g) => columns.keyGroup(g));
  const states = accumulators.map((a) => packColumn(Array.from(groups, (g) => a.save(g))));
  const blob: Blob = [1, closed, keyGroups, columns.pack(groups), states];
  const orders = spill?.orders;
  if (orders !== undefined) {
    blob.push(numbersBlob(Float64Array.from(groups, (g) => orders[g]!)));
    blob.push(Uint8Array.from(groups, (g) => flags[g]! & IN_PART));
  }
  return pack(blob);
};

export interface LoadedGroups {
  readonly closed: number | null;
  /** The rows that count. */
  readonly rows: Int32Array;
  readonly keyGroups: Uint8Array;
  readonly keys: readonly (readonly Value[])[];
  readonly states: readonly (readonly Value[])[];
  readonly orders: readonly Value[] | undefined;
  readonly inPart: Uint8Array | undefined;
}

/** `counts`: whether rows of a key group do. */
export const decodeGroups = (bytes: Uint8Array, counts: (keyGroup: number) => boolean): LoadedGroups => {
  const [, closed, keyGroups, keys, states, orders, inPart] = unpack(bytes) as Blob;
  return {
    closed,
    rows: Int32Array.from(keyGroups.keys()).filter((i) => counts(keyGroups[i]!)),
    keyGroups,
    keys: keys.map(unpackColumn),
    states: states.map(unpackColumn),
    orders: orders === undefined ? undefined : unpackColumn(orders),
    inPart,
  };
};
