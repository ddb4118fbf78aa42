/** Rows through a pipe that breaks: what is not known to be stored is given again, in order, and nothing else. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type EpochRows, RowFlow } from "../../src/connectors/nats-rows.ts";
import { UnavailableError } from "../../src/core/errors.ts";
import type { NatsPipe, NatsRows } from "../../src/log/nats-access.ts";

/** Stores what is offered, but for the last `held` messages until somebody settles; breaks when told to. */
class TestPipe implements NatsPipe {
  acknowledged = 0;
  readonly #stored: number[];
  readonly #held: number[] = [];
  readonly #hold: number;
  #messagesLeft: number;
  closed = false;

  constructor(stored: number[], hold: number, messagesLeft: number) {
    this.#stored = stored;
    this.#hold = hold;
    this.#messagesLeft = messagesLeft;
  }

  async offer(rows: NatsRows): Promise<void> {
    for (let i = rows.first; i < rows.end; i++) {
      if (this.#messagesLeft-- <= 0) throw new UnavailableError("broken");
      this.#held.push(rows.row + i);
      if (this.#held.length > this.#hold) this.#store();
    }
  }

  #store(): void {
    this.#stored.push(this.#held.shift()!);
    this.acknowledged++;
  }

  async delivered(): Promise<void> {
    while (this.#held.length > 0) {
      if (this.#messagesLeft-- <= 0) throw new UnavailableError("broken");
      this.#store();
    }
  }

  close(): void {
    this.closed = true;
  }
}

const rowsOf = (epoch: number, row: number, count: number): EpochRows => ({
  epoch,
  bytes: Buffer.alloc(count),
  ends: Int32Array.from({ length: count + 1 }, (_, i) => i),
  first: 0,
  end: count,
  label: `${epoch}/`,
  row,
});

test("every row is stored, in order, and again only what was not known to be stored", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(fc.integer({ min: 1, max: 7 }), { maxLength: 6 }), { maxLength: 4 }),
      fc.array(fc.nat(20), { maxLength: 6 }),
      fc.nat(10),
      async (epochs, breaks, hold) => {
        const stored: number[] = [];
        const pipes: TestPipe[] = [];
        let recovered = 0;
        const flow = new RowFlow({
          open: () => {
            assert.ok(
              pipes.every((p) => p.closed),
              "one pipe at a time",
            );
            pipes.push(new TestPipe(stored, hold, breaks[pipes.length] ?? Infinity));
            return pipes.at(-1)!;
          },
          check: () => {},
          recover: async () => void recovered++,
          missing: (rows) => [rows],
        });
        let row = 0;
        for (const [epoch, counts] of epochs.entries()) {
          for (const count of counts) {
            await flow.give(rowsOf(epoch, row, count));
            row += count;
          }
          await flow.settle();
          assert.deepEqual(
            [...new Set(stored)],
            Array.from({ length: row }, (_, i) => i),
          );
        }
        // A break sends again whole parts of at most seven rows, from the first that is not stored on.
        assert.ok(stored.length <= row + recovered * (7 + hold + 7));
        assert.equal(pipes.length, row === 0 ? 0 : recovered + 1);
      },
    ),
  );
});

test("what a scan found is left out, and another way takes over", async () => {
  const stored: number[] = [];
  const single: number[] = [];
  let over = false;
  const flow = new RowFlow({
    open: () => new TestPipe(stored, 0, 5),
    check: () => {},
    recover: async () => void (over = true),
    missing: (rows) => {
      const first = Math.max(rows.first, Math.min(rows.end, stored.length - rows.row));
      return first < rows.end ? [{ ...rows, first }] : [];
    },
    instead: () =>
      over
        ? async (rows) => {
            for (let i = rows.first; i < rows.end; i++) single.push(rows.row + i);
          }
        : undefined,
  });
  await flow.give(rowsOf(1, 0, 3));
  await flow.give(rowsOf(1, 3, 4));
  await flow.give(rowsOf(1, 7, 2));
  await flow.settle();
  assert.deepEqual(stored, [0, 1, 2, 3, 4]);
  assert.deepEqual(single, [5, 6, 7, 8]);
});

test("a failure that recovery throws ends it", async () => {
  const flow = new RowFlow({
    open: () => new TestPipe([], 0, 1),
    check: () => {},
    recover: (e) => Promise.reject(e as Error),
    missing: (rows) => [rows],
  });
  await assert.rejects(flow.give(rowsOf(1, 0, 3)), UnavailableError);
});
