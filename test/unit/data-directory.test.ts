import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { DataDirectoryInUseError, StorageError } from "../../src/core/errors.ts";
import { lockDataDirectory } from "../../src/log/data-directory.ts";
import { startNode } from "../support/process.ts";
import { temporaryDirectory } from "../support/temporary.ts";

test("a data directory is one process's; the error names it; a released one is free", async (t) => {
  const dir = join(temporaryDirectory(t), "data");
  const lock = await lockDataDirectory(dir);
  await assert.rejects(lockDataDirectory(dir), (e: unknown) => {
    assert.ok(e instanceof DataDirectoryInUseError);
    assert.match(e.message, new RegExp(`process ${process.pid}`));
    return true;
  });
  await lock.release();
  await (await lockDataDirectory(dir)).release();
});

test("two calls at once: one gets it", async (t) => {
  const dir = temporaryDirectory(t);
  const results = await Promise.allSettled([1, 2, 3].map(() => lockDataDirectory(dir)));
  assert.equal(results.filter((r) => r.status === "fulfilled").length, 1);
});

test("another live process is named; killed, its lock is taken over at once", async (t) => {
  const dir = temporaryDirectory(t);
  const script = join(temporaryDirectory(t), "holder.ts");
  writeFileSync(
    script,
    `import { lockDataDirectory } from ${JSON.stringify(new URL("../../src/log/data-directory.ts", import.meta.url).href)};
     void lockDataDirectory(process.argv[2]!).then(() => { console.log("locked"); setInterval(() => {}, 1000); });`,
  );
  const holder = startNode([script, dir], { t });
  await holder.waitFor("locked");
  await assert.rejects(lockDataDirectory(dir), (e: unknown) => {
    assert.ok(e instanceof DataDirectoryInUseError);
    assert.match(e.message, new RegExp(`in use by process ${holder.pid}`));
    return true;
  });
  await holder.kill("SIGKILL");
  const started = performance.now();
  const lock = await lockDataDirectory(dir);
  assert.ok(performance.now() - started < 10_000);
  assert.match(readFileSync(join(dir, "millrace.lock"), "latin1"), new RegExp(`^${process.pid} `));
  await lock.release();
});

test("a lock of a number that is used again, and a torn one, are taken over", async (t) => {
  for (const content of [`${process.pid} 1\n`, `${process.ppid} 12345\n`, ""]) {
    const dir = temporaryDirectory(t);
    writeFileSync(join(dir, "millrace.lock"), content);
    // A parent that lives but was started at another time than the lock says.
    if (content.startsWith(`${process.ppid}`) && process.platform !== "linux") continue;
    await (await lockDataDirectory(dir)).release();
  }
});

test("a directory that cannot be made is a StorageError with its cause", async (t) => {
  const dir = temporaryDirectory(t);
  writeFileSync(join(dir, "file"), "");
  mkdirSync(join(dir, "other"));
  await assert.rejects(lockDataDirectory(join(dir, "file", "data")), (e: unknown) => {
    assert.ok(e instanceof StorageError && e.cause instanceof Error);
    return true;
  });
});
