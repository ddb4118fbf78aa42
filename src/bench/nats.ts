/**
 * `bench nats`: queries from NATS to NATS beside what a bare loop does with the same broker, each in a process of its own, floor and query in turn so that what
 * else the machine does meets both. The result is compared with a plain loop's.
 */
import { availableParallelism } from "node:os";
import { ConfigurationError } from "../core/errors.ts";
import { type BenchBroker, benchBroker } from "./broker.ts";
import { inChild } from "./child.ts";
import type { Measured } from "./measure.ts";
import { expectedHash, type NatsInput, type NatsOutcome, type NatsRun } from "./nats-work.ts";
import { type BenchOptions, type Flags, list, positive } from "./options.ts";
import { median, printReport, type ReportRow } from "./report.ts";

export const NATS_FLAGS: Flags = {
  cases: `names with commas; default all: count, project, projectAtLeastOnce, ndjson, ndjsonFile`,
  rows: "rows of a case with a message each (default 1000000)",
  "ndjson-rows": "rows of a case with 64 KB messages (default 4000000)",
  keys: "distinct keys (default 1000)",
  partitions: "partitions of the count (default 1)",
  runs: "times each; the medians count (default 3)",
  nats: "URL of a broker (default: a nats-server of its own)",
};

interface Case {
  readonly query: NatsRun["query"];
  readonly floor: "natsReadParse" | "natsParseBytes" | "natsPublish" | "natsRun";
  /** What the floor is, in words. */
  readonly beside: string;
  /** The ratio asked for. */
  readonly target: number;
  readonly guarantee: NatsRun["guarantee"];
  readonly ndjson: boolean;
}

const CASES: Readonly<Record<string, Case>> = {
  count: {
    query: "count",
    floor: "natsReadParse",
    beside: "reader and JSON.parse",
    target: 0.6,
    guarantee: "exactlyOnce",
    ndjson: false,
  },
  project: {
    query: "project",
    floor: "natsPublish",
    beside: "publisher behind the same fence",
    target: 0.6,
    guarantee: "exactlyOnce",
    ndjson: false,
  },
  projectAtLeastOnce: {
    query: "project",
    floor: "natsPublish",
    beside: "publisher without a fence",
    target: 0.6,
    guarantee: "atLeastOnce",
    ndjson: false,
  },
  ndjson: {
    query: "count",
    floor: "natsParseBytes",
    beside: "JSON.parse of the same bytes",
    target: 0.5,
    guarantee: "exactlyOnce",
    ndjson: true,
  },
  ndjsonFile: {
    query: "count",
    floor: "natsRun",
    beside: "the same query from files",
    target: 0.85,
    guarantee: "exactlyOnce",
    ndjson: true,
  },
};

/** Bytes of an ndjson message, about. */
const MESSAGE_BYTES = 64_000;
const ROW_BYTES = 98;

interface Settings {
  readonly rows: number;
  readonly ndjsonRows: number;
  readonly keys: number;
  readonly partitions: number;
  readonly runs: number;
}

const inputOf = (c: Case, url: string, s: Settings): NatsInput => ({
  url,
  stream: c.ndjson ? "BENCH_NDJSON" : "BENCH_JSON",
  rows: c.ndjson ? s.ndjsonRows : s.rows,
  keys: s.keys,
  rowsPerMessage: c.ndjson ? Math.round(MESSAGE_BYTES / ROW_BYTES) : 1,
});

let outputs = 0;
const freshOutput = (): string => `BENCH_OUT_${++outputs}`;

interface Taken {
  readonly perSecond: number;
  readonly perCpuSecond: number;
  readonly measured: Measured;
  readonly brokerCpu: number | undefined;
}

/** Runs the work; the rate is of `count` things. */
const taken = async (
  broker: BenchBroker,
  work: string,
  parameters: object,
  count: (outcome: Measured & object) => number,
): Promise<Taken & { readonly outcome: Measured & object }> => {
  const before = broker.cpuSeconds();
  const outcome = await inChild<Measured & object>(work, parameters);
  const after = broker.cpuSeconds();
  const n = count(outcome);
  return {
    perSecond: Math.round(n / outcome.seconds),
    perCpuSecond: Math.round(n / outcome.cpuSeconds),
    measured: outcome,
    brokerCpu: before === undefined || after === undefined ? undefined : after - before,
    outcome,
  };
};

