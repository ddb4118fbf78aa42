/**
 * `make bench-peers`: peers and Millrace, alternately, on the same events; prints a table with the ratios and writes every result as JSON.
 *
 * A peer that cannot be set up, and a run that fails, is named with its reason and left out; the others go on (rounds.ts says in which order). When `--minutes`
 * are over no further run starts: medians are of what was measured, the table says of how many, and `--resume` measures the rest.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { NEXMARK_QUERY_NAMES, nexmarkQuery } from "../../../src/bench/nexmark/queries.ts";
import { comparison, pairOf, type PeerResult, summary } from "./comparison.ts";
import { ALL, COMMON, ENGINES, missing, PEERS_DEFAULT } from "./engines.ts";
import { type Measurements, type Next, runRounds } from "./rounds.ts";

const here = dirname(fileURLToPath(import.meta.url));
/** Of the data of data.mjs. */
const DELAY_US = 100;
const OUT_DEFAULT = join(here, ".work", "results.json");

const USAGE = `usage: make bench-peers [ARGS="--queries q0,q5 …"]

  --peers LIST     of ${Object.keys(ENGINES).join(", ")}
                   (default ${PEERS_DEFAULT})
  --queries LIST   of ${ALL.join(", ")}; or all
                   (default ${COMMON.join(",")})
  --events N       (default 2000000)
  --warm-events N  of the warm-up run that Spark and Flink have; 0: none (default 400000)
  --rounds N       runs of each; the median is given (default 3)
  --minutes N      start no further run after that (default: no limit)
  --resume         keep what the file of results has, and measure what it misses
  --run-seconds N  end a single run after that (default 300)
  --out FILE       results as JSON (default ops/bench/peers/.work/results.json)
  --print-queries  only print our text of every query as JSON (spark/check.py reads it)
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
  readonly warmEvents: number;
  readonly rounds: number;
  readonly minutes: number;
  readonly resume: boolean;
  readonly runSeconds: number;
  readonly out: string;
}

const settingsOf = (): Settings => {
  const { values } = parseArgs({
    options: {
      peers: { type: "string", default: PEERS_DEFAULT },
      queries: { type: "string", default: COMMON.join(",") },
      events: { type: "string", default: "2000000" },
      "warm-events": { type: "string", default: "400000" },
      rounds: { type: "string", default: "3" },
      minutes: { type: "string", default: "1e9" },
      resume: { type: "boolean", default: false },
      "run-seconds": { type: "string", default: "300" },
      out: { type: "string", default: OUT_DEFAULT },
    },
  });
  const number = (name: "events" | "warm-events" | "rounds" | "minutes" | "run-seconds"): number => {
    const n = Number(values[name]);
    if (!(n > 0 || (n === 0 && name === "warm-events")))
      throw new TypeError(`--${name} ${values[name]}: a positive number`);
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
    queries: values.queries === "all" ? ALL : names(values.queries, [...ALL, "parse"]),
    events: number("events"),
    warmEvents: number("warm-events"),
    rounds: number("rounds"),
    minutes: number("minutes"),
    resume: values.resume,
    runSeconds: number("run-seconds"),
    out: values.out,
  };
};

const measureOne = async (peer: string, query: string, s: Settings): Promise<PeerResult | string> => {
  const { script = peer, args = [], env = {} } = ENGINES[peer]!;
  const command = ["bash", "run.sh", script, query, String(s.events), ...args];
  const done = await run(command, { WARM_EVENTS: String(s.warmEvents), ...env }, s.runSeconds);
  if (done.code !== 0) return reasonOf(done);
  return { ...(JSON.parse(done.out) as PeerResult), peer };
};

const machineOf = (): string =>
  `${cpus().length} x ${cpus()[0]?.model.trim() ?? "?"}, ${Math.round(totalmem() / 2 ** 30)} GiB`;

type Report = Measurements & { readonly started: string; readonly settings: Settings };

/** What was measured before, with `--resume`. Throws where it was measured with other events. */
const earlier = (s: Settings): Measurements & Pick<Report, "started"> => {
  const started = new Date().toISOString();
  if (!s.resume || !existsSync(s.out)) return { results: [], failures: {}, started };
  const report = JSON.parse(readFileSync(s.out, "utf8")) as Report;
  for (const name of ["events", "warmEvents"] as const)
    if (report.settings[name] !== s[name])
      throw new TypeError(`${s.out} has ${name} ${report.settings[name]}, not ${s[name]}`);
  return report;
};

/** Results are written after each run, so that nothing is lost when it is stopped. */
const measureAll = async (s: Settings, peers: readonly string[]): Promise<Measurements> => {
  const { results, failures, started } = earlier(s);
  const end = performance.now() + s.minutes * 60_000;
  mkdirSync(dirname(s.out), { recursive: true });
  const measure = async ({ peer, query, round }: Next): Promise<void> => {
    const load = loadavg()[0]!.toFixed(1);
    const got = await measureOne(peer, query, s);
    if (typeof got === "string") failures[pairOf(peer, query)] = got;
    else results.push(got);
    const said = typeof got === "string" ? `failed: ${got}` : `${got.eventsPerSecond} events/s`;
    console.error(`round ${round} ${pairOf(peer, query)}: ${said} (load before ${load})`);
    const report = { started, machine: machineOf(), settings: s, failures, results };
    writeFileSync(s.out, `${JSON.stringify(report, null, 1)}\n`);
  };
  const isOver = (): boolean => performance.now() > end;
  const left = await runRounds({ ...s, peers }, { results, failures }, measure, isOver);
  if (left > 0) console.log(`${left} runs were not started in ${s.minutes} minutes: go on with --resume`);
  return { results, failures };
};

const main = async (): Promise<void> => {
  const settings = settingsOf();
  const peers = await available(settings.peers);
  const { results, failures } = await measureAll(settings, peers);
  console.log(`\n${machineOf()}, ${settings.events} events, results in ${settings.out}\n`);
  console.log(`${comparison(results, failures)}\n`);
  for (const line of [...missing(peers, settings.queries), ...summary(results)]) console.log(line);
};

/** Those that are SQL alone. */
const ourQueries = (): object =>
  Object.fromEntries(
    NEXMARK_QUERY_NAMES.flatMap((name) => {
      const { sql, mode, above } = nexmarkQuery(name, DELAY_US);
      return above === undefined ? [[name, { sql, mode }]] : [];
    }),
  );

if (process.argv.includes("--help")) console.log(USAGE);
else if (process.argv.includes("--print-queries")) console.log(JSON.stringify(ourQueries()));
else await main();
