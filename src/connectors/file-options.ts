/** Options of the file source and sink, and the formats of files. */
import { extname, resolve } from "node:path";
import { AnalysisError, ConfigurationError, StorageError } from "../core/errors.ts";
import { STRING, field } from "../core/data-type.ts";
import { PARTITIONS_MAX } from "../core/limits.ts";
import { type Schema, schemaOf } from "../core/schema.ts";
import { type CsvOptions, CSV_DEFAULTS } from "./formats/csv.ts";
import { CORRUPT_COLUMN_DEFAULT, type Mode, MODES } from "./formats/decoder.ts";
import { OptionValues } from "./options.ts";
import type { Options } from "./source.ts";
import { triggerLimits } from "./trigger-limits.ts";

export const FILE_FORMATS = ["json", "ndjson", "csv", "text"] as const;
export type FileFormat = (typeof FILE_FORMATS)[number];

export const TEXT_SCHEMA: Schema = schemaOf([field("value", STRING)]);

const CSV_OPTIONS = ["header", "sep", "delimiter", "quote", "escape", "nullValue"];
export const FILE_SOURCE_OPTIONS: readonly string[] = [
  "path",
  "fileFormat",
  "maxFilesPerTrigger",
  "splits",
  "latestFirst",
  "recursiveFileLookup",
  "pathGlobFilter",
  "multiLine",
  "mode",
  "columnNameOfCorruptRecord",
  ...CSV_OPTIONS,
];

export const FILE_SINK_OPTIONS: readonly string[] = [
  "path",
  "fileFormat",
  "timestampFormat",
  "ignoreNullFields",
  ...CSV_OPTIONS,
];

/** `format("file")` with option `fileFormat`, or the format's own name. */
const formatOf = (values: OptionValues, format: string, path: string): FileFormat => {
  if (format !== "file") return format as FileFormat;
  const extension = extname(path).slice(1).toLowerCase();
  const guessed = { jsonl: "ndjson", txt: "text" }[extension] ?? extension;
  return values.choice("fileFormat", FILE_FORMATS, FILE_FORMATS.find((f) => f === guessed) ?? "json");
};

const csvOptions = (values: OptionValues): CsvOptions => {
  const sep = values.optional("sep") ?? values.text("delimiter", CSV_DEFAULTS.sep);
  if (sep === "") throw values.bad("sep", "at least one character");
  return {
    sep: sep === "\\t" ? "\t" : sep,
    quote: values.text("quote", CSV_DEFAULTS.quote),
    escape: values.text("escape", CSV_DEFAULTS.escape),
    nullValue: values.text("nullValue", CSV_DEFAULTS.nullValue),
    header: values.flag("header", CSV_DEFAULTS.header),
  };
};

export interface FileSourceOptions {
  /** Absolute; a directory, a file, or a pattern in the last part. */
  readonly path: string;
  readonly format: FileFormat;
  /** Parts of an epoch's files that are read side by side; undefined: not said. */
  readonly splits: number | undefined;
  readonly latestFirst: boolean;
  readonly recursive: boolean;
  readonly glob: RegExp | undefined;
  /** A whole file is one JSON text. */
  readonly multiLine: boolean;
  readonly mode: Mode;
  readonly corruptColumn: string;
  readonly csv: CsvOptions;
}

/** `*`, `?`, `[ab]` and `{a,b}` of a file name. */
export const globPattern = (glob: string): RegExp => {
  let depth = 0;
  const source = glob.replace(/[\s\S]/g, (c) => {
    if (c === "*") return "[^/]*";
    if (c === "?") return "[^/]";
    if (c === "{") return (depth++, "(?:");
    if (c === "}" && depth > 0) return (depth--, ")");
    if (c === "," && depth > 0) return "|";
    return c === "[" || c === "]" || c === "-" ? c : c.replace(/[.+^$()|\\}]/, "\\$&");
  });
  return new RegExp(`^${source}$`);
};

export const readFileSourceOptions = (options: Options, format: string): FileSourceOptions => {
  const values = new OptionValues(`${format} source`, options, FILE_SOURCE_OPTIONS);
  const path = values.required("path", "a directory, a file or a pattern");
  const glob = values.optional("pathGlobFilter");
  triggerLimits(options);
  return {
    path: resolve(path),
    format: formatOf(values, format, path),
    splits: values.integer("splits", { min: 1, max: PARTITIONS_MAX }),
    latestFirst: values.flag("latestFirst", false),
    recursive: values.flag("recursiveFileLookup", false),
    glob: glob === undefined ? undefined : globPattern(glob),
    multiLine: values.flag("multiLine", false),
    mode: values.choice("mode", MODES, "permissive"),
    corruptColumn: values.text("columnNameOfCorruptRecord", CORRUPT_COLUMN_DEFAULT),
    csv: csvOptions(values),
  };
};

export const fileSchema = (options: Options, format: string): Schema => {
  const { format: found } = readFileSourceOptions(options, format);
  if (found === "text") return TEXT_SCHEMA;
  throw new AnalysisError(`a ${found} source needs a schema`, { hint: "give .schema(schema({ … }))" });
};

export interface FileSinkOptions {
  readonly path: string;
  readonly format: FileFormat;
  readonly csv: CsvOptions;
  readonly millis: boolean;
  readonly ignoreNullFields: boolean;
}

export const readFileSinkOptions = (options: Options, format: string): FileSinkOptions => {
  const values = new OptionValues(`${format} sink`, options, FILE_SINK_OPTIONS);
  const path = values.required("path", "a directory");
  return {
    path: resolve(path),
    format: formatOf(values, format, path),
    csv: csvOptions(values),
    millis: values.choice("timestampFormat", ["iso", "millis"], "iso") === "millis",
    ignoreNullFields: values.flag("ignoreNullFields", false),
  };
};

/** What the file system's refusal asks for. */
export const storageFailure = (what: string, e: unknown): unknown => {
  const code = (e as NodeJS.ErrnoException | undefined)?.code;
  if (code === "ENOSPC" || code === "EDQUOT" || code === "EROFS" || code === "EIO")
    return new StorageError(`${what}: ${(e as Error).message}`, { cause: e });
  if (code === "EACCES" || code === "EPERM" || code === "ENOTDIR")
    return new ConfigurationError(`${what}: ${(e as Error).message}`, { cause: e });
  return e;
};
