/**
 * Latency: rows at a fixed rate through NATS, a count per key in update mode, and NATS again; the age of each result row's newest input when it is read.
 * Broker, engine, generator and reader, a process each, share the machine. No trigger is given unless asked; the sink is exactly once.
 */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { DOUBLE, field, STRING } from "../core/data-type.ts";
import { schemaOf } from "../core/schema.ts";
import { JetStreamStore } from "../log/jetstream/store.ts";
import type { NatsAccess } from "../log/nats-access.ts";
import { SYSTEM_CLOCK } from "../query/system-clock.ts";
import type { StartRequest } from "../query/runtime.ts";
import { parseQuery } from "../sql/parser.ts";
import { type BenchBroker, benchBroker, cpuOf } from "./broker.ts";
import { outcomeOf, startChild } from "./child.ts";
import { generate, IN, IN_SUBJECT, now, OUT, OUT_SUBJECT } from "./latency-load.ts";
import type { Expected, Readings } from "./latency-reader.ts";
import { watchCores, type Watched } from "./latency-cores.ts";
import {
  EngineTrace,
  type EngineTimes,
  explained,
  explainedEpochs,
  storedTimes,
  watchPauses,
} from "./latency-trace.ts";
import { type BenchOptions, flag, type Flags, list, oneOf, positive } from "./options.ts";
import { openEngine, streamCatalog, withDirectory } from "./query-run.ts";
import { markdownTable, printReport, type ReportRow } from "./report.ts";

export const LATENCY_FLAGS: Flags = {
  rate: "rows a second; several with commas, one after the other (default 10000)",
  seconds: "seconds measured (default 10)",
  skip: "seconds before that are told apart: until then compilers are at work (default 20)",
  keys: "distinct keys (default 1000)",
  partitions: "partitions of the count (default 1)",
  guarantee: "exactlyOnce (default) or atLeastOnce of the sink",
  "rows-per-message":
    "rows of an input message at most, a line each; results in messages of up to 500 (default 1: a message is a row, in and out)",
  "real-time": "milliseconds of the trigger `realTime` (default: no trigger)",
  trace: "say where the time of all and of the slowest rows went (one partition)",
  floor:
    "on (default): before each rate, the same without an engine: the reader reads what the generator wrote",
  nats: "URL of a broker (default: a nats-server of its own)",
};

/** With one partition the sink's rows get a subject of their own in the stream, so that it runs in the count's actor; with several one writer gathers them. */
const outSubject = (partitions: number): string =>
  partitions === 1 ? `${OUT_SUBJECT}.{partition}` : OUT_SUBJECT;

export interface Counter {
  readonly url: string;
  readonly partitions: number;
  readonly guarantee: string;
  readonly rowsPerMessage: number;
  /** Of the trigger `realTime`; absent: no trigger. */
  readonly realTimeMs?: number | undefined;
  readonly trace: boolean;
}

/** Rows of IN counted per key, every change to OUT. */
export const countRequest = (p: Counter): StartRequest => {
  const schema = schemaOf([field("k", STRING), field("at", DOUBLE)]);
  const lines = p.rowsPerMessage > 1;
  const options = { url: p.url, stream: IN, encoding: lines ? "ndjson" : "json" };
  // The sink's own number of rows: each message of several waits for the one before (nats-target.ts, fenceOf).
  const grouped = lines ? { encoding: "ndjson" } : {};
  const { url, guarantee, realTimeMs } = p;
  return {
    name: "latency",
    relation: parseQuery("SELECT k, count(*) AS n, max(at) AS at FROM rows GROUP BY k"),
    catalog: streamCatalog("rows", { format: "nats", options, schema, pushed: [] }),
    outputMode: "update",
    trigger: realTimeMs === undefined ? { kind: "default" } : { kind: "realTime", intervalMs: realTimeMs },
    sink: {
      format: "nats",
      options: { url, stream: OUT, subject: outSubject(p.partitions), guarantee, ...grouped },
      partitionBy: [],
    },
    partitions: p.partitions,
  };
};

