/** The state store: S1, S2, one atomic batch a commit, folding, and a damaged blob. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { StateCorruptError } from "../../src/core/errors.ts";
import { type BackendChange, MemoryBackend } from "../../src/state/backend.ts";
import { StateStore, type Lineage } from "../../src/state/store.ts";
import type { KeyedTable } from "../../src/state/table.ts";

const LINEAGE: Lineage = { checkpoint: "c", stage: 1, topology: 1, partition: 0, fingerprint: "f" };
const all = (): boolean => true;

class CountingBackend extends MemoryBackend {
  writes: (readonly BackendChange[])[] = [];
  override write(changes: readonly BackendChange[]): Promise<void> {
    this.writes.push(changes);
    return super.write(changes);
  }
}

const storeOn = (
  backend: MemoryBackend,
  lineage = LINEAGE,
): { store: StateStore; table: KeyedTable<string> } => {
  const store = new StateStore(backend, "p", lineage);
  return { store, table: store.registry("op").keyed<string>("t") };
};

/** What a new store over the same disk holds. */
const reopened = async (backend: MemoryBackend): Promise<(readonly [string, string])[]> => {
  const { store, table } = storeOn(backend);
  await store.loadLocal((await store.readRecord())!, all);
  return [...table.scan()];
};

test("a commit is one batch with the record, and a restart gives the table back", async () => {
  const backend = new CountingBackend();
  const { store, table } = storeOn(backend);
  for (let epoch = 1; epoch <= 5; epoch++) {
    table.put(`k${epoch % 3}`, `v${epoch}`, 0);
    if (epoch === 4) table.delete("k0");
    await store.commit(store.drain(epoch, epoch, "m"));
  }
  assert.equal(backend.writes.length, 5);
  assert.ok(backend.writes.every((w) => w.some((c) => "put" in c && c.put === "p/record")));
  assert.deepEqual(await reopened(backend), [...table.scan()]);
});

test("changes of an epoch that is drained and not committed are not there", async () => {
  const backend = new MemoryBackend();
  const { store, table } = storeOn(backend);
  table.put("a", "1", 0);
  await store.commit(store.drain(1, 1, "m"));
  table.put("b", "2", 0);
  store.drain(2, 2, "m");
  assert.deepEqual(await reopened(backend), [["a", "1"]]);
  assert.equal((await storeOn(backend).store.readRecord())?.epoch, 1);
});

test("deltas fold into a base; S1: the record names exactly the blobs that are there", async () => {
  const backend = new MemoryBackend();
  const { store, table } = storeOn(backend);
  const value = "x".repeat(10_000);
  for (let epoch = 1; epoch <= 40; epoch++) {
    table.put(`k${epoch % 2}`, `${value}${epoch}`, 0);
    await store.commit(store.drain(epoch, epoch, "m"));
    assert.equal((await backend.keys("p/b/")).length, store.committed!.blobs.length);
  }
  assert.ok(store.committed!.blobs.length < 20, "the deltas were folded");
  assert.deepEqual(await reopened(backend), [...table.scan()]);
});

test("S2 a record of another lineage does not count", async () => {
  const backend = new MemoryBackend();
  const { store } = storeOn(backend);
  await store.commit(store.drain(1, 1, "m"));
  const others: Partial<Lineage>[] = [
    { checkpoint: "other" },
    { stage: 2 },
    { topology: 2 },
    { partition: 1 },
    { fingerprint: "g" },
  ];
  for (const other of others)
    assert.equal(await storeOn(backend, { ...LINEAGE, ...other }).store.readRecord(), undefined);
});

test("a damaged blob is found; discard makes the store empty", async () => {
  const backend = new MemoryBackend();
  const { store, table } = storeOn(backend);
  table.put("a", "1", 0);
  await store.commit(store.drain(1, 1, "m"));
  const [key] = await backend.keys("p/b/");
  await backend.write([{ put: key!, value: new Uint8Array([1, 2, 3]) }]);
  await assert.rejects(reopened(backend), StateCorruptError);
  await store.discard();
  assert.equal(await storeOn(backend).store.readRecord(), undefined);
});

test("restored tables iterate as live ones do (C5)", async () => {
  const backend = new MemoryBackend();
  const { store, table } = storeOn(backend);
  for (const k of ["b", "a", "d", "c"]) table.put(k, k, 0);
  await store.commit(store.drain(1, 1, "m"));
  table.delete("a");
  table.put("a", "again", 0);
  await store.commit(store.drain(2, 2, "m"));
  assert.deepEqual(
    [...table.scan()].map(([k]) => k),
    ["a", "b", "c", "d"],
  );
  assert.deepEqual(await reopened(backend), [...table.scan()]);
});
