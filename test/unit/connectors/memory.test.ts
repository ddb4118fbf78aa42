import assert from "node:assert/strict";
import { test } from "node:test";
import { batchFromRows, rowsOf } from "../../../src/core/batch.ts";
import * as T from "../../../src/core/data-type.ts";
import { ExecutionError } from "../../../src/core/errors.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import type { Row } from "../../../src/core/value.ts";
import type { Clock } from "../../../src/core/clock.ts";
import { MemoryStore } from "../../../src/log/memory-log.ts";
import type { Fate } from "../../../src/log/memory-wire.ts";
import { MemorySource } from "../../../src/connectors/memory-input.ts";
import { MemorySink, memorySinkFactory } from "../../../src/connectors/memory-sink.ts";
import { memorySourceFactory } from "../../../src/connectors/memory-source.ts";
import type { SinkContext } from "../../../src/connectors/sink.ts";
import type { Source, SourceContext, SplitRange } from "../../../src/connectors/source.ts";

const clock: Clock = {
  now: () => 0,
  monotonic: () => 0,
  after: (_ms, f) => {
    const timer = setImmediate(f);
    return () => clearImmediate(timer);
  },
};
const SCHEMA = schemaOf([T.field("k", T.STRING), T.field("v", T.LONG), T.field("d", T.decimal(38, 2))]);
const sourceOf = (store: MemoryStore, handle: MemorySource, sourceId = "s0", schema = SCHEMA): Source =>
  memorySourceFactory.create(
    { format: "memory", options: {}, schema, pushed: [], handle },
    { store, clock, queryName: "q", sourceId, timeZone: "UTC" } as SourceContext,
    "stream",
  );
const read = async (s: Source, ranges: readonly SplitRange[]): Promise<Row[]> => {
  const rows: Row[] = [];
  const reader = s.reader();
  for (const range of ranges)
    for await (const batch of reader.read(range, new AbortController().signal)) rows.push(...rowsOf(batch));
  await reader.close();
  return rows;
};

test("rows added before and after the start, exact, cut by limits, read again", async () => {
  const handle = new MemorySource(SCHEMA);
  await handle.addData([["a", 1, 10n ** 30n], { k: "b", v: 9007199254740993n, d: "1.5" }]);
  const s = sourceOf(new MemoryStore({ clock }), handle);
  const e = s.enumerator();
  await e.open(undefined);
  let woken = 0;
  const end = e.onInput!(() => woken++);
  await handle.addData([{ k: null, v: 3 }]);
  assert.equal(woken, 1);
  end();
  assert.equal(await e.backlog(), 3);
  const ranges = [...(await e.plan({ maxOffsets: 2 })), ...(await e.plan({})), ...(await e.plan({}))];
  assert.deepEqual(
    ranges.map((r) => [r.from, r.to]),
    [
      [1, 3],
      [3, 4],
    ],
  );
  const rows = await read(s, ranges);
  assert.deepEqual(rows, [
    ["a", 1, 10n ** 30n],
    ["b", 9007199254740993n, 150n],
    [null, 3, null],
  ]);
  assert.deepEqual(await read(s, ranges.toReversed()), [rows[2], rows[0], rows[1]]);
  const pruned = sourceOf(new MemoryStore({ clock }), handle, "s0", schemaOf([SCHEMA.fields[1]!]));
  await pruned.enumerator().open(undefined);
  assert.deepEqual(await read(pruned, ranges), [[1], [9007199254740993n], [3]]);
});

test("a restart finds the rows, two sources of one handle get the same", async () => {
  const store = new MemoryStore({ clock });
  const before = new MemorySource(SCHEMA);
  const first = sourceOf(store, before);
  const e = first.enumerator();
  await e.open(undefined);
  await before.addData([["a", 1, 1n]]);
  const planned = await e.plan({});
  const after = new MemorySource(SCHEMA);
  await after.addData([["b", 2, 2n]]);
  const again = sourceOf(store, after);
  const e2 = again.enumerator();
  await e2.open({ "0": planned[0]!.to });
  assert.deepEqual(await read(again, [...planned, ...(await e2.plan({}))]), [
    ["a", 1, 1n],
    ["b", 2, 2n],
  ]);
  const other = sourceOf(store, after, "s1");
  const e3 = other.enumerator();
  await e3.open(undefined);
  await after.addData([["c", 3, 3n]]);
  assert.deepEqual(await read(other, await e3.plan({})), [
    ["a", 1, 1n],
    ["b", 2, 2n],
    ["c", 3, 3n],
  ]);
  assert.equal((await e2.plan({}))[0]!.to, 4);
});

