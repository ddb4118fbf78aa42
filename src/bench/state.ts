/**
 * Large state: a count and a sum over many keys. It is filled, then epochs touch a small part of it, then keys drawn from all of them; then the node is
 * killed and goes on from its disk, and killed again with its disk lost and goes on from the snapshot that the end of the query before left. What a commit costs should follow what changed;
 * with a limit the memory should follow the limit, whatever the number of keys.
 */
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { newestManifest } from "../state/snapshot.ts";
import type { StreamingQueryProgress } from "../query/streaming-query.ts";
import { inChild } from "./child.ts";
import { BenchEngine } from "./engine.ts";
import { keyedCount, writeKeys, writeRows } from "./keyed-files.ts";
import { type Measured, measure } from "./measure.ts";
import { type BenchOptions, type Flags, positive } from "./options.ts";
import { withDirectory } from "./query-run.ts";
import { median, printReport, type ReportRow } from "./report.ts";

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
/** Files written before the query is started over them: all would be as large as the state, and every start reads what is in memory again. */
const FILES_AT_ONCE = 25;
const CHANGING = 10;
const SAMPLE_MS = 100;
/** Shorter than usual, as the phases are. */
const SNAPSHOT_INTERVAL_MS = 2_000;
/** Of those stages that are not sources. */
const STAGE_SNAPSHOTS = /\.snap\.[1-9]/;
/** The epoch of batch 0. */
const FIRST_EPOCH = 1;

interface Parameters {
  readonly keys: number;
  readonly changed: number;
  readonly random: number;
  readonly partitions: number;
  readonly memory: number | null;
}

/** One phase. Epochs and commits in the median; resident memory in the median and at most, and how much of it was no file (Linux). */
interface Phase {
  readonly phase: string;
  readonly rows: number;
  readonly rowsPerSecond: number;
  readonly epochMs: number;
  readonly commitMs: number;
  readonly rssMb: number;
  readonly rssPeakMb: number;
  readonly ownPeakMb: number | null;
  /** Of a restart: from the start of a new node to the commit of its first row, also for each GB of what was stored. */
  readonly firstRowMs: number | null;
  readonly secondsPerGb: number | null;
  /** … and the epochs by which the snapshots were behind when the node was killed: without its disk they are computed again. */
  readonly snapshotBehind: number | null;
}

interface State extends Measured {
  readonly stateRows: number;
  readonly spilledRows: number;
  /** In memory as the engine counts it, on disk only, and in the newest snapshots. */
  readonly stateMb: number;
  readonly spilledMb: number;
  readonly snapshotMb: number;
  readonly phases: readonly Phase[];
}

const commitMs = (p: StreamingQueryProgress): number =>
  p.stateOperators.reduce((ms, s) => Math.max(ms, s.commitTimeMs), 0);

const MB = 2 ** 20;
const GB = 2 ** 30;

/** Megabytes. `own`: without files that are mapped, LevelDB's tables above all, whose pages the kernel takes back when it needs room. */
interface Resident {
  readonly rss: number;
  readonly own: number | null;
}

const resident = (): Resident => {
  const rss = process.memoryUsage.rss();
  let status = "";
  if (process.platform === "linux") status = readFileSync("/proc/self/status", "utf8");
  const files = /^RssFile:\s+(\d+) kB$/m.exec(status)?.[1];
  const own = files === undefined ? null : Math.round((rss - Number(files) * 1024) / MB);
  return { rss: Math.round(rss / MB), own };
};

/** Resident memory over time. */
class Memory {
  #samples: Resident[] = [];
  readonly #timer = setInterval(() => void this.#samples.push(resident()), SAMPLE_MS);

  /** Those since the last call; at least one. */
  take(): readonly Resident[] {
    this.#samples.push(resident());
    return this.#samples.splice(0);
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

interface Drained {
  readonly ms: number;
  readonly epochs: readonly StreamingQueryProgress[];
}

/** Runs the query over the files that are there, to their end; its epochs, and how long it took. */
const drained = async (engine: BenchEngine, input: string, partitions: number): Promise<Drained> => {
  const started = performance.now();
  const query = await engine.start(keyedCount(input, partitions));
  await query.awaitTermination();
  return { ms: performance.now() - started, epochs: query.recentProgress };
};

/** A long phase has more samples than a call may have arguments. */
const maxOf = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), 0);

/** `snapshots`: those of a restart. */
const phaseOf = (
  phase: string,
  rows: number,
  { ms, epochs }: Drained,
  memory: readonly Resident[],
  snapshots?: { readonly bytes: number; readonly behind: number },
): Phase => ({
  phase,
  rows,
  rowsPerSecond: Math.round((rows / epochs.reduce((sum, q) => sum + q.batchDuration, 0)) * 1000),
  epochMs: median(epochs.map((q) => q.batchDuration)),
  commitMs: median(epochs.map(commitMs)),
  rssMb: median(memory.map((m) => m.rss)),
  rssPeakMb: maxOf(memory.map((m) => m.rss)),
  ownPeakMb: memory[0]?.own === null ? null : maxOf(memory.map((m) => m.own ?? 0)),
  firstRowMs: snapshots === undefined ? null : Math.round(ms),
  secondsPerGb: snapshots === undefined ? null : Number(((ms / 1000 / snapshots.bytes) * GB).toFixed(2)),
  snapshotBehind: snapshots?.behind ?? null,
});

