/**
 * Nodes for end-to-end tests: the command line of this checkout in processes of their own, killed, paused and started again by the test.
 *
 *  I1. A node keeps its folder through restarts, unless the test deletes it.
 *  I2. All nodes end with their test.
 */
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type Ending, type Process, repository, runProgram, startProgram } from "./process.ts";
import { type Hooks, temporaryDirectory } from "./temporary.ts";

const command = join(repository, "dist/src/cli/main.js");
export const countsProgram = join(repository, "test/e2e/programs/counts.ts");

export interface NodeOptions {
  readonly t: Hooks;
  readonly nats: string;
  /** The application; the windowed counts when none is given. */
  readonly app?: string;
  readonly leaseMs?: number;
  readonly partitions?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** One node: a process at a time. */
export class QueryNode {
  readonly folder: string;
  readonly #o: NodeOptions;
  #process: Process | undefined;
  /** What ended processes of this node wrote to standard error. */
  #before = "";

  constructor(options: NodeOptions) {
    this.#o = options;
    this.folder = temporaryDirectory(options.t, "millrace-node-");
  }

  get process(): Process {
    if (this.#process === undefined) throw new Error("the node was never started");
    return this.#process;
  }

  get running(): boolean {
    return this.#process !== undefined && !this.#process.isOver;
  }

  /** All that this node has written to standard error. */
  get log(): string {
    return this.#before + (this.#process?.stderr ?? "");
  }

  /** Starts the process; `change` replaces options for this start. */
  start(change: Partial<NodeOptions> = {}): Process {
    const o = { ...this.#o, ...change };
    this.#before = this.log;
    mkdirSync(this.folder, { recursive: true });
    const args = ["run", o.app ?? countsProgram, "--nats", o.nats, "--data", this.folder, "--port", "0"];
    if (o.leaseMs !== undefined) args.push("--lease-ms", String(o.leaseMs));
    if (o.partitions !== undefined) args.push("--partitions", String(o.partitions));
    this.#process = startProgram(process.execPath, [command, ...args], { t: o.t, env: o.env ?? {} });
    return this.#process;
  }

  /** Where its HTTP server listens, once it does. */
  async url(): Promise<string> {
    return (await this.process.waitFor(/"url":"([^"]+)"/)).at(1)!;
  }

  /** Resolves when this node has joined and says it is ready. */
  async ready(): Promise<void> {
    const url = await this.url();
    await eventually("the node is ready", async () => (await fetch(`${url}/readyz`)).ok);
  }

  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<Ending> {
    this.process.resume();
    return this.process.kill(signal);
  }

  /** The node's state is lost. */
  deleteFolder(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** The value of a metric, summed over its labels. */
  async metric(name: string): Promise<number> {
    const text = await (await fetch(`${await this.url()}/metrics`)).text();
    return text
      .split("\n")
      .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(" ") + 1)), 0);
  }
}

/** Runs one command of the command line to its end. */
export const millrace = (...args: readonly string[]): Promise<Ending> =>
  runProgram(process.execPath, [command, ...args]);

/** Looks until the condition holds; rejects after `timeoutMs`, with what `what` says then. */
export const eventually = async (
  what: string | (() => string),
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> => {
  const until = performance.now() + timeoutMs;
  while (!(await condition())) {
    if (performance.now() > until)
      throw new Error(`not within ${timeoutMs} ms: ${typeof what === "string" ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
};
