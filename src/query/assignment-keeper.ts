/** Follows a query's assignment log and, on the leader, keeps it in step with who lives and which topology runs. */
import { position, type Position } from "../core/brands.ts";
import { LogConflictError, LogGapError } from "../core/errors.ts";
import { pack, unpack } from "../codec/msgpack.ts";
import { assign, type Assignment } from "../cluster/assignment.ts";
import type { Membership } from "../cluster/membership.ts";
import type { Log, Reader } from "../log/log.ts";
import type { ActorIdentity } from "../runtime/behaviour.ts";
import type { EpochEntry, Topology } from "../runtime/entries.ts";
import type { QueryFollower } from "../runtime/follower.ts";

const actorsOf = (version: number, partitions: readonly number[]): ActorIdentity[] =>
  partitions.flatMap((n, stage) =>
    Array.from({ length: n }, (_, partition) => ({ stage, partition, topology: version })),
  );

/** Actors that must run: the newest topology's, and the one's before until its last epoch is behind all (law 13). */
export const wantedActors = (latest: EpochEntry, committed: number): readonly ActorIdentity[] => {
  const { version, since, partitions, previous } = latest.topology;
  const now = actorsOf(version, partitions);
  return previous === undefined || committed >= since
    ? now
    : [...actorsOf(previous.version, previous.partitions), ...now];
};

/** The topology an actor belongs to, while the newest one still names it. */
export const topologyOf = (actor: ActorIdentity, newest: Topology | undefined): Topology | undefined => {
  if (newest === undefined || newest.version === actor.topology) return newest;
  const { previous } = newest;
  if (previous === undefined || previous.version !== actor.topology) return undefined;
  return { ...previous, previous: previous.previous };
};

export class AssignmentKeeper {
  readonly #log: Log;
  readonly #listeners = new Set<() => void>();
  #reader: Reader | undefined;
  #keeping = false;
  #again = false;
  #closed = false;
  current: Assignment | undefined;
  /** What the present assignment was last found to fit. */
  #fits: readonly unknown[] | undefined;
  position = 0;
  /** Why following ended, if it did. */
  error: unknown;

  constructor(log: Log) {
    this.#log = log;
  }

  async start(): Promise<void> {
    const bounds = await this.#log.bounds();
    this.position = bounds.first - 1;
    void this.#follow(bounds.first);
    while (this.position < bounds.last) {
      if (this.error !== undefined) throw this.error;
      await this.#changed();
    }
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      const end = this.onChange(() => {
        end();
        resolve();
      });
    });
  }

  /** Follows the log; where the leader trimmed it meanwhile, from what is left: only the newest assignment counts. */
  async #follow(from: Position): Promise<void> {
    for (let next = from; !this.#closed;) {
      try {
        await this.#readFrom(next);
      } catch (e) {
        if (!(e instanceof LogGapError)) {
          this.error = e;
          break;
        }
        next = (await this.#log.bounds()).first;
      }
    }
    for (const f of [...this.#listeners]) f();
  }

  async #readFrom(from: Position): Promise<void> {
    const reader = (this.#reader = this.#log.reader(from));
    while (!this.#closed) {
      for (const r of await reader.next()) {
        const next = unpack(r.payload) as Assignment;
        this.position = r.position;
        if (next.token >= (this.current?.token ?? 0)) this.current = next;
      }
      for (const f of [...this.#listeners]) f();
    }
  }

  onChange(f: () => void): () => void {
    this.#listeners.add(f);
    return () => this.#listeners.delete(f);
  }

  /** Leader: writes a new assignment if the present one does not fit. One at a time. */
  async keep(follower: QueryFollower, membership: Membership, query: string, token: number): Promise<void> {
    this.#again = true;
    if (this.#keeping) return;
    this.#keeping = true;
    try {
      while (this.#again && !this.#closed && membership.token === token) {
        this.#again = false;
        await this.#update(follower, membership, query, token);
      }
    } finally {
      this.#keeping = false;
    }
  }

  async #update(
    follower: QueryFollower,
    membership: Membership,
    query: string,
    token: number,
  ): Promise<void> {
    const latest = follower.latest?.entry;
    if (latest === undefined) return;
    const nodes = membership.hosts(query);
    if (nodes.length === 0) return;
    const made = [
      this.current,
      token,
      latest.topology.version,
      follower.committed >= latest.topology.since,
      nodes.join(),
    ];
    if (this.#fits?.every((x, i) => x === made[i])) return;
    const actors = assign(wantedActors(latest, follower.committed), nodes, this.current);
    const next: Assignment = { token, nodes, actors };
    if (this.current?.token === token && JSON.stringify(this.current) === JSON.stringify(next)) {
      this.#fits = made;
      return;
    }
    try {
      const at = await this.#log.append(pack(next), { expectLast: position(this.position) });
      while (this.position < at && !this.#closed) await this.#changed();
      if (at > 1) await this.#log.trim(position(at));
    } catch (e) {
      if (!(e instanceof LogConflictError)) throw e;
      this.#again = true;
      const { last } = await this.#log.bounds();
      while (this.position < last && !this.#closed) await this.#changed();
    }
  }

  close(): void {
    this.#closed = true;
    this.#reader?.close();
    for (const f of [...this.#listeners]) f();
  }
}
