/**
 * Crash points 1-4 of PROTOCOL section 5 at the appends themselves: at the n-th append of a log of each kind (a frame, a chunk, a manifest, a plan entry, a
 * commit entry, a row of the sink), the append meets a fate, and the node that made it dies with its store kept or lost, becomes a zombie, or lives on.
 */
import { test } from "node:test";
import assert from "node:assert/strict";
import type { Fate } from "../../src/log/memory-wire.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import { Simulation } from "../../src/testing/simulation.ts";
import { fencedLog, writtenRows } from "./fenced-log.ts";
import { BEGIN_MS, END_KEY, END_MS, type InputTriple, prepare, problemOf, shape } from "./shapes.ts";

type Crash = "none" | "kept" | "lost" | "zombie";
const CRASHES: readonly Crash[] = ["none", "kept", "lost", "zombie"];
/** `storeLoseAck`: stored but not acknowledged. `hold`: it arrives when the successor is at work. */
const FATES: readonly Fate[] = ["store", "storeLoseAck", "refuse", "lose", "hold"];
const ROUNDS = 3;

interface Kind {
  readonly name: string;
  readonly is: (log: string, headers: Record<string, string> | undefined) => boolean;
  /** The first append, one in the middle of an epoch, and a late one. */
  readonly at: readonly number[];
}

const KINDS: readonly Kind[] = [
  { name: "frame", is: (log) => log.includes(".mail."), at: [1, 2, 14] },
  { name: "plan entry", is: (log) => log.endsWith(".plan"), at: [1, 4] },
  { name: "commit entry", is: (log) => log.endsWith(".commit"), at: [1, 2] },
  { name: "chunk", is: (log, h) => log.includes(".snap.") && h?.["mr"] === "chunk", at: [1, 5] },
  { name: "manifest", is: (log, h) => log.includes(".snap.") && h?.["mr"] === "manifest", at: [1, 5] },
  { name: "row of the sink", is: (log) => log === "test.out.rows", at: [1, 2] },
];

const NAMES = ["two sources, windowed count, append", "window of a window, two exchanges"];

const rowsOf = (round: number): readonly InputTriple[] =>
  ["a", "b", "c"].map((k, i) => [k, round * 3 + i, BEGIN_MS + ((round * 17 + i * 5) % 40) * 1_000]);

const met = new Map<string, number>();

const run = async (
  kind: Kind,
  at: number,
  fate: Fate,
  crash: Crash,
  seed: number,
): Promise<string | undefined> => {
  const sim = new Simulation(seed);
  let takeover: Promise<void> | undefined;
  let appends = 0;
  const onAppend = (log: string, _: unknown, headers: Record<string, string> | undefined): Fate => {
    if (!kind.is(log, headers) || ++appends !== at) return "store";
    met.set(kind.name, (met.get(kind.name) ?? 0) + 1);
    if (crash === "zombie") {
      cluster.abandon(0);
      takeover = cluster.restart(0);
    } else if (crash !== "none") takeover = cluster.kill(0, crash).then(() => cluster.restart(0));
    return fate;
  };
  const cluster: TestCluster = new TestCluster({
    store: async (clock) => Object.assign(await sim.makeStore(clock), { faults: { onAppend } }),
    partitions: 2,
    settings: { snapshotIntervalMs: 0, maxRestarts: 100 },
  });
  const p = prepare(shape(NAMES[seed % 2]!), {
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
  // What was held arrives now, when everything is done: it must change nothing.
  sim.store.release(true);
  await sim.run(50);
  await settled();
  const problem = problemOf(p, await sim.drive(writtenRows(sim.store)));
  await sim.drive(cluster.close());
  return problem;
};

for (const crash of CRASHES)
  test(`an append meets its fate; its node: ${crash}`, async () => {
    let seed = 1;
    met.clear();
    for (const kind of KINDS)
      for (const at of kind.at)
        for (const fate of FATES) {
          if (crash === "none" && fate === "store") continue;
          const what = `append ${at} of a ${kind.name}: ${fate}`;
          const problem = await run(kind, at, fate, crash, seed++).catch((e: unknown) => {
            throw new Error(`${what}: ${String(e)}`, { cause: e });
          });
          assert.equal(problem, undefined, what);
        }
    for (const { name, at } of KINDS) assert.ok((met.get(name) ?? 0) >= at.length, `${name}: not met`);
  });
