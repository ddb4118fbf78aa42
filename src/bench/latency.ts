/**
 * Latency: rows at a fixed rate through NATS, a count per key in update mode, and NATS again; the age of each result row's newest input when it is read.
 * Broker, engine (a process of its own), generator and reader share the machine. No trigger is given; the sink is exactly once.
 */
import { once } from "node:events";
import { DOUBLE, field, STRING } from "../core/data-type.ts";
import { schemaOf } from "../core/schema.ts";
import { JetStreamStore } from "../log/jetstream/store.ts";
import type { NatsAccess, NatsMessage } from "../log/nats-access.ts";
import { SYSTEM_CLOCK } from "../query/system-clock.ts";
import type { StartRequest } from "../query/runtime.ts";
import { parseQuery } from "../sql/parser.ts";
import { benchBroker, cpuOf } from "./broker.ts";
import { startChild } from "./child.ts";
import { type BenchOptions, type Flags, list, oneOf, positive } from "./options.ts";
import { openEngine, streamCatalog, withDirectory } from "./query-run.ts";
import { printReport, type ReportRow } from "./report.ts";

export const LATENCY_FLAGS: Flags = {
  rate: "rows a second; several with commas, one after the other (default 10000)",
  seconds: "seconds measured (default 10)",
  skip: "seconds before that are not (default 5)",
  keys: "distinct keys (default 1000)",
  partitions: "partitions of the count (default 1)",
  guarantee: "exactlyOnce (default) or atLeastOnce of the sink",
  nats: "URL of a broker (default: a nats-server of its own)",
};

const [IN, OUT] = ["BENCH_LATENCY_IN", "BENCH_LATENCY_OUT"];
const [IN_SUBJECT, OUT_SUBJECT] = ["bench.latency.in", "bench.latency.out"];
/** With one partition the sink's rows get a subject of their own in the stream, so that it runs in the count's actor; with several one writer gathers them. */
const outSubject = (partitions: number): string =>
  partitions === 1 ? `${OUT_SUBJECT!}.{partition}` : OUT_SUBJECT!;
/** Rows go out in this rhythm, whether or not those before are acknowledged. */
const BEAT_MS = 1;
const IN_FLIGHT_MAX = 100;
/** Brings a row to 250 bytes. */
const PADDING = "x".repeat(200);

export interface Counter {
  readonly url: string;
  readonly partitions: number;
  readonly guarantee: string;
}

/** Rows of IN counted per key, every change to OUT. */
export const countRequest = (p: Counter): StartRequest => {
  const schema = schemaOf([field("k", STRING), field("at", DOUBLE)]);
  const options = { url: p.url, stream: IN, encoding: "json" };
  return {
    name: "latency",
    relation: parseQuery("SELECT k, count(*) AS n, max(at) AS at FROM rows GROUP BY k"),
    catalog: streamCatalog("rows", { format: "nats", options, schema, pushed: [] }),
    outputMode: "update",
    trigger: { kind: "default" },
    sink: {
      format: "nats",
      options: { url: p.url, stream: OUT, subject: outSubject(p.partitions), guarantee: p.guarantee },
      partitionBy: [],
    },
    partitions: p.partitions,
  };
};

/** The engine's process: counts until it is killed. */
export const runCounter = (p: Counter): Promise<never> =>
  withDirectory(async (directory) => {
    const engine = await openEngine(directory, { durable: true, partitions: p.partitions, url: p.url });
    await engine.start(countRequest(p));
    process.stdout.write("ready\n");
    return new Promise<never>(() => {});
  });

export const now = (): number => performance.timeOrigin + performance.now();

/**
 * Publishes `rate` rows a second until `signal` aborts; gives how many, and how many messages the stream has then: publishing is at least once, and what a broker
 * that is overloaded acknowledges too late is there twice. A row's time is when it was due, not when it was sent: a generator that is held up does not hide the wait.
 */
export const generate = async (
  nats: NatsAccess,
  rate: number,
  keys: number,
  signal: AbortSignal,
): Promise<{ readonly sent: number; readonly stored: number }> => {
  const start = now();
  let sent = 0;
  const inFlight = new Set<Promise<unknown>>();
  while (!signal.aborted) {
    const due = Math.floor(((now() - start) / 1000) * rate);
    const messages: NatsMessage[] = [];
    for (; sent < due; sent++) {
      const at = start + (sent / rate) * 1000;
      const row = `{"k":"k${(sent * 7919) % keys}","at":${at},"x":"${PADDING}"}`;
      messages.push({ subject: IN_SUBJECT!, payload: Buffer.from(row) });
    }
    if (messages.length > 0) {
      const stored = nats.publishAll(messages, { stream: IN! }).finally(() => inFlight.delete(stored));
      inFlight.add(stored);
    }
    await new Promise((resolve) => setTimeout(resolve, BEAT_MS));
    if (inFlight.size >= IN_FLIGHT_MAX) await Promise.race(inFlight);
  }
  await Promise.all(inFlight);
  return { sent, stored: (await nats.stream(IN!))!.messages };
};

interface Output {
  readonly k: string;
  readonly n: number;
  readonly at: number;
}

