/** Runs one query from a fresh checkpoint to the end of its input: what every benchmark of whole queries does. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { MemorySink } from "../connectors/memory-sink.ts";
import type { OutputMode, SinkSpec } from "../connectors/sink.ts";
import type { SourceSpec } from "../connectors/source.ts";
import { SNAPSHOT_INTERVAL_MS } from "../core/limits.ts";
import type { Row } from "../core/value.ts";
import { JetStreamStore } from "../log/jetstream/store.ts";
import type { LogStore } from "../log/log.ts";
import { ServedStore } from "../log/served-client.ts";
import { parseAddress } from "../node/stores.ts";
import { SessionCatalog } from "../plan/catalog.ts";
import type { Relation } from "../plan/relation.ts";
import type { StartRequest } from "../query/runtime.ts";
import type { StreamingQuery } from "../query/streaming-query.ts";
import { SYSTEM_CLOCK } from "../query/system-clock.ts";
import { BenchEngine, type EngineOptions } from "./engine.ts";
import { type Measured, measure } from "./measure.ts";
import { profiled } from "./profile.ts";
import { untilAllAreReady, type WorkerPlace } from "./workers.ts";

export interface QueryRun {
  readonly name: string;
  readonly relation: Relation;
  readonly catalog: SessionCatalog;
  readonly mode: OutputMode;
  readonly partitions: number;
  readonly durable: boolean;
  /** Absent: the rows are kept and given back. A function is called with a folder that goes away with the run. */
  readonly sink?: SinkSpec | ((directory: string) => SinkSpec) | undefined;
  /** Kill the node once this many epochs are committed; its disk is kept or lost. */
  readonly kill?: { readonly afterEpochs: number; readonly disk: "kept" | "lost" } | undefined;
  /** Logs on this broker instead of the embedded one. */
  readonly url?: string | undefined;
  /** One of several processes that run the query together. */
  readonly place?: WorkerPlace | undefined;
  /** Write a CPU profile of the run to this file. */
  readonly profile?: string | undefined;
  /** Logs and state in a folder that stays, under a session that a later process goes on with. */
  readonly kept?: KeptRun | undefined;
}

export interface KeptRun {
  readonly directory: string;
  readonly session: string;
}

export interface QueryOutcome extends Measured {
  readonly epochs: number;
  /** Rows given to the sink, updates each counted; null where a kill or many epochs lost count. */
  readonly rowsOut: number | null;
  /** Without a sink of the run's own. */
  readonly rows: readonly Row[];
}

export const BLACKHOLE: SinkSpec = { format: "noop", options: {}, partitionBy: [] };
const NO_SNAPSHOTS_MS = 1e9;
const POLL_MS = 2;

/** A catalog with one stream. */
export const streamCatalog = (name: string, source: SourceSpec): SessionCatalog => {
  const catalog = new SessionCatalog();
  const relation: Relation = { kind: "source", source, streaming: true, name };
  catalog.define({ name, kind: "view", relation });
  return catalog;
};

export const epochsOf = (query: StreamingQuery): number => (query.lastProgress?.batchId ?? -1) + 1;

/** A folder that goes away when `use` is through. */
export const withDirectory = async <A>(use: (directory: string) => Promise<A>): Promise<A> => {
  const directory = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  try {
    return await use(directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
};

const storeOf = async ({ url, place }: Pick<QueryRun, "url" | "place">): Promise<LogStore | undefined> => {
  if (place !== undefined) return ServedStore.open(parseAddress(place.address), SYSTEM_CLOCK);
  return url === undefined ? undefined : JetStreamStore.open({ servers: url, clock: SYSTEM_CLOCK });
};

export const openEngine = async (
  directory: string,
  run: Pick<QueryRun, "durable" | "partitions" | "url" | "place" | "kept"> & {
    readonly stateMemory?: number;
    readonly probe?: EngineOptions["probe"];
  },
): Promise<BenchEngine> =>
  BenchEngine.open({
    directory: run.place?.directory ?? directory,
    durable: run.durable,
    partitions: run.partitions,
    snapshotIntervalMs: run.durable ? SNAPSHOT_INTERVAL_MS : NO_SNAPSHOTS_MS,
    stateMemory: run.stateMemory,
    store: await storeOf(run),
    resumes: run.kept?.session,
    ...(run.probe === undefined ? {} : { probe: run.probe }),
    shared: run.place === undefined ? undefined : { session: run.place.session, workers: run.place.of },
  });

/** The sums of all epochs, unless some of them are forgotten. */
const outputRows = (query: StreamingQuery): number | null => {
  const recent = query.recentProgress;
  const complete = recent[0]?.batchId === 0;
  return complete ? recent.reduce((n, p) => n + p.sink.numOutputRows, 0) : null;
};

const inFolder = <A>(run: QueryRun, use: (directory: string) => Promise<A>): Promise<A> =>
  run.kept === undefined ? withDirectory(use) : use(run.kept.directory);

export const runQuery = (run: QueryRun): Promise<QueryOutcome> =>
  inFolder(run, async (directory) => {
    const memory = new MemorySink();
    const kept: SinkSpec = { format: "memory", options: {}, partitionBy: [], handle: memory };
    const sink = typeof run.sink === "function" ? run.sink(directory) : (run.sink ?? kept);
    const { name, relation, catalog, mode: outputMode, partitions, kill } = run;
    const trigger = { kind: "availableNow" } as const;
    const request: StartRequest = { name, relation, catalog, outputMode, trigger, sink, partitions };
    const engine = await openEngine(directory, run);
    try {
      let epochs = 0;
      let rowsOut: number | null = null;
      if (run.place !== undefined) await untilAllAreReady(engine.store, run.place);
      const work = async (): Promise<void> => {
        let query = await engine.start(request);
        if (kill !== undefined) {
          while (query.isActive && epochsOf(query) < kill.afterEpochs)
            await new Promise((resolve) => setTimeout(resolve, POLL_MS));
          await engine.kill(kill.disk);
          query = await engine.start(request);
        }
        await query.awaitTermination();
        epochs = epochsOf(query);
        rowsOut = outputRows(query);
      };
      const measured = await profiled(run.profile, () => measure(work));
      return { epochs, rowsOut, rows: memory.rows(), ...measured };
    } finally {
      await engine.close();
    }
  });
