/** Parts made of an older part and newer rows: rows in order, newer ones instead of older ones, closed ones gone (F1). */
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { PartIndex, type PartRow, PartWriter, rangesOf, rowsOf } from "../../src/state/part-file.ts";
import { mergeParts, type OldPart } from "../../src/state/part-merge.ts";

interface Plain {
  readonly time: number;
  readonly hash: number;
  readonly key: number;
  readonly order: number;
  readonly bytes: number;
}

const encoded = ({ time, hash, key, order, bytes }: Plain): PartRow => ({
  time,
  hash,
  order,
  key: Uint8Array.of(key),
  state: new Uint8Array(bytes).fill(order),
});

/** Few times, hashes and keys: they meet. One row a key. */
const rows = fc
  .array(
    fc.record({
      time: fc.nat(3),
      hash: fc.nat(4),
      key: fc.nat(3),
      order: fc.nat(200),
      // Some fill a block alone.
      bytes: fc.oneof({ weight: 5, arbitrary: fc.nat(9) }, { weight: 1, arbitrary: fc.constant(2500) }),
    }),
    { maxLength: 30 },
  )
  .map((all) => [...new Map(all.map((r) => [idOf(r), { ...r }])).values()]);

const idOf = ({ time, hash, key }: Plain): string => `${time}/${hash}/${key}`;
const placeOf = ({ time, hash }: Plain): number => time * 10 + hash;

const partOf = async (
  old: OldPart | undefined,
  newer: readonly Plain[],
): Promise<{ bytes: Uint8Array; index: PartIndex; rows: Plain[] }> => {
  const writer = new PartWriter(1, 1);
  const heads = newer.map((r, group) => ({ group, hash: r.hash, time: r.time }));
  mergeParts(writer, old, heads, ({ group }) => encoded(newer[group]!));
  const bytes = writer.finish();
  const index = await PartIndex.read(bytes.length, rangesOf(bytes));
  const blocks = await index.readBlocks(
    Array.from({ length: index.blocks }, (_, b) => b),
    rangesOf(bytes),
  );
  const found = blocks
    .flatMap((b) => [...rowsOf(b)])
    .map(({ time, hash, key, order, state }) => ({ time, hash, key: key[0]!, order, bytes: state.length }));
  return { bytes, index, rows: found };
};

test("property: a merged part has what a map of the rows would have, in the order of parts", () =>
  fc.assert(
    fc.asyncProperty(
      rows,
      rows,
      fc.integer({ min: -1, max: 3 }),
      fc.nat(2),
      async (first, newer, closed, shift) => {
        const before = await partOf(undefined, first);
        const after = await partOf({ index: before.index, bytes: before.bytes, shift, closed }, newer);
        const expected = new Map<string, Plain>();
        for (const r of first) if (r.time > closed) expected.set(idOf(r), { ...r, order: r.order + shift });
        for (const r of newer) expected.set(idOf(r), r);
        const all = [...expected.values()];
        assert.deepEqual(new Map(after.rows.map((r) => [idOf(r), r])), expected);
        assert.equal(after.rows.length, all.length);
        assert.deepEqual(
          after.rows.map(placeOf),
          all.map(placeOf).sort((a, b) => a - b),
        );
        assert.equal(after.index.orderMax, Math.max(-1, ...all.map((r) => r.order)));
        for (const r of all) assert.ok(after.index.mayHave(r.hash));
      },
    ),
    { numRuns: 300 },
  ));
