/**
 * One random walk: a shape of query, nodes, and a seeded sequence of input, faults, kills, zombies, rescales and time; then calm, the rest of the
 * input, and the comparison with the batch result.
 */
import type { ProbePoint } from "../../src/runtime/behaviour.ts";
import type { StartRequest } from "../../src/query/runtime.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import { Simulation, type SimulationFaults } from "../../src/testing/simulation.ts";
import { fencedLog, writtenRows } from "./fenced-log.ts";
import {
  BEGIN_MS,
  END_KEY,
  END_MS,
  type InputTriple,
  prepare,
  type Prepared,
  problemOf,
  SHAPES,
} from "./shapes.ts";

const FAULTS: SimulationFaults = {
  loseAcknowledgement: 0.01,
  lose: 0.01,
  refuse: 0.01,
  hold: 0.01,
  loseMessage: 0.02,
  budget: 8,
};

const SNAPSHOT_MS = 2_000;
const STEPS = 12;
const PARTITIONS = [1, 2, 3];

export interface WalkResult {
  /** Undefined when the rows are right. */
  readonly problem: string | undefined;
  readonly trace: readonly string[];
}

class Walk {
  readonly #sim: Simulation;
  readonly #cluster: TestCluster;
  readonly #prepared: Prepared;
  readonly #nodes: number;
  readonly #fenced: boolean;
  readonly trace: string[] = [];
  #key = 0;
  /** Actor starts left to crash at a probe point. */
  #crashAt: { readonly point: ProbePoint; left: number } | undefined;

  constructor(seed: number) {
    const sim = (this.#sim = new Simulation(seed, FAULTS));
    const shape = SHAPES[sim.below(SHAPES.length)]!;
    this.#nodes = 1 + sim.below(3);
    const partitions = PARTITIONS[sim.below(PARTITIONS.length)]!;
    const limit = sim.below(3);
    this.#cluster = new TestCluster({
      store: sim.makeStore,
      nodes: this.#nodes,
      partitions,
      settings: {
        snapshotIntervalMs: sim.random() < 0.5 ? 0 : SNAPSHOT_MS,
        maxRestarts: 1_000,
        mailboxMaxBytes: sim.random() < 0.3 ? 1_500 : 64 * 1024 * 1024,
      },
      probe: (_, actor, point, epoch) => this.#probe(actor.stage, point, epoch),
    });
    this.#fenced = sim.random() < 0.5;
    this.#prepared = prepare(shape, {
      ...(limit === 0 ? { trigger: { kind: "count", rows: 1 } } : {}),
      ...(this.#fenced ? { sink: this.#logSink() } : {}),
    });
    const sink = this.#fenced ? "a log with a fence" : "memory";
    this.trace.push(`${shape.name} to ${sink}; ${this.#nodes} nodes, ${partitions} partitions`);
  }

  #logSink(): StartRequest["sink"] {
    return {
      format: "foreachBatch",
      options: {},
      partitionBy: [],
      handle: fencedLog(() => this.#sim.store),
    };
  }

  /** Crashes the actor where the walk said. */
  #probe(stage: number, point: ProbePoint, epoch: number): void {
    const at = this.#crashAt;
    if (at === undefined || at.point !== point || --at.left > 0) return;
    this.#crashAt = undefined;
    this.trace.push(`crash of stage ${stage} at ${point} of epoch ${epoch}`);
    throw new Error("a crash of the simulation");
  }

  #rows(): InputTriple[] {
    const n = 1 + this.#sim.below(4);
    return Array.from({ length: n }, () => [
      "abcdef"[this.#sim.below(6)]!,
      this.#key++,
      BEGIN_MS + this.#sim.below(40_000),
    ]);
  }

  async #add(): Promise<void> {
    const { sources } = this.#prepared.shape;
    const source = sources[this.#sim.below(sources.length)]!;
    await this.#sim.drive(this.#prepared.add(source, this.#rows()));
  }

  async #lose(index: number, how: number): Promise<void> {
    const cluster = this.#cluster;
    const names = ["kill", "kill and lose the disk", "abandon", "leave"];
    this.trace.push(`${names[how]} node ${index}`);
    if (how === 2) cluster.abandon(index);
    else if (how === 3) await this.#sim.drive(cluster.leave(index));
    else await this.#sim.drive(cluster.kill(index, how === 1 ? "lost" : "kept"));
    await this.#sim.run(this.#sim.below(30));
    await this.#sim.drive(cluster.restart(index));
  }

  async #rescale(): Promise<void> {
    const [first] = this.#cluster.running;
    if (first === undefined) return;
    const to = 1 + this.#sim.below(3);
    this.trace.push(`rescale to ${to}`);
    const query = await this.#cluster.query("q", first);
    // Its own entry may meet a fault: then the walk goes on without it.
    await this.#sim.drive(query.rescale(to).catch(() => this.trace.push("the rescale entry was lost")));
  }

  async #step(): Promise<void> {
    const sim = this.#sim;
    const choice = sim.below(10);
    if (choice < 4) await this.#add();
    else if (choice < 6) await this.#lose(sim.below(this.#nodes), sim.below(4));
    else if (choice === 6) {
      const points: readonly ProbePoint[] = POINTS;
      this.#crashAt = { point: points[sim.below(points.length)]!, left: 1 + sim.below(4) };
    } else if (choice === 7 && sim.random() < 0.5) await this.#rescale();
    else if (choice === 8) await this.#cluster.advanceTime(sim.below(3_000));
    else await sim.drive(this.#cluster.endZombies());
    await sim.run(sim.below(200));
  }

  async run(): Promise<string | undefined> {
    const sim = this.#sim;
    const cluster = this.#cluster;
    await sim.drive(cluster.start(this.#prepared.request));
    for (let i = 0; i < STEPS; i++) await this.#step();
    sim.calm();
    this.#crashAt = undefined;
    const { sources } = this.#prepared.shape;
    for (const source of sources) await sim.drive(this.#prepared.add(source, [[END_KEY, 0, END_MS]]));
    const [first] = cluster.running;
    await sim.drive((await cluster.query("q", first)).processAllAvailable());
    const written = this.#fenced ? await sim.drive(writtenRows(sim.store)) : undefined;
    const problem = problemOf(this.#prepared, written);

    await sim.drive(cluster.close());
    return problem;
  }
}

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

export const walk = async (seed: number): Promise<WalkResult> => {
  const w = new Walk(seed);
  try {
    return { problem: await w.run(), trace: w.trace };
  } catch (e) {
    return { problem: e instanceof Error ? (e.stack ?? e.message) : String(e), trace: w.trace };
  }
};