/** The engine's process: counts until it is killed, or until its input ends; then it says what it noted. */
export const runCounter = (p: Counter): Promise<EngineTimes | null> =>
  withDirectory(async (directory) => {
    const trace = p.trace ? new EngineTrace() : undefined;
    const probe = trace === undefined ? {} : { probe: trace.probe };
    const engine = await openEngine(directory, {
      durable: true,
      partitions: p.partitions,
      url: p.url,
      ...probe,
    });
    await engine.start(countRequest(p));
    process.stdout.write("ready\n");
    process.stdin.resume();
    await once(process.stdin, "end");
    return trace?.times ?? null;
  });

const percentile = (sorted: readonly number[], p: number): number =>
  Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN).toFixed(2));

interface Settings extends Omit<Counter, "url"> {
  readonly rate: number;
  readonly seconds: number;
  readonly skip: number;
  readonly keys: number;
}

export const createStreams = async (nats: NatsAccess, partitions: number): Promise<void> => {
  await nats.createStream({ name: IN, subjects: [IN_SUBJECT] });
  await nats.createStream({ name: OUT, subjects: [outSubject(partitions).replace("{partition}", "0")] });
};

/** Waits until the child is ready. */
const started = async (child: ChildProcess, what: string): Promise<ChildProcess> => {
  const ready = await Promise.race([once(child.stdout!, "data"), once(child, "exit")]);
  if (!String(ready[0]).startsWith("ready")) throw new Error(`the ${what} did not start`);
  return child;
};

const share = (seconds: number | undefined, of: number): number | null =>
  seconds === undefined ? null : Number((seconds / of).toFixed(3));

interface Processes {
  readonly nats: NatsAccess;
  readonly broker: BenchBroker;
  /** Absent: the reader reads what the generator wrote. */
  readonly engine: ChildProcess | undefined;
  readonly reader: ChildProcess;
}

/** User and system seconds of each process so far. */
const cpuSeconds = ({ broker, engine, reader }: Processes): readonly (number | undefined)[] => {
  const own = process.cpuUsage();
  return [
    engine === undefined ? undefined : cpuOf(engine.pid!),
    broker.cpuSeconds(),
    (own.user + own.system) / 1e6,
    cpuOf(reader.pid!),
  ];
};

/** The threads that rows wait for. */
const threadsOf = ({ broker, engine, reader }: Processes): Readonly<Record<string, Watched>> => ({
  ...(engine === undefined ? {} : { engine: { pid: engine.pid!, threads: "main" } }),
  ...(broker.pid === undefined ? {} : { broker: { pid: broker.pid, threads: "all" } }),
  generator: { pid: process.pid, threads: "main" },
  reader: { pid: reader.pid!, threads: "main" },
});

const measureLatency = async (p: Processes, s: Settings): Promise<readonly [ReportRow, string]> => {
  const stop = new AbortController();
  const pauses = s.trace ? watchPauses() : [];
  const cores = watchCores(s.trace ? threadsOf(p) : {});
  const fromMs = now() + s.skip * 1000;
  const toMs = fromMs + s.seconds * 1000;
  setTimeout(() => stop.abort(), toMs - now());
  const before = cpuSeconds(p);
  const sent = await generate(p.nats, s, stop.signal, s.trace);
  const waits = cores();
  const length = (now() - sent.startMs) / 1000;
  const used = cpuSeconds(p).map((cpu, i) => (cpu === undefined ? cpu : cpu - before[i]!));
  const readings = outcomeOf<Readings>("latencyReader", p.reader);
  p.reader.stdin!.end(JSON.stringify({ rows: sent.rows, fromMs, toMs } satisfies Expected));
  const { correct, ages, coldAges, traced, pauses: readerPauses } = await readings;
  const row: ReportRow = {
    rate: s.rate,
    sentPerSecond: Math.round(sent.rows / length),
    outputsPerSecond: Math.round(ages.length / s.seconds),
    p50: percentile(ages, 0.5),
    p95: percentile(ages, 0.95),
    p99: percentile(ages, 0.99),
    p999: percentile(ages, 0.999),
    max: percentile(ages, 1),
    coldP50: percentile(coldAges, 0.5),
    coldP99: percentile(coldAges, 0.99),
    engineCpuShare: share(used[0], length),
    brokerCpuShare: share(used[1], length),
    generatorCpuShare: share(used[2], length),
    readerCpuShare: share(used[3], length),
    correct,
  };
  if (!s.trace || p.engine === undefined) return [row, ""];
  const engineTimes = outcomeOf<EngineTimes>("latency", p.engine);
  p.engine.stdin!.end();
  const trace = {
    fromMs,
    rate: s.rate,
    sent,
    stored: await storedTimes(p.nats),
    engine: await engineTimes,
    results: traced,
    pauses: { generator: pauses, reader: readerPauses },
    cores: waits,
  };
  return [row, `${markdownTable(explained(trace))}\n\n${markdownTable(explainedEpochs(trace))}`];
};

