/** Laws 3, 5 and 6 at the inbox: I1-I3, C1, C2's reader side, whatever was sent again or cut otherwise. */
import { test } from "node:test";
import assert from "node:assert/strict";
import fc from "fast-check";
import { batchFromRows, rowsOf } from "../../src/core/batch.ts";
import { epoch, partitionIndex } from "../../src/core/brands.ts";
import { field, LONG } from "../../src/core/data-type.ts";
import { NondeterministicReplayError } from "../../src/core/errors.ts";
import { schemaOf } from "../../src/core/schema.ts";
import type { Frame } from "../../src/codec/frame.ts";
import { Inbox } from "../../src/runtime/inbox.ts";

const SCHEMA = schemaOf([field("v", LONG)]);
const PRODUCERS = ["e0/1/0", "e0/1/1"];

/** Rows `from..to` of a producer's epoch; the value says which row it is. */
const frame = (p: number, e: number, from: number, to: number, last = false): Frame => ({
  header: {
    edge: "e0",
    topology: 1,
    partition: partitionIndex(p),
    epoch: epoch(e),
    firstRow: from,
    rows: to - from,
    last,
  },
  batch:
    to === from
      ? undefined
      : batchFromRows(
          SCHEMA,
          Array.from({ length: to - from }, (_, i) => [p * 1_000_000 + e * 1_000 + from + i]),
        ),
});

const values = (inbox: Inbox, e: number): number[] =>
  inbox.take(e).flatMap((r) => rowsOf(r.batch).map((row) => Number(row[0])));

test("I1 rows sent again or cut otherwise are taken once, in order", () => {
  const inbox = new Inbox(0, 1);
  inbox.accept(1, frame(0, 1, 0, 3));
  inbox.accept(2, frame(0, 1, 0, 2));
  inbox.accept(3, frame(0, 1, 2, 5));
  inbox.accept(4, frame(0, 1, 5, 6, true));
  inbox.accept(5, frame(0, 1, 0, 6, true));
  assert.deepEqual(values(inbox, 1), [1000, 1001, 1002, 1003, 1004, 1005]);
});

test("a frame behind a hole is dropped and comes again (C2)", () => {
  const inbox = new Inbox(0, 1);
  assert.equal(inbox.accept(1, frame(0, 1, 2, 4, true)), false);
  assert.equal(inbox.complete(1, ["e0/1/0"]), false);
  inbox.accept(2, frame(0, 1, 0, 2));
  inbox.accept(3, frame(0, 1, 2, 4, true));
  assert.deepEqual(values(inbox, 1), [1000, 1001, 1002, 1003]);
  assert.equal(inbox.complete(1, ["e0/1/0"]), true);
});

test("C1 a `last` without rows of a later epoch holds `resume` back", () => {
  const inbox = new Inbox(0, 1);
  inbox.accept(1, frame(0, 1, 0, 1, true));
  inbox.accept(2, frame(0, 2, 0, 0, true));
  inbox.accept(3, frame(1, 1, 0, 1, true));
  assert.equal(inbox.complete(1, PRODUCERS), true);
  inbox.take(1);
  inbox.end(1);
  assert.equal(inbox.resume(), 2);
});

test("an epoch is complete only with the `last` of every producer (law 5)", () => {
  const inbox = new Inbox(0, 1);
  inbox.accept(1, frame(0, 1, 0, 1, true));
  assert.equal(inbox.complete(1, PRODUCERS), false);
  inbox.accept(2, frame(1, 1, 0, 0));
  assert.equal(inbox.complete(1, PRODUCERS), false);
  inbox.accept(3, frame(1, 1, 0, 0, true));
  assert.equal(inbox.complete(1, PRODUCERS), true);
});

test("an ended epoch is dropped, also three epochs back", () => {
  const inbox = new Inbox(3, 10);
  for (const e of [1, 2, 3]) assert.equal(inbox.accept(9 + e, frame(0, e, 0, 2, true)), false);
  assert.equal(inbox.duplicates, 3);
  assert.equal(inbox.resume(), 13);
});

test("another number of rows is NondeterministicReplayError", () => {
  const more = new Inbox(0, 1);
  more.accept(1, frame(0, 1, 0, 2, true));
  assert.throws(() => more.accept(2, frame(0, 1, 0, 3, true)), NondeterministicReplayError);
  const fewer = new Inbox(0, 1);
  fewer.accept(1, frame(0, 1, 0, 2));
  assert.throws(() => fewer.accept(2, frame(0, 1, 0, 1, true)), NondeterministicReplayError);
  const after = new Inbox(0, 1);
  after.accept(1, frame(0, 1, 0, 2, true));
  assert.throws(() => after.accept(2, frame(0, 1, 2, 4)), NondeterministicReplayError);
});

/** Two copies of two producers, each cutting frames its own way, sending an epoch as often as it likes. */
const history = fc.record({
  rows: fc.array(fc.tuple(fc.nat(6), fc.nat(6)), { minLength: 1, maxLength: 4 }),
  cuts: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 8, maxLength: 8 }),
  picks: fc.infiniteStream(fc.nat(1_000)),
});

test("I1-I3 for any re-sends, cuts and crashes of the reader", () => {
  fc.assert(
    fc.property(history, ({ rows, cuts, picks }) => {
      const next = (n: number): number => Number(picks.next().value) % n;
      const log: Frame[] = [];
      // Each copy sends its epochs in order, cut its own way; the copies alternate as the picks say.
      const copies = [0, 1, 2, 3].map((c) => {
        const frames: Frame[] = [];
        rows.forEach((counts, i) => {
          const n = counts[c % 2]!;
          const size = cuts[(c * 2 + i) % cuts.length]!;
          for (let from = 0; ; from += size) {
            const to = Math.min(n, from + size);
            frames.push(frame(c % 2, i + 1, from, to, to === n));
            if (to === n) break;
          }
        });
        return frames;
      });
      while (copies.some((c) => c.length > 0)) {
        const from = copies.filter((c) => c.length > 0);
        log.push(from[next(from.length)]!.shift()!);
      }
      let [ended, resume] = [0, 1];
      const got: number[][] = [];
      let inbox = new Inbox(ended, resume);
      while (ended < rows.length) {
        const taken: number[] = [];
        if (next(3) === 0) inbox = new Inbox(ended, resume);
        while (!inbox.complete(ended + 1, PRODUCERS)) {
          assert.ok(inbox.next <= log.length, "rows of the epoch are lost: resume was too far");
          inbox.accept(inbox.next, log[inbox.next - 1]!);
          taken.push(...values(inbox, ended + 1));
        }
        taken.push(...values(inbox, ended + 1));
        inbox.end(++ended);
        resume = inbox.resume();
        got.push(taken);
      }
      rows.forEach((counts, i) => {
        const expected = counts.flatMap((n, p) =>
          Array.from({ length: n }, (_, r) => p * 1_000_000 + (i + 1) * 1_000 + r),
        );
        assert.deepEqual(
          [...got[i]!].sort((a, b) => a - b),
          expected,
        );
      });
    }),
  );
});
