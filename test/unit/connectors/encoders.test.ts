import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { batchFromRows, batchOf, rowsOf } from "../../../src/core/batch.ts";
import * as T from "../../../src/core/data-type.ts";
import { ConfigurationError, ExecutionError } from "../../../src/core/errors.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import type { Row, Value } from "../../../src/core/value.ts";
import { type Encoding, encoderOf, jsonLines } from "../../../src/connectors/formats/encoder.ts";
import { JsonDecoder } from "../../../src/connectors/formats/json-decoder.ts";
import { MsgpackDecoder } from "../../../src/connectors/formats/msgpack-decoder.ts";
import { rowDecoder, rowEncoder } from "../../../src/connectors/formats/row-record.ts";

const ISO = { millis: false, ignoreNullFields: false };
const FAIL = { mode: "failFast", corruptColumn: "_c", timeZone: "UTC" } as const;
const text = (encoding: Encoding, type: T.DataType, value: Value, options = ISO): string =>
  Buffer.from(
    encoderOf(encoding, schemaOf([T.field("x", type)]), options).encode(
      batchFromRows(schemaOf([T.field("x", type)]), [[value]]),
    )[0]!,
  ).toString();

test("JSON of each type", () => {
  const cases: readonly (readonly [T.DataType, Value, string])[] = [
    [T.BOOLEAN, true, "true"],
    [T.LONG, 9007199254740993n, "9007199254740993"],
    [T.LONG, -5, "-5"],
    [T.DOUBLE, NaN, '"NaN"'],
    [T.DOUBLE, -Infinity, '"-Infinity"'],
    [T.DOUBLE, 0.1, "0.1"],
    [T.FLOAT, Math.fround(0.1), "0.1"],
    [T.decimal(10, 2), -5n, '"-0.05"'],
    [T.STRING, 'a"\n', '"a\\"\\n"'],
    [T.BINARY, new Uint8Array([1, 2]), '"AQI="'],
    [T.TIMESTAMP, 1700000000123.5, '"2023-11-14T22:13:20.123Z"'],
    [T.TIMESTAMP, -1, '"1969-12-31T23:59:59.999Z"'],
    [T.TIMESTAMP_NTZ, 0, '"1970-01-01T00:00:00.000"'],
    [T.DATE, 19782, '"2024-02-29"'],
    [T.array(T.INT), [1, null], "[1,null]"],
    [T.map(T.LONG, T.STRING), [[1, "a"]], '{"1":"a"}'],
    [T.WINDOW, [0, 10_000], '{"start":"1970-01-01T00:00:00.000Z","end":"1970-01-01T00:00:10.000Z"}'],
    [T.STRING, null, "null"],
  ];
  for (const [type, value, json] of cases)
    assert.equal(text("json", type, value), `{"x":${json}}`, T.typeName(type));
  assert.equal(text("json", T.TIMESTAMP, 1700000000123, { ...ISO, millis: true }), '{"x":1700000000123}');
  assert.equal(text("json", T.STRING, null, { ...ISO, ignoreNullFields: true }), "{}");
  assert.equal(text("json", T.STRING, "null", { ...ISO, ignoreNullFields: true }), '{"x":"null"}');
});

test("only live rows are written, names are quoted, wide characters too", () => {
  const schema = schemaOf([T.field('a"b', T.STRING), T.field("__proto__", T.LONG)]);
  const batch = batchFromRows(schema, [
    ["é€😀", 1],
    ["b", 2],
    [null, 3],
  ]);
  const some = batchOf(schema, 3, batch.columns, Int32Array.of(0, 2));
  assert.deepEqual(
    encoderOf("json", schema, ISO)
      .encode(some)
      .map((p) => Buffer.from(p).toString()),
    ['{"a\\"b":"é€😀","__proto__":1}', '{"a\\"b":null,"__proto__":3}'],
  );
});

test("raw writes one column's bytes and needs one", () => {
  assert.equal(text("raw", T.STRING, "hello"), "hello");
  assert.equal(text("raw", T.BINARY, new Uint8Array([104, 105])), "hi");
  assert.throws(() => encoderOf("raw", schemaOf([T.field("x", T.LONG)]), ISO), ConfigurationError);
});

const long = fc
  .bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n })
  .map((n) => (BigInt.asIntN(53, n) === n && n > -(2n ** 53n) ? Number(n) : n));
