/** A recovery beside another copy of the actor that still uploads (law 7: "choose again"): a move while the old actor takes its last snapshots. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { Log } from "../../src/log/log.ts";
import { MemoryStore } from "../../src/log/memory-log.ts";
import type { ActorEnvironment } from "../../src/runtime/behaviour.ts";
import { recover, type RecoveryPoint } from "../../src/runtime/recovery.ts";
import { MemoryBackend } from "../../src/state/backend.ts";
import { SnapshotWriter } from "../../src/state/snapshot-writer.ts";
import { StateStore } from "../../src/state/store.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";

const NAME = "a.b.snap.0.1.0";
const LINEAGE = { checkpoint: "c", stage: 0, topology: 1, partition: 0, fingerprint: "f" };
const NEVER = new AbortController().signal;

const storeOf = (name: string) => {
  const store = new StateStore(new MemoryBackend(), name, LINEAGE);
  return { store, table: store.registry("op").keyed<string>("t") };
};

/** The old copy: every call commits an epoch and uploads it. */
const uploader = (log: Log): (() => Promise<void>) => {
  const { store, table } = storeOf("old");
  const writer = new SnapshotWriter(log, store, "old");
  let epoch = 0;
  return async () => {
    epoch++;
    // So long that the table is folded in every other epoch: two snapshots share nothing.
    table.put("k", String(epoch).repeat(300_000), 0);
    await store.commit(store.drain(epoch, epoch * 10, "m"));
    assert.equal(await writer.upload(await writer.prepare(store.committed!)), true);
  };
};

for (const uploads of [1, 2, 3])
  test(`snapshots that are trimmed while they are read, by ${String(uploads)} newer ones, are no reason to fail the query`, async () => {
    const clock = new VirtualClock();
    const logs = new MemoryStore({ clock });
    const log = await logs.open(NAME);
    const upload = uploader(log);
    await upload();
    await upload();
    const get = log.get.bind(log);
    let raced = false;
    log.get = async (at) => {
      const record = await get(at);
      if (raced || record?.headers?.["mr"] !== "chunk") return record;
      raced = true;
      for (let i = 0; i < uploads; i++) await upload();
      return get(at);
    };
    const start = (): Promise<RecoveryPoint> => {
      const env = {
        stage: { kind: "stage" },
        identity: { stage: 0, partition: 0, topology: 1 },
        names: { snapshot: () => NAME },
        store: { open: () => Promise.resolve(log) },
        clock,
        follower: { committed: 0 },
      } as unknown as ActorEnvironment;
      const topology = { version: 1, since: 1, partitions: [1], previous: undefined };
      return recover(env, storeOf("new").store, { created: "m", first: 1, last: 100 }, topology, NEVER);
    };
    const point = await start().catch((e: { decision: string }) => e);
    assert.ok(raced);
    if ("decision" in point) assert.equal(point.decision, "restart");
    else assert.ok(point.epoch >= 1);
    assert.deepEqual(await start(), { epoch: 2 + uploads, resume: (2 + uploads) * 10 });
  });
