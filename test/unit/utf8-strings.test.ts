/** Strings as bytes give the same rows as strings as texts: alone, through frames, joined, split by key. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { decodeFrame, encodeFrame } from "../../src/codec/frame-codec.ts";
import { type Batch, batchOf, rowsOf } from "../../src/core/batch.ts";
import { concatBatches } from "../../src/core/batch-concat.ts";
import { epoch, partitionIndex } from "../../src/core/brands.ts";
import { ExecutionError } from "../../src/core/errors.ts";
import { field, STRING } from "../../src/core/data-type.ts";
import { schemaOf } from "../../src/core/schema.ts";
import { Utf8Strings } from "../../src/core/utf8-strings.ts";
import { type StringVector, vectorOf } from "../../src/core/vector.ts";
import { Exchange } from "../../src/runtime/exchange.ts";

const schema = schemaOf([field("s", STRING, true)]);
/** ASCII, other letters, halves of pairs, and long ones. */
const text = fc.oneof(
  fc.string({ maxLength: 40 }),
  fc.string({ unit: "binary", maxLength: 10 }),
  fc.constantFrom("\ud800", "a\udc00b", "", "x".repeat(300), "ü".repeat(300)),
);
const column = fc.array(fc.option(text), { maxLength: 30 });

/** A batch whose strings are bytes; unused entries stand between. */
const bytesBatch = (values: readonly (string | null)[]): Batch => {
  const dictionary = new Utf8Strings(1, 4);
  const nulls = Uint8Array.from(values, (v) => (v === null ? 1 : 0));
  const data = Int32Array.from(values, (v) => {
    if (v === null) return 0;
    if (v.length % 3 === 0) dictionary.push("unused");
    return dictionary.push(v);
  });
  return batchOf(schema, values.length, [
    { layout: "dict", data, dictionary, nulls: nulls.includes(1) ? nulls : undefined },
  ]);
};
const header = (rows: number) => ({
  edge: "e0",
  topology: 1,
  partition: partitionIndex(0),
  epoch: epoch(1),
  firstRow: 0,
  rows,
  last: true,
});
const exact = (b: Batch): boolean => ((b.columns[0] as StringVector).dictionary as Utf8Strings).exact;
const framed = (b: Batch): Batch => decodeFrame(encodeFrame(header(b.length), b), schema).batch!;

test("bytes: what was pushed or appended is there as text, whatever stands in memory", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(text, fc.boolean()), { maxLength: 40 }), (entries) => {
      const strings = new Utf8Strings(0, 0);
      const expected = entries.map(([s, append]) => {
        if (!append) {
          strings.push(s);
          return s;
        }
        const bytes = Buffer.from(`  ${s}`);
        strings.open();
        strings.append(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 2, bytes.length);
        strings.close();
        return bytes.toString().slice(2);
      });
      assert.deepEqual(
        expected.map((_, i) => strings.at(i)),
        expected,
      );
      assert.equal(
        strings.ascii,
        expected.every((s) => Buffer.byteLength(s) === s.length),
      );
    }),
  );
});

test("bytes that are no UTF-8 become the text that a decoder makes of them", () => {
  const bytes = Buffer.from([0x61, 0xff, 0x62]);
  const strings = new Utf8Strings();
  strings.append(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.length), 0, 3);
  strings.close();
  assert.equal(strings.at(0), "a\ufffdb");
  assert.deepEqual(strings.bytes.subarray(0, strings.byteLength), Buffer.from("a\ufffdb"));
});

test("frames and joined batches keep every string", () => {
  fc.assert(
    fc.property(fc.array(column, { minLength: 1, maxLength: 4 }), (columns) => {
      const batches = columns.map(bytesBatch);
      const expected = columns.flat().map((v) => [v]);
      assert.deepEqual(rowsOf(concatBatches(batches)), expected);
      const sent = batches.filter((b) => b.length > 0).map(framed);
      // A lone surrogate has no UTF-8: msgpack carries a replacement.
      if (sent.length > 0 && batches.every(exact)) assert.deepEqual(rowsOf(concatBatches(sent)), expected);
    }),
  );
});

test("rows go where the same rows go as texts", () => {
  const exchange = new Exchange([{ kind: "slot", index: 0, name: "s", type: STRING, nullable: true }], 7);
  const context = { epoch: 1, clockMs: 0, timeZone: "UTC" };
  fc.assert(
    fc.property(column, (values) => {
      const texts = batchOf(schema, values.length, [vectorOf(STRING, values)]);
      const rows = (b: Batch): unknown =>
        exchange.split(b, context).map((p) => (p === undefined ? [] : rowsOf(p)));
      assert.deepEqual(rows(bytesBatch(values)), rows(texts));
    }),
  );
});

test("what is shown is what would be taken, whatever is appended later", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme" }), { minLength: 1, maxLength: 40 }),
      fc.nat(),
      fc.nat(),
      fc.boolean(),
      (texts, a, b, neighbours) => {
        const strings = new Utf8Strings(0, 0);
        for (const t of texts) strings.push(t);
        const [from, count] = [a % texts.length, b % (texts.length + 1)];
        const ids = neighbours
          ? Int32Array.from({ length: Math.min(count, texts.length - from) }, (_, k) => from + k)
          : Int32Array.from({ length: count }, (_, k) => (k * (b + 1) + a) % texts.length);
        const [shown, taken] = [strings.show(ids, ids.length), strings.take(ids, ids.length)];
        for (let k = 0; k < 100; k++) strings.push("later");
        const all = (s: Utf8Strings): string[] => Array.from({ length: s.length }, (_, k) => s.at(k));
        assert.deepEqual(all(shown), all(taken));
        assert.deepEqual(Buffer.from(shown.bytes), taken.bytes.subarray(0, taken.byteLength));
        assert.deepEqual([...shown.ends], [...taken.ends]);
        assert.equal(shown.ascii, taken.ascii);
        shown.push("more");
        assert.equal(strings.at(0), texts[0]);
      },
    ),
  );
});

test("strings that are more than 2 GiB together are refused: their ends would begin anew below zero", () => {
  const strings = Utf8Strings.of(1, Int32Array.of(0, 0x7fff_ff00), Buffer.alloc(0), true);
  assert.throws(() => strings.push("x".repeat(1000)), ExecutionError);
});