const canonical = long.map((n) =>
  typeof n === "bigint" && n >= -9007199254740991n && n <= 9007199254740991n ? Number(n) : n,
);
const orNull = (a: fc.Arbitrary<Value>): fc.Arbitrary<Value> => fc.option(a, { nil: null, freq: 6 });
const positive = (a: fc.Arbitrary<number>): fc.Arbitrary<number> => a.map((x) => x + 0);
const COLUMNS: readonly (readonly [T.DataType, fc.Arbitrary<Value>])[] = [
  [T.BOOLEAN, fc.boolean()],
  [T.INT, fc.integer()],
  [T.LONG, canonical as fc.Arbitrary<Value>],
  [T.DOUBLE, positive(fc.double())],
  [T.FLOAT, positive(fc.float())],
  [T.decimal(38, 5), fc.bigInt({ min: -(10n ** 38n) + 1n, max: 10n ** 38n - 1n })],
  [T.STRING, fc.string({ unit: "binary" })],
  [T.BINARY, fc.uint8Array({ maxLength: 8 })],
  [T.TIMESTAMP, fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 })],
  [T.DATE, fc.integer({ min: -719_162, max: 2_932_896 })],
  [T.array(T.LONG), fc.array(orNull(canonical as fc.Arbitrary<Value>), { maxLength: 3 })],
  [
    T.map(T.STRING, T.decimal(20, 2)),
    fc
      .uniqueArray(fc.tuple(fc.string(), orNull(fc.bigInt({ min: 0n, max: 999n }))), {
        selector: ([k]) => k,
        maxLength: 3,
      })
      .map((m) => m.filter(([k]) => !/^\d+$/.test(k))) as fc.Arbitrary<Value>,
  ],
  [
    T.struct([T.field("a", T.STRING), T.field("b", T.TIMESTAMP)]),
    fc.tuple(orNull(fc.string()), orNull(fc.integer({ min: 0, max: 4e12 }))) as fc.Arbitrary<Value>,
  ],
];
const SCHEMA = schemaOf(COLUMNS.map(([type], i) => T.field(`c${i}`, type)));
const row: fc.Arbitrary<Row> = fc.tuple(...COLUMNS.map(([, a]) => orNull(a)));

test("rows written as bytes are the rows written as texts", () => {
  const encoders = [false, true].flatMap((millis) =>
    [false, true].map((ignoreNullFields) => {
      const options = { millis, ignoreNullFields };
      return { options, encoder: encoderOf("json", SCHEMA, options) };
    }),
  );
  const texts = ["", "plain", "é€😀", 'a"b', "\\", "\n", "\u007f", "\ud800", "null"];
  const long = fc.oneof(
    fc.maxSafeInteger(),
    fc.constantFrom(0, -0, 9, 10, 99_999_999, 1e8, -1e8, 2 ** 53 - 1, 1 - 2 ** 53),
  );
  const pick = fc.tuple(fc.constantFrom(...texts), fc.integer(), long);
  fc.assert(
    fc.property(fc.array(fc.tuple(row, fc.option(pick, { nil: null })), { maxLength: 8 }), (rows) => {
      const batch = batchFromRows(
        SCHEMA,
        rows.map(([r, p]) =>
          p === null ? r : r.map((v, c) => (c === 6 ? p[0] : c === 1 ? p[1] : c === 2 ? p[2] + 0 : v)),
        ),
      );
      const some = batchOf(
        SCHEMA,
        rows.length,
        batch.columns,
        Int32Array.from(rows.keys()).filter((i) => i % 3 !== 1),
      );
      for (const { options, encoder } of encoders)
        for (const b of [batch, some]) {
          const { bytes, ends } = encoder.encodeRows(b);
          const lines = Array.from({ length: ends.length - 1 }, (_, k) =>
            bytes.toString("utf8", ends[k], ends[k + 1]),
          );
          assert.deepEqual(lines, jsonLines(b, options));
        }
    }),
    { numRuns: 300 },
  );
});

test("any row comes back from JSON, msgpack and a memory source's record", () => {
  const json = encoderOf("json", SCHEMA, ISO);
  const msgpack = encoderOf("msgpack", SCHEMA, ISO);
  const record = rowEncoder(SCHEMA);
  const fromRecord = rowDecoder(SCHEMA, SCHEMA);
  fc.assert(
    fc.property(fc.array(row, { maxLength: 6 }), (rows) => {
      const batch = batchFromRows(SCHEMA, rows);
      assert.deepEqual(rowsOf(new JsonDecoder(SCHEMA, FAIL, false).decode(json.encode(batch))), rows, "json");
      assert.deepEqual(
        rowsOf(new MsgpackDecoder(SCHEMA, FAIL).decode(msgpack.encode(batch))),
        rows,
        "msgpack",
      );
      assert.deepEqual(rowsOf(fromRecord(rows.map(record))), rows, "record");
    }),
    { numRuns: 200 },
  );
});

test("damaged msgpack is a malformed record, never a crash", () => {
  const encode = encoderOf("msgpack", SCHEMA, ISO);
  const decoder = new MsgpackDecoder(schemaOf([T.field("c0", T.BOOLEAN), T.field("_c", T.STRING)]), {
    ...FAIL,
    mode: "permissive",
  });
  fc.assert(
    fc.property(row, fc.nat(), fc.nat(255), fc.boolean(), (r, at, byte, cut) => {
      const bytes = Uint8Array.from(encode.encode(batchFromRows(SCHEMA, [r]))[0]!);
      bytes[at % bytes.length] = byte;
      const damaged = cut ? bytes.subarray(0, at % bytes.length) : bytes;
      for (const [, corrupt] of rowsOf(decoder.decode([damaged])))
        assert.ok(corrupt === null || corrupt === Buffer.from(damaged).toString("base64"));
    }),
  );
  assert.throws(
    () => new MsgpackDecoder(SCHEMA, FAIL).decode([Uint8Array.of(0xc1)], () => "stream S, sequence 3"),
    (e: unknown) => e instanceof ExecutionError && /stream S, sequence 3/.test(e.message),
  );
});
