/** The leader's ranges (law 9): an epoch that another leader planned in between must not be planned over. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { Coordinator } from "../../actors/coordinator.ts";
import type { CoordinatorEnvironment } from "../../actors/coordinator-environment.ts";
import { LogConflictError } from "../../src/core/errors.ts";
import { position } from "../../src/core/brands.ts";
import type { SourceEnumerator } from "../../src/connectors/source.ts";
import { MemoryStore } from "../../src/log/memory-log.ts";
import { decodePlanRecord, encodeEntry, type EpochEntry } from "../../src/runtime/entries.ts";
import { QueryFollower } from "../../src/runtime/follower.ts";
import { NO_METRICS } from "../../src/runtime/metrics.ts";
import { nextEntry } from "../../src/runtime/next-epoch.ts";
import { settle, VirtualClock } from "../../src/testing/virtual-clock.ts";

const TOPOLOGY = { version: 1, since: 1, partitions: [1], previous: undefined };

const entryOf = (last: EpochEntry | undefined, previous: number, from: number): EpochEntry =>
  nextEntry({
    last,
    previous,
    ranges: { s0: [{ split: "0", from, to: from + 1, rows: 1 }] },
    unread: {},
    maxima: {},
    watermark: 0,
    nowMs: 0,
    token: 1,
    topology: TOPOLOGY,
    fingerprint: "f",
    runId: "r",
    queryId: "q",
    sources: ["s0"],
  });

test("a leader whose sources stand before another leader's epoch plans nothing and begins again", async () => {
  const clock = new VirtualClock();
  const store = new MemoryStore({ clock });
  const [planLog, commitLog] = [await store.open("a.b.plan"), await store.open("a.b.commit")];
  const first = entryOf(undefined, 0, 1);
  const at = await planLog.append(encodeEntry(first));
  const follower = new QueryFollower(planLog, commitLog);
  await follower.start();
  let opened: () => void = () => {};
  let next = 0;
  const source: SourceEnumerator = {
    open: (state) => {
      next = state?.["0"] as number;
      return new Promise((resolve) => (opened = resolve));
    },
    plan: () => Promise.resolve([{ split: "0", from: next, to: ++next, rows: 1 }]),
    backlog: () => Promise.resolve(1),
    close: () => Promise.resolve(),
  };
  const plan = {
    stages: [{ id: 0, kind: "source", root: { edge: "source" }, source: { id: "s0" }, outputs: [] }],
    watermarks: [],
    fingerprint: "f",
    fingerprintLines: [],
  };
  const env = {
    queryName: "q",
    queryId: "q",
    runId: "r",
    plan,
    names: { acks: "acks", hints: "hints" },
    store,
    planLog,
    commitLog,
    follower,
    sources: new Map([["s0", source]]),
    clock,
    metrics: NO_METRICS,
    token: 2,
    alive: () => true,
    trigger: { kind: "default" },
    limits: new Map(),
    partitions: () => [1],
    partitionsWanted: undefined,
    newRun: false,
    splitWatermark: "limited",
    maximaAfterStop: "keep",
    timeZone: "UTC",
    stallMs: 60_000,
  } as unknown as CoordinatorEnvironment;
  const running = new Coordinator(env).run(AbortSignal.timeout(5_000), new AbortController().signal);
  const conflict = assert.rejects(running, LogConflictError);
  await settle();
  // The zombie leader's epoch takes the same rows, while this leader opens its sources behind epoch 1.
  await planLog.append(encodeEntry(entryOf(first, at, 2)));
  await settle();
  opened();
  await conflict;
  const taken: unknown[] = [];
  const { last } = await planLog.bounds();
  for (let p = 1; p <= last; p++) {
    const record = decodePlanRecord((await planLog.get(position(p)))!.payload);
    if (record.kind === "epoch") taken.push(record.ranges["s0"]![0]!.from);
  }
  assert.deepEqual(taken, [1, 2]);
  follower.close();
});
