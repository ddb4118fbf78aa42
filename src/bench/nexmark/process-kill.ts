/**
 * A run whose process is ended by SIGKILL in the middle; a second process goes on from its disk. The rows are kept in files named by their epoch, so that an
 * epoch written twice counts once, as a program with `foreachBatch` would do it.
 */
import { randomUUID } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { BatchFunction } from "../../connectors/function-sink.ts";
import { rowsOf } from "../../core/batch.ts";
import { cpuOf } from "../broker.ts";
import { outcomeOf, startChild } from "../child.ts";
import { runQuery, withDirectory } from "../query-run.ts";
import { nexmarkQuery } from "./queries.ts";
import { resultHash, rowTexts } from "./result.ts";
import { killAfter, type NexmarkOutcome, type NexmarkRun, queryRunOf } from "./run.ts";

/** Plain data. */
interface KilledRun {
  readonly run: NexmarkRun;
  readonly directory: string;
  readonly session: string;
  /** This epoch's rows are written and never recorded: here the process is killed. Absent in the second process. */
  readonly last?: number;
}

const rowsFolder = (directory: string): string => join(directory, "rows");
const WRITTEN = "last epoch written";
const EPOCH_DIGITS = 9;

const keepRows =
  (directory: string, last: number | undefined): BatchFunction =>
  async (batches, { epoch, partition }) => {
    const rows = batches.flatMap((b) => [...rowsOf(b)].map(rowTexts));
    const path = join(directory, `${String(epoch).padStart(EPOCH_DIGITS, "0")}-${partition}.json`);
    writeFileSync(`${path}.part`, JSON.stringify(rows));
    renameSync(`${path}.part`, path);
    if (last === undefined || epoch < last) return;
    process.stdout.write(`${WRITTEN}\n`);
    await new Promise<never>(() => {});
  };

/** In both processes; the first one never ends by itself. */
export const runUntilKilled = async (p: KilledRun): Promise<NexmarkOutcome> => {
  const { run, directory, session } = p;
  const { kill: _, ...alive } = run;
  const out = rowsFolder(directory);
  mkdirSync(out, { recursive: true });
  const query = await queryRunOf({ ...alive, sink: "blackhole" });
  const { rows: _rows, ...outcome } = await runQuery({
    ...query,
    sink: { format: "foreachBatch", options: {}, partitionBy: [], handle: keepRows(out, p.last) },
    kept: { directory, session },
  });
  return { query: run.query, events: run.files.events, result: undefined, ...outcome };
};

/** Starts the run and ends its process when the rows of `last` are written; gives the CPU seconds that it had used. */
const killInTheMiddle = (parameters: KilledRun): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = startChild("nexmarkKilled", parameters);
    let [text, error, cpuSeconds] = ["", "", 0];
    child.stderr!.on("data", (chunk: Buffer) => void (error += chunk.toString()));
    child.stdout!.on("data", (chunk: Buffer) => {
      text += chunk.toString();
      if (!text.includes(WRITTEN) || child.killed) return;
      cpuSeconds = cpuOf(child.pid!) ?? 0;
      child.kill("SIGKILL");
    });
    child.once("close", (code, signal) => {
      if (signal === "SIGKILL") resolve(cpuSeconds);
      else reject(new Error(`the engine ended with ${code} before it was killed: ${error.slice(-2000)}`));
    });
  });

/** Seconds are those of both processes with their starts; peak memory is the second one's. */
export const runKilled = (run: NexmarkRun): Promise<NexmarkOutcome> =>
  withDirectory(async (directory) => {
    const parameters: KilledRun = { run, directory, session: `bench-${randomUUID().slice(0, 8)}` };
    const start = performance.now();
    const killedCpu = await killInTheMiddle({ ...parameters, last: killAfter(run) + 1 });
    const outcome = await outcomeOf<NexmarkOutcome>("nexmarkKilled", startChild("nexmarkKilled", parameters));
    const out = rowsFolder(directory);
    const files = readdirSync(out)
      .filter((name) => name.endsWith(".json"))
      .sort();
    const rows = files.flatMap((name) => JSON.parse(readFileSync(join(out, name), "utf8")) as string[][]);
    const { key } = nexmarkQuery(run.query, run.data.delayUs);
    return {
      ...outcome,
      seconds: Number(((performance.now() - start) / 1000).toFixed(3)),
      cpuSeconds: Number((killedCpu + outcome.cpuSeconds).toFixed(3)),
      rowsOut: rows.length,
      result: resultHash(rows, key),
    };
  });
