/** Runs one Nexmark query through the engine, from start to the end of its input. */
import { basename, join } from "node:path";
import { rowsOf } from "../../core/batch.ts";
import { ConfigurationError } from "../../core/errors.ts";
import type { Row } from "../../core/value.ts";
import { MemoryStore } from "../../log/memory-log.ts";
import { schemaOfAttributes } from "../../plan/fragment.ts";
import { analysed, type PlanningOptions, runBatch } from "../../query/planning.ts";
import { SYSTEM_CLOCK } from "../../query/system-clock.ts";
import type { Measured } from "../measure.ts";
import { BLACKHOLE, type QueryRun, runQuery, withDirectory } from "../query-run.ts";
import { inWorkers, type WorkerPlace, type WorkersMeasured } from "../workers.ts";
import type { NexmarkFiles, NexmarkParameters } from "./data.ts";
import { fileInput, type Input, type InputKind, memoryInput, natsInput } from "./input.ts";
import { nexmarkQuery, nexmarkRelation } from "./queries.ts";
import { type ResultHash, resultHash } from "./result.ts";
import { nexmarkCatalog } from "./views.ts";

export type SinkKind = "blackhole" | "hash" | "file" | "nats";

/** "process": SIGKILL of the engine's process, and another that goes on from its disk. */
export type KillKind = "kept" | "lost" | "process";

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
  readonly kill?: KillKind | undefined;
  /** The broker: needed for NATS on either side. */
  readonly url?: string | undefined;
  /** Processes that run the query together over one embedded log; 1 when absent. */
  readonly workers?: number | undefined;
  readonly place?: WorkerPlace | undefined;
  /** A folder: the run writes QUERY.cpuprofile there. */
  readonly profile?: string | undefined;
  /** Where the sink "file" writes; default: a folder that goes away with the run. */
  readonly out?: string | undefined;
}

export interface NexmarkOutcome extends Measured, Partial<Omit<WorkersMeasured, keyof Measured>> {
  readonly query: string;
  readonly events: number;
  readonly epochs: number;
  readonly rowsOut: number | null;
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
      return (directory) => ({
        format: "ndjson",
        options: { path: run.out ?? outOf(directory) },
        partitionBy,
      });
    case "nats":
      return (directory) => {
        const subject = `bench.out.${basename(directory)}`;
        return { format: "nats", options: { url: run.url!, subject, createStream: "true" }, partitionBy };
      };
  }
};

/** Files of the results when several processes write them: the sink of each row's place is theirs, the folder is common. */
const outOf = (directory: string): string => join(directory, "out");

const inSeveral = (run: NexmarkRun, workers: number): Promise<NexmarkOutcome> =>
  withDirectory(async (directory) => {
    const sink = run.sink === "hash" ? "file" : run.sink;
    const { mode, key } = nexmarkQuery(run.query, run.data.delayUs);
    if (run.sink === "hash" && mode !== "append")
      throw new ConfigurationError(`${run.query} gives updates: no hash with --workers`);
    const parameters = { ...run, sink, out: outOf(directory), workers: 1 };
    const { measured, outcomes } = await inWorkers<NexmarkOutcome>(workers, directory, "nexmark", parameters);
    const epochs = Math.max(...outcomes.map((o) => o.epochs));
    const counted = outcomes.map((o) => o.rowsOut).filter((n) => n !== null);
    const rowsOut = counted.length === 0 ? null : Math.max(...counted);
    const result =
      run.sink === "hash" ? resultHash(await rowsOfFiles(run, outOf(directory)), key) : undefined;
    return { query: run.query, events: run.files.events, result, epochs, rowsOut, ...measured };
  });

/** What the query wrote, with the types of its columns. */
const rowsOfFiles = async (run: NexmarkRun, path: string): Promise<readonly Row[]> => {
  const relation = nexmarkRelation(run.query, run.data.delayUs);
  const options: PlanningOptions = {
    timeZone: "UTC",
    compatibility: "extended",
    watermarkPolicy: "min",
    staticReload: "once",
    withoutRules: [],
  };
  const catalog = nexmarkCatalog(fileInput(run.files, 1), DELAY_MS_MIN);
  const schema = schemaOfAttributes(analysed(relation, catalog, options).output);
  const source = { format: "ndjson", options: { path }, schema, pushed: [] };
  const plan = analysed({ kind: "source", source, streaming: false, name: "out" }, catalog, options);
  const store = (): Promise<MemoryStore> => Promise.resolve(new MemoryStore({ clock: SYSTEM_CLOCK }));
  const batches = await runBatch(plan, options, { clock: SYSTEM_CLOCK, timeZone: "UTC", store });
  return batches.flatMap(rowsOf);
};

/** Epochs after which a run is killed: half of them. */
export const killAfter = (run: NexmarkRun): number => Math.floor(run.files.files / run.filesPerEpoch / 2);

/** Of several processes each writes its own. */
const profileName = ({ query, place }: NexmarkRun): string =>
  `${query}${place === undefined ? "" : `-${place.index + 1}`}.cpuprofile`;

/** What the engine is given. */
export const queryRunOf = async (run: NexmarkRun): Promise<QueryRun> => {
  const { delayUs, group } = run.data;
  const { mode } = nexmarkQuery(run.query, delayUs);
  const lateMs = Math.max(DELAY_MS_MIN, Math.ceil((group * delayUs) / 1000));
  return {
    name: run.query.replaceAll("_", "-"),
    relation: nexmarkRelation(run.query, delayUs),
    catalog: nexmarkCatalog(await inputOf(run), lateMs),
    mode,
    partitions: run.partitions,
    durable: run.durable,
    sink: sinkOf(run),
    kill:
      run.kill === undefined || run.kill === "process"
        ? undefined
        : { afterEpochs: killAfter(run), disk: run.kill },
    url: run.url,
    place: run.place,
    profile: run.profile === undefined ? undefined : join(run.profile, profileName(run)),
  };
};

export const runNexmark = async (run: NexmarkRun): Promise<NexmarkOutcome> => {
  if ((run.workers ?? 1) > 1) return inSeveral(run, run.workers!);
  if (run.kill === "process") return (await import("./process-kill.ts")).runKilled(run);
  const { rows, ...outcome } = await runQuery(await queryRunOf(run));
  const { key } = nexmarkQuery(run.query, run.data.delayUs);
  const result = run.sink === "hash" ? resultHash(rows, key) : undefined;
  return { query: run.query, events: run.files.events, result, ...outcome };
};
