/** The order of a commit (law 6), the lease (law 10), and the sink's epochs (law 11). */
import { test } from "node:test";
import assert from "node:assert/strict";
import { EpochSink } from "../../actors/sink.ts";
import type { SinkWriter } from "../../src/connectors/sink.ts";
import { SNAPSHOT_PLAN_BYTES } from "../../src/core/limits.ts";
import { FencedError } from "../../src/core/errors.ts";
import { MemoryStore } from "../../src/log/memory-log.ts";
import type { ActorEnvironment, ActorInput, ActorSink } from "../../src/runtime/behaviour.ts";
import { Committer, type EpochResult } from "../../src/runtime/committer.ts";
import type { Acknowledgement } from "../../src/runtime/entries.ts";
import { NO_METRICS } from "../../src/runtime/metrics.ts";
import { MemoryBackend } from "../../src/state/backend.ts";
import { SnapshotWriter } from "../../src/state/snapshot-writer.ts";
import { StateStore } from "../../src/state/store.ts";
import { settle, VirtualClock } from "../../src/testing/virtual-clock.ts";

interface Bed {
  readonly committer: Committer;
  readonly store: StateStore;
  readonly said: string[];
  readonly acks: Acknowledgement[];
  readonly trims: number[];
  alive: boolean;
  readonly follower: { planBytes: number };
  result(epoch: number, delivered?: Promise<void>): EpochResult;
}

const bed = async (
  commitsFirst = false,
  kind = "stage",
  withSink = true,
  snapshotIntervalMs = 0,
): Promise<Bed> => {
  const follower = { planBytes: 0 };
  const clock = new VirtualClock();
  const lineage = { checkpoint: "c", stage: 1, topology: 1, partition: 0, fingerprint: "f" };
  const backend = new MemoryBackend();
  const store = new StateStore(backend, "p", lineage);
  const table = store.registry("op").keyed<number>("t");
  const log = await new MemoryStore({ clock }).open("a.b.snap");
  const said: string[] = [];
  const acks: Acknowledgement[] = [];
  const trims: number[] = [];
  const write = backend.write.bind(backend);
  backend.write = (changes): Promise<void> => {
    said.push("state");
    return write(changes);
  };
  const sink: ActorSink = {
    commitsFirst,
    open: () => Promise.resolve(),
    commit: (epoch) => Promise.resolve(void said.push(`sink ${epoch}`)),
    close: () => Promise.resolve(),
  };
  const input = { trim: (at: number) => Promise.resolve(void trims.push(at)) } as unknown as ActorInput;
  const env = {
    identity: { stage: 1, partition: 0, topology: 1 },
    stage: { kind },
    queryName: "q",
    clock,
    metrics: NO_METRICS,
    snapshotIntervalMs,
    follower,
    mailboxMaxBytes: 1_000,
    alive: () => it.alive,
    acknowledge: (ack: Acknowledgement) => {
      said.push(`ack ${ack.epoch}`);
      acks.push(ack);
    },
  } as unknown as ActorEnvironment;
  const writer = new SnapshotWriter(log, store, "me");
  const it: Bed = {
    committer: new Committer(env, store, writer, input, withSink ? sink : undefined),
    store,
    said,
    acks,
    trims,
    alive: true,
    follower,
    result(epoch, delivered = Promise.resolve()) {
      table.put(`k${epoch}`, epoch, 0);
      const work = {
        inputRows: 0,
        outputRows: 0,
        lateRows: 0,
        operators: {},
        eventTime: {},
        observed: {},
      };
      return {
        epoch,
        pending: store.drain(epoch, epoch * 10, "m"),
        delivered,
        sinkRows: [],
        maxima: {},
        work,
        inputBytes: 0,
        deadLetters: [],
      } as EpochResult;
    },
  };
  return it;
};

test("nothing is written before the outputs are delivered; then sink, state, acknowledgement", async () => {
  const b = await bed();
  let deliver: () => void = () => {};
  const done = b.committer.enqueue(b.result(1, new Promise((resolve) => (deliver = resolve))));
  await settle();
  assert.deepEqual(b.said, []);
  deliver();
  await done;
  assert.deepEqual(b.said, ["sink 1", "state", "ack 1"]);
});

test("an at-most-once sink writes after the state is committed", async () => {
  const b = await bed(true);
  await b.committer.enqueue(b.result(1));
  assert.deepEqual(b.said, ["state", "sink 1", "ack 1"]);
});

test("a source writes no store: the logs know where it stands; one with a sink does", async () => {
  const plain = await bed(false, "source", false);
  await plain.committer.enqueue(plain.result(1));
  assert.deepEqual(plain.said, ["ack 1"]);
  const fused = await bed(false, "source");
  await fused.committer.enqueue(fused.result(1));
  assert.deepEqual(fused.said, ["sink 1", "state", "ack 1"]);
});

test("once the lease is gone neither sink nor state nor an acknowledgement is written", async () => {
  const b = await bed();
  await b.committer.enqueue(b.result(1));
  b.alive = false;
  b.said.length = 0;
  await assert.rejects(b.committer.enqueue(b.result(2)), FencedError);
  assert.deepEqual(b.said, []);
  assert.equal(b.store.committed?.epoch, 1);
  await assert.rejects(b.committer.finalSnapshot(), FencedError);
});

test("epochs commit in order, and one that failed lets none after it commit", async () => {
  const b = await bed();
  const failed = b.committer.enqueue(b.result(1, Promise.reject(new Error("the broker is gone"))));
  const next = b.committer.enqueue(b.result(2));
  await assert.rejects(failed, /broker is gone/);
  await assert.rejects(next, /broker is gone/);
  assert.deepEqual(b.said, []);
});

test("the mailbox is trimmed by the older of two accepted manifests, never by the commit", async () => {
  const b = await bed();
  for (let epoch = 1; epoch <= 3; epoch++) {
    await b.committer.enqueue(b.result(epoch));
    await b.committer.idle();
  }
  assert.deepEqual(b.trims, [10, 20]);
  assert.deepEqual(
    b.acks.map((a) => a.snapshotEpoch),
    [0, 0, 1],
  );
});

test("a plan log that grows fast makes snapshots, so that it can be trimmed", async () => {
  const b = await bed(false, "stage", true, 1_000_000);
  for (let epoch = 1; epoch <= 4; epoch++) {
    await b.committer.enqueue(b.result(epoch));
    await b.committer.idle();
    b.follower.planBytes += SNAPSHOT_PLAN_BYTES;
  }
  assert.deepEqual(b.trims, [20, 30]);
});

test("the sink refuses an epoch that is not above its last", async () => {
  const epochs: number[] = [];
  const writer: SinkWriter = {
    open: () => Promise.resolve(),
    begin: (epoch) => void epochs.push(epoch),
    write: () => {},
    commit: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  const sink = new EpochSink(writer, false);
  await sink.open(2);
  for (const epoch of [1, 2, 3, 3, 2, 4]) await sink.commit(epoch, []);
  assert.deepEqual(epochs, [3, 4]);
});
