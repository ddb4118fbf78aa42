/**
 * State stays bounded: for every stateful operator, when the watermark (or the clock) has passed, its rows are gone from the state, and their bytes
 * from LevelDB.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type GroupState, schema, type StatefulProcessor, sum, t, window } from "../../src/index.ts";
import type { OutputMode } from "../../src/connectors/sink.ts";
import type { StatefulProcessorHandle } from "../../src/operators/transform-with-state.ts";
import { FrameCluster, type Writer } from "../support/frame-cluster.ts";

/** Keys; enough that their state is far more than what a fold waits for (64 KiB). */
const N = 3_000;
const BEGIN_MS = 1_000_000;
/** Far beyond every window, delay, bound and time to live. */
const LATER_MS = 1_000_000;
/** What may be left on disk: a row or two. */
const REST_BYTES = 4_096;

type Frame = ReturnType<FrameCluster["source"]>["frame"];

interface Case {
  readonly name: string;
  readonly query: string | ((frame: Frame, f: FrameCluster) => Writer);
  readonly mode?: OutputMode;
  /** State rows per stateful operator, in plan order, with the rows of all keys in. */
  readonly peak: readonly number[];
  /** And when time has passed: only what came with the row that moved it. */
  readonly rest: readonly number[];
}

const JOIN = "a.k = b.k AND b.ts BETWEEN a.ts AND a.ts + INTERVAL 8 SECONDS";
const joined = (how: string): string => `SELECT a.k, a.v FROM a ${how} JOIN b ON ${JOIN}`;
const out = schema({ k: t.string, n: t.long });

interface Key {
  readonly k: string;
}
interface In extends Key {
  readonly ts: Date;
}

/** State per key until its time passes. */
const untilTimeout =
  (setTimeoutOf: (s: GroupState<number>, rows: readonly In[]) => void) =>
  ({ k }: Key, rows: Iterable<In>, state: GroupState<number>): { k: string; n: number } => {
    const all = [...rows];
    if (state.hasTimedOut) {
      state.remove();
      return { k, n: -1 };
    }
    state.update(all.length);
    setTimeoutOf(state, all);
    return { k, n: all.length };
  };

const byEventTime = untilTimeout((s, rows) => s.setTimeoutTimestamp(rows[0]!.ts.getTime() + 30_000));
const byClock = untilTimeout((s) => s.setTimeoutDuration(30_000));

/** One value, one list element and one map entry per key, until a timer clears them. */
class Timed implements StatefulProcessor<Key, In, { k: string; n: number }> {
  #handle!: StatefulProcessorHandle;
  #clear: (() => void)[] = [];
  readonly #mode: "eventTime" | "processingTime";
  constructor(mode: "eventTime" | "processingTime") {
    this.#mode = mode;
  }
  init(handle: StatefulProcessorHandle): void {
    this.#handle = handle;
    const value = handle.getValueState<number>("value", t.int.type);
    const list = handle.getListState<number>("list", t.int.type);
    const map = handle.getMapState<string, number>("map", t.string.type, t.int.type);
    this.#clear = [() => value.clear(), () => list.clear(), () => map.clear()];
    this.#fill = (): void => {
      value.update(1);
      list.appendValue(1);
      map.updateValue("x", 1);
    };
  }
  #fill: () => void = () => {};
  handleInputRows(_: Key, rows: Iterable<In>, timers: { getCurrentProcessingTimeInMs(): number }): undefined {
    this.#fill();
    const [first] = rows;
    const from = this.#mode === "eventTime" ? first!.ts.getTime() : timers.getCurrentProcessingTimeInMs();
    this.#handle.registerTimer(from + 30_000);
  }
  handleExpiredTimer(): undefined {
    for (const clear of this.#clear) clear();
  }
}

/** The same, with times to live instead of a timer. */
class Mortal implements StatefulProcessor<Key, In, { k: string; n: number }> {
  #fill: () => void = () => {};
  init(handle: StatefulProcessorHandle): void {
    const ttl = { ttlMs: 30_000 };
    const value = handle.getValueState<number>("value", t.int.type, ttl);
    const list = handle.getListState<number>("list", t.int.type, ttl);
    const map = handle.getMapState<string, number>("map", t.string.type, t.int.type, ttl);
    this.#fill = (): void => {
      value.update(1);
      list.appendValue(1);
      map.updateValue("x", 1);
    };
  }
  handleInputRows(): undefined {
    this.#fill();
  }
}

