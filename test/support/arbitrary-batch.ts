/** fast-check arbitraries for types, values, schemas and batches of every layout. */
import fc from "fast-check";
import { type Batch, batchFromRows, batchOf } from "../../src/core/batch.ts";
import * as T from "../../src/core/data-type.ts";
import { type Schema, schemaOf } from "../../src/core/schema.ts";
import { canonicalLong, type Row, type Value } from "../../src/core/value.ts";

const FLAT: readonly T.DataType[] = [
  T.BOOLEAN,
  T.BYTE,
  T.SHORT,
  T.INT,
  T.LONG,
  T.FLOAT,
  T.DOUBLE,
  T.STRING,
  T.BINARY,
  T.TIMESTAMP,
  T.TIMESTAMP_NTZ,
  T.DATE,
  T.DAY_TIME_INTERVAL,
  T.YEAR_MONTH_INTERVAL,
  T.decimal(10, 2),
  T.decimal(38, 10),
  T.WINDOW,
];

/** Types, nested ones included. */
export const arbitraryType: fc.Arbitrary<T.DataType> = fc.letrec<{ type: T.DataType }>((tie) => ({
  type: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(...FLAT),
    tie("type").map((e) => T.array(e)),
    fc.tuple(fc.constantFrom(T.STRING, T.LONG), tie("type")).map(([k, v]) => T.map(k, v)),
    fc
      .array(tie("type"), { minLength: 1, maxLength: 3 })
      .map((ts) => T.struct(ts.map((t, i) => T.field(`f${i}`, t)))),
  ),
})).type;

const long = fc
  .oneof(
    { arbitrary: fc.maxSafeInteger().map(BigInt), weight: 6 },
    { arbitrary: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), weight: 1 },
  )
  .map(canonicalLong);
const text = fc.oneof(
  fc.constantFrom("", "a", "b", "__proto__", "constructor", "ä€😀"),
  fc.string({ unit: "binary" }),
);

/** Values of a type, nulls included at every level. */
export const arbitraryValue = (t: T.DataType): fc.Arbitrary<Value> =>
  fc.option(arbitraryNonNull(t), { freq: 6, nil: null });

const arbitraryNonNull = (t: T.DataType): fc.Arbitrary<Value> => {
  switch (t.kind) {
    case "boolean":
      return fc.boolean();
    case "byte":
      return fc.integer({ min: -128, max: 127 });
    case "short":
      return fc.integer({ min: -32768, max: 32767 });
    case "int":
    case "date":
    case "yearMonthInterval":
      return fc.integer();
    case "long":
      return long;
    case "dayTimeInterval":
      return fc.maxSafeInteger();
    case "float":
      return fc.float();
    case "double":
      return fc.double();
    case "timestamp":
    case "timestamp_ntz":
      return fc.integer({ min: -62135596800000, max: 253402300799999 });
    case "decimal":
      return fc.bigInt({ min: -(10n ** BigInt(t.precision)) + 1n, max: 10n ** BigInt(t.precision) - 1n });
    case "string":
      return text;
    case "binary":
      return fc.uint8Array();
    case "array":
      return fc.array(arbitraryValue(t.element), { maxLength: 4 });
    case "map":
      return fc.uniqueArray(fc.tuple(arbitraryNonNull(t.key), arbitraryValue(t.value)), {
        maxLength: 4,
        selector: (e) => String(e[0]),
      });
    case "struct":
      return fc.tuple(...t.fields.map((f) => arbitraryValue(f.type)));
    default:
      return fc.constant(null);
  }
};

export const arbitrarySchema = (columnsMax = 5): fc.Arbitrary<Schema> =>
  fc
    .array(arbitraryType, { minLength: 1, maxLength: columnsMax })
    .map((types) => schemaOf(types.map((t, i) => T.field(`c${i}`, t))));

/** Batches of at least one physical row, with and without a selection vector. */
export const arbitraryBatch = (rowsMax = 40): fc.Arbitrary<Batch> =>
  arbitrarySchema().chain((schema) =>
    fc
      .array(fc.tuple(...schema.fields.map((f) => arbitraryValue(f.type))) as fc.Arbitrary<Row>, {
        minLength: 1,
        maxLength: rowsMax,
      })
      .chain((rows) => {
        const batch = batchFromRows(schema, rows);
        return fc
          .option(fc.subarray(rows.map((_, i) => i)), { nil: undefined })
          .map((s) => batchOf(schema, batch.length, batch.columns, s && Int32Array.from(s)));
      }),
  );
