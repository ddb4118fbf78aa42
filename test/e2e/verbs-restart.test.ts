/** Verbs of the typed API on streams through crashes and at other parallelisms: the same rows. Keyed state: keyed-state.test.ts. */
import { count, schema, session_window, sum, t, window } from "../../src/index.ts";
import { type FrameCase, type Step, testInAllRuns } from "../support/frame-runs.ts";

const S = 1_000;
/** Watermark 10 s behind: 92 s after the first epoch, 120 s after the second, in which "a" at 101 s of the third is late. */
const STEPS: readonly Step[] = [
  {
    rows: [
      ["a", 1, 100 * S],
      ["b", 2, 101 * S],
      ["a", 3, 102 * S],
    ],
    others: [["a", 10, 103 * S]],
  },
  {
    rows: [
      ["a", 4, 104 * S],
      ["c", 5, 130 * S],
    ],
    others: [["c", 20, 131 * S]],
  },
  {
    rows: [
      ["a", 6, 101 * S],
      ["c", 7, 133 * S],
    ],
    others: [["q", 30, 132 * S]],
  },
  { rows: [["z", 0, 1_000 * S]], others: [["z", 0, 1_000 * S]] },
  { rows: [["a", 8, 1_001 * S]], others: [["y", 0, 1_002 * S]] },
];
const kv = schema({ k: t.string, v: t.long });
const places = schema({ k: t.string, place: t.string });

const CASES: readonly Omit<FrameCase, "steps">[] = [
  {
    name: "union of two streams, then a window",
    query: (a, _, b) =>
      a
        .union(b())
        .groupBy((c) => [window(c.ts, "10 seconds"), c.k])
        .agg((c) => ({ n: count(), s: sum(c.v) }))
        .select("k", "n", "s").writeStream,
    rows: [
      ["a", 4, 18],
      ["b", 1, 2],
      ["c", 3, 32],
      ["q", 1, 30],
    ],
  },
  {
    name: "stream-static left join",
    query: (a, { mill }) =>
      a
        .select("k", "v")
        .join(
          mill.createDataFrame(
            [
              { k: "a", place: "Oslo" },
              { k: "a", place: "Rome" },
            ],
            places,
          ),
          "k",
          "left",
        )
        .filter((c) => c.v.lt(4)).writeStream,
    rows: [
      ["a", 1, "Oslo"],
      ["a", 1, "Rome"],
      ["b", 2, null],
      ["a", 3, "Oslo"],
      ["a", 3, "Rome"],
      ["z", 0, null],
    ],
  },
  {
    name: "left join of streams within a time",
    query: (a, _, b) =>
      a
        .joinOn(
          b().select((c) => ({ k2: c.k, w: c.v, ts2: c.ts })),
          (l, r) => l.k.eq(r.k2).and(r.ts2.between(l.ts, l.ts.plus("2 seconds"))),
          "left",
        )
        .select("k", "v", "w").writeStream,
    rows: [
      ["a", 1, null],
      ["b", 2, null],
      ["a", 3, 10],
      ["a", 4, null],
      ["c", 5, 20],
      ["c", 7, null],
      ["z", 0, 0],
    ],
  },
  {
    name: "late rows of a window",
    query: (a) =>
      a
        .groupBy((c) => [window(c.ts, "10 seconds")])
        .count()
        .late(schema({ k: t.string, v: t.long }))
        .select("k", "v").writeStream,
    rows: [["a", 6]],
  },
  {
    name: "early rows of a window",
    query: (a) =>
      a
        .groupBy((c) => [window(c.ts, "10 seconds"), c.k])
        .agg((c) => ({ s: sum(c.v) }), { emit: { marker: "final" } })
        .select("k", "s", "final").writeStream,
    rows: [
      ["a", 4, false],
      ["b", 2, false],
      ["a", 8, false],
      ["c", 5, false],
      ["a", 8, true],
      ["b", 2, true],
      ["c", 12, false],
      ["z", 0, false],
      ["c", 12, true],
      ["a", 8, false],
    ],
  },
  {
    name: "session windows",
    query: (a) =>
      a
        .groupBy((c) => [session_window(c.ts, "5 seconds"), c.k])
        .agg((c) => ({ n: count(), s: sum(c.v) }))
        .select("k", "n", "s").writeStream,
    rows: [
      ["a", 3, 8],
      ["b", 1, 2],
      ["c", 2, 12],
    ],
  },
  {
    name: "dropDuplicates",
    query: (a) => a.dropDuplicates("k").select("k", "v").writeStream,
    rows: [
      ["a", 1],
      ["b", 2],
      ["c", 5],
      ["z", 0],
    ],
  },
  {
    name: "distinct",
    query: (a) => a.select("k").distinct().writeStream,
    rows: [["a"], ["b"], ["c"], ["z"]],
  },
  {
    // Key a is forgotten 10 s after its first row, and comes again; its late row is dropped.
    name: "dropDuplicatesWithinWatermark",
    query: (a) => a.dropDuplicatesWithinWatermark("k").select("k", "v").writeStream,
    rows: [
      ["a", 1],
      ["b", 2],
      ["c", 5],
      ["z", 0],
      ["a", 8],
    ],
  },
  {
    name: "EXCEPT with a table",
    query: (a, { mill }) =>
      a.select("k").except(mill.createDataFrame([{ k: "a" }], schema({ k: t.string }))).writeStream,
    rows: [["b"], ["c"], ["z"]],
  },
  {
    name: "limit",
    query: (a) => a.limit(4).select("k", "v").writeStream,
    rows: [
      ["a", 1],
      ["b", 2],
      ["a", 3],
      ["a", 4],
    ],
  },
  {
    name: "mapAsync, flatMap, filterRows and a udf",
    query: (a, { mill }) => {
      const twice = mill.udf("twice", { parameters: [t.long], returns: t.long }, (x) => 2 * x);
      return a
        .mapAsync(kv, async ({ k, v }) => ({ k: `${k}!`, v }), { concurrency: 2 })
        .flatMap(kv, ({ k, v }) => [
          { k, v },
          { k, v: v + 100 },
        ])
        .filterRows(({ v }) => v % 5 === 0)
        .select((c) => ({ k: c.k, w: twice(c.v) })).writeStream;
    },
    rows: [
      ["c!", 10],
      ["c!", 210],
      ["z!", 0],
      ["z!", 200],
    ],
  },
  {
    name: "grouping sets in complete mode, sorted",
    query: (a) =>
      a
        .rollup("k")
        .agg((c) => ({ s: sum(c.v) }))
        .orderBy("k")
        .limit(2)
        .writeStream.outputMode("complete"),
    mode: "complete",
    rows: [
      [null, 36],
      ["a", 22],
    ],
  },
];

for (const c of CASES) testInAllRuns({ steps: STEPS, ...c });
