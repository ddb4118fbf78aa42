/**
 * Which files a directory gives as input: those that its manifest names when a file sink wrote it, else all but hidden ones (`.…`, `_…`), oldest
 * first (by modification time, then name).
 */
import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { ConfigurationError } from "../core/errors.ts";
import { type FileSourceOptions, globPattern } from "./file-options.ts";

export const METADATA = "_millrace_metadata";

/** A file as input. Plan data. */
export type InputFile = {
  /** Below the source's root, with `/`. */
  readonly path: string;
  readonly size: number;
  readonly mtimeMs: number;
};

/** One epoch's entry in a sink's manifest; `compact` entries hold the files of all epochs up to theirs. */
export interface Manifest {
  readonly version: 1;
  readonly queryId: string;
  readonly epoch: number;
  readonly compact: boolean;
  readonly files: readonly { readonly path: string; readonly size: number; readonly rows: number }[];
}

export const absent = (e: unknown): boolean => (e as NodeJS.ErrnoException | undefined)?.code === "ENOENT";

/** Epochs in a manifest directory, ascending; [] when there is none. */
export const manifestEpochs = async (root: string): Promise<readonly number[]> => {
  try {
    const names = await readdir(join(root, METADATA));
    return names
      .filter((n) => /^\d+$/.test(n))
      .map(Number)
      .sort((a, b) => a - b);
  } catch (e) {
    if (absent(e)) return [];
    throw e;
  }
};

export const readManifest = async (root: string, epoch: number): Promise<Manifest> =>
  JSON.parse(await readFile(join(root, METADATA, String(epoch)), "utf8")) as Manifest;

/** The files that the manifest names; undefined when the directory has none. */
const manifestFiles = async (root: string): Promise<readonly string[] | undefined> => {
  const epochs = await manifestEpochs(root);
  if (epochs.length === 0) return undefined;
  const found: string[][] = [];
  for (const epoch of epochs.toReversed()) {
    const manifest = await readManifest(root, epoch);
    found.push(manifest.files.map((f) => f.path));
    if (manifest.compact) break;
  }
  return found.reverse().flat();
};

const hidden = (name: string): boolean => name.startsWith(".") || name.startsWith("_");

const walk = async (root: string, below: string, recursive: boolean): Promise<string[]> => {
  const entries = await readdir(join(root, below), { withFileTypes: true });
  const found: string[] = [];
  for (const entry of entries) {
    if (hidden(entry.name)) continue;
    const path = below === "" ? entry.name : `${below}/${entry.name}`;
    if (entry.isDirectory()) {
      // `key=value` directories are partitions, always looked into.
      if (recursive || entry.name.includes("="))
        for (const inner of await walk(root, path, recursive)) found.push(inner);
    } else found.push(path);
  }
  return found;
};

/** The directory that paths are relative to, and the pattern of a path whose last part is one. */
export const rootOf = async (
  options: FileSourceOptions,
): Promise<{ readonly root: string; readonly pattern: RegExp | undefined }> => {
  const info = await stat(options.path).catch((e: unknown) => {
    if (absent(e)) return undefined;
    throw e;
  });
  if (info?.isDirectory() === true) return { root: options.path, pattern: undefined };
  const root = dirname(options.path);
  const last = basename(options.path);
  if (info === undefined && !/[*?[{]/.test(last))
    throw new ConfigurationError(`path ${options.path} does not exist`, {
      hint: "create the directory first",
    });
  return {
    root,
    pattern: info === undefined ? globPattern(last) : new RegExp(`^${last.replace(/[^\w]/g, "\\$&")}$`),
  };
};

/** All input files there now. */
export const listFiles = async (options: FileSourceOptions): Promise<readonly InputFile[]> => {
  const { root, pattern } = await rootOf(options);
  const paths = (await manifestFiles(root)) ?? (await walk(root, "", options.recursive));
  const files: InputFile[] = [];
  for (const path of paths) {
    const name = basename(path);
    if (pattern !== undefined && (path.includes("/") || !pattern.test(name))) continue;
    if (options.glob !== undefined && !options.glob.test(name)) continue;
    const info = await stat(join(root, path)).catch(() => undefined);
    if (info?.isFile() === true) files.push({ path, size: info.size, mtimeMs: info.mtimeMs });
  }
  files.sort((a, b) => a.mtimeMs - b.mtimeMs || (a.path < b.path ? -1 : a.path > b.path ? 1 : 0));
  return options.latestFirst ? files.reverse() : files;
};

const UNESCAPED = "__HIVE_DEFAULT_PARTITION__";

/** The `key=value` directories of a path; a null value is Hive's default name. */
export const partitionValues = (path: string): ReadonlyMap<string, string | null> => {
  const values = new Map<string, string | null>();
  for (const part of path.split("/").slice(0, -1)) {
    const at = part.indexOf("=");
    if (at <= 0) continue;
    const value = decodeURIComponent(part.slice(at + 1));
    values.set(decodeURIComponent(part.slice(0, at)), value === UNESCAPED ? null : value);
  }
  return values;
};

/** `key=value`, with what a file name cannot hold escaped. */
export const partitionDirectory = (key: string, value: string | null): string => {
  const escape = (s: string): string =>
    s.replace(
      /[\u0000-\u001f"#%'*/:=?\\{}[\]^\u007f]/g,
      (c) => `%${c.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`,
    );
  const text = value === null || value === "" ? UNESCAPED : value;
  return `${escape(key)}=${escape(text)}`;
};
