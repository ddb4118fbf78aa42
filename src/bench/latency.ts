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
import { parseQuery } from "../sql/parser.ts";
import { benchBroker } from "./broker.ts";
import { startChild } from "./child.ts";
import { type BenchOptions, type Flags, oneOf, positive } from "./options.ts";
import { openEngine, streamCatalog, withDirectory } from "./query-run.ts";
import { printReport, type ReportRow } from "./report.ts";

export const LATENCY_FLAGS: Flags = {
  rate: "rows a second (default 10000)",
  seconds: "seconds measured (default 10)",
  skip: "seconds before that are not (default 5)",
  keys: "distinct keys (default 1000)",
  partitions: "partitions of the count (default 1)",
  guarantee: "exactlyOnce (default) or atLeastOnce of the sink",
  nats: "URL of a broker (default: a nats-server of its own)",
};

const [IN, OUT] = ["BENCH_LATENCY_IN", "BENCH_LATENCY_OUT"];
const [IN_SUBJECT, OUT_SUBJECT] = ["bench.latency.in", "bench.latency.out"];
/** Rows go out in this rhythm. */
const BEAT_MS = 1;
/** Brings a row to 250 bytes. */
const PADDING = "x".repeat(200);

interface Counter {
  readonly url: string;
  readonly partitions: number;
  readonly guarantee: string;
}

/** The engine's process: counts until it is killed. */
export const runCounter = (p: Counter): Promise<never> =>
  withDirectory(async (directory) => {
    const engine = await openEngine(directory, { durable: true, partitions: p.partitions, url: p.url });
    const schema = schemaOf([field("k", STRING), field("at", DOUBLE)]);
    const options = { url: p.url, stream: IN, encoding: "json" };
    await engine.start({
      name: "latency",
      relation: parseQuery("SELECT k, count(*) AS n, max(at) AS at FROM rows GROUP BY k"),
      catalog: streamCatalog("rows", { format: "nats", options, schema, pushed: [] }),
      outputMode: "update",
      trigger: { kind: "default" },
      sink: {
        format: "nats",
        options: { url: p.url, stream: OUT, subject: OUT_SUBJECT, guarantee: p.guarantee },
        partitionBy: [],
      },
      partitions: p.partitions,
    });
    process.stdout.write("ready\n");
    return new Promise<never>(() => {});
  });

const now = (): number => performance.timeOrigin + performance.now();

/**
 * Publishes `rate` rows a second until `signal` aborts; gives how many. A row's time is when it was due, not when it was sent: a generator that is held up
 * does not hide the wait.
 */
const generate = async (
  nats: NatsAccess,
  rate: number,
  keys: number,
  signal: AbortSignal,
): Promise<number> => {
  const start = now();
  let sent = 0;
  while (!signal.aborted) {
    const due = Math.floor(((now() - start) / 1000) * rate);
    const messages: NatsMessage[] = [];
    for (; sent < due; sent++) {
      const at = start + (sent / rate) * 1000;
      const row = `{"k":"k${(sent * 7919) % keys}","at":${at},"x":"${PADDING}"}`;
      messages.push({ subject: IN_SUBJECT!, payload: Buffer.from(row) });
    }
    if (messages.length > 0) await nats.publishAll(messages, { stream: IN! });
    await new Promise((resolve) => setTimeout(resolve, BEAT_MS));
  }
  return sent;
};

/** Ages in milliseconds of the rows that arrive from `fromMs` on, until `signal` aborts. */
const collect = async (nats: NatsAccess, fromMs: number, signal: AbortSignal): Promise<number[]> => {
  const reader = nats.reader(OUT, { from: 1 });
  signal.addEventListener("abort", () => reader.close());
  const ages: number[] = [];
  for (let records = await reader.next(); records.length > 0; records = await reader.next()) {
    const arrived = now();
    if (arrived < fromMs) continue;
    for (const r of records)
      ages.push(arrived - (JSON.parse(Buffer.from(r.payload).toString()) as { at: number }).at);
  }
  return ages;
};

const percentile = (sorted: readonly number[], p: number): number =>
  Number((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN).toFixed(2));

interface Settings {
  readonly rate: number;
  readonly seconds: number;
  readonly skip: number;
  readonly keys: number;
  readonly partitions: number;
  readonly guarantee: string;
}

const measureLatency = async (nats: NatsAccess, s: Settings): Promise<ReportRow> => {
  const abort = new AbortController();
  const stop = setTimeout(() => abort.abort(), (s.skip + s.seconds) * 1000);
  const start = now();
  const [sent, ages] = await Promise.all([
    generate(nats, s.rate, s.keys, abort.signal),
    collect(nats, start + s.skip * 1000, abort.signal),
  ]);
  clearTimeout(stop);
  const sorted = ages.sort((a, b) => a - b);
  return {
    rate: s.rate,
    sentPerSecond: Math.round(sent / (s.skip + s.seconds)),
    outputsPerSecond: Math.round(ages.length / s.seconds),
    p50: percentile(sorted, 0.5),
    p95: percentile(sorted, 0.95),
    p99: percentile(sorted, 0.99),
    p999: percentile(sorted, 0.999),
    max: percentile(sorted, 1),
  };
};

export const latency = async (o: BenchOptions): Promise<number> => {
  const settings: Settings = {
    rate: positive(o, "rate", 10_000),
    seconds: positive(o, "seconds", 10),
    skip: positive(o, "skip", 5),
    keys: positive(o, "keys", 1_000),
    partitions: positive(o, "partitions", 1),
    guarantee: oneOf(o, "guarantee", ["exactlyOnce", "atLeastOnce"], "exactlyOnce"),
  };
  const broker = await benchBroker(o.values["nats"]);
  const { url } = broker;
  const store = await JetStreamStore.open({ servers: url, clock: SYSTEM_CLOCK });
  try {
    await store.nats.createStream({ name: IN!, subjects: [IN_SUBJECT!] });
    await store.nats.createStream({ name: OUT!, subjects: [OUT_SUBJECT!] });
    const { partitions, guarantee } = settings;
    const child = startChild("latency", { url, partitions, guarantee });
    child.stderr!.pipe(process.stderr);
    try {
      const ready = await Promise.race([once(child.stdout!, "data"), once(child, "exit")]);
      if (!String(ready[0]).startsWith("ready")) throw new Error("the engine did not start");
      const row = await measureLatency(store.nats, settings);
      const report = { bench: "latency", settings: { ...settings, broker: broker.description }, rows: [row] };
      printReport(report, o.json, o.print);
    } finally {
      child.kill("SIGKILL");
    }
    return 0;
  } finally {
    await store.close();
    await broker.close();
  }
};
