/**
 * JSON and ndjson. Bytes go straight into columns by a decoder generated for the schema (`json-codegen.ts`); a record with anything unusual goes
 * through JSON.parse and the full rules (`json-rows.ts`).
 *
 *  J1 Both ways give the same rows, problems and corrupt records for every text. J2 Records are decoded one by one: two broken neighbours must not
 *     become a row (D1). J3 A message that is an array of objects gives a row each, as in Spark; blank records give none.
 */
import { type Batch, batchOf } from "../../core/batch.ts";
import { type Field, field } from "../../core/data-type.ts";
import { type Schema, schemaOf } from "../../core/schema.ts";
import type { ColumnPath, SourceSpec } from "../source.ts";
import { ByteStrings } from "./byte-strings.ts";
import { ValueConverter } from "./conversion.ts";
import {
  corruptIndex,
  type Decoder,
  type DecoderOptions,
  type Origin,
  type PayloadRun,
  RowAssembly,
  textOf,
} from "./decoder.ts";
import { type GeneratedDecoder, generateDecoder } from "./json-codegen.ts";
import { parseExact } from "./json-exact.ts";
import { type JsonObject, outputVector, recordsOf, RowSetter } from "./json-rows.ts";
import { FAIL, readWords, space } from "./json-scan.ts";
import { type RecordTree, recordTree } from "./json-tree.ts";
import { timeTexts } from "./json-time.ts";

const LINE_FEED = 10;
const RETURN = 13;
const BLANK = 32;
const OPEN_ARRAY = 91;
const CLOSE_ARRAY = 93;
const COMMA = 44;
const FIRST_ROWS = 64;
/** Payloads up to this size that stand alone in memory are copied: that costs less than a view of each. */
const SCRATCH_BYTES = 16 * 1024;

/** Which parts of records the columns come from; see SourceSpec. */
export interface JsonProjection {
  readonly declared: Schema;
  readonly paths: readonly (ColumnPath | undefined)[];
}

export interface JsonDecoderExtras {
  readonly projection?: JsonProjection | undefined;
  /** Without generated code: for tests. */
  readonly plain?: boolean;
}

const TOO_DEEP = "a value that needs exact numbers is nested too deep";

/** Record `k` of a text with its numbers as they stand; undefined when it is nested too deep for that. */
const exactRecord = (text: string, k: number): JsonObject | undefined => {
  try {
    const exact = parseExact(text);
    return (Array.isArray(exact) ? exact[k] : exact) as JsonObject;
  } catch {
    return undefined;
  }
};

/** Where record texts come from, for messages. */
type Place = () => string | undefined;

/** The part of a blob of lines that became a batch. */
export interface DecodedLines {
  readonly batch: Batch;
  /** Where the next one begins. */
  readonly next: number;
}

/** The decoder that a source of these columns generates. */
export const jsonDecoderCode = (
  { schema, declared = schema, paths }: Pick<SourceSpec, "schema" | "declared" | "paths">,
  corruptColumn: string,
): string | undefined => {
  const options: DecoderOptions = { mode: "failFast", corruptColumn, timeZone: "UTC" };
  const projection = paths === undefined ? undefined : { declared, paths };
  const decoder = new JsonDecoder(schema, options, false, { projection });
  if (decoder.source === undefined) return undefined;
  // The code has no names (G2 of json-codegen.ts): this says which column has which number.
  const columns = decoder.columns.map((name, k) => `// d${k}: ${JSON.stringify(name)}`);
  return [...columns, decoder.source].join("\n");
};

export class JsonDecoder implements Decoder {
  readonly #schema: Schema;
  readonly #options: DecoderOptions;
  readonly #lines: boolean;
  readonly #converter: ValueConverter;
  readonly #tree: RecordTree;
  readonly #leafSchema: Schema;
  readonly #setter: RowSetter;
  readonly #strings: readonly (ByteStrings | undefined)[];
  readonly #generated: GeneratedDecoder | undefined;
  #rows!: RowAssembly;
  /** Rows of the batch so far. */
  #row = 0;
  /** Of the last payloads with lines. */
  #rowsPerByte = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #view = new DataView(this.#bytes.buffer);
  #scratch: Uint8Array | undefined;

