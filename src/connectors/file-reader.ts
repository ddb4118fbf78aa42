/** The reading side of the file source: files to batches, line by line, up to the size that the plan names. */
import { open, type FileHandle } from "node:fs/promises";
import { type Batch, batchOf } from "../core/batch.ts";
import { DataLossError } from "../core/errors.ts";
import { type Schema, schemaOf } from "../core/schema.ts";
import { vectorOf } from "../core/vector.ts";
import { absent, type InputFile, partitionValues } from "./file-listing.ts";
import { type FileSourceOptions, storageFailure } from "./file-options.ts";
import { ValueConverter } from "./formats/conversion.ts";
import { CsvDecoder, csvFields } from "./formats/csv.ts";
import { type Decoder, type DecoderOptions, textOf } from "./formats/decoder.ts";
import { JsonDecoder } from "./formats/json-decoder.ts";
import { valueOfText } from "./formats/text-values.ts";
import type { SourceContext, SourceReader, SourceSpec, SplitRange } from "./source.ts";

const CHUNK_BYTES = 1024 * 1024;
const BATCH_LINES = 4096;
const NEWLINE = 10;
const RETURN = 13;

/** One string column of lines. */
class TextDecoder implements Decoder {
  readonly #schema: Schema;
  constructor(schema: Schema) {
    this.#schema = schema;
  }

  decode(payloads: readonly Uint8Array[]): Batch {
    const lines = payloads.map(textOf);
    const columns = this.#schema.fields.map((f) =>
      vectorOf(
        f.type,
        f.type.kind === "binary" ? payloads : f.name === "value" ? lines : lines.map(() => null),
      ),
    );
    return batchOf(this.#schema, lines.length, columns);
  }
}

export class FileReader implements SourceReader {
  readonly #options: FileSourceOptions;
  readonly #locate: (path: string) => Promise<string>;
  readonly #schema: Schema;
  /** Columns of the files in order, before pruning. */
  readonly #declared: Schema;
  readonly #decoderOptions: DecoderOptions;

  constructor(
    options: FileSourceOptions,
    locate: (path: string) => Promise<string>,
    spec: SourceSpec,
    context: SourceContext,
  ) {
    this.#options = options;
    this.#locate = locate;
    this.#schema = spec.schema;
    this.#declared = spec.declared ?? spec.schema;
    this.#decoderOptions = {
      mode: options.mode,
      corruptColumn: options.corruptColumn,
      timeZone: context.timeZone,
      onCorrupt: context.onCorrupt,
    };
  }

  async *read(range: SplitRange, signal: AbortSignal): AsyncIterable<Batch> {
    for (const file of range.data as readonly InputFile[]) {
      if (signal.aborted) return;
      yield* this.#file(file, signal);
    }
  }

  async *#file(file: InputFile, signal: AbortSignal): AsyncIterable<Batch> {
    const path = await this.#locate(file.path);
    let handle: FileHandle;
    try {
      handle = await open(path);
    } catch (e) {
      if (absent(e)) throw new DataLossError(`file ${path} is gone before it was read`, { cause: e });
      throw storageFailure(`file ${path}`, e);
    }
    try {
      const { size } = await handle.stat();
      if (size < file.size)
        throw new DataLossError(
          `file ${path} shrank from ${file.size} to ${size} bytes after it was planned`,
        );
      const partition = this.#partition(file.path);
      for await (const batch of this.#batches(handle, file, partition.inFile, signal))
        yield partition.add(batch);
    } finally {
      await handle.close();
    }
  }

  async *#batches(
    handle: FileHandle,
    file: InputFile,
    schema: Schema,
    signal: AbortSignal,
  ): AsyncIterable<Batch> {
    const { format, multiLine, csv } = this.#options;
    const origin =
      (first: number) =>
      (i: number): string =>
        `file ${file.path}, line ${first + i}`;
    if (multiLine && (format === "json" || format === "ndjson")) {
      const bytes = Buffer.alloc(file.size);
      await fill(handle, bytes, 0);
      yield new JsonDecoder(schema, this.#decoderOptions, false).decode([bytes], () => `file ${file.path}`);
      return;
    }
    let decoder: Decoder | undefined;
    let line = 1;
    for await (const lines of linesOf(handle, file.size)) {
      if (signal.aborted) return;
      let from = 0;
      if (decoder === undefined) {
        const names =
          format === "csv" && csv.header && lines.length > 0 ? csvFields(textOf(lines[0]!), csv) : undefined;
        if (names !== undefined) from = 1;
        decoder = this.#decoder(schema, names);
      }
      for (; from < lines.length; from += BATCH_LINES) {
        const part = lines.slice(from, from + BATCH_LINES);
        yield decoder.decode(part, origin(line + from));
      }
      line += lines.length;
    }
  }

  #decoder(schema: Schema, names: readonly (string | null)[] | undefined): Decoder {
    const { format, csv } = this.#options;
    if (format === "text") return new TextDecoder(schema);
    if (format === "csv") return new CsvDecoder(schema, this.#declared, this.#decoderOptions, csv, names);
    return new JsonDecoder(schema, this.#decoderOptions, false);
  }

  /** Columns that come from `key=value` directories. */
  #partition(path: string): { readonly inFile: Schema; readonly add: (batch: Batch) => Batch } {
    const values = partitionValues(path);
    const fields = this.#schema.fields;
    if (!fields.some((f) => values.has(f.name))) return { inFile: this.#schema, add: (batch) => batch };
    const converter = new ValueConverter(this.#decoderOptions.timeZone);
    const inFile = schemaOf(fields.filter((f) => !values.has(f.name)));
    const add = (batch: Batch): Batch => {
      let c = 0;
      const columns = fields.map((f) => {
        const text = values.get(f.name);
        if (text === undefined) return batch.columns[c++]!;
        const value = text === null ? null : valueOfText(text, f.type, converter);
        return vectorOf(f.type, new Array(batch.length).fill(value) as (typeof value)[]);
      });
      return batchOf(this.#schema, batch.length, columns, batch.selection);
    };
    return { inFile, add };
  }

  async close(): Promise<void> {}
}

/** Fills `into` from `at` of the file; the size was checked before. */
const fill = async (handle: FileHandle, into: Buffer, at: number): Promise<void> => {
  for (let done = 0; done < into.length;) {
    const { bytesRead } = await handle.read(into, done, into.length - done, at + done);
    if (bytesRead === 0) throw new DataLossError("a file shrank while it was read");
    done += bytesRead;
  }
};

/** The lines of the file's first `size` bytes, without their ends, some thousands at a time. */
async function* linesOf(handle: FileHandle, size: number): AsyncIterable<readonly Uint8Array[]> {
  let rest: Buffer = Buffer.alloc(0);
  for (let at = 0; at < size;) {
    const chunk = Buffer.alloc(Math.min(CHUNK_BYTES, size - at));
    await fill(handle, chunk, at);
    at += chunk.length;
    const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const lines: Uint8Array[] = [];
    let start = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, start)) {
      lines.push(bytes.subarray(start, end > start && bytes[end - 1] === RETURN ? end - 1 : end));
      start = end + 1;
    }
    rest = bytes.subarray(start);
    if (lines.length > 0) yield lines;
  }
  if (rest.length > 0) yield [rest];
}
