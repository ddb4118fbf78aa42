/** Arbitrary keyed state by every verb that has it: run straight, killed after every epoch, and rescaled under way, it gives the same rows. */
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type GroupState,
  type ListState,
  type MapState,
  PlanMismatchError,
  schema,
  type StatefulProcessor,
  type StatefulProcessorHandle,
  t,
  type TimerValues,
  type ValueState,
} from "../../src/index.ts";
import { MemoryBackend } from "../../src/state/backend.ts";
import { FrameCluster } from "../support/frame-cluster.ts";
import { type FrameCase, type Step, testInAllRuns } from "../support/frame-runs.ts";

const S = 1_000;
interface Key {
  readonly k: string;
}
interface Row extends Key {
  readonly v: number;
  readonly ts: Date;
}
const out = schema({ k: t.string, what: t.string, n: t.long });
type Out = { readonly k: string; readonly what: string; readonly n: number };

/** Three keys; key a again after its timeout; the last rows move the watermark (10 s behind) and the clock beyond everything. */
const STEPS: readonly Step[] = [
  {
    rows: [
      ["a", 1, 100 * S],
      ["b", 2, 101 * S],
      ["a", 3, 102 * S],
    ],
  },
  { rows: [["c", 4, 103 * S]], passMs: 5 * S },
  {
    rows: [
      ["a", 5, 104 * S],
      ["b", 6, 130 * S],
    ],
    passMs: 20 * S,
  },
  // Late for the watermark of 120 s, and for nobody without one.
  { rows: [["a", 7, 105 * S]], passMs: 20 * S },
  { rows: [["a", 8, 140 * S]], passMs: 5 * S },
  { rows: [["z", 0, 1_000 * S]], passMs: 100 * S },
  { rows: [["y", 0, 1_001 * S]] },
];

const initial = (f: FrameCluster) =>
  f.mill.createDataFrame(
    [
      { k: "a", sum: 1000, seen: 9 },
      { k: "q", sum: 2000, seen: 9 },
    ],
    schema({ k: t.string, sum: t.long, seen: t.int }),
  );

interface Sum {
  readonly sum: number;
  readonly seen: number;
}
const sumState = schema({ sum: t.long, seen: t.int });

const summed = ({ k }: Key, rows: Iterable<Row>, state: GroupState<Sum>, timeout: () => void): Out => {
  if (state.hasTimedOut) {
    const { sum } = state.get();
    state.remove();
    return { k, what: "timeout", n: sum };
  }
  let { sum, seen } = state.getOption() ?? { sum: 0, seen: 0 };
  for (const { v } of rows) {
    sum += v;
    seen++;
  }
  state.update({ sum, seen });
  timeout();
  return { k, what: `seen ${seen}`, n: sum };
};

/** Per key: a sum, the list of values, a count of values by parity, and one timer `wait` ms after the newest row. */
class Ledger implements StatefulProcessor<Key, Row, Out> {
  #handle!: StatefulProcessorHandle;
  #sum!: ValueState<number>;
  #list!: ListState<{ v: number }>;
  #parity!: MapState<string, number>;
  readonly #wait: number;
  readonly #ttlMs: number | undefined;

  constructor(wait: number, ttlMs?: number) {
    this.#wait = wait;
    this.#ttlMs = ttlMs;
  }

  init(handle: StatefulProcessorHandle): void {
    const ttl = this.#ttlMs === undefined ? undefined : { ttlMs: this.#ttlMs };
    this.#handle = handle;
    this.#sum = handle.getValueState<number>("sum", t.long.type, ttl);
    this.#list = handle.getListState<{ v: number }>("list", undefined, ttl);
    this.#parity = handle.getMapState<string, number>("parity", t.string.type, t.int.type, ttl);
  }

