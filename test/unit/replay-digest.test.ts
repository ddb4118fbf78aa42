/** Law 3's option: the digest says which row went to which reader, wherever frames were cut; readers and leader compare (C6). */
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { batchFromRows } from "../../src/core/batch.ts";
import { epoch, partitionIndex } from "../../src/core/brands.ts";
import { field, LONG, STRING } from "../../src/core/data-type.ts";
import { NondeterministicReplayError } from "../../src/core/errors.ts";
import { schemaOf } from "../../src/core/schema.ts";
import type { Frame } from "../../src/codec/frame.ts";
import { decodeFrame, encodeFrame } from "../../src/codec/frame-codec.ts";
import { Inbox } from "../../src/runtime/inbox.ts";
import { contradiction, ReplayDigest } from "../../src/runtime/replay-digest.ts";

const SCHEMA = schemaOf([field("k", STRING), field("v", LONG)]);

type Sent = readonly [reader: number, k: string | null, v: number];

/** The digest of rows sent in this order, cut into batches of `size`. */
const digestOf = (sent: readonly Sent[], size: number): number => {
  const digest = new ReplayDigest();
  for (const reader of new Set(sent.map(([r]) => r))) {
    const rows = sent.filter(([r]) => r === reader).map(([, k, v]) => [k, v]);
    for (let from = 0; from < rows.length; from += size)
      digest.add(reader, from, batchFromRows(SCHEMA, rows.slice(from, from + size)));
  }
  return digest.take();
};

const rowsSent = fc.array(
  fc.tuple(fc.nat(3), fc.option(fc.string({ maxLength: 3 })), fc.integer({ min: -5, max: 5 })),
  { minLength: 1, maxLength: 30 },
);

test("D1 the digest does not depend on where batches were cut, and is another one for other rows", () => {
  fc.assert(
    fc.property(rowsSent, fc.integer({ min: 1, max: 9 }), fc.nat(), (sent, size, at) => {
      assert.equal(digestOf(sent, size), digestOf(sent, 1000));
      const i = at % sent.length;
      const [reader, k, v] = sent[i]!;
      for (const other of [
        [reader + 1, k, v],
        [reader, k, v + 1],
        [reader, `${k}x`, v],
      ] as Sent[])
        assert.notEqual(
          digestOf(
            sent.map((row, j) => (j === i ? other : row)),
            size,
          ),
          digestOf(sent, size),
        );
    }),
  );
});

test("C6 rows that changed places between two readers give another digest, with the same counts", () => {
  assert.notEqual(digestOf([[0, "a", 1], [1, "b", 2]], 10), digestOf([[0, "b", 2], [1, "a", 1]], 10)); // prettier-ignore
});

const last = (digest: number): Frame => {
  const header = {
    edge: "e0",
    topology: 1,
    partition: partitionIndex(0),
    epoch: epoch(1),
    firstRow: 0,
    rows: 1,
    last: true,
    digest,
  };
  // Through the codec: the digest travels where `last` does.
  return decodeFrame(encodeFrame(header, batchFromRows(SCHEMA, [["a", 1]])), SCHEMA);
};

test("a reader that gets the `last` again with another digest says so", () => {
  const inbox = new Inbox(0, 1);
  assert.equal(inbox.accept(1, last(7)), true);
  assert.equal(inbox.accept(2, last(7)), false);
  assert.throws(() => inbox.accept(3, last(8)), NondeterministicReplayError);
  inbox.take(1);
  assert.deepEqual(inbox.end(1), { "e0/1/0": 7 });
});

test("the leader names the producer of which two readers report different digests", () => {
  assert.equal(contradiction([{ "e0/1/0": 1, "e0/1/1": 2 }, { "e0/1/0": 1 }, {}]), undefined);
  assert.equal(contradiction([{ "e0/1/0": 1 }, { "e0/1/1": 2 }, { "e0/1/1": 3 }]), "e0/1/1");
});
