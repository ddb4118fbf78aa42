/**
 * Failover: two nodes, each a process, count over NATS; one of them is killed with SIGKILL. How long no result comes out, and whether every row is counted once.
 */
import { once } from "node:events";
import { JetStreamStore } from "../log/jetstream/store.ts";
import { SYSTEM_CLOCK } from "../query/system-clock.ts";
import { benchBroker } from "./broker.ts";
import { startChild } from "./child.ts";
import { BenchEngine } from "./engine.ts";
import { type Counter, countRequest, createStreams } from "./latency.ts";
import { collect, counted, generate, now, resultsOf } from "./latency-load.ts";
import { withDirectory } from "./query-run.ts";
import type { ReportRow } from "./report.ts";

interface Node extends Counter {
  readonly session: string;
  readonly leaseMs: number;
}

const NODES = 2;
const RATE = 1_000;
const KEYS = 100;
const SNAPSHOT_INTERVAL_MS = 2_000;
/** Before the kill: both have their share of the actors; after it: long enough for any takeover that counts. */
const [BEFORE_MS, AFTER_MS] = [8_000, 12_000];

/** A node's process: takes part until it is killed. */
export const runNode = (p: Node): Promise<never> =>
  withDirectory(async (directory) => {
    const engine = await BenchEngine.open({
      directory,
      durable: true,
      partitions: p.partitions,
      snapshotIntervalMs: SNAPSHOT_INTERVAL_MS,
      store: await JetStreamStore.open({ servers: p.url, clock: SYSTEM_CLOCK }),
      shared: { session: p.session, workers: NODES },
      leaseMs: p.leaseMs,
    });
    await engine.start(countRequest(p));
    process.stdout.write("ready\n");
    return new Promise<never>(() => {});
  });

/** The longest time between two of `times` (ascending) that ends after `from`. */
const longestSilence = (times: readonly number[], from: number): number => {
  let longest = 0;
  for (let i = 1; i < times.length; i++)
    if (times[i]! > from) longest = Math.max(longest, times[i]! - times[i - 1]!);
  return longest;
};

export interface Failover {
  readonly url: string | undefined;
  readonly leaseMs: number;
  readonly partitions: number;
  /** The first node that was started leads. */
  readonly kills: "leader" | "other";
}

export const measureFailover = async (f: Failover): Promise<ReportRow> => {
  const broker = await benchBroker(f.url);
  const store = await JetStreamStore.open({ servers: broker.url, clock: SYSTEM_CLOCK });
  const { partitions, leaseMs } = f;
  const query = { url: broker.url, partitions, guarantee: "exactlyOnce", rowsPerMessage: 1, trace: false };
  const node: Node = { ...query, session: "failover", leaseMs };
  const nodes: ReturnType<typeof startChild>[] = [];
  const [stop, end] = [new AbortController(), new AbortController()];
  try {
    await createStreams(store.nats, partitions);
    for (let i = 0; i < NODES; i++) {
      const child = startChild("failover", node);
      nodes.push(child);
      child.stderr!.pipe(process.stderr);
      const ready = await Promise.race([once(child.stdout!, "data"), once(child, "exit")]);
      if (!String(ready[0]).startsWith("ready")) throw new Error("a node did not start");
    }
    const counts = new Map<string, number>();
    const times: number[] = [];
    const collected = collect(store.nats, end.signal, (arrival) => {
      for (const [{ k, n }] of resultsOf(arrival)) counts.set(k, n);
      if (times.at(-1) !== arrival.atMs) times.push(arrival.atMs);
    });
    const load = { rate: RATE, keys: KEYS, rowsPerMessage: 1 };
    const generated = generate(store.nats, load, stop.signal);
    await new Promise((resolve) => setTimeout(resolve, BEFORE_MS));
    nodes[f.kills === "leader" ? 0 : 1]!.kill("SIGKILL");
    const killed = now();
    await new Promise((resolve) => setTimeout(resolve, AFTER_MS));
    stop.abort();
    const correct = await counted(counts, (await generated).rows);
    end.abort();
    await collected;
    return { kills: f.kills, leaseMs, silenceMs: Math.round(longestSilence(times, killed)), correct };
  } finally {
    for (const child of nodes) child.kill("SIGKILL");
    await store.close();
    await broker.close();
  }
};
