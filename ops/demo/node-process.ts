/** A node of the demo: the command line of this checkout in a child process, killed as hard as a machine dies. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

const cli = fileURLToPath(new URL("../../dist/src/cli/main.js", import.meta.url));

export class NodeProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<void>;
  #log = "";

  constructor(args: readonly string[]) {
    this.child = spawn(process.execPath, [cli, ...args], { stdio: ["ignore", "inherit", "pipe"] });
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => (this.#log += text));
    this.ended = new Promise((resolve) => this.child.once("close", () => resolve()));
  }

  get pid(): number {
    return this.child.pid ?? 0;
  }

  get isOver(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  /** What it has written to standard error. */
  get log(): string {
    return this.#log;
  }

  get url(): string | undefined {
    return /"url":"([^"]+)"/.exec(this.#log)?.[1];
  }

  async end(signal: NodeJS.Signals): Promise<void> {
    if (!this.isOver) this.child.kill(signal);
    await this.ended;
  }
}

/** Waits for a condition, looking every few milliseconds; throws what `node` said when it ends first, or when it takes too long. */
export const waitFor = async (
  what: string,
  nodes: readonly NodeProcess[],
  condition: () => boolean | Promise<boolean>,
  timeoutMs = 60_000,
): Promise<void> => {
  const until = performance.now() + timeoutMs;
  while (!(await condition())) {
    const over = nodes.find((n) => n.isOver);
    if (over !== undefined) throw new Error(`a node ended before ${what}:\n${over.log}`);
    if (performance.now() > until)
      throw new Error(`${what} took too long:\n${nodes.map((n) => n.log).join("\n")}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
};
