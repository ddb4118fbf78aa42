/** Forgets what the logs of a query hold and no recovery needs, now and then and beside the epochs: nobody waits for it. */
import { position } from "../src/core/brands.ts";
import { COMMIT_HISTORY } from "../src/core/limits.ts";
import type { EpochEntry } from "../src/runtime/entries.ts";
import { removeOldTopology } from "../src/runtime/old-topology.ts";
import type { CoordinatorEnvironment } from "./coordinator-environment.ts";

/** An epoch that is committed. */
export interface CommittedEpoch {
  readonly entry: EpochEntry;
  /** Position of its commit log entry. */
  readonly commit: number;
  /** The oldest of the actors' newest snapshots, and the position of its plan entry while that is known. */
  readonly snapshotEpoch: number;
  readonly keep: number | undefined;
}

export class History {
  readonly #env: Pick<CoordinatorEnvironment, "planLog" | "commitLog" | "store" | "names">;
  #busy = false;
  /** Newest topology version whose logs are removed. */
  #removed: number | undefined;

  constructor(env: Pick<CoordinatorEnvironment, "planLog" | "commitLog" | "store" | "names">) {
    this.#env = env;
  }

  /** Begins a round if one is due and none is under way; `failed` is told what it met. */
  forget(epoch: CommittedEpoch, failed: (error: unknown) => void): void {
    if (epoch.entry.epoch % COMMIT_HISTORY !== 0 || this.#busy) return;
    this.#busy = true;
    this.#forget(epoch)
      .catch(failed)
      .finally(() => (this.#busy = false));
  }

  async #forget({ entry, commit, snapshotEpoch, keep }: CommittedEpoch): Promise<void> {
    const { planLog, commitLog, store, names } = this.#env;
    if (keep !== undefined) await planLog.trim(position(keep));
    // Followers that are a little late read on without a gap.
    await commitLog.trim(position(Math.max(1, commit - COMMIT_HISTORY)));
    if (entry.topology.previous?.version === this.#removed) return;
    this.#removed = await removeOldTopology(store, names, entry, snapshotEpoch);
  }
}