const middle = (xs: readonly Taken[]): Taken => {
  const perSecond = median(xs.map((x) => x.perSecond));
  return xs.find((x) => x.perSecond === perSecond)!;
};

const ratio = (a: number, b: number): number => Number((a / b).toFixed(3));

const runCase = async (
  name: string,
  broker: BenchBroker,
  s: Settings,
): Promise<{ readonly row: ReportRow; readonly correct: boolean }> => {
  const c = CASES[name]!;
  const input = inputOf(c, broker.url, s);
  const published = c.floor === "natsPublish";
  const run = { ...input, query: c.query, guarantee: c.guarantee, partitions: s.partitions };
  const floors: Taken[] = [];
  const queries: Taken[] = [];
  const hashes = new Set<string>();
  for (let i = 0; i < s.runs; i++) {
    const floorInput =
      c.floor === "natsRun" ? { ...run, out: freshOutput(), files: true } : { ...run, out: freshOutput() };
    floors.push(
      await taken(broker, c.floor, floorInput, (o) =>
        published ? (o as { readonly outputs: number } & Measured).outputs : input.rows,
      ),
    );
    const query = await taken(broker, "natsRun", { ...run, out: freshOutput() }, (o) =>
      published ? (o as NatsOutcome).outputs : input.rows,
    );
    hashes.add((query.outcome as NatsOutcome).hash);
    queries.push(query);
  }
  const [floor, query] = [middle(floors), middle(queries)];
  const correct = hashes.size === 1 && hashes.has(expectedHash(c.query, input));
  const reached = ratio(query.perSecond, floor.perSecond);
  const row = {
    case: name,
    rowsPerSecond: query.perSecond,
    cpuSeconds: query.measured.cpuSeconds,
    brokerCpuSeconds: query.brokerCpu === undefined ? null : Number(query.brokerCpu.toFixed(2)),
    peakRssMb: query.measured.peakRssMb,
    gcShare: query.measured.gcShare,
    hash: [...hashes].join(" "),
    correct,
    beside: c.beside,
    floor: floor.perSecond,
    floorCpuSeconds: floor.measured.cpuSeconds,
    ratio: reached,
    cpuRatio: ratio(query.perCpuSecond, floor.perCpuSecond),
    target: c.target,
    reached: reached >= c.target,
  };
  return { row, correct };
};

export const nats = async (o: BenchOptions): Promise<number> => {
  const settings: Settings = {
    rows: positive(o, "rows", 1_000_000),
    ndjsonRows: positive(o, "ndjson-rows", 4_000_000),
    keys: positive(o, "keys", 1_000),
    partitions: positive(o, "partitions", 1),
    runs: positive(o, "runs", 3),
  };
  const cases = list(o, "cases") ?? Object.keys(CASES);
  const unknown = cases.find((c) => !Object.hasOwn(CASES, c));
  if (unknown !== undefined)
    throw new ConfigurationError(`--cases ${unknown}: one of ${Object.keys(CASES).join(", ")}`);
  const broker = await benchBroker(o.values["nats"]);
  try {
    for (const ndjson of [false, true]) {
      const c = cases.find((name) => CASES[name]!.ndjson === ndjson);
      if (c !== undefined) await inChild("natsFill", inputOf(CASES[c]!, broker.url, settings));
    }
    const rows: ReportRow[] = [];
    let correct = true;
    for (const name of cases) {
      const got = await runCase(name, broker, settings);
      rows.push(got.row);
      correct &&= got.correct;
      o.progress(
        `${name} ${String(got.row["rowsPerSecond"])} rows/s, ${String(got.row["ratio"])} of the floor`,
      );
    }
    const machine = { node: process.version, cpus: availableParallelism(), broker: broker.description };
    printReport({ bench: "nats", settings: { ...machine, ...settings }, rows }, o.json, o.print);
    return correct ? 0 : 1;
  } finally {
    await broker.close();
  }
};
