/** Runs golden case files through the engine; `--help` says how. The last line is `N passed, N failed`. */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { knownDifferences, type Result, runnerOf } from "./runners.ts";

const HELP = `usage: npx tsx test/golden/run.ts FILE... [flags]

Runs golden case files (shared/golden/README.md; test/golden/cases) through the real engine: embedded log, actors, stores, virtual time,
compatibility "spark". The top-level key of a file tells its format: cases (streams), expressions, queries, scripts.

  --partitions N          streams: partitions of keyed stages, 1 to 256 (default 1)
  --restart-every-epoch   streams: the node is killed and started again after every step
  --filter TEXT           only cases whose name (or SQL) holds TEXT
  --json OUT              also writes [{file, name, difference, passed}] to OUT
  --known FILE            differences that FILE lists (docs/differences.json) do not count as failed
  --strict                streams: compares rows epoch by epoch, rows in state and late rows too
  --state-memory BYTES    streams: state beyond so many bytes goes to disk
  --help                  this text

Prints each difference; the last line is "N passed, N failed". Exit 0: all passed; 1: some failed; 2: wrong usage, or a file of no known format.
`;

const usage = (message: string): never => {
  process.stderr.write(`${message}\n`);
  process.exit(2);
};

const { values: flags, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    partitions: { type: "string", default: "1" },
    "restart-every-epoch": { type: "boolean", default: false },
    help: { type: "boolean", default: false },
    filter: { type: "string", default: "" },
    json: { type: "string" },
    known: { type: "string" },
    "state-memory": { type: "string" },
    strict: { type: "boolean", default: false },
  },
});
if (flags.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
if (files.length === 0) usage(HELP);
const partitions = Number(flags.partitions);
if (!Number.isInteger(partitions) || partitions < 1 || partitions > 256)
  usage(`--partitions ${flags.partitions}: a whole number from 1 to 256`);
const known = knownDifferences(flags.known);

const results: Result[] = [];
const report = (r: Result): void => {
  results.push(r);
  if (r.difference !== undefined && !known.has(r.name))
    process.stdout.write(`FAILED ${r.name}\n${r.difference}\n`);
};
for (const file of files) {
  const data = JSON.parse(readFileSync(file, "utf8")) as object;
  const runner = runnerOf(data);
  if (runner === undefined) usage(`${file}: none of the keys cases, expressions, queries, scripts is in it`);
  await runner!(
    file,
    data as never,
    {
      partitions,
      restartEveryEpoch: flags["restart-every-epoch"],
      filter: flags.filter,
      stateMemory: flags["state-memory"] === undefined ? undefined : Number(flags["state-memory"]),
      strict: flags.strict,
    },
    report,
  );
}
if (flags.json !== undefined)
  writeFileSync(
    flags.json,
    JSON.stringify(
      results.map((r) => ({ ...r, passed: r.difference === undefined })),
      null,
      1,
    ),
  );
const failed = results.filter((r) => r.difference !== undefined && !known.has(r.name)).length;
process.stdout.write(`${results.length - failed} passed, ${failed} failed\n`);
process.exitCode = failed === 0 ? 0 : 1;
