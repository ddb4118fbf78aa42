/**
 * The live rows of a batch as JSON objects, one behind the other in one memory: bytes straight from the columns, without a text or an object per row. The bytes are
 * those of `jsonLines` (`encoder.ts`) for every row.
 */
import { type Batch, rowCount } from "../../core/batch.ts";
import type { DataType } from "../../core/data-type.ts";
import type { Schema } from "../../core/schema.ts";
import { Utf8Strings } from "../../core/utf8-strings.ts";
import { type Dictionary, stringAt, valueAt, type Vector } from "../../core/vector.ts";
import {
  doubleJson,
  floatJson,
  jsonText,
  type JsonTextOptions,
  timestampJson,
  timestampNtzJson,
} from "./json-text.ts";

/** Row k stands in `bytes` from ends[k] to ends[k + 1]; the memory is nobody else's. */
export interface EncodedRows {
  readonly bytes: Buffer;
  readonly ends: Int32Array;
}

const [QUOTE, BACKSLASH, MINUS, ZERO, OPEN, CLOSE, COMMA] = [34, 92, 45, 48, 123, 125, 44];
const BYTES_FIRST = 4096;
/** Digits of a safe integer, its sign. */
const INTEGER_BYTES = 17;
const HALF = 1e8;
/** Bytes of quoted strings above which the memory of them begins anew. */
const QUOTED_BYTES_MAX = 1024 * 1024;

const NULL = Buffer.from("null");

/** A memory that grows and is written from its beginning to its end. */
class Output {
  bytes = Buffer.allocUnsafeSlow(BYTES_FIRST);
  at = 0;

  room(n: number): void {
    if (this.at + n <= this.bytes.length) return;
    const bigger = Buffer.allocUnsafeSlow(Math.max(this.bytes.length * 2, this.at + n));
    this.bytes.copy(bigger, 0, 0, this.at);
    this.bytes = bigger;
  }

  /** Bytes [from, to) of `b`. */
  copy(b: Uint8Array, from: number, to: number): void {
    this.room(to - from);
    const out = this.bytes;
    let { at } = this;
    for (let i = from; i < to; i++) out[at++] = b[i]!;
    this.at = at;
  }

  text(s: string): void {
    this.room(s.length * 3);
    this.at += this.bytes.write(s, this.at);
  }

  /** Digits of an integer that is safe. */
  integer(x: number): void {
    this.room(INTEGER_BYTES);
    let n = x;
    if (n < 0) {
      this.bytes[this.at++] = MINUS;
      n = -n;
    }
    if (n < HALF) return this.#digits(n, lengthOf(n));
    // 2^53 has two halves of eight digits.
    const high = Math.floor(n / HALF);
    this.#digits(high, lengthOf(high));
    this.#digits(n - high * HALF, 8);
  }

  #digits(n: number, length: number): void {
    const out = this.bytes;
    let rest = n | 0;
    for (let at = this.at + length - 1; at >= this.at; at--) {
      const next = (rest / 10) | 0;
      out[at] = ZERO + rest - next * 10;
      rest = next;
    }
    this.at += length;
  }
}

/** Decimal digits of an integer from 0 to 99,999,999. */
const lengthOf = (n: number): number => {
  if (n < 10_000) return n < 100 ? (n < 10 ? 1 : 2) : n < 1000 ? 3 : 4;
  return n < 1_000_000 ? (n < 100_000 ? 5 : 6) : n < 10_000_000 ? 7 : 8;
};

/** The strings of one dictionary as JSON, each quoted once. */
class QuotedStrings {
  #dictionary: Dictionary | undefined;
  #quoted = new Output();
  #starts: Int32Array = new Int32Array(0);
  #ends: Int32Array = new Int32Array(0);

  use(dictionary: Dictionary): void {
    if (dictionary !== this.#dictionary || this.#quoted.at > QUOTED_BYTES_MAX) {
      this.#dictionary = dictionary;
      this.#quoted.at = 0;
      this.#starts = new Int32Array(Math.max(16, dictionary.length));
      this.#ends = new Int32Array(this.#starts.length);
    } else if (dictionary.length > this.#starts.length) {
      this.#starts = longer(this.#starts, dictionary.length * 2);
      this.#ends = longer(this.#ends, dictionary.length * 2);
    }
  }

