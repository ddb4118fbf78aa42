/**
 * Decoders: the payloads of messages or lines of files to one batch of a schema.
 *
 * D1 Rows stand in payload order, in their order within a payload; what becomes of a payload depends on nothing but its bytes and the decoder's
 *    options, not on its neighbours (law 2). D2 A payload that is no row follows `mode` (Spark's): `permissive` gives a row
 *    of nulls with the text in the corrupt-record column (when the schema has one) and keeps the fields that fit, `dropMalformed` no row, `failFast` an ExecutionError that says where.
 */
import { type Batch, batchOf } from "../../core/batch.ts";
import { ExecutionError } from "../../core/errors.ts";
import type { Schema } from "../../core/schema.ts";
import type { Utf8Strings } from "../../core/utf8-strings.ts";
import { ColumnBuffer } from "./column-buffer.ts";

export const MODES = ["permissive", "dropMalformed", "failFast"] as const;
export type Mode = (typeof MODES)[number];

export interface DecoderOptions {
  readonly mode: Mode;
  /** `columnNameOfCorruptRecord`; takes effect when the schema has a string column of this name. */
  readonly corruptColumn: string;
  readonly timeZone: string;
  /** Told how many rows of a batch were malformed. */
  readonly onCorrupt?: ((count: number) => void) | undefined;
}

export const CORRUPT_COLUMN_DEFAULT = "_corrupt_record";

/** Says where payload `i` of a call came from, for messages: `stream IN, sequence 7`. */
export type Origin = (payload: number) => string;

/** Payloads `first` to `end` (exclusive) of those that lie in one memory: i stands in `bytes` from `from(i)` to `to(i)`. */
export interface PayloadRun {
  readonly memory: { readonly bytes: Uint8Array; from(i: number): number; to(i: number): number };
  readonly first: number;
  readonly end: number;
}

export interface Decoder {
  /** Throws ExecutionError in `failFast` mode. */
  decode(payloads: readonly Uint8Array[], origin?: Origin): Batch;
  /** The same without a view of each payload; `origin` counts over all runs. */
  decodeRuns?(runs: readonly PayloadRun[], origin?: Origin): Batch;
}

/** The payloads of runs as views. */
export const payloadViews = (runs: readonly PayloadRun[]): Uint8Array[] => {
  const views: Uint8Array[] = [];
  for (const { memory, first, end } of runs)
    for (let i = first; i < end; i++) views.push(memory.bytes.subarray(memory.from(i), memory.to(i)));
  return views;
};

const slice = (Buffer.prototype as unknown as { utf8Slice(from: number, to: number): string }).utf8Slice;

/** UTF-8 bytes as text, without a Buffer made per payload. */
export const textOf = (bytes: Uint8Array): string => slice.call(bytes, 0, bytes.length);

/** Position of the corrupt-record column, or -1. */
export const corruptIndex = (schema: Schema, options: DecoderOptions): number =>
  schema.fields.findIndex((f) => f.name === options.corruptColumn && f.type.kind === "string");

/** The rows of one `decode` call: columns, and what was malformed. */
export class RowAssembly {
  readonly schema: Schema;
  readonly columns: readonly ColumnBuffer[];
  #rows: number;
  readonly #options: DecoderOptions;
  readonly #corrupt: number;
  #dropped: Uint8Array;
  #malformed = 0;

  /** `dictionaries`: by column, those that go on from an earlier batch. */
  constructor(
    schema: Schema,
    rows: number,
    options: DecoderOptions,
    dictionaries: readonly (Utf8Strings | undefined)[] = [],
  ) {
    this.schema = schema;
    this.columns = schema.fields.map((f, i) => new ColumnBuffer(f.type, rows, dictionaries[i]));
    this.#rows = rows;
    this.#options = options;
    this.#corrupt = corruptIndex(schema, options);
    this.#dropped = new Uint8Array(rows);
    if (this.#corrupt >= 0) this.columns[this.#corrupt]!.nulls.fill(1);
  }

  /** A row whose other columns are set already is malformed: `problem` says why, `text` is the record, `where` its place. */
  malformed(row: number, problem: string, text: string, where: string | undefined): void {
    this.#malformed++;
    const { mode } = this.#options;
    if (mode === "failFast") {
      const shown = text.length > 200 ? `${text.slice(0, 200)}…` : text;
      throw new ExecutionError(
        `[MALFORMED_RECORD_IN_PARSING] malformed record${where === undefined ? "" : ` at ${where}`}: ${problem}; record: ${shown}`,
        {
          errorClass: "MALFORMED_RECORD_IN_PARSING",
          hint: 'option "mode" = "permissive" keeps such records as nulls, "dropMalformed" leaves them out',
        },
      );
    }
    if (mode === "dropMalformed") this.#dropped[row] = 1;
    else if (this.#corrupt >= 0) this.columns[this.#corrupt]!.set(row, text);
  }

  /** Sets all columns but the corrupt-record one to null. */
  nullRow(row: number): void {
    this.columns.forEach((c, i) => {
      if (i !== this.#corrupt) c.set(row, null);
    });
  }

  get corruptColumn(): number {
    return this.#corrupt;
  }

  /** Room for so many rows. */
  grow(rows: number): void {
    for (const c of this.columns) c.grow(rows);
    if (this.#corrupt >= 0) this.columns[this.#corrupt]!.nulls.fill(1, this.#rows);
    const dropped = new Uint8Array(rows);
    dropped.set(this.#dropped);
    this.#dropped = dropped;
    this.#rows = rows;
  }

  get rows(): number {
    return this.#rows;
  }

  /** Forgets what generated code set for rows from `row` on. */
  truncate(row: number): void {
    this.columns.forEach((c, i) => {
      if (i !== this.#corrupt) c.truncate(row);
    });
  }

  /** Which of the first `rows` rows stay; reports the malformed ones. Once, at the end. */
  selection(rows: number): Int32Array | undefined {
    if (this.#malformed > 0) this.#options.onCorrupt?.(this.#malformed);
    const dropped = this.#dropped.subarray(0, rows);
    return dropped.includes(1)
      ? Int32Array.from(Array.from(dropped.keys()).filter((i) => dropped[i] === 0))
      : undefined;
  }

  batch(): Batch {
    const selection = this.selection(this.#rows);
    return batchOf(
      this.schema,
      this.#rows,
      this.columns.map((c) => c.vector()),
      selection,
    );
  }
}
