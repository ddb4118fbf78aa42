/**
 * Follows the plan log and the commit log of a query (law 2: every actor uses what the log says, notifications only wake). One follower a
 * query and node, shared by its actors.
 *
 * Invariants.
 *  W1 an epoch entry is valid only if it names the last valid one as its predecessor; others are skipped (law 9).
 *  W2 `committed` never goes back.
 *  W3 once an entry of a leader token was read, epoch and run entries of lower tokens are skipped (law 9).
 *  W4 a log that was trimmed beyond what was read (this node stood still, or was slow) is read on from what it holds, as a follower that begins
 *     now would; whoever needs an epoch that is gone gets LogGapError, and recovers from a snapshot.
 */
import { position } from "../core/brands.ts";
import { LogGapError } from "../core/errors.ts";
import type { Log, Reader } from "../log/log.ts";
import {
  decodeCommitEntry,
  decodePlanRecord,
  type CommitEntry,
  type EpochEntry,
  type FailEntry,
  type PlanText,
  type RunEntry,
} from "./entries.ts";

export interface ValidEntry {
  readonly entry: EpochEntry;
  readonly position: number;
}

export type QueryState = "empty" | "active" | "stopping" | "failed";

export class QueryFollower {
  readonly #plan: Log;
  readonly #commit: Log;
  readonly #entries = new Map<number, EpochEntry>();
  readonly #positions = new Map<number, number>();
  readonly #listeners = new Set<() => void>();
  #readers: Reader[] = [];
  #closed = false;
  /** The newest valid epoch entry. */
  latest: ValidEntry | undefined;
  lastCommit: CommitEntry | undefined;
  run: RunEntry | undefined;
  /** The plan that the newest record with one names, and that record's position; 0: none was read. */
  plan: PlanText | undefined;
  planTextAt = 0;
  /** The highest leader token read so far (W3). */
  token = 0;
  /** The newest number of partitions somebody asked for. */
  rescaleTo: number | undefined;
  failure: FailEntry | undefined;
  state: QueryState = "empty";
  /** Positions read so far: a leader appends behind them. */
  planPosition = 0;
  commitPosition = 0;
  /** Bytes of plan log read since the start. */
  planBytes = 0;
  /** Set when following itself failed; waiting calls reject with it. */
  error: unknown;
  /** Whether the next epoch entry follows a gap: its predecessor is gone (W4). */
  #behindGap = false;
  /** Entries below this epoch were trimmed before they were read. */
  #firstEpoch = 0;

  constructor(plan: Log, commit: Log) {
    this.#plan = plan;
    this.#commit = commit;
  }

  get committed(): number {
    return this.lastCommit?.epoch ?? 0;
  }

  /** Reads both logs to their present ends, then keeps following. */
  async start(): Promise<void> {
    const [plan, commit] = await Promise.all([this.#plan.bounds(), this.#commit.bounds()]);
    this.planPosition = plan.first - 1;
    this.commitPosition = commit.first - 1;
    void this.#follow(
      this.#plan,
      plan.first,
      (at, bytes) => this.#takePlan(at, bytes),
      (at) => {
        if (at <= this.planPosition) return;
        this.planPosition = at;
        this.#behindGap = true;
      },
    );
    void this.#follow(
      this.#commit,
      commit.first,
      (at, bytes) => this.#takeCommit(at, bytes),
      (at) => (this.commitPosition = Math.max(this.commitPosition, at)),
    );
    await this.until(() => this.planPosition >= plan.last && this.commitPosition >= commit.last);
  }

