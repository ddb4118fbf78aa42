import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { arbitraryBatch } from "../support/arbitrary-batch.ts";
import { decodeFrame, decodeHeader, encodeFrame } from "../../src/codec/frame-codec.ts";
import type { FrameHeader } from "../../src/codec/frame.ts";
import { type Batch, batchFromRows, compact, rowCount, rowsOf, takeRows } from "../../src/core/batch.ts";
import { epoch, partitionIndex } from "../../src/core/brands.ts";
import * as T from "../../src/core/data-type.ts";
import { FrameError } from "../../src/core/errors.ts";
import { schemaOf } from "../../src/core/schema.ts";
import { stringAt } from "../../src/core/vector.ts";

const headerOf = (rows: number): FrameHeader => ({
  edge: "2:left",
  topology: 1,
  partition: partitionIndex(3),
  epoch: epoch(70_000),
  firstRow: 12,
  rows,
  last: true,
});

const five: Batch = batchFromRows(
  schemaOf([
    T.field("a", T.LONG),
    T.field("b", T.DOUBLE),
    T.field("c", T.STRING),
    T.field("d", T.BOOLEAN),
    T.field("e", T.array(T.DOUBLE)),
  ]),
  Array.from({ length: 20 }, (_, i) => [
    i === 7 ? null : i,
    [0.5, -0, NaN, Infinity][i % 4]!,
    `k${i % 3}`,
    i % 2 === 0,
    [i, -0, null],
  ]),
);

test("frame: any batch round trips", () => {
  fc.assert(
    fc.property(arbitraryBatch(), (batch) => {
      const rows = rowCount(batch);
      const frame = decodeFrame(encodeFrame(headerOf(rows), batch), batch.schema);
      assert.deepEqual(frame.header, headerOf(rows));
      assert.deepStrictEqual(frame.batch === undefined ? [] : rowsOf(frame.batch), rowsOf(batch));
      frame.batch?.columns.forEach((c, i) => assert.equal(c.layout, batch.columns[i]!.layout));
    }),
    { numRuns: 400 },
  );
});

test("frame: any range of the live rows round trips", () => {
  fc.assert(
    fc.property(arbitraryBatch(), fc.nat(), fc.nat(), (batch, a, b) => {
      const live = rowCount(batch);
      const from = a % (live + 1);
      const to = from + (b % (live - from + 1));
      const frame = decodeFrame(encodeFrame(headerOf(to - from), batch, { from, to }), batch.schema);
      const expected = rowsOf(compact(batch)).slice(from, to);
      assert.deepStrictEqual(frame.batch === undefined ? [] : rowsOf(frame.batch), expected);
    }),
    { numRuns: 200 },
  );
});

test("frame: -0, NaN and infinities survive in columns and in nested values", () => {
  const out = decodeFrame(encodeFrame(headerOf(20), five), five.schema).batch!;
  assert.ok(Object.is(rowsOf(out)[1]![1], -0));
  assert.ok(Object.is((rowsOf(out)[1]![4] as number[])[1], -0));
});

test("frame: only used strings travel", () => {
  const wide = batchFromRows(
    schemaOf([T.field("s", T.STRING)]),
    Array.from({ length: 5000 }, (_, i) => [`string number ${i}`]),
  );
  const some = takeRows(wide, Int32Array.of(4000, 17, 4000));
  const bytes = encodeFrame(headerOf(3), some);
  assert.ok(bytes.length < 150, `${bytes.length} bytes`);
  assert.deepEqual(rowsOf(decodeFrame(bytes, wide.schema).batch!), [
    ["string number 4000"],
    ["string number 17"],
    ["string number 4000"],
  ]);
});

