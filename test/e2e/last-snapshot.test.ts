/**
 * A query that has ended, by a stop or with its input (`availableNow`), leaves all of its state in snapshots: wherever it goes on, nothing is computed
 * again.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryStore } from "../../src/log/memory-log.ts";
import type { LogStore } from "../../src/log/log.ts";
import { newestManifest } from "../../src/state/snapshot.ts";
import { FrameCluster } from "../support/frame-cluster.ts";

const ROWS = Array.from({ length: 50 }, (_, i) => ({ k: `k${i % 7}`, v: i, ts: new Date(i) }));

/** Epochs of the newest snapshots of the query's actors. */
const snapshotEpochs = async (store: LogStore): Promise<readonly number[]> => {
  const names = (await store.list("")).filter((n) => n.includes(".snap."));
  const found = await Promise.all(names.map(async (n) => newestManifest(await store.open(n))));
  return found.map((m) => m?.record.epoch ?? 0).filter((e) => e > 0);
};

for (const end of ["stop", "availableNow"] as const)
  test(`after ${end} the snapshots are of the last epoch`, async () => {
    let store: MemoryStore | undefined;
    const f = new FrameCluster({
      partitions: 2,
      store: (clock) => Promise.resolve((store = new MemoryStore({ clock }))),
    });
    try {
      const a = f.source("a");
      const trigger = end === "stop" ? {} : { trigger: { kind: "availableNow" } as const };
      if (end === "availableNow") await a.add(ROWS);
      const query = await f.start("SELECT k, count(*) AS n FROM a GROUP BY k", {
        outputMode: "update",
        ...trigger,
      });
      if (end === "stop") {
        await a.add(ROWS);
        await f.settle();
        assert.deepEqual(await snapshotEpochs(store!), [], "before the interval of snapshots has passed");
        await query.stop();
      } else await query.awaitTermination();
      const epoch = query.lastProgress!.batchId + 1;
      await (await f.cluster.node(0)).runtime.settled();
      // Two partitions of the count, and the sink.
      assert.deepEqual(await snapshotEpochs(store!), [epoch, epoch, epoch]);
    } finally {
      await f.close();
    }
  });
