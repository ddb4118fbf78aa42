/**
 * `make bench-peers`: peers and Millrace, alternately, on the same events; prints a table with the ratios and writes every result as JSON.
 *
 * P1 Rounds are the outer loop and engines the inner one: what changes on the machine meets all of them. P2 A peer that cannot be set up, and a run that fails, is
 * named with its reason and left out; the others go on. P3 When `--minutes` are over no further run starts: medians are of what was measured, and the table says of how many.
 */
import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { comparison, type PeerResult } from "./comparison.ts";

const here = dirname(fileURLToPath(import.meta.url));

interface Engine {
  /** Name for setup.sh. */
  readonly setup: string;
  /** Queries it can run at full size in reasonable time. */
  readonly queries: readonly string[];
  readonly args?: readonly string[];
  readonly script?: string;
  readonly env?: Readonly<Record<string, string>>;
}

const ALL = ["q0", "q1", "q2", "count", "q5", "q7", "q8", "q11"];
const STATELESS = ["q0", "q1", "q2", "count"];

const ENGINES: Readonly<Record<string, Engine>> = {
  millrace: { setup: "millrace", queries: ALL },
  "millrace-2": { setup: "millrace", queries: ALL, script: "millrace", args: ["--workers", "2"] },
  flink: { setup: "flink", queries: ALL },
  "flink-rocksdb": {
    setup: "flink",
    queries: ["q5"],
    env: { FLINK_CONF: "execution.checkpointing.interval=1 s" },
  },
  // q7 as a join keeps every bid in state: it does not end at this size.
  spark: { setup: "spark", queries: ALL.filter((q) => q !== "q7") },
  "bytewax-2": { setup: "bytewax", queries: STATELESS },
  bytewax: { setup: "bytewax", queries: STATELESS },
  "kafka-streams": { setup: "kafka", queries: ["count"] },
  jsonparse: { setup: "", queries: ["parse"] },
};

const PEERS_DEFAULT = "millrace,millrace-2,flink,flink-rocksdb,spark,bytewax-2";

const USAGE = `usage: make bench-peers [ARGS="--queries q0,q5 …"]

  --peers LIST     of ${Object.keys(ENGINES).join(", ")}
                   (default ${PEERS_DEFAULT})
  --queries LIST   of ${ALL.join(", ")} (default all)
  --events N       (default 2000000)
  --rounds N       runs of each; the median is given (default 3)
  --minutes N      start no further run after that (default: no limit)
  --run-seconds N  end a single run after that (default 300)
  --out FILE       results as JSON (default ops/bench/peers/.work/results.json)
`;

interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly error: string;
}

