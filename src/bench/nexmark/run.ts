/** Runs one Nexmark query through the engine, from start to the end of its input. */
import { basename, join } from "node:path";
import { parseQuery } from "../../sql/parser.ts";
import type { Measured } from "../measure.ts";
import { BLACKHOLE, type QueryRun, runQuery } from "../query-run.ts";
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

const sinkOf = (run: NexmarkRun): QueryRun["sink"] => {
  const partitionBy: readonly string[] = [];
  switch (run.sink) {
    case "blackhole":
      return BLACKHOLE;
    case "hash":
      return undefined;
    case "file":
      return (directory) => ({ format: "ndjson", options: { path: join(directory, "out") }, partitionBy });
    case "nats":
      return (directory) => {
        const subject = `bench.out.${basename(directory)}`;
        return { format: "nats", options: { url: run.url!, subject, createStream: "true" }, partitionBy };
      };
  }
};

export const runNexmark = async (run: NexmarkRun): Promise<NexmarkOutcome> => {
  const { delayUs, group } = run.data;
  const { sql, mode, key } = nexmarkQuery(run.query, delayUs);
  const lateMs = Math.max(DELAY_MS_MIN, Math.ceil((group * delayUs) / 1000));
  const half = Math.floor(run.files.files / run.filesPerEpoch / 2);
  const { rows, ...outcome } = await runQuery({
    name: run.query.replaceAll("_", "-"),
    relation: parseQuery(sql),
    catalog: nexmarkCatalog(await inputOf(run), lateMs),
    mode,
    partitions: run.partitions,
    durable: run.durable,
    sink: sinkOf(run),
    kill: run.kill === undefined ? undefined : { afterEpochs: half, disk: run.kill },
    url: run.url,
  });
  const result = run.sink === "hash" ? resultHash(rows, key) : undefined;
  return { query: run.query, events: run.files.events, result, ...outcome };
};
