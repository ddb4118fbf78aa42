/** Large state: a count over many keys, filled once, then epochs that touch a small part of them. What a commit costs should follow what changed. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { StreamingQueryProgress } from "../query/streaming-query.ts";
import { inChild } from "./child.ts";
import { keyedCount, writeKeys } from "./keyed-files.ts";
import { type Measured, measure } from "./measure.ts";
import { type BenchOptions, type Flags, positive } from "./options.ts";
import { openEngine, withDirectory } from "./query-run.ts";
import { median, printReport } from "./report.ts";

export const STATE_FLAGS: Flags = {
  keys: "distinct keys (default 500000)",
  changed: "keys that each later epoch touches (default 5000)",
  partitions: "partitions of the count (default 2)",
};

const FILLING = 10;
const CHANGING = 10;

interface Parameters {
  readonly keys: number;
  readonly changed: number;
  readonly partitions: number;
}

interface State extends Measured {
  readonly keysPerSecond: number;
  readonly fillEpochMs: number;
  readonly changeEpochMs: number;
  readonly changeCommitMs: number;
  readonly stateRows: number;
  readonly stateMb: number;
}

const commitMs = (p: StreamingQueryProgress): number =>
  p.stateOperators.reduce((ms, s) => Math.max(ms, s.commitTimeMs), 0);

export const measureState = (p: Parameters): Promise<State> =>
  withDirectory(async (directory) => {
    const input = join(directory, "input");
    mkdirSync(input);
    const perFile = Math.ceil(p.keys / FILLING);
    for (let f = 0; f < FILLING; f++) writeKeys(input, `a${f}`, f * perFile, (f + 1) * perFile);
    for (let f = 0; f < CHANGING; f++) writeKeys(input, `b${f}`, f * p.changed, (f + 1) * p.changed);
    const engine = await openEngine(directory, { durable: true, partitions: p.partitions, url: undefined });
    let progress: readonly StreamingQueryProgress[] = [];
    const measured = await measure(async () => {
      const query = await engine.start(keyedCount(input, p.partitions));
      await query.awaitTermination();
      progress = query.recentProgress;
    });
    await engine.close();
    const filling = progress.slice(0, FILLING);
    const changing = progress.slice(FILLING, FILLING + CHANGING);
    const filledMs = filling.reduce((ms, q) => ms + q.batchDuration, 0);
    const last = progress.at(-1)!.stateOperators;
    return {
      keysPerSecond: Math.round((p.keys / filledMs) * 1000),
      fillEpochMs: median(filling.map((q) => q.batchDuration)),
      changeEpochMs: median(changing.map((q) => q.batchDuration)),
      changeCommitMs: median(changing.map(commitMs)),
      stateRows: last.reduce((n, s) => Math.max(n, s.numRowsTotal), 0),
      stateMb: Math.round(last.reduce((n, s) => n + s.memoryUsedBytes, 0) / 2 ** 20),
      ...measured,
    };
  });

export const state = async (o: BenchOptions): Promise<number> => {
  const settings = {
    keys: positive(o, "keys", 500_000),
    changed: positive(o, "changed", 5_000),
    partitions: positive(o, "partitions", 2),
  };
  const got = await inChild<State>("state", settings);
  printReport({ bench: "state", settings, rows: [{ ...got }] }, o.json, o.print);
  return got.stateRows === settings.keys ? 0 : 1;
};
