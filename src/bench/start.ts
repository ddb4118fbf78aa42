/**
 * Start to first row: the built command line runs an application on the embedded log with an empty data directory; the time from the spawn of the process to the
 * first row that its sink prints. Medians, and the CPU time of the whole process.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { ConfigurationError } from "../core/errors.ts";
import { type BenchOptions, type Flags, positive } from "./options.ts";
import { withDirectory } from "./query-run.ts";
import { median, printReport, type ReportRow } from "./report.ts";

export const START_FLAGS: Flags = { runs: "starts; the median counts (default 5)" };

const AIM_MS = 500;

/** Where the built package is, from its own dist/ or from the sources. */
const built = (name: string): string => {
  const root = fileURLToPath(
    new URL(import.meta.url.endsWith(".ts") ? "../../" : "../../../", import.meta.url),
  );
  const path = join(root, "dist/src", name);
  if (!existsSync(path)) throw new ConfigurationError(`${path} is not built`, { hint: "run make build" });
  return path;
};

const application = (input: string): string => `
import { count, schema, session, t } from ${JSON.stringify(pathToFileURL(built("index.js")).href)};
const mill = session({ name: "start" });
const rows = mill.readStream.format("ndjson").option("path", ${JSON.stringify(input)}).schema(schema({ k: t.string })).load();
const query = await rows.groupBy("k").agg(() => ({ n: count() })).writeStream.queryName("first").outputMode("update")
  .foreach({ process: (row) => void process.stdout.write(JSON.stringify([row.k, row.n, process.cpuUsage()]) + "\\n") }).start();
await query.awaitTermination();
`;

interface Start {
  readonly ms: number;
  readonly cpuMs: number;
  readonly correct: boolean;
}

const startOnce = (directory: string): Promise<Start> => {
  const input = join(directory, "in");
  mkdirSync(input);
  writeFileSync(join(input, "rows.ndjson"), '{"k":"a"}\n{"k":"a"}\n');
  const app = join(directory, "app.mjs");
  writeFileSync(app, application(input));
  return timed([built("cli/main.js"), "run", app, "--data", join(directory, "data"), "--port", "0"]);
};

const timed = async (args: readonly string[]): Promise<Start> => {
  const from = performance.now();
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  let error = "";
  child.stderr.on("data", (b: Buffer) => void (error += b.toString()));
  const ended = once(child, "exit");
  const first = (await Promise.race([once(child.stdout, "data"), ended])) as readonly unknown[];
  const ms = performance.now() - from;
  child.kill("SIGKILL");
  await ended;
  if (!Buffer.isBuffer(first[0])) throw new Error(`the application ended: ${error.slice(-1000)}`);
  const [k, n, cpu] = JSON.parse(first[0].toString()) as [string, number, NodeJS.CpuUsage];
  return { ms, cpuMs: (cpu.user + cpu.system) / 1000, correct: k === "a" && n === 2 };
};

export const measureStart = async (runs: number): Promise<ReportRow> => {
  const starts: Start[] = [];
  for (let i = 0; i < runs; i++) starts.push(await withDirectory(startOnce));
  const ms = Math.round(median(starts.map((s) => s.ms)));
  return {
    startToFirstRowMs: ms,
    bestMs: Math.round(Math.min(...starts.map((s) => s.ms))),
    cpuMs: Math.round(median(starts.map((s) => s.cpuMs))),
    aimMs: AIM_MS,
    reached: ms < AIM_MS,
    correct: starts.every((s) => s.correct),
  };
};

export const start = async (o: BenchOptions): Promise<number> => {
  const runs = positive(o, "runs", 5);
  const row = await measureStart(runs);
  printReport({ bench: "start", settings: { runs, node: process.version }, rows: [row] }, o.json, o.print);
  return row["correct"] === true ? 0 : 1;
};
