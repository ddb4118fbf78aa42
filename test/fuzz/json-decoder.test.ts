/**
 * The generated JSON decoder against JSON.parse and the full rules (`plain`): the same rows, problems, corrupt records and counts for every text,
 * whole or damaged, in every grouping. A failure prints the seed; FUZZ_SEED repeats it, FUZZ_RUNS sets the number of runs.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { rowsOf } from "../../src/core/batch.ts";
import * as T from "../../src/core/data-type.ts";
import { ExecutionError } from "../../src/core/errors.ts";
import { schemaOf } from "../../src/core/schema.ts";
import type { ColumnPath } from "../../src/connectors/source.ts";
import type { DecoderOptions, Mode } from "../../src/connectors/formats/decoder.ts";
import { JsonDecoder, type JsonDecoderExtras } from "../../src/connectors/formats/json-decoder.ts";

const RUNS = Number(process.env["FUZZ_RUNS"] ?? 1000);
const SEED = Number(process.env["FUZZ_SEED"] ?? Date.now() % 2 ** 31);
const check = <T>(arbitrary: fc.Arbitrary<T>, property: (x: T) => void, runs = RUNS): void => {
  fc.assert(fc.property(arbitrary, property), { numRuns: runs, seed: SEED });
};

const INNER = T.struct([
  T.field("id", T.LONG),
  T.field("né", T.STRING),
  T.field("deep", T.struct([T.field("x", T.DOUBLE), T.field("t", T.TIMESTAMP)])),
]);
const DECLARED = schemaOf([
  T.field("b", T.BOOLEAN),
  T.field("y", T.BYTE),
  T.field("i", T.INT),
  T.field("long name of a field", T.LONG),
  T.field("d", T.DOUBLE),
  T.field("f", T.FLOAT),
  T.field("str", T.STRING),
  T.field("ts", T.TIMESTAMP),
  T.field("ntz", T.TIMESTAMP_NTZ),
  T.field("day", T.DATE),
  T.field("dec", T.decimal(12, 3)),
  T.field("list", T.array(T.LONG)),
  T.field("inner", INNER),
  T.field("__proto__", T.LONG),
  T.field("", T.INT),
  T.field("_corrupt_record", T.STRING),
]);
const NAMES = [...DECLARED.fields.map((f) => f.name), "other", "id", "né", "deep", "x", "t", "strr"];

interface Reading {
  readonly fields: readonly T.Field[];
  readonly paths?: readonly (ColumnPath | undefined)[];
}
const at = (...path: string[]): ColumnPath => ({ path, presence: false });
const field = T.field;
const READINGS: readonly Reading[] = [
  { fields: DECLARED.fields },
  {
    fields: DECLARED.fields.filter((f) =>
      ["str", "long name of a field", "_corrupt_record"].includes(f.name),
    ),
  },
  { fields: [field("_corrupt_record", T.STRING)] },
  { fields: [field("inner", INNER)] },
  {
    fields: [
      field("inner", T.BOOLEAN),
      field("inner.id", T.LONG),
      field("str", T.STRING),
      field("q", T.TIMESTAMP),
    ],
    paths: [{ path: ["inner"], presence: true }, at("inner", "id"), undefined, at("inner", "deep", "t")],
  },
  {
    fields: [field("p", T.BOOLEAN), field("né", T.STRING), field("_corrupt_record", T.STRING)],
    paths: [{ path: ["inner", "deep"], presence: true }, at("inner", "né"), undefined],
  },
];

const number = fc.oneof(
  fc.integer().map(String),
  fc.bigInt({ min: -(2n ** 65n), max: 2n ** 65n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.tuple(fc.integer(), fc.nat(99999)).map(([a, b]) => `${a}.${b}`),
  fc.constantFrom(
    "0",
    "-0",
    "-0.0",
    "1e5",
    "1E-7",
    "1e999",
    "01",
    "-",
    "1.",
    ".5",
    "1e",
    "127",
    "128",
    "9007199254740993",
  ),
);
const time = fc.oneof(
  fc.date({ noInvalidDate: true }).map((d) => d.toISOString()),
  fc.constantFrom(
    "2024-02-29T01:02:03Z",
    "2024-02-29 01:02:03.123456Z",
    "2023-02-29T00:00:00Z",
    "2024-02-29",
    "2024-01-01T00:00:00+02:00",
    "24:00",
  ),
  fc
    .tuple(fc.nat(99), fc.nat(99))
    .map(([a, b]) => `2024-${String(a).padStart(2, "0")}-10T${String(b).padStart(2, "0")}:00:00.5Z`),
);
const text = fc.oneof(
  fc.string({ unit: "binary" }).map((s) => JSON.stringify(s)),
  fc.string({ maxLength: 40 }).map((s) => JSON.stringify(s)),
  time.map((s) => `"${s}"`),
  fc.constantFrom(
    '"a"',
    '"a\\/b"',
    '"\\u0041"',
    '"\\ud800"',
    '"\\q"',
    '"a\tb"',
    '"NaN"',
    '"12"',
    '"\\\\"',
    '"\\""',
    '"x',
  ),
);
const name = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(...NAMES).map((n) => JSON.stringify(n)) },
  text,
);
const blank = fc.oneof(
  { weight: 8, arbitrary: fc.constant("") },
  fc.constantFrom(" ", "\t", "\r", "\n", "\u00a0", " \n "),
);

const { value } = fc.letrec<{ value: string; object: string }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, depthSize: "small" },
    { weight: 4, arbitrary: number },
    { weight: 4, arbitrary: text },
    { weight: 3, arbitrary: fc.constantFrom("true", "false", "null", "tru", "nul", "undefined", "") },
    { weight: 4, arbitrary: tie("object") },
    { weight: 1, arbitrary: fc.array(tie("value"), { maxLength: 3 }).map((a) => `[${a.join(",")}]`) },
  ),
  object: fc
    .array(fc.tuple(blank, name, blank, tie("value"), blank), { maxLength: 5 })
    .map((a) => `{${a.map(([p, n, q, v, r]) => `${p}${n}${q}:${v}${r}`).join(",")}}`),
}));
/** Mostly right: names with values that fit them. */
const FITTING: readonly (readonly [string, fc.Arbitrary<string>])[] = [
  ["b", fc.constantFrom("true", "false", "null")],
  ["y", fc.integer({ min: -128, max: 127 }).map(String)],
  ["i", fc.integer().map(String)],
  ["long name of a field", fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String)],
  ["d", fc.double({ noNaN: true, noDefaultInfinity: true }).map(String)],
  ["f", fc.double({ noNaN: true, noDefaultInfinity: true }).map(String)],
  ["str", text],
  [
    "ts",
    fc.oneof(
      time.map((s) => `"${s}"`),
      fc.maxSafeInteger().map(String),
    ),
  ],
  ["ntz", time.map((s) => `"${s.replace("Z", "")}"`)],
  ["day", time.map((s) => `"${s.slice(0, 10)}"`)],
  ["dec", number],
  [
    "inner",
    fc
      .tuple(number, text, number)
      .map(([a, b, c]) => `{"id":${a},"né":${b},"z":{"x":[{}]},"deep":{"x":${c}}}`),
  ],
  ["other", value],
];
const pair = fc
  .constantFrom(...FITTING)
  .chain(([n, v]) =>
    fc.oneof({ weight: 6, arbitrary: v }, fc.constant("null")).map((x) => `${JSON.stringify(n)}:${x}`),
  );