const windows =
  "SELECT window(ts, '10 seconds') AS w, k, count(*) AS n FROM a GROUP BY window(ts, '10 seconds'), k";

const CASES: readonly Case[] = [
  { name: "tumbling windows", query: windows, peak: [N], rest: [1] },
  { name: "tumbling windows, update", query: windows, mode: "update", peak: [N], rest: [1] },
  {
    name: "sliding windows",
    query: "SELECT window(ts, '10 seconds', '5 seconds') AS w, k, count(*) AS n FROM a GROUP BY 1, 2",
    peak: [2 * N],
    rest: [2],
  },
  {
    name: "session windows",
    query: "SELECT session_window(ts, '5 seconds') AS w, k, count(*) AS n FROM a GROUP BY 1, 2",
    peak: [N],
    rest: [1],
  },
  {
    name: "session windows with a gap of their own, update",
    query:
      "SELECT session_window(ts, CASE WHEN v % 2 = 0 THEN '5 seconds' ELSE '7 seconds' END) AS w, k, count(*) AS n FROM a GROUP BY 1, 2",
    mode: "update",
    peak: [N],
    rest: [1],
  },
  {
    name: "windows of windows",
    query: `SELECT window(window_time(w), '1 minute') AS m, k, sum(n) AS n FROM (${windows}) GROUP BY 1, 2`,
    peak: [N, 0],
    rest: [1, 0],
  },
  {
    name: "distinct aggregates",
    query:
      "SELECT window(ts, '10 seconds') AS w, k, count(DISTINCT v) AS n, collect_list(v) AS s FROM a GROUP BY 1, 2",
    peak: [N],
    rest: [1],
  },
  {
    name: "windows with early rows at an interval",
    query: (frame) =>
      frame
        .groupBy((c) => [window(c.ts, "10 seconds"), c.k])
        .agg((c) => ({ s: sum(c.v) }), { emit: { marker: "final", every: "5 seconds" } }).writeStream,
    peak: [N],
    rest: [1],
  },
  {
    name: "grouping sets of windows",
    query:
      "SELECT window(ts, '10 seconds') AS w, k, count(*) AS n FROM a GROUP BY GROUPING SETS ((window(ts, '10 seconds'), k), (window(ts, '10 seconds')))",
    peak: [N + 1],
    rest: [2],
  },
  {
    name: "an aggregate of the program",
    query: (frame, f) => {
      const longest = f.mill.udaf(
        "longest",
        { parameters: [t.string], state: t.string, returns: t.string },
        {
          zero: () => "",
          update: (s, x) => (x.length > s.length ? x : s),
          merge: (s, x) => (x.length > s.length ? x : s),
          finish: (s) => s,
        },
      );
      return frame.groupBy((c) => [window(c.ts, "10 seconds"), c.k]).agg((c) => ({ l: longest(c.k) }))
        .writeStream;
    },
    peak: [N],
    rest: [1],
  },
  {
    name: "EXCEPT with a table, by event time",
    query: (frame, f) =>
      frame.select("k", "ts").except(f.mill.createDataFrame([], schema({ k: t.string, ts: t.timestamp })))
        .writeStream,
    peak: [N],
    rest: [1],
  },
  {
    name: "dropDuplicates with the event time",
    query: (frame) => frame.dropDuplicates("k", "ts").writeStream,
    peak: [N],
    rest: [1],
  },
  {
    name: "dropDuplicatesWithinWatermark",
    query: (frame) => frame.dropDuplicatesWithinWatermark("k").writeStream,
    peak: [N],
    rest: [1],
  },
  { name: "SELECT DISTINCT", query: "SELECT DISTINCT k, ts FROM a", peak: [N], rest: [1] },
  { name: "inner join", query: joined("INNER"), peak: [2 * N], rest: [2] },
  { name: "left join", query: joined("LEFT"), peak: [2 * N], rest: [2] },
  { name: "right join", query: joined("RIGHT"), peak: [2 * N], rest: [2] },
  { name: "full join", query: joined("FULL"), peak: [2 * N], rest: [2] },
  { name: "semi join", query: joined("LEFT SEMI"), peak: [N], rest: [1] },
  { name: "anti join", query: joined("LEFT ANTI"), peak: [N], rest: [1] },
  {
    name: "windows joined with windows",
    query: `SELECT x.w, x.k, x.n, y.n AS m FROM (${windows}) x JOIN (${windows.replace("FROM a", "FROM b")}) y ON x.w = y.w AND x.k = y.k`,
    peak: [N, N, 0],
    rest: [1, 1, 0],
  },
  {
    name: "a join, then a window",
    query: `SELECT window(ts, '10 seconds') AS w, count(*) AS n FROM (SELECT a.k, a.ts FROM a JOIN b ON ${JOIN}) GROUP BY 1`,
    peak: [2 * N, 1],
    rest: [2, 1],
  },
  {
    name: "the first three of each window",
    query:
      "SELECT * FROM (SELECT w, k, n, row_number() OVER (PARTITION BY w ORDER BY n, k) AS r FROM " +
      `(${windows})) WHERE r <= 3`,
    peak: [N, 0],
    rest: [1, 0],
  },
  {
    name: "mapGroupsWithState, event time",
    query: (frame) =>
      frame
        .groupBy("k")
        .mapGroupsWithState(out, byEventTime, { timeout: "eventTime" })
        .writeStream.outputMode("update"),
    mode: "update",
    peak: [N],
    rest: [1],
  },
  {
    name: "flatMapGroupsWithState, processing time",
    query: (frame) =>
      frame
        .groupBy("k")
        .flatMapGroupsWithState(out, (k: Key, rows, s: GroupState<number>) => [byClock(k, rows, s)], {
          timeout: "processingTime",
        }).writeStream,
    peak: [N],
    rest: [1],
  },
  {
    name: "transformWithState, event-time timers",
    query: (frame) =>
      frame.groupBy("k").transformWithState(out, () => new Timed("eventTime"), { timeMode: "eventTime" })
        .writeStream,
    // value, list, map and timer
    peak: [4 * N],
    rest: [4],
  },
  {
    name: "transformWithState, processing-time timers",
    query: (frame) =>
      frame
        .groupBy("k")
        .transformWithState(out, () => new Timed("processingTime"), { timeMode: "processingTime" })
        .writeStream,
    peak: [4 * N],
    rest: [4],
  },
  {
    name: "transformWithState, time to live",
    query: (frame) => frame.groupBy("k").transformWithState(out, () => new Mortal(), {}).writeStream,
    peak: [3 * N],
    rest: [3],
  },
];

