/**
 * Runs golden case files through the engine: `npx tsx test/golden/run.ts FILE… [--partitions N] [--restart-every-epoch] [--filter TEXT] [--json OUT]
 * [--known FILE] [--strict] [--state-memory BYTES]`. The top-level key of a file tells its format. The last line is `N passed, N failed`; exit 1 on any failure, 2 on a file of no known
 * format. `--strict` compares what only should agree in streams too: rows epoch by epoch, rows in state, late rows.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { knownDifferences, type Result, runnerOf } from "./runners.ts";

const usage = (message: string): never => {
  process.stderr.write(`${message}\n`);
  process.exit(2);
};

const { values: flags, positionals: files } = parseArgs({
  allowPositionals: true,
  options: {
    partitions: { type: "string", default: "1" },
    "restart-every-epoch": { type: "boolean", default: false },
    filter: { type: "string", default: "" },
    json: { type: "string" },
    known: { type: "string" },
    "state-memory": { type: "string" },
    strict: { type: "boolean", default: false },
  },
});
if (files.length === 0)
  usage(
    "usage: run.ts FILE… [--partitions N] [--restart-every-epoch] [--filter TEXT] [--json OUT] [--known FILE] [--strict] [--state-memory BYTES]",
  );
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
