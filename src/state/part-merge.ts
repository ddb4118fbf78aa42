/** A part and newer rows of its key group become a new part. */
import { type PartIndex, type PartRow, type PartWriter, rowsOf, sameBytes } from "./part-file.ts";

/** A newer row, before it is encoded. */
export interface PartHead {
  readonly group: number;
  readonly hash: number;
  readonly time: number;
}

export interface OldPart {
  readonly index: PartIndex;
  readonly bytes: Uint8Array;
  readonly shift: number;
  /** Rows with a time up to this are gone. */
  readonly closed: number;
}

const isAfter = (a: PartHead, b: PartRow): boolean => (a.time === b.time ? a.hash > b.hash : a.time > b.time);

/** Writes the rows of `old` that no newer row replaces and the newer ones, in the order of parts (F1). */
export const mergeParts = (
  writer: PartWriter,
  old: OldPart | undefined,
  newer: readonly PartHead[],
  encode: (head: PartHead) => PartRow,
): void => {
  const heads = newer.toSorted((a, b) => (a.time === b.time ? a.hash - b.hash : a.time < b.time ? -1 : 1));
  let next = 0;
  /** Newer rows with the time and hash of the row at hand, written already. */
  let same: PartRow[] = [];
  for (const row of old === undefined ? [] : rowsIn(old)) {
    if (row.time <= old!.closed) continue;
    if (same.length > 0 && (same[0]!.time !== row.time || same[0]!.hash !== row.hash)) same = [];
    for (; next < heads.length && !isAfter(heads[next]!, row); next++) {
      const mine = encode(heads[next]!);
      writer.add(mine);
      if (mine.time === row.time && mine.hash === row.hash) same.push(mine);
    }
    if (same.some((s) => sameBytes(s.key, row.key))) continue;
    writer.add(old!.shift === 0 ? row : { ...row, order: row.order + old!.shift });
  }
  for (; next < heads.length; next++) writer.add(encode(heads[next]!));
};

const rowsIn = function* ({ index, bytes }: OldPart): Generator<PartRow, void> {
  for (let b = 0; b < index.blocks; b++) yield* rowsOf(index.slice(bytes, b));
};