const KEY = (i: number): string => `some key that is long enough to weigh ${i}`;

for (const c of CASES)
  test(`state of ${c.name} goes when its time has passed`, async () => {
    const f = new FrameCluster({ partitions: 2 });
    const sources = [f.source("a"), f.source("b")];
    const { query, mode = "append" } = c;
    await f.start(typeof query === "string" ? query : query(sources[0]!.frame, f), { outputMode: mode });
    const rows = Array.from({ length: N }, (_, i) => [KEY(i), i, BEGIN_MS + (i % 10) * 500] as const);
    for (const s of sources) await s.add(rows);
    await f.settle();
    assert.deepEqual(await f.stateRows(), c.peak, "with all keys");
    const full = await f.disk();
    assert.ok(full.blobs > N * 20, `only ${full.blobs} bytes of state`);
    await f.cluster.advanceTime(LATER_MS);
    for (const s of sources) await s.add([["end", 0, BEGIN_MS + LATER_MS]]);
    await f.settle();
    assert.deepEqual(await f.stateRows(), c.rest, "afterwards");
    const less = await f.disk();
    assert.ok(less.blobs < REST_BYTES, `${less.blobs} bytes of state are left of ${full.blobs}`);
    assert.ok(less.files < full.files / 4, `${less.files} bytes of files are left of ${full.files}`);
    await f.crash();
    for (const s of sources) await s.add([["end", 0, BEGIN_MS + 2 * LATER_MS]]);
    await f.settle();
    const again = await f.stateRows();
    assert.ok(
      again.every((n, i) => n <= 2 * c.rest[i]!),
      `${JSON.stringify(again)} after a restart`,
    );
    assert.ok((await f.disk()).blobs < REST_BYTES);
    await f.close();
  });
