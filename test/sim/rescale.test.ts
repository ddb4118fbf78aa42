/** Rescale (law 13): crashes around each final and each first snapshot, zombies of old actors, 2-3-2, two in a row, a restart with another number. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { ProbePoint } from "../../src/runtime/behaviour.ts";
import { type Bench, benchOf } from "./bench.ts";
import { shape } from "./shapes.ts";

const WINDOWED = shape("two sources, windowed count, append");
const rescale = async (b: Bench, to: number): Promise<void> => {
  const [first] = b.cluster.running;
  await b.sim.drive((await b.cluster.query("q", first)).rescale(to));
};
const topology = async (b: Bench): Promise<readonly number[]> => {
  const { version, partitions } = (await b.host()).follower.latest!.entry.topology;
  return [version, partitions[2]!];
};

test("2-3-2 under way, with state", async () => {
  const b = await benchOf(WINDOWED, { nodes: 2 });
  await b.add("a", "b");
  await b.settle();
  for (const n of [3, 2]) {
    await b.add("a", "b", "c", "d");
    await rescale(b, n);
    await b.settle();
  }
  await b.add("a", "e");
  await b.settle();
  assert.deepEqual(await topology(b), [3, 2]);
  assert.equal(await b.finish(), undefined);
});

test("two rescales in a row: the second waits for the first", async () => {
  for (let seed = 1; seed <= 10; seed++) {
    const b = await benchOf(WINDOWED, { nodes: 2 }, {}, seed);
    await b.add("a", "b", "c");
    await rescale(b, 3);
    await b.sim.run(seed * 5);
    await rescale(b, 1);
    await b.add("a", "b", "d");
    await b.settle();
    assert.equal((await topology(b))[1], 1);
    assert.equal(await b.finish(), undefined, `seed ${seed}`);
  }
});

test("the number of a rescale outlives a restart; a new run may ask for another", async () => {
  const b = await benchOf(WINDOWED, {}, { partitions: 2 });
  await b.add("a", "b");
  await rescale(b, 3);
  await b.settle();
  assert.equal((await topology(b))[1], 3);
  await b.sim.drive(b.cluster.stopAndStart("q"));
  await b.add("a", "c");
  await b.settle();
  assert.equal((await topology(b))[1], 2);
  assert.equal(await b.finish(), undefined);
});

const POINTS: readonly ProbePoint[] = ["begin", "sent", "delivered", "committed", "chunks", "manifest"];

/** One fault at `point` of an actor of `version`, in the middle of a rescale. */
const faulted = async (
  how: "kept" | "lost" | "zombie",
  point: ProbePoint,
  version: number,
  seed: number,
): Promise<string | undefined> => {
  let armed = false;
  let takeover: Promise<void> | undefined;
  const b: Bench = await benchOf(
    WINDOWED,
    {
      nodes: 2,
      settings: { snapshotIntervalMs: 0, maxRestarts: 100 },
      probe: (node, actor, at) => {
        if (!armed || at !== point || actor.topology !== version || actor.stage !== 2) return;
        armed = false;
        if (how === "zombie") {
          b.cluster.abandon(node);
          takeover = b.cluster.restart(node);
          return;
        }
        takeover = b.cluster.kill(node, how).then(() => b.cluster.restart(node));
        throw new Error("a crash");
      },
    },
    {},
    seed,
  );
  await b.add("a", "b", "c", "d");
  await b.settle();
  armed = true;
  await rescale(b, 3);
  await b.add("a", "b", "e");
  for (let i = 0; i < 2; i++) {
    if (takeover !== undefined) await b.sim.drive(takeover);
    await b.settle();
  }
  return b.finish();
};

for (const how of ["kept", "lost", "zombie"] as const)
  test(`a fault around final and first snapshots: ${how === "zombie" ? "a zombie goes on" : `the store ${how}`}`, async () => {
    let seed = 1;
    for (const point of POINTS)
      for (const version of [1, 2])
        assert.equal(
          await faulted(how, point, version, seed++),
          undefined,
          `${point} of topology ${version}`,
        );
  });
