/** PROTOCOL section 5, 2 and 6-11, on whole clusters: snapshots and trims that do not fit each other, C1, C7, C8, two cuts of the same rows, idleness, a lost checkpoint. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { position } from "../../src/core/brands.ts";
import { decodeFrame, decodeHeader, encodeFrame } from "../../src/codec/frame-codec.ts";
import { unpack } from "../../src/codec/msgpack.ts";
import type { LogRecord } from "../../src/log/log.ts";
import { mailboxLog, queryPrefix, snapshotLog } from "../../src/log/names.ts";
import type { Fate } from "../../src/log/memory-wire.ts";
import type { Manifest } from "../../src/state/snapshot.ts";
import { type Bench, benchOf } from "./bench.ts";
import { BEGIN_MS, shape } from "./shapes.ts";

const WINDOWED = shape("two sources, windowed count, append");
const CHAINED = shape("window of a window, two exchanges");
/** Windows over one source only. */
const ONE_SOURCE = {
  ...WINDOWED,
  sources: ["a"],
  pipeline: [["u", "SELECT k, v, ts FROM a"] as const, WINDOWED.pipeline[1]!],
  expected: (): readonly string[] => [],
};
const MAIL = mailboxLog("test", "q", 2, 1, 0);
const SNAPSHOTS = snapshotLog("test", "q", 2, 1, 0);

const recordsOf = async (b: Bench, name: string): Promise<readonly LogRecord[]> => {
  const log = await b.sim.drive(b.sim.store.open(name));
  const { first, last } = await b.sim.drive(log.bounds());
  const out: LogRecord[] = [];
  for (let at = Number(first); at <= last; at++) {
    const record = await b.sim.drive(log.get(position(at)));
    if (record !== undefined) out.push(record);
  }
  return out;
};

const manifestsOf = async (b: Bench): Promise<readonly (readonly [at: number, m: Manifest])[]> =>
  (await recordsOf(b, SNAPSHOTS))
    .filter((r) => r.headers?.["mr"] === "manifest")
    .map((r) => [r.position, unpack(r.payload) as Manifest]);

/** A query with snapshots behind it, then its only node is gone with its disk. */
const snapshotted = async (seed = 1): Promise<Bench> => {
  const b = await benchOf(WINDOWED, { settings: { snapshotIntervalMs: 0 } }, {}, seed);
  for (let i = 0; i < 4; i++) {
    await b.add("a", "b", "c");
    await b.settle();
  }
  await b.sim.drive(b.cluster.kill(0, "lost"));
  return b;
};

test("a mailbox trimmed above the older snapshot: the newer one is used", async () => {
  const b = await snapshotted();
  const manifests = (await manifestsOf(b)).slice(-2);
  const [older, newer] = manifests.map(([, m]) => m.record.resume);
  assert.ok(newer! > older!);
  const log = await b.sim.drive(b.sim.store.open(MAIL));
  await b.sim.drive(log.trim(position(newer!)));
  await b.sim.drive(b.cluster.restart(0));
  await b.add("a", "d");
  await b.settle();
  assert.equal(await b.finish(), undefined);
});

test("a stale snapshot: a pointer older than the trim is not gone on from, the query fails and says so", async () => {
  const b = await benchOf(WINDOWED, { settings: { snapshotIntervalMs: 60_000 } });
  for (let i = 0; i < 6; i++) {
    await b.add("a", "b", "c");
    await b.settle();
    // One snapshot behind the rows, and rows behind the snapshot.
    if (i === 2) await b.sim.drive(b.cluster.advanceTime(60_000));
  }
  await b.sim.drive(b.cluster.kill(0, "lost"));
  const newest = (await manifestsOf(b)).at(-1)![1].record.resume;
  const log = await b.sim.drive(b.sim.store.open(MAIL));
  await b.sim.drive(log.trim(position(newest + 1)));
  await b.add("a");
  await b.sim.drive(b.cluster.restart(0));
  await assert.rejects(b.settle(), /no state that its mailbox can continue/);
  await b.sim.drive(b.cluster.close());
});

