/** A disk that is really full, under the embedded log of a node (a small tmpfs, where the tests run as root). */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { NodeBed, rowsBetween, sorted, windowsOf } from "./node-bed.ts";

const BYTES = 24 * 1024 * 1024;
const ROWS = 4_000;
const KEYS = 500;
/** What is left beside the filler. */
const LEFT_BYTES = 64 * 1024;

/** Undefined where this process may not mount anything. */
const smallDisk = (t: TestContext): string | undefined => {
  const folder = mkdtempSync(join(tmpdir(), "millrace-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${BYTES}`, "millrace-test", folder], {
      stdio: "ignore",
    });
  } catch {
    rmSync(folder, { recursive: true });
    return undefined;
  }
  t.after(() => {
    execFileSync("umount", ["-l", folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
};

class DiskBed extends NodeBed {
  readonly #data: string;

  constructor(t: TestContext, data: string) {
    super(t);
    this.#data = data;
  }

  override get data(): string {
    return this.#data;
  }
}

test("a full disk fails the query with its cause; with room again a restart goes on exactly", async (t) => {
  const disk = smallDisk(t);
  if (disk === undefined) return t.skip("no tmpfs can be mounted here: not root");
  const bed = new DiskBed(t, disk);
  let fed = 0;
  const feed = (): void => bed.feed(rowsBetween(fed, (fed += ROWS), KEYS));
  feed();
  const node = bed.start();
  await node.waitFor(/up \d+/);
  await bed.untilWritten(windowsOf(rowsBetween(0, fed, KEYS)).length, node);
  const { bavail, bsize } = statfsSync(disk);
  writeFileSync(join(disk, "filler"), Buffer.alloc(bavail * bsize - LEFT_BYTES));
  for (let i = 0; i < 40 && !node.isOver; i++) {
    feed();
    await Promise.race([node.ended, new Promise((resolve) => setTimeout(resolve, 200))]);
  }
  const late = setTimeout(() => void node.kill(), 90_000);
  const { code, stderr } = await node.ended;
  clearTimeout(late);
  assert.equal(code, 1, stderr);
  assert.match(stderr, /query counts failed/);
  assert.match(stderr, /no space left on device/i);
  assert.doesNotMatch(stderr, /^\s+at .*:\d+:\d+/m);
  rmSync(join(disk, "filler"));
  const again = bed.start();
  const expected = windowsOf(rowsBetween(0, fed, KEYS));
  await bed.untilWritten(expected.length, again, 60_000);
  assert.deepEqual(sorted(bed.written()), expected);
});
