/** The outbox (laws 3 and 4): X1-X2, one `last` per reader and epoch, rows numbered from 0; and space in mailboxes (law 8). */
import { test } from "node:test";
import assert from "node:assert/strict";
import { batchFromRows } from "../../src/core/batch.ts";
import { field, LONG, STRING } from "../../src/core/data-type.ts";
import { ConfigurationError } from "../../src/core/errors.ts";
import { FRAME_BYTES_MAX, FRAME_ROWS_MAX } from "../../src/core/limits.ts";
import { schemaOf } from "../../src/core/schema.ts";
import { decodeHeader } from "../../src/codec/frame-codec.ts";
import type { Log, Publisher } from "../../src/log/log.ts";
import type { Edge } from "../../src/plan/physical.ts";
import { lowerSpace, watchSpace } from "../../src/runtime/mailbox-space.ts";
import { Outbox } from "../../src/runtime/outbox.ts";
import { settle } from "../../src/testing/virtual-clock.ts";

const SCHEMA = schemaOf([field("v", LONG)]);
const EDGE: Edge = { id: "e0", from: 0, to: 1, schema: SCHEMA, hashBy: [] };
const CONTEXT = { clockMs: 0, timeZone: "UTC" };

const WIDE = schemaOf([field("s", STRING)]);
const WIDE_EDGE: Edge = { ...EDGE, schema: WIDE };

class Recorder implements Publisher {
  readonly sent: Uint8Array[] = [];
  readonly recordBytesMax: number;
  constructor(recordBytesMax = Infinity) {
    this.recordBytesMax = recordBytesMax;
  }
  full: ((limit: string, oldest: Uint8Array) => void) | undefined;
  failed: unknown;
  send(payload: Uint8Array): undefined {
    this.sent.push(payload);
  }
  delivered(): Promise<void> {
    return Promise.resolve();
  }
  onFull(handler: (limit: string, oldest: Uint8Array) => void): void {
    this.full = handler;
  }
  fail(error: unknown): void {
    this.failed = error;
  }
  close(): void {}
  headers(): string[] {
    return this.sent.map((p) => {
      const h = decodeHeader(p);
      return `${h.epoch}:${h.firstRow}+${h.rows}${h.last ? " last" : ""}`;
    });
  }
}

const rows = (n: number): ReturnType<typeof batchFromRows> =>
  batchFromRows(
    SCHEMA,
    Array.from({ length: n }, (_, i) => [i]),
  );

test("X1 every reader gets one `last` an epoch, rows or not, numbered from 0", async () => {
  const readers = [new Recorder(), new Recorder()];
  const outbox = new Outbox([EDGE], [readers], { topology: 1, partition: 0 });
  await outbox.write(rows(3), 1, CONTEXT);
  await outbox.write(rows(2), 1, CONTEXT);
  await outbox.end(1);
  await outbox.end(2);
  assert.deepEqual(readers[0]!.headers(), ["1:0+5 last", "2:0+0 last"]);
  assert.deepEqual(readers[1]!.headers(), ["1:0+0 last", "2:0+0 last"]);
});

test("X2 many rows are cut into frames that follow each other", async () => {
  const reader = new Recorder();
  const outbox = new Outbox([EDGE], [[reader]], { topology: 1, partition: 0 });
  await outbox.write(rows(FRAME_ROWS_MAX * 2 + 5), 1, CONTEXT);
  await outbox.write(rows(1), 1, CONTEXT);
  await outbox.end(1);
  const headers = reader.sent.map(decodeHeader);
  let next = 0;
  for (const h of headers) {
    assert.equal(h.firstRow, next);
    next += h.rows;
  }
  assert.equal(next, FRAME_ROWS_MAX * 2 + 6);
  assert.equal(headers.filter((h) => h.last).length, 1);
  assert.ok(headers.at(-1)!.last);
});

/** What happens when a mailbox refuses a frame of `epoch` while `committed` epochs are done. */
const refused = async (
  epoch: number,
  committed: number,
  setMaxBytes: (n: number) => Promise<void>,
): Promise<Recorder> => {
  const p = new Recorder();
  const frames = new Recorder();
  await new Outbox([EDGE], [[frames]], { topology: 1, partition: 0 }).end(epoch);
  const log = { bounds: () => Promise.resolve({ bytes: 900 }), setMaxBytes } as unknown as Log;
  watchSpace(log, p, { committed }, 1_000, () => {});
  p.full!("max_bytes of 1000", frames.sent[0]!);
  await settle();
  return p;
};