/** Some names come twice: the last one counts. */
const fitting = fc.array(pair, { maxLength: 7 }).map((parts) => `{${parts.join(",")}}`);
const record = fc.oneof(
  fitting,
  value,
  fc.array(fitting, { maxLength: 3 }).map((a) => `[${a.join(", ")}]`),
);

const damaged = fc
  .tuple(record, fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.nat(3)), { maxLength: 3 }))
  .map(([t, cuts]) => {
    let bytes = Buffer.from(t);
    for (const [where, byte, how] of cuts) {
      const p = where % (bytes.length + 1);
      if (how === 0) bytes = Buffer.concat([bytes.subarray(0, p), bytes.subarray(p + 1)]);
      else if (how === 1) bytes = bytes.subarray(0, p);
      else bytes = Buffer.concat([bytes.subarray(0, p), Buffer.from([byte]), bytes.subarray(p + (how - 2))]);
    }
    return new Uint8Array(bytes);
  });

type Outcome = { readonly rows: unknown; readonly corrupt: number } | { readonly error: string };

const outcome = (
  reading: Reading,
  mode: Mode,
  lines: boolean,
  plain: boolean,
  run: (d: JsonDecoder) => unknown[],
): Outcome => {
  let corrupt = 0;
  const options: DecoderOptions = {
    mode,
    corruptColumn: "_corrupt_record",
    timeZone: "Europe/Paris",
    onCorrupt: (n) => (corrupt += n),
  };
  const projection = { declared: DECLARED, paths: reading.paths ?? [] };
  const extras: JsonDecoderExtras = { projection, plain };
  try {
    return { rows: run(new JsonDecoder(schemaOf(reading.fields), options, lines, extras)), corrupt };
  } catch (e) {
    if (!(e instanceof ExecutionError)) throw e;
    return { error: (e as Error).message };
  }
};

