/** What Spark refuses and the default compatibility allows: marked by explain, refused by "spark", the same rows at any number of partitions and through lost disks. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { OutputMode } from "../../src/connectors/sink.ts";
import { AnalysisError } from "../../src/core/errors.ts";
import { FrameCluster, type Writer } from "../support/frame-cluster.ts";

type Frame = ReturnType<FrameCluster["source"]>["frame"];

interface Extension {
  readonly name: string;
  readonly query: string | ((a: Frame) => Writer);
  readonly mode: OutputMode;
  /** Columns that say which row a later one replaces (update mode); all rows count without it. */
  readonly key?: readonly number[];
  readonly rows: readonly (readonly unknown[])[];
}

const S = 1_000;
/** Epochs of (a, b). */
const EPOCHS: readonly (readonly (readonly (readonly [string, number, number])[])[])[] = [
  [
    [
      ["x", 1, 100 * S],
      ["y", 2, 101 * S],
    ],
    [["x", 7, 102 * S]],
  ],
  [
    [
      ["x", 3, 103 * S],
      ["z", 4, 130 * S],
    ],
    [["q", 8, 131 * S]],
  ],
  // Behind the watermark of 120 s: late.
  [
    [
      ["x", 50, 101 * S],
      ["z", 5, 133 * S],
    ],
    [["q", 9, 134 * S]],
  ],
  [[["end", 0, 1_000 * S]], [["end", 0, 1_000 * S]]],
];

const EXTENSIONS: readonly Extension[] = [
  {
    name: "session windows in update mode",
    query:
      "SELECT k, unix_millis(w.start) AS s, unix_millis(w.end) AS e, n, t FROM (SELECT session_window(ts, '5 seconds') AS w, k, count(*) AS n, sum(v) AS t FROM a GROUP BY 1, 2)",
    mode: "update",
    key: [0, 1],
    rows: [
      ["x", 100 * S, 108 * S, 2, 4],
      ["y", 101 * S, 106 * S, 1, 2],
      ["z", 130 * S, 138 * S, 2, 9],
      ["end", 1_000 * S, 1_005 * S, 1, 0],
    ],
  },
  {
    name: "session windows without a key",
    query:
      "SELECT unix_millis(w.start) AS s, unix_millis(w.end) AS e, n, t FROM (SELECT session_window(ts, '5 seconds') AS w, count(*) AS n, sum(v) AS t FROM a GROUP BY session_window(ts, '5 seconds'))",
    mode: "append",
    rows: [
      [100 * S, 108 * S, 3, 6],
      [130 * S, 138 * S, 2, 9],
    ],
  },
  {
    name: "anti join of streams",
    query:
      "SELECT a.k, a.v FROM a LEFT ANTI JOIN b ON a.k = b.k AND b.ts BETWEEN a.ts AND a.ts + INTERVAL 5 SECONDS",
    mode: "append",
    rows: [
      ["y", 2],
      ["x", 3],
      ["z", 4],
      ["z", 5],
    ],
  },
  {
    name: "DISTINCT aggregates",
    query:
      "SELECT unix_millis(w.start) AS s, n FROM (SELECT window(ts, '10 seconds') AS w, count(DISTINCT k) AS n FROM a GROUP BY 1)",
    mode: "append",
    rows: [
      [100 * S, 2],
      [130 * S, 1],
    ],
  },
  {
    name: "top N of each window",
    query:
      "SELECT unix_millis(w.end) AS e, k, n FROM (SELECT *, row_number() OVER (PARTITION BY w ORDER BY n DESC, k) AS r FROM (SELECT window(ts, '10 seconds') AS w, k, sum(v) AS n FROM a GROUP BY 1, 2)) WHERE r <= 1",
    mode: "append",
    rows: [
      [110 * S, "x", 4],
      [140 * S, "z", 9],
    ],
  },
  {
    name: "left join in update mode",
    query:
      "SELECT a.k, a.v, b.v AS w FROM a LEFT JOIN b ON a.k = b.k AND b.ts BETWEEN a.ts AND a.ts + INTERVAL 5 SECONDS",
    mode: "update",
    rows: [
      ["x", 1, 7],
      ["y", 2, null],
      ["x", 3, null],
      ["z", 4, null],
      ["z", 5, null],
      ["end", 0, 0],
    ],
  },
  {
    name: "late rows",
    query: (a) => a.dropDuplicates("k", "ts").late().select("k", "v").writeStream as unknown as Writer,
    mode: "append",
    rows: [["x", 50]],
  },
];

const plain = (row: readonly unknown[]): string =>
  JSON.stringify(row, (_, v: unknown) => (typeof v === "bigint" ? Number(v) : v));

const run = async (e: Extension, partitions: number, crash: boolean): Promise<readonly string[]> => {
  const f = new FrameCluster({ partitions });
  const [a, b] = [f.source("a"), f.source("b")];
  const query = typeof e.query === "string" ? e.query : e.query(a.frame);
  const started = await f.start(query, { outputMode: e.mode });
  assert.match(started.explain("extended"), /extension/i, "explain does not say that Spark refuses it");
  for (const [i, [left, right]] of EPOCHS.entries()) {
    await a.add(left!);
    await b.add(right!);
    await f.settle();
    if (crash) await f.crash(i % 2 === 0 ? "lost" : "kept");
  }
  await f.settle();
  const { key } = e;
  const rows = new Map<string, string>();
  for (const [i, row] of f.sink.rows().entries())
    rows.set(key === undefined ? String(i) : plain(key.map((k) => row[k])), plain(row));
  await f.close();
  return [...rows.values()].sort();
};

for (const e of EXTENSIONS)
  test(`${e.name}: an extension`, async () => {
    const expected = e.rows.map(plain).sort();
    assert.deepEqual(await run(e, 1, false), expected, "one partition");
    assert.deepEqual(await run(e, 3, true), expected, "three partitions, a crash after each epoch");
    if (typeof e.query !== "string") return;
    const f = new FrameCluster({ compatibility: "spark" });
    f.source("a");
    f.source("b");
    await assert.rejects(f.start(e.query, { outputMode: e.mode }), AnalysisError, "refused as in Spark");
    await f.close();
  });
