/**
 * msgpack: a message is a map by column name, or an array of such maps (a row each). Integers beyond 2^53 are exact, binary is
 * binary, times are milliseconds, ISO text or the msgpack timestamp extension.
 */
import { Unpackr } from "msgpackr";
import type { Batch } from "../../core/batch.ts";
import type { Schema } from "../../core/schema.ts";
import { ValueConverter } from "./conversion.ts";
import { type Decoder, type DecoderOptions, type Origin, RowAssembly } from "./decoder.ts";

type MessageMap = ReadonlyMap<unknown, unknown>;

interface Found {
  readonly map: MessageMap | undefined;
  readonly payload: number;
}

export class MsgpackDecoder implements Decoder {
  readonly #schema: Schema;
  readonly #options: DecoderOptions;
  readonly #converter: ValueConverter;
  // Maps, not objects: no name has a special meaning.
  readonly #unpackr = new Unpackr({ useRecords: false, mapsAsObjects: false, int64AsType: "bigint" });

  constructor(schema: Schema, options: DecoderOptions) {
    this.#schema = schema;
    this.#options = options;
    this.#converter = new ValueConverter(options.timeZone);
  }

  decode(payloads: readonly Uint8Array[], origin?: Origin): Batch {
    const found: Found[] = [];
    for (let p = 0; p < payloads.length; p++) {
      if (payloads[p]!.length === 0) continue;
      let value: unknown;
      try {
        value = this.#unpackr.unpack(payloads[p]!);
      } catch {
        value = undefined;
      }
      if (Array.isArray(value) && value.every((x) => x instanceof Map))
        for (const map of value as MessageMap[]) found.push({ map, payload: p });
      else found.push({ map: value instanceof Map ? (value as MessageMap) : undefined, payload: p });
    }
    const rows = new RowAssembly(this.#schema, found.length, this.#options);
    found.forEach(({ map, payload }, i) => {
      const problem = map === undefined ? "no msgpack map" : this.#convert(i, map, rows);
      if (map === undefined) rows.nullRow(i);
      if (problem !== undefined)
        rows.malformed(i, problem, Buffer.from(payloads[payload]!).toString("base64"), origin?.(payload));
    });
    return rows.batch();
  }

  #convert(i: number, map: MessageMap, rows: RowAssembly): string | undefined {
    let problem: string | undefined;
    this.#schema.fields.forEach((field, c) => {
      if (c === rows.corruptColumn) return;
      this.#converter.problem = undefined;
      rows.columns[c]!.set(i, this.#converter.convert(map.get(field.name), field.type));
      if (this.#converter.problem !== undefined)
        problem ??= `column ${field.name}: ${String(this.#converter.problem)}`;
    });
    return problem;
  }
}
