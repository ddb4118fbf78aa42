/** Uploads of snapshots: chunks under way at once (N4), logs that are full or long, and the records of two writers between each other. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import { ConfigurationError, LogFullError, UnavailableError } from "../../src/core/errors.ts";
import {
  MAILBOX_BYTES_MAX,
  SNAPSHOT_CHUNK_BYTES,
  SNAPSHOT_CHUNKS_DEAD,
  SNAPSHOT_WINDOW_BYTES,
} from "../../src/core/limits.ts";
import { position } from "../../src/core/brands.ts";
import type { Log } from "../../src/log/log.ts";
import { MemoryStore } from "../../src/log/memory-log.ts";
import { MemoryBackend } from "../../src/state/backend.ts";
import { readAhead } from "../../src/state/read-ahead.ts";
import { download, findSnapshots } from "../../src/state/snapshot.ts";
import { SnapshotWriter } from "../../src/state/snapshot-writer.ts";
import { StateStore, type Lineage } from "../../src/state/store.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

const LINEAGE: Lineage = { checkpoint: "c", stage: 1, topology: 1, partition: 0, fingerprint: "f" };
const LARGE = "x".repeat(SNAPSHOT_CHUNK_BYTES);

const copyOf = (log: Log, name: string) => {
  const store = new StateStore(new MemoryBackend(), name, LINEAGE);
  const [large, small] = [store.registry("a"), store.registry("b")].map((r) => r.keyed<string>("t"));
  const writer = new SnapshotWriter(log, store, name);
  return {
    store,
    table: large!,
    small: small!,
    writer,
    commit: (epoch: number) => store.commit(store.drain(epoch, epoch * 10, "created")),
    snapshot: async () => writer.upload(await writer.prepare(store.committed!)),
  };
};

const open = (maxBytes?: number): Promise<Log> =>
  new MemoryStore({ clock: new VirtualClock() }).open("a.b.snap", maxBytes === undefined ? {} : { maxBytes });

const newest = async (log: Log): Promise<{ epoch: number; keys: number } | undefined> => {
  for await (const found of findSnapshots(log, LINEAGE)) {
    const snapshot = await download(log, found);
    if (snapshot === undefined) continue;
    const { store, table, small } = copyOf(log, "reader");
    await store.adopt(snapshot.record, snapshot.blobs, () => true);
    return { epoch: snapshot.record.epoch, keys: table.size + small.size };
  }
  return undefined;
};

/** Appends wait until they are let go; `waiting` has the bytes of each. */
const held = (log: Log) => {
  const append = log.append.bind(log);
  const waiting: { readonly bytes: number; readonly go: () => void }[] = [];
  log.append = async (payload, o) => {
    await new Promise<void>((go) => waiting.push({ bytes: payload.length, go }));
    return append(payload, o);
  };
  return { waiting, append };
};

test("several chunks are under way, not more than the window, and may be stored in any order", async () => {
  const log = await open();
  const a = copyOf(log, "a");
  for (let k = 0; k < 40; k++) a.table.put(`k${k}`, LARGE, 0);
  await a.commit(1);
  const { waiting } = held(log);
  const done = a.snapshot();
  let [most, seed, ended] = [0, 1, false];
  void done.finally(() => (ended = true));
  while (!ended) {
    for (let turn = 0; turn < 20; turn++) await setImmediate();
    most = Math.max(
      most,
      waiting.reduce((n, w) => n + w.bytes, 0),
    );
    seed = (seed * 48_271) % 2_147_483_647;
    waiting.splice(seed % waiting.length, 1)[0]?.go();
  }
  assert.equal(await done, true);
  assert.ok(most > SNAPSHOT_WINDOW_BYTES / 2 && most <= SNAPSHOT_WINDOW_BYTES, String(most));
  assert.deepEqual(await newest(log), { epoch: 1, keys: 40 });
});

test("manifests are found between the chunks of two writers, whatever each knew", async () => {
  const log = await open();
  const [a, b] = [copyOf(log, "a"), copyOf(log, "b")];
  for (const c of [a, b]) {
    for (let k = 0; k < 30; k++) c.table.put(`k${k}`, LARGE, 0);
    await c.commit(1);
  }
  for (let k = 30; k < 60; k++) b.table.put(`k${k}`, LARGE, 0);
  await b.commit(2);
  const { waiting, append } = held(log);
  const late = b.snapshot();
  for (let turn = 0; turn < 50; turn++) await setImmediate();
  // Some of b's chunks, a's manifest, and then chunks of b that do not know of it.
  const mine = waiting.splice(0);
  for (const w of mine.slice(0, 4)) w.go();
  const hold = log.append.bind(log);
  log.append = append;
  assert.equal(await a.snapshot(), true);
  log.append = hold;
  for (const w of mine.slice(4)) w.go();
  for (let turn = 0; turn < 50; turn++) await setImmediate();
  assert.deepEqual(await newest(log), { epoch: 1, keys: 30 });
  const reads = new Set<number>();
  const get = log.get.bind(log);
  log.get = (at) => (reads.add(at), get(at));
  assert.equal((await findSnapshots(log, LINEAGE).next()).value?.manifest.writer, "a");
  assert.ok(reads.size < 40, `${reads.size} records read`);
  log.get = get;
  // N1: it is noticed; the next one has all blobs.
  log.append = append;
  for (const w of waiting.splice(0)) w.go();
  assert.equal(await late, false);
  assert.equal(await b.snapshot(), true);
  assert.deepEqual(await newest(log), { epoch: 2, keys: 60 });
});