/** Tells of every result that arrives, with the time, until `signal` aborts. */
export const collect = async (
  nats: NatsAccess,
  signal: AbortSignal,
  seen: (row: Output, arrivedMs: number) => void,
): Promise<void> => {
  const reader = nats.reader(OUT, { from: 1 });
  signal.addEventListener("abort", () => reader.close());
  for (let records = await reader.next(); records.length > 0; records = await reader.next()) {
    const arrived = now();
    for (const r of records) seen(JSON.parse(Buffer.from(r.payload).toString()) as Output, arrived);
  }
};

const percentile = (sorted: readonly number[], p: number): number =>
  Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN).toFixed(2));

interface Settings {
  readonly seconds: number;
  readonly skip: number;
  readonly keys: number;
  readonly partitions: number;
  readonly guarantee: string;
}

/** How long the last rows are waited for. */
const DRAIN_MS = 20_000;
const DRAIN_POLL_MS = 20;

const total = (counts: ReadonlyMap<string, number>): number => {
  let sum = 0;
  for (const n of counts.values()) sum += n;
  return sum;
};

/** Every row of the input stream must be counted once. */
export const counted = async (counts: ReadonlyMap<string, number>, stored: number): Promise<boolean> => {
  const until = now() + DRAIN_MS;
  while (total(counts) !== stored && now() < until)
    await new Promise((resolve) => setTimeout(resolve, DRAIN_POLL_MS));
  return total(counts) === stored;
};

const measureLatency = async (
  nats: NatsAccess,
  s: Settings & { readonly rate: number },
  cpu: () => number,
): Promise<ReportRow> => {
  const [stop, end] = [new AbortController(), new AbortController()];
  setTimeout(() => stop.abort(), (s.skip + s.seconds) * 1000);
  const from = now() + s.skip * 1000;
  const counts = new Map<string, number>();
  const to = from + s.seconds * 1000;
  const ages: number[] = [];
  const collected = collect(nats, end.signal, ({ k, n, at }, arrived) => {
    counts.set(k, n);
    if (arrived >= from && arrived < to) ages.push(arrived - at);
  });
  const cpuBefore = cpu();
  const { sent, stored } = await generate(nats, s.rate, s.keys, stop.signal);
  const cpuSeconds = cpu() - cpuBefore;
  const correct = await counted(counts, stored);
  end.abort();
  await collected;
  const sorted = ages.sort((a, b) => a - b);
  return {
    rate: s.rate,
    sentPerSecond: Math.round(sent / (s.skip + s.seconds)),
    storedTwice: stored - sent,
    outputsPerSecond: Math.round(sorted.length / s.seconds),
    p50: percentile(sorted, 0.5),
    p95: percentile(sorted, 0.95),
    p99: percentile(sorted, 0.99),
    p999: percentile(sorted, 0.999),
    max: percentile(sorted, 1),
    engineCpuShare: Number((cpuSeconds / (s.skip + s.seconds)).toFixed(3)),
    correct,
  };
};

export const createStreams = async (nats: NatsAccess, partitions: number): Promise<void> => {
  await nats.createStream({ name: IN!, subjects: [IN_SUBJECT!] });
  await nats.createStream({ name: OUT!, subjects: [outSubject(partitions).replace("{partition}", "0")] });
};

/** One rate: streams, engine and broker of its own. */
const runRate = async (
  url: string | undefined,
  s: Settings & { readonly rate: number },
): Promise<{ readonly row: ReportRow; readonly broker: string }> => {
  const broker = await benchBroker(url);
  const store = await JetStreamStore.open({ servers: broker.url, clock: SYSTEM_CLOCK });
  try {
    await createStreams(store.nats, s.partitions);
    const { partitions, guarantee } = s;
    const child = startChild("latency", { url: broker.url, partitions, guarantee });
    child.stderr!.pipe(process.stderr);
    try {
      const ready = await Promise.race([once(child.stdout!, "data"), once(child, "exit")]);
      if (!String(ready[0]).startsWith("ready")) throw new Error("the engine did not start");
      const row = await measureLatency(store.nats, s, () => cpuOf(child.pid!) ?? 0);
      return { row, broker: broker.description };
    } finally {
      child.kill("SIGKILL");
    }
  } finally {
    await store.close();
    await broker.close();
  }
};

const ratesOf = (o: BenchOptions): readonly number[] =>
  (list(o, "rate") ?? ["10000"]).map((rate) => positive({ ...o, values: { rate } }, "rate", 0));

export const latency = async (o: BenchOptions): Promise<number> => {
  const settings: Settings = {
    seconds: positive(o, "seconds", 10),
    skip: positive(o, "skip", 5),
    keys: positive(o, "keys", 1_000),
    partitions: positive(o, "partitions", 1),
    guarantee: oneOf(o, "guarantee", ["exactlyOnce", "atLeastOnce"], "exactlyOnce"),
  };
  const rates = ratesOf(o);
  const rows: ReportRow[] = [];
  let broker = "";
  for (const rate of rates) {
    const got = await runRate(o.values["nats"], { ...settings, rate });
    rows.push(got.row);
    ({ broker } = got);
    o.progress(`${rate} rows/s: p50 ${String(got.row["p50"])}, p99 ${String(got.row["p99"])} ms`);
  }
  printReport({ bench: "latency", settings: { ...settings, broker }, rows }, o.json, o.print);
  return rows.every((r) => r["correct"] === true) ? 0 : 1;
};
