/**
 * Recovery: a count with large state is killed; how long until the next node has processed one more row, with the local store and with snapshots alone.
 * With `--nodes`: one of two nodes on a broker is killed (failover.ts).
 */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { BenchEngine } from "./engine.ts";
import { inChild } from "./child.ts";
import { measureFailover } from "./failover.ts";
import { keyedCount, writeKeys } from "./keyed-files.ts";
import { type BenchOptions, type Flags, oneOf, positive } from "./options.ts";
import { withDirectory } from "./query-run.ts";
import { printReport } from "./report.ts";

export const RECOVERY_FLAGS: Flags = {
  keys: "distinct keys in state (default 500000)",
  partitions: "partitions of the count (default 2)",
  nodes:
    "leader or other: which of two nodes over NATS is killed; the longest time without a result instead of the above",
  "lease-ms": "with --nodes: the lease of a node (default 1000)",
  nats: "with --nodes: URL of a broker (default: a nats-server of its own)",
};

const FILES = 10;
/** Short: a killed node leaves a snapshot that is nearly whole. */
const SNAPSHOT_INTERVAL_MS = 500;

interface Parameters {
  readonly keys: number;
  readonly partitions: number;
}

interface Recovery {
  readonly stateRows: number;
  readonly stateMb: number;
  /** Start of the new node to the commit of an epoch with one new row. */
  readonly keptSeconds: number;
  readonly lostSeconds: number;
}

export const measureRecovery = (p: Parameters): Promise<Recovery> =>
  withDirectory(async (directory) => {
    const input = join(directory, "input");
    mkdirSync(input);
    const perFile = Math.ceil(p.keys / FILES);
    for (let f = 0; f < FILES; f++) writeKeys(input, `a${f}`, f * perFile, (f + 1) * perFile);
    const engine = await BenchEngine.open({
      directory,
      durable: true,
      partitions: p.partitions,
      snapshotIntervalMs: SNAPSHOT_INTERVAL_MS,
    });
    const run = async (): Promise<{ seconds: number; rows: number; bytes: number }> => {
      const start = performance.now();
      const query = await engine.start(keyedCount(input, p.partitions));
      await query.awaitTermination();
      const operators = query.lastProgress!.stateOperators;
      return {
        seconds: Number(((performance.now() - start) / 1000).toFixed(3)),
        rows: operators.reduce((n, s) => Math.max(n, s.numRowsTotal), 0),
        bytes: operators.reduce((n, s) => n + s.memoryUsedBytes, 0),
      };
    };
    const filled = await run();
    const after = async (disk: "kept" | "lost", name: string): Promise<number> => {
      await engine.kill(disk);
      writeKeys(input, name, 0, 1);
      const again = await run();
      if (again.rows !== filled.rows) throw new Error(`${again.rows} keys came back of ${filled.rows}`);
      return again.seconds;
    };
    const keptSeconds = await after("kept", "b");
    const lostSeconds = await after("lost", "c");
    await engine.close();
    return { stateRows: filled.rows, stateMb: Math.round(filled.bytes / 2 ** 20), keptSeconds, lostSeconds };
  });

const failover = async (o: BenchOptions): Promise<number> => {
  const settings = {
    url: o.values["nats"],
    kills: oneOf(o, "nodes", ["leader", "other"], "leader"),
    leaseMs: positive(o, "lease-ms", 1_000),
    partitions: positive(o, "partitions", 2),
  };
  const row = await measureFailover(settings);
  printReport({ bench: "recovery", settings, rows: [row] }, o.json, o.print);
  return row["correct"] === true ? 0 : 1;
};

export const recovery = async (o: BenchOptions): Promise<number> => {
  if (o.values["nodes"] !== undefined) return failover(o);
  const settings = { keys: positive(o, "keys", 500_000), partitions: positive(o, "partitions", 2) };
  const got = await inChild<Recovery>("recovery", settings);
  printReport({ bench: "recovery", settings, rows: [{ ...got }] }, o.json, o.print);
  return got.stateRows === settings.keys ? 0 : 1;
};
