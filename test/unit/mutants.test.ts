/** The list of mutants fits the code and names tests that exist; the cheap ones are applied in every build, all of them by `make mutants`. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { MUTANTS } from "../../ops/mutants/mutants.ts";

const ROOT = resolve(import.meta.dirname, "../..");
const read = (path: string): string => readFileSync(join(ROOT, path), "utf8");

test("every mutant fits the code once and names a test that exists", () => {
  for (const m of MUTANTS) {
    assert.equal(read(m.file).split(m.find).length - 1, 1, `${m.name}: in ${m.file}`);
    if (m.testName !== undefined)
      assert.ok(read(m.test).includes(m.testName), `${m.name}: ${m.testName} in ${m.test}`);
  }
});

test("every law has a mutant, and ARCHITECTURE.md names each mutant's test", () => {
  const laws = new Set(MUTANTS.flatMap((m) => m.law.match(/\d+/g) ?? []));
  for (let law = 1; law <= 13; law++) assert.ok(laws.has(String(law)), `law ${law}`);
  const page = read("ARCHITECTURE.md");
  for (const m of MUTANTS) assert.ok(page.includes(m.test), `ARCHITECTURE.md does not name ${m.test}`);
});

test("the cheap mutants are caught by their tests", { timeout: 400_000 }, () => {
  const run = spawnSync(process.execPath, ["--import", "tsx", "ops/mutants/main.ts", "--cheap"], {
    cwd: ROOT,
    encoding: "utf8",
    timeout: 390_000,
  });
  assert.equal(run.status, 0, run.stdout + run.stderr);
});
