/**
 * Temporary folders of tests.
 *
 *  I1. A folder lives at most as long as its process: what no test removed is removed at exit.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const folders = new Set<string>();

function remove(folder: string): void {
  folders.delete(folder);
  rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
}

process.on("exit", () => {
  for (const folder of folders) remove(folder);
});

/** What has an `after` hook: the context of a test. */
export interface Hooks {
  after(action: () => void | Promise<void>): void;
}

/** A fresh folder below the system's temporary one; removed after the test `t` when given, at exit otherwise. */
export function temporaryDirectory(t?: Hooks, prefix = "millrace-test-"): string {
  const folder = mkdtempSync(join(tmpdir(), prefix));
  folders.add(folder);
  t?.after(() => remove(folder));
  return folder;
}

/** Removes a folder of `temporaryDirectory` before its process ends. */
export function removeTemporary(folder: string): void {
  remove(folder);
}