test("frame: dictionaries of every id width and columns of nulls only", () => {
  for (const distinct of [1, 256, 257, 65536, 65537]) {
    const b = batchFromRows(
      schemaOf([T.field("s", T.STRING)]),
      Array.from({ length: distinct }, (_, i) => [String(i)]),
    );
    assert.deepEqual(rowsOf(decodeFrame(encodeFrame(headerOf(distinct), b), b.schema).batch!), rowsOf(b));
  }
  const nulls = batchFromRows(schemaOf([T.field("s", T.STRING)]), [[null], [null]]);
  const out = decodeFrame(encodeFrame(headerOf(2), nulls), nulls.schema).batch!;
  assert.deepEqual(rowsOf(out), [[null], [null]]);
  const column = out.columns[0]!;
  assert.ok(column.layout === "dict" && typeof stringAt(column.dictionary, column.data[0]!) === "string");
});

test("frame: a frame without rows carries its header", () => {
  const bytes = encodeFrame(headerOf(0), undefined);
  assert.deepEqual(decodeHeader(bytes), headerOf(0));
  assert.equal(decodeFrame(bytes, five.schema).batch, undefined);
});

test("frame: truncated at any length is a FrameError", () => {
  const bytes = encodeFrame(headerOf(20), five);
  for (let n = 0; n < bytes.length; n++)
    assert.throws(() => decodeFrame(bytes.slice(0, n), five.schema), FrameError, `length ${n}`);
  assert.throws(() => decodeFrame(Buffer.concat([bytes, Buffer.of(0)]), five.schema), FrameError);
});

test("frame: any flipped bit is a FrameError", () => {
  const bytes = encodeFrame(headerOf(20), five);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const damaged = Uint8Array.from(bytes);
    damaged[bit >>> 3]! ^= 1 << (bit & 7);
    assert.throws(() => decodeFrame(damaged, five.schema), FrameError, `bit ${bit}`);
    assert.throws(() => decodeHeader(damaged), FrameError, `bit ${bit} of a header`);
  }
});

test("frame: random bytes are a FrameError", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.throws(() => decodeFrame(bytes, five.schema), FrameError);
    }),
  );
});

test("frame: another schema or version is a FrameError that says so", () => {
  const bytes = encodeFrame(headerOf(20), five);
  const other = schemaOf([...five.schema.fields.slice(0, 4), T.field("e", T.array(T.LONG))]);
  assert.throws(() => decodeFrame(bytes, other), /another schema/);
  const newer = Uint8Array.from(bytes);
  newer[newer.indexOf(0xc4) - 1] = 2;
  assert.throws(() => decodeFrame(newer, five.schema), /version 2 is unknown/);
});

test("frame: decoded vectors own their memory", () => {
  const bytes = encodeFrame(headerOf(20), five);
  const frame = decodeFrame(bytes, five.schema);
  bytes.fill(0xff);
  assert.deepEqual(rowsOf(frame.batch!), rowsOf(five));
});

test("frame: a wrong number of rows is refused when encoding", () => {
  assert.throws(() => encodeFrame(headerOf(3), five), FrameError);
  assert.throws(() => encodeFrame(headerOf(3), undefined), FrameError);
});

test("frame: a long one round trips in memory of its size, and a short or changed one is refused", () => {
  const rows = Array.from({ length: 5000 }, (_, i) => [
    i % 11 === 0 ? null : i,
    i / 3,
    `k${i}`,
    i % 2 === 0,
    [i, -0, null],
  ]);
  const batch = batchFromRows(five.schema, rows);
  const bytes = encodeFrame(headerOf(rows.length), batch);
  assert.equal(bytes.buffer.byteLength, bytes.length);
  assert.deepStrictEqual(rowsOf(decodeFrame(bytes, five.schema).batch!), rowsOf(batch));
  for (const cut of [1, 9, 12, bytes.length >> 1, bytes.length - 1])
    assert.throws(() => decodeHeader(bytes.slice(0, cut)), FrameError);
  for (const at of [0, 6, 9, 20, bytes.length >> 1, bytes.length - 1]) {
    const changed = bytes.slice();
    changed[at]! ^= 1;
    assert.throws(() => decodeHeader(changed), FrameError);
  }
});
