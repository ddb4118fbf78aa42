/**
 * `--workers N`: N node processes under one parent. Without NATS the parent holds the data directory and serves its embedded log to them. A worker
 * that dies is started again; until it is back the others have its actors.
 *
 * Invariants.
 *  K1 workers are children in the parent's process group, and end when the parent does, however it ends.
 *  K2 the first signal is passed on, a second one kills; after the first nobody is started again.
 *  K3 a worker that ended by itself (0 done, 1 a query failed, 2 wrong usage) is not started again, and nobody is once one has.
 */
import { type ChildProcess, fork } from "node:child_process";
import { resolve } from "node:path";
import { sleep } from "../core/clock.ts";
import { UnavailableError } from "../core/errors.ts";
import { RESTART_WINDOW_MS, RESTARTS_MAX_DEFAULT } from "../core/limits.ts";
import { lockDataDirectory } from "../log/data-directory.ts";
import type { Logger } from "../query/services.ts";
import { SYSTEM_CLOCK } from "../query/system-clock.ts";
import { backoffMs } from "../runtime/supervision.ts";
import { processLogger } from "./log-output.ts";
import type { Settings } from "./settings.ts";

const SIGNALS = ["SIGTERM", "SIGINT"] as const;
/** Exit codes of an end that another start would only repeat. */
const OWN_ENDS: readonly (number | null)[] = [0, 1, 2];

/**
 * Node's own options for a worker: V8's young generation (MiB) has the size that it would grow to, and does not shrink between batches. Columns live as long as
 * their batch; with less room more of them are copied. The size of a process that runs already cannot be set.
 */
export const WORKER_NODE_OPTIONS: readonly string[] = ["--min-semi-space-size=16"];

interface SharedLog {
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** The embedded log and its server; nothing on NATS. */
const hostLog = async (settings: Settings): Promise<SharedLog> => {
  if (settings.nats !== undefined) return { env: {}, close: () => Promise.resolve() };
  const { serveEmbedded } = await import("./log-host.ts");
  const directory = await lockDataDirectory(resolve(settings.data));
  const host = await serveEmbedded(directory.path);
  return {
    env: { MILLRACE_LOG_ADDRESS: host.address, MILLRACE_BOOT: host.boot },
    async close(): Promise<void> {
      await host.close();
      await directory.release();
    },
  };
};

interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

class Workers {
  readonly #settings: Settings;
  readonly #args: readonly string[];
  readonly #env: SharedLog["env"];
  readonly #log: Logger;
  readonly #children = new Map<number, ChildProcess>();
  /** Aborts when nobody is to be started any more. */
  readonly #ending = new AbortController();
  #signals = 0;

  constructor(settings: Settings, args: readonly string[], env: SharedLog["env"], log: Logger) {
    this.#settings = settings;
    this.#args = args;
    this.#env = env;
    this.#log = log;
  }

  pass(signal: NodeJS.Signals): void {
    this.#signals++;
    this.#ending.abort();
    for (const child of this.#children.values())
      if (child.exitCode === null) child.kill(this.#signals > 1 ? "SIGKILL" : signal);
  }

  /** All of them, until each has ended for good. */
  run(): Promise<readonly Ending[]> {
    const { workers } = this.#settings;
    const endings = Array.from({ length: workers }, (_, i) => this.#keep(i + 1));
    const pids = [...this.#children.values()].map((c) => c.pid);
    this.#log("info", `${workers} workers started`, { pids });
    return Promise.all(endings);
  }

  #start(worker: number): Promise<Ending> {
    const { settings, args } = { settings: this.#settings, args: this.#args };
    const [app, ...rest] = args;
    const port = settings.port === undefined || settings.port === 0 ? 0 : settings.port + worker - 1;
    const child = fork(process.argv[1]!, ["run", app!, "--", ...rest], {
      execArgv: [...process.execArgv, ...WORKER_NODE_OPTIONS],
      env: {
        ...process.env,
        ...this.#env,
        MILLRACE_DATA: resolve(settings.data),
        MILLRACE_WORKERS: "1",
        MILLRACE_WORKER: String(worker),
        MILLRACE_WORKERS_OF_PARENT: String(settings.workers),
        MILLRACE_PORT: String(port),
      },
    });
    this.#children.set(worker, child);
    return new Promise((done) => {
      const end = (ending: Ending): void => {
        this.#children.delete(worker);
        done(ending);
      };
      child.once("exit", (code, signal) => end({ code, signal }));
      child.once("error", () => end({ code: 1, signal: null }));
    });
  }

  async #keep(worker: number): Promise<Ending> {
    const deaths: number[] = [];
    for (;;) {
      const ending = await this.#start(worker);
      if (OWN_ENDS.includes(ending.code)) this.#ending.abort();
      const now = SYSTEM_CLOCK.monotonic();
      deaths.push(now);
      while (now - deaths[0]! > RESTART_WINDOW_MS) deaths.shift();
      const again = !this.#ending.signal.aborted && deaths.length <= RESTARTS_MAX_DEFAULT;
      const delayMs = Math.round(backoffMs(deaths.length, Math.random()));
      this.#report(worker, ending, again ? delayMs : undefined);
      if (!again) return ending;
      await sleep(SYSTEM_CLOCK, delayMs, this.#ending.signal);
      if (this.#ending.signal.aborted) return ending;
    }
  }

  #report(worker: number, { code, signal }: Ending, delayMs: number | undefined): void {
    if (code === 0) return;
    const left = this.#children.size;
    const how = signal === null ? `exit code ${code}` : signal;
    const others = left > 0 && !this.#ending.signal.aborted ? "; the others take over" : "";
    const again = delayMs === undefined ? "" : `; it starts again in ${delayMs} ms`;
    this.#log("error", `worker ${worker} ended: ${how}${others}${again}`, { worker, left });
  }
}

/** A worker that was killed does not make the whole fail while another one finished in order. */
const exitCode = (endings: readonly Ending[]): number => {
  const codes = endings.map((e) => e.code).filter((c) => c !== null);
  return codes.length === 0 ? 1 : Math.max(...codes);
};

/** Runs the application in N workers; resolves with the exit code when all have ended. */
export const runWorkers = async (
  settings: Settings,
  script: string,
  args: readonly string[],
): Promise<number> => {
  const log = processLogger(settings.logLevel);
  const shared = await hostLog(settings);
  process.argv[1] = script;
  const workers = new Workers(settings, args, shared.env, log);
  const pass = (signal: NodeJS.Signals): void => workers.pass(signal);
  for (const s of SIGNALS) process.on(s, pass);
  const endings = await workers.run();
  for (const s of SIGNALS) process.off(s, pass);
  await shared.close();
  return exitCode(endings);
};

/** In a worker: calls `end` when the parent is gone (K1). */
export const followParent = (settings: Settings, end: (why: Error) => void): void => {
  if (settings.worker === undefined || process.channel === undefined) return;
  process.once("disconnect", () => end(new UnavailableError("the parent of this worker is gone")));
  // The channel alone must not keep a worker whose work is done.
  process.channel.unref();
};
