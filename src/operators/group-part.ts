/** Parts of an aggregate table on disk, and how groups of the table become rows of a new one (group-spill.ts). */
import { pack, packPlain } from "../codec/msgpack.ts";
import { type PartIndex, type PartRow, PartWriter } from "../state/part-file.ts";
import { mergeParts, type PartHead } from "../state/part-merge.ts";
import type { BlobInfo } from "../state/store.ts";
import type { SpillHost } from "./spill-host.ts";

export interface Part {
  readonly info: BlobInfo;
  readonly index: PartIndex;
  readonly shift: number;
  live: number;
}

/** A part to be made of changed groups of key group `k` and the part before; `bytes`: of that. */
export interface Rewrite {
  readonly k: number;
  readonly groups: Int32Array;
  readonly old: Part | undefined;
  readonly bytes: number;
}

export const NO_BYTES = new Uint8Array(0);
/** About what a row takes. */
const ROW_BYTES = 48;

const headsOf = ({ columns, closingPart }: SpillHost, groups: Int32Array): readonly PartHead[] => {
  const times = closingPart < 0 ? undefined : columns.parts[closingPart]!;
  return Array.from(groups, (group) => ({ group, hash: columns.hash(group), time: times?.[group] ?? 0 }));
};

const rowOf = (
  { accumulators, columns }: SpillHost,
  { group, hash, time }: PartHead,
  order: number,
): PartRow => {
  const key = packPlain(columns.values(group));
  const state = accumulators.length === 0 ? NO_BYTES : pack(accumulators.map((a) => a.save(group)));
  return { hash, time, order, key, state };
};

/** A new part. `bytes`: those of the part before; its rows with a time up to `closed` are gone. */
export const mergedPart = (
  host: SpillHost,
  { groups, old }: Rewrite,
  bytes: Uint8Array,
  orders: Float64Array,
  closed: number,
): Uint8Array => {
  const writer = new PartWriter((old?.live ?? 0) + groups.length, bytes.length + groups.length * ROW_BYTES);
  const before = old && { index: old.index, bytes, shift: old.shift, closed };
  mergeParts(writer, before, headsOf(host, groups), (head) => rowOf(host, head, orders[head.group]!));
  return writer.finish();
};
