/**
 * How long the processes of the latency benchmark wanted to run and had no core: what Linux counts per thread (`/proc/<pid>/task/<tid>/schedstat`), read every few
 * milliseconds. Elsewhere there is nothing to read, and nothing is told. Of a Node process only the main thread counts: rows wait for that one.
 */
import { readdirSync, readFileSync } from "node:fs";
import { now } from "./latency-load.ts";

const EVERY_MS = 5;

/** Milliseconds waited since the start of each process, at the times `atMs`. */
export interface CoreWaits {
  readonly atMs: readonly number[];
  readonly waited: Readonly<Record<string, readonly number[]>>;
}

export interface Watched {
  readonly pid: number;
  readonly threads: "main" | "all";
}

const tasksOf = ({ pid, threads }: Watched): readonly string[] =>
  threads === "main" ? [String(pid)] : readdirSync(`/proc/${pid}/task`);

const waitedMs = (process_: Watched): number => {
  let nanos = 0;
  try {
    for (const task of tasksOf(process_))
      nanos += Number(readFileSync(`/proc/${process_.pid}/task/${task}/schedstat`, "latin1").split(" ")[1]);
  } catch {
    // Another system, or a thread that has ended.
    return Number.NaN;
  }
  return nanos / 1e6;
};

/** Reads from now on, until the function given back is called. */
export const watchCores = (processes: Readonly<Record<string, Watched>>): (() => CoreWaits) => {
  const atMs: number[] = [];
  const waited: Record<string, number[]> = {};
  for (const name of Object.keys(processes)) waited[name] = [];
  const timer = setInterval(() => {
    atMs.push(now());
    for (const [name, process_] of Object.entries(processes)) {
      const before = waited[name]!.at(-1) ?? 0;
      const ms = waitedMs(process_);
      waited[name]!.push(Number.isNaN(ms) ? before : Math.max(before, ms));
    }
  }, EVERY_MS);
  return () => {
    clearInterval(timer);
    return { atMs, waited };
  };
};

/** What was waited until `at`, between two readings in proportion. */
const waitedUntil = (atMs: readonly number[], waited: readonly number[], at: number): number => {
  let [low, high] = [0, atMs.length - 1];
  if (waited.length === 0) return 0;
  if (at <= atMs[0]!) return waited[0]!;
  if (at >= atMs[high]!) return waited[high]!;
  while (high - low > 1) {
    const mid = (low + high) >> 1;
    if (atMs[mid]! <= at) low = mid;
    else high = mid;
  }
  const part = (at - atMs[low]!) / (atMs[high]! - atMs[low]!);
  return waited[low]! + part * (waited[high]! - waited[low]!);
};

/** Milliseconds that a process waited for a core between two times. */
export const waitedBetween = (cores: CoreWaits, process_: string, from: number, to: number): number => {
  const waited = cores.waited[process_] ?? [];
  return waitedUntil(cores.atMs, waited, to) - waitedUntil(cores.atMs, waited, from);
};
