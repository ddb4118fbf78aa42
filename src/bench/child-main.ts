/** What runs in a child of a benchmark (child.ts): the work named on the command line, and nothing imports this. */

import { growYoungGenerationFast } from "../node/young-generation.ts";

/** Everything a child can do, by name: parameters in, outcome out, both plain data. */
const WORK: Readonly<Record<string, () => Promise<(parameters: never) => Promise<unknown>>>> = {
  nexmark: async () => (await import("./nexmark/run.ts")).runNexmark,
  nexmarkKilled: async () => (await import("./nexmark/process-kill.ts")).runUntilKilled,
  parseFloor: async () => (await import("./lines.ts")).parseFloor,
  publish: async () => (await import("./nexmark/broker-work.ts")).publishWork,
  readFloor: async () => (await import("./nexmark/broker-work.ts")).readFloorWork,
  wordcount: async () => (await import("./wordcount.ts")).measureWordCount,
  ysb: async () => (await import("./ysb.ts")).measureYsb,
  state: async () => (await import("./state.ts")).measureState,
  recovery: async () => (await import("./recovery.ts")).measureRecovery,
  failover: async () => (await import("./failover.ts")).runNode,
  json: async () => (await import("./json.ts")).measureJson,
  frames: async () => (await import("./frames.ts")).measureFrames,
  natsFill: async () => (await import("./nats-work.ts")).fillStream,
  natsRun: async () => (await import("./nats-work.ts")).runNats,
  natsReadParse: async () => (await import("./nats-work.ts")).readParseFloor,
  natsParseBytes: async () => (await import("./nats-work.ts")).parseBytesFloor,
  natsPublish: async () => (await import("./nats-work.ts")).publishFloor,
  latency: async () => (await import("./latency.ts")).runCounter,
  latencyReader: async () => (await import("./latency-reader.ts")).readResults,
};

// As the command line does where a query runs.
growYoungGenerationFast();
const [, , name = "", parameters = "null"] = process.argv;
const work = await WORK[name]!();
const outcome = await work(JSON.parse(parameters) as never);
// Whatever the work left open does not count; what is long must be through the pipe.
process.stdout.write(`${JSON.stringify(outcome)}\n`, () => process.exit(0));
