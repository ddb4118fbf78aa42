/** `bench nexmark`: times queries beside their floors, each in a process of its own, or checks their results. */
import { mkdirSync } from "node:fs";
import { availableParallelism } from "node:os";
import { ConfigurationError } from "../../core/errors.ts";
import { type BenchBroker, benchBroker } from "../broker.ts";
import { inChild } from "../child.ts";
import { appendHistory } from "../history.ts";
import type { Floor } from "../lines.ts";
import type { Measured } from "../measure.ts";
import { type BenchOptions, type Flags, flag, list, oneOf, positive } from "../options.ts";
import { median, printReport, type ReportRow } from "../report.ts";
import { checkNexmark, readCheckFile } from "./check.ts";
import { type NexmarkFiles, nexmarkFiles, type NexmarkParameters } from "./data.ts";
import { NEXMARK_QUERY_NAMES, nexmarkQuery } from "./queries.ts";
import type { KillKind, NexmarkOutcome, NexmarkRun, SinkKind } from "./run.ts";
import type { InputKind } from "./input.ts";

export const NEXMARK_FLAGS: Flags = {
  queries: "names with commas; default all",
  events: "number of events (default 1000000; with --check the file says)",
  "delay-us": "microseconds of event time between two events (default 100)",
  "out-of-order": "events come in shuffled groups of 1000",
  source: "file (default), memory or nats",
  "rows-per-message": "rows of one message of a nats source (default 250)",
  sink: "blackhole (default), hash, file or nats",
  hash: "on or off: hash the results by a second run that is not timed (default: on up to 200000 events)",
  partitions: "partitions of keyed stages (default 2)",
  workers: "processes over one embedded log, as `millrace run --workers` (default 1)",
  checkpoint: "on (default) or off: logs and state on disk, with snapshots, or in memory",
  kill: "kept or lost: end the node in the middle, its disk kept or lost; process: kill -9 its process",
  runs: "runs of each query; the median is given (default 1)",
  "events-per-epoch": "events planned into one epoch (default 100000 for each worker)",
  floor: "on (default) or off: measure JSON.parse alone, and the broker, in the same run",
  profile:
    "FOLDER: write QUERY.cpuprofile there, QUERY-N.cpuprofile for each of several workers (ops/bench/flame.ts draws it)",
  history: "FILE: append a line of JSON for each query (ops/bench/plot.ts draws them)",
  check: "FILE: compare results with this file's, and end with `N passed, N failed`",
  nats: "URL of a broker (default: a nats-server of its own)",
  data: "folder of generated data (default .millrace/bench)",
};

const HASH_EVENTS_MAX = 200_000;
/** Of each worker. */
const EPOCH_EVENTS = 100_000;
const DATA_DEFAULT = ".millrace/bench";

interface Plan {
  readonly data: NexmarkParameters;
  readonly files: NexmarkFiles;
  readonly run: Omit<NexmarkRun, "query">;
  readonly queries: readonly string[];
  readonly runs: number;
  readonly hash: boolean;
  readonly floor: boolean;
}

const killOf = (o: BenchOptions): KillKind | undefined => {
  if (o.values["kill"] === undefined) return undefined;
  const kind = oneOf<KillKind>(o, "kill", ["kept", "lost", "process"], "kept");
  if (kind === "process" && (o.values["source"] ?? "file") !== "file")
    throw new ConfigurationError(
      "--kill process goes with --source file: rows in memory end with their process",
    );
  if (kind === "process" && o.values["checkpoint"] === "off")
    throw new ConfigurationError("--kill process does not go with --checkpoint off");
  return kind;
};

/** Several share an embedded log on disk, and nobody in them is killed. */
const workersOf = (o: BenchOptions): number => {
  const workers = positive(o, "workers", 1);
  const alone = {
    source: ["nats", "memory"],
    checkpoint: ["off"],
    kill: ["kept", "lost", "process", ""],
    sink: ["nats"],
  };
  for (const [name, values] of Object.entries(alone))
    if (workers > 1 && values.includes(o.values[name] ?? "none"))
      throw new ConfigurationError(`--workers ${workers} does not go with --${name} ${o.values[name]}`);
  return workers;
};

