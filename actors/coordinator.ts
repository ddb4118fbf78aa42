/**
 * The coordinator: one leader per query plans epochs into the plan log and writes the commit log (laws 2, 9, 12, 13). It holds nothing that is
 * not in the logs, or said again by the actors until it is.
 *
 * Invariants.
 *  C1 nothing is planned before both logs are read to their ends; every append expects the position read last.
 *  C2 epoch e is planned only when the commit log has e - EPOCH_DEPTH (law 5) and the maxima of e-1 are known (law 12).
 *  C3 an entry of a higher leader token, or a refused append, ends this leader; the next one reads again.
 */
import { position } from "../src/core/brands.ts";
import { LogConflictError } from "../src/core/errors.ts";
import { EPOCH_DEPTH, SOURCE_POLL_MS } from "../src/core/limits.ts";
import type { Json, PlanLimits, SourceEnumerator, SplitRange } from "../src/connectors/source.ts";
import { unpack } from "../src/codec/msgpack.ts";
import { AckBook, mergeMaxima } from "../src/runtime/acknowledgements.ts";
import { encodeEntry, type EpochEntry, type PlanRecord, type Topology } from "../src/runtime/entries.ts";
import { otherRows } from "../src/runtime/inbox.ts";
import { IdleColumns } from "../src/runtime/idle-columns.ts";
import { nextEntry, nextTopology } from "../src/runtime/next-epoch.ts";
import { EpochSize } from "../src/runtime/epoch-size.ts";
import { EpochTimes } from "../src/runtime/epoch-times.ts";
import { PlanNotes } from "../src/runtime/plan-text.ts";
import { Pacer } from "../src/runtime/trigger.ts";
import { wantsEmptyEpoch } from "../src/runtime/empty-epoch.ts";
import { baseWatermark } from "../src/runtime/watermark.ts";
import type { CoordinatorEnvironment, SourceLimits } from "./coordinator-environment.ts";
import { progressOf } from "./coordinator-progress.ts";
import { EpochWatch } from "./epoch-watch.ts";
import { History } from "./history.ts";

export class Coordinator {
  readonly #env: CoordinatorEnvironment;
  readonly #book: AckBook;
  readonly #pacer: Pacer;
  readonly #idleColumns: IdleColumns;
  readonly #history: History;
  readonly #notes: PlanNotes;
  readonly #ends: (() => void)[] = [];
  #woken = false;
  #wake: (() => void) | undefined;
  #inputSeen = true;
  /** When the sources are asked next without having called (monotonic). */
  #lookAtMs = 0;
  #drained = false;
  /** Position of the epoch entry that the sources' enumerators stand behind. */
  #standsAt = 0;
  #forgetful = false;
  /** Both logs are read and the run has begun: commits may be written. */
  #leading = false;
  #committing = false;
  /** What the leader itself is at, where it may take long. */
  #doing: "opening the sources" | "planning" | undefined = "opening the sources";
  #failed: unknown;
  #lastPlannedMs: number;
  readonly #times: EpochTimes;
  /** Of a `realTime` trigger: how much fits, and what was given to epochs under way. */
  readonly #size: EpochSize | undefined;
  #given = new Map<number, number>();

  constructor(env: CoordinatorEnvironment) {
    this.#env = env;
    const observing = [...new Set(env.plan.watermarks.map((w) => w.stage))];
    this.#book = new AckBook(env.plan, observing);
    this.#idleColumns = new IdleColumns(env.plan, env.clock, env.idleTimeoutMs);
    this.#history = new History(env);
    this.#notes = new PlanNotes(env.follower, env.plan);
    this.#pacer = new Pacer(env.trigger, env.clock);
    this.#times = new EpochTimes(env.clock);
    if (env.trigger.kind === "realTime") this.#size = new EpochSize(env.trigger.intervalMs);
    // The first epoch of a start waits for nothing, as in Spark.
    this.#lastPlannedMs = -Infinity;
  }