/** In a process group of its own, so that what a script started ends with it. */
const run = (command: readonly string[], env: NodeJS.ProcessEnv, seconds: number): Promise<Finished> =>
  new Promise((resolve) => {
    const [program, ...args] = command;
    const options = { cwd: here, env: { ...process.env, ...env }, detached: true } as const;
    const child = spawn(program!, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
    let [out, error] = ["", ""];
    child.stdout.on("data", (chunk: Buffer) => void (out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => void (error += chunk.toString()));
    const timer = setTimeout(() => {
      error += `ended after ${seconds} s`;
      process.kill(-child.pid!, "SIGTERM");
      setTimeout(() => child.exitCode === null && process.kill(-child.pid!, "SIGKILL"), 2_000).unref();
    }, seconds * 1000);
    child.once("close", (code) => {
      clearTimeout(timer);
      resolve({ code, out, error });
    });
  });

const reasonOf = ({ error, code }: Finished): string =>
  error.trim().split("\n").slice(-2).join(" ").slice(-200) || `exit code ${code}`;

const SETUP_SECONDS = 600;

/** The peers that are there, set up where they were not. */
const available = async (peers: readonly string[]): Promise<readonly string[]> => {
  const failed = new Map<string, string>();
  for (const setup of new Set(peers.map((p) => ENGINES[p]!.setup).filter((s) => s !== ""))) {
    const done = await run(["bash", "setup.sh", setup], {}, SETUP_SECONDS);
    if (done.code !== 0) failed.set(setup, reasonOf(done));
  }
  return peers.filter((p) => {
    const reason = failed.get(ENGINES[p]!.setup);
    if (reason !== undefined) console.log(`skipped ${p}: ${reason}`);
    return reason === undefined;
  });
};

interface Settings {
  readonly peers: readonly string[];
  readonly queries: readonly string[];
  readonly events: number;
  readonly rounds: number;
  readonly minutes: number;
  readonly runSeconds: number;
  readonly out: string;
}

const settingsOf = (): Settings => {
  const { values } = parseArgs({
    options: {
      peers: { type: "string", default: PEERS_DEFAULT },
      queries: { type: "string", default: ALL.join(",") },
      events: { type: "string", default: "2000000" },
      rounds: { type: "string", default: "3" },
      minutes: { type: "string", default: "1e9" },
      "run-seconds": { type: "string", default: "300" },
      out: { type: "string", default: join(here, ".work", "results.json") },
    },
  });
  const number = (name: "events" | "rounds" | "minutes" | "run-seconds"): number => {
    const n = Number(values[name]);
    if (!(n > 0)) throw new TypeError(`--${name} ${values[name]}: a positive number`);
    return n;
  };
  const names = (text: string, known: readonly string[]): readonly string[] => {
    const list = text.split(",").filter((s) => s !== "");
    const unknown = list.find((name) => !known.includes(name));
    if (unknown !== undefined) throw new TypeError(`${unknown}: one of ${known.join(", ")}`);
    return list;
  };
  return {
    peers: names(values.peers, Object.keys(ENGINES)),
    queries: names(values.queries, [...ALL, "parse"]),
    events: number("events"),
    rounds: number("rounds"),
    minutes: number("minutes"),
    runSeconds: number("run-seconds"),
    out: values.out,
  };
};

const measureOne = async (peer: string, query: string, s: Settings): Promise<PeerResult | string> => {
  const { script = peer, args = [], env = {} } = ENGINES[peer]!;
  const command = ["bash", "run.sh", script, query, String(s.events), ...args];
  const done = await run(command, env, s.runSeconds);
  if (done.code !== 0) return reasonOf(done);
  return { ...(JSON.parse(done.out) as PeerResult), peer };
};

const machineOf = (): string =>
  `${cpus().length} x ${cpus()[0]?.model.trim() ?? "?"}, ${Math.round(totalmem() / 2 ** 30)} GiB`;

/** Results of all rounds; written after each run, so that nothing is lost when it is stopped. */
const measureAll = async (s: Settings, peers: readonly string[]): Promise<readonly PeerResult[]> => {
  const results: PeerResult[] = [];
  const failures: Record<string, string> = {};
  const end = performance.now() + s.minutes * 60_000;
  const started = new Date().toISOString();
  mkdirSync(dirname(s.out), { recursive: true });
  for (let round = 1; round <= s.rounds; round++)
    for (const query of s.queries)
      for (const peer of peers) {
        const pair = `${peer} ${query}`;
        if (!ENGINES[peer]!.queries.includes(query) || failures[pair] !== undefined) continue;
        if (performance.now() > end) continue;
        const load = loadavg()[0]!.toFixed(1);
        const got = await measureOne(peer, query, s);
        if (typeof got === "string") failures[pair] = got;
        else results.push(got);
        const said = typeof got === "string" ? `failed: ${got}` : `${got.eventsPerSecond} events/s`;
        console.error(`round ${round} ${pair}: ${said} (load before ${load})`);
        const report = { started, machine: machineOf(), settings: s, failures, results };
        writeFileSync(s.out, `${JSON.stringify(report, null, 1)}\n`);
      }
  for (const [pair, reason] of Object.entries(failures)) console.log(`failed: ${pair}: ${reason}`);
  return results;
};

const main = async (): Promise<void> => {
  const settings = settingsOf();
  const peers = await available(settings.peers);
  const results = await measureAll(settings, peers);
  console.log(`\n${machineOf()}, ${settings.events} events, results in ${settings.out}\n`);
  console.log(comparison(results));
};

if (process.argv.includes("--help")) console.log(USAGE);
else await main();
