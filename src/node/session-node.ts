/**
 * One session's node: its place in the group, and the query runtimes that run on it. When the lease is lost (a paused process, a broker away for
 * long) everything stops at once and the node joins again under another id.
 *
 * Invariants.
 *  S1 nothing of this node writes between the loss of a lease and the next membership (law 9): actors ask `membership.alive()`, and are ended.
 *  S2 an id is used for one lease only; a membership that is given up is left, whatever it was given up for.
 *  S3 no loss of a lease is missed, also not one while the node joins.
 */
import { sleep } from "../core/clock.ts";
import { decisionOf } from "../core/errors.ts";
import { CONTROL_LOG_BYTES_MAX, RESTART_BACKOFF_MAX_MS } from "../core/limits.ts";
import { Membership } from "../cluster/membership.ts";
import { leaseLog } from "../log/names.ts";
import type { LogStore } from "../log/log.ts";
import type { Clock } from "../core/clock.ts";
import type { QueryRuntime } from "../query/query-runtime.ts";
import type { Logger } from "../query/services.ts";
import { backoffMs } from "../runtime/supervision.ts";
import type { StateMemory } from "../state/parts.ts";
import { LevelBackend } from "../state/level-backend.ts";
import type { StateBackend } from "../state/backend.ts";

export interface SessionNodeOptions {
  readonly session: string;
  readonly store: LogStore;
  readonly clock: Clock;
  readonly log: Logger;
  readonly leaseMs: number;
  /** See MembershipOptions: one per start of the process that holds an embedded log, one for ever on NATS. */
  readonly boot: string;
  /** A fresh id for this node. */
  readonly newId: () => string;
  readonly info: Readonly<Record<string, string>>;
  /** Folder of the local state. */
  readonly directory: string;
  readonly memory?: StateMemory | undefined;
  readonly random: () => number;
  /** The node can be part of the group no more. */
  readonly onLost: (error: unknown) => void;
}

export class SessionNode {
  readonly backend: StateBackend;
  readonly runtimes = new Set<QueryRuntime>();
  readonly #o: SessionNodeOptions;
  readonly #ended = new AbortController();
  readonly #gone = new Set<string>();
  #membership: Membership;
  #rejoining: Promise<void> | undefined;

  private constructor(options: SessionNodeOptions, backend: StateBackend, membership: Membership) {
    this.#o = options;
    this.backend = backend;
    this.#membership = membership;
    this.#watch(membership);
  }

  /** Joins the group of the session. */
  static async join(options: SessionNodeOptions): Promise<SessionNode> {
    const backend = await LevelBackend.open(options.directory, options.memory);
    try {
      return new SessionNode(options, backend, await joined(options, new Set()));
    } catch (e) {
      await backend.close();
      throw e;
    }
  }

  get membership(): Membership {
    return this.#membership;
  }

  get session(): string {
    return this.#o.session;
  }

  /** S3: the loss may be older than the look at it. */
  #watch(membership: Membership): void {
    membership.onChange(() => this.#look());
    this.#look();
  }

  #look(): void {
    if (!this.#membership.lost || this.#rejoining !== undefined || this.#ended.signal.aborted) return;
    this.#rejoining = this.#rejoin().finally(() => {
      this.#rejoining = undefined;
      this.#look();
    });
  }

  async #rejoin(): Promise<void> {
    const { log, clock, random, session, onLost } = this.#o;
    const { nodeId, error } = this.#membership;
    log("warn", "the lease of this node is lost: everything stops here, and the node joins again", {
      session,
      node: nodeId,
      ...(error === undefined ? {} : { error }),
    });
    for (let n = 1; !this.#ended.signal.aborted; n++) {
      await this.#drop();
      try {
        this.#membership = await joined(this.#o, this.#gone);
        await Promise.all([...this.runtimes].map((r) => r.rejoin()));
        if (this.#membership.lost) continue;
        this.#watch(this.#membership);
        log("info", "joined again", { session, node: this.#membership.nodeId });
        return;
      } catch (e) {
        if (decisionOf(e) === "fail") return onLost(e);
        await sleep(clock, Math.min(backoffMs(n, random()), RESTART_BACKOFF_MAX_MS), this.#ended.signal);
      }
    }
  }

  /** Ends what runs under the membership there is, and leaves it: nobody may wait for a node that joined by halves. */
  async #drop(): Promise<void> {
    await Promise.all([...this.runtimes].map((r) => r.suspend()));
    this.#gone.add(this.#membership.nodeId);
    await this.#membership.leave();
  }

  /** Leaves in order: queries first, so that others find all of their state, then the group. */
  async leave(): Promise<void> {
    this.#ended.abort();
    await Promise.all([...this.runtimes].map((r) => r.leave()));
    await this.#end(() => this.#membership.leave());
  }

  /** Ends without waiting for anything. */
  async close(): Promise<void> {
    this.#ended.abort();
    await this.#end(() => this.#membership.leave());
  }

  async #end(leave: () => Promise<void>): Promise<void> {
    await this.#rejoining;
    await leave();
    await this.backend.close();
  }
}

const joined = async (o: SessionNodeOptions, gone: ReadonlySet<string>): Promise<Membership> => {
  const membership = new Membership({
    log: await o.store.open(leaseLog(o.session), { maxBytes: CONTROL_LOG_BYTES_MAX }),
    clock: o.clock,
    nodeId: o.newId(),
    leaseMs: o.leaseMs,
    boot: o.boot,
    info: o.info,
    gone,
  });
  try {
    await membership.start();
    return membership;
  } catch (e) {
    membership.close();
    throw e;
  }
};
