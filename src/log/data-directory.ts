/**
 * The lock of a data directory: one live process owns it. The lock file names the process; a dead one's is taken over.
 *
 * Invariants.
 *  D1 A lock whose process lives is never taken; the error names its pid.
 *  D2 A pid alone does not prove life: it must have been started when the lock says (Linux), and this process' own pid in a lock that
 *     it does not hold is a former process of the same number (containers).
 */
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { DataDirectoryInUseError, StorageError } from "../core/errors.ts";

const LOCK_FILE = "millrace.lock";
const ATTEMPTS = 20;

/** Directories locked by this process, and those it is about to lock. */
const held = new Set<string>();
const taking = new Set<string>();

export interface DataDirectory {
  readonly path: string;
  release(): Promise<void>;
}

interface Owner {
  readonly pid: number;
  /** Start time of the process in clock ticks since boot; empty where the system does not tell. */
  readonly started: string;
}

/** A field of the process' status from the third on (its state); empty where the system does not tell. */
const statusField = async (pid: number, field: number): Promise<string> => {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, "latin1");
    // The command in field 2 may hold spaces, so count from its closing parenthesis.
    return stat.slice(stat.lastIndexOf(")") + 2).split(" ")[field - 3] ?? "";
  } catch {
    return "";
  }
};

const startOf = (pid: number): Promise<string> => statusField(pid, 22);

/** Dead, and not yet fetched by its parent: it holds nothing any more. */
const isZombie = async (pid: number): Promise<boolean> => (await statusField(pid, 3)) === "Z";

const exists = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch (e) {
    return (e as NodeJS.ErrnoException).code === "EPERM";
  }
};

const lives = async (owner: Owner, path: string): Promise<boolean> => {
  if (owner.pid === process.pid) return held.has(path);
  if (!exists(owner.pid) || (await isZombie(owner.pid))) return false;
  return owner.started === "" || owner.started === (await startOf(owner.pid));
};

const parse = (text: string): Owner | undefined => {
  const [pid, started = ""] = text.trim().split(" ");
  return /^\d+$/.test(pid ?? "") ? { pid: Number(pid), started } : undefined;
};

const readText = async (file: string): Promise<string | undefined> => {
  try {
    return await readFile(file, "latin1");
  } catch (e) {
    if ((e as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw e;
  }
};

/** Removes the stale lock `text`; puts back what a faster process made of it in between. */
const removeStale = async (file: string, text: string): Promise<void> => {
  const aside = `${file}.${process.pid}.stale`;
  try {
    await rename(file, aside);
  } catch {
    return;
  }
  if ((await readText(aside)) !== text) await link(aside, file).catch(() => undefined);
  await rm(aside, { force: true });
};

const acquire = async (path: string): Promise<string> => {
  const file = join(path, LOCK_FILE);
  const mine = `${process.pid} ${await startOf(process.pid)}\n`;
  const draft = `${file}.${process.pid}.new`;
  await writeFile(draft, mine);
  try {
    for (let i = 0; i < ATTEMPTS; i++) {
      try {
        await link(draft, file);
        return file;
      } catch (e) {
        if ((e as NodeJS.ErrnoException).code !== "EEXIST") throw e;
      }
      const text = await readText(file);
      if (text === undefined) continue;
      const owner = parse(text);
      if (owner !== undefined && (await lives(owner, path)))
        throw new DataDirectoryInUseError(
          `The data directory ${path} is in use by process ${owner.pid}${owner.pid === process.pid ? " (this one)" : ""}`,
          { hint: "stop that process, or give this one another directory with --data" },
        );
      await removeStale(file, text);
    }
    throw new DataDirectoryInUseError(
      `The data directory ${path} is being locked by several processes at once`,
    );
  } finally {
    await rm(draft, { force: true });
  }
};

/** Creates the directory when needed and locks it. DataDirectoryInUseError, StorageError (not writable). */
export const lockDataDirectory = async (directory: string): Promise<DataDirectory> => {
  const path = resolve(directory);
  if (held.has(path) || taking.has(path))
    throw new DataDirectoryInUseError(
      `The data directory ${path} is in use by process ${process.pid} (this one)`,
    );
  taking.add(path);
  try {
    await mkdir(path, { recursive: true });
    const file = await acquire(path);
    held.add(path);
    const release = async (): Promise<void> => {
      if (held.delete(path)) await rm(file, { force: true });
    };
    return { path, release };
  } catch (cause) {
    if (cause instanceof DataDirectoryInUseError) throw cause;
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new StorageError(`The data directory ${path} cannot be used: ${why}`, { cause });
  } finally {
    taking.delete(path);
  }
};
