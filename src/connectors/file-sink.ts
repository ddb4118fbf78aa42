/**
 * Format `file` (and `json`, `ndjson`, `csv`, `text`) as a sink: a directory of part files and a manifest.
 *
 * W1 Rows go to a hidden temporary file, which is synced and renamed to `part-<epoch>-<partition>.<ext>`; the manifest entry
 *    `_millrace_metadata/<epoch>` is written the same way, last. What it names is there whole; what no entry names is not output. W2 An epoch whose
 *    entry exists is done: it is not written again. A replay writes the same bytes under the same names, so that another copy of the
 *    actor changes nothing. W3 A directory belongs to one query id. W4 Every 100th entry holds all files so far, and replaces the entries before.
 */
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Batch, batchOf, rowCount } from "../core/batch.ts";
import { AnalysisError, ConfigurationError, FencedError } from "../core/errors.ts";
import { columnIndex, type Schema, schemaOf } from "../core/schema.ts";
import { valueAt } from "../core/vector.ts";
import { manifestEpochs, type Manifest, METADATA, partitionDirectory, readManifest } from "./file-listing.ts";
import {
  FILE_FORMATS,
  FILE_SINK_OPTIONS,
  type FileSinkOptions,
  readFileSinkOptions,
  storageFailure,
} from "./file-options.ts";
import { fileLines, fileText, headerLine } from "./file-text.ts";
import type { SinkContext, SinkFactory, SinkSpec, SinkWriter } from "./sink.ts";

const COMPACT_EVERY = 100;
const EXTENSIONS = { json: "json", ndjson: "ndjson", csv: "csv", text: "txt" } as const;

/** A part file being written. */
interface Part {
  readonly path: string;
  readonly temporary: string;
  readonly handle: FileHandle;
  size: number;
  rows: number;
}

/** Makes a rename durable. */
const syncDirectory = async (path: string): Promise<void> => {
  const handle = await open(path, constants.O_RDONLY);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
};

/** Tells writers of one process apart in the names of their temporary files. */
let writers = 0;

class FileWriter implements SinkWriter {
  readonly #suffix = `${process.pid}-${++writers}.tmp`;
  readonly #options: FileSinkOptions;
  readonly #context: SinkContext;
  /** Columns in the files, and those that name directories. */
  readonly #inFile: readonly number[];
  readonly #schema: Schema;
  readonly #fileSchema: Schema;
  readonly #partitionBy: readonly number[];
  readonly #parts = new Map<string, Part>();
  #epoch = 0;
  #newest = 0;

  constructor(options: FileSinkOptions, spec: SinkSpec, schema: Schema, context: SinkContext) {
    this.#options = options;
    this.#context = context;
    this.#schema = schema;
    this.#partitionBy = spec.partitionBy.map((name) => columnIndex(schema, name));
    this.#inFile = [...schema.fields.keys()].filter((c) => !this.#partitionBy.includes(c));
    this.#fileSchema = schemaOf(this.#inFile.map((c) => schema.fields[c]!));
  }

