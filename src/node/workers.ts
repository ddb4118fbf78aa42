/**
 * `--workers N`: N node processes under one parent. Without NATS the parent holds the data directory and serves its embedded log to them. Nobody
 * is started again: a worker that dies is reported, and the others take its actors over.
 *
 * Invariants.
 *  K1 workers are children in the parent's process group, and end when the parent does, however it ends.
 *  K2 the first signal is passed on, a second one kills.
 */
import { type ChildProcess, fork } from "node:child_process";
import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { UnavailableError } from "../core/errors.ts";
import { lockDataDirectory } from "../log/data-directory.ts";
import type { ServedAddress } from "../log/served-log.ts";
import type { Logger } from "../query/services.ts";
import { SYSTEM_CLOCK } from "../query/system-clock.ts";
import { processLogger } from "./log-output.ts";
import type { Settings } from "./settings.ts";
import { formatAddress, openEmbedded } from "./stores.ts";

/** Longest path of a socket file that all systems take. */
const SOCKET_PATH_CHARS_MAX = 100;
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

interface LogHost {
  readonly env: Readonly<Record<string, string>>;
  close(): Promise<void>;
}

/** The embedded log and its server; nothing on NATS. */
const hostLog = async (settings: Settings): Promise<LogHost> => {
  if (settings.nats !== undefined) return { env: {}, close: () => Promise.resolve() };
  const { LogServer } = await import("../log/served-log.ts");
  const directory = await lockDataDirectory(resolve(settings.data));
  const store = await openEmbedded(directory.path, SYSTEM_CLOCK);
  const path = join(directory.path, "log.sock");
  const fits = path.length <= SOCKET_PATH_CHARS_MAX && process.platform !== "win32";
  const address: ServedAddress = fits ? { path } : { port: 0 };
  // The directory is ours: a socket in it is a dead process'.
  if (fits) await rm(path, { force: true });
  const server = await LogServer.listen(store, address);
  return {
    env: { MILLRACE_LOG_ADDRESS: formatAddress(server.address), MILLRACE_BOOT: randomUUID() },
    async close(): Promise<void> {
      await server.close();
      await store.close();
      await directory.release();
    },
  };
};

interface Ending {
  readonly worker: number;
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

const startWorker = (
  worker: number,
  settings: Settings,
  args: readonly string[],
  host: LogHost,
): { readonly child: ChildProcess; readonly ended: Promise<Ending> } => {
  const [app, ...rest] = args;
  const port = settings.port === undefined || settings.port === 0 ? 0 : settings.port + worker - 1;
  const child = fork(process.argv[1]!, ["run", app!, "--", ...rest], {
    env: {
      ...process.env,
      ...host.env,
      MILLRACE_DATA: resolve(settings.data),
      MILLRACE_WORKERS: "1",
      MILLRACE_WORKER: String(worker),
      MILLRACE_PORT: String(port),
    },
  });
  const ended = new Promise<Ending>((done) => {
    child.once("exit", (code, signal) => done({ worker, code, signal }));
    child.once("error", () => done({ worker, code: 1, signal: null }));
  });
  return { child, ended };
};

const reportEnding = (log: Logger, { worker, code, signal }: Ending, left: number): void => {
  if (code === 0) return;
  const how = signal === null ? `exit code ${code}` : signal;
  log("error", `worker ${worker} ended: ${how}${left > 0 ? "; the others take over" : ""}`, { worker, left });
};

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
  const host = await hostLog(settings);
  process.argv[1] = script;
  const workers = Array.from({ length: settings.workers }, (_, i) =>
    startWorker(i + 1, settings, args, host),
  );
  const pids = workers.map((w) => w.child.pid);
  log("info", `${workers.length} workers started`, { pids });
  let signals = 0;
  const pass = (signal: NodeJS.Signals): void => {
    signals++;
    for (const { child } of workers)
      if (child.exitCode === null) child.kill(signals > 1 ? "SIGKILL" : signal);
  };
  for (const s of SIGNALS) process.on(s, pass);
  let left = workers.length;
  const endings = await Promise.all(
    workers.map(async ({ ended }) => {
      const ending = await ended;
      reportEnding(log, ending, --left);
      return ending;
    }),
  );
  for (const s of SIGNALS) process.off(s, pass);
  await host.close();
  return exitCode(endings);
};

/** In a worker: calls `end` when the parent is gone (K1). */
export const followParent = (settings: Settings, end: (why: Error) => void): void => {
  if (settings.worker === undefined || process.channel === undefined) return;
  process.once("disconnect", () => end(new UnavailableError("the parent of this worker is gone")));
  // The channel alone must not keep a worker whose work is done.
  process.channel.unref();
};
