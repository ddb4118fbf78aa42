/**
 * CSV lines, RFC 4180 with Spark's options: `sep`, `quote`, `escape` (a doubled quote works too), `nullValue`, `header`. A line has one
 * record; columns go by position in the declared schema, or by the header's names when it has all of them.
 */
import type { Batch } from "../../core/batch.ts";
import type { Schema } from "../../core/schema.ts";
import { ValueConverter } from "./conversion.ts";
import { type Decoder, type DecoderOptions, type Origin, RowAssembly, textOf } from "./decoder.ts";
import { valueOfText } from "./text-values.ts";

export interface CsvOptions {
  readonly sep: string;
  readonly quote: string;
  readonly escape: string;
  readonly nullValue: string;
  readonly header: boolean;
}

export const CSV_DEFAULTS: CsvOptions = { sep: ",", quote: '"', escape: "\\", nullValue: "", header: false };

/** The fields of a line; null for an empty one without quotes or `nullValue`. Undefined when a quote is not closed. */
export const csvFields = (line: string, o: CsvOptions): (string | null)[] | undefined => {
  const fields: (string | null)[] = [];
  let at = 0;
  for (;;) {
    if (o.quote !== "" && line.startsWith(o.quote, at)) {
      let text = "";
      at += o.quote.length;
      for (;;) {
        if (at >= line.length) return undefined;
        const doubled = o.quote + o.quote;
        if (line.startsWith(doubled, at)) {
          text += o.quote;
          at += doubled.length;
        } else if (o.escape !== o.quote && o.escape !== "" && line.startsWith(o.escape + o.quote, at)) {
          text += o.quote;
          at += o.escape.length + o.quote.length;
        } else if (line.startsWith(o.quote, at)) {
          at += o.quote.length;
          break;
        } else text += line[at++]!;
      }
      const end = line.indexOf(o.sep, at);
      text += line.slice(at, end < 0 ? line.length : end);
      fields.push(text);
      if (end < 0) return fields;
      at = end + o.sep.length;
    } else {
      const end = line.indexOf(o.sep, at);
      const text = line.slice(at, end < 0 ? line.length : end);
      fields.push(text === o.nullValue || text === "" ? null : text);
      if (end < 0) return fields;
      at = end + o.sep.length;
    }
  }
};

export class CsvDecoder implements Decoder {
  readonly #schema: Schema;
  readonly #declared: number;
  readonly #positions: readonly number[];
  readonly #options: DecoderOptions;
  readonly #csv: CsvOptions;
  readonly #converter: ValueConverter;

  /** `declared`: the columns of the files in order, of which `schema` are read; `names`: the file's header. */
  constructor(
    schema: Schema,
    declared: Schema,
    options: DecoderOptions,
    csv: CsvOptions,
    names?: readonly (string | null)[],
  ) {
    const inFile = declared.fields.filter((f) => f.name !== options.corruptColumn).map((f) => f.name);
    const byName = names !== undefined && inFile.every((n) => names.includes(n));
    const order = byName ? names : inFile;
    this.#schema = schema;
    this.#declared = order.length;
    this.#positions = schema.fields.map((f) => order.indexOf(f.name));
    this.#options = options;
    this.#csv = csv;
    this.#converter = new ValueConverter(options.timeZone);
  }

  decode(payloads: readonly Uint8Array[], origin?: Origin): Batch {
    // Empty lines are none, as in Spark.
    const kept = [...payloads.keys()].filter((p) => payloads[p]!.length > 0);
    const lines = kept.map((p) => textOf(payloads[p]!));
    const rows = new RowAssembly(this.#schema, lines.length, this.#options);
    lines.forEach((line, i) => {
      const fields = csvFields(line, this.#csv);
      let problem: string | undefined;
      if (fields === undefined) {
        rows.nullRow(i);
        problem = "a quote is not closed";
      } else {
        problem = this.#set(i, fields, rows);
        if (fields.length !== this.#declared)
          problem ??= `${fields.length} fields for ${this.#declared} columns`;
      }
      if (problem !== undefined) rows.malformed(i, problem, line, origin?.(kept[i]!));
    });
    return rows.batch();
  }

  #set(i: number, fields: readonly (string | null)[], rows: RowAssembly): string | undefined {
    let problem: string | undefined;
    this.#schema.fields.forEach((field, c) => {
      if (c === rows.corruptColumn) return;
      const text = fields[this.#positions[c]!] ?? null;
      this.#converter.problem = undefined;
      rows.columns[c]!.set(i, text === null ? null : valueOfText(text, field.type, this.#converter));
      if (this.#converter.problem !== undefined)
        problem ??= `column ${field.name}: ${String(this.#converter.problem)}`;
    });
    return problem;
  }
}

/** A field as CSV text: quoted when it must be; an empty string is `""`, to differ from null. */
export const csvField = (text: string | null, o: CsvOptions): string => {
  if (text === null) return o.nullValue;
  if (
    text !== "" &&
    text !== o.nullValue &&
    !text.includes(o.sep) &&
    !text.includes(o.quote) &&
    !/[\r\n]/.test(text)
  )
    return text;
  return o.quote + text.replaceAll(o.quote, o.quote + o.quote) + o.quote;
};
