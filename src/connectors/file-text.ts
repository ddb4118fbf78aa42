/** Rows as lines of files. */
import { type Batch, rowsOf } from "../core/batch.ts";
import type { DataType } from "../core/data-type.ts";
import type { Schema } from "../core/schema.ts";
import type { Value } from "../core/value.ts";
import type { FileSinkOptions } from "./file-options.ts";
import { csvField } from "./formats/csv.ts";
import { jsonLines } from "./formats/encoder.ts";
import { jsonText } from "./formats/json-text.ts";

/** A value as bare text (CSV fields, directory names): its JSON form without the quotes; null stays null. */
export const fileText = (v: Value, type: DataType, options: FileSinkOptions): string | null => {
  if (v === null) return null;
  if (typeof v === "string") return v;
  const text = jsonText(v, type, options);
  return text.startsWith('"') ? (JSON.parse(text) as string) : text;
};

/** The first line of a file; empty when it has none. */
export const headerLine = (schema: Schema, options: FileSinkOptions): string =>
  options.format === "csv" && options.csv.header
    ? `${schema.fields.map((f) => csvField(f.name, options.csv)).join(options.csv.sep)}\n`
    : "";

/** The live rows as lines, each with its end. */
export const fileLines = (batch: Batch, options: FileSinkOptions): string[] => {
  const { format, csv } = options;
  if (format === "json" || format === "ndjson") return jsonLines(batch, options).map((line) => `${line}\n`);
  const { fields } = batch.schema;
  if (format === "text") return rowsOf(batch).map(([v]) => `${(v as string | null) ?? ""}\n`);
  return rowsOf(batch).map(
    (row) => `${row.map((v, c) => csvField(fileText(v, fields[c]!.type, options), csv)).join(csv.sep)}\n`,
  );
};
