import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { rowsOf } from "../../../src/core/batch.ts";
import * as T from "../../../src/core/data-type.ts";
import { ExecutionError } from "../../../src/core/errors.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import type { Row } from "../../../src/core/value.ts";
import type { DecoderOptions, Mode } from "../../../src/connectors/formats/decoder.ts";
import { JsonDecoder } from "../../../src/connectors/formats/json-decoder.ts";

const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text));
const options = (mode: Mode = "permissive", more: Partial<DecoderOptions> = {}): DecoderOptions => ({
  mode,
  corruptColumn: "_corrupt_record",
  timeZone: "UTC",
  ...more,
});
const decode = (fields: readonly T.Field[], texts: readonly string[], o = options(), lines = false): Row[] =>
  rowsOf(new JsonDecoder(schemaOf(fields), o, lines).decode(texts.map(bytes)));
const one = (type: T.DataType, json: string): unknown =>
  decode([T.field("x", type)], [`{"x":${json}}`])[0]![0];

test("a value of each type", () => {
  const cases: readonly (readonly [T.DataType, string, unknown])[] = [
    [T.BOOLEAN, "true", true],
    [T.BOOLEAN, "1", null],
    [T.BYTE, "-128", -128],
    [T.BYTE, "128", null],
    [T.SHORT, "32767", 32767],
    [T.INT, "2147483648", null],
    [T.INT, "-0", 0],
    [T.INT, "1.5", null],
    [T.LONG, "9007199254740993", 9007199254740993n],
    [T.LONG, "-9223372036854775808", -9223372036854775808n],
    [T.LONG, "9223372036854775808", null],
    [T.LONG, "9007199254740991", 9007199254740991],
    [T.LONG, '"5"', null],
    [T.FLOAT, "0.1", Math.fround(0.1)],
    [T.DOUBLE, "1e3", 1000],
    [T.DOUBLE, '"NaN"', NaN],
    [T.DOUBLE, '"-Infinity"', -Infinity],
    [T.decimal(10, 2), "12.345", 1235n],
    [T.decimal(10, 2), '"-0.005"', -1n],
    [T.decimal(3, 2), "10", null],
    [T.decimal(38, 20), "0.1000000000000000055", 10000000000000000550n],
    [T.decimal(38, 0), "12345678901234567890123456789012345678", 12345678901234567890123456789012345678n],
    [T.STRING, "12.50", "12.50"],
    [T.STRING, '{"a": [1.0, "x"]}', '{"a":[1.0,"x"]}'],
    [T.BINARY, '"AQI="', new Uint8Array([1, 2])],
    [T.TIMESTAMP, "1700000000123", 1700000000123],
    [T.TIMESTAMP, '"2024-02-29T01:02:03.456Z"', Date.UTC(2024, 1, 29, 1, 2, 3, 456)],
    [T.TIMESTAMP, '"2024-02-29 01:02:03"', Date.UTC(2024, 1, 29, 1, 2, 3)],
    [T.TIMESTAMP, '"2024-02-29T01:02:03.000250+02:00"', Date.UTC(2024, 1, 28, 23, 2, 3) + 0.25],
    [T.TIMESTAMP, '"2023-02-29T01:02:03Z"', null],
    [T.TIMESTAMP_NTZ, '"2024-02-29T01:02:03"', Date.UTC(2024, 1, 29, 1, 2, 3)],
    [T.DATE, '"2024-02-29"', 19782],
    [T.array(T.INT), "[1,null,3]", [1, null, 3]],
    [
      T.map(T.STRING, T.LONG),
      '{"b":1,"a":9007199254740993}',
      [
        ["b", 1],
        ["a", 9007199254740993n],
      ],
    ],
    [T.struct([T.field("a", T.INT), T.field("b", T.STRING)]), '{"b":"x"}', [null, "x"]],
    [T.struct([T.field("a", T.INT), T.field("b", T.STRING)]), '{"a":"?","b":"x"}', [null, "x"]],
  ];
  for (const [type, json, expected] of cases)
    assert.deepEqual(one(type, json), expected, `${T.typeName(type)} of ${json}`);
});

test("text without a zone is in the session's zone, through its changes", () => {
  const at = (text: string): unknown =>
    decode(
      [T.field("x", T.TIMESTAMP)],
      [`{"x":"${text}"}`],
      options("permissive", { timeZone: "Europe/Paris" }),
    )[0]![0];
  assert.equal(at("2024-01-01T00:00:00"), Date.UTC(2023, 11, 31, 23));
  assert.equal(at("2024-07-01T00:00:00"), Date.UTC(2024, 5, 30, 22));
  assert.equal(at("2024-03-31T02:30:00"), Date.UTC(2024, 2, 31, 1, 30), "in the gap: moved forward");
  assert.equal(at("2024-10-27T02:30:00"), Date.UTC(2024, 9, 27, 0, 30), "in the overlap: the earlier offset");
});

const KV = [T.field("k", T.STRING), T.field("v", T.LONG), T.field("_corrupt_record", T.STRING)];

test("permissive: nulls and the record; the fields that fit stay", () => {
  const rows = decode(KV, [
    '{"k":"a","v":1}',
    "{oops",
    '{"k":"b","v":"x"}',
    "[1]",
    "null",
    "  ",
    '{"k":"c"}',
  ]);
  assert.deepEqual(rows, [
    ["a", 1, null],
    [null, null, "{oops"],
    ["b", null, '{"k":"b","v":"x"}'],
    [null, null, "[1]"],
    [null, null, "null"],
    ["c", null, null],
  ]);
});

