/** A part and newer rows of its key group become a new part. */
import { keyAt, type PartIndex, type PartRow, type PartWriter, sameBytes, scanRows } from "./part-file.ts";

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

/** Writes the rows of `old` that no newer row replaces and the newer ones, in the order of parts (F1). */
export const mergeParts = (
  writer: PartWriter,
  old: OldPart | undefined,
  newer: readonly PartHead[],
  encode: (head: PartHead) => PartRow,
): void => {
  const heads = newer.toSorted((a, b) => (a.time === b.time ? a.hash - b.hash : a.time < b.time ? -1 : 1));
  let next = 0;
  if (old !== undefined) {
    const { bytes, shift, closed } = old;
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    /** Newer rows with the time and hash of the row at hand, written already. */
    let same: PartRow[] = [];
    scanRows(view, 0, old.index.rowBytes, (at, time, hash) => {
      if (time <= closed) return;
      if (same.length > 0 && (same[0]!.time !== time || same[0]!.hash !== hash)) same = [];
      for (; next < heads.length; next++) {
        const head = heads[next]!;
        if (head.time === time ? head.hash > hash : head.time > time) break;
        const mine = encode(head);
        writer.add(mine);
        if (head.time === time && head.hash === hash) same.push(mine);
      }
      if (same.length > 0 && same.some((s) => sameBytes(s.key, keyAt(bytes, view, at)))) return;
      writer.addOld(bytes, view, at, shift);
    });
  }
  for (; next < heads.length; next++) writer.add(encode(heads[next]!));
};
