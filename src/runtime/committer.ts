/**
 * The commit side of an actor, beside its loop: epoch after epoch, first all outputs delivered and the sink's transaction, then one atomic
 * batch, then the acknowledgement (law 6); snapshots and trimming behind it (laws 8 and 10).
 */
import type { Batch } from "../core/batch.ts";
import { FencedError } from "../core/errors.ts";
import { SNAPSHOT_MAILBOX_BYTES, SNAPSHOT_PLAN_BYTES } from "../core/limits.ts";
import type { SnapshotWriter } from "../state/snapshot-writer.ts";
import type { PendingCommit, StateRecord, StateStore } from "../state/store.ts";
import type { ActorEnvironment, ActorInput, ActorSink } from "./behaviour.ts";
import { type DeadLetter, DeadLetterWriter } from "./dead-letters.ts";
import type { Acknowledgement, ActorWork, EventTimeMaxima } from "./entries.ts";
import type { Digests } from "./replay-digest.ts";

export interface EpochResult {
  readonly epoch: number;
  readonly pending: PendingCommit;
  /** Resolves when the outputs are acknowledged. */
  readonly delivered: Promise<void>;
  readonly sinkRows: readonly Batch[];
  readonly deadLetters: readonly DeadLetter[];
  readonly maxima: EventTimeMaxima;
  readonly work: ActorWork;
  readonly inputBytes: number;
  readonly digests?: Digests | undefined;
}

export class Committer {
  readonly #env: ActorEnvironment;
  readonly #store: StateStore;
  readonly #input: ActorInput;
  readonly #sink: ActorSink | undefined;
  readonly #snapshots: SnapshotWriter;
  readonly #deadLetters: DeadLetterWriter;
  #chain: Promise<void> = Promise.resolve();
  #failed: unknown;
  #lastSnapshotMs: number;
  #bytesSinceSnapshot = 0;
  /** Read of the plan log when the last snapshot began. */
  #planBytes: number;
  #uploading: Promise<void> | undefined;
  /** The blobs of a snapshot are being read; never rejects. */
  #reading: Promise<void> | undefined;
  /** Called when something failed, to end the loop. */
  onFailure: (error: unknown) => void = () => {};

  constructor(
    env: ActorEnvironment,
    store: StateStore,
    snapshots: SnapshotWriter,
    input: ActorInput,
    sink: ActorSink | undefined,
  ) {
    this.#env = env;
    this.#store = store;
    this.#snapshots = snapshots;
    this.#deadLetters = new DeadLetterWriter(env);
    this.#input = input;
    this.#sink = sink;
    this.#lastSnapshotMs = env.clock.monotonic();
    this.#planBytes = env.follower.planBytes;
  }

  /** Queues an epoch; resolves when it is committed. Rejects with what failed. */
  enqueue(result: EpochResult): Promise<void> {
    // An unhandled rejection would end the process; the failure is seen through `idle` and `onFailure`.
    result.delivered.catch(() => {});
    this.#chain = this.#chain.then(() => this.#commit(result));
    this.#chain.catch((e: unknown) => this.#fail(e));
    return this.#chain;
  }

  #fail(e: unknown): void {
    if (this.#failed !== undefined) return;
    this.#failed = e;
    this.onFailure(e);
  }