const common = (
  o: BenchOptions,
  url: string | undefined,
): Pick<NexmarkRun, "partitions" | "source" | "rowsPerMessage" | "durable" | "kill" | "url" | "workers"> => ({
  workers: workersOf(o),
  partitions: positive(o, "partitions", 2),
  source: oneOf<InputKind>(o, "source", ["file", "memory", "nats"], "file"),
  rowsPerMessage: positive(o, "rows-per-message", 250),
  durable: oneOf(o, "checkpoint", ["on", "off"], "on") === "on",
  kill: killOf(o),
  url,
});

const profileOf = (o: BenchOptions): string | undefined => {
  const folder = o.values["profile"];
  if (folder !== undefined) mkdirSync(folder, { recursive: true });
  return folder;
};

const planOf = (o: BenchOptions, url: string | undefined): Plan => {
  const events = positive(o, "events", 1_000_000);
  const data = { events, delayUs: positive(o, "delay-us", 100), group: flag(o, "out-of-order") ? 1000 : 1 };
  const queries = list(o, "queries") ?? NEXMARK_QUERY_NAMES;
  for (const q of queries) nexmarkQuery(q, data.delayUs);
  const root = o.values["data"] ?? DATA_DEFAULT;
  mkdirSync(root, { recursive: true });
  const files = nexmarkFiles(root, data);
  const perFile = events / (files.files - 1);
  const sink = oneOf<SinkKind>(o, "sink", ["blackhole", "hash", "file", "nats"], "blackhole");
  const filesPerEpoch = Math.max(
    1,
    Math.round(positive(o, "events-per-epoch", EPOCH_EVENTS * workersOf(o)) / perFile),
  );
  return {
    data,
    files,
    run: { data, files, filesPerEpoch, sink, profile: profileOf(o), ...common(o, url) },
    queries,
    runs: positive(o, "runs", 1),
    floor: oneOf(o, "floor", ["on", "off"], "on") === "on",
    hash: oneOf(o, "hash", ["on", "off"], events <= HASH_EVENTS_MAX ? "on" : "off") === "on",
  };
};

interface Floors {
  /** Absent with `--floor off`, as the broker's is. */
  readonly parse: number | undefined;
  readonly parsePerCpu: number | undefined;
  readonly broker: number | undefined;
}

/** Of CPU time: what others on the machine do counts less. */
const perCpuSecond = (events: number, m: Measured): number => Math.round(events / m.cpuSeconds);
const perSecond = (events: number, m: Measured): number => Math.round(events / m.seconds);

const floorsOf = async (p: Plan): Promise<Floors> => {
  if (!p.floor) return { parse: undefined, parsePerCpu: undefined, broker: undefined };
  const parse = await inChild<Floor>("parseFloor", p.files.parts);
  const { events } = p.files;
  const floors = { parse: perSecond(events, parse), parsePerCpu: perCpuSecond(events, parse) };
  const { url, source } = p.run;
  if (source !== "nats" || url === undefined) return { ...floors, broker: undefined };
  const read = await inChild<Measured>("readFloor", { url });
  return { ...floors, broker: perSecond(events, read) };
};

const ratio = (a: number, b: number | undefined): number | null =>
  b === undefined ? null : Number((a / b).toFixed(3));

