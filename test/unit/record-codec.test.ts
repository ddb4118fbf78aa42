/** The record of a store as bytes: what is written comes back, and records of older programs are read. */
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { pack, packPlain } from "../../src/codec/msgpack.ts";
import { MemoryBackend } from "../../src/state/backend.ts";
import { decodeRecord, encodeRecord } from "../../src/state/record-codec.ts";
import { type BlobInfo, STATE_FORMAT, StateStore } from "../../src/state/store.ts";

const lineage = { checkpoint: "c", stage: 1, topology: 1, partition: 0, fingerprint: "f" };
const recordOf = (blobs: readonly BlobInfo[]) => ({
  format: STATE_FORMAT,
  lineage,
  epoch: 7,
  resume: 12,
  mailboxCreated: "m",
  maxima: { w: { s: 3 } },
  blobs,
});

const count = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const PLAIN = { noNullPrototype: true };
const known = { table: fc.constantFrom("a/t", "b/t", ""), epoch: fc.maxSafeNat(), bytes: count, crc: count };
const blob: fc.Arbitrary<BlobInfo> = fc.oneof(
  fc.record({ ...known, base: fc.constant(false) }, PLAIN),
  fc.record({ ...known, base: fc.constant(true) }, PLAIN),
  fc.record({ ...known, base: fc.constant(true), rows: count }, PLAIN),
  fc.record({ ...known, base: fc.constant(true), piece: fc.integer({ min: 1, max: 2 ** 20 }) }, PLAIN),
);

test("what is written comes back", () => {
  fc.assert(
    fc.property(fc.array(blob), (blobs) => {
      const record = recordOf(blobs);
      assert.deepEqual(decodeRecord(encodeRecord(record)), record);
    }),
  );
});

test("a record of an older program is read", () => {
  const record = recordOf([{ table: "a/t", epoch: 3, base: true, bytes: 5, crc: 9, rows: 2 }]);
  assert.deepEqual(decodeRecord(pack(record)), record);
});

test("many small deltas become a base before the record grows long", async () => {
  const store = new StateStore(new MemoryBackend(), "p", lineage);
  const table = store.registry("op").keyed<number>("t");
  let longest = 0;
  for (let epoch = 1; epoch <= 300; epoch++) {
    table.put(`k${epoch % 10}`, epoch, 0);
    const pending = store.drain(epoch, epoch, "m");
    longest = Math.max(longest, pending.record.blobs.length);
    await store.commit(pending);
  }
  assert.ok(longest > 20 && longest < 80, `${longest} blobs`);
});

test("M3: a short value packed after a long one does not keep its memory", () => {
  pack(new Uint8Array(4 << 20));
  for (let i = 0; i < 4; i++) {
    assert.ok(pack([i, "short"]).buffer.byteLength < 1 << 18);
    packPlain(Array.from({ length: 500_000 }, (_, k) => k));
  }
});
