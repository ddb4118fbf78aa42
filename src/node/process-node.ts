/**
 * The node of this process: one for all sessions with the same settings, opened by the first query that starts and closed after the last that ends, so
 * that a program whose queries are over ends by itself. Signals make it leave in order.
 *
 * Invariants.
 *  P1 nothing is opened before a query starts.
 *  P2 the first SIGTERM or SIGINT finishes the epoch, snapshots and leaves the group; a second one ends the process at once.
 *  P3 a node that cannot join again ends the process with code 3.
 */
import { constants } from "node:os";
import { SHUTDOWN_MS } from "../core/limits.ts";
import { ConfigurationError } from "../core/errors.ts";
import type { Logger } from "../query/services.ts";
import type { StreamingQuery } from "../query/streaming-query.ts";
import type { ShownQuery } from "./face.ts";
import { Home } from "./home.ts";
import { describeError, processLogger } from "./log-output.ts";
import type { Settings } from "./settings.ts";

/** How long a node without queries waits for the next one before it closes. */
const IDLE_MS = 50;
const SAME_SIGNAL_MS = 100;
const EXIT_LOST = 3;
const SIGNALS = ["SIGTERM", "SIGINT"] as const;

/** How a query of this process ended. */
export interface QueryEnd {
  readonly name: string;
  readonly failure: unknown;
}

interface Entry {
  readonly key: string;
  readonly home: Promise<Home>;
  holds: number;
  idle: NodeJS.Timeout | undefined;
  closing: Promise<void> | undefined;
}

class ProcessNode {
  readonly #entries = new Map<string, Entry>();
  readonly #shown: ShownQuery[] = [];
  readonly #onEnd = new Set<(end: QueryEnd) => void>();
  #leaving = false;
  #signalledAt = 0;

  /** Whether a signal has asked the process to end. */
  get signalled(): boolean {
    return this.#signalledAt > 0;
  }

  /** Called with every query of this process that ends. */
  onQueryEnd(f: (end: QueryEnd) => void): void {
    this.#onEnd.add(f);
  }

  /** The home for these settings, held open until `release`. */
  async hold(settings: Settings): Promise<{ readonly home: Home; readonly release: () => void }> {
    if (this.#leaving) throw new ConfigurationError("this process is about to end: no query can start");
    const key = JSON.stringify([settings.nats, settings.data, settings.logAddress]);
    let entry = this.#entries.get(key);
    while (entry?.closing !== undefined) {
      await entry.closing;
      entry = this.#entries.get(key);
    }
    if (entry === undefined) {
      entry = { key, home: this.#open(settings), holds: 0, idle: undefined, closing: undefined };
      this.#entries.set(key, entry);
    }
    const held = entry;
    held.holds++;
    clearTimeout(held.idle);
    try {
      return { home: await held.home, release: once(() => this.#release(held)) };
    } catch (e) {
      this.#entries.delete(key);
      throw e;
    }
  }

  #open(settings: Settings): Promise<Home> {
    const log = processLogger(settings.logLevel);
    const home = Home.open({
      settings,
      log,
      queries: () => this.#shown,
      onLost: (e) => this.#lost(log, e),
    });
    home.then(
      () => this.#listen(log),
      () => {},
    );
    return home;
  }

  #release(entry: Entry): void {
    if (--entry.holds > 0 || this.#leaving) return;
    entry.idle = setTimeout(() => void this.#close(entry), IDLE_MS);
  }

  async #close(entry: Entry): Promise<void> {
    if (entry.holds > 0 || entry.closing !== undefined) return;
    entry.closing = entry.home.then(async (home) => {
      await home.leave();
      await home.close();
    });
    await entry.closing.catch(() => {});
    this.#entries.delete(entry.key);
    if (this.#entries.size === 0) for (const s of SIGNALS) process.off(s, this.#signalled);
  }

  /** Shows a query while it runs, and after: until another one of its name starts. */
  show(session: string, query: StreamingQuery): void {
    const old = this.#shown.findIndex((s) => s.session === session && s.query.name === query.name);
    if (old >= 0) this.#shown.splice(old, 1);
    this.#shown.push({ session, query });
  }

  ended(end: QueryEnd): void {
    for (const f of this.#onEnd) f(end);
  }

  #listen(log: Logger): void {
    this.#log = log;
    for (const s of SIGNALS)
      if (!process.listeners(s).includes(this.#signalled)) process.on(s, this.#signalled);
  }

  #log: Logger = () => {};

  readonly #signalled = (signal: NodeJS.Signals): void => {
    const code = 128 + (constants.signals[signal] ?? 0);
    const now = performance.now();
    // A terminal signals the whole process group, and the parent of workers passes the signal on: one key, two signals.
    if (this.#leaving && now - this.#signalledAt > SAME_SIGNAL_MS) process.exit(code);
    if (this.#leaving) return;
    this.#signalledAt = now;
    void this.leave(signal).then((done) => process.exit(done ? (process.exitCode ?? 0) : code));
  };

  /** Leaves all groups in order and closes what is open. False when that did not end in time. */
  async leave(why: string): Promise<boolean> {
    this.#leaving = true;
    this.#log("info", `${why}: finishing the epoch and leaving`, {});
    const patience = new Promise<false>((resolve) => setTimeout(() => resolve(false), SHUTDOWN_MS).unref());
    const left = this.#leaveAll().then(
      () => true,
      (e: unknown) => {
        this.#log("error", "leaving failed", { error: e });
        return false;
      },
    );
    return Promise.race([left, patience]);
  }

  async #leaveAll(): Promise<void> {
    for (const entry of [...this.#entries.values()]) {
      clearTimeout(entry.idle);
      if (entry.closing !== undefined) {
        await entry.closing;
        continue;
      }
      const home = await entry.home.catch(() => undefined);
      await home?.leave();
      await home?.close();
    }
    this.#entries.clear();
  }

  #lost(log: Logger, error: unknown): void {
    log("error", `this node cannot join again: ${describeError(error)}`, {});
    process.exit(EXIT_LOST);
  }
}

const once = (f: () => void): (() => void) => {
  let done = false;
  return () => {
    if (done) return;
    done = true;
    f();
  };
};

export const PROCESS_NODE = new ProcessNode();
