/** A cluster under a seeded scheduler with one prepared query: what the tests of single interleavings share. */
import { TestCluster, type TestClusterOptions } from "../../src/testing/cluster.ts";
import { NO_FAULTS, Simulation, type SimulationFaults } from "../../src/testing/simulation.ts";
import type { StartRequest } from "../../src/query/runtime.ts";
import type { QueryHost } from "../../src/query/query-host.ts";
import {
  BEGIN_MS,
  END_KEY,
  END_MS,
  type InputTriple,
  prepare,
  type Prepared,
  problemOf,
  type Shape,
} from "./shapes.ts";

export interface Bench {
  readonly sim: Simulation;
  readonly cluster: TestCluster;
  readonly query: Prepared;
  add(...keys: readonly string[]): Promise<void>;
  settle(): Promise<void>;
  host(): Promise<QueryHost>;
  /** Closes all windows and says what is wrong with the rows; undefined when nothing is. */
  finish(): Promise<string | undefined>;
}

export const benchOf = async (
  shape: Shape,
  options: TestClusterOptions = {},
  request: Partial<StartRequest> = {},
  seed = 1,
  faults: SimulationFaults = NO_FAULTS,
): Promise<Bench> => {
  const sim = new Simulation(seed, faults);
  const cluster = new TestCluster({ store: sim.makeStore, partitions: 2, ...options });
  const query = prepare(shape, request);
  let n = 0;
  const settle = async (): Promise<void> => {
    const [first] = cluster.running;
    await sim.drive((await cluster.query("q", first)).processAllAvailable());
  };
  await sim.drive(cluster.start(query.request));
  return {
    sim,
    cluster,
    query,
    settle,
    async add(...keys) {
      for (const source of shape.sources) {
        const rows = keys.map((k): InputTriple => [k, n, BEGIN_MS + (n++ % 40) * 1_000]);
        await sim.drive(query.add(source, rows));
      }
    },
    async host() {
      const [first] = cluster.running;
      return (await cluster.node(first)).runtime.hosts.get("q")!;
    },
    async finish() {
      for (const source of shape.sources) await sim.drive(query.add(source, [[END_KEY, 0, END_MS]]));
      await settle();
      const problem = problemOf(query);
      await sim.drive(cluster.close());
      return problem;
    },
  };
};
