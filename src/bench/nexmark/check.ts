/**
 * `bench nexmark --check FILE`: makes the data that the file names, runs its queries through the engine and compares the results with the file's. The file has
 * the form of golden/nexmark.json: `{data: [{events, delayUs, group, crc32?}], queries: {q0: {rows, hash}}}`.
 */
import { readFileSync } from "node:fs";
import { ConfigurationError } from "../../core/errors.ts";
import { type NexmarkParameters, nexmarkFiles } from "./data.ts";
import { type NexmarkRun, runNexmark } from "./run.ts";

export interface CheckFile {
  readonly data: readonly NexmarkParameters[];
  readonly queries: Readonly<Record<string, { readonly rows: number; readonly hash: string }>>;
}

export interface CheckResult {
  readonly query: string;
  readonly data: NexmarkParameters;
  readonly passed: boolean;
  /** What was got, or why nothing was. */
  readonly detail: string;
  readonly seconds: number;
}

const isCount = (x: unknown): x is number => Number.isSafeInteger(x) && (x as number) > 0;

export const readCheckFile = (path: string): CheckFile => {
  const bad = (what: string): never => {
    throw new ConfigurationError(`${path} is no check file: ${what}`, {
      hint: '{"data": [{"events": 100000, "delayUs": 10000, "group": 1}], "queries": {"q0": {"rows": 92000, "hash": "…"}}}',
    });
  };
  const file = JSON.parse(readFileSync(path, "utf8")) as Partial<CheckFile>;
  const data = Array.isArray(file.data) ? (file.data as readonly NexmarkParameters[]) : bad('no list "data"');
  for (const d of data)
    if (!isCount(d.events) || !isCount(d.delayUs) || !isCount(d.group))
      bad(`events, delayUs and group must be positive integers in ${JSON.stringify(d)}`);
  if (typeof file.queries !== "object" || file.queries === null) return bad('no "queries"');
  return { data, queries: file.queries };
};

export type CheckOptions = Pick<
  NexmarkRun,
  "partitions" | "source" | "rowsPerMessage" | "durable" | "kill" | "url" | "workers"
> & {
  readonly root: string;
  /** Names of the file's queries to run; all when absent. */
  readonly queries?: readonly string[] | undefined;
};

/** Runs every query over every data set, one after the other, and reports each. */
export const checkNexmark = async (
  file: CheckFile,
  options: CheckOptions,
  report: (result: CheckResult) => void,
): Promise<readonly CheckResult[]> => {
  const results: CheckResult[] = [];
  const { root, queries, ...rest } = options;
  for (const data of file.data) {
    const files = nexmarkFiles(root, data);
    for (const [query, wanted] of Object.entries(file.queries)) {
      if (queries?.includes(query) === false) continue;
      const start = performance.now();
      let passed = false;
      let detail: string;
      try {
        const run: NexmarkRun = { query, data, files, filesPerEpoch: 1, sink: "hash", ...rest };
        const { rows, hash } = (await runNexmark(run)).result!;
        passed = hash === wanted.hash && rows === wanted.rows;
        detail = passed ? hash : `${rows} rows ${hash}, expected ${wanted.rows} rows ${wanted.hash}`;
      } catch (e) {
        detail = e instanceof Error ? e.message : String(e);
      }
      const seconds = Number(((performance.now() - start) / 1000).toFixed(2));
      const result = { query, data, passed, detail, seconds };
      results.push(result);
      report(result);
    }
  }
  return results;
};
