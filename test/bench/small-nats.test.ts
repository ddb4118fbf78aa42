/** A small run of the benchmarks that need a broker or a process of their own: results right, the form of the JSON, nothing timed. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { benchBroker } from "../../src/bench/broker.ts";
import { latency } from "../../src/bench/latency.ts";
import { nats } from "../../src/bench/nats.ts";
import {
  expectedHash,
  fillStream,
  type NatsInput,
  type NatsRun,
  runNats,
} from "../../src/bench/nats-work.ts";
import { publishWork } from "../../src/bench/nexmark/broker-work.ts";
import { nexmarkFiles, type NexmarkParameters } from "../../src/bench/nexmark/data.ts";
import { type NexmarkRun, runNexmark } from "../../src/bench/nexmark/run.ts";
import type { BenchOptions } from "../../src/bench/options.ts";
import type { Report } from "../../src/bench/report.ts";
import { start } from "../../src/bench/start.ts";
import { JetStreamStore } from "../../src/log/jetstream/store.ts";
import { SYSTEM_CLOCK } from "../../src/query/system-clock.ts";
import { removeTemporary, temporaryDirectory } from "../support/temporary.ts";

let root: string;
before(() => void (root = temporaryDirectory()));
after(() => removeTemporary(root));

/** Runs a benchmark; its report, and that it ended well. */
const reportOf = async (
  bench: (o: BenchOptions) => Promise<number>,
  values: Readonly<Record<string, string>>,
): Promise<Report> => {
  const printed: string[] = [];
  const print = (text: string): void => void printed.push(text);
  assert.equal(await bench({ values, json: true, print, progress: () => {} }), 0);
  assert.equal(printed.length, 1);
  return JSON.parse(printed[0]!) as Report;
};

const positive = (row: Report["rows"][number], ...names: readonly string[]): void => {
  for (const name of names) assert.ok(Number(row[name]) > 0, `${name}: ${String(row[name])}`);
};

test("from NATS to NATS: every case gives what a plain loop gives", async () => {
  const broker = await benchBroker(undefined);
  try {
    const { url } = broker;
    const json: NatsInput = { url, stream: "IN_JSON", rows: 3_000, keys: 50, rowsPerMessage: 1 };
    const lines: NatsInput = { url, stream: "IN_LINES", rows: 6_000, keys: 50, rowsPerMessage: 653 };
    for (const input of [json, lines]) assert.ok((await fillStream(input)) > 0);
    const cases: readonly (readonly [NatsInput, Pick<NatsRun, "query" | "guarantee" | "files">])[] = [
      [json, { query: "count", guarantee: "exactlyOnce" }],
      [json, { query: "project", guarantee: "exactlyOnce" }],
      [json, { query: "project", guarantee: "atLeastOnce" }],
      [lines, { query: "count", guarantee: "exactlyOnce" }],
      [lines, { query: "count", guarantee: "exactlyOnce", files: true }],
    ];
    for (const [i, [input, run]] of cases.entries()) {
      const out = await runNats({ ...input, ...run, out: `OUT_${i}`, partitions: 1 });
      assert.equal(out.hash, expectedHash(run.query, input), JSON.stringify(run));
      assert.ok(out.epochs > 0 && out.outputs > 0);
    }
    const values = { rows: "500", keys: "5", runs: "1", cases: "count", nats: url };
    const [row] = (await reportOf(nats, values)).rows;
    assert.equal(row!["case"], "count");
    assert.equal(row!["correct"], true, JSON.stringify(row));
    assert.match(String(row!["hash"]), /^[0-9a-f]{16}$/);
    positive(row!, "rowsPerSecond", "cpuSeconds", "floor", "floorCpuSeconds", "ratio", "cpuRatio");
  } finally {
    await broker.close();
  }
});

test("start and latency report right results", async () => {
  const [first] = (await reportOf(start, { runs: "1" })).rows;
  assert.equal(first!["correct"], true);
  positive(first!, "startToFirstRowMs", "bestMs", "cpuMs", "aimMs");
  const rate = { rate: "200", seconds: "1", skip: "1", keys: "10" };
  for (const more of [{}, { floor: "off", trace: "true", "rows-per-message": "7", "real-time": "5" }]) {
    const [row] = (await reportOf(latency, { ...rate, ...more })).rows;
    assert.equal(row!["correct"], true, JSON.stringify(row));
    positive(row!, "p50", "p95", "p99", ...("floor" in more ? [] : ["floorP50", "floorP99"]));
  }
});

const DATA: NexmarkParameters = { events: 4_000, delayUs: 10_000, group: 1 };

test("Nexmark from NATS and into NATS or files: the rows of the run from files", async () => {
  const broker = await benchBroker(undefined);
  try {
    const files = nexmarkFiles(root, DATA);
    await publishWork({ url: broker.url, files, rowsPerMessage: 1 });
    const runOf = (query: string, more: Partial<NexmarkRun>): NexmarkRun => ({
      query,
      data: DATA,
      files,
      partitions: 2,
      source: "file",
      filesPerEpoch: 1,
      rowsPerMessage: 1,
      durable: true,
      sink: "hash",
      url: broker.url,
      ...more,
    });
    for (const query of ["q1", "q5"]) {
      const { result } = await runNexmark(runOf(query, {}));
      assert.ok(result!.rows > 0, query);
      assert.deepEqual((await runNexmark(runOf(query, { source: "nats" }))).result, result, query);
    }
    const { result } = await runNexmark(runOf("q1", {}));
    const out = join(root, "out");
    await runNexmark(runOf("q1", { source: "nats", sink: "file", out }));
    let rows = 0;
    for (const file of readdirSync(out, { recursive: true, encoding: "utf8" }))
      if (file.endsWith(".ndjson")) rows += readFileSync(join(out, file), "utf8").split("\n").length - 1;
    assert.equal(rows, result!.rows, "files");
    await runNexmark(runOf("q1", { source: "nats", sink: "nats" }));
    const store = await JetStreamStore.open({ servers: broker.url, clock: SYSTEM_CLOCK });
    const streams = await store.nats.streams("BENCH_OUT_*");
    await store.close();
    assert.deepEqual(
      streams.map((s) => s.messages),
      [result!.rows],
    );
  } finally {
    await broker.close();
  }
});
