/**
 * Child processes of tests: started, watched, and never left behind.
 *
 *  I1. A child ends with its test (when one is given) and with the test's process, however that ends short of SIGKILL.
 *  I2. Waiting is for what a child prints or for its end, with a deadline that fails loudly and shows what was printed.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";
import type { Hooks } from "./temporary.ts";

/** The checkout's root folder, without a slash at its end. */
export const repository = fileURLToPath(new URL("../../", import.meta.url)).replace(/\/$/, "");

const alive = new Set<ChildProcess>();

function killAll(): void {
  for (const child of alive) child.kill("SIGKILL");
}

process.on("exit", killAll);
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
  // Through exit(), so that temporary folders go too.
  process.once(signal, () => process.exit(128 + constants.signals[signal]));
}

/** How a process ended. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProcessOptions {
  /** Working folder; the repository's root when none is given. */
  readonly cwd?: string;
  /** Added to this process's environment; undefined takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The child is killed after this test. */
  readonly t?: Hooks;
  /** Written to standard input, which is closed after it. */
  readonly input?: string;
}

/** One child process and all that it has printed so far. */
export class Process {
  stdout = "";
  stderr = "";
  readonly pid: number;
  readonly ended: Promise<Ending>;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  readonly #command: string;
  #isOver = false;

  constructor(child: ChildProcess, command: string) {
    this.#child = child;
    this.#command = command;
    this.pid = child.pid ?? -1;
    child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
      this.#look();
    });
    child.stderr?.setEncoding("utf8").on("data", (text: string) => {
      this.stderr += text;
      this.#look();
    });
    this.ended = new Promise((resolve) => {
      const over = (code: number | null, signal: NodeJS.Signals | null): void => {
        alive.delete(child);
        this.#isOver = true;
        resolve({ code, signal, stdout: this.stdout, stderr: this.stderr });
        this.#look();
      };
      child.once("error", (cause) => {
        this.stderr += `${cause.message}\n`;
        over(null, null);
      });
      child.once("close", over);
    });
  }

  /** Whether the process has ended and all that it printed is here. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * The first match of `pattern` in what the process has printed on either stream, now or later.
   * Rejects when it ends without, or after `timeout` ms.
   */
  async waitFor(pattern: RegExp | string, timeout = 90_000): Promise<RegExpExecArray> {
    const wanted = typeof pattern === "string" ? new RegExp(escaped(pattern)) : pattern;
    const find = (): RegExpExecArray | null => wanted.exec(this.stdout) ?? wanted.exec(this.stderr);
    return new Promise((resolve, reject) => {
      const finish = (action: () => void): void => {
        clearTimeout(timer);
        this.#watchers.delete(look);
        action();
      };
      const fail = (why: string): void =>
        finish(() =>
          reject(new Error(`${this.#command}: ${why} before ${String(wanted)}\n${this.#printed()}`)),
        );
      const look = (): void => {
        const match = find();
        if (match !== null) finish(() => resolve(match));
        else if (this.#isOver) fail("ended");
      };
      const timer = setTimeout(() => fail(`${timeout} ms passed`), timeout);
      this.#watchers.add(look);
      look();
    });
  }

  /** Sends a signal, SIGKILL unless told, and waits for the end when the signal is one that ends it. */
  async kill(signal: NodeJS.Signals = "SIGKILL"): Promise<Ending> {
    this.#child.kill(signal);
    return this.ended;
  }

  /** Sends a signal and returns at once. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Stops the process where it stands (SIGSTOP); resolves when none of its threads runs any more. */
  async pause(): Promise<void> {
    this.#child.kill("SIGSTOP");
    while (!this.#isOver && !isStopped(this.pid)) await new Promise((resolve) => setImmediate(resolve));
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  #look(): void {
    for (const watcher of Array.from(this.#watchers)) watcher();
  }

  #printed(): string {
    return `stdout: ${this.stdout.slice(-4000)}\nstderr: ${this.stderr.slice(-4000)}`;
  }
}

/** Whether every thread of a process is stopped; where there is no /proc the signal alone has to do. */
function isStopped(pid: number): boolean {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.every((id) => /\) T/.test(readFileSync(`/proc/${pid}/task/${id}/stat`, "utf8")));
  } catch {
    return true;
  }
}

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");

/** Starts a program. */
export function startProgram(
  program: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Process {
  const env: NodeJS.ProcessEnv = { ...process.env, ...options.env };
  // Set by the test runner for its own children; a grandchild that runs tests itself would misread it.
  delete env["NODE_TEST_CONTEXT"];
  const child = spawn(program, [...args], {
    cwd: options.cwd ?? repository,
    env,
    stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
  });
  alive.add(child);
  child.stdin?.end(options.input);
  const started = new Process(child, [program, ...args].join(" "));
  options.t?.after(async () => {
    if (!started.isOver) await started.kill();
  });
  return started;
}

/** Starts Node on a script (TypeScript through tsx when its name ends in .ts) or with flags of its own. */
export function startNode(args: readonly string[], options: ProcessOptions = {}): Process {
  const needsLoader = args.some((arg) => arg.endsWith(".ts"));
  const loader = needsLoader ? ["--import", import.meta.resolve("tsx")] : [];
  return startProgram(process.execPath, [...loader, ...args], options);
}

/** Runs a program to its end. */
export async function runProgram(
  program: string,
  args: readonly string[],
  options: ProcessOptions = {},
): Promise<Ending> {
  return startProgram(program, args, options).ended;
}

/** Runs Node to its end; see `startNode`. */
export async function runNode(args: readonly string[], options: ProcessOptions = {}): Promise<Ending> {
  return startNode(args, options).ended;
}
