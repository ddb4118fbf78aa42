/**
 * `make plot`: SVG plots of what the benchmarks left.
 *
 *     npx tsx ops/bench/plot.ts [--history FILE] [--latency FILE] [--out FOLDER]
 *
 * history: lines that `millrace bench nexmark --history FILE` appends → throughput.svg, the median ratio to `JSON.parse` alone of each query over commits; of each commit
 * the entries with the most common settings of the file. latency: what `millrace bench latency --rate A,B,… --json` prints → latency.svg. A file that is not there is left out.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import type { HistoryEntry } from "../../src/bench/history.ts";
import { median, type Report } from "../../src/bench/report.ts";
import { type Chart, chartSvg } from "./chart.ts";

/** The settings of most entries: only those compare. */
const usual = (entries: readonly HistoryEntry[]): string => {
  const counts = new Map<string, number>();
  for (const { settings } of entries) counts.set(settings, (counts.get(settings) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1])[0]?.[0] ?? "";
};

export const throughputChart = (entries: readonly HistoryEntry[]): Chart => {
  const settings = usual(entries);
  const used = entries.filter((e) => e.settings === settings && e.ratio !== null);
  const commits = [...new Set(used.map((e) => e.commit))];
  const queries = [...new Set(used.map((e) => e.query))];
  const series = queries.map((query) => {
    const points = commits.flatMap((commit, x) => {
      const ratios = used.filter((e) => e.commit === commit && e.query === query).map((e) => e.ratio!);
      return ratios.length === 0 ? [] : [{ x, y: median(ratios) }];
    });
    return { name: query, points };
  });
  const title = `Events a second over those of JSON.parse alone (one core): ${settings}`;
  return { title, yTitle: "ratio", labels: commits, series };
};

const PERCENTILES = ["p50", "p99", "p999"] as const;

export const latencyChart = (report: Report): Chart => {
  const rows = [...report.rows].sort((a, b) => Number(a["rate"]) - Number(b["rate"]));
  return {
    title: "Age of results, NATS to NATS, exactly once",
    yTitle: "ms",
    labels: rows.map((r) => `${Number(r["rate"]).toLocaleString("en-US")} rows/s`),
    series: PERCENTILES.map((name) => ({
      name: name === "p999" ? "p99.9" : name,
      points: rows.map((r, x) => ({ x, y: Number(r[name]) })),
    })),
    logarithmic: true,
  };
};

const main = (): void => {
  const folder = import.meta.dirname;
  const { values } = parseArgs({
    options: {
      history: { type: "string", default: join(folder, "history.jsonl") },
      latency: { type: "string", default: join(folder, "latency.json") },
      out: { type: "string", default: join(folder, "plots") },
    },
  });
  mkdirSync(values.out, { recursive: true });
  const write = (name: string, chart: Chart): void => {
    const path = join(values.out, name);
    writeFileSync(path, chartSvg(chart));
    const points = chart.series.reduce((n, s) => n + s.points.length, 0);
    console.log(`${path}: ${points} points`);
  };
  if (existsSync(values.history)) {
    const lines = readFileSync(values.history, "utf8")
      .split("\n")
      .filter((line) => line !== "");
    write("throughput.svg", throughputChart(lines.map((line) => JSON.parse(line) as HistoryEntry)));
  } else console.log(`no ${values.history}: make bench writes it`);
  if (existsSync(values.latency))
    write("latency.svg", latencyChart(JSON.parse(readFileSync(values.latency, "utf8")) as Report));
  else
    console.log(`no ${values.latency}: millrace bench latency --rate 1000,10000 --json > ${values.latency}`);
};

if (process.argv[1] === import.meta.filename) main();