  async #commit(r: EpochResult): Promise<void> {
    if (this.#failed !== undefined) throw this.#failed;
    this.#env.step?.("commit", "delivery");
    await r.delivered;
    this.#env.step?.("commit", "sink");
    await this.#env.probe?.("delivered", r.epoch);
    if (!this.#env.alive()) throw new FencedError("the node's lease is gone");
    if (r.deadLetters.length > 0) await this.#deadLetters.write(r.deadLetters);
    if (this.#sink !== undefined && !this.#sink.commitsFirst) await this.#write(this.#sink, r);
    await this.#env.probe?.("sinkCommitted", r.epoch);
    if (!this.#env.alive()) throw new FencedError("the node's lease is gone");
    const started = this.#env.clock.monotonic();
    this.#env.step?.("commit", "state");
    if (this.#keeps) await this.#put(r.pending);
    const commitMs = this.#env.clock.monotonic() - started;
    await this.#env.probe?.("committed", r.epoch);
    if (this.#sink?.commitsFirst === true) this.#env.step?.("commit", "sink");
    if (this.#sink?.commitsFirst === true) await this.#write(this.#sink, r);
    this.#bytesSinceSnapshot += r.inputBytes;
    this.#acknowledge(r, commitMs);
    this.#env.step?.("commit", "idle");
    this.#startSnapshot(r.pending.record, false);
  }

  /** What the sink sets aside is numbered behind what the operators did: it is all of one actor and epoch. */
  async #write(sink: ActorSink, r: EpochResult): Promise<void> {
    await sink.commit(r.epoch, r.sinkRows);
    const letters = sink.takeDeadLetters?.() ?? [];
    if (letters.length > 0)
      await this.#deadLetters.write(letters.map((l) => ({ ...l, number: l.number + r.deadLetters.length })));
  }

  /** What a snapshot under way still has to read is not dropped under it. */
  async #put(pending: PendingCommit): Promise<void> {
    if (this.#reading !== undefined && pending.changes.some((c) => "del" in c)) await this.#reading;
    await this.#store.commit(pending);
  }

  #acknowledge(r: EpochResult, commitMs: number): void {
    const { stage, partition, topology } = this.#env.identity;
    const operators = Object.fromEntries(
      Object.entries(r.work.operators).map(([id, o]) => [id, { ...o, commitMs }]),
    );
    const ack: Acknowledgement = {
      kind: "done",
      stage,
      partition,
      topology,
      epoch: r.epoch,
      maxima: r.maxima,
      snapshotEpoch: this.#stateless ? r.epoch : this.#snapshots.keptEpoch,
      work: { ...r.work, operators },
      ...(r.digests === undefined || Object.keys(r.digests).length === 0 ? {} : { digests: r.digests }),
    };
    this.#env.acknowledge(ack);
  }

  /** A source actor's state is in the logs (law 6). */
  get #stateless(): boolean {
    return this.#env.stage.kind === "source";
  }

  /**
   * Whether the epoch is written to the local store. A source's is the newest of the commit log (law 7): what it sends again after a crash its readers
   * drop. A sink wants to know from which epoch on, the more so one that commits behind the state.
   */
  get #keeps(): boolean {
    return !this.#stateless || this.#sink !== undefined;
  }

  #due(): boolean {
    return (
      this.#env.clock.monotonic() - this.#lastSnapshotMs >= this.#env.snapshotIntervalMs ||
      this.#bytesSinceSnapshot >= Math.min(SNAPSHOT_MAILBOX_BYTES, this.#env.mailboxMaxBytes / 2) ||
      // Plan entries are kept until two snapshots are behind them: where epochs are many, or their entries long, the log would be full of them.
      this.#env.follower.planBytes - this.#planBytes >= SNAPSHOT_PLAN_BYTES
    );
  }

  #startSnapshot(record: StateRecord, now: boolean): void {
    if (this.#stateless || this.#uploading !== undefined || (!now && !this.#due())) return;
    this.#lastSnapshotMs = this.#env.clock.monotonic();
    this.#bytesSinceSnapshot = 0;
    this.#planBytes = this.#env.follower.planBytes;
    const prepared = this.#snapshots.prepare(record);
    const reading = prepared.then(
      () => {},
      () => {},
    );
    this.#reading = reading;
    void reading.then(() => (this.#reading = undefined));
    this.#uploading = this.#upload(prepared)
      .catch((e: unknown) => this.#fail(e))
      .finally(() => (this.#uploading = undefined));
  }

  async #upload(prepared: ReturnType<SnapshotWriter["prepare"]>): Promise<void> {
    const upload = await prepared;
    await this.#env.probe?.("chunks", upload.record.epoch);
    if (!this.#env.alive()) return;
    const accepted = await this.#snapshots.upload(upload);
    await this.#env.probe?.("manifest", upload.record.epoch);
    if (!accepted || !this.#env.alive()) return;
    this.#env.metrics.snapshot(
      { query: this.#env.queryName, ...this.#env.identity },
      this.#snapshots.bytesUploaded,
    );
    const trim = this.#snapshots.trimRecord;
    if (trim !== undefined) await this.#input.trim(trim.resume);
    await this.#env.probe?.("trimmed", upload.record.epoch);
  }

  /** Commits nothing more; resolves when what was under way has ended, well or not. */
  async close(): Promise<void> {
    this.#failed ??= new FencedError("the actor has ended");
    await this.#chain.catch(() => {});
    await this.#uploading;
  }

  /** Resolves when everything queued is committed and no snapshot is under way. */
  async idle(): Promise<void> {
    await this.#chain;
    await this.#uploading;
    if (this.#failed !== undefined) throw this.#failed;
  }

  /** Uploads the newest committed state, whatever the interval: at the end of a topology and of a node's life. */
  async finalSnapshot(): Promise<void> {
    for (;;) {
      await this.idle();
      const record = this.#store.committed;
      if (this.#stateless || record === undefined || this.#snapshots.newestEpoch >= record.epoch) return;
      if (!this.#env.alive()) throw new FencedError("the node's lease is gone");
      this.#startSnapshot(record, true);
    }
  }
}
