/**
 * `make mutants`: applies each mutant to a copy of the tree and shows the named test failing. Prints the table law, mutant, test, caught; exits 1 when one
 * survived or does not fit the code any more.
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Mutant, MUTANTS } from "./mutants.ts";

const ROOT = resolve(import.meta.dirname, "../..");
/** A mutant that hangs is caught too. */
const TIMEOUT_MS = 240_000;
/** Walks that must find a mutant of the whole: a fixed seed, so that the table is the same every night. */
const ENVIRONMENT = { MILLRACE_SEED: "1", MILLRACE_WALKS: "1000" };

const copyTree = (): string => {
  const copy = mkdtempSync(join(tmpdir(), "millrace-mutants-"));
  for (const name of ["actors", "src", "test", "package.json", "tsconfig.json"])
    cpSync(join(ROOT, name), join(copy, name), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(copy, "node_modules"));
  return copy;
};

type Outcome = "caught" | "caught (hangs)" | "SURVIVED" | "DOES NOT FIT";

const runTest = (copy: string, m: Mutant): { failed: boolean; hangs: boolean } => {
  const env: NodeJS.ProcessEnv = { ...process.env, ...ENVIRONMENT };
  // Set when this runs inside a test: the runner below would take itself for a part of it and say nothing.
  delete env["NODE_TEST_CONTEXT"];
  const name = (m.testName ?? "") === "" ? [] : [`--test-name-pattern=${m.testName}`];
  const run = spawnSync(process.execPath, ["--import", "tsx", "--test", ...name, m.test], {
    cwd: copy,
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
    env,
  });
  return { failed: run.status !== 0, hangs: run.status === null };
};

const outcomeOf = (copy: string, m: Mutant): Outcome => {
  const path = join(copy, m.file);
  const source = readFileSync(path, "utf8");
  if (source.split(m.find).length !== 2) return "DOES NOT FIT";
  writeFileSync(
    path,
    source.replace(m.find, () => m.replace),
  );
  try {
    const { failed, hangs } = runTest(copy, m);
    return !failed ? "SURVIVED" : hangs ? "caught (hangs)" : "caught";
  } finally {
    writeFileSync(path, source);
  }
};

const only = process.argv[2];
const copy = copyTree();
let bad = 0;
try {
  const chosen = MUTANTS.filter(
    (m) => only === undefined || (only === "--cheap" ? m.cheap === true : m.name.includes(only)),
  );
  // A test that fails without a mutant would catch everything.
  for (const test of new Set(chosen.map((m) => m.test)))
    if (runTest(copy, { ...chosen[0]!, test, testName: "" }).failed) {
      process.stdout.write(`${test} fails without any mutant\n`);
      bad++;
    }
  process.stdout.write("| law | mutant | test | outcome |\n|---|---|---|---|\n");
  for (const m of chosen) {
    const outcome = outcomeOf(copy, m);
    if (!outcome.startsWith("caught")) bad++;
    const test = m.testName === undefined ? m.test : `${m.test}: "${m.testName}"`;
    process.stdout.write(`| ${m.law} | ${m.name} | ${test} | ${outcome} |\n`);
  }
  process.stdout.write(`${chosen.length - bad} of ${chosen.length} mutants caught\n`);
} finally {
  rmSync(copy, { recursive: true, force: true });
}
process.exitCode = bad === 0 ? 0 : 1;
