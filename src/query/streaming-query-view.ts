/** StreamingQuery over a query host: what programs see of a query, the same on every node. */
import { sleep } from "../core/clock.ts";
import type { MillraceError } from "../core/errors.ts";
import { RECENT_PROGRESS_MAX } from "../core/limits.ts";
import { HostedInspection, type QueryInspection } from "./query-inspection.ts";
import { progressReport } from "./progress-report.ts";
import type { QueryHost } from "./query-host.ts";
import type { NodeServices } from "./services.ts";
import type { StreamingQuery, StreamingQueryProgress, StreamingQueryStatus } from "./streaming-query.ts";
import type { ExplainMode } from "./runtime.ts";

export class HostedQuery implements StreamingQuery {
  readonly #host: QueryHost;
  readonly inspection: QueryInspection;
  readonly #services: NodeServices;
  readonly #explain: (mode: ExplainMode) => string;
  readonly #recent: StreamingQueryProgress[] = [];
  readonly #onProgress: (p: StreamingQueryProgress) => void;
  #reported: number;
  #reportedAtMs: number | undefined;

  constructor(
    host: QueryHost,
    services: NodeServices,
    explain: (mode: ExplainMode) => string,
    onProgress: (p: StreamingQueryProgress) => void,
  ) {
    this.#host = host;
    this.inspection = new HostedInspection(host, services);
    this.#services = services;
    this.#explain = explain;
    this.#onProgress = onProgress;
    this.#reported = host.follower.committed;
    host.follower.onChange(() => this.#collect());
  }

  get id(): string {
    return this.#host.follower.run?.queryId ?? this.#host.follower.latest?.entry.queryId ?? "";
  }
  get runId(): string {
    return this.#host.follower.run?.runId ?? this.#host.follower.latest?.entry.runId ?? "";
  }
  get name(): string {
    return this.#host.definition.name;
  }
  get isActive(): boolean {
    return !this.#host.ended;
  }
  get exception(): MillraceError | undefined {
    return this.#host.failure;
  }
  get lastProgress(): StreamingQueryProgress | undefined {
    return this.#recent.at(-1);
  }
  get recentProgress(): readonly StreamingQueryProgress[] {
    return [...this.#recent];
  }

  get status(): StreamingQueryStatus {
    const { follower } = this.#host;
    const working = (follower.latest?.entry.epoch ?? 0) > follower.committed;
    const message =
      follower.state === "failed"
        ? `Terminated with exception: ${follower.failure?.message ?? ""}`
        : this.#host.ended
          ? "Stopped"
          : working
            ? "Processing new data"
            : "Waiting for data to arrive";
    return { message, isDataAvailable: working, isTriggerActive: working };
  }

  /** Every commit entry is one progress, on all nodes the same. */
  #collect(): void {
    const { follower, definition, sources } = this.#host;
    const commit = follower.lastCommit;
    if (commit === undefined || commit.epoch <= this.#reported) return;
    this.#reported = commit.epoch;
    const entry = follower.known(commit.epoch);
    if (entry === undefined) return;
    const report = progressReport({
      definition,
      entry,
      commit,
      sources,
      previousEndMs: this.#reportedAtMs,
      before: follower.known(commit.epoch - 1),
    });
    this.#reportedAtMs = commit.progress.endMs;
    this.#recent.push(report);
    if (this.#recent.length > RECENT_PROGRESS_MAX) this.#recent.shift();
    this.#onProgress(report);
  }

  stop(): Promise<void> {
    return this.#host.stop();
  }

  async awaitTermination(timeoutMs?: number): Promise<boolean> {
    const abort = new AbortController();
    if (timeoutMs !== undefined)
      void sleep(this.#services.clock, timeoutMs, abort.signal).then(() => abort.abort());
    await this.#host.untilEnded(abort.signal);
    const timedOut = abort.signal.aborted && !this.#host.ended;
    abort.abort();
    const { failure } = this.#host;
    if (failure !== undefined) throw failure;
    return !timedOut;
  }

  async processAllAvailable(): Promise<void> {
    await this.#host.processAllAvailable();
    const { failure } = this.#host;
    if (failure !== undefined) throw failure;
  }

  explain(mode: ExplainMode = "simple"): string {
    return this.#explain(mode);
  }

  rescale(partitions: number): Promise<void> {
    return this.#host.rescale(partitions);
  }
}