  /** Resolves when what both logs hold now has been read: a new leader's first duty (law 9). */
  async catchUp(): Promise<void> {
    const [plan, commit] = await Promise.all([this.#plan.bounds(), this.#commit.bounds()]);
    await this.until(() => this.planPosition >= plan.last && this.commitPosition >= commit.last);
  }

  async #follow(
    log: Log,
    from: number,
    take: (position: number, bytes: Uint8Array) => void,
    begin: (position: number) => void,
  ): Promise<void> {
    let first = from;
    while (!this.#closed) {
      const reader = log.reader(position(first));
      this.#readers.push(reader);
      try {
        while (!this.#closed) {
          for (const r of await reader.next()) {
            take(r.position, r.payload);
            first = r.position + 1;
          }
          this.wake();
        }
      } catch (e) {
        const bounds = e instanceof LogGapError ? await log.bounds().catch(() => undefined) : undefined;
        // W4. Any other gap is lost data. What this node's leader wrote may be known further than the reader got: then nothing is missing.
        if (bounds === undefined || bounds.first <= first) {
          this.error = e;
          return this.wake();
        }
        ({ first } = bounds);
        begin(first - 1);
        reader.close();
        this.#readers = this.#readers.filter((r) => r !== reader);
      }
    }
  }

  /** What this node's own leader appended, known before the reader brings it: one hop less. */
  offerPlan(at: number, bytes: Uint8Array): void {
    if (at !== this.planPosition + 1) return;
    this.#takePlan(at, bytes);
    this.wake();
  }

  offerCommit(at: number, bytes: Uint8Array): void {
    if (at !== this.commitPosition + 1) return;
    this.#takeCommit(at, bytes);
    this.wake();
  }

  #takePlan(at: number, bytes: Uint8Array): void {
    if (at <= this.planPosition) return;
    this.planPosition = at;
    this.planBytes += bytes.length;
    const record = decodePlanRecord(bytes);
    if (record.kind === "epoch" || record.kind === "run") {
      if (record.token < this.token) return;
      this.token = record.token;
    }
    if (record.kind === "epoch") this.#takeEpoch(at, record);
    else if (record.kind === "run") {
      this.run = record;
      const { fingerprintLines, plan = { program: "", lines: [], fingerprintLines } } = record;
      this.#takeText(at, plan);
      this.failure = undefined;
      this.rescaleTo = record.partitions ?? this.rescaleTo;
      this.state = "active";
    } else if (record.kind === "stop") this.state = "stopping";
    else if (record.kind === "rescale") this.rescaleTo = record.partitions;
    else {
      this.failure = record;
      this.state = "failed";
    }
  }

  #takeText(at: number, plan: PlanText): void {
    this.plan = plan;
    this.planTextAt = at;
  }

  #takeEpoch(at: number, entry: EpochEntry): void {
    const { latest } = this;
    if (this.#behindGap) {
      if (latest !== undefined && entry.epoch <= latest.entry.epoch) return;
      this.#firstEpoch = entry.epoch;
      this.#behindGap = false;
    } else if (
      latest !== undefined &&
      (entry.previous !== latest.position || entry.epoch !== latest.entry.epoch + 1)
    )
      return;
    this.latest = { entry, position: at };
    if (entry.plan !== undefined) this.#takeText(at, entry.plan);
    this.#positions.set(entry.epoch, at);
    if (this.state === "empty") this.state = "active";
    this.#entries.set(entry.epoch, entry);
  }

  #takeCommit(at: number, bytes: Uint8Array): void {
    if (at <= this.commitPosition) return;
    this.commitPosition = at;
    const entry = decodeCommitEntry(bytes);
    if (entry.epoch <= this.committed) return;
    this.lastCommit = entry;
    for (const epoch of this.#entries.keys()) {
      if (epoch >= Math.min(entry.snapshotEpoch, entry.epoch)) break;
      this.#entries.delete(epoch);
      this.#positions.delete(epoch);
    }
  }

  /** Position of an epoch's entry, while it is known. */
  positionOf(epoch: number): number | undefined {
    return this.#positions.get(epoch);
  }

  /** The entry of an epoch if it is planned. */
  known(epoch: number): EpochEntry | undefined {
    return this.#entries.get(epoch);
  }

  /** The entry of an epoch as soon as it is planned; undefined when aborted, or when the query stops before it. Throws LogGapError (W4). */
  async entry(epoch: number, signal: AbortSignal): Promise<EpochEntry | undefined> {
    const gone = (): boolean => epoch < this.#firstEpoch && !this.#entries.has(epoch);
    await this.until(
      () => this.#entries.has(epoch) || (this.finished && epoch > this.committed) || gone(),
      signal,
    );
    if (signal.aborted) return undefined;
    if (gone()) throw new LogGapError(`the plan log holds no epoch ${epoch} any more`);
    return this.#entries.get(epoch);
  }

  /** Stopped with every planned epoch committed, or failed. */
  get finished(): boolean {
    if (this.state === "failed") return true;
    return this.state === "stopping" && this.committed >= (this.latest?.entry.epoch ?? 0);
  }

  /** Resolves once `condition` holds, or the signal aborts. Rejects when following failed. */
  until(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = (): void => {
        const failed = this.error !== undefined && !condition();
        if (!failed && !condition() && signal?.aborted !== true && !this.#closed) return;
        this.#listeners.delete(check);
        signal?.removeEventListener("abort", check);
        if (failed) reject(this.error instanceof Error ? this.error : new Error(String(this.error)));
        else resolve();
      };
      this.#listeners.add(check);
      signal?.addEventListener("abort", check);
      check();
    });
  }

  /** Calls `f` after every change; returns the end of it. */
  onChange(f: () => void): () => void {
    this.#listeners.add(f);
    return () => this.#listeners.delete(f);
  }

  wake(): void {
    for (const f of [...this.#listeners]) f();
  }

  close(): void {
    this.#closed = true;
    for (const r of this.#readers) r.close();
    this.#readers = [];
    this.wake();
  }
}
