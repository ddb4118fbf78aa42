/**
 * Formats `file`, `json`, `ndjson`, `csv`, `text`: a directory's files, each once, oldest first.
 *
 * F1 A file found is first appended to a log of the source's own (so it is never taken twice and none is forgotten); an offset is a position in that
 *    log. F2 The plan entry names the files with their sizes; a replay reads the same bytes: a file that vanished or shrank is a
 *    DataLossError, one that grew is read up to the size it had. F3 Files must appear whole (rename them in). F4 Every split's offset is the one
 *    position in that log: an epoch takes the same files whatever the number of splits, which may be another one at every start.
 */
import { stat } from "node:fs/promises";
import { join } from "node:path";
import { position } from "../core/brands.ts";
import { LogConflictError } from "../core/errors.ts";
import { pack, unpack } from "msgpackr";
import type { Log } from "../log/log.ts";
import { inputLog } from "../log/names.ts";
import { listFiles, type InputFile, rootOf } from "./file-listing.ts";
import {
  FILE_FORMATS,
  FILE_SOURCE_OPTIONS,
  fileSchema,
  type FileSourceOptions,
  readFileSourceOptions,
  storageFailure,
} from "./file-options.ts";
import { spreadFiles } from "./file-pieces.ts";
import { FileReader } from "./file-reader.ts";
import { jsonDecoderCode } from "./formats/json-decoder.ts";
import type {
  Json,
  PlanLimits,
  Source,
  SourceContext,
  SourceEnumerator,
  SourceFactory,
  SourceSpec,
  SplitRange,
} from "./source.ts";

/** The first split, and the timeline of all. */
const SPLIT = "files";
const splitName = (index: number): string => (index === 0 ? SPLIT : `${SPLIT}-${index}`);
const SESSION_DEFAULT = "default";

/** What was found, in order: by log position in a stream, all at once in a batch. */
interface FoundFiles {
  /** Files at positions [from, to). */
  files(from: number, to: number): readonly InputFile[];
  /** Looks for new files. Gives the next free position. */
  look(): Promise<number>;
}

class LoggedFiles implements FoundFiles {
  readonly #options: FileSourceOptions;
  readonly #log: Log;
  readonly #files = new Map<number, InputFile>();
  readonly #seen = new Set<string>();
  #last = 0;

  constructor(options: FileSourceOptions, log: Log) {
    this.#options = options;
    this.#log = log;
  }

  /** Reads what the log holds beyond what is known. */
  async open(): Promise<void> {
    const { first, last } = await this.#log.bounds();
    for (let p: number = Math.max(first, this.#last + 1); p <= last; p++) {
      const record = await this.#log.get(position(p));
      if (record !== undefined) this.#add(p, unpack(record.payload) as InputFile);
    }
    this.#last = last;
  }

  #add(p: number, file: InputFile): void {
    this.#files.set(p, file);
    this.#seen.add(file.path);
  }