  /**
   * Leads until the query ends, the signal aborts, or another leader is met (LogConflictError). Once `leaving` aborts nothing more is planned, and it ends
   * when what is planned is committed.
   */
  async run(signal: AbortSignal, leaving: AbortSignal): Promise<void> {
    const { follower, store, names } = this.#env;
    await follower.catchUp();
    if (follower.token > this.#env.token) return;
    this.#ends.push(store.bus.subscribe(names.acks, (bytes) => this.#onAck(bytes)));
    this.#ends.push(store.bus.subscribe(names.hints, (bytes) => this.#onHint(bytes)));
    this.#ends.push(follower.onChange(() => this.#notify(false)));
    const stop = (): void => this.#notify(false);
    for (const s of [signal, leaving]) s.addEventListener("abort", stop);
    this.#ends.push(new EpochWatch(this.#env, this.#book, () => this.#doing).start());
    try {
      await this.#begin();
      this.#leading = true;
      while (!signal.aborted && !follower.finished) {
        if (this.#failed !== undefined) throw this.#failed;
        if (!this.#env.alive() || follower.token > this.#env.token) return;
        this.#startCommit();
        if (leaving.aborted && follower.committed >= (follower.latest?.entry.epoch ?? 0)) return;
        this.#doing = "planning";
        const wait = leaving.aborted ? undefined : await this.#plan();
        this.#doing = undefined;
        await this.#sleep(wait);
      }
    } finally {
      this.#leading = false;
      for (const s of [signal, leaving]) s.removeEventListener("abort", stop);
      for (const end of this.#ends) end();
      for (const source of this.#env.sources.values()) await source.close();
    }
  }

  async #begin(): Promise<void> {
    const { follower, sources, plan } = this.#env;
    const behind = follower.planPosition;
    const ends = follower.latest?.entry.ends;
    this.#standsAt = follower.latest?.position ?? 0;
    for (const [id, source] of sources) {
      await source.open(ends?.[id]);
      if (source.onInput !== undefined) this.#ends.push(source.onInput(() => this.#notify(true)));
      if (this.#pacer.stopsWhenDrained) await source.freeze?.();
    }
    if (follower.state === "active" && !this.#env.newRun) return;
    this.#forgetful = this.#env.maximaAfterStop === "forget" && follower.state === "stopping";
    await this.#append(
      {
        kind: "run",
        runId: this.#env.runId,
        queryId: this.#env.queryId,
        token: this.#env.token,
        fingerprint: plan.fingerprint,
        fingerprintLines: plan.fingerprintLines,
        plan: this.#notes.text,
        clockMs: this.#env.clock.now(),
        partitions: this.#env.partitionsWanted,
      },
      behind,
    );
  }

  #onAck(bytes: Uint8Array): void {
    this.#book.take(bytes);
    // At once: the round of planning may wait for an append.
    if (this.#leading) this.#startCommit();
    this.#notify(false);
  }

  #onHint(bytes: Uint8Array): void {
    const [source, split, to] = unpack(bytes) as [string, string, Json];
    this.#env.sources.get(source)?.available?.(split, to);
    this.#notify(true);
  }

  #notify(input: boolean): void {
    if (input) this.#inputSeen = true;
    this.#woken = true;
    this.#wake?.();
  }

  /** Until something happens, or `ms` pass. */
  async #sleep(ms: number | undefined): Promise<void> {
    if (this.#woken || ms === 0) {
      this.#woken = false;
      return;
    }
    await new Promise<void>((resolve) => {
      const cancel = ms === undefined ? undefined : this.#env.clock.after(ms, () => this.#wake?.());
      this.#wake = (): void => {
        this.#wake = undefined;
        cancel?.();
        resolve();
      };
    });
    this.#woken = false;
  }

  /**
   * Appends to the plan log behind what the record was made from, and waits until the follower has it: what another leader or a stop wrote
   * meanwhile refuses it, also when the follower has read that already.
   */
  async #append(record: PlanRecord, behind: number): Promise<number> {
    const { follower, planLog } = this.#env;
    const bytes = encodeEntry(record);
    const at = await planLog.append(bytes, { expectLast: position(behind) });
    follower.offerPlan(at, bytes);
    await follower.until(() => follower.planPosition >= at);
    return at;
  }