const rowOf = async (query: string, p: Plan, floors: Floors): Promise<ReportRow> => {
  const run = { ...p.run, query };
  const outcomes: NexmarkOutcome[] = [];
  for (let i = 0; i < p.runs; i++) outcomes.push(await inChild<NexmarkOutcome>("nexmark", run));
  const seconds = median(outcomes.map((o) => o.seconds));
  const of = outcomes.find((o) => o.seconds === seconds)!;
  let { result } = of;
  const { unchecked, mode, note } = nexmarkQuery(query, p.data.delayUs);
  if (result === undefined && p.hash && (p.run.workers === 1 || mode === "append")) {
    const hashed: NexmarkRun = { ...run, sink: "hash" };
    ({ result } = await inChild<NexmarkOutcome>("nexmark", hashed));
  }
  const eventsPerSecond = perSecond(of.events, of);
  return {
    query,
    eventsPerSecond,
    seconds,
    cpuSeconds: of.cpuSeconds,
    peakRssMb: of.peakRssMb,
    gcShare: of.gcShare,
    gcPauseMaxMs: of.gcPauseMaxMs,
    epochs: of.epochs,
    ...(of.workerCpuSeconds === undefined
      ? {}
      : { logCpuSeconds: of.logCpuSeconds!, workerCpuSeconds: of.workerCpuSeconds.join(" ") }),
    rowsOut: of.rowsOut,
    rows: result?.rows ?? null,
    hash: unchecked ?? result?.hash ?? null,
    ...(note === undefined ? {} : { note }),
    floor: floors.parse ?? null,
    ratio: ratio(eventsPerSecond, floors.parse),
    cpuRatio: ratio(perCpuSecond(of.events, of), floors.parsePerCpu),
    ...(floors.broker === undefined
      ? {}
      : { brokerFloor: floors.broker, brokerRatio: ratio(eventsPerSecond, floors.broker) }),
  };
};

const timed = async (o: BenchOptions, broker: BenchBroker | undefined): Promise<number> => {
  const p = planOf(o, broker?.url);
  const { url, source, rowsPerMessage } = p.run;
  if (source === "nats") await inChild("publish", { url, files: p.files, rowsPerMessage });
  const floors = await floorsOf(p);
  const rows: ReportRow[] = [];
  for (const query of p.queries) {
    const row = await rowOf(query, p, floors);
    rows.push(row);
    o.progress(
      `${query} ${String(row["eventsPerSecond"])} events/s${row["ratio"] === null ? "" : `, ${String(row["ratio"])} of JSON.parse alone`}`,
    );
  }
  const { files, ...settings } = p.run;
  const machine = { node: process.version, cpus: availableParallelism(), broker: broker?.description };
  const report = {
    bench: "nexmark",
    settings: { ...machine, crc32: files.crc32, runs: p.runs, ...settings },
    rows,
  };
  if (o.values["history"] !== undefined) appendHistory(o.values["history"], report);
  printReport(report, o.json, o.print);
  return 0;
};

const checked = async (o: BenchOptions, path: string, broker: BenchBroker | undefined): Promise<number> => {
  const file = readCheckFile(path);
  const root = o.values["data"] ?? DATA_DEFAULT;
  mkdirSync(root, { recursive: true });
  const options = { ...common(o, broker?.url), root, queries: list(o, "queries") };
  if (options.source === "nats") throw new Error("--check runs from files or memory");
  const results = await checkNexmark(file, options, (r) => {
    const { events, delayUs, group } = r.data;
    const data = `${events} events, ${delayUs} us apart, groups of ${group}`;
    if (!o.json)
      o.print(`${r.passed ? "ok    " : "FAILED"} ${r.query} (${data}): ${r.detail} in ${r.seconds} s`);
  });
  if (o.json) o.print(JSON.stringify({ bench: "nexmark check", results }));
  const failed = results.filter((r) => !r.passed).length;
  o.print(`${results.length - failed} passed, ${failed} failed`);
  return failed === 0 && results.length > 0 ? 0 : 1;
};

export const nexmark = async (o: BenchOptions): Promise<number> => {
  const wanted = o.values["source"] === "nats" || o.values["sink"] === "nats";
  const broker = wanted ? await benchBroker(o.values["nats"]) : undefined;
  try {
    const { check } = o.values;
    return await (check === undefined ? timed(o, broker) : checked(o, check, broker));
  } finally {
    await broker?.close();
  }
};