  files(from: number, to: number): readonly InputFile[] {
    return Array.from({ length: to - from }, (_, i) => this.#files.get(from + i)!);
  }

  async look(): Promise<number> {
    for (const file of await listFiles(this.#options))
      while (!this.#seen.has(file.path)) await this.#take(file);
    return this.#last + 1;
  }

  /** Another enumerator may be faster (a leader before this one, processAllAvailable): what it found counts. */
  async #take(file: InputFile): Promise<void> {
    try {
      this.#last = await this.#log.append(pack(file), { expectLast: position(this.#last) });
      this.#add(this.#last, file);
    } catch (e) {
      if (!(e instanceof LogConflictError)) throw e;
      await this.open();
    }
  }
}

class ListedFiles implements FoundFiles {
  readonly #options: FileSourceOptions;
  #files: readonly InputFile[] | undefined;

  constructor(options: FileSourceOptions) {
    this.#options = options;
  }

  files(from: number, to: number): readonly InputFile[] {
    return this.#files!.slice(from - 1, to - 1);
  }

  async look(): Promise<number> {
    this.#files ??= await listFiles(this.#options);
    return this.#files.length + 1;
  }
}

class FileEnumerator implements SourceEnumerator {
  readonly #open: () => Promise<FoundFiles>;
  readonly #splits: number;
  /** Whether a file may be cut at line ends. */
  readonly #cut: boolean;
  #found: FoundFiles | undefined;
  #next = 1;
  #end = 1;
  #frozen = Infinity;

  constructor(open: () => Promise<FoundFiles>, splits: number, cut: boolean) {
    this.#open = open;
    this.#splits = splits;
    this.#cut = cut;
  }

  async open(state: Readonly<Record<string, Json>> | undefined): Promise<void> {
    this.#found = await this.#open();
    // Splits of an earlier start with more of them stand where they ended.
    this.#next = Math.max(1, ...(Object.values(state ?? {}) as number[]));
    this.#end = this.#next;
  }

  async #look(): Promise<void> {
    try {
      if (this.#frozen === Infinity) this.#end = await this.#found!.look();
    } catch (e) {
      throw storageFailure("the file source cannot read its directory", e);
    }
  }

  async plan(limits: PlanLimits): Promise<readonly SplitRange[]> {
    await this.#look();
    const from = this.#next;
    const to = Math.min(this.#end, from + (limits.maxOffsets ?? Infinity));
    if (to <= from) return [];
    this.#next = to;
    const runs = spreadFiles(this.#found!.files(from, to), this.#splits, this.#cut);
    return runs.map((data, i) => ({
      split: splitName(i),
      from,
      to,
      data: data as readonly Json[],
      ...(i === 0 ? {} : { timeline: SPLIT }),
    }));
  }

  async freeze(): Promise<void> {
    await this.#look();
    this.#frozen = this.#end;
  }

  unread(): readonly string[] {
    return this.#end > this.#next ? [SPLIT] : [];
  }

  async backlog(): Promise<number> {
    await this.#look();
    return this.#end - this.#next;
  }

  async close(): Promise<void> {}
}

const sourceOf = (spec: SourceSpec, context: SourceContext, mode: "batch" | "stream"): Source => {
  const options = readFileSourceOptions(spec.options, spec.format);
  const splits = mode === "batch" ? 1 : (options.splits ?? context.splits ?? 1);
  const cut = (options.format === "json" || options.format === "ndjson") && !options.multiLine;
  const found = async (): Promise<FoundFiles> => {
    const { root } = await rootOf(options);
    await stat(root).catch((e: unknown) => {
      throw storageFailure(`path ${options.path}`, e);
    });
    if (mode === "batch") return new ListedFiles(options);
    const { store, session = SESSION_DEFAULT, queryName, sourceId } = context;
    const files = new LoggedFiles(options, await store.open(inputLog(session, queryName, sourceId)));
    await files.open();
    return files;
  };
  return {
    schema: spec.schema,
    description: `${spec.format}[${options.path}]`,
    parallelism: async () => splits,
    enumerator: () => new FileEnumerator(found, splits, cut),
    reader: () =>
      new FileReader(options, async (path) => join((await rootOf(options)).root, path), spec, context),
  };
};

const factory = (format: string): SourceFactory => ({
  format,
  optionNames: FILE_SOURCE_OPTIONS,
  validate(options) {
    readFileSourceOptions(options, format);
  },
  nested: (options) => ["json", "ndjson"].includes(readFileSourceOptions(options, format).format),
  decoderCode(spec) {
    const { format: of, corruptColumn } = readFileSourceOptions(spec.options, format);
    return of === "json" || of === "ndjson" ? jsonDecoderCode(spec, corruptColumn) : undefined;
  },
  defaultSchema: (options) => fileSchema(options, format),
  create: sourceOf,
});

export const fileSourceFactories: readonly SourceFactory[] = ["file", ...FILE_FORMATS].map(factory);