  write(out: Output, id: number): void {
    if (this.#ends[id] === 0) this.#quote(id);
    out.copy(this.#quoted.bytes, this.#starts[id]!, this.#ends[id]!);
  }

  #quote(id: number): void {
    const dictionary = this.#dictionary!;
    const quoted = this.#quoted;
    const start = quoted.at;
    if (!(dictionary instanceof Utf8Strings && dictionary.exact && plain(quoted, dictionary, id)))
      quoted.text(JSON.stringify(stringAt(dictionary, id) ?? ""));
    this.#starts[id] = start;
    this.#ends[id] = quoted.at;
  }
}

const longer = (old: Int32Array, n: number): Int32Array => {
  const next = new Int32Array(n);
  next.set(old);
  return next;
};

/** Quotes a string that has nothing to escape; false, and nothing written, for others. */
const plain = (out: Output, { bytes, ends }: Utf8Strings, id: number): boolean => {
  const from = ends[id]!;
  const to = ends[id + 1]!;
  for (let i = from; i < to; i++) {
    const c = bytes[i]!;
    if (c < 32 || c === QUOTE || c === BACKSLASH) return false;
  }
  out.room(2);
  out.bytes[out.at++] = QUOTE;
  out.copy(bytes, from, to);
  out.room(1);
  out.bytes[out.at++] = QUOTE;
  return true;
};

/** Writes the value of a row that is not null. */
type ValueWriter = (row: number) => void;

export class JsonEncoder {
  readonly #schema: Schema;
  readonly #options: JsonTextOptions;
  readonly #names: readonly Buffer[];
  readonly #strings: readonly QuotedStrings[];
  /** Bytes of a row, of the last batch. */
  #rowBytes = 64;

  constructor(schema: Schema, options: JsonTextOptions) {
    this.#schema = schema;
    this.#options = options;
    this.#names = schema.fields.map((f) => Buffer.from(`${JSON.stringify(f.name)}:`));
    this.#strings = schema.fields.map(() => new QuotedStrings());
  }

  encodeRows(batch: Batch): EncodedRows {
    const rows = rowCount(batch);
    const out = new Output();
    out.room(Math.ceil(rows * this.#rowBytes * 1.05));
    const { columns, selection } = batch;
    const writers = columns.map((v, c) => this.#writer(out, v, this.#schema.fields[c]!.type, c));
    const ends = new Int32Array(rows + 1);
    for (let k = 0; k < rows; k++) {
      this.#row(out, columns, writers, selection === undefined ? k : selection[k]!);
      ends[k + 1] = out.at;
    }
    if (rows > 0) this.#rowBytes = out.at / rows;
    return { bytes: out.bytes, ends };
  }

  #row(out: Output, columns: readonly Vector[], writers: readonly ValueWriter[], row: number): void {
    const names = this.#names;
    const { ignoreNullFields } = this.#options;
    out.room(1);
    out.bytes[out.at++] = OPEN;
    let first = true;
    for (let c = 0; c < columns.length; c++) {
      const { nulls } = columns[c]!;
      const begin = out.at;
      out.room(1);
      if (!first) out.bytes[out.at++] = COMMA;
      out.copy(names[c]!, 0, names[c]!.length);
      const value = out.at;
      if (nulls !== undefined && nulls[row] === 1) out.copy(NULL, 0, NULL.length);
      else writers[c]!(row);
      // Also a variant that is a JSON null.
      if (
        ignoreNullFields &&
        out.at === value + NULL.length &&
        out.bytes.subarray(value, out.at).equals(NULL)
      )
        out.at = begin;
      else first = false;
    }
    out.room(1);
    out.bytes[out.at++] = CLOSE;
  }

  #writer(out: Output, v: Vector, type: DataType, c: number): ValueWriter {
    const options = this.#options;
    switch (v.layout) {
      case "dict": {
        const strings = this.#strings[c]!;
        strings.use(v.dictionary);
        return (row) => strings.write(out, v.data[row]!);
      }
      case "i32":
        if (type.kind === "date") break;
        return (row) => out.integer(v.data[row]!);
      case "f64":
        if (type.kind === "timestamp") return (row) => out.text(timestampJson(v.data[row]!, options));
        if (type.kind === "timestamp_ntz") return (row) => out.text(timestampNtzJson(v.data[row]!, options));
        if (type.kind === "double") return (row) => out.text(doubleJson(v.data[row]!));
        if (type.kind === "float") return (row) => out.text(floatJson(v.data[row]!));
        return (row) => out.integer(v.data[row]!);
      default:
    }
    return (row) => out.text(jsonText(valueAt(v, row), type, options));
  }
}