/** Payloads in one memory, as they come from a socket: what stands behind one must not matter. */
const together = (payloads: readonly Uint8Array[]): Uint8Array[] => {
  const all = Buffer.concat(payloads);
  let from = 0;
  return payloads.map(
    (p) => new Uint8Array(all.buffer, all.byteOffset + from, (from += p.length) - from + p.length),
  );
};

const MODES: readonly Mode[] = ["permissive", "dropMalformed", "failFast"];
const anyReading = fc.constantFrom(...READINGS);
const payloads = fc.array(
  fc.oneof(
    damaged,
    record.map((t) => new Uint8Array(Buffer.from(t))),
  ),
  { maxLength: 8 },
);

test("messages: generated and plain decoders agree", (t) => {
  t.diagnostic(`seed ${SEED}`);
  check(fc.tuple(anyReading, fc.constantFrom(...MODES), payloads), ([reading, mode, list]) => {
    const run = (d: JsonDecoder): unknown[] => rowsOf(d.decode(list, (p) => `message ${p}`));
    const packed = (d: JsonDecoder): unknown[] => rowsOf(d.decode(together(list), (p) => `message ${p}`));
    const expected = outcome(reading, mode, false, true, run);
    assert.deepEqual(outcome(reading, mode, false, false, run), expected);
    assert.deepEqual(outcome(reading, mode, false, false, packed), expected);
  });
});

test("lines: generated and plain decoders agree, cut anywhere", () => {
  check(
    fc.tuple(anyReading, fc.constantFrom(...MODES), payloads, fc.integer({ min: 1, max: 4 })),
    ([reading, mode, list, limit]) => {
      const blob = Buffer.concat(list.flatMap((l) => [l, Buffer.from("\n")]));
      const whole = (d: JsonDecoder): unknown[] => rowsOf(d.decode([blob], (p) => `message ${p}`));
      assert.deepEqual(outcome(reading, mode, true, false, whole), outcome(reading, mode, true, true, whole));
      const parts =
        (most: number) =>
        (d: JsonDecoder): unknown[] => {
          const rows: unknown[] = [];
          for (let from = 0; from < blob.length;) {
            const { batch, next } = d.decodeLines(blob, from, most, (start) => `line at ${start}`);
            rows.push(...rowsOf(batch));
            assert.ok(next > from);
            from = next;
          }
          return rows;
        };
      const expected = outcome(reading, mode, false, true, parts(1000));
      assert.deepEqual(outcome(reading, mode, false, false, parts(limit)), expected);
      assert.deepEqual(outcome(reading, mode, false, false, parts(1000)), expected);
    },
  );
});

test("one decoder over many batches: dictionaries, pauses and wide longs", () => {
  const words = fc.oneof(fc.constantFrom("a", "b", "café", 'q"', "\\"), fc.string({ maxLength: 12 }));
  const rows = fc.array(fc.tuple(words, fc.oneof(fc.integer(), fc.constant(null))), { maxLength: 400 });
  check(
    fc.array(rows, { minLength: 1, maxLength: 6 }),
    (batches) => {
      const schema = schemaOf([T.field("s", T.STRING), T.field("v", T.LONG)]);
      const options: DecoderOptions = { mode: "failFast", corruptColumn: "c", timeZone: "UTC" };
      const decoder = new JsonDecoder(schema, options, true);
      const decoded = batches.map((b) =>
        decoder.decode([Buffer.from(b.map(([s, v]) => JSON.stringify({ s, v })).join("\n"))]),
      );
      assert.deepEqual(
        decoded.map(rowsOf),
        batches.map((b) => b.map(([s, v]) => [s, v])),
      );
    },
    100,
  );
});