test("law 8: the limit is raised for the oldest unfinished epoch, and only for it", async () => {
  const raised: number[] = [];
  const raise = (n: number): Promise<void> => Promise.resolve(void raised.push(n));
  await refused(6, 4, raise);
  assert.deepEqual(raised, []);
  await refused(5, 4, raise);
  assert.equal(raised.length, 1);
  assert.ok(raised[0]! > 1_000);
});

test("law 8: where it cannot be raised the publisher fails with the setting's name", async () => {
  const p = await refused(5, 4, () => Promise.reject(new Error("no room in the account")));
  assert.ok(p.failed instanceof ConfigurationError);
  assert.match(p.failed.message, /mailboxMaxBytes/);
});

test("law 8: a raised limit is lowered when little is held, never below what is on its way", async () => {
  const lowered = async (bytes: number, maxBytes: number): Promise<number[]> => {
    const to: number[] = [];
    const log = {
      bounds: () => Promise.resolve({ bytes, maxBytes }),
      setMaxBytes: (n: number) => Promise.resolve(void to.push(n)),
    } as unknown as Log;
    await lowerSpace(log, 1_000);
    return to;
  };
  assert.deepEqual(await lowered(250, 4_000), [1_000]);
  assert.deepEqual(await lowered(251, 4_000), []);
  assert.deepEqual(await lowered(0, 1_000), []);
  assert.deepEqual(await lowered(0, 500), []);
});

test("X4 wide rows are cut into frames that a broker takes; narrow ones behind them fill frames again", async () => {
  const reader = new Recorder();
  const outbox = new Outbox([WIDE_EDGE], [[reader]], { topology: 1, partition: 0 });
  const wide = Array.from({ length: 9_000 }, (_, i) => [`${i}`.padEnd(400, "x")]);
  await outbox.write(batchFromRows(WIDE, wide), 1, CONTEXT);
  await outbox.end(1);
  assert.ok(reader.sent.every((f) => f.length <= FRAME_BYTES_MAX));
  const headers = reader.sent.map(decodeHeader);
  let rows = 0;
  for (const h of headers) {
    assert.equal(h.firstRow, rows);
    rows += h.rows;
  }
  assert.equal(rows, 9_000);
  assert.deepEqual(
    headers.map((h) => h.last),
    headers.map((_, i) => i === headers.length - 1),
  );
  const one = [["y".repeat(FRAME_BYTES_MAX * 2)], ["z"]];
  await outbox.write(batchFromRows(WIDE, one), 2, CONTEXT);
  await outbox.end(2);
  const second = reader.sent.map(decodeHeader).filter((h) => h.epoch === 2);
  assert.deepEqual(
    second.map((h) => [h.firstRow, h.rows, h.last]),
    [
      [0, 1, false],
      [1, 1, true],
    ],
  );
  for (let e = 3; e < 20; e++) {
    await outbox.write(
      batchFromRows(
        WIDE,
        Array.from({ length: 8_000 }, () => ["n"]),
      ),
      e,
      CONTEXT,
    );
    await outbox.end(e);
  }
  assert.equal(decodeHeader(reader.sent.at(-1)!).rows, 8_000);
});

test("X4 frames follow a broker that takes less; a row that it cannot take is named with its size", async () => {
  const small = new Recorder(64 * 1024);
  const outbox = new Outbox([WIDE_EDGE], [[small]], { topology: 1, partition: 3 });
  const wide = Array.from({ length: 9_000 }, (_, i) => [`${i}`.padEnd(400, "x")]);
  await outbox.write(batchFromRows(WIDE, wide), 1, CONTEXT);
  await outbox.end(1);
  assert.ok(small.sent.every((f) => f.length <= 64 * 1024));
  const rows = small.sent.map(decodeHeader).reduce((n, h) => n + h.rows, 0);
  assert.equal(rows, 9_000);
  await outbox.write(batchFromRows(WIDE, [["a"], ["y".repeat(64 * 1024)]]), 2, CONTEXT);
  await assert.rejects(outbox.end(2), /row 1 of epoch 2 \(partition 3\) is 65\d+ bytes .* takes 65536/);
});
