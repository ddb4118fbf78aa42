/** Snapshots (laws 7 and 10): N1-N3, C10, and a damaged chunk. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { position } from "../../src/core/brands.ts";
import type { Log } from "../../src/log/log.ts";
import { MemoryStore } from "../../src/log/memory-log.ts";
import { MemoryBackend } from "../../src/state/backend.ts";
import { download, findSnapshots, SnapshotWriter } from "../../src/state/snapshot.ts";
import { STATE_FORMAT, StateStore, type Lineage } from "../../src/state/store.ts";
import type { KeyedTable } from "../../src/state/table.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

const LINEAGE: Lineage = { checkpoint: "c", stage: 1, topology: 1, partition: 0, fingerprint: "f" };
const all = (): boolean => true;

interface Copy {
  readonly store: StateStore;
  readonly table: KeyedTable<number>;
  readonly writer: SnapshotWriter;
  /** Commits an epoch that adds one key. */
  commit(epoch: number): Promise<void>;
  snapshot(): Promise<boolean>;
}

const copyOf = (log: Log, name: string): Copy => {
  const store = new StateStore(new MemoryBackend(), name, LINEAGE);
  const table = store.registry("op").keyed<number>("t");
  const writer = new SnapshotWriter(log, store, name);
  return {
    store,
    table,
    writer,
    async commit(epoch) {
      table.put(`k${epoch}`, epoch, 0);
      await store.commit(store.drain(epoch, epoch * 10, "created"));
    },
    snapshot: async () => writer.upload(await writer.prepare(store.committed!)),
  };
};

const open = (): Promise<Log> => new MemoryStore({ clock: new VirtualClock() }).open("a.b.snap");

/** Epoch and keys of the newest snapshot that can be used. */
const restored = async (log: Log): Promise<{ epoch: number; keys: number } | undefined> => {
  for (const found of await findSnapshots(log, LINEAGE)) {
    const snapshot = await download(log, found);
    if (snapshot === undefined) continue;
    const { store, table } = copyOf(log, "reader");
    await store.adopt(snapshot.record, snapshot.blobs, all);
    return { epoch: snapshot.record.epoch, keys: table.size };
  }
  return undefined;
};

test("a snapshot gives back the state, also when it is made of several uploads", async () => {
  const log = await open();
  const a = copyOf(log, "a");
  for (const epoch of [1, 2, 3, 4]) {
    await a.commit(epoch);
    assert.equal(await a.snapshot(), true);
  }
  assert.deepEqual(await restored(log), { epoch: 4, keys: 4 });
});

test("C10a a slower copy's manifest is refused and purges nothing", async () => {
  const log = await open();
  const [zombie, slow] = [copyOf(log, "zombie"), copyOf(log, "slow")];
  await slow.commit(1);
  const late = await slow.writer.prepare(slow.store.committed!);
  for (const epoch of [1, 2]) await zombie.commit(epoch);
  assert.equal(await zombie.snapshot(), true);
  const { first } = await log.bounds();
  assert.equal(await slow.writer.upload(late), false);
  assert.equal((await log.bounds()).first, first);
  assert.deepEqual(await restored(log), { epoch: 2, keys: 2 });
});

test("C10 after another copy's manifest an upload starts again with all blobs", async () => {
  const log = await open();
  const [a, b] = [copyOf(log, "a"), copyOf(log, "b")];
  await a.commit(1);
  assert.equal(await a.snapshot(), true);
  for (const epoch of [1, 2]) await b.commit(epoch);
  for (const epoch of [2, 3]) await a.commit(epoch);
  assert.equal(await b.snapshot(), true);
  // The writer knew only its own manifest: its blobs of epoch 1 may be purged by now.
  const prepared = await a.writer.prepare(a.store.committed!);
  assert.equal(await a.writer.upload(prepared), false);
  assert.equal(await a.snapshot(), true);
  for (const epoch of [3, 4, 5]) await b.commit(epoch);
  while (!(await b.snapshot()));
  assert.deepEqual(await restored(log), { epoch: 5, keys: 5 });
});

test("N3 a snapshot with a damaged or missing chunk is passed over for the one before", async () => {
  const log = await open();
  const a = copyOf(log, "a");
  await a.commit(1);
  await a.snapshot();
  const { last } = await log.bounds();
  const b = copyOf(log, "b");
  for (const epoch of [1, 2]) await b.commit(epoch);
  await b.snapshot();
  const get = log.get.bind(log);
  log.get = async (at) => {
    const record = await get(at);
    if (record === undefined || at <= last) return record;
    const payload = Uint8Array.from(record.payload);
    payload[payload.length - 1]! ^= 0xff;
    return { ...record, payload };
  };
  assert.deepEqual(await restored(log), { epoch: 1, keys: 1 });
  log.get = async (at) => (at > last ? undefined : get(at));
  assert.deepEqual(await restored(log), { epoch: 1, keys: 1 });
});

test("a manifest of another lineage or format is not used", async () => {
  const log = await open();
  const a = copyOf(log, "a");
  await a.commit(1);
  await a.snapshot();
  for (const other of [{ checkpoint: "x" }, { topology: 2 }, { partition: 1 }, { fingerprint: "g" }])
    assert.deepEqual(await findSnapshots(log, { ...LINEAGE, ...other }), []);
  assert.equal(STATE_FORMAT, 1);
});

test("two are kept: the older names what may be forgotten (law 8)", async () => {
  const log = await open();
  const a = copyOf(log, "a");
  const kept = (): number | undefined => a.writer.trimRecord?.epoch;
  assert.equal(kept(), undefined);
  for (const epoch of [1, 2, 3]) {
    await a.commit(epoch);
    await a.snapshot();
  }
  assert.equal(kept(), 2);
  assert.equal(a.writer.keptEpoch, 2);
  assert.equal((await findSnapshots(log, LINEAGE)).length >= 2, true);
  assert.ok((await log.get(position((await log.bounds()).last))) !== undefined);
});

test("a log that its writer trims between the look at its bounds and the reading is looked at again", async () => {
  const log = await open();
  await log.append(new Uint8Array(1), { headers: { mr: "chunk" } });
  const a = copyOf(log, "a");
  await a.commit(1);
  assert.equal(await a.snapshot(), true);
  const { bounds } = log;
  log.bounds = async () => {
    const seen = await bounds.call(log);
    await log.trim(position(2));
    return { ...seen, first: position(looks++ === 0 ? 1 : 2) };
  };
  let looks = 0;
  assert.deepEqual(await restored(log), { epoch: 1, keys: 1 });
  assert.equal(looks, 2);
});