test("availableNow takes what is there; a batch reads what the handle has and logs nothing", async () => {
  const handle = new MemorySource(SCHEMA);
  await handle.addData([["a", 1, 1n]]);
  const store = new MemoryStore({ clock });
  const batch = memorySourceFactory.create(
    { format: "memory", options: {}, schema: SCHEMA, pushed: [], handle },
    { store, clock, queryName: "batch", sourceId: "b0", timeZone: "UTC" } as SourceContext,
    "batch",
  );
  const be = batch.enumerator();
  await be.open(undefined);
  assert.deepEqual(await read(batch, await be.plan({})), [["a", 1, 1n]]);
  assert.deepEqual(await be.plan({}), []);
  assert.deepEqual(await store.list(""), []);
  const s = sourceOf(store, handle);
  const e = s.enumerator();
  await e.open(undefined);
  await handle.addData([["b", 2, 2n]]);
  await e.freeze!();
  await handle.addData([["c", 3, 3n]]);
  const ranges = [...(await e.plan({ maxOffsets: 1 }))];
  assert.deepEqual(e.unread!(), ["0"]);
  ranges.push(...(await e.plan({})), ...(await e.plan({})));
  assert.deepEqual(e.unread!(), []);
  assert.deepEqual(await read(s, ranges), [
    ["a", 1, 1n],
    ["b", 2, 2n],
  ]);
});

test("a row that does not fit is refused and none is added", async () => {
  const handle = new MemorySource(SCHEMA);
  assert.throws(() => handle.addData([["a", 1, 1n], { kk: "b" }]), /no column "kk"; did you mean "k"/);
  assert.throws(() => handle.addData([{ v: "x" }]), ExecutionError);
  const s = sourceOf(new MemoryStore({ clock }), handle);
  const e = s.enumerator();
  await e.open(undefined);
  assert.deepEqual(await e.plan({}), []);
});

test("unknown outcomes do not double a row", async () => {
  let turn = 0;
  const fates: Fate[] = ["refuse", "store", "refuse"];
  const store = new MemoryStore({ clock, faults: { onAppend: () => fates[turn++ % fates.length]! } });
  const handle = new MemorySource(SCHEMA);
  const s = sourceOf(store, handle);
  const e = s.enumerator();
  await e.open(undefined);
  for (let i = 0; i < 20; i++) await handle.addData([[`k${i}`, i, 0n]]);
  const rows = await read(s, await e.plan({}));
  assert.deepEqual(
    rows.map((r) => r[1]),
    Array.from({ length: 20 }, (_, i) => i),
  );
});

test("the memory sink shows committed epochs once", async () => {
  const sink = new MemorySink();
  const spec = { format: "memory", options: {}, partitionBy: [], handle: sink };
  const writer = (outputMode: "append" | "complete") =>
    memorySinkFactory.writer(spec, SCHEMA, { outputMode } as SinkContext);
  const put = async (epoch: number, rows: Row[], mode: "append" | "complete" = "append"): Promise<void> => {
    const w = writer(mode);
    await w.open(epoch - 1);
    await w.begin(epoch);
    await w.write(batchFromRows(SCHEMA, rows));
    assert.ok(!sink.rowsByEpoch().some(([e]) => e === epoch) || epoch === 1);
    await w.commit(epoch);
  };
  await put(1, [["a", 1, 1n]]);
  await put(2, []);
  await put(1, [["a", 1, 1n]]);
  await put(3, [["b", 2, 2n]]);
  assert.deepEqual(sink.rows(), [
    ["a", 1, 1n],
    ["b", 2, 2n],
  ]);
  assert.deepEqual(
    sink.rowsByEpoch().map(([e, r]) => [e, r.length]),
    [
      [1, 1],
      [2, 0],
      [3, 1],
    ],
  );
  await put(4, [["c", 3, 3n]], "complete");
  assert.deepEqual(sink.rows(), [["c", 3, 3n]]);
});

test("rows beyond what a call takes as arguments wait for the first start", async () => {
  const handle = new MemorySource(schemaOf([T.field("v", T.LONG)]));
  await handle.addData(Array.from({ length: 200_000 }, (_, i) => [i]));
  assert.equal((await handle.snapshot()).length, 200_000);
});
