/** Interleavings of PROTOCOL section 5, 6-11, on whole clusters. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { batchFromRows } from "../../src/core/batch.ts";
import { epoch, partitionIndex, position } from "../../src/core/brands.ts";
import { NondeterministicReplayError } from "../../src/core/errors.ts";
import { decodePlanRecord, encodeEntry, type EpochEntry } from "../../src/runtime/entries.ts";
import { nextEntry } from "../../src/runtime/next-epoch.ts";
import { mailboxLog } from "../../src/log/names.ts";
import { decodeHeader, encodeFrame, openFrame } from "../../src/codec/frame-codec.ts";
import { benchOf } from "./bench.ts";
import { shape } from "./shapes.ts";

const WINDOWED = shape("two sources, windowed count, append");
const CHAINED = shape("window of a window, two exchanges");
const MAIL = mailboxLog("test", "q", 2, 1, 0);

test("C3 C4 a mailbox full of later epochs and of frames sent again is raised for the oldest unfinished epoch", async () => {
  let crashes = 6;
  const b = await benchOf(WINDOWED, {
    nodes: 2,
    settings: { mailboxMaxBytes: 400, snapshotIntervalMs: 1e9, maxRestarts: 100 },
    probe: (_, actor, point) => {
      if (actor.stage !== 0 || point !== "sent" || crashes-- <= 0) return;
      throw new Error("a crash: what was sent is sent again");
    },
  });
  for (let i = 0; i < 6; i++) await b.add("a", "b", "c");
  await b.settle();
  assert.equal(await b.finish(), undefined);
});

test("a re-send from three epochs back, by a zombie with the mailbox as it was, changes nothing", async () => {
  const b = await benchOf(WINDOWED, { settings: { snapshotIntervalMs: 1e9 } });
  for (let i = 0; i < 4; i++) {
    await b.add("a", "b", "c");
    await b.settle();
  }
  const log = await b.sim.drive(b.sim.store.open(MAIL));
  const { last } = await b.sim.drive(log.bounds());
  for (let at = 1; at <= last; at++) {
    const record = await b.sim.drive(log.get(position(at)));
    if (decodeHeader(record!.payload).epoch < 4) await b.sim.drive(log.append(record!.payload));
  }
  await b.add("a", "d");
  await b.settle();
  assert.equal(await b.finish(), undefined);
});

test("C9 two leaders: a zombie leader's epochs and its successor's never overlap", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    const b = await benchOf(WINDOWED, { nodes: 2 }, {}, seed);
    await b.add("a", "b");
    b.cluster.abandon(0);
    await b.add("a", "c");
    await b.sim.run(seed * 7);
    await b.add("b");
    await b.sim.drive(b.cluster.restart(0));
    await b.add("d");
    await b.settle();
    assert.equal(await b.finish(), undefined, `seed ${seed}`);
  }
});

test("a zombie leader's late entry with another predecessor is skipped by everybody", async () => {
  const b = await benchOf(WINDOWED);
  await b.add("a");
  await b.settle();
  const plan = await b.sim.drive(b.sim.store.open("test.q.plan"));
  const { last } = await b.sim.drive(plan.bounds());
  const newest = decodePlanRecord((await b.sim.drive(plan.get(last)))!.payload) as EpochEntry;
  const forged = nextEntry({
    ...newest,
    last: newest,
    previous: Number(last) - 1,
    ranges: { s0: [{ split: "0", from: 1, to: 2, rows: 1 }] },
    nowMs: 0,
    sources: Object.keys(newest.ends),
  });
  await b.sim.drive(plan.append(encodeEntry(forged)));
  await b.add("b", "c");
  await b.settle();
  assert.equal(await b.finish(), undefined);
});

test("one empty epoch closes windows through two exchanges", async () => {
  const b = await benchOf(CHAINED);
  await b.add("a", "b");
  await b.settle();
  const host = await b.host();
  const before = host.follower.latest!.entry.epoch;
  const { query } = b;
  await b.sim.drive(query.add("a", [["end", 0, 100_000_000]]));
  await b.settle();
  const entries = [1, 2, 3].map((i) => host.follower.known(before + i));
  assert.deepEqual(
    entries.map((e) => e?.empty),
    [false, true, undefined],
  );
  assert.ok(query.sink.rowsByEpoch().some(([e, rows]) => e === before + 2 && rows.length > 0));
  assert.equal(await b.finish(), undefined);
});

test("a function that gives another number of rows at the replay ends the query with NondeterministicReplayError", async () => {
  // The mailboxes hold nine rows of the epoch, as if sent before; the actor computes another number.
  const b = await benchOf(WINDOWED);
  const edge = (await b.host()).definition.plan.stages[0]!.outputs[0]!;
  const values = edge.schema.fields.map(() => null);
  const header = {
    edge: edge.id,
    topology: 1,
    partition: partitionIndex(0),
    epoch: epoch(1),
    firstRow: 0,
    rows: 9,
    last: true,
  };
  for (const p of [0, 1]) {
    const log = await b.sim.drive(b.sim.store.open(mailboxLog("test", "q", edge.to, 1, p)));
    const batch = batchFromRows(
      edge.schema,
      Array.from({ length: 9 }, () => values),
    );
    await b.sim.drive(log.append(encodeFrame(header, batch, { from: 0, to: 9 })));
  }
  await b.add("a", "b");
  await assert.rejects(b.settle(), NondeterministicReplayError);
  await b.sim.drive(b.cluster.close());
});

test("C6 with the digest: as many rows as before but others, in one of two mailboxes, end the query", async () => {
  const settings = { replayDigest: true };
  const honest = await benchOf(CHAINED, { settings });
  await honest.add("a", "b", "c", "d", "e");
  await honest.settle();
  const host = await honest.host();
  const schemas = new Map(
    host.definition.plan.stages.flatMap((s) => s.outputs.map((e) => [e.id, e.schema] as const)),
  );
  const log = await honest.sim.drive(honest.sim.store.open(mailboxLog("test", "q", 1, 1, 0)));
  const { last } = await honest.sim.drive(log.bounds());
  const sent = await Promise.all(
    Array.from({ length: last }, (_, i) => honest.sim.drive(log.get(position(i + 1)))),
  );
  assert.equal(await honest.finish(), undefined);
  for (const [shift, fails] of [
    [0, false],
    [1, true],
  ] as const) {
    const b = await benchOf(CHAINED, { settings });
    const mail = await b.sim.drive(b.sim.store.open(mailboxLog("test", "q", 1, 1, 0)));
    // One reader has got the epoch before the crash; what its successor sends goes to the other one.
    for (const record of sent) {
      const { header } = openFrame(record!.payload);
      const batch = openFrame(record!.payload).batch(schemas.get(header.edge)!);
      const digest = header.digest === undefined ? {} : { digest: (header.digest + shift) >>> 0 };
      await b.sim.drive(mail.append(encodeFrame({ ...header, ...digest }, batch)));
    }
    await b.add("a", "b", "c", "d", "e");
    if (fails) await assert.rejects(b.settle(), NondeterministicReplayError);
    else await b.settle();
    await b.sim.drive(b.cluster.close());
  }
});

test("a mailbox that was deleted and created again fails the query: acknowledged rows are lost", async () => {
  for (const disk of ["kept", "lost"] as const) {
    const b = await benchOf(WINDOWED, { settings: { snapshotIntervalMs: 1e9 } });
    await b.add("a", "b", "c", "d");
    await b.settle();
    await b.sim.drive(b.cluster.kill(0, disk));
    await b.sim.drive(b.sim.store.remove(MAIL));
    await b.sim.drive(b.cluster.restart(0));
    await b.add("a");
    await assert.rejects(b.settle(), /mailbox/, disk);
    await b.sim.drive(b.cluster.close());
  }
});

test("a plan that changed is refused with the difference", async () => {
  const b = await benchOf(WINDOWED);
  await b.add("a");
  await b.settle();
  await b.sim.drive(b.cluster.kill(0));
  const { runtime } = await b.sim.drive(b.cluster.node(0));
  const other = { ...b.query.request, relation: b.query.request.catalog.table(["u"])!.relation };
  await assert.rejects(b.sim.drive(runtime.start(other)), /another plan.*\n {2}[-+]/s);
  await b.sim.drive(b.cluster.close());
});

test("stop and start again: a new run, no row twice", async () => {
  const b = await benchOf(WINDOWED, { nodes: 2 });
  await b.add("a", "b");
  await b.sim.drive(b.cluster.stopAndStart("q"));
  await b.add("b", "c");
  await b.settle();
  assert.equal(await b.finish(), undefined);
});

test("rows are the same with 1 and 3 partitions, 1 and 3 nodes, epochs of one row and of all", async () => {
  for (const partitions of [1, 3])
    for (const nodes of [1, 3])
      for (const rows of [1, undefined]) {
        const trigger = rows === undefined ? {} : { trigger: { kind: "count", rows } as const };
        const b = await benchOf(CHAINED, { partitions, nodes }, trigger);
        for (let i = 0; i < 3; i++) await b.add("a", "b", "c");
        assert.equal(await b.finish(), undefined, `${partitions} partitions, ${nodes} nodes, ${rows} rows`);
      }
});
