/**
 * Applications run by the command line in processes of their own, for the tests of nodes: a folder with an application, its input as NDJSON files and its
 * output as JSON files.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Ending, type Process, repository, runNode, startNode } from "../support/process.ts";
import { type Hooks, temporaryDirectory } from "../support/temporary.ts";

export const cli = join(repository, "src/cli/main.ts");

/** Nothing of the machine's own settings reaches a test. */
const env = {
  NATS_URL: undefined,
  MILLRACE_NATS: undefined,
  MILLRACE_DATA: undefined,
  MILLRACE_PORT: undefined,
};

/** Runs a command to its end. */
export const millrace = (args: readonly string[], cwd?: string): Promise<Ending> =>
  runNode([cli, ...args], { env, ...(cwd === undefined ? {} : { cwd }) });

export interface Row {
  readonly k: string;
  readonly v: number;
  /** Seconds of event time. */
  readonly s: number;
}

export interface WindowRow {
  readonly start: string;
  readonly k: string;
  readonly n: number;
  readonly total: number;
}

const START_MS = Date.parse("2024-01-01T00:00:00Z");
const WINDOW_S = 10;

export const rowsBetween = (from: number, to: number, keys = 3): Row[] =>
  Array.from({ length: to - from }, (_, i) => ({
    k: `k${(from + i) % keys}`,
    v: from + i,
    s: (from + i) / 10,
  }));

/** What the application must write for these rows, counted here; windows that the last row does not close are left out. */
export const windowsOf = (rows: readonly Row[], delayS = 5): WindowRow[] => {
  const watermark = Math.max(...rows.map((r) => r.s)) - delayS;
  const windows = new Map<string, WindowRow>();
  for (const { k, v, s } of rows) {
    const begin = Math.floor(s / WINDOW_S) * WINDOW_S;
    if (begin + WINDOW_S > watermark) continue;
    const start = new Date(START_MS + begin * 1000).toISOString();
    const { n, total } = windows.get(start + k) ?? { n: 0, total: 0 };
    windows.set(start + k, { start, k, n: n + 1, total: total + v });
  }
  return sorted([...windows.values()]);
};

export const sorted = (rows: readonly WindowRow[]): WindowRow[] =>
  [...rows].sort((a, b) => (a.start + a.k < b.start + b.k ? -1 : 1));

/** The windowed count over files; `tail` is appended behind `start()`. */
const application = (folder: string, tail: string): string => `
import { session, schema, t, window, count, sum } from ${JSON.stringify(join(repository, "src/index.ts"))};
const mill = session({ name: "bed" });
const query = await mill.readStream.format("ndjson").schema(schema({ k: t.string, v: t.long, ts: t.timestamp }))
  .option("maxFilesPerTrigger", "1").load(${JSON.stringify(join(folder, "in"))})
  .withWatermark("ts", "5 seconds")
  .groupBy((c) => [window(c.ts, "10 seconds"), c.k]).agg((c) => ({ n: count(), total: sum(c.v) }))
  .select((c) => ({ start: c.window.start, k: c.k, n: c.n, total: c.total }))
  .writeStream.queryName("counts").outputMode("append").format("json").option("path", ${JSON.stringify(join(folder, "out"))}).start();
console.log("up " + process.pid);
${tail}
`;

export class NodeBed {
  readonly folder: string;
  readonly #t: Hooks;
  #files = 0;

  constructor(t: Hooks, tail = "") {
    this.#t = t;
    this.folder = temporaryDirectory(t);
    mkdirSync(join(this.folder, "in"));
    writeFileSync(join(this.folder, "package.json"), '{"type":"module"}');
    this.writeApp("app.ts", application(this.folder, tail));
  }

  get data(): string {
    return join(this.folder, "data");
  }

  writeApp(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  /** A file of rows, whole at once. */
  feed(rows: readonly Row[]): void {
    const lines = rows.map(({ k, v, s }) =>
      JSON.stringify({ k, v, ts: new Date(START_MS + s * 1000).toISOString() }),
    );
    const name = `${String(++this.#files).padStart(5, "0")}.ndjson`;
    writeFileSync(join(this.folder, name), `${lines.join("\n")}\n`);
    renameSync(join(this.folder, name), join(this.folder, "in", name));
  }

  /** `millrace run`; ended after the test. */
  start(flags: readonly string[] = [], app = "app.ts"): Process {
    const args = [cli, "run", app, "--data", this.data, "--port", "0", ...flags];
    return startNode(args, { cwd: this.folder, env, t: this.#t });
  }

  /** Every row in the output's part files. */
  written(): WindowRow[] {
    const out = join(this.folder, "out");
    if (!existsSync(out)) return [];
    return readdirSync(out)
      .filter((n) => n.startsWith("part-"))
      .flatMap((n) => readFileSync(join(out, n), "utf8").split("\n").filter(Boolean))
      .map((line) => JSON.parse(line) as WindowRow);
  }

  /** Waits until the output holds `count` rows. */
  async untilWritten(count: number, node: Process, timeoutMs = 90_000): Promise<void> {
    await until(() => this.written().length >= count, `${count} rows written`, node, timeoutMs);
  }
}

/** Looks again and again: for what shows in files only. */
export const until = async (
  condition: () => boolean | Promise<boolean>,
  what: string,
  node: Process,
  timeoutMs = 90_000,
): Promise<void> => {
  const end = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (node.isOver || performance.now() > end)
      throw new Error(
        `${what}: ${node.isOver ? "the node ended" : "not in time"}\n${node.stdout}\n${node.stderr}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 15));
  }
};
