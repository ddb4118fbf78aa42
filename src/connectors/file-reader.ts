/** The reading side of the file source: files to batches, line by line, up to the size that the plan names. */
import { readSync } from "node:fs";
import { open, type FileHandle } from "node:fs/promises";
import { type Batch, batchOf } from "../core/batch.ts";
import { DataLossError } from "../core/errors.ts";
import { type Schema, schemaOf } from "../core/schema.ts";
import { vectorOf } from "../core/vector.ts";
import { absent, type InputFile, partitionValues } from "./file-listing.ts";
import { type FileSourceOptions, storageFailure } from "./file-options.ts";
import type { FilePiece } from "./file-pieces.ts";
import { ValueConverter } from "./formats/conversion.ts";
import { CsvDecoder, csvFields } from "./formats/csv.ts";
import { type Decoder, type DecoderOptions, textOf } from "./formats/decoder.ts";
import { JsonDecoder } from "./formats/json-decoder.ts";
import { valueOfText } from "./formats/text-values.ts";
import type { SourceContext, SourceReader, SourceSpec, SplitRange } from "./source.ts";

const CHUNK_BYTES = 1024 * 1024;
const BATCH_LINES = 4096;
/** Room before a chunk for the line that the chunk before began. */
const HEAD_BYTES = 64 * 1024;
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
  readonly #paths: SourceSpec["paths"];
  #jsonOf: { readonly schema: Schema; readonly decoder: JsonDecoder } | undefined;

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
    this.#paths = spec.paths;
    this.#decoderOptions = {
      mode: options.mode,
      corruptColumn: options.corruptColumn,
      timeZone: context.timeZone,
      onCorrupt: context.onCorrupt,
    };
  }

  async *read(range: SplitRange, signal: AbortSignal): AsyncIterable<Batch> {
    for (const file of range.data as readonly FilePiece[]) {
      if (signal.aborted) return;
      yield* this.#file(file, signal);
    }
  }

  async *#file(file: FilePiece, signal: AbortSignal): AsyncIterable<Batch> {
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
      const json = this.#options.format === "json" || this.#options.format === "ndjson";
      const batches = json
        ? this.#json(handle, file, this.#jsonDecoder(partition.inFile, partition.paths), signal)
        : this.#batches(handle, file, partition.inFile, signal);
      for await (const batch of batches) yield partition.add(batch);
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
    const { format, csv } = this.#options;
    const origin =
      (first: number) =>
      (i: number): string =>
        `file ${file.path}, line ${first + i}`;
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
    return new CsvDecoder(schema, this.#declared, this.#decoderOptions, csv, names);
  }

  #jsonDecoder(schema: Schema, paths: SourceSpec["paths"]): JsonDecoder {
    // A decoder goes on from file to file: it keeps what it learnt of the strings.
    if (this.#jsonOf?.schema === schema) return this.#jsonOf.decoder;
    const projection = paths === undefined ? undefined : { declared: this.#declared, paths };
    const decoder = new JsonDecoder(schema, this.#decoderOptions, false, { projection });
    this.#jsonOf = { schema, decoder };
    return decoder;
  }

  async *#json(
    handle: FileHandle,
    file: FilePiece,
    decoder: JsonDecoder,
    signal: AbortSignal,
  ): AsyncIterable<Batch> {
    if (this.#options.multiLine) {
      const bytes = Buffer.alloc(file.size);
      await fill(handle, bytes, 0);
      yield decoder.decode([bytes], () => `file ${file.path}`);
      return;
    }
    const failFast = this.#options.mode === "failFast";
    const start = file.from === undefined ? 0 : await lineStart(handle, file.from, file.size);
    const end = file.to === undefined ? file.size : await lineStart(handle, file.to, file.size);
    let lines = 0;
    for await (const bytes of wholeLines(handle, start, end)) {
      if (signal.aborted) return;
      const place = (at: number): string =>
        `file ${file.path}, line ${linesBefore(handle, start) + lines + newlines(bytes, at) + 1}`;
      for (let from = 0; from < bytes.length;) {
        const { batch, next } = decoder.decodeLines(bytes, from, BATCH_LINES, place);
        if (batch.length > 0) yield batch;
        from = next;
      }
      if (failFast) lines += newlines(bytes, bytes.length);
    }
  }

  /** Columns that come from `key=value` directories. */
  #partition(path: string): {
    readonly inFile: Schema;
    readonly paths: SourceSpec["paths"];
    readonly add: (batch: Batch) => Batch;
  } {
    const values = partitionValues(path);
    const fields = this.#schema.fields;
    const fromPath = fields.map((f, i) => this.#paths?.[i] === undefined && values.has(f.name));
    if (!fromPath.includes(true)) return { inFile: this.#schema, paths: this.#paths, add: (batch) => batch };
    const converter = new ValueConverter(this.#decoderOptions.timeZone);
    const inFile = schemaOf(fields.filter((_f, i) => !fromPath[i]));
    const paths = this.#paths?.filter((_p, i) => !fromPath[i]);
    const add = (batch: Batch): Batch => {
      let c = 0;
      const columns = fields.map((f, i) => {
        if (!fromPath[i]) return batch.columns[c++]!;
        const text = values.get(f.name)!;
        const value = text === null ? null : valueOfText(text, f.type, converter);
        return vectorOf(f.type, new Array(batch.length).fill(value) as (typeof value)[]);
      });
      return batchOf(this.#schema, batch.length, columns, batch.selection);
    };
    return { inFile, paths, add };
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

/** Line feeds in the first `end` bytes. */
const newlines = (bytes: Uint8Array, end: number): number => {
  let n = 0;
  for (let at = bytes.indexOf(NEWLINE); at >= 0 && at < end; at = bytes.indexOf(NEWLINE, at + 1)) n++;
  return n;
};

/** Where the first line begins that begins at `at` or behind it; `size` when none does. */
const lineStart = async (handle: FileHandle, at: number, size: number): Promise<number> => {
  if (at <= 0 || at >= size) return Math.min(Math.max(at, 0), size);
  // The byte before tells whether a line begins at `at` itself.
  for (let from = at - 1; from < size; from += HEAD_BYTES) {
    const bytes = Buffer.allocUnsafe(Math.min(HEAD_BYTES, size - from));
    await fill(handle, bytes, from);
    const found = bytes.indexOf(NEWLINE);
    if (found >= 0) return from + found + 1;
  }
  return size;
};

/** Line feeds below `end`: read when an error is reported only, so at once. */
const linesBefore = (handle: FileHandle, end: number): number => {
  const bytes = Buffer.allocUnsafe(CHUNK_BYTES);
  let lines = 0;
  for (let at = 0; at < end;) {
    const got = readSync(handle.fd, bytes, 0, Math.min(CHUNK_BYTES, end - at), at);
    if (got === 0) break;
    lines += newlines(bytes, got);
    at += got;
  }
  return lines;
};

/**
 * The file's bytes [begin, stop), both at line starts, in pieces of whole lines (the last line may lack its end). While one is decoded the next is read. A piece is valid until
 * the next but one is asked for.
 */
async function* wholeLines(handle: FileHandle, begin: number, stop: number): AsyncIterable<Uint8Array> {
  const buffers = [Buffer.alloc(0), Buffer.alloc(0)];
  let rest: Uint8Array = Buffer.alloc(0);
  const room = (turn: number, head: number, length: number): Buffer => {
    if (buffers[turn]!.length < head + length) buffers[turn] = Buffer.allocUnsafeSlow(head + length);
    return buffers[turn]!;
  };
  /** Reads the chunk at `at` behind a head of HEAD_BYTES, where the last line of the chunk before will go. */
  const read = async (turn: number, at: number): Promise<Buffer> => {
    const length = Math.min(CHUNK_BYTES, stop - at);
    const chunk = room(turn, HEAD_BYTES, length).subarray(HEAD_BYTES, HEAD_BYTES + length);
    await fill(handle, chunk, at);
    return chunk;
  };
  let coming = stop > begin ? read(0, begin) : undefined;
  for (let at = begin, turn = 0; coming !== undefined; turn ^= 1) {
    const chunk: Buffer = await coming;
    const whole: Buffer = rest.length <= HEAD_BYTES ? buffers[turn]! : Buffer.concat([rest, chunk]);
    let from = 0;
    if (whole === buffers[turn]) {
      from = HEAD_BYTES - rest.length;
      whole.set(rest, from);
    }
    const end = from + rest.length + chunk.length;
    at += chunk.length;
    coming = at < stop ? read(turn ^ 1, at) : undefined;
    // A failure is thrown where it is awaited.
    coming?.catch(() => undefined);
    const cut = coming === undefined ? end : whole.lastIndexOf(NEWLINE, end - 1) + 1;
    if (cut > from) yield whole.subarray(from, cut);
    rest = Buffer.from(whole.subarray(Math.max(from, cut), end));
  }
}

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