test("dropMalformed leaves them out and counts them", () => {
  let corrupt = 0;
  const rows = decode(
    KV.slice(0, 2),
    ['{"k":"a","v":1}', "{oops", '{"k":"b","v":"x"}', '{"k":"c","v":2}'],
    options("dropMalformed", { onCorrupt: (n) => (corrupt += n) }),
  );
  assert.deepEqual(rows, [
    ["a", 1],
    ["c", 2],
  ]);
  assert.equal(corrupt, 2);
});

test("failFast says where and why", () => {
  const decoder = new JsonDecoder(schemaOf(KV.slice(0, 2)), options("failFast"), true);
  assert.throws(
    () =>
      decoder.decode(
        [bytes('{"k":"a","v":1}'), bytes('{"k":"a","v":1}\n{"k":"b","v":1.5}\n')],
        (p) => `stream IN, sequence ${p + 7}`,
      ),
    (e: unknown) =>
      e instanceof ExecutionError &&
      e.errorClass === "MALFORMED_RECORD_IN_PARSING" &&
      /stream IN, sequence 8, row 2: column v: 1.5 is no bigint/.test(e.message),
  );
});

test("ndjson: many rows a message, blank lines none; an array of objects is its rows", () => {
  assert.deepEqual(
    decode(KV.slice(0, 2), ['{"k":"a","v":1}\n\n{"k":"b","v":2}\r\n', '{"k":"c","v":3}'], options(), true),
    [
      ["a", 1],
      ["b", 2],
      ["c", 3],
    ],
  );
  assert.deepEqual(decode(KV.slice(0, 2), ['[{"k":"a","v":9007199254740993},{"k":"b","v":2}]']), [
    ["a", 9007199254740993n],
    ["b", 2],
  ]);
});

test("two broken neighbours never become a row", () => {
  const rows = decode(KV.slice(0, 2), ['{"k":"a","z":[{}', '{"k":"b","v":2}', "{}]}", "{},{}"]);
  assert.deepEqual(rows, [
    [null, null],
    ["b", 2],
    [null, null],
    [null, null],
  ]);
});

test("names every object has are columns like others", () => {
  const fields = [
    T.field("__proto__", T.LONG),
    T.field("constructor", T.STRING),
    T.field("toString", T.STRING),
  ];
  assert.deepEqual(decode(fields, ['{"k":1}', '{"__proto__":5,"constructor":"c","toString":"t"}']), [
    [null, null, null],
    [5, "c", "t"],
  ]);
});

test("random objects decode as JSON.parse reads them, in any grouping", () => {
  const object = fc.record(
    {
      k: fc.option(fc.string({ unit: "binary" })),
      v: fc.option(fc.maxSafeInteger()),
      d: fc.double({ noNaN: true, noDefaultInfinity: true }),
    },
    { requiredKeys: [] },
  );
  const fields = [T.field("k", T.STRING), T.field("v", T.LONG), T.field("d", T.DOUBLE)];
  fc.assert(
    fc.property(fc.array(object, { maxLength: 20 }), fc.nat(20), (objects, cut) => {
      const texts = objects.map((o) => JSON.stringify(o));
      const expected = texts.map((t) => {
        const o = JSON.parse(t) as Record<string, unknown>;
        return [o["k"] ?? null, (o["v"] as number | null) === 0 ? 0 : (o["v"] ?? null), o["d"] ?? null];
      });
      assert.deepEqual(decode(fields, texts), expected);
      assert.deepEqual(
        [...decode(fields, texts.slice(0, cut)), ...decode(fields, texts.slice(cut))],
        expected,
      );
      assert.deepEqual(decode(fields, [texts.join("\n")], options(), true), expected);
    }),
  );
});

test("random text never breaks it: a row of nulls exactly when JSON.parse gives no object", () => {
  const damaged = fc
    .tuple(fc.json(), fc.nat(40), fc.string({ maxLength: 3 }))
    .map(([json, at, insert]) => json.slice(0, at) + insert + json.slice(at + 1));
  fc.assert(
    fc.property(fc.oneof(fc.json(), damaged, fc.string()), (text) => {
      let parsed: unknown;
      try {
        parsed = JSON.parse(text);
      } catch {
        parsed = undefined;
      }
      const rows = decode([T.field("_corrupt_record", T.STRING)], [text]);
      if (text.trim() === "") assert.deepEqual(rows, []);
      else if (
        Array.isArray(parsed) &&
        parsed.every((x) => typeof x === "object" && x !== null && !Array.isArray(x))
      )
        assert.equal(rows.length, parsed.length);
      else if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed))
        assert.deepEqual(rows, [[null]]);
      else assert.deepEqual(rows, [[Buffer.from(text).toString()]]);
    }),
    { numRuns: 500 },
  );
});

test("values that do not fit beside numbers that need care; nesting without end", () => {
  const fields = [T.field("n", T.LONG), T.field("d", T.DATE), T.field("_corrupt_record", T.STRING)];
  const text = '{"n":9007199254740993,"d":{"x":[{}]}}';
  assert.deepEqual(decode(fields, [text]), [[9007199254740993n, null, text]]);
  const deep = `{"n":9007199254740993,"x":${"[".repeat(3000)}${"]".repeat(3000)}}`;
  const rows = decode([T.field("n", T.LONG)], [deep, '{"n":1}']);
  assert.deepEqual(rows[1], [1]);
  assert.equal(rows.length, 2);
});

test("longs of any size are exact", () => {
  fc.assert(
    fc.property(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (n) => {
      const value = one(T.LONG, String(n));
      assert.equal(typeof value === "bigint" ? value : BigInt(value as number), n);
    }),
  );
});