  /** Writes the commit log as far as every actor is done; beside planning, one append in flight. */
  #startCommit(): void {
    if (this.#committing || this.#failed !== undefined || !this.#env.alive()) return;
    this.#committing = true;
    this.#commit()
      .catch((e: unknown) => (this.#failed = e))
      .finally(() => {
        this.#committing = false;
        // Also when an acknowledgement came while the round ended.
        const next = this.#env.follower.known(this.#env.follower.committed + 1);
        if (this.#failed !== undefined || (next !== undefined && this.#book.done(next))) this.#notify(false);
      });
  }

  async #commit(): Promise<void> {
    const { follower, commitLog, clock } = this.#env;
    for (;;) {
      const entry = follower.known(follower.committed + 1);
      if (entry === undefined || !this.#book.done(entry)) return;
      const contradicted = this.#book.contradiction(entry.epoch);
      if (contradicted !== undefined) throw otherRows(contradicted, entry.epoch);
      const maxima = this.#book.maxima(entry) ?? {};
      const started = this.#times.startedMs(entry.epoch) ?? clock.now();
      const bytes = encodeEntry({
        epoch: entry.epoch,
        token: this.#env.token,
        maxima: mergeMaxima(entry.maxima, maxima),
        snapshotEpoch: this.#book.snapshotEpoch(entry),
        progress: progressOf(
          this.#env.plan,
          entry,
          this.#book.work(entry.epoch),
          { startMs: started, endMs: clock.now(), durationMs: this.#times.durations(entry.epoch) },
          this.#env.timeZone,
        ),
      });
      const at = await commitLog.append(bytes, { expectLast: position(follower.commitPosition) });
      follower.offerCommit(at, bytes);
      const snapshotEpoch = this.#book.snapshotEpoch(entry);
      const keep = this.#notes.keep(snapshotEpoch);
      await follower.until(() => follower.commitPosition >= at);
      this.#times.forget(entry.epoch);
      this.#learn(entry, clock.now() - started);
      this.#book.forget(entry.epoch);
      this.#env.metrics.epochCommitted(this.#env.queryName, entry.epoch, (clock.now() - started) / 1000);
      this.#notify(false);
      for (const [id, source] of this.#env.sources) await source.committed?.(entry.ends[id] ?? {});
      this.#history.forget({ entry, commit: at, snapshotEpoch, keep }, (e) => {
        this.#failed = e;
        this.#notify(false);
      });
    }
  }

  /** What an epoch with more input than it took says about the next ones. */
  #learn(entry: EpochEntry, tookMs: number): void {
    const given = this.#given.get(entry.epoch);
    this.#given.delete(entry.epoch);
    if (given !== undefined && Object.keys(entry.unread).length > 0) this.#size?.took(tookMs, given);
  }

  /** Plans an epoch if one is due. Returns how long to wait for the next look; undefined: until something happens. */
  async #plan(): Promise<number | undefined> {
    const { follower, clock } = this.#env;
    const last = follower.latest?.entry;
    const behind = follower.planPosition;
    // Another leader's entry in between: the enumerators stand before it, so ranges from here would overlap (law 9).
    if ((follower.latest?.position ?? 0) !== this.#standsAt)
      throw new LogConflictError("another leader planned an epoch");
    if (follower.state !== "active") return undefined;
    if ((last?.epoch ?? 0) >= follower.committed + EPOCH_DEPTH) return undefined;
    const maxima = this.#maximaAfter(last);
    if (maxima === undefined) return undefined;
    const due = this.#pacer.waitMs();
    if (due > 0) return due;
    if (this.#inputSeen || this.#env.trigger.kind === "processingTime") this.#lookAtMs = clock.monotonic();
    const asked = clock.monotonic();
    const ranges = await this.#collect();
    const answered = clock.monotonic();
    const input = Object.values(ranges).some((r) => r.length > 0);
    const idle = this.#idleColumns.idle(maxima, unreadSplits(this.#env.sources));
    const watermark = this.#watermark(last, maxima, idle);
    const rescale = this.#topology(last) !== last?.topology && last !== undefined;
    if (!input && !rescale && !wantsEmptyEpoch(this.#env.plan, last, watermark, clock.now()))
      return this.#idle(behind);
    this.#pacer.tick();
    const planned = nextEntry({
      last,
      previous: follower.latest?.position ?? 0,
      ranges,
      unread: unreadSplits(this.#env.sources),
      maxima,
      watermark,
      idle,
      nowMs: clock.now(),
      token: this.#env.token,
      topology: this.#topology(last),
      fingerprint: this.#env.plan.fingerprint,
      program: this.#env.plan.program,
      plan: this.#notes.forEpoch((last?.epoch ?? 0) + 1),
      runId: follower.run?.runId ?? this.#env.runId,
      queryId: follower.run?.queryId ?? this.#env.queryId,
      sources: [...this.#env.sources.keys()],
    });
    this.#times.planned(planned.epoch, asked, answered);
    if (this.#size !== undefined) this.#given.set(planned.epoch, this.#size.offsets);
    const appended = await this.#append(planned, behind);
    this.#standsAt = appended;
    this.#times.written(planned.epoch);
    this.#lastPlannedMs = clock.monotonic();
    this.#env.metrics.watermark(this.#env.queryName, watermark, clock.now() - watermark);
    if (this.#env.trigger.kind === "once" && input) this.#drained = true;
    // What a limit left, or what came meanwhile, is looked for at once.
    if (input) this.#inputSeen = true;
    return 0;
  }

  /** B of the next epoch. What was known when the query was stopped is a floor, even where the maxima behind it are forgotten. */
  #watermark(last: EpochEntry | undefined, maxima: EpochEntry["maxima"], idle: readonly string[]): number {
    const { plan, splitWatermark, follower } = this.#env;
    const of = (known: EpochEntry["maxima"], floor: number): number =>
      baseWatermark(plan, known, last?.unread ?? {}, floor, splitWatermark, idle);
    const before = last?.watermark ?? 0;
    const forgotten =
      this.#forgetful && follower.lastCommit?.epoch === last?.epoch ? follower.lastCommit?.maxima : undefined;
    return of(maxima, forgotten === undefined ? before : of(forgotten, before));
  }

  /** Maxima after the newest planned epoch: from the actors, or from its commit log entry. */
  #maximaAfter(last: EpochEntry | undefined): EpochEntry["maxima"] | undefined {
    if (last === undefined) return {};
    if (this.#forgetful && last.runId !== this.#env.runId) return {};
    if (this.#env.plan.watermarks.length === 0) return last.maxima;
    const { lastCommit } = this.#env.follower;
    if (lastCommit?.epoch === last.epoch) return lastCommit.maxima;
    const said = this.#book.maxima(last);
    return said === undefined ? undefined : mergeMaxima(last.maxima, said);
  }

  async #idle(behind: number): Promise<number | undefined> {
    this.#pacer.tick();
    const { follower, trigger } = this.#env;
    if (this.#pacer.stopsWhenDrained) {
      if (follower.committed < (follower.latest?.entry.epoch ?? 0)) return undefined;
      await this.#append({ kind: "stop", token: this.#env.token }, behind);
      return undefined;
    }
    if (trigger.kind === "processingTime") return Math.max(1, this.#pacer.waitMs());
    return Math.max(1, this.#lookAtMs - this.#env.clock.monotonic());
  }

  /** Sources that wake the coordinator are asked now and then all the same: a hint may get lost. */
  #pollMs(): number {
    const hinted = [...this.#env.sources.values()].every(
      (s) => s.onInput !== undefined || s.available !== undefined,
    );
    return hinted ? SOURCE_POLL_MS * 10 : SOURCE_POLL_MS;
  }

  /** The ranges of the next epoch, per source. */
  async #collect(): Promise<Record<string, readonly SplitRange[]>> {
    const out: Record<string, readonly SplitRange[]> = {};
    if (this.#drained || this.#env.clock.monotonic() < this.#lookAtMs) return out;
    this.#inputSeen = false;
    this.#lookAtMs = this.#env.clock.monotonic() + this.#pollMs();
    for (const [id, source] of this.#env.sources) {
      const limits = this.#env.limits.get(id);
      if (limits?.minOffsets !== undefined && !(await this.#enough(id, source, limits))) continue;
      const { trigger } = this.#env;
      const cap =
        trigger.kind === "count" ? trigger.rows : trigger.kind === "once" ? undefined : this.#capOf(limits);
      if (trigger.kind === "count" && (await source.backlog()) < trigger.rows) continue;
      const planLimits: PlanLimits = cap === undefined ? {} : { maxOffsets: cap };
      const ranges = await source.plan(planLimits);
      if (ranges.length > 0) out[id] = ranges;
    }
    return out;
  }

  #capOf(limits: SourceLimits | undefined): number | undefined {
    const { maxOffsets } = limits ?? {};
    return this.#size === undefined ? maxOffsets : Math.min(this.#size.offsets, maxOffsets ?? Infinity);
  }

  /** minOffsetsPerTrigger: wait for that much, but not longer than maxTriggerDelay. */
  async #enough(id: string, source: SourceEnumerator, limits: SourceLimits): Promise<boolean> {
    const waited = this.#env.clock.monotonic() - this.#lastPlannedMs;
    if (waited >= limits.maxTriggerDelayMs) return true;
    const backlog = await source.backlog();
    this.#env.metrics.backlog(this.#env.queryName, id, backlog);
    return backlog >= limits.minOffsets!;
  }

  #topology(last: EpochEntry | undefined): Topology {
    const { follower, partitions } = this.#env;
    return nextTopology(last, partitions(last?.topology, follower.rescaleTo), follower.committed);
  }
}

/** Splits that hold more than is planned, per source. */
const unreadSplits = (sources: ReadonlyMap<string, SourceEnumerator>): Record<string, readonly string[]> =>
  Object.fromEntries(
    [...sources].map(([id, s]) => [id, s.unread?.() ?? []]).filter(([, splits]) => splits!.length > 0),
  );

/** Whether a failed leader should simply be followed by another: the log moved on without it. */
export const isDeposed = (e: unknown): boolean => e instanceof LogConflictError;
