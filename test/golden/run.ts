/**
 * Runs golden case files through the engine: `npx tsx test/golden/run.ts FILE… [--partitions N] [--restart-every-epoch] [--filter TEXT] [--json OUT]
 * [--known FILE]`. The top-level key of a file tells its format. The last line is `N passed, N failed`; exit 1 on any failure, 2 on a file of no known
 * format.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { BatchSession, type ExpressionCase, type QueryCase } from "./batch-runner.ts";
import { runStreamCase, type StreamCase } from "./streams-runner.ts";

interface Result {
  readonly file: string;
  readonly name: string;
  readonly difference: string | undefined;
}

interface Options {
  readonly partitions: number;
  readonly restartEveryEpoch: boolean;
  readonly filter: string;
}

type Runner = (file: string, data: never, o: Options, report: (r: Result) => void) => Promise<void>;

const runStreams: Runner = async (file, data: { cases: readonly StreamCase[] }, o, report) => {
  for (const c of data.cases)
    if (c.name.includes(o.filter)) report({ file, name: c.name, difference: await runStreamCase(c, o) });
};

const runExpressions: Runner = async (file, data: { expressions: readonly ExpressionCase[] }, o, report) => {
  const session = new BatchSession();
  for (const c of data.expressions) {
    const name = `${c.category}: ${c.sql}`;
    if (name.includes(o.filter)) report({ file, name, difference: await session.expression(c) });
  }
  await session.close();
};

const runQueries: Runner = async (
  file,
  data: { tables: Record<string, string>; queries: readonly QueryCase[] },
  o,
  report,
) => {
  const session = new BatchSession();
  for (const ddl of Object.values(data.tables)) {
    const difference = await session.statement({ sql: ddl });
    if (difference !== undefined) report({ file, name: ddl, difference });
  }
  for (const c of data.queries)
    if (c.sql.includes(o.filter)) report({ file, name: c.sql, difference: await session.statement(c) });
  await session.close();
};

const runScripts: Runner = async (
  file,
  data: { scripts: readonly { name: string; statements: readonly QueryCase[] }[] },
  o,
  report,
) => {
  for (const script of data.scripts) {
    const session = new BatchSession();
    for (const c of script.statements) {
      const name = `${script.name}: ${c.sql}`;
      const difference = await session.statement(c);
      if (name.includes(o.filter)) report({ file, name, difference });
    }
    await session.close();
  }
};

const FORMATS: Readonly<Record<string, Runner>> = {
  cases: runStreams,
  expressions: runExpressions,
  queries: runQueries,
  scripts: runScripts,
};

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
  },
});
if (files.length === 0)
  usage(
    "usage: run.ts FILE… [--partitions N] [--restart-every-epoch] [--filter TEXT] [--json OUT] [--known FILE]",
  );
const partitions = Number(flags.partitions);
if (!Number.isInteger(partitions) || partitions < 1 || partitions > 256)
  usage(`--partitions ${flags.partitions}: a whole number from 1 to 256`);
const known = new Set(
  flags.known === undefined
    ? []
    : (JSON.parse(readFileSync(flags.known, "utf8")) as { differences: { name: string }[] }).differences.map(
        (d) => d.name,
      ),
);

const results: Result[] = [];
const report = (r: Result): void => {
  results.push(r);
  if (r.difference !== undefined && !known.has(r.name))
    process.stdout.write(`FAILED ${r.name}\n${r.difference}\n`);
};
for (const file of files) {
  const data = JSON.parse(readFileSync(file, "utf8")) as object;
  const format = Object.keys(FORMATS).find((k) => Object.hasOwn(data, k));
  if (format === undefined) usage(`${file}: none of the keys ${Object.keys(FORMATS).join(", ")} is in it`);
  await FORMATS[format!]!(
    file,
    data as never,
    { partitions, restartEveryEpoch: flags["restart-every-epoch"], filter: flags.filter },
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
