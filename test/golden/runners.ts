/** The runners of golden case files, one per format, and the differences known in docs/differences.json. */
import { readFileSync } from "node:fs";
import { BatchSession, type ExpressionCase, type QueryCase } from "./batch-runner.ts";
import { runStreamCase, type StreamCase } from "./streams-runner.ts";

export interface Result {
  readonly file: string;
  readonly name: string;
  readonly difference: string | undefined;
}

export interface RunOptions {
  readonly partitions: number;
  readonly restartEveryEpoch: boolean;
  readonly filter: string;
  /** Streams: more state than so many bytes goes to disk. */
  readonly stateMemory?: number | undefined;
  readonly strict?: boolean;
}

export type Runner = (file: string, data: never, o: RunOptions, report: (r: Result) => void) => Promise<void>;

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

/** The runner of a file's content by its top-level key; undefined when it has none of the known ones. */
export const runnerOf = (data: object): Runner | undefined => {
  const format = Object.keys(FORMATS).find((k) => Array.isArray((data as Record<string, unknown>)[k]));
  return format === undefined ? undefined : FORMATS[format];
};

/** Names of the cases that a file of known differences lists. */
export const knownDifferences = (file: string | undefined): ReadonlySet<string> =>
  new Set(
    file === undefined
      ? []
      : (JSON.parse(readFileSync(file, "utf8")) as { differences: { name: string }[] }).differences.map(
          (d) => d.name,
        ),
  );

/** Streaming cases, several at a time: they wait for their disks most of the time. */
export const runStreamsTogether = async (
  cases: readonly object[],
  options: RunOptions,
  atATime: number,
): Promise<readonly Result[]> => {
  const results: Result[] = [];
  const part = (p: number): object[] => cases.filter((_, i) => i % atATime === p);
  await Promise.all(
    Array.from({ length: atATime }, (_, p) =>
      runStreams("test", { cases: part(p) } as never, options, (r) => results.push(r)),
    ),
  );
  return results;
};
