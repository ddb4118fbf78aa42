/** StreamingQueryListener and progress: the events, their order, and every field of Spark's progress (spark.md 1.17-1.19). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { count, sum } from "../../src/index.ts";
import type { StreamingQueryProgress } from "../../src/query/streaming-query.ts";
import { FrameCluster, type Writer } from "../support/frame-cluster.ts";

const PROGRESS =
  "id runId name timestamp batchId batchDuration numInputRows inputRowsPerSecond processedRowsPerSecond durationMs eventTime stateOperators sources sink observedMetrics";
const OPERATOR =
  "operatorName numRowsTotal numRowsUpdated allUpdatesTimeMs numRowsRemoved allRemovalsTimeMs commitTimeMs memoryUsedBytes numRowsDroppedByWatermark numShufflePartitions numStateStoreInstances customMetrics";
const SOURCE =
  "description startOffset endOffset latestOffset numInputRows inputRowsPerSecond processedRowsPerSecond metrics";

const T0 = 1_000_000;
const iso = (ms: number): string => new Date(ms).toISOString();
const names = (o: object): string => Object.keys(o).join(" ");

test("started, progress, idle, terminated: in order, with Spark's fields, and a listener that throws harms nobody", async () => {
  const f = new FrameCluster({ partitions: 2 });
  const s = f.source("a", "10 seconds");
  const { runtime } = await f.cluster.node(0);
  const events: string[] = [];
  const seen: StreamingQueryProgress[] = [];
  const broken = (): never => {
    throw new Error("a listener that throws");
  };
  runtime.queries.addListener({ onQueryStarted: broken, onQueryProgress: broken, onQueryTerminated: broken });
  runtime.queries.addListener({
    onQueryStarted: (e) => void events.push(`started ${names(e)} ${e.name}`),
    onQueryProgress: ({ progress }) => {
      events.push("progress");
      seen.push(progress);
    },
    onQueryIdle: (e) => void events.push(`idle ${names(e)}`),
    onQueryTerminated: (e) => void events.push(`terminated ${names(e)} ${e.errorClassOnException}`),
  });
  const frame = s.frame
    .observe("seen", (c) => ({ rows: count(), total: sum(c.v) }))
    .groupBy("k")
    .agg({ n: count() });
  // Before the start, so that both are in one epoch.
  await s.add([
    ["a", 1, T0],
    ["b", 2, T0 + 60_000],
  ]);
  const query = await f.start(frame.writeStream as unknown as Writer, { outputMode: "update" });
  assert.equal(events[0], "started id runId name timestamp q");

  await f.settle();
  const p = seen.find((x) => x.numInputRows > 0)!;
  assert.equal(names(p), PROGRESS);
  assert.deepEqual([p.id, p.runId, p.name], [query.id, query.runId, "q"]);
  assert.equal(p.numInputRows, 2);
  const { addBatch, latestOffset, walCommit, triggerExecution, ...others } = p.durationMs;
  assert.deepEqual(others, {});
  assert.ok(addBatch! + latestOffset! + walCommit! <= triggerExecution! + 3, JSON.stringify(p.durationMs));
  assert.deepEqual(
    { ...p.eventTime, watermark: "" },
    { min: iso(T0), max: iso(T0 + 60_000), avg: iso(T0 + 30_000), watermark: "" },
  );
  const [source] = p.sources;
  assert.equal(names(source!), SOURCE);
  assert.equal(source!.numInputRows, 2);
  assert.notDeepEqual(source!.endOffset, source!.startOffset);
  const [state] = p.stateOperators;
  assert.equal(names(state!), OPERATOR);
  assert.deepEqual([state!.numRowsTotal, state!.numRowsUpdated], [2, 2]);
  assert.ok(state!.memoryUsedBytes > 0);
  assert.equal(state!.numShufflePartitions, 2);
  assert.equal(names(p.sink), "description numOutputRows");
  assert.equal(p.sink.numOutputRows, 2);
  assert.deepEqual(JSON.parse(JSON.stringify(p.observedMetrics)), { seen: { rows: 2, total: 3 } });
  await s.add([["a", 5, T0]]);
  await f.settle();
  assert.equal(seen.at(-1)!.eventTime["watermark"], iso(T0 + 50_000));

  events.length = 0;
  await f.cluster.advanceTime(25_000);
  assert.deepEqual(events, ["idle id runId timestamp", "idle id runId timestamp"]);
  events.length = 0;
  await query.stop();
  await f.cluster.advanceTime(60_000);
  assert.deepEqual(events, ["terminated id runId undefined"]);
  await f.close();
});