test("a copy that goes on snapshotting and trimming while its successor recovers harms nobody", async () => {
  for (let seed = 1; seed <= 12; seed++) {
    const b = await benchOf(WINDOWED, { settings: { snapshotIntervalMs: 0, maxRestarts: 100 } }, {}, seed);
    await b.add("a", "b", "c");
    await b.settle();
    // The old node goes on, snapshots and trims, while the new one reads what to begin with.
    b.cluster.abandon(0);
    const back = b.cluster.restart(0);
    for (let i = 0; i < 4; i++) {
      await b.add("a", "b", "c");
      await b.sim.run(seed * 9);
    }
    await b.sim.drive(back);
    await b.settle();
    assert.equal(await b.finish(), undefined, `seed ${seed}`);
  }
});

test("two actors lost at different snapshot epochs recover each by itself", async () => {
  const b = await benchOf(WINDOWED, { nodes: 2, settings: { snapshotIntervalMs: 0 } });
  await b.add("a", "b", "c", "d");
  await b.settle();
  // Partition 1 gets no manifest through any more.
  const behind = snapshotLog("test", "q", 2, 1, 1);
  b.sim.store.faults = { onAppend: (log): Fate => (log === behind ? "hold" : "store") };
  for (let i = 0; i < 3; i++) {
    await b.add("a", "b", "c", "d");
    const [first] = b.cluster.running;
    const done = (await b.cluster.query("q", first)).processAllAvailable();
    let over = false;
    void done.finally(() => (over = true));
    while (!over) await b.sim.run(50);
  }
  const epochs = [0, 1].map((p) => recordsOf(b, snapshotLog("test", "q", 2, 1, p)));
  const newest = (await Promise.all(epochs)).map(
    (rs) =>
      (unpack(rs.filter((r) => r.headers?.["mr"] === "manifest").at(-1)!.payload) as Manifest).record.epoch,
  );
  assert.ok(newest[0]! > newest[1]!, `snapshots of epochs ${newest.join(" and ")}`);
  b.sim.store.faults = {};
  for (const node of [0, 1]) await b.sim.drive(b.cluster.kill(node, "lost"));
  b.sim.store.release(false);
  for (const node of [0, 1]) await b.sim.drive(b.cluster.restart(node));
  await b.add("a", "e");
  await b.settle();
  assert.equal(await b.finish(), undefined);
});

test("C1 an epoch in which a source has no rows: its `last` is read again after a crash", async () => {
  for (let seed = 1; seed <= 20; seed++) {
    let left = 2;
    const b: Bench = await benchOf(
      WINDOWED,
      {
        settings: { snapshotIntervalMs: 0, maxRestarts: 100 },
        probe: (_, actor, point, epoch) => {
          if (actor.stage !== 2 || point !== "committed" || epoch !== 1 + (seed % 3) || left-- <= 0) return;
          throw new Error("a crash right after the commit");
        },
      },
      {},
      seed,
    );
    for (let i = 0; i < 4; i++)
      await b.sim.drive(b.query.add(i % 2 === 0 ? "a" : "b", [["k", i, BEGIN_MS + i * 1_000]]));
    await b.settle();
    assert.equal(await b.finish(), undefined, `seed ${seed}`);
  }
});

test("C7 a source that moves keeps the watermark: rows that were late stay late, windows stay closed", async () => {
  for (const disk of ["kept", "lost"] as const) {
    const b = await benchOf(ONE_SOURCE);
    const row = (k: string, ts: number): Promise<void> => b.sim.drive(b.query.add("a", [[k, 1, ts]]));
    await row("early", BEGIN_MS);
    await row("far", BEGIN_MS + 500_000);
    await b.settle();
    const before = (await b.host()).follower.latest!.entry.watermark;
    assert.equal(before, BEGIN_MS + 500_000 - 60_000);
    await b.sim.drive(b.cluster.kill(0, disk));
    await b.sim.drive(b.cluster.restart(0));
    await row("late", BEGIN_MS + 1_000);
    await b.settle();
    const after = (await b.host()).follower.latest!.entry.watermark;
    assert.equal(after, before, `${disk}: the watermark moved`);
    const seen = b.query.sink.rows().map((r) => String(r[1]));
    assert.deepEqual(seen, ["early"], disk);
    await b.sim.drive(b.cluster.close());
  }
});

