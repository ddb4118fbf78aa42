/** Runs one Nexmark query through the engine, from start to the end of its input. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { MemorySink } from "../../connectors/memory-sink.ts";
import { SNAPSHOT_INTERVAL_MS } from "../../core/limits.ts";
import type { SinkSpec } from "../../connectors/sink.ts";
import { SYSTEM_CLOCK } from "../../query/system-clock.ts";
import type { StreamingQuery } from "../../query/streaming-query.ts";
import type { StartRequest } from "../../query/runtime.ts";
import { JetStreamStore } from "../../log/jetstream/store.ts";
import { parseQuery } from "../../sql/parser.ts";
import { BenchEngine } from "../engine.ts";
import { type Measured, measure } from "../measure.ts";
import type { NexmarkFiles, NexmarkParameters } from "./data.ts";
import { fileInput, type Input, type InputKind, memoryInput, natsInput } from "./input.ts";
import { nexmarkQuery } from "./queries.ts";
import { type ResultHash, resultHash } from "./result.ts";
import { nexmarkCatalog } from "./views.ts";

export type SinkKind = "blackhole" | "hash" | "file" | "nats";

/** Plain data: a run is handed to a process of its own. */
export interface NexmarkRun {
  readonly query: string;
  readonly data: NexmarkParameters;
  readonly files: NexmarkFiles;
  readonly partitions: number;
  readonly source: InputKind;
  /** Files of one epoch. */
  readonly filesPerEpoch: number;
  readonly rowsPerMessage: number;
  readonly durable: boolean;
  /** "hash" keeps all rows and hashes them (not to be timed); "blackhole" throws them away. */
  readonly sink: SinkKind;
  /** Kill the node when half of the input is committed; its disk is kept or lost. */
  readonly kill?: "kept" | "lost" | undefined;
  /** The broker: needed for NATS on either side. */
  readonly url?: string | undefined;
}

export interface NexmarkOutcome extends Measured {
  readonly query: string;
  readonly events: number;
  readonly epochs: number;
  readonly result: ResultHash | undefined;
}

/** Watermark delay of data in order, as peers have it. */
const DELAY_MS_MIN = 4_000;

const inputOf = (run: NexmarkRun): Promise<Input> => {
  switch (run.source) {
    case "file":
      return Promise.resolve(fileInput(run.files, run.filesPerEpoch));
    case "memory":
      return memoryInput(run.files);
    case "nats": {
      const perFile = run.files.events / (run.files.files - 1);
      const messages = Math.ceil((perFile * run.filesPerEpoch) / run.rowsPerMessage);
      return Promise.resolve(natsInput(run.url!, run.rowsPerMessage, messages));
    }
  }
};

const sinkOf = (run: NexmarkRun, directory: string, memory: MemorySink): SinkSpec => {
  const partitionBy: readonly string[] = [];
  switch (run.sink) {
    case "blackhole":
      return { format: "noop", options: {}, partitionBy };
    case "hash":
      return { format: "memory", options: {}, partitionBy, handle: memory };
    case "file":
      return { format: "ndjson", options: { path: join(directory, "out") }, partitionBy };
    case "nats":
      return {
        format: "nats",
        options: { url: run.url!, subject: `bench.out.${basename(directory)}`, createStream: "true" },
        partitionBy,
      };
  }
};

const requestOf = (run: NexmarkRun, input: Input, sink: SinkSpec): StartRequest => {
  const { delayUs, group } = run.data;
  const { sql, mode } = nexmarkQuery(run.query, delayUs);
  const catalog = nexmarkCatalog(input, Math.max(DELAY_MS_MIN, Math.ceil((group * delayUs) / 1000)));
  return {
    name: run.query.replaceAll("_", "-"),
    relation: parseQuery(sql),
    catalog,
    outputMode: mode,
    trigger: { kind: "availableNow" },
    sink,
    partitions: run.partitions,
  };
};

const epochsOf = (query: StreamingQuery): number => (query.lastProgress?.batchId ?? -1) + 1;

/** Kills the node once half of the files are committed, and goes on with another. */
const throughKill = async (
  engine: BenchEngine,
  run: NexmarkRun,
  request: StartRequest,
  first: StreamingQuery,
): Promise<StreamingQuery> => {
  const half = Math.floor(run.files.files / run.filesPerEpoch / 2);
  while (first.isActive && epochsOf(first) < half) await new Promise((resolve) => setTimeout(resolve, 2));
  await engine.kill(run.kill);
  return engine.start(request);
};

export const runNexmark = async (run: NexmarkRun): Promise<NexmarkOutcome> => {
  const directory = mkdtempSync(join(tmpdir(), "millrace-bench-"));
  const memory = new MemorySink();
  const request = requestOf(run, await inputOf(run), sinkOf(run, directory, memory));
  const engine = await BenchEngine.open({
    directory,
    durable: run.durable,
    partitions: run.partitions,
    snapshotIntervalMs: run.durable ? SNAPSHOT_INTERVAL_MS : 1e9,
    store:
      run.url === undefined
        ? undefined
        : await JetStreamStore.open({ servers: run.url, clock: SYSTEM_CLOCK }),
  });
  try {
    let epochs = 0;
    const measured = await measure(async () => {
      let query = await engine.start(request);
      if (run.kill !== undefined) query = await throughKill(engine, run, request, query);
      await query.awaitTermination();
      epochs = epochsOf(query);
    });
    const { key } = nexmarkQuery(run.query, run.data.delayUs);
    const result = run.sink === "hash" ? resultHash(memory.rows(), key) : undefined;
    return { query: run.query, events: run.files.events, epochs, result, ...measured };
  } finally {
    await engine.close();
    rmSync(directory, { recursive: true, force: true });
  }
};