const fill = async (engine: BenchEngine, input: string, p: Parameters): Promise<Drained> => {
  const files = Math.max(FILLING, Math.ceil(p.keys / FILL_ROWS));
  const epochs: StreamingQueryProgress[] = [];
  // A few files at a time: all of them would be as large as the state.
  for (let f = 0; f < files;) {
    const first = f;
    for (let k = 0; k < FILES_AT_ONCE && f < files; k++, f++)
      writeKeys(
        input,
        `a${String(f).padStart(4, "0")}`,
        Math.floor((f * p.keys) / files),
        Math.floor(((f + 1) * p.keys) / files),
      );
    epochs.push(...(await drained(engine, input, p.partitions)).epochs.slice(first - f));
  }
  return { ms: 0, epochs };
};

/** Numbers that look drawn, the same in every run. */
const draws = (below: number): (() => number) => {
  let seed = 1;
  return () => (seed = (seed * 48_271) % 2_147_483_647) % below;
};

/** Of the newest snapshots: bytes, and how many epochs the furthest one is behind the last. */
const newestSnapshots = async (
  engine: BenchEngine,
  { epochs }: Drained,
): Promise<{ readonly bytes: number; readonly behind: number }> => {
  let [bytes, behind] = [0, 0];
  for (const name of (await engine.store.list("")).filter((n) => STAGE_SNAPSHOTS.test(n))) {
    const manifest = await newestManifest(await engine.store.open(name));
    bytes += manifest?.blobs.reduce((n, b) => n + b.bytes, 0) ?? 0;
    behind = Math.max(behind, epochs.at(-1)!.batchId + FIRST_EPOCH - (manifest?.record.epoch ?? 0));
  }
  return { bytes, behind };
};

export const measureState = (p: Parameters): Promise<State> =>
  withDirectory(async (directory) => {
    const input = join(directory, "input");
    mkdirSync(input);
    const stateMemory = p.memory === null ? {} : { stateMemory: p.memory * MB };
    const engine = await BenchEngine.open({
      directory,
      durable: true,
      partitions: p.partitions,
      snapshotIntervalMs: SNAPSHOT_INTERVAL_MS,
      ...stateMemory,
    });
    const memory = new Memory();
    let result: Omit<State, keyof Measured> | undefined;
    const measured = await measure(async () => {
      const phases: Phase[] = [];
      memory.take();
      phases.push(phaseOf("fill", p.keys, await fill(engine, input, p), memory.take()));
      const run = async (): Promise<Drained> => {
        const d = await drained(engine, input, p.partitions);
        return { ms: d.ms, epochs: d.epochs.slice(-CHANGING) };
      };
      for (let f = 0; f < CHANGING; f++) writeKeys(input, `b${f}`, f * p.changed, (f + 1) * p.changed);
      phases.push(phaseOf("change few", p.changed * CHANGING, await run(), memory.take()));
      const draw = draws(p.keys);
      for (let f = 0; f < CHANGING; f++) writeRows(input, `c${f}`, p.random, draw);
      let last = await run();
      phases.push(phaseOf("change any", p.random * CHANGING, last, memory.take()));
      let snapshots = { bytes: 0, behind: 0 };
      for (const disk of ["kept", "lost"] as const) {
        await engine.settled();
        await engine.kill(disk);
        snapshots = await newestSnapshots(engine, last);
        writeKeys(input, disk === "kept" ? "d" : "e", 0, 1);
        memory.take();
        last = await run();
        const restarted = { ms: last.ms, epochs: last.epochs.slice(-1) };
        phases.push(phaseOf(`restart, disk ${disk}`, 1, restarted, memory.take(), snapshots));
      }
      const operators = last.epochs.at(-1)!.stateOperators;
      const sum = (name: string): number => operators.reduce((n, s) => n + (s.customMetrics[name] ?? 0), 0);
      result = {
        stateRows: operators.reduce((n, s) => Math.max(n, s.numRowsTotal), 0),
        spilledRows: sum("spilledRows"),
        stateMb: Math.round(operators.reduce((n, s) => n + s.memoryUsedBytes, 0) / MB),
        spilledMb: Math.round(sum("spilledBytes") / MB),
        snapshotMb: Math.round(snapshots.bytes / MB),
        phases,
      };
    });
    memory.stop();
    await engine.close();
    rmSync(input, { recursive: true });
    return { ...result!, ...measured };
  });

/** A phase as columns of one row. */
const columns = ({ phase, ...rest }: Phase): readonly (readonly [string, number | null])[] =>
  Object.entries(rest).map(([k, v]) => [`${phase}: ${k}`, v]);

export const state = async (o: BenchOptions): Promise<number> => {
  const settings = {
    keys: positive(o, "keys", 500_000),
    changed: positive(o, "changed", 5_000),
    random: positive(o, "random", 50_000),
    partitions: positive(o, "partitions", 2),
    memory: o.values["memory"] === undefined ? null : positive(o, "memory", 1),
  };
  const got = await inChild<State>("state", settings);
  const { phases, ...all } = got;
  const report = (rows: readonly ReportRow[]): void =>
    printReport({ bench: "state", settings, rows }, o.json, o.print);
  if (o.json) report([{ ...all, ...Object.fromEntries(phases.flatMap(columns)) }]);
  else {
    report(phases.map((q) => ({ ...q })));
    report([{ ...all }]);
  }
  return got.stateRows === settings.keys ? 0 : 1;
};
