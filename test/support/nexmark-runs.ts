/** Small runs of Nexmark queries in tests. */
import type { NexmarkRun } from "../../src/bench/nexmark/run.ts";

/** From files into a hash of the result, on one partition, without a disk. */
export const PLAIN_RUN = {
  partitions: 1,
  source: "file",
  filesPerEpoch: 1,
  rowsPerMessage: 1,
  durable: false,
  sink: "hash",
} as const satisfies Partial<NexmarkRun>;