/** One rate: streams, engine and broker of its own. `bare`: no engine. */
const runRate = async (
  url: string | undefined,
  s: Settings,
  bare = false,
): Promise<{ readonly row: ReportRow; readonly trace: string; readonly broker: string }> => {
  const broker = await benchBroker(url);
  const store = await JetStreamStore.open({ servers: broker.url, clock: SYSTEM_CLOCK });
  const children: ChildProcess[] = [];
  const child = (work: string, parameters: unknown): Promise<ChildProcess> => {
    const process_ = startChild(work, parameters, true);
    children.push(process_);
    process_.stderr!.pipe(process.stderr);
    return started(process_, work);
  };
  try {
    await createStreams(store.nats, s.partitions);
    const engine = bare ? undefined : await child("latency", { ...s, url: broker.url } satisfies Counter);
    const stream = bare ? IN : OUT;
    const reader = await child("latencyReader", { url: broker.url, stream, trace: s.trace && !bare });
    const [row, trace] = await measureLatency({ nats: store.nats, broker, engine, reader }, s);
    return { row, trace, broker: broker.description };
  } finally {
    for (const c of children) c.kill("SIGKILL");
    await store.close();
    await broker.close();
  }
};

/** Seconds of the run without an engine. */
const FLOOR = { seconds: 3, skip: 2 } as const;

const ratesOf = (o: BenchOptions): readonly number[] =>
  (list(o, "rate") ?? ["10000"]).map((rate) => positive({ ...o, values: { rate } }, "rate", 0));

export const latency = async (o: BenchOptions): Promise<number> => {
  const settings = {
    seconds: positive(o, "seconds", 10),
    skip: positive(o, "skip", 20),
    keys: positive(o, "keys", 1_000),
    partitions: positive(o, "partitions", 1),
    guarantee: oneOf(o, "guarantee", ["exactlyOnce", "atLeastOnce"], "exactlyOnce"),
    rowsPerMessage: positive(o, "rows-per-message", 1),
    realTimeMs: o.values["real-time"] === undefined ? undefined : positive(o, "real-time", 5),
    trace: flag(o, "trace"),
  };
  const rates = ratesOf(o);
  const floor = oneOf(o, "floor", ["on", "off"], "on");
  const rows: ReportRow[] = [];
  let broker = "";
  for (const rate of rates) {
    const bare =
      floor === "off" ? undefined : await runRate(undefined, { ...settings, rate, ...FLOOR }, true);
    const got = await runRate(o.values["nats"], { ...settings, rate });
    rows.push({ ...got.row, floorP50: bare?.row["p50"] ?? null, floorP99: bare?.row["p99"] ?? null });
    ({ broker } = got);
    o.progress(`${rate} rows/s: p50 ${String(got.row["p50"])}, p99 ${String(got.row["p99"])} ms`);
    if (got.trace !== "") o.progress(got.trace);
  }
  printReport({ bench: "latency", settings: { ...settings, broker }, rows }, o.json, o.print);
  return rows.every((r) => r["correct"] === true) ? 0 : 1;
};
