/**
 * `millrace bench NAME [flags]`, and `make bench`, which runs all of them. Exit codes: 0 done, 1 a result was wrong, 2 usage.
 */
import { pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { ConfigurationError } from "../core/errors.ts";
import type { BenchOptions, Flags } from "./options.ts";

interface Bench {
  readonly summary: string;
  readonly load: () => Promise<{ readonly flags: Flags; readonly run: (o: BenchOptions) => Promise<number> }>;
}

const BENCHES: Readonly<Record<string, Bench>> = {
  nexmark: {
    summary: "the Nexmark queries, timed beside JSON.parse alone, or checked",
    load: async () => {
      const { nexmark, NEXMARK_FLAGS } = await import("./nexmark/command.ts");
      return { flags: NEXMARK_FLAGS, run: nexmark };
    },
  },
  wordcount: {
    summary: "lines of text, split and counted",
    load: async () => {
      const { wordcount, WORDCOUNT_FLAGS } = await import("./wordcount.ts");
      return { flags: WORDCOUNT_FLAGS, run: wordcount };
    },
  },
  ysb: {
    summary: "the Yahoo Streaming Benchmark, catching up",
    load: async () => {
      const { ysb, YSB_FLAGS } = await import("./ysb.ts");
      return { flags: YSB_FLAGS, run: ysb };
    },
  },
  nats: {
    summary: "NATS to NATS beside a bare loop over the same reader, and a bare publisher",
    load: async () => {
      const { nats, NATS_FLAGS } = await import("./nats.ts");
      return { flags: NATS_FLAGS, run: nats };
    },
  },
  start: {
    summary: "start of the command line to the first row",
    load: async () => {
      const { start, START_FLAGS } = await import("./start.ts");
      return { flags: START_FLAGS, run: start };
    },
  },
  latency: {
    summary: "NATS to NATS at a fixed rate: percentiles of the age of results",
    load: async () => {
      const { latency, LATENCY_FLAGS } = await import("./latency.ts");
      return { flags: LATENCY_FLAGS, run: latency };
    },
  },
  state: {
    summary: "many keys, few of them changed: what epochs and commits cost",
    load: async () => {
      const { state, STATE_FLAGS } = await import("./state.ts");
      return { flags: STATE_FLAGS, run: state };
    },
  },
  recovery: {
    summary: "time to go on after a kill, with and without the local store",
    load: async () => {
      const { recovery, RECOVERY_FLAGS } = await import("./recovery.ts");
      return { flags: RECOVERY_FLAGS, run: recovery };
    },
  },
  json: {
    summary: "decoding JSON lines, beside JSON.parse alone",
    load: async () => {
      const { json, JSON_FLAGS } = await import("./json.ts");
      return { flags: JSON_FLAGS, run: json };
    },
  },
  frames: {
    summary: "encode, mailbox, decode",
    load: async () => {
      const { frames, FRAMES_FLAGS } = await import("./frames.ts");
      return { flags: FRAMES_FLAGS, run: frames };
    },
  },
  expressions: {
    summary: "generated loops beside the row interpreter",
    load: async () => {
      const { expressions, EXPRESSIONS_FLAGS } = await import("./expressions.ts");
      return { flags: EXPRESSIONS_FLAGS, run: expressions };
    },
  },
};

/** Flags that stand alone. */
const SWITCHES: ReadonlySet<string> = new Set(["json", "help", "out-of-order", "full", "trace"]);

const usage = (): string =>
  ["usage: millrace bench <name> [flags]", ""]
    .concat(Object.entries(BENCHES).map(([name, b]) => `  ${name.padEnd(12)}${b.summary}`))
    .concat(`  ${"all".padEnd(12)}all of these, small`)
    .concat(["", "millrace bench <name> --help shows its flags."])
    .join("\n");

const flagHelp = (name: string, flags: Flags): string =>
  [`usage: millrace bench ${name} [flags]`, ""]
    .concat(Object.entries({ ...flags, json: "print JSON" }).map(([f, text]) => `  --${f.padEnd(18)}${text}`))
    .join("\n");

const parse = (args: readonly string[], flags: Flags): Record<string, string | boolean | undefined> => {
  const names = [...Object.keys(flags), "json", "help"];
  try {
    return parseArgs({
      args: [...args],
      strict: true,
      options: Object.fromEntries(
        names.map((n) => [n, { type: SWITCHES.has(n) ? ("boolean" as const) : ("string" as const) }]),
      ),
    }).values as Record<string, string | boolean | undefined>;
  } catch (e) {
    throw new ConfigurationError((e as Error).message.split(". To specify")[0]!);
  }
};

const runBench = async (name: string, bench: Bench, args: readonly string[]): Promise<number> => {
  const { flags, run } = await bench.load();
  const found = parse(args, flags);
  const print = (text: string): void => void process.stdout.write(`${text}\n`);
  if (found["help"] === true) {
    print(flagHelp(name, flags));
    return 0;
  }
  const values = Object.fromEntries(Object.entries(found).map(([k, v]) => [k, v === true ? "" : v]));
  return run({
    values: values as Record<string, string | undefined>,
    json: found["json"] === true,
    print,
    progress: (text) => void process.stderr.write(`${text}\n`),
  });
};

/** What `all` runs, in sizes of a minute or two. */
const ALL: readonly (readonly string[])[] = [
  ["nexmark", "--queries", "q0,q1,q2,q5,q7,q8,q11,count", "--events", "400000", "--hash", "on"],
  ["wordcount"],
  ["ysb"],
  ["json"],
  ["frames"],
  ["expressions"],
  ["state"],
  ["recovery"],
  ["nats"],
  ["start"],
  ["latency"],
];

/** Runs one of all: what it throws counts as failed, and the others go on. */
const runOne = async (args: readonly string[]): Promise<number> => {
  try {
    return await benchMain(args);
  } catch (e) {
    process.stderr.write(`millrace bench ${args[0]}: ${e instanceof Error ? e.message : String(e)}\n`);
    return 1;
  }
};

/** All of them, one after the other; the worst exit code. `--history FILE` goes to those that keep one. */
const runAll = async (rest: readonly string[]): Promise<number> => {
  const at = rest.indexOf("--history");
  const history = at < 0 ? [] : rest.slice(at, at + 2);
  const others = rest.filter((_, i) => at < 0 || i < at || i > at + 1);
  let worst = 0;
  for (const [name, ...args] of ALL)
    worst = Math.max(
      worst,
      await runOne([name!, ...args, ...others, ...(name === "nexmark" ? history : [])]),
    );
  return worst;
};

/** Runs a benchmark; gives the exit code. */
export const benchMain = async (args: readonly string[]): Promise<number> => {
  const [name, ...rest] = args;
  if (name === "all") return runAll(rest);
  const bench = name !== undefined && Object.hasOwn(BENCHES, name) ? BENCHES[name] : undefined;
  if (bench === undefined) {
    const asked = name === "--help" || name === "help";
    (asked ? process.stdout : process.stderr).write(`${usage()}\n`);
    return asked ? 0 : 2;
  }
  try {
    return await runBench(name!, bench, rest);
  } catch (e) {
    if (!(e instanceof ConfigurationError)) throw e;
    process.stderr.write(`millrace bench: ${e.message}${e.hint === undefined ? "" : ` (${e.hint})`}\n`);
    return 2;
  }
};

if (process.argv[1] !== undefined && import.meta.url === pathToFileURL(process.argv[1]).href)
  process.exit(await benchMain(process.argv.slice(2)));
