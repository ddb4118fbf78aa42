/** Snapshots (laws 7 and 10): N1-N3, C10, and a damaged chunk. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { position } from "../../src/core/brands.ts";
import type { Log } from "../../src/log/log.ts";
import { MemoryStore } from "../../src/log/memory-log.ts";
import { MemoryBackend } from "../../src/state/backend.ts";
import { download, findSnapshots } from "../../src/state/snapshot.ts";
import { SnapshotWriter } from "../../src/state/snapshot-writer.ts";
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

/** A log, and a copy that has uploaded each of these epochs into it. */
const uploaded = async (...of: readonly number[]): Promise<{ readonly log: Log; readonly a: Copy }> => {
  const log = await open();
  const a = copyOf(log, "a");
  for (const epoch of of) {
    await a.commit(epoch);
    assert.equal(await a.snapshot(), true);
  }
  return { log, a };
};

/** Epochs of the snapshots of a lineage, in the order in which they are found. */
const epochs = async (log: Log, lineage = LINEAGE): Promise<readonly number[]> => {
  const found: number[] = [];
  for await (const f of findSnapshots(log, lineage)) found.push(f.manifest.record.epoch);
  return found;
};

/** Epoch and keys of the newest snapshot that can be used. */
const restored = async (log: Log): Promise<{ epoch: number; keys: number } | undefined> => {
  for await (const found of findSnapshots(log, LINEAGE)) {
    const snapshot = await download(log, found);
    if (snapshot === undefined) continue;
    const { store, table } = copyOf(log, "reader");
    await store.adopt(snapshot.record, snapshot.blobs, all);
    return { epoch: snapshot.record.epoch, keys: table.size };
  }
  return undefined;
};

test("a snapshot gives back the state, also when it is made of several uploads", async () => {
  const { log } = await uploaded(1, 2, 3, 4);
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
  const { log } = await uploaded(1);
  const { last } = await log.bounds();
  const b = copyOf(log, "b");
  for (const epoch of [1, 2]) await b.commit(epoch);
  await b.snapshot();
  const get = log.get.bind(log);
  log.get = async (at) => {
    const record = await get(at);
    if (record === undefined || at <= last || record.headers?.["mr"] !== "chunk") return record;
    const payload = Uint8Array.from(record.payload);
    payload[payload.length - 1]! ^= 0xff;
    return { ...record, payload };
  };
  assert.deepEqual(await restored(log), { epoch: 1, keys: 1 });
  log.get = async (at) => {
    const record = await get(at);
    return at > last && record?.headers?.["mr"] === "chunk" ? undefined : record;
  };
  assert.deepEqual(await restored(log), { epoch: 1, keys: 1 });
});

test("a manifest of another lineage or format is not used", async () => {
  const { log } = await uploaded(1);
  for (const other of [{ checkpoint: "x" }, { topology: 2 }, { partition: 1 }, { fingerprint: "g" }])
    assert.deepEqual(await epochs(log, { ...LINEAGE, ...other }), []);
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
  assert.deepEqual((await epochs(log)).slice(0, 2), [3, 2]);
  assert.ok((await log.get(position((await log.bounds()).last))) !== undefined);
});

test("a log that its writer trims between the look at its bounds and the reading gives what is left", async () => {
  const log = await open();
  await log.append(new Uint8Array(1), { headers: { mr: "chunk" } });
  const append = log.append.bind(log);
  log.append = (payload, o) => append(payload, { ...o, headers: { mr: o!.headers!["mr"]! } });
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
});

test("manifests are found without reading a chunk, behind chunks of an upload that broke off too", async () => {
  const { log } = await uploaded(1, 2);
  const [{ last }, got] = [await log.bounds(), new Set<number>()];
  await log.append(new Uint8Array(9), { headers: { mr: "chunk", before: String(last) } });
  const get = log.get.bind(log);
  log.get = (at) => {
    got.add(at);
    return get(at);
  };
  log.reader = () => assert.fail("the whole log is read");
  assert.deepEqual(await epochs(log), [2, 1]);
  assert.equal(got.size, 3);
  // The successor continues the chain from what it finds.
  const b = copyOf(log, "b");
  for (const epoch of [1, 2, 3]) await b.commit(epoch);
  assert.equal(await b.snapshot(), true);
  assert.deepEqual(await epochs(log), [3, 2, 1].slice(0, (await epochs(log)).length));
  assert.equal(b.writer.keptEpoch, 2);
});

test("records of an older program, which do not name the manifest before them, are read through", async () => {
  const log = await open();
  const append = log.append.bind(log);
  log.append = (payload, o) => append(payload, { ...o, headers: { mr: o!.headers!["mr"]! } });
  const a = copyOf(log, "a");
  for (const epoch of [1, 2]) {
    await a.commit(epoch);
    await a.snapshot();
  }
  log.append = append;
  await a.commit(3);
  await a.snapshot();
  assert.deepEqual((await epochs(log)).slice(0, 2), [3, 2]);
  assert.deepEqual(await restored(log), { epoch: 3, keys: 3 });
});

test("what was trimmed while manifests are looked for is passed over for what is newer", async () => {
  const { log, a } = await uploaded(1);
  const bounds = log.bounds.bind(log);
  const before = await bounds();
  for (const epoch of [2, 3, 4]) {
    await a.commit(epoch);
    await a.snapshot();
  }
  await log.trim(position(before.last + 1));
  let looks = 0;
  log.bounds = async () => (looks++ === 0 ? before : bounds());
  assert.equal((await epochs(log))[0], 4);
});

test("an upload reads its blobs when their turn comes: the store keeps what later commits drop", async () => {
  const log = await open();
  const a = copyOf(log, "a");
  for (let epoch = 1; epoch <= 3; epoch++) await a.commit(epoch);
  const prepared = await a.writer.prepare(a.store.committed!);
  // Folded away: hundreds of small deltas become a base.
  for (let epoch = 4; epoch <= 200; epoch++) await a.commit(epoch);
  assert.ok(a.store.committed!.blobs.length < 100);
  assert.equal(await a.writer.upload(prepared), true);
  assert.deepEqual(await restored(log), { epoch: 3, keys: 3 });
});