  /** `lines`: many records in one payload, a line each (ndjson). */
  constructor(schema: Schema, options: DecoderOptions, lines: boolean, extras: JsonDecoderExtras = {}) {
    this.#schema = schema;
    this.#options = options;
    this.#lines = lines;
    this.#converter = new ValueConverter(options.timeZone);
    const { projection, plain } = extras;
    const corrupt = corruptIndex(schema, options);
    this.#tree = recordTree(schema, projection?.declared ?? schema, projection?.paths, corrupt);
    const leaves = this.#tree.leaves.map((l): Field => field(l.name, l.type));
    this.#leafSchema = schemaOf(corrupt < 0 ? leaves : [...leaves, schema.fields[corrupt]!]);
    this.#setter = new RowSetter(this.#tree.roots, this.#converter);
    this.#strings = leaves.map((l) => (l.type.kind === "string" ? new ByteStrings() : undefined));
    this.#begin(0);
    this.#generated =
      plain === true
        ? undefined
        : generateDecoder(
            this.#tree,
            this.#rows.columns.slice(0, leaves.length),
            this.#strings,
            timeTexts(options.timeZone),
          );
  }

  /** The generated code, for explain and tests. */
  get source(): string | undefined {
    return this.#generated?.source;
  }

  /** The column buffers by the paths of their fields, in the numbers of the code. */
  get columns(): readonly string[] {
    return this.#tree.leaves.map((l) => l.name.replaceAll("\0", "."));
  }

