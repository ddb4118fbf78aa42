/** Recovery of one actor alone (law 7): store or snapshot, the gap check, lineage, damage; the finals of a rescale (law 13). */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { Log } from "../../src/log/log.ts";
import { MemoryStore } from "../../src/log/memory-log.ts";
import type { ActorEnvironment } from "../../src/runtime/behaviour.ts";
import type { Topology } from "../../src/runtime/entries.ts";
import { DamagedStoreError, recover, type Mailbox, type RecoveryPoint } from "../../src/runtime/recovery.ts";
import { MemoryBackend } from "../../src/state/backend.ts";
import { SnapshotWriter } from "../../src/state/snapshot-writer.ts";
import { StateStore } from "../../src/state/store.ts";
import type { KeyedTable } from "../../src/state/table.ts";
import { settle, VirtualClock } from "../../src/testing/virtual-clock.ts";

const FIRST: Topology = { version: 1, since: 1, partitions: [1], previous: undefined };
const NEVER = new AbortController().signal;

interface Actor {
  readonly backend: MemoryBackend;
  readonly store: StateStore;
  readonly table: KeyedTable<number>;
  readonly log: Log;
  commit(epoch: number, resume?: number): Promise<void>;
  snapshot(): Promise<boolean>;
}

class World {
  readonly clock = new VirtualClock();
  readonly logs = new MemoryStore({ clock: this.clock });
  committed = 0;

  async actor(partition = 0, topology = 1, backend = new MemoryBackend()): Promise<Actor> {
    const lineage = { checkpoint: "c", stage: 0, topology, partition, fingerprint: "f" };
    const store = new StateStore(backend, `p/${topology}/${partition}`, lineage);
    const table = store.registry("op").keyed<number>("t");
    const log = await this.logs.open(`a.b.snap.0.${topology}.${partition}`);
    const writer = new SnapshotWriter(log, store, `w${topology}/${partition}`);
    return {
      backend,
      store,
      table,
      log,
      async commit(epoch, resume = epoch * 10) {
        table.put(`k${epoch}`, epoch, (epoch * 50) % 256);
        await store.commit(store.drain(epoch, resume, "m"));
      },
      snapshot: async () => writer.upload(await writer.prepare(store.committed!)),
    };
  }

  recover(
    a: Actor,
    mailbox: Mailbox = { created: "m", first: 1, last: 100 },
    topology = FIRST,
    partition = 0,
  ): Promise<RecoveryPoint> {
    const env = {
      stage: { kind: "stage" },
      identity: { stage: 0, partition, topology: topology.version },
      names: { snapshot: (s: number, t: number, p: number) => `a.b.snap.${s}.${t}.${p}` },
      store: this.logs,
      clock: this.clock,
      follower: { committed: this.committed },
    } as unknown as ActorEnvironment;
    return recover(env, a.store, mailbox, topology, NEVER);
  }
}

test("the higher epoch of local store and snapshot", async () => {
  const w = new World();
  const a = await w.actor();
  await a.commit(1);
  await a.commit(2);
  await a.snapshot();
  await a.commit(3);
  assert.deepEqual(await w.recover(await w.actor(0, 1, a.backend)), { epoch: 3, resume: 30 });
  const fresh = await w.actor();
  assert.deepEqual(await w.recover(fresh), { epoch: 2, resume: 20 });
  assert.equal(fresh.table.size, 2);
  const stale = await w.actor();
  await stale.commit(1);
  assert.deepEqual(await w.recover(await w.actor(0, 1, stale.backend)), { epoch: 2, resume: 20 });
});

test("a local store below what the mailbox holds is not used; below the newest snapshot too the query fails", async () => {
  const w = new World();
  const a = await w.actor();
  await a.commit(1);
  await a.snapshot();
  const gap = { created: "m", first: 11, last: 100 };
  await assert.rejects(w.recover(await w.actor(0, 1, a.backend), gap), { decision: "fail" });
});

test("a mailbox of another creation fails the query, with a store or without (law 1)", async () => {
  const w = new World();
  const a = await w.actor();
  await a.commit(1);
  const other = { created: "another", first: 1, last: 0 };
  await assert.rejects(w.recover(await w.actor(0, 1, a.backend), other), { decision: "fail" });
  w.committed = 3;
  await assert.rejects(w.recover(await w.actor(), other), { decision: "fail" });
  w.committed = 0;
  assert.deepEqual(await w.recover(await w.actor(), other), { epoch: 0, resume: 1 });
});

test("a damaged local store is deleted, and the next start takes the snapshot", async () => {
  const w = new World();
  const a = await w.actor();
  await a.commit(1);
  await a.snapshot();
  await a.commit(2);
  for (const key of await a.backend.keys("p/1/0/b/"))
    await a.backend.write([{ put: key, value: new Uint8Array(3) }]);
  await assert.rejects(w.recover(await w.actor(0, 1, a.backend)), DamagedStoreError);
  assert.deepEqual(await w.recover(await w.actor(0, 1, a.backend)), { epoch: 1, resume: 10 });
});

test("a new topology waits for every final at exactly its epoch, and takes its key groups of each", async () => {
  const w = new World();
  const old = [await w.actor(0), await w.actor(1)];
  for (const [p, a] of old.entries()) {
    a.table.put(`low${p}`, p, 3);
    a.table.put(`high${p}`, p, 250);
    await a.commit(4);
    if (p === 1) await a.snapshot();
    await a.commit(5);
  }
  await old[0]!.snapshot();
  const topology: Topology = {
    version: 2,
    since: 6,
    partitions: [3],
    previous: { version: 1, since: 1, partitions: [2] },
  };
  const fresh = await w.actor(2, 2);
  let point: RecoveryPoint | undefined;
  const done = w.recover(fresh, { created: "n", first: 1, last: 0 }, topology, 2).then((p) => (point = p));
  for (let i = 0; i < 20; i++) await w.clock.advance(100);
  assert.equal(point, undefined, "the snapshot of partition 1 is of epoch 4, not the final");
  await old[1]!.snapshot();
  for (let i = 0; i < 5; i++) await w.clock.advance(100);
  await settle(10);
  await done;
  assert.deepEqual(point, { epoch: 5, resume: 1 });
  assert.deepEqual(
    [...fresh.table.scan()].map(([k]) => k),
    ["high0", "high1", "k4", "k5"].filter((k) => k.startsWith("high") || Number(k.slice(1)) * 50 >= 171),
  );
});
