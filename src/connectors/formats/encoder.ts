/**
 * Encoders: the live rows of a batch to bytes, one payload a row. Output holds the columns only; a row's bytes depend on nothing but its
 * values and the options.
 */
import { Packr } from "msgpackr";
import { type Batch, rowCount } from "../../core/batch.ts";
import type { DataType } from "../../core/data-type.ts";
import { ConfigurationError } from "../../core/errors.ts";
import type { Schema } from "../../core/schema.ts";
import type { Value } from "../../core/value.ts";
import { stringAt, valueAt, type Vector } from "../../core/vector.ts";
import { type EncodedRows, JsonEncoder } from "./json-encoder.ts";
import {
  decimalText,
  doubleJson,
  floatJson,
  jsonText,
  type JsonTextOptions,
  timestampJson,
  timestampNtzJson,
} from "./json-text.ts";

export interface Encoder {
  /** One payload for each live row, in order. */
  encode(batch: Batch): readonly Uint8Array[];
  /** The same, one behind the other. */
  encodeRows(batch: Batch): EncodedRows;
}

/** A payload each, without a copy. */
const payloadsOf = ({ bytes, ends }: EncodedRows): Uint8Array[] =>
  Array.from({ length: ends.length - 1 }, (_, k) => bytes.subarray(ends[k], ends[k + 1]));

/** An encoder that makes payloads. */
const ofPayloads = (encode: Encoder["encode"]): Encoder => ({
  encode,
  encodeRows(batch) {
    const payloads = encode(batch);
    const ends = new Int32Array(payloads.length + 1);
    payloads.forEach((p, k) => (ends[k + 1] = ends[k]! + p.length));
    return { bytes: Buffer.concat(payloads), ends };
  },
});

/** The live rows of a column, each as JSON text. */
const columnTexts = (v: Vector, type: DataType, batch: Batch, options: JsonTextOptions): string[] => {
  const n = rowCount(batch);
  const { selection } = batch;
  const texts: string[] = new Array(n);
  if (v.layout === "dict") {
    const quoted: string[] = new Array(v.dictionary.length);
    for (let k = 0; k < n; k++) {
      const id = v.data[selection === undefined ? k : selection[k]!]!;
      texts[k] = quoted[id] ??= JSON.stringify(stringAt(v.dictionary, id));
    }
  } else if (v.layout === "f64" && (type.kind === "timestamp" || type.kind === "timestamp_ntz")) {
    const text = type.kind === "timestamp" ? timestampJson : timestampNtzJson;
    for (let k = 0; k < n; k++)
      texts[k] = text(v.data[selection === undefined ? k : selection[k]!]!, options);
  } else if (v.layout === "f64" && (type.kind === "double" || type.kind === "float")) {
    const text = type.kind === "double" ? doubleJson : floatJson;
    for (let k = 0; k < n; k++) texts[k] = text(v.data[selection === undefined ? k : selection[k]!]!);
  } else if (v.layout === "f64" || (v.layout === "i32" && type.kind !== "date")) {
    for (let k = 0; k < n; k++) texts[k] = String(v.data[selection === undefined ? k : selection[k]!]!);
  } else {
    for (let k = 0; k < n; k++)
      texts[k] = jsonText(valueAt(v, selection === undefined ? k : selection[k]!), type, options);
  }
  if (v.nulls !== undefined)
    for (let k = 0; k < n; k++)
      if (v.nulls[selection === undefined ? k : selection[k]!] === 1) texts[k] = "null";
  return texts;
};

/** The live rows of a batch as JSON objects. */
export const jsonLines = (batch: Batch, options: JsonTextOptions): string[] => {
  const { fields } = batch.schema;
  const names = fields.map(
    (f, c) => `${c === 0 || options.ignoreNullFields ? "" : ","}${JSON.stringify(f.name)}:`,
  );
  const columns = fields.map((f, c) => columnTexts(batch.columns[c]!, f.type, batch, options));
  const lines: string[] = new Array(rowCount(batch));
  for (let k = 0; k < lines.length; k++) {
    let line = "{";
    if (options.ignoreNullFields) {
      for (let c = 0; c < columns.length; c++) {
        const text = columns[c]![k]!;
        if (text !== "null") line += (line === "{" ? "" : ",") + names[c]! + text;
      }
    } else for (let c = 0; c < columns.length; c++) line += names[c]! + columns[c]![k]!;
    lines[k] = `${line}}`;
  }
  return lines;
};

const packr = new Packr({ useRecords: false, mapsAsObjects: true });

/** A value as plain msgpack: decimals text, timestamps milliseconds, structs maps by name. */
const plain = (v: Value, type: DataType): unknown => {
  if (v === null) return null;
  switch (type.kind) {
    case "decimal":
      return decimalText(v as bigint, type.scale);
    case "array":
      return (v as readonly Value[]).map((x) => plain(x, type.element));
    case "map":
      return new Map(
        (v as readonly (readonly [Value, Value])[]).map(([k, x]) => [
          plain(k, type.key),
          plain(x, type.value),
        ]),
      );
    case "struct":
      return new Map(type.fields.map((f, i) => [f.name, plain((v as readonly Value[])[i] ?? null, f.type)]));
    case "variant":
      return (v as { readonly variant: unknown }).variant;
    default:
      return v;
  }
};

const msgpackEncoder = (schema: Schema): Encoder => {
  const row = { kind: "struct", fields: schema.fields } as const;
  return ofPayloads((batch) => {
    const payloads: Uint8Array[] = [];
    for (let k = 0; k < rowCount(batch); k++) {
      const i = batch.selection === undefined ? k : batch.selection[k]!;
      payloads.push(
        new Uint8Array(
          packr.pack(
            plain(
              batch.columns.map((v) => valueAt(v, i)),
              row,
            ),
          ),
        ),
      );
    }
    return payloads;
  });
};

/** The bytes of one binary or string column (`payload` or `value`, or the only one). */
const rawEncoder = (schema: Schema): Encoder => {
  const named = schema.fields.findIndex((f) => f.name === "payload" || f.name === "value");
  const column = named >= 0 ? named : schema.fields.length === 1 ? 0 : -1;
  const kind = schema.fields[column]?.type.kind;
  if (kind !== "binary" && kind !== "string")
    throw new ConfigurationError(
      'encoding "raw" writes a binary or string column named payload or value, or the only column',
    );
  return ofPayloads((batch) => {
    const payloads: Uint8Array[] = [];
    for (let k = 0; k < rowCount(batch); k++) {
      const v = valueAt(batch.columns[column]!, batch.selection === undefined ? k : batch.selection[k]!);
      payloads.push(
        v === null ? new Uint8Array(0) : typeof v === "string" ? Buffer.from(v) : (v as Uint8Array),
      );
    }
    return payloads;
  });
};

export const ENCODINGS = ["json", "ndjson", "msgpack", "raw"] as const;
export type Encoding = (typeof ENCODINGS)[number];

export const encoderOf = (encoding: Encoding, schema: Schema, options: JsonTextOptions): Encoder => {
  if (encoding === "msgpack") return msgpackEncoder(schema);
  if (encoding === "raw") return rawEncoder(schema);
  const json = new JsonEncoder(schema, options);
  return {
    encode: (batch) => payloadsOf(json.encodeRows(batch)),
    encodeRows: (batch) => json.encodeRows(batch),
  };
};