  decode(payloads: readonly Uint8Array[], origin?: Origin): Batch {
    let bytes = 0;
    if (this.#lines) for (const payload of payloads) bytes += payload.length;
    this.#expect(payloads.length, bytes);
    for (let p = 0; p < payloads.length; p++) {
      const start = this.#use(payloads[p]!);
      this.#payload(start, start + payloads[p]!.length, p, origin);
    }
    if (bytes > 0) this.#rowsPerByte = this.#row / bytes;
    return this.#batch();
  }

  decodeRuns(runs: readonly PayloadRun[], origin?: Origin): Batch {
    let [count, bytes] = [0, 0];
    for (const { memory, first, end } of runs) {
      count += end - first;
      if (this.#lines) for (let i = first; i < end; i++) bytes += memory.to(i) - memory.from(i);
    }
    this.#expect(count, bytes);
    let p = 0;
    for (const { memory, first, end } of runs) {
      const start = this.#show(memory.bytes);
      for (let i = first; i < end; i++)
        this.#payload(start + memory.from(i), start + memory.to(i), p++, origin);
    }
    if (bytes > 0) this.#rowsPerByte = this.#row / bytes;
    return this.#batch();
  }

  /** A batch of so many payloads begins. */
  #expect(payloads: number, bytes: number): void {
    // About as many rows as the last payloads had: growing copies.
    const rows = Math.max(FIRST_ROWS, payloads, Math.ceil(bytes * this.#rowsPerByte * 1.05));
    this.#begin(this.#lines ? rows : payloads);
  }

  #payload(start: number, end: number, p: number, origin: Origin | undefined): void {
    if (!this.#lines) return this.#message(start, end, p, origin);
    const first = this.#row;
    const row: Place = () => {
      const place = origin?.(p);
      return place === undefined ? undefined : `${place}, row ${this.#row - first + 1}`;
    };
    this.#blob(start, end, Infinity, () => row, false);
  }

  /**
   * Decodes lines of `bytes` from `from` on, at most `limit` rows (more when a line is an array). `place` names the line that starts at a position.
   */
  decodeLines(
    bytes: Uint8Array,
    from: number,
    limit: number,
    place?: (start: number) => string,
  ): DecodedLines {
    this.#begin(Math.min(limit, Math.max(FIRST_ROWS, bytes.length - from)));
    const start = this.#use(bytes);
    const next = this.#blob(
      start + from,
      start + bytes.length,
      limit,
      (at) => () => place?.(at - start),
      true,
    );
    return { batch: this.#batch(), next: next - start };
  }

  #begin(rows: number): void {
    for (const s of this.#strings) s?.begin();
    this.#row = 0;
    this.#rows = new RowAssembly(
      this.#leafSchema,
      rows,
      this.#options,
      this.#strings.map((s) => s?.dictionary),
    );
    this.#generated?.bind(this.#rows.columns);
  }

  /** Makes the memory of a payload, or for small ones a copy, the memory that is read; gives the payload's place in it. */
  #use(payload: Uint8Array): number {
    let place = payload.byteOffset;
    if (payload.buffer !== this.#bytes.buffer) {
      const copied = payload.length <= SCRATCH_BYTES;
      const memory = copied ? (this.#scratch ??= new Uint8Array(SCRATCH_BYTES)) : payload;
      if (copied) {
        memory.set(payload);
        place = 0;
      }
      this.#show(memory);
    }
    readWords(this.#bytes.buffer);
    return place;
  }

  /** Makes `memory` the one that is read; gives its place in it. */
  #show(memory: Uint8Array): number {
    if (memory.buffer !== this.#bytes.buffer) {
      this.#bytes = Buffer.from(memory.buffer);
      this.#view = new DataView(memory.buffer);
    }
    readWords(this.#bytes.buffer);
    return memory.byteOffset;
  }

  #batch(): Batch {
    const rows = this.#row;
    const { columns, corruptColumn } = this.#rows;
    const selection = this.#rows.selection(rows);
    const corrupt = corruptColumn < 0 ? undefined : columns[corruptColumn];
    const vectors = this.#tree.outputs.map((output) => outputVector(output, columns, corrupt, rows));
    return batchOf(this.#schema, rows, vectors, selection);
  }

  #room(): void {
    if (this.#row < this.#rows.rows) return;
    this.#rows.grow(Math.max(FIRST_ROWS, this.#row * 2));
    this.#generated?.bind(this.#rows.columns);
  }

  #message(start: number, end: number, p: number, origin: Origin | undefined): void {
    const b = this.#bytes;
    const at = space(b, start, LINE_FEED);
    if (at >= end) return;
    const first = this.#row;
    const behind = this.#value(at, end, LINE_FEED);
    if (behind !== FAIL && space(b, behind, LINE_FEED) >= end) return;
    this.#rewind(first);
    this.#slow(start, end, () => origin?.(p));
  }

  /** Lines from `at` on until `limit` rows are there; gives where it stopped. */
  #blob(at: number, end: number, limit: number, place: (start: number) => Place, cut: boolean): number {
    const b = this.#bytes;
    let p = at;
    while (p < end && this.#row < limit) {
      const start = p;
      if (b[p]! <= BLANK) {
        p = space(b, p, BLANK);
        if (p >= end) return end;
        if (b[p] === LINE_FEED) {
          p++;
          continue;
        }
      }
      const first = this.#row;
      const behind = this.#value(p, end, BLANK);
      if (behind !== FAIL) {
        p = b[behind] === LINE_FEED ? behind : space(b, behind, BLANK);
        if (p >= end || b[p] === LINE_FEED) {
          p++;
          continue;
        }
      }
      this.#rewind(first);
      const feed = b.indexOf(LINE_FEED, start);
      const stop = feed < 0 || feed > end ? end : feed;
      this.#slow(start, cut && b[stop - 1] === RETURN ? stop - 1 : stop, place(start));
      p = stop + 1;
    }
    return Math.min(p, end);
  }

  /** The object, or array of objects, at `p`: the position behind it and its rows, or FAIL and none. */
  #value(p: number, end: number, newline: number): number {
    const generated = this.#generated;
    if (generated === undefined) return FAIL;
    if (this.#bytes[p] === OPEN_ARRAY) return this.#array(generated, p + 1, end, newline);
    this.#room();
    const behind = generated.read(this.#bytes, this.#view, p, end, this.#row, newline);
    if (behind < 0 || behind > end) return FAIL;
    this.#row++;
    return behind;
  }

  #array(generated: GeneratedDecoder, at: number, end: number, newline: number): number {
    const b = this.#bytes;
    const first = this.#row;
    let p = space(b, at, newline);
    if (b[p] === CLOSE_ARRAY && p < end) return p + 1;
    for (;;) {
      this.#room();
      p = generated.read(b, this.#view, p, end, this.#row, newline);
      if (p < 0) break;
      this.#row++;
      p = space(b, p, newline);
      const c = b[p++];
      if (p > end) break;
      if (c === CLOSE_ARRAY) return p;
      if (c !== COMMA) break;
      p = space(b, p, newline);
    }
    this.#rewind(first);
    return FAIL;
  }

  /** Takes back the rows from `first` on. */
  #rewind(first: number): void {
    // One row alone is set anew completely.
    if (this.#row > first + 1) this.#rows.truncate(first);
    this.#row = first;
  }

  /** Decodes a text by the full rules. */
  #slow(start: number, end: number, place: Place): void {
    const text = textOf(this.#bytes.subarray(start, end));
    const records = recordsOf(text);
    if (records === undefined) return;
    if (typeof records === "string") {
      this.#room();
      this.#rows.nullRow(this.#row);
      this.#malformed(records, text, place);
    } else records.forEach((object, k) => this.#convert(object, k, text, place));
  }

  /** One row from record `k` of a text. */
  #convert(object: JsonObject, k: number, text: string, place: Place): void {
    this.#room();
    const { columns } = this.#rows;
    let problem = this.#setter.set(columns, this.#row, object);
    if (this.#converter.needsExact) {
      const again = exactRecord(text, k);
      problem = again === undefined ? TOO_DEEP : this.#setter.set(columns, this.#row, again);
    }
    if (problem === undefined) this.#row++;
    else this.#malformed(problem, text, place);
  }

  #malformed(problem: string, text: string, place: Place): void {
    const where = this.#options.mode === "failFast" ? place() : undefined;
    this.#rows.malformed(this.#row, problem, text, where);
    this.#row++;
  }
}
