/**
 * Large state: a count and a sum over many keys. It is filled, then epochs touch a small part of it, then keys drawn from all of them; then the node is
 * killed and goes on from its disk, and killed again with its disk lost and goes on from the snapshot. What a commit costs should follow what changed;
 * with a limit the memory should follow the limit, whatever the number of keys.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { StreamingQueryProgress } from "../query/streaming-query.ts";
import { inChild } from "./child.ts";
import type { BenchEngine } from "./engine.ts";
import { keyedCount, writeKeys, writeRows } from "./keyed-files.ts";
import { type Measured, measure } from "./measure.ts";
import { type BenchOptions, type Flags, positive } from "./options.ts";
import { openEngine, withDirectory } from "./query-run.ts";
import { median, printReport } from "./report.ts";

export const STATE_FLAGS: Flags = {
  keys: "distinct keys (default 500000)",
  changed: "keys that each later epoch touches (default 5000)",
  random: "rows of an epoch with keys drawn from all (default 50000)",
  partitions: "partitions of the count (default 2)",
  memory: "megabytes of memory for state, more goes to disk (default: no limit)",
};

/** Rows of an epoch while the state is filled, at most. */
const FILL_ROWS = 500_000;
const FILLING = 10;
const CHANGING = 10;
const SAMPLE_MS = 100;

interface Parameters {
  readonly keys: number;
  readonly changed: number;
  readonly random: number;
  readonly partitions: number;
  readonly memory: number | null;
}

interface State extends Measured {
  readonly keysPerSecond: number;
  readonly fillEpochMs: number;
  readonly changeEpochMs: number;
  readonly changeCommitMs: number;
  readonly randomRowsPerSecond: number;
  readonly stateRows: number;
  readonly spilledRows: number;
  readonly stateMb: number;
  readonly spilledMb: number;
  /** Resident memory in the median of the later epochs, and at most while filled. */
  readonly rssMb: number;
  readonly fillRssMb: number;
  /** From the start of a new node to the commit of its first row, with the disk kept and lost. */
  readonly restartMs: number;
  readonly restoreMs: number;
  readonly restoreSecondsPerGb: number;
}

const commitMs = (p: StreamingQueryProgress): number =>
  p.stateOperators.reduce((ms, s) => Math.max(ms, s.commitTimeMs), 0);

/** Resident memory over time. */
class Memory {
  #samples: number[] = [];
  readonly #timer = setInterval(() => void this.#samples.push(process.memoryUsage().rss), SAMPLE_MS);

  /** Those since the last call, in megabytes. */
  take(): readonly number[] {
    return this.#samples.splice(0).map((b) => Math.round(b / 2 ** 20));
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

/** Runs the query over the files that are there, to their end; its epochs, and how long it took. */
const drained = async (
  engine: BenchEngine,
  input: string,
  partitions: number,
): Promise<{ readonly ms: number; readonly epochs: readonly StreamingQueryProgress[] }> => {
  const started = performance.now();
  const query = await engine.start(keyedCount(input, partitions));
  await query.awaitTermination();
  return { ms: performance.now() - started, epochs: query.recentProgress };
};

const rowsPerSecond = (rows: number, epochs: readonly StreamingQueryProgress[]): number =>
  Math.round((rows / epochs.reduce((ms, q) => ms + q.batchDuration, 0)) * 1000);

const fill = async (engine: BenchEngine, input: string, p: Parameters): Promise<StreamingQueryProgress[]> => {
  const files = Math.max(FILLING, Math.ceil(p.keys / FILL_ROWS));
  const epochs: StreamingQueryProgress[] = [];
  // A few files at a time: all of them would be as large as the state.
  for (let f = 0; f < files;) {
    for (let k = 0; k < FILLING && f < files; k++, f++)
      writeKeys(
        input,
        `a${String(f).padStart(4, "0")}`,
        Math.floor((f * p.keys) / files),
        Math.floor(((f + 1) * p.keys) / files),
      );
    epochs.push(...(await drained(engine, input, p.partitions)).epochs.slice(-FILLING));
  }
  return epochs;
};

/** Numbers that look drawn, the same in every run. */
const draws = (below: number): (() => number) => {
  let seed = 1;
  return () => (seed = (seed * 48_271) % 2_147_483_647) % below;
};

export const measureState = (p: Parameters): Promise<State> =>
  withDirectory(async (directory) => {
    const input = join(directory, "input");
    mkdirSync(input);
    const stateMemory = p.memory === null ? {} : { stateMemory: p.memory * 2 ** 20 };
    const run = { durable: true, partitions: p.partitions, url: undefined, ...stateMemory };
    const engine = await openEngine(directory, run);
    const memory = new Memory();
    let result: Omit<State, keyof Measured> | undefined;
    const measured = await measure(async () => {
      const filling = await fill(engine, input, p);
      const fillRssMb = Math.max(0, ...memory.take());
      for (let f = 0; f < CHANGING; f++) writeKeys(input, `b${f}`, f * p.changed, (f + 1) * p.changed);
      const changing = (await drained(engine, input, p.partitions)).epochs.slice(-CHANGING);
      const draw = draws(p.keys);
      for (let f = 0; f < CHANGING; f++) writeRows(input, `c${f}`, p.random, draw);
      const random = (await drained(engine, input, p.partitions)).epochs.slice(-CHANGING);
      const rssMb = median(memory.take());
      await engine.kill("kept");
      writeKeys(input, "d", 0, 1);
      const restart = await drained(engine, input, p.partitions);
      await engine.kill("lost");
      writeKeys(input, "e", 0, 1);
      const restore = await drained(engine, input, p.partitions);
      const last = restore.epochs.at(-1)!.stateOperators;
      const sum = (name: string): number => last.reduce((n, s) => n + (s.customMetrics[name] ?? 0), 0);
      const bytes = last.reduce((n, s) => n + s.memoryUsedBytes, 0) + sum("spilledBytes");
      result = {
        keysPerSecond: rowsPerSecond(p.keys, filling),
        fillEpochMs: median(filling.map((q) => q.batchDuration)),
        changeEpochMs: median(changing.map((q) => q.batchDuration)),
        changeCommitMs: median(changing.map(commitMs)),
        randomRowsPerSecond: rowsPerSecond(p.random * CHANGING, random),
        stateRows: last.reduce((n, s) => Math.max(n, s.numRowsTotal), 0),
        spilledRows: sum("spilledRows"),
        stateMb: Math.round(last.reduce((n, s) => n + s.memoryUsedBytes, 0) / 2 ** 20),
        spilledMb: Math.round(sum("spilledBytes") / 2 ** 20),
        rssMb,
        fillRssMb,
        restartMs: Math.round(restart.ms),
        restoreMs: Math.round(restore.ms),
        restoreSecondsPerGb: Number(((restore.ms / 1000 / bytes) * 2 ** 30).toFixed(2)),
      };
    });
    memory.stop();
    await engine.close();
    rmSync(input, { recursive: true });
    return { ...result!, ...measured };
  });

export const state = async (o: BenchOptions): Promise<number> => {
  const settings = {
    keys: positive(o, "keys", 500_000),
    changed: positive(o, "changed", 5_000),
    random: positive(o, "random", 50_000),
    partitions: positive(o, "partitions", 2),
    memory: o.values["memory"] === undefined ? null : positive(o, "memory", 1),
  };
  const got = await inChild<State>("state", settings);
  printReport({ bench: "state", settings, rows: [{ ...got }] }, o.json, o.print);
  return got.stateRows === settings.keys ? 0 : 1;
};