test("a log that is too small for the state is given room, and gives it back when the state is small again", async () => {
  const log = await open(SNAPSHOT_CHUNK_BYTES);
  const a = copyOf(log, "a");
  for (let k = 0; k < 20; k++) a.table.put(`k${k}`, LARGE, 0);
  await a.commit(1);
  assert.equal(await a.snapshot(), true);
  assert.deepEqual(await newest(log), { epoch: 1, keys: 20 });
  const raised = (await log.bounds()).maxBytes;
  assert.ok(raised > 20 * SNAPSHOT_CHUNK_BYTES && raised < 2 * MAILBOX_BYTES_MAX, String(raised));
  await log.setMaxBytes(2 * MAILBOX_BYTES_MAX);
  for (let epoch = 2; epoch <= 4; epoch++) {
    for (let k = 0; k < 20; k++) a.table.delete(`k${k}`);
    a.table.put("one", String(epoch), 0);
    await a.commit(epoch);
    assert.equal(await a.snapshot(), true);
  }
  assert.equal((await log.bounds()).maxBytes, MAILBOX_BYTES_MAX);
});

test("a broker that has no more room says so; one that does not answer is tried again by whoever asked", async () => {
  const log = await open(SNAPSHOT_CHUNK_BYTES);
  const a = copyOf(log, "a");
  for (let k = 0; k < 20; k++) a.table.put(`k${k}`, LARGE, 0);
  await a.commit(1);
  const setMaxBytes = log.setMaxBytes.bind(log);
  log.setMaxBytes = () => Promise.reject(new LogFullError("no"));
  await assert.rejects(
    a.snapshot(),
    (e) => e instanceof ConfigurationError && /more room/.test(e.hint ?? ""),
  );
  log.setMaxBytes = () => Promise.reject(new UnavailableError("away"));
  await assert.rejects(a.snapshot(), UnavailableError);
  // It says that there is room, and has none.
  log.setMaxBytes = async () => {};
  await assert.rejects(a.snapshot(), LogFullError);
  log.setMaxBytes = setMaxBytes;
  assert.equal(await a.snapshot(), true);
  assert.deepEqual(await newest(log), { epoch: 1, keys: 20 });
});

test("one old chunk does not keep a log long for ever", async () => {
  const log = await open();
  const a = copyOf(log, "a");
  a.small.put("never changed", "", 0);
  let most = 0;
  for (let epoch = 1; epoch <= 3 * SNAPSHOT_CHUNKS_DEAD; epoch++) {
    a.table.put("k", String(epoch), 0);
    await a.commit(epoch);
    assert.equal(await a.snapshot(), true);
    const { first, last } = await log.bounds();
    most = Math.max(most, last - first);
  }
  assert.ok(most > SNAPSHOT_CHUNKS_DEAD && most < 1.5 * SNAPSHOT_CHUNKS_DEAD, String(most));
  assert.deepEqual(await newest(log), { epoch: 3 * SNAPSHOT_CHUNKS_DEAD, keys: 2 });
});

test("a failed chunk ends the upload; what was under way may still be stored and harms nothing", async () => {
  const log = await open();
  const a = copyOf(log, "a");
  for (let k = 0; k < 40; k++) a.table.put(`k${k}`, LARGE, 0);
  await a.commit(1);
  const append = log.append.bind(log);
  let n = 0;
  log.append = (payload, o) =>
    ++n === 5 ? Promise.reject(new UnavailableError("away")) : append(payload, o);
  await assert.rejects(a.snapshot(), UnavailableError);
  assert.equal(await newest(log), undefined);
  assert.equal(await a.snapshot(), true);
  assert.deepEqual(await newest(log), { epoch: 1, keys: 40 });
  assert.ok((await log.get(position((await log.bounds()).last)))?.headers?.["mr"] === "manifest");
});

test("reading ahead keeps the order and the bound, and waits for what is under way", async () => {
  const items = [5, 1, 9, 30, 2, 2, 2].map((bytes, i) => ({ bytes, i }));
  let [under, most, running] = [0, 0, 0];
  const read = async ({ bytes, i }: (typeof items)[number]): Promise<number> => {
    under += bytes;
    running++;
    most = Math.max(most, under);
    for (let turn = 0; turn < (i * 7) % 5; turn++) await setImmediate();
    running--;
    return i;
  };
  const got: number[] = [];
  for await (const [item, i] of readAhead(items, 10, read)) {
    got.push(i);
    under -= item.bytes;
  }
  assert.deepEqual(got, [0, 1, 2, 3, 4, 5, 6]);
  assert.equal(most, 30);
  for await (const [, i] of readAhead(items, 100, read)) if (i === 1) break;
  assert.equal(running, 0);
});
