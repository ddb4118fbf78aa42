/**
 * JSON and ndjson: `JSON.parse` per record, then column by column into typed arrays (`json-fill.ts`); only rows with something
 * unusual are converted value by value. Records are parsed one by one, never joined: two broken neighbours must not
 * become a row (D1). A message that is an array of objects gives a row each, as in Spark; blank records give none.
 */
import { type Batch } from "../../core/batch.ts";
import type { Schema } from "../../core/schema.ts";
import { ValueConverter } from "./conversion.ts";
import { type Decoder, type DecoderOptions, type Origin, RowAssembly, textOf } from "./decoder.ts";
import { parseExact } from "./json-exact.ts";
import { fillOf, type JsonObject, ownOnly } from "./json-fill.ts";

const NOTHING: JsonObject = Object.freeze(Object.create(null) as Record<string, unknown>);
const isObject = (x: unknown): x is JsonObject => typeof x === "object" && x !== null && !Array.isArray(x);

/** The records of one call, in order. */
class Records {
  readonly objects: JsonObject[] = [];
  readonly texts: string[] = [];
  readonly payloads: number[] = [];
  /** Why a row is no record. */
  readonly broken = new Map<number, string>();
  /** Which element of its text's array a row is. */
  readonly elements = new Map<number, number>();

  add(text: string, payload: number): void {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (e) {
      if (text.trim() !== "") this.#broken(text, payload, (e as Error).message);
      return;
    }
    if (isObject(value)) {
      this.objects.push(value);
      this.texts.push(text);
      this.payloads.push(payload);
    } else if (Array.isArray(value) && value.every(isObject))
      value.forEach((element: JsonObject, k) => {
        this.elements.set(this.objects.length, k);
        this.objects.push(element);
        this.texts.push(text);
        this.payloads.push(payload);
      });
    else this.#broken(text, payload, "not a JSON object");
  }

  #broken(text: string, payload: number, problem: string): void {
    this.broken.set(this.objects.length, problem);
    this.objects.push(NOTHING);
    this.texts.push(text);
    this.payloads.push(payload);
  }
}

export class JsonDecoder implements Decoder {
  readonly #schema: Schema;
  readonly #options: DecoderOptions;
  readonly #lines: boolean;
  readonly #converter: ValueConverter;

  /** `lines`: many records in one payload, a line each (ndjson). */
  constructor(schema: Schema, options: DecoderOptions, lines: boolean) {
    this.#schema = schema;
    this.#options = options;
    this.#lines = lines;
    this.#converter = new ValueConverter(options.timeZone);
  }

  decode(payloads: readonly Uint8Array[], origin?: Origin): Batch {
    const records = this.#records(payloads);
    const { objects } = records;
    const rows = new RowAssembly(this.#schema, objects.length, this.#options);
    const slow = new Uint8Array(objects.length);
    for (const i of records.broken.keys()) slow[i] = 1;
    rows.columns.forEach((column, c) => {
      if (c === rows.corruptColumn) return;
      const key = this.#schema.fields[c]!.name;
      fillOf(column, this.#options.timeZone)(
        key in Object.prototype ? ownOnly(objects, key) : objects,
        key,
        column,
        slow,
      );
    });
    for (let i = slow.indexOf(1); i >= 0; i = slow.indexOf(1, i + 1)) this.#again(i, records, rows, origin);
    return rows.batch();
  }

  #records(payloads: readonly Uint8Array[]): Records {
    const records = new Records();
    for (let p = 0; p < payloads.length; p++) {
      const text = textOf(payloads[p]!);
      if (!this.#lines) {
        records.add(text, p);
        continue;
      }
      let start = 0;
      while (start < text.length) {
        const newline = text.indexOf("\n", start);
        const end = newline < 0 ? text.length : newline;
        if (end > start) records.add(text.slice(start, end), p);
        start = end + 1;
      }
    }
    return records;
  }

  /** Converts one row by the full rules. */
  #again(i: number, records: Records, rows: RowAssembly, origin: Origin | undefined): void {
    const text = records.texts[i]!;
    const where = (): string | undefined => {
      const payload = records.payloads[i]!;
      const first = records.payloads.indexOf(payload);
      const place = origin?.(payload);
      return place === undefined || !this.#lines ? place : `${place}, row ${i - first + 1}`;
    };
    const broken = records.broken.get(i);
    if (broken !== undefined) {
      rows.nullRow(i);
      rows.malformed(i, broken, text, this.#options.mode === "failFast" ? where() : undefined);
      return;
    }
    let problem = this.#convert(i, records.objects[i]!, rows);
    if (this.#converter.needsExact) {
      const exact = parseExact(text);
      const element = records.elements.get(i);
      problem = this.#convert(
        i,
        (element === undefined ? exact : (exact as unknown[])[element]) as JsonObject,
        rows,
      );
    }
    if (problem !== undefined)
      rows.malformed(i, problem, text, this.#options.mode === "failFast" ? where() : undefined);
  }

  /** Sets row `i` from an object; gives the first problem. */
  #convert(i: number, object: JsonObject, rows: RowAssembly): string | undefined {
    const converter = this.#converter;
    converter.needsExact = false;
    let problem: string | undefined;
    this.#schema.fields.forEach((field, c) => {
      if (c === rows.corruptColumn) return;
      converter.problem = undefined;
      const value = Object.hasOwn(object, field.name)
        ? converter.convert(object[field.name], field.type)
        : null;
      rows.columns[c]!.set(i, value);
      if (converter.problem !== undefined) problem ??= `column ${field.name}: ${String(converter.problem)}`;
    });
    return problem;
  }
}
