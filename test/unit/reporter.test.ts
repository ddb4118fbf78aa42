/** What `make test` prints: failures in full, skipped tests with reasons, and the runner's counts as the last lines. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Ending, repository, runNode } from "../support/process.ts";
import { type Hooks, temporaryDirectory } from "../support/temporary.ts";

function run(t: Hooks, text: string): Promise<Ending> {
  const folder = temporaryDirectory(t);
  const file = join(folder, "planted.test.mjs");
  const imports = 'import { describe, test } from "node:test";\nimport assert from "node:assert/strict";\n';
  writeFileSync(file, imports + text);
  const reporter = join(repository, "ops/test/reporter.mjs");
  return runNode(["--test", `--test-reporter=${reporter}`, file], { cwd: folder, t });
}

const counts = (ending: Ending): string[] => ending.stdout.trimEnd().split("\n").slice(-8, -1);

test("a run that passes ends with its counts", async (t) => {
  const ending = await run(t, 'test("a", () => {});\ntest("b", { skip: "no server" }, () => {});\n');
  assert.equal(ending.code, 0);
  assert.match(ending.stdout, /^skipped planted\.test\.mjs: b: no server$/m);
  assert.match(ending.stdout, /^ok planted\.test\.mjs \(2 tests, \d+ ms\)$/m);
  const expected = ["tests 2", "suites 0", "pass 1", "fail 0", "cancelled 0", "skipped 1", "todo 0"];
  assert.deepEqual(
    counts(ending),
    expected.map((line) => `# ${line}`),
  );
});

test("a failure is told in full, again by name, and fails the run", async (t) => {
  const ending = await run(t, 'describe("s", () => { test("a", () => assert.equal(1, 2)); });\n');
  assert.equal(ending.code, 1);
  assert.match(ending.stdout, /^not ok planted\.test\.mjs: a$/m);
  assert.match(ending.stdout, /1 !== 2/);
  assert.match(ending.stdout, /^1 failure:\n {2}planted\.test\.mjs: a$/m);
  assert.ok(counts(ending).includes("# fail 1"));
});

test("a file that does not load fails the run", async (t) => {
  const ending = await run(t, 'throw new Error("broken file");\n');
  assert.equal(ending.code, 1);
  assert.match(ending.stdout + ending.stderr, /broken file/);
  assert.ok(counts(ending).includes("# fail 1"));
});
