/** What rows of a table cost to write: those only added are written once; once most of what was written is gone, the rest is written again. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { LONG, STRING } from "../../src/core/data-type.ts";
import { vectorOf } from "../../src/core/vector.ts";
import { type BackendChange, MemoryBackend } from "../../src/state/backend.ts";
import { RowTable } from "../../src/state/row-table.ts";
import { type Lineage, StateStore } from "../../src/state/store.ts";

const LINEAGE: Lineage = { checkpoint: "c", stage: 1, topology: 1, partition: 0, fingerprint: "f" };

class CountingBackend extends MemoryBackend {
  bytes = 0;
  override write(changes: readonly BackendChange[]): Promise<void> {
    for (const c of changes) if ("put" in c && c.put.includes("/b/")) this.bytes += c.value.length;
    return super.write(changes);
  }
}

const open = (backend: MemoryBackend): { readonly store: StateStore; readonly table: RowTable } => {
  const store = new StateStore(backend, "p", LINEAGE);
  return { store, table: store.registry("op").add(new RowTable("t", [LONG, STRING])) };
};

const add = (table: RowTable, from: number, n: number): void => {
  const all = Int32Array.from({ length: n }, (_, k) => k);
  const slots = all.map((k) => table.take(k % 7));
  const numbers = vectorOf(
    LONG,
    Array.from(all, (k) => from + k),
  );
  const texts = vectorOf(
    STRING,
    Array.from(all, (k) => `text of ${String(from + k)}`),
  );
  table.write([numbers, texts], all, slots, n);
};

const contents = (table: RowTable): unknown[] =>
  Array.from(table.live(), (slot) => [table.valueAt(0, slot), table.valueAt(1, slot)]);

/** What a new store over the same disk holds. */
const reopened = async (backend: MemoryBackend): Promise<RowTable> => {
  const { store, table } = open(backend);
  await store.loadLocal((await store.readRecord())!, () => true);
  table.loaded();
  return table;
};

test("rows that stay are written once", async () => {
  const backend = new CountingBackend();
  const { store, table } = open(backend);
  for (let epoch = 1; epoch <= 30; epoch++) {
    add(table, epoch * 1000, 1000);
    await store.commit(store.drain(epoch, epoch, "m"));
  }
  const disk = store.committed!.blobs.reduce((sum, b) => sum + b.bytes, 0);
  assert.equal(backend.bytes, disk);
  assert.ok(disk > 30 * 64 * 1024 * 0.4, "more than a fold's minimum");
  assert.deepEqual(contents(await reopened(backend)), contents(table));
});

test("many small deltas become one base", async () => {
  const backend = new CountingBackend();
  const { store, table } = open(backend);
  let most = 0;
  for (let epoch = 1; epoch <= 300; epoch++) {
    add(table, epoch, 1);
    await store.commit(store.drain(epoch, epoch, "m"));
    most = Math.max(most, store.committed!.blobs.length);
  }
  assert.ok(most < 80, `${String(most)} blobs`);
  assert.deepEqual(contents(await reopened(backend)), contents(table));
});

test("the disk holds at most a few times what is there, through restarts, whatever comes and goes", async () => {
  const step = fc.record({ add: fc.nat(1500), keep: fc.nat(4000), restart: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
      const backend = new CountingBackend();
      let { store, table } = open(backend);
      for (const [i, s] of steps.entries()) {
        add(table, i * 10_000, s.add);
        for (const slot of table.live().subarray(0, Math.max(0, table.size - s.keep))) table.remove(slot);
        await store.commit(store.drain(i + 1, i + 1, "m"));
        const before = contents(table);
        if (s.restart) {
          ({ store, table } = open(backend));
          await store.loadLocal((await store.readRecord())!, () => true);
          table.loaded();
          assert.deepEqual(contents(table), before);
        }
        const held = store.committed!.blobs.reduce((sum, b) => sum + b.bytes, 0);
        // A row has some 40 bytes; the fold comes an epoch later.
        assert.ok(held < 400_000 + table.size * 200, `${String(held)} bytes for ${String(table.size)} rows`);
      }
      assert.deepEqual(contents(await reopened(backend)), contents(table));
    }),
    { numRuns: 25 },
  );
});
