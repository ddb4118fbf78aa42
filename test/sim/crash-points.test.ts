/** Crash points 1-4 of PROTOCOL section 5: at every named point of every kind of actor, with the local store kept, lost, and with a zombie going on. */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { ProbePoint } from "../../src/runtime/behaviour.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import { Simulation } from "../../src/testing/simulation.ts";
import { fencedLog, writtenRows } from "./fenced-log.ts";
import { BEGIN_MS, END_KEY, END_MS, type InputTriple, prepare, problemOf, shape } from "./shapes.ts";

type Crash = "actor" | "store kept" | "store lost" | "zombie";

const CRASHES: readonly Crash[] = ["actor", "store kept", "store lost", "zombie"];
const POINTS: readonly ProbePoint[] = [
  "begin",
  "input",
  "sending",
  "sent",
  "delivered",
  "sinkWritten",
  "sinkCommitted",
  "committed",
  "chunks",
  "manifest",
  "trimmed",
];
const SHAPE_NAMES = ["two sources, windowed count, append", "window of a window, two exchanges"];
const ROUNDS = 4;

const rowsOf = (round: number): readonly InputTriple[] =>
  ["a", "b", "c"].map((k, i) => [k, round * 3 + i, BEGIN_MS + ((round * 17 + i * 5) % 40) * 1_000]);

/** Runs a query of which one actor's node meets its fate at `point` of epoch `epoch`; the rows must be right whatever happened. */
const crashed = async (
  name: string,
  crash: Crash,
  point: ProbePoint,
  stage: number,
  epoch: number,
  seed: number,
): Promise<{ problem: string | undefined; met: boolean }> => {
  const sim = new Simulation(seed);
  let met = false;
  let takeover: Promise<void> | undefined;
  const cluster: TestCluster = new TestCluster({
    store: sim.makeStore,
    partitions: 2,
    settings: { snapshotIntervalMs: 0, maxRestarts: 100 },
    probe: (node, actor, at, e) => {
      if (met || at !== point || actor.stage !== stage || e !== epoch) return;
      met = true;
      if (crash === "zombie") {
        cluster.abandon(node);
        takeover = cluster.restart(node);
        return;
      }
      if (crash !== "actor")
        takeover = cluster
          .kill(node, crash === "store lost" ? "lost" : "kept")
          .then(() => cluster.restart(node));
      throw new Error("a crash");
    },
  });
  const p = prepare(shape(name), {
    sink: { format: "foreachBatch", options: {}, partitionBy: [], handle: fencedLog(() => sim.store) },
  });
  await sim.drive(cluster.start(p.request));
  const settled = async (): Promise<void> => {
    for (;;) {
      const before = takeover;
      if (before !== undefined) await sim.drive(before);
      const [first] = cluster.running;
      if (first !== undefined) await sim.drive((await cluster.query("q", first)).processAllAvailable());
      if (takeover === before) return;
    }
  };
  for (let round = 0; round < ROUNDS; round++) {
    for (const source of p.shape.sources) await sim.drive(p.add(source, rowsOf(round)));
    await settled();
  }
  for (const source of p.shape.sources) await sim.drive(p.add(source, [[END_KEY, 0, END_MS]]));
  await settled();
  const problem = problemOf(p, await sim.drive(writtenRows(sim.store)));
  await sim.drive(cluster.close());
  return { problem, met };
};

for (const crash of CRASHES)
  test(`crash at every point: ${crash}`, async () => {
    let seed = 1;
    let met = 0;
    for (const point of POINTS)
      for (const stage of [0, 1, 2]) {
        const name = SHAPE_NAMES[seed % 2]!;
        const epoch = 1 + (seed % 3);
        const r = await crashed(name, crash, point, stage, epoch, seed++);
        if (r.met) met++;
        assert.equal(r.problem, undefined, `${name}, stage ${stage} at ${point} of epoch ${epoch}`);
      }
    // Points of snapshots and sinks are not met by every stage; the others are.
    assert.ok(met >= 18, `only ${met} crash points were met`);
  });