  *handleInputRows({ k }: Key, rows: Iterable<Row>, timers: TimerValues): Iterable<Out> {
    let newest = -Infinity;
    for (const { v, ts } of rows) {
      this.#sum.update((this.#sum.getOption() ?? 0) + v);
      this.#list.appendValue({ v });
      const parity = v % 2 === 0 ? "even" : "odd";
      this.#parity.updateValue(parity, (this.#parity.getValue(parity) ?? 0) + 1);
      newest = Math.max(newest, ts.getTime());
    }
    yield this.#shown(k);
    if (this.#wait === 0) return;
    for (const old of this.#handle.listTimers()) this.#handle.deleteTimer(old);
    const now = timers.getCurrentProcessingTimeInMs();
    this.#handle.registerTimer(this.#wait + (this.#ttlMs === undefined ? newest : now));
  }

  *handleExpiredTimer({ k }: Key): Iterable<Out> {
    yield { ...this.#shown(k), k: `${k} expired` };
    this.#sum.clear();
    this.#list.clear();
    this.#parity.clear();
  }

  handleInitialState(_: Key, { sum, seen }: Sum): void {
    this.#sum.update(sum);
    this.#parity.updateValue("initial", seen);
  }

  #shown(k: string): Out {
    const list = [...this.#list.get()].map(({ v }) => v).join();
    const parity = [...this.#parity.iterator()].map(([p, n]) => `${p} ${n}`).join();
    return { k, what: `${list}; ${parity}`, n: this.#sum.getOption() ?? -1 };
  }
}

const CASES: readonly Omit<FrameCase, "steps">[] = [
  {
    name: "mapGroupsWithState, typed state, timeouts of the clock",
    query: (a) =>
      a
        .groupBy("k")
        .mapGroupsWithState(
          out,
          (k: Key, rows, s: GroupState<Sum>) => summed(k, rows, s, () => s.setTimeoutDuration(15 * S)),
          { timeout: "processingTime", state: sumState },
        )
        .writeStream.outputMode("update"),
    mode: "update",
    rows: [
      ["a", "seen 2", 4],
      ["b", "seen 1", 2],
      ["c", "seen 1", 4],
      ["a", "timeout", 4],
      ["b", "timeout", 2],
      ["c", "timeout", 4],
      ["a", "seen 1", 5],
      ["b", "seen 1", 6],
      ["a", "timeout", 5],
      ["b", "timeout", 6],
      ["a", "seen 1", 7],
      ["a", "seen 2", 15],
      ["a", "timeout", 15],
      ["z", "seen 1", 0],
      ["y", "seen 1", 0],
    ],
  },
  {
    name: "flatMapGroupsWithState, timeouts of event time, initial state",
    query: (a, f) =>
      a.groupBy("k").flatMapGroupsWithState(
        out,
        (k: Key, rows, s: GroupState<Sum>) => {
          const all = [...rows];
          const until = Math.max(...all.map((r) => r.ts.getTime()), s.getCurrentWatermarkMs()) + 10 * S;
          return [summed(k, all, s, () => s.setTimeoutTimestamp(until))];
        },
        { timeout: "eventTime", state: sumState, initialState: initial(f) },
      ).writeStream,
    rows: [
      ["a", "seen 11", 1004],
      ["b", "seen 1", 2],
      ["q", "seen 9", 2000],
      ["q", "timeout", 2000],
      ["c", "seen 1", 4],
      ["a", "seen 12", 1009],
      ["b", "seen 2", 8],
      ["a", "timeout", 1009],
      ["c", "timeout", 4],
      ["a", "seen 1", 8],
      ["a", "timeout", 8],
      ["b", "timeout", 8],
      ["z", "seen 1", 0],
      ["y", "seen 1", 0],
    ],
  },
  {
    name: "transformWithState, timers of event time, initial state",
    query: (a, f) =>
      a.groupBy("k").transformWithState(out, () => new Ledger(10 * S), {
        timeMode: "eventTime",
        initialState: initial(f),
      }).writeStream,
    rows: [
      ["a", "1,3; initial 9,odd 2", 1004],
      ["b", "2; even 1", 2],
      ["c", "4; even 1", 4],
      ["a", "1,3,5; initial 9,odd 3", 1009],
      ["b", "2,6; even 2", 8],
      ["a expired", "1,3,5; initial 9,odd 3", 1009],
      ["c expired", "4; even 1", 4],
      ["a", "8; even 1", 8],
      ["a expired", "8; even 1", 8],
      ["b expired", "2,6; even 2", 8],
      ["z", "0; even 1", 0],
      ["y", "0; even 1", 0],
    ],
  },
  {
    name: "transformWithState, timers of the clock and a time to live",
    query: (a) =>
      a.groupBy("k").transformWithState(out, () => new Ledger(42 * S, 15 * S), { timeMode: "processingTime" })
        .writeStream,
    rows: [
      ["a", "1,3; odd 2", 4],
      ["b", "2; even 1", 2],
      ["c", "4; even 1", 4],
      ["a", "5; odd 1", 5],
      ["b", "6; even 1", 6],
      ["a", "7; odd 1", 7],
      ["c expired", "; ", -1],
      ["a", "7,8; even 1,odd 1", 15],
      ["b expired", "; ", -1],
      ["a expired", "; ", -1],
      ["z", "0; even 1", 0],
      ["y", "0; even 1", 0],
    ],
  },
  {
    name: "transformWithState, no time, update mode",
    query: (a) =>
      a
        .groupBy("k")
        .transformWithState(out, () => new Ledger(0), { outputMode: "update" })
        .writeStream.outputMode("update"),
    mode: "update",
    rows: [
      ["a", "1,3; odd 2", 4],
      ["b", "2; even 1", 2],
      ["c", "4; even 1", 4],
      ["a", "1,3,5; odd 3", 9],
      ["b", "2,6; even 2", 8],
      ["a", "1,3,5,7; odd 4", 16],
      ["a", "1,3,5,7,8; even 1,odd 4", 24],
      ["z", "0; even 1", 0],
      ["y", "0; even 1", 0],
    ],
  },
];

for (const c of CASES) testInAllRuns({ steps: STEPS, ...c });

test("a program with other state variables, or other types of them, is refused and told which", async () => {
  const f = new FrameCluster({ backend: async () => new MemoryBackend() });
  const a = f.source("a");
  const query = (make: (handle: StatefulProcessorHandle) => unknown) =>
    a.frame
      .groupBy("k")
      .transformWithState(out, () => ({ init: (h) => void make(h), handleInputRows: () => {} })).writeStream;
  await (await f.start(query((h) => h.getValueState("sum", t.long)))).stop();
  for (const [other, message] of [
    [(h) => h.getValueState("sum", t.string), /- .*sum value bigint[^]*\+ .*sum value string/],
    [(h) => h.getListState("sum", t.long), /\+ .*sum list bigint/],
    [(h) => h.getValueState("total", t.long.type), /\+ .*total value bigint/],
  ] as const satisfies readonly (readonly [(h: StatefulProcessorHandle) => unknown, RegExp])[])
    await assert.rejects(
      f.start(query(other)),
      (e: unknown) => e instanceof PlanMismatchError && message.test(e.message),
    );
  await (await f.start(query((h) => h.getValueState("sum", t.long.type)))).stop();
  await f.close();
});
