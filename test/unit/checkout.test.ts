/**
 * What `make setup` (or `npm ci`) promises: in the checkout, `npx millrace` and `import … from "millrace"` work from
 * any folder, reach one instance of the library, and may be started several at once.
 */
import assert from "node:assert/strict";
import {
  accessSync,
  constants,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { type Process, repository, runNode, runProgram, startProgram } from "../support/process.ts";
import { type Hooks, temporaryDirectory } from "../support/temporary.ts";

interface Lock {
  readonly packages: Record<string, { readonly os?: readonly string[]; readonly cpu?: readonly string[] }>;
}

const dist = (path: string): string => join(repository, "dist", path);

/** A folder two levels below the checkout's root, out of git's sight. */
function subfolder(t: Hooks): string {
  const parent = join(repository, ".tools");
  mkdirSync(parent, { recursive: true });
  const folder = mkdtempSync(join(parent, "checkout-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const deep = join(folder, "app");
  mkdirSync(deep);
  return deep;
}

const app =
  'console.log(import.meta.resolve("millrace"));\nconsole.log(import.meta.resolve("millrace/testing"));\n';
const expected = `${pathToFileURL(dist("src/index.js")).href}\n${pathToFileURL(dist("src/testing/index.js")).href}\n`;

describe("the checkout after set-up", () => {
  test("the command is executable and names its interpreter", () => {
    accessSync(dist("src/cli/main.js"), constants.X_OK);
    assert.match(readFileSync(dist("src/cli/main.js"), "utf8"), /^#!\/usr\/bin\/env node\n/);
  });

  test("an application in a subfolder finds the library by its own name", async (t) => {
    const folder = subfolder(t);
    writeFileSync(join(folder, "app.ts"), app);
    const ending = await runNode([join(folder, "app.ts")], { cwd: folder });
    assert.equal(ending.stdout, expected, ending.stderr);
  });

  test("so does one in a package of its own", async (t) => {
    const folder = subfolder(t);
    writeFileSync(join(folder, "package.json"), '{"name":"my-app","private":true,"type":"module"}');
    writeFileSync(join(folder, "app.ts"), app);
    const ending = await runNode([join(folder, "app.ts")], { cwd: folder });
    assert.equal(ending.stdout, expected, ending.stderr);
  });

  test("three commands at once start from a subfolder", async (t) => {
    const folder = subfolder(t);
    const start = (): Process => startProgram("npx", ["millrace"], { cwd: folder, t });
    for (const ending of await Promise.all([start(), start(), start()].map(({ ended }) => ended))) {
      assert.match(ending.stdout + ending.stderr, /usage/i);
      assert.equal(ending.code, 2, ending.stderr);
    }
  });

  test("the lock names the optional packages of every platform", async () => {
    const ending = await runProgram(process.execPath, ["ops/setup/complete-lock.mjs", "--check"]);
    assert.equal(ending.code, 0, ending.stderr);
  });

  test("planted: a lock without one of them", async (t) => {
    const folder = temporaryDirectory(t);
    mkdirSync(join(folder, "ops/setup"), { recursive: true });
    const script = join(folder, "ops/setup/complete-lock.mjs");
    copyFileSync(join(repository, "ops/setup/complete-lock.mjs"), script);
    const lock = JSON.parse(readFileSync(join(repository, "package-lock.json"), "utf8")) as Lock;
    const name = "node_modules/@esbuild/darwin-arm64";
    assert.ok(lock.packages[name] !== undefined);
    delete lock.packages[name];
    writeFileSync(join(folder, "package-lock.json"), JSON.stringify(lock));
    const checked = await runProgram(process.execPath, [script, "--check"]);
    assert.equal(checked.code, 1);
    assert.match(checked.stderr, /lacks @esbuild\/darwin-arm64$/m);
    assert.equal((await runProgram(process.execPath, [script])).code, 0);
    const mended = JSON.parse(readFileSync(join(folder, "package-lock.json"), "utf8")) as Lock;
    assert.deepEqual(mended.packages[name]?.os, ["darwin"]);
    assert.deepEqual(mended.packages[name]?.cpu, ["arm64"]);
  });
});
