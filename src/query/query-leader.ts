/**
 * The leading of a query, on the node that leads: keeps the assignment in step and runs the coordinator, one at a time, and only while this node has the
 * token. A coordinator that fails begins again; one that another leader deposed ends.
 */
import { Coordinator, isDeposed } from "../../actors/coordinator.ts";
import type { CoordinatorEnvironment } from "../../actors/coordinator-environment.ts";
import { type Clock, sleep } from "../core/clock.ts";
import { decisionOf } from "../core/errors.ts";
import { ACK_REPEAT_MS } from "../core/limits.ts";
import type { Membership } from "../cluster/membership.ts";
import type { QueryFollower } from "../runtime/follower.ts";
import type { AssignmentKeeper } from "./assignment-keeper.ts";

/** What leading needs of the query's host. */
export interface LeaderHost {
  readonly follower: QueryFollower;
  readonly queryName: string;
  readonly clock: Clock;
  readonly keeper: AssignmentKeeper;
  readonly maxRestarts: number;
  /** The newest membership of this node. */
  readonly membership: () => Membership;
  readonly ended: () => boolean;
  readonly closed: () => boolean;
  /** Without a run there is no query to fail: the start is refused, and says why. */
  readonly awaitingRun: () => boolean;
  readonly environment: (token: number) => Promise<CoordinatorEnvironment>;
  readonly refuse: (error: unknown) => void;
  readonly fail: (error: unknown, who: string) => Promise<void>;
  readonly logError: (who: string, error: unknown) => void;
  readonly reconcile: () => void;
}

export class QueryLeader {
  readonly #host: LeaderHost;
  #coordinator: AbortController | undefined;
  #coordinating: Promise<void> = Promise.resolve();
  #failures = 0;
  readonly #leaving = new AbortController();

  constructor(host: LeaderHost) {
    this.#host = host;
  }

  /** Begins or ends leading as the membership says; called after every change. */
  reconcile(): void {
    const { keeper, follower, queryName, clock, logError, reconcile } = this.#host;
    const membership = this.#host.membership();
    const token = membership.token;
    if (token === undefined || this.#host.ended()) return this.abort();
    void keeper.keep(follower, membership, queryName, token).catch(async (e: unknown) => {
      logError("assignment", e);
      await sleep(clock, ACK_REPEAT_MS);
      reconcile();
    });
    if (this.#coordinator !== undefined || this.#leaving.signal.aborted) return;
    const abort = new AbortController();
    this.#coordinator = abort;
    this.#coordinating = this.#coordinating
      .then(() => this.#coordinate(token, abort.signal))
      .finally(() => {
        if (this.#coordinator === abort) this.#coordinator = undefined;
        // Elected again while the old coordinator ended.
        if (membership.token !== token) reconcile();
      });
  }

  async #coordinate(token: number, signal: AbortSignal): Promise<void> {
    const { clock, follower, ended, closed } = this.#host;
    const leads = (): boolean =>
      this.#host.membership().token === token && follower.token <= token && !closed();
    while (!signal.aborted && leads() && !ended()) {
      try {
        await new Coordinator(await this.#host.environment(token)).run(signal, this.#leaving.signal);
        if (this.#leaving.signal.aborted) return;
      } catch (e) {
        if (signal.aborted || closed()) return;
        if (await this.#isOver(e)) return;
        await sleep(clock, ACK_REPEAT_MS / 10, signal);
      }
    }
  }

  /** True when the failure ends leading. */
  async #isOver(e: unknown): Promise<boolean> {
    const { logError, follower, maxRestarts, awaitingRun, refuse, fail } = this.#host;
    logError("coordinator", e);
    const decision = decisionOf(e);
    if (isDeposed(e)) await follower.catchUp().catch(() => {});
    else if (decision === "fail" || (decision !== "retry" && ++this.#failures > maxRestarts)) {
      if (awaitingRun()) {
        refuse(e);
        return true;
      }
      await fail(e, "coordinator");
    }
    return false;
  }

  /** The coordinator ends as it stands. */
  abort(): void {
    this.#coordinator?.abort();
    this.#coordinator = undefined;
  }

  /** Plans nothing more here; resolves when what is planned is committed, or after `patienceMs`: then the next leader commits the rest (law 9). */
  async leave(patienceMs: number): Promise<void> {
    this.#leaving.abort();
    if (this.#coordinator === undefined) return;
    const { clock } = this.#host;
    const patience = new AbortController();
    await Promise.race([this.#coordinating.catch(() => {}), sleep(clock, patienceMs, patience.signal)]);
    patience.abort();
    this.abort();
  }

  /** Resolves when no coordinator runs here any more. */
  async idle(): Promise<void> {
    await this.#coordinating.catch(() => {});
  }
}