  async #guarded<T>(work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (e) {
      throw storageFailure(`the file sink cannot write ${this.#options.path}`, e);
    }
  }

  open(): Promise<void> {
    return this.#guarded(async () => {
      const { path } = this.#options;
      await mkdir(join(path, METADATA), { recursive: true });
      this.#newest = (await manifestEpochs(path)).at(-1) ?? 0;
      if (this.#newest === 0) return;
      const { queryId } = await readManifest(path, this.#newest);
      if (queryId !== this.#context.queryId)
        throw new ConfigurationError(
          `directory ${path} holds the output of another query (id ${queryId}); exactly once needs a directory of its own`,
          { hint: "give another path, or remove the directory" },
        );
    });
  }

  async begin(epoch: number): Promise<void> {
    await this.#drop();
    this.#epoch = epoch;
  }

  get #done(): boolean {
    return this.#epoch <= this.#newest;
  }

  async write(batch: Batch): Promise<void> {
    if (this.#done || rowCount(batch) === 0) return;
    await this.#guarded(async () => {
      for (const [directory, rows] of this.#split(batch)) {
        const lines = fileLines(rows, this.#options);
        const part = this.#parts.get(directory) ?? (await this.#create(directory));
        const bytes = Buffer.from(lines.join(""));
        await part.handle.appendFile(bytes);
        part.size += bytes.length;
        part.rows += lines.length;
      }
    });
  }

  /** The rows of each `key=value` directory, without the key columns. */
  #split(batch: Batch): readonly (readonly [string, Batch])[] {
    const columns = this.#inFile.map((c) => batch.columns[c]!);
    const whole = (selection: Int32Array | undefined): Batch =>
      batchOf(this.#fileSchema, batch.length, columns, selection);
    if (this.#partitionBy.length === 0) return [["", whole(batch.selection)]];
    const rows = new Map<string, number[]>();
    for (let k = 0; k < rowCount(batch); k++) {
      const i = batch.selection === undefined ? k : batch.selection[k]!;
      const directory = this.#partitionBy
        .map((c) => {
          const { name, type } = this.#schema.fields[c]!;
          return partitionDirectory(name, fileText(valueAt(batch.columns[c]!, i), type, this.#options));
        })
        .join("/");
      const list = rows.get(directory);
      if (list === undefined) rows.set(directory, [i]);
      else list.push(i);
    }
    return [...rows].map(([directory, list]) => [directory, whole(Int32Array.from(list))]);
  }

  async #create(directory: string): Promise<Part> {
    const { partition } = this.#context;
    const name = `part-${String(this.#epoch).padStart(8, "0")}-${String(partition).padStart(5, "0")}.${EXTENSIONS[this.#options.format]}`;
    const path = directory === "" ? name : `${directory}/${name}`;
    const folder = join(this.#options.path, directory);
    await mkdir(folder, { recursive: true });
    const temporary = join(folder, `.${name}.${this.#suffix}`);
    const part: Part = { path, temporary, handle: await open(temporary, "w"), size: 0, rows: 0 };
    this.#parts.set(directory, part);
    const header = headerLine(this.#fileSchema, this.#options);
    if (header !== "") {
      await part.handle.appendFile(header);
      part.size = Buffer.byteLength(header);
    }
    return part;
  }

  async commit(epoch: number): Promise<void> {
    if (this.#done) return this.#drop();
    if (!this.#context.alive()) throw new FencedError("the file sink's lease is gone: another copy writes");
    await this.#guarded(async () => {
      const { path } = this.#options;
      const files: Manifest["files"][number][] = [];
      for (const part of this.#parts.values()) {
        await part.handle.sync();
        await part.handle.close();
        const target = join(path, part.path);
        await rename(part.temporary, target);
        await syncDirectory(dirname(target));
        files.push({ path: part.path, size: part.size, rows: part.rows });
      }
      this.#parts.clear();
      await this.#manifest(epoch, files);
      this.#newest = epoch;
    });
  }

  async #manifest(epoch: number, files: Manifest["files"]): Promise<void> {
    const { path } = this.#options;
    const compact = epoch % COMPACT_EVERY === 0;
    const before = compact ? await manifestEpochs(path) : [];
    const all: Manifest["files"][number][] = [];
    for (const e of before) {
      const earlier = await readManifest(path, e);
      if (earlier.compact) all.length = 0;
      for (const file of earlier.files) all.push(file);
    }
    const entry: Manifest = {
      version: 1,
      queryId: this.#context.queryId,
      epoch,
      compact,
      files: [...all, ...files],
    };
    const target = join(path, METADATA, String(epoch));
    const temporary = join(path, METADATA, `.${epoch}.${this.#suffix}`);
    const handle = await open(temporary, "w");
    try {
      await handle.writeFile(`${JSON.stringify(entry)}\n`);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
    await syncDirectory(join(path, METADATA));
    for (const e of before) if (e < epoch) await rm(join(path, METADATA, String(e)), { force: true });
  }

  /** Forgets what was begun and not committed. */
  async #drop(): Promise<void> {
    for (const { handle, temporary } of this.#parts.values()) {
      await handle.close().catch(() => {});
      await rm(temporary, { force: true });
    }
    this.#parts.clear();
  }

  close(): Promise<void> {
    return this.#drop();
  }
}

const factory = (format: string): SinkFactory => ({
  format,
  optionNames: FILE_SINK_OPTIONS,
  validate(spec, schema, outputMode) {
    const options = readFileSinkOptions(spec.options, format);
    if (outputMode !== "append")
      throw new AnalysisError(
        `the ${format} sink appends rows and does not support output mode ${outputMode}`,
        {
          hint: 'use outputMode("append")',
        },
      );
    for (const name of spec.partitionBy)
      if (columnIndex(schema, name) < 0)
        throw new AnalysisError(`partitionBy names column ${name}, which the output does not have`, {
          errorClass: "UNRESOLVED_COLUMN.WITH_SUGGESTION",
        });
    const left = schema.fields.filter(
      (f) => !spec.partitionBy.some((p) => p.toLowerCase() === f.name.toLowerCase()),
    );
    if (left.length === 0) throw new AnalysisError("partitionBy leaves no column for the files");
    if (options.format === "text" && (left.length !== 1 || left[0]!.type.kind !== "string"))
      throw new AnalysisError("a text file holds one string column");
  },
  partitioned: () => false,
  describe: () => "fence: part files renamed in, one manifest entry per epoch",
  guarantee: () => "exactlyOnce",
  writer: (spec, schema, context) =>
    new FileWriter(readFileSinkOptions(spec.options, format), spec, schema, context),
});

export const fileSinkFactories: readonly SinkFactory[] = ["file", ...FILE_FORMATS].map(factory);
