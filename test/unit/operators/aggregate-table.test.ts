import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type DataType, LONG, STRING, TIMESTAMP } from "../../../src/core/data-type.ts";
import { keyGroupOf } from "../../../src/core/hash.ts";
import type { Row } from "../../../src/core/value.ts";
import { vectorOf } from "../../../src/core/vector.ts";
import { AggregateTable } from "../../../src/operators/aggregate-table.ts";
import { accumulatorsOf } from "../../../src/operators/aggregate-calls.ts";
import { MemoryStore } from "../../../src/log/memory-log.ts";
import { MemoryBackend } from "../../../src/state/backend.ts";
import { hashRow } from "../../../src/state/key-codec.ts";
import { download, findSnapshots } from "../../../src/state/snapshot.ts";
import { SnapshotWriter } from "../../../src/state/snapshot-writer.ts";
import { StateStore } from "../../../src/state/store.ts";
import { VirtualClock } from "../../../src/testing/virtual-clock.ts";
import { aggregate } from "../../support/typed-exprs.ts";

const TYPES: readonly DataType[] = [STRING, LONG, TIMESTAMP];
const all = (): boolean => true;

const tableOf = () => {
  const accumulators = accumulatorsOf([aggregate("count", [])]);
  const table = new AggregateTable({
    name: "t",
    keyTypes: TYPES,
    routeBy: [0, 1],
    accumulators,
    eventTime: 2,
  });
  const add = (rows: readonly Row[]): void => {
    const groups = new Int32Array(rows.length);
    const keys = TYPES.map((t, c) =>
      vectorOf(
        t,
        rows.map((r) => r[c]!),
      ),
    );
    table.lookup(keys, rows.length, groups);
    accumulators[0]!.update(groups, rows.length, [], undefined);
  };
  const read = (groups: Int32Array): Row[] =>
    [...groups].map((g) => [...TYPES.map((_, c) => table.columns.value(c, g)), accumulators[0]!.result(g)]);
  return { table, add, read, live: () => read(table.live()) };
};

const anyRow: fc.Arbitrary<Row> = fc.tuple(
  fc.constantFrom("a", "b", "", null),
  fc.constantFrom(1, 2, 2n ** 60n, -(2n ** 63n), null),
  fc.constantFrom(10, 20, 30, null),
);
const step = fc.oneof(
  { weight: 4, arbitrary: fc.record({ add: fc.array(anyRow, { maxLength: 8 }) }) },
  { weight: 2, arbitrary: fc.record({ close: fc.constantFrom(10, 15, 20, 30) }) },
  { weight: 2, arbitrary: fc.record({ drain: fc.boolean() }) },
);

test("property T1: base and deltas give the same table in the same order, whenever it was drained", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20 }), (steps) => {
      const { table, add, read, live } = tableOf();
      let blobs: Uint8Array[] = [];
      const drain = (fold: boolean): void => {
        const delta = table.drain();
        if (delta !== undefined) blobs.push(delta);
        if (fold) blobs = [table.base()];
      };
      for (const s of steps) {
        if ("add" in s) add(s.add);
        else if ("close" in s) table.release(table.close(s.close));
        else drain(s.drain);
      }
      drain(false);
      const copy = tableOf();
      for (const b of blobs) copy.table.load(b, all);
      assert.deepEqual(copy.live(), live());
      assert.equal(copy.table.drain(), undefined);
      // Both go on alike.
      add([["c", 1, 20]]);
      copy.add([["c", 1, 20]]);
      assert.deepEqual(copy.read(copy.table.close(30)), read(table.close(30)));
    }),
    { numRuns: 200 },
  );
});

test("a load keeps the key groups it is told to (T3), by the hash that routes", () => {
  const { table, add, live } = tableOf();
  add(Array.from({ length: 100 }, (_, i): Row => [`k${i}`, i, 10 * i]));
  const base = table.base();
  const parts = [0, 1].map((p) => {
    const part = tableOf();
    part.table.load(base, (g) => g % 2 === p);
    for (const [k, l] of part.live()) assert.equal(keyGroupOf(hashRow([k!, l!], [STRING, LONG])) % 2, p);
    return part.table.size;
  });
  assert.equal(parts[0]! + parts[1]!, live().length);
});

test("grows, shrinks and forgets strings: 200,000 keys through 20 windows", () => {
  const { table, add } = tableOf();
  for (let w = 1; w <= 20; w++) {
    const rows = Array.from({ length: 10_000 }, (_, i): Row => [`w${w}-${i}`, i, w * 10]);
    add(rows);
    add(rows);
    assert.equal(table.size, w === 1 ? 10_000 : 20_000);
    const closed = table.close((w - 1) * 10);
    assert.equal(closed.length, w === 1 ? 0 : 10_000);
    for (const g of closed) assert.equal(String(table.columns.value(0, g)).startsWith(`w${w - 1}-`), true);
    table.release(closed);
    table.drain();
  }
  assert.equal(table.size, 10_000);
  assert.equal(table.stats().rows, 10_000);
});

test("groups close by time, then in order of arrival", () => {
  const { table, add, read } = tableOf();
  add([
    ["a", 1, 30],
    ["b", 1, 10],
    ["c", 1, 30],
    ["d", 1, 10],
  ]);
  assert.deepEqual(
    read(table.close(30)).map((r) => r[0]),
    ["b", "d", "a", "c"],
  );
});

test("a large base is several blobs, each of its own in the record; a store comes back from them, and from a snapshot of them", async () => {
  const rows = 140_000;
  const fill = Array.from({ length: rows }, (_, i): Row => ["a", i, null]);
  const lineage = { checkpoint: "c", stage: 1, topology: 1, partition: 0, fingerprint: "f" };
  const [backend, log] = [
    new MemoryBackend(),
    await new MemoryStore({ clock: new VirtualClock() }).open("a.b.snap"),
  ];
  const life = (on: MemoryBackend) => {
    const [store, mine] = [new StateStore(on, "p", lineage), tableOf()];
    store.registry("op").add(mine.table);
    return { store, ...mine };
  };
  const { store, add, live } = life(backend);
  for (let epoch = 1; epoch <= 3; epoch++) {
    add(fill);
    await store.commit(store.drain(epoch, epoch, "m"));
  }
  const record = (await store.readRecord())!;
  const pieces = record.blobs.filter((b) => b.base);
  assert.deepEqual(
    pieces.map((b) => [b.rows, b.piece]),
    [
      [rows, undefined],
      [undefined, 1],
    ],
  );
  const writer = new SnapshotWriter(log, store, "w");
  assert.equal(await writer.upload(await writer.prepare(record)), true);
  const kept = life(backend);
  await kept.store.loadLocal(record, all);
  assert.deepEqual(kept.live(), live());
  const lost = life(new MemoryBackend());
  const found = (await findSnapshots(log, lineage).next()).value!;
  const receive = lost.store.receive.bind(lost.store);
  const snapshot = (await download(log, found, { takes: () => "receive", receive }))!;
  await lost.store.adopt(snapshot.record, snapshot.blobs, all);
  assert.deepEqual(lost.live(), live());
  assert.deepEqual(live().at(-1), ["a", rows - 1, null, 3]);
});
