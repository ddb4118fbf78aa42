/** The follower of plan and commit log: W1-W3 (laws 2 and 9), C9, trimming. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { LogGapError } from "../../src/core/errors.ts";
import type { Log } from "../../src/log/log.ts";
import { type MemoryLog, MemoryStore } from "../../src/log/memory-log.ts";
import {
  type CommitEntry,
  encodeEntry,
  type EpochEntry,
  type PlanRecord,
} from "../../src/runtime/entries.ts";
import { QueryFollower } from "../../src/runtime/follower.ts";
import { nextEntry, nextTopology } from "../../src/runtime/next-epoch.ts";
import { settle, VirtualClock } from "../../src/testing/virtual-clock.ts";

const entry = (last: EpochEntry | undefined, previous: number, token: number, nowMs = 0): EpochEntry =>
  nextEntry({
    last,
    previous,
    ranges: {},
    unread: {},
    maxima: {},
    watermark: 0,
    nowMs,
    token,
    topology: nextTopology(last, [1], 100),
    fingerprint: "f",
    runId: "r",
    queryId: "q",
    sources: [],
  });

const commitOf = (epoch: number, snapshotEpoch = 0): CommitEntry => ({
  epoch,
  token: 1,
  maxima: {},
  snapshotEpoch,
  progress: {
    startMs: 0,
    endMs: 0,
    inputRows: {},
    outputRows: 0,
    lateRows: 0,
    operators: {},
    eventTime: {},
    observed: {},
  },
});

const logs = async (): Promise<{ plan: Log; commit: Log; follower: QueryFollower }> => {
  const store = new MemoryStore({ clock: new VirtualClock() });
  const [plan, commit] = [await store.open("a.b.plan"), await store.open("a.b.commit")];
  return { plan, commit, follower: new QueryFollower(plan, commit) };
};

const add = (log: Log, record: PlanRecord | CommitEntry): Promise<number> => log.append(encodeEntry(record));

test("W1 C9: an entry that does not follow the last valid one is skipped", async () => {
  const { plan, follower } = await logs();
  // Leader B's epoch 1 is stored first; A's epoch 1 was refused, its pipelined epoch 2 is stored and names another predecessor.
  const b1 = entry(undefined, 0, 2);
  const at = await add(plan, b1);
  const a1 = { ...entry(undefined, 0, 2), clockMs: 7 };
  await add(plan, entry(a1, 77, 2));
  const b2 = await add(plan, entry(b1, at, 2));
  // Late twins: a second epoch 2, and an epoch 3 behind another one.
  await add(plan, { ...entry(b1, at, 2), clockMs: 9 });
  await add(plan, entry(entry(b1, at, 2), b2 + 1, 2));
  await follower.start();
  assert.equal(follower.latest?.entry.epoch, 2);
  assert.equal(follower.latest?.entry.previous, at);
  assert.equal(follower.latest?.position, 3);
});

test("W3 entries of a lower leader token are skipped once a higher one was read", async () => {
  const { plan, follower } = await logs();
  const first = entry(undefined, 0, 5);
  const at = await add(plan, first);
  await add(plan, entry(first, at, 4));
  await follower.start();
  assert.equal(follower.latest?.entry.epoch, 1);
  assert.equal(follower.token, 5);
  await add(plan, entry(first, at, 6));
  await follower.catchUp();
  assert.equal(follower.latest?.entry.token, 6);
});

test("W2 `committed` never goes back; a repeated epoch changes nothing", async () => {
  const { commit, follower } = await logs();
  for (const e of [1, 2, 1, 2, 3]) await add(commit, commitOf(e));
  await follower.start();
  assert.equal(follower.committed, 3);
});

test("the clock of an entry is never below the one before (a new leader's clock is behind)", () => {
  const first = entry(undefined, 0, 1, 1_000);
  assert.equal(entry(first, 1, 2, 400).clockMs, 1_000);
  assert.equal(entry(first, 1, 2, 1_400).clockMs, 1_400);
});

test("a stop ends the query only when every planned epoch is committed", async () => {
  const { plan, commit, follower } = await logs();
  await add(plan, entry(undefined, 0, 1));
  await add(plan, { kind: "stop", token: 1 });
  await follower.start();
  assert.equal(follower.finished, false);
  await add(commit, commitOf(1));
  await follower.catchUp();
  assert.equal(follower.finished, true);
});

test("entries that a recovery from the older snapshot needs are kept, older ones forgotten", async () => {
  const { plan, commit, follower } = await logs();
  let last: EpochEntry | undefined;
  for (let e = 1; e <= 6; e++) {
    last = entry(last, e - 1, 1);
    await add(plan, last);
  }
  for (let e = 1; e <= 5; e++) await add(commit, commitOf(e, e === 5 ? 3 : 0));
  await follower.start();
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6].filter((e) => follower.known(e) !== undefined),
    [3, 4, 5, 6],
  );
});

test("waiting for an entry ends when it is planned, and when aborted", async () => {
  const { plan, follower } = await logs();
  await follower.start();
  const abort = new AbortController();
  const waited = follower.entry(1, abort.signal);
  const never = follower.entry(2, abort.signal);
  await add(plan, entry(undefined, 0, 1));
  assert.equal((await waited)?.epoch, 1);
  await settle();
  abort.abort();
  assert.equal(await never, undefined);
});

test("law 13: a new topology keeps the old one, and waits until the old one has begun", () => {
  const first = entry(undefined, 0, 1);
  const wider = nextTopology(first, [3], 1);
  assert.deepEqual(wider, {
    version: 2,
    since: 2,
    partitions: [3],
    previous: { version: 1, since: 1, partitions: [1], previous: undefined },
  });
  const second: EpochEntry = { ...first, epoch: 2, topology: wider };
  assert.equal(nextTopology(second, [2], 1), wider);
  assert.equal(nextTopology(second, [2], 2).version, 3);
  assert.equal(nextTopology(second, [2], 2).previous?.previous?.version, 1);
});

test("W4 a follower that stood still while both logs were trimmed goes on from what they hold", async () => {
  const { plan, commit, follower } = await logs();
  let last: EpochEntry | undefined;
  // At once, so that the follower sees nothing in between.
  const planned = (to: number): void => {
    for (let e = (last?.epoch ?? 0) + 1; e <= to; e++) {
      last = entry(last, e - 1, 1);
      (plan as MemoryLog).storeNow(encodeEntry(last), undefined);
      (commit as MemoryLog).storeNow(encodeEntry(commitOf(e, e - 1)), undefined);
    }
  };
  planned(3);
  await follower.start();
  const abort = new AbortController();
  const refused = assert.rejects(follower.entry(4, abort.signal), LogGapError);
  planned(9);
  for (const log of [plan, commit]) (log as MemoryLog).content.trim(8);
  await follower.catchUp();
  assert.equal(follower.latest?.entry.epoch, 9);
  assert.equal(follower.committed, 9);
  await refused;
  assert.equal((await follower.entry(9, abort.signal))?.epoch, 9);
  planned(10);
  await follower.catchUp();
  assert.equal(follower.latest?.entry.epoch, 10);
  assert.equal(follower.error, undefined);
});

test("W4 what the leader of this node wrote is known though its log is trimmed before the reader has it", async () => {
  const { plan, commit, follower } = await logs();
  await follower.start();
  const seen: number[] = [];
  follower.onChange(() => void seen.push(follower.planPosition, follower.commitPosition));
  let last: EpochEntry | undefined;
  // At once, so that the reader sees nothing of it before it is trimmed.
  for (let e = 1; e <= 9; e++) {
    last = entry(last, e - 1, 1);
    for (const [log, record] of [
      [plan, last],
      [commit, commitOf(e, 0)],
    ] as const) {
      const bytes = encodeEntry(record);
      (log as MemoryLog).storeNow(bytes, undefined);
      if (log === plan) follower.offerPlan(e, bytes);
      else follower.offerCommit(e, bytes);
    }
  }
  for (const log of [plan, commit]) (log as MemoryLog).content.trim(5);
  await settle();
  assert.deepEqual([follower.planPosition, follower.commitPosition], [9, 9]);
  assert.ok(
    seen.every((at, i) => i < 2 || at >= seen[i - 2]!),
    `positions went back: ${seen.join(" ")}`,
  );
  const abort = new AbortController();
  await add(plan, entry(last, 9, 1));
  await follower.catchUp();
  assert.equal((await follower.entry(10, abort.signal))?.epoch, 10);
  assert.equal((await follower.entry(3, abort.signal))?.epoch, 3);
});
