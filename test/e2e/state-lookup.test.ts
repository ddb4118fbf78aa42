/** `query.inspection`: the committed state of a key, of each kind of operator, whichever node has it; keys that do not fit. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { AnalysisError } from "../../src/core/errors.ts";
import { plainJson } from "../../src/core/plain-json.ts";
import { count, schema, type StatefulProcessor, sum, t, window } from "../../src/index.ts";
import { FrameCluster, type Writer } from "../support/frame-cluster.ts";

const ROWS = [
  ["x", 1, 1_000],
  ["x", 2, 2_000],
  ["y", 40, 3_000],
] as const;

const started = async (
  make: (a: ReturnType<FrameCluster["source"]>["frame"]) => unknown,
  outputMode: "append" | "update" = "update",
) => {
  const f = new FrameCluster({ partitions: 3 });
  const a = f.source("a");
  await f.start(make(a.frame) as Writer, { outputMode });
  await a.add(ROWS);
  await f.settle();
  const { inspection } = await f.query();
  return { f, a, inspection };
};

test("an aggregate: the results of a key so far, after more rows, after a crash", async () => {
  const { f, a, inspection } = await started(
    (s) => s.groupBy("k").agg((c) => ({ n: count(), total: sum(c.v) })).writeStream,
  );
  const [only, ...others] = inspection.stateOperators();
  assert.deepEqual([only!.kind, only!.keys, others], ["aggregate", [{ name: "k", type: "string" }], []]);
  const { operator } = only!;
  const x = await inspection.state(operator, "x");
  assert.deepEqual([x.state, x.epoch >= 1], [{ "count(1)": 2, "sum(v)": 3 }, true]);
  assert.deepEqual((await inspection.state(operator, { k: "y" })).state, { "count(1)": 1, "sum(v)": 40 });
  assert.equal((await inspection.state(operator, ["nobody"])).state, undefined);
  await a.add([["x", 10, 4_000]]);
  await f.settle();
  const after = await inspection.state(operator, "x");
  assert.deepEqual([after.state, after.epoch > x.epoch], [{ "count(1)": 3, "sum(v)": 13 }, true]);
  await f.crash("lost");
  // What the disk lost is made again from the mailbox; until then the answer is of an older epoch, and says so.
  await a.add([["z", 0, 5_000]]);
  await f.settle();
  const restarted = (await f.query()).inspection;
  assert.deepEqual((await restarted.state(operator, "x")).state, { "count(1)": 3, "sum(v)": 13 });
  await f.close();
});

test("a windowed aggregate: the key is the window and the column, by name or in order", async () => {
  const { f, inspection } = await started(
    (s) => s.groupBy((c) => [window(c.ts, "10 seconds"), c.k]).agg({ n: count() }).writeStream,
    "append",
  );
  const { operator, keys } = inspection.stateOperators()[0]!;
  assert.deepEqual(
    keys.map((k) => k.name),
    ["window", "k"],
  );
  const at = { start: "1970-01-01T00:00:00Z", end: "1970-01-01T00:00:10Z" };
  assert.deepEqual((await inspection.state(operator, [at, "x"])).state, { "count(1)": 2 });
  assert.deepEqual((await inspection.state(operator, { k: "y", window: at })).state, { "count(1)": 1 });
  await assert.rejects(
    inspection.state(operator, "x"),
    (e: unknown) =>
      e instanceof AnalysisError && /the key has 1 parts, but the state is kept by \(window/.test(e.message),
  );
  await f.close();
});

test("flatMapGroupsWithState: the state as user code sees it", async () => {
  const { f, inspection } = await started(
    (s) =>
      s.groupBy("k").flatMapGroupsWithState<{ readonly k: "string" }, unknown>(
        schema({ k: t.string }),
        (_key, rows, state) => {
          state.update({ seen: [...rows].map((r) => r.v), since: new Date(0), by: new Map([["a", 1]]) });
          return [];
        },
        { outputMode: "update" },
      ).writeStream,
  );
  const { operator } = inspection.stateOperators()[0]!;
  const { state } = await inspection.state(operator, "x");
  assert.deepEqual(plainJson(state), {
    state: { seen: [1, 2], since: "1970-01-01T00:00:00.000Z", by: { a: 1 } },
  });
  await f.close();
});

class Variables implements StatefulProcessor<{ k: string }, { v: number }, { k: string }> {
  #handle!: Parameters<StatefulProcessor["init"]>[0];
  #last!: { update(v: number): void };
  #all!: { appendValue(v: number): void };
  #by!: { updateValue(k: string, v: number): void };
  init(handle: Parameters<StatefulProcessor["init"]>[0]): void {
    this.#handle = handle;
    this.#last = handle.getValueState<number>("last");
    this.#all = handle.getListState<number>("all");
    this.#by = handle.getMapState<string, number>("__proto__");
  }
  handleInputRows(_key: { k: string }, rows: Iterable<{ v: number }>): void {
    for (const { v } of rows) {
      this.#last.update(v);
      this.#all.appendValue(v);
      this.#by.updateValue(`v${v}`, v);
    }
    this.#handle.registerTimer(3_600_000);
  }
}

test("transformWithState: every variable of a key, and its timers", async () => {
  const { f, inspection } = await started(
    (s) =>
      s.groupBy("k").transformWithState(schema({ k: t.string }), () => new Variables(), {
        outputMode: "update",
        timeMode: "eventTime",
      }).writeStream,
  );
  const { operator } = inspection.stateOperators()[0]!;
  const { state } = await inspection.state(operator, "x");
  assert.deepEqual(Object.entries(plainJson(state) as object), [
    ["last", 2],
    ["all", [1, 2]],
    ["__proto__", { v1: 1, v2: 2 }],
    ["timers", ["1970-01-01T01:00:00.000Z"]],
  ]);
  assert.equal((await inspection.state(operator, "z")).state, undefined);
  await f.close();
});

test("deduplication: whether a key was seen, and until when it is kept", async () => {
  const all = await started((s) => s.dropDuplicates("k").select("k").writeStream, "append");
  const { operator, keys } = all.inspection.stateOperators()[0]!;
  assert.deepEqual(keys, [{ name: "k", type: "string" }]);
  assert.deepEqual((await all.inspection.state(operator, "x")).state, { seen: true });
  assert.equal((await all.inspection.state(operator, "nobody")).state, undefined);
  await all.f.close();
  const within = await started((s) => s.dropDuplicatesWithinWatermark("k").select("k").writeStream, "append");
  const only = within.inspection.stateOperators()[0]!.operator;
  assert.deepEqual((await within.inspection.state(only, "x")).state, {
    seen: true,
    until: new Date(11_000),
  });
  await within.f.close();
});

test("a join of streams: the rows that both sides keep for a key, after a crash too", async () => {
  const f = new FrameCluster({ partitions: 3 });
  const [a, b] = [f.source("a"), f.source("b")];
  await f.start(
    "SELECT a.k, b.v FROM a LEFT JOIN b ON a.k = b.k AND b.ts BETWEEN a.ts AND a.ts + INTERVAL 8 SECONDS",
  );
  await a.add([
    ["x", 1, 1_000],
    ["y", 2, 2_000],
    ["x", 3, 3_000],
  ]);
  await b.add([["x", 4, 5_000]]);
  await f.settle();
  const at = (ms: number): Date => new Date(ms);
  // Of a, only what the query needs is kept.
  const expected = {
    left: [
      { k: "x", ts: at(1_000) },
      { k: "x", ts: at(3_000) },
    ],
    right: [{ k: "x", v: 4, ts: at(5_000) }],
  };
  const { inspection } = await f.query();
  const { operator, keys } = inspection.stateOperators()[0]!;
  assert.deepEqual(keys, [{ name: "k", type: "string" }]);
  assert.deepEqual((await inspection.state(operator, "x")).state, expected);
  assert.equal((await inspection.state(operator, "nobody")).state, undefined);
  await f.crash();
  await a.add([["z", 0, 6_000]]);
  await f.settle();
  const again = (await f.query()).inspection;
  assert.deepEqual((await again.state(operator, { k: "x" })).state, expected);
  await f.close();
});

test("an operator that is not there, and a key of another type", async () => {
  const { f, inspection } = await started((s) => s.groupBy("v").count().writeStream);
  const { operator } = inspection.stateOperators()[0]!;
  await assert.rejects(
    inspection.state("agregate", 1),
    (e: AnalysisError) => e instanceof AnalysisError && (e.hint ?? "").includes(operator),
  );
  await assert.rejects(
    inspection.state(operator, "one"),
    (e: unknown) => e instanceof AnalysisError && /the key does not fit \(v bigint\)/.test(e.message),
  );
  assert.deepEqual((await inspection.state(operator, 40)).state, { "count(1)": 1 });
  await f.close();
});

test("after a rescale the key is found where it is now", async () => {
  const { f, a, inspection } = await started((s) => s.groupBy("k").count().writeStream);
  const { operator } = inspection.stateOperators()[0]!;
  await (await f.query()).rescale(1);
  await a.add([["x", 1, 5_000]]);
  await f.settle();
  const { state, partition } = await inspection.state(operator, "x");
  assert.deepEqual([state, partition], [{ "count(1)": 3 }, 0]);
  await f.close();
});
