#!/usr/bin/env node
/**
 * The command line: `millrace <command>`. Exit codes: 0 done, 1 a query failed, 2 usage (3: a node lost its place and could not join again). The
 * table names every command; its file is loaded when it is called, so that usage costs nothing.
 */
import { parseArguments, flagLines } from "./arguments.ts";
import type { Command } from "./command.ts";
import { exitCodeOf, report } from "./failure.ts";

interface Entry {
  readonly name: string;
  readonly summary: string;
  readonly load: () => Promise<Command>;
}

const COMMANDS: readonly Entry[] = [
  { name: "run", summary: "run an application", load: async () => (await import("./run.ts")).run },
  { name: "sql", summary: "run a SQL text or file", load: async () => (await import("./sql.ts")).sql },
  { name: "ls", summary: "list queries", load: async () => (await import("./ls.ts")).ls },
  { name: "status", summary: "show a query", load: async () => (await import("./status.ts")).status },
  { name: "stop", summary: "stop a query on all nodes", load: async () => (await import("./stop.ts")).stop },
  {
    name: "explain",
    summary: "show the plans of an application or a query",
    load: async () => (await import("./explain.ts")).explain,
  },
  {
    name: "logs",
    summary: "show what the epochs of a query did",
    load: async () => (await import("./logs.ts")).logs,
  },
  {
    name: "dlq",
    summary: "list, show, replay or clear dead letters",
    load: async () => (await import("./dlq.ts")).dlq,
  },
  { name: "state", summary: "show the state of a key", load: async () => (await import("./state.ts")).state },
  {
    name: "rescale",
    summary: "change the partitions of a query",
    load: async () => (await import("./rescale.ts")).rescale,
  },
];

const overview = (): string =>
  [
    "usage: millrace <command> [flags]",
    "",
    ...COMMANDS.map((c) => `  ${c.name.padEnd(9)}${c.summary}`),
    `  ${"bench".padEnd(9)}run a benchmark`,
    "",
    "millrace <command> --help shows its flags. Exit codes: 0 done, 1 a query failed, 2 usage.",
    "",
  ].join("\n");

const suggestion = async (name: string): Promise<string> => {
  const { nearest } = await import("../expr/suggestion.ts");
  const near = nearest(
    name,
    COMMANDS.map((c) => c.name),
  )[0]!;
  return `millrace: unknown command ${JSON.stringify(name)}; did you mean ${near}?\n`;
};

const isHelp = (arg: string | undefined): boolean => arg === "--help" || arg === "-h" || arg === "help";

const main = async (args: readonly string[]): Promise<number | undefined> => {
  const [name, ...rest] = args;
  if (isHelp(name)) {
    process.stdout.write(overview());
    return 0;
  }
  if (name === "--version") {
    const { version } = await import("./version.ts");
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  if (name === undefined) {
    process.stderr.write(overview());
    return 2;
  }
  // It reads its own flags: each benchmark has its own.
  if (name === "bench") return (await import("../bench/main.ts")).benchMain(rest);
  const entry = COMMANDS.find((c) => c.name === name);
  if (entry === undefined) {
    process.stderr.write((await suggestion(name)) + overview());
    return 2;
  }
  const command = await entry.load();
  const usage = `usage: millrace ${command.usage}\n\n${flagLines(command.flags)}\n`;
  const end = rest.indexOf("--");
  if ((end < 0 ? rest : rest.slice(0, end)).some((a) => a === "--help" || a === "-h")) {
    process.stdout.write(usage);
    return 0;
  }
  const parsed = parseArguments(rest, command.flags);
  const [least, most] = command.arity;
  if (parsed.positional.length < least || parsed.positional.length > most) {
    process.stderr.write(usage);
    return 2;
  }
  return command.run(parsed);
};

// The reader of a pipe is gone (`millrace ls | head`): nothing is left to say.
process.stdout.on("error", (e: NodeJS.ErrnoException) => {
  if (e.code !== "EPIPE") throw e;
  process.exit(process.exitCode ?? 0);
});

try {
  const code = await main(process.argv.slice(2));
  if (code !== undefined) process.exitCode = code;
} catch (e) {
  report(e);
  process.exitCode = exitCodeOf(e);
}