test("C8 windows behind windows lose nothing while the watermark moves in every epoch", async () => {
  for (const partitions of [1, 3]) {
    const b = await benchOf(CHAINED, { partitions, nodes: 2 });
    for (let i = 0; i < 12; i++) {
      // More than the delay each time: every epoch closes what the one before opened.
      await b.sim.drive(
        b.query.add(
          "a",
          ["x", "y"].map((k) => [k, i, BEGIN_MS + i * 65_000 + i * 700] as const),
        ),
      );
      if (i % 3 !== 0) await b.settle();
      if (i === 7) await b.sim.drive(b.cluster.kill(1, "lost"));
    }
    await b.settle();
    assert.ok(b.query.sink.rows().length >= 8, "windows close on the way, not only at the end");
    assert.equal(await b.finish(), undefined, `${partitions} partitions`);
  }
});

test("two copies with other frame boundaries, alternating, give the rows of one", async () => {
  const plain = await benchOf(WINDOWED, { settings: { snapshotIntervalMs: 1e9 } });
  await plain.add("a", "b", "c", "d", "e", "f");
  await plain.settle();
  const { plan } = (await plain.host()).definition;
  const mails = [0, 1].map((p) => mailboxLog("test", "q", 2, 1, p));
  const frames = await Promise.all(mails.map((name) => recordsOf(plain, name)));
  assert.ok(frames.flat().length > 2);
  await plain.sim.drive(plain.cluster.close());

  for (const ahead of [1, 2, 3]) {
    const b = await benchOf(WINDOWED, { settings: { snapshotIntervalMs: 1e9 } });
    const append = async (name: string, bytes: Uint8Array): Promise<void> => {
      const log = await b.sim.drive(b.sim.store.open(name));
      await b.sim.drive(log.append(bytes));
    };
    /** Epoch 1 of the other copy, in frames of one row: its first `n` rows, or all from the second half on. */
    const other = async (from: number, n: number): Promise<void> => {
      for (const [i, name] of mails.entries())
        for (const record of frames[i]!) {
          const { edge, epoch } = decodeHeader(record.payload);
          if (epoch !== 1) continue;
          const e = plan.stages.flatMap((s) => s.outputs).find((o) => o.id === edge)!;
          const { header, batch } = decodeFrame(record.payload, e.schema);
          for (let at = from; at < Math.min(header.rows, from + n); at++)
            await append(
              name,
              encodeFrame({ ...header, firstRow: header.firstRow + at, rows: 1, last: false }, batch, {
                from: at,
                to: at + 1,
              }),
            );
        }
    };
    await other(0, ahead);
    await b.add("a", "b", "c", "d", "e", "f");
    await b.sim.run(ahead * 20);
    await other(0, 100);
    await b.settle();
    await other(ahead, 100);
    await b.add("a", "g");
    await b.settle();
    assert.equal(await b.finish(), undefined, `${ahead} rows ahead`);
  }
});

test("all idle: without input and without open windows no epoch is planned, however long", async () => {
  const b = await benchOf(WINDOWED, { nodes: 2 });
  await b.add("a");
  await b.settle();
  const host = await b.host();
  const before = host.follower.latest!.entry.epoch;
  for (let i = 0; i < 10; i++) {
    await b.cluster.advanceTime(60_000);
    await b.sim.run(200);
  }
  assert.equal(host.follower.latest!.entry.epoch, before);
  await b.add("b");
  await b.settle();
  assert.equal(await b.finish(), undefined);
});

test("a deleted checkpoint: the local store of the old one does not count", async () => {
  const b = await benchOf(ONE_SOURCE, { settings: { snapshotIntervalMs: 0 } });
  const row = (k: string, ts: number): Promise<void> => b.sim.drive(b.query.add("a", [[k, 1, ts]]));
  await row("a", BEGIN_MS);
  await row("a", BEGIN_MS + 1_000);
  await b.settle();
  await b.sim.drive(b.cluster.kill(0, "kept"));
  for (const name of await b.sim.drive(b.sim.store.list(queryPrefix("test", "q"))))
    if (!name.includes(".input.")) await b.sim.drive(b.sim.store.remove(name));
  b.query.sink.clear();
  await b.sim.drive(b.cluster.restart(0));
  await row("end", BEGIN_MS + 1_000_000);
  await b.settle();
  // Two rows of the window, not four: it begins from nothing and reads all input again.
  assert.deepEqual(
    b.query.sink.rows().map((r) => r.map(String)),
    [[String(BEGIN_MS), "a", "2", "2"]],
  );
  await b.sim.drive(b.cluster.close());
});
