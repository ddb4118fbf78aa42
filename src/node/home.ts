/**
 * What a process holds while queries run: the folder of its state, the log store, the HTTP face, one node a session. Opened by the first query,
 * closed after the last; an Effect scope takes care that whatever was opened is closed, in the opposite order, also when opening fails midway.
 */
import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import * as Effect from "effect/Effect";
import * as Exit from "effect/Exit";
import * as Scope from "effect/Scope";
import { nameToken } from "../log/names.ts";
import type { LogStore } from "../log/log.ts";
import type { Logger } from "../query/services.ts";
import { SYSTEM_CLOCK } from "../query/system-clock.ts";
import { NO_METRICS, type RuntimeMetrics } from "../runtime/metrics.ts";
import { type Face, type NodeView, openFace, type ShownQuery } from "./face.ts";
import { StateMemory } from "../state/parts.ts";
import { SessionNode } from "./session-node.ts";
import type { Settings } from "./settings.ts";
import { openStore, takeDirectory } from "./stores.ts";

/** On NATS a lease of any earlier process counts until it runs out; an embedded log was locked by one process, so its nodes died with that. */
const BOOT_ON_NATS = "nats";

export interface HomeOptions {
  readonly settings: Settings;
  readonly log: Logger;
  readonly queries: () => readonly ShownQuery[];
  readonly onLost: (error: unknown) => void;
}

/** Opening as an effect of the scope: closed with it. */
const opened = <A>(open: () => Promise<A>, close: (a: A) => Promise<void>) =>
  Effect.acquireRelease(Effect.tryPromise({ try: open, catch: (e) => e }), (a) =>
    Effect.promise(() => close(a).catch(() => {})),
  );

export class Home implements NodeView {
  readonly settings: Settings;
  readonly log: Logger;
  readonly #o: HomeOptions;
  readonly #boot: string;
  readonly #sessions = new Map<string, Promise<SessionNode>>();
  readonly #joined = new Map<string, SessionNode>();
  #scope: Scope.Closeable | undefined;
  #directory = "";
  #stateMemory: StateMemory | undefined;
  #store: LogStore | undefined;
  #face: Face | undefined;

  private constructor(o: HomeOptions) {
    this.#o = o;
    this.settings = o.settings;
    this.log = o.log;
    this.#boot = o.settings.nats === undefined ? (o.settings.boot ?? randomUUID()) : BOOT_ON_NATS;
  }

  /** DataDirectoryInUseError, AuthorizationError, ConfigurationError (port taken), StorageError. */
  static async open(o: HomeOptions): Promise<Home> {
    const home = new Home(o);
    const scope = await Effect.runPromise(Scope.make());
    home.#scope = scope;
    try {
      await Effect.runPromise(home.#opening().pipe(Scope.provide(scope)));
    } catch (e) {
      await home.close();
      throw e;
    }
    return home;
  }

  #opening(): Effect.Effect<void, unknown, Scope.Scope> {
    const { settings, log } = this.#o;
    return Effect.gen({ self: this }, function* () {
      const directory = yield* opened(
        () => takeDirectory(settings),
        (d) => d.release(),
      );
      this.#directory = directory.path;
      this.#store = yield* opened(
        () => openStore(settings, SYSTEM_CLOCK, log),
        (s) => s.close(),
      );
      this.#face = yield* opened(
        () => openFace(this),
        async (f) => f?.close(),
      );
    });
  }

  get directory(): string {
    return this.#directory;
  }

  get store(): LogStore {
    return this.#store!;
  }

  get metrics(): RuntimeMetrics {
    return this.#face?.metrics ?? NO_METRICS;
  }

  queries(): readonly ShownQuery[] {
    return this.#o.queries();
  }

  nodes(): readonly string[] {
    return [...this.#joined.values()].map((s) => s.membership.nodeId);
  }

  ready(): boolean {
    return [...this.#joined.values()].every((s) => s.membership.alive());
  }

  /** All sessions of the process share it. */
  get #memory(): StateMemory | undefined {
    const { stateMemory } = this.#o.settings;
    return stateMemory === undefined ? undefined : (this.#stateMemory ??= new StateMemory(stateMemory));
  }

  /** The node of a session, which joins at the first call. */
  session(name: string): Promise<SessionNode> {
    let node = this.#sessions.get(name);
    if (node !== undefined) return node;
    node = this.#join(name);
    this.#sessions.set(name, node);
    node.catch(() => this.#sessions.delete(name));
    return node;
  }

  async #join(name: string): Promise<SessionNode> {
    const { settings, log, onLost } = this.#o;
    const directory = join(this.#directory, "state", nameToken("session", name));
    await mkdir(directory, { recursive: true });
    const node = await SessionNode.join({
      session: name,
      store: this.store,
      clock: SYSTEM_CLOCK,
      log,
      leaseMs: settings.leaseMs,
      boot: this.#boot,
      newId: newNodeId,
      info: { host: hostname(), pid: String(process.pid), http: this.#face?.url ?? "" },
      directory,
      memory: this.#memory,
      random: Math.random,
      onLost,
    });
    this.#joined.set(name, node);
    return node;
  }

  /** Leaves every group in order. */
  async leave(): Promise<void> {
    await Promise.all([...this.#joined.values()].map((s) => s.leave()));
    this.#joined.clear();
    this.#sessions.clear();
  }

  /** Closes everything that was opened. */
  async close(): Promise<void> {
    await Promise.all([...this.#joined.values()].map((s) => s.close()));
    this.#joined.clear();
    this.#sessions.clear();
    const scope = this.#scope;
    this.#scope = undefined;
    if (scope !== undefined) await Effect.runPromise(Scope.close(scope, Exit.void));
  }
}

/** Unique, and readable in logs: `host-pid-1a2b3c4d`. */
const newNodeId = (): string =>
  `${hostname().replace(/[^A-Za-z0-9-]+/g, "-")}-${process.pid}-${randomUUID().slice(0, 8)}`;
