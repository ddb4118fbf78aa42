/** Plots and flame graphs: well-formed, with a mark for each value, and time attributed to whom it belongs. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { chartSvg } from "../../ops/bench/chart.ts";
import { flameSvg, frameTree, type Profile, shares } from "../../ops/bench/flame-graph.ts";
import { latencyChart, throughputChart } from "../../ops/bench/plot.ts";
import type { HistoryEntry } from "../../src/bench/history.ts";

/** Every tag is closed by its own, and no text holds what must be escaped. Throws otherwise. */
function assertWellFormed(xml: string): void {
  const open: string[] = [];
  const body = xml.replace(/^<\?xml [^?]*\?>\n/, "");
  let end = 0;
  for (const tag of body.matchAll(/<(\/?)([a-z]+)((?: [\w:-]+="[^"<]*")*)(\/?)>/g)) {
    assert.doesNotMatch(body.slice(end, tag.index), /[<>]|&(?!(amp|lt|gt|quot);)/);
    end = tag.index + tag[0].length;
    if (tag[1] === "/") assert.equal(open.pop(), tag[2]);
    else if (tag[4] === "") open.push(tag[2]!);
  }
  assert.equal(body.slice(end).trim(), "");
  assert.deepEqual(open, []);
}

const marks = (svg: string, name: string): number => svg.split(`<${name} `).length - 1;

const entry = (
  commit: string,
  query: string,
  ratio: number | null,
  settings = "1000 events",
): HistoryEntry => ({
  commit,
  date: "2026-01-01T00:00:00.000Z",
  machine: "a <b> & c",
  settings,
  query,
  eventsPerSecond: 1,
  ratio,
  cpuRatio: null,
  cpuSeconds: 1,
  peakRssMb: 1,
  hash: null,
});

test("the history gives a point for each query and commit, the median of its runs, of the usual settings", () => {
  const chart = throughputChart([
    entry("aaa", "q0", 1),
    entry("aaa", "q0", 3),
    entry("aaa", "q0", 2),
    entry("bbb", "q0", 2.5),
    entry("bbb", 'q<5>&"', 0.5),
    entry("ccc", "q0", 9, "others"),
    entry("ccc", "q0", null),
  ]);
  assert.deepEqual(chart.labels, ["aaa", "bbb"]);
  assert.deepEqual(chart.series[0]!.points, [
    { x: 0, y: 2 },
    { x: 1, y: 2.5 },
  ]);
  const svg = chartSvg(chart);
  assertWellFormed(svg);
  assert.equal(marks(svg, "circle"), 3);
  assert.equal(marks(svg, "polyline"), 2);
});

test("a sweep of rates gives three percentiles of each, in the order of the rates", () => {
  const row = (rate: number, ms: number): Record<string, number> => ({
    rate,
    p50: ms,
    p99: 5 * ms,
    p999: 40 * ms,
  });
  const chart = latencyChart({ bench: "latency", settings: {}, rows: [row(100_000, 9), row(1_000, 2)] });
  assert.deepEqual(chart.labels, ["1,000 rows/s", "100,000 rows/s"]);
  const svg = chartSvg(chart);
  assertWellFormed(svg);
  assert.equal(marks(svg, "circle"), 6);
  assert.doesNotMatch(svg, /NaN|Infinity/);
});

test("an empty chart is a chart", () => {
  assertWellFormed(chartSvg(throughputChart([])));
});

const frame = (
  id: number,
  functionName: string,
  url: string,
  children: readonly number[],
): Profile["nodes"][0] => ({
  id,
  callFrame: { functionName, url, lineNumber: 0, scriptId: url === "" ? "0" : "1" },
  children,
});

test("native code belongs to its caller, idle time and the profiler to nobody", () => {
  const formats = "file:///x/dist/src/connectors/formats/json-decoder.js";
  const profile: Profile = {
    nodes: [
      frame(1, "(root)", "", [2, 5, 6, 7, 8]),
      frame(2, "decode", formats, [3, 4]),
      frame(3, "parse", "", []),
      frame(4, "crc32", "node:zlib", []),
      frame(5, "(idle)", "", []),
      frame(6, "add<T> & co", "file:///x/dist/src/operators/aggregate.js", []),
      frame(7, "(garbage collector)", "", []),
      frame(8, "post", "node:inspector", []),
    ],
    samples: [2, 3, 4, 5, 6, 7, 8],
    timeDeltas: [10, 20, 10, 500, 50, 10, 999],
  };
  const root = frameTree(profile);
  assert.equal(root.total, 100);
  assert.deepEqual(shares(root), [
    ["operators", 0.5],
    ["decoding", 0.4],
    ["garbage collection", 0.1],
  ]);
  const svg = flameSvg(root, "a <heading>");
  assertWellFormed(svg);
  assert.equal(marks(svg, "title"), 0);
  assert.equal(svg.split("<title>").length - 1, 6);
});
