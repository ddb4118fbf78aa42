/**
 * The runtime's counters as Prometheus metrics: `millrace_<noun>_<unit>[_total]` with labels query, stage, partition, source (DESIGN section 10).
 * Called once an epoch and actor, never per row.
 */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";
import type { ActorLabels, MissingActor, RuntimeMetrics } from "../runtime/metrics.ts";

const ACTOR = ["query", "stage", "partition"] as const;
const EPOCH_SECONDS_BUCKETS = [
  0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
];

const labelsOf = (l: ActorLabels): Record<(typeof ACTOR)[number], string | number> => ({
  query: l.query,
  stage: l.stage,
  partition: l.partition,
});

export class PrometheusMetrics implements RuntimeMetrics {
  readonly registry = new Registry();
  readonly #rowsIn = this.#counter("input_rows", "Rows that entered an actor");
  readonly #rowsOut = this.#counter("output_rows", "Rows that left an actor");
  readonly #rowsLate = this.#counter("late_rows", "Rows dropped because the watermark had passed them");
  readonly #replayed = this.#counter("replayed_frames", "Frames read again after a restart");
  readonly #snapshotBytes = this.#counter("snapshot_bytes", "Bytes uploaded into snapshots");
  readonly #restarts = this.#counter("restarts", "Restarts of actors");
  readonly #stateRows = this.#gauge("state_rows", "Rows of state", ACTOR);
  readonly #stateBytes = this.#gauge("state_bytes", "Bytes of state, estimated", ACTOR);
  readonly #watermark = this.#gauge("watermark_timestamp_seconds", "Event-time watermark", ["query"]);
  readonly #watermarkLag = this.#gauge("watermark_lag_seconds", "Wall clock minus watermark", ["query"]);
  readonly #sourceLag = this.#gauge("source_lag_offsets", "Offsets that wait to be planned", [
    "query",
    "source",
  ]);
  readonly #waiting = this.#gauge(
    "epoch_waiting_seconds",
    "Time the oldest planned epoch has waited for its commit, set where the coordinator runs",
    ["query"],
  );
  readonly #missing = this.#gauge(
    "epoch_missing_acknowledgements",
    "1 for each actor that an epoch waits for longer than its limit",
    [...ACTOR, "node"],
  );
  #told: readonly (ActorLabels & MissingActor)[] = [];
  readonly #epoch = this.#gauge("committed_epoch_number", "Newest committed epoch", ["query"]);
  readonly #epochs: Counter<"query">;
  readonly #epochSeconds: Histogram<"query">;
  readonly #stageSeconds: Histogram<"query" | "stage">;

  constructor() {
    const registers = [this.registry];
    this.#epochs = new Counter({
      name: "millrace_epochs_total",
      help: "Epochs committed, counted where the coordinator runs",
      labelNames: ["query"],
      registers,
    });
    this.#epochSeconds = new Histogram({
      name: "millrace_epoch_seconds",
      help: "From planning an epoch to its commit",
      labelNames: ["query"],
      buckets: EPOCH_SECONDS_BUCKETS,
      registers,
    });
    this.#stageSeconds = new Histogram({
      name: "millrace_stage_epoch_seconds",
      help: "From an actor's first row of an epoch to its last",
      labelNames: ["query", "stage"],
      buckets: EPOCH_SECONDS_BUCKETS,
      registers,
    });
    collectDefaultMetrics({ register: this.registry });
  }

  #counter(noun: string, help: string): Counter<(typeof ACTOR)[number]> {
    return new Counter({
      name: `millrace_${noun}_total`,
      help,
      labelNames: ACTOR,
      registers: [this.registry],
    });
  }

  #gauge<L extends string>(name: string, help: string, labelNames: readonly L[]): Gauge<L> {
    return new Gauge({
      name: `millrace_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [this.registry],
    });
  }

  rowsIn(l: ActorLabels, rows: number): void {
    this.#rowsIn.inc(labelsOf(l), rows);
  }
  rowsOut(l: ActorLabels, rows: number): void {
    this.#rowsOut.inc(labelsOf(l), rows);
  }
  rowsLate(l: ActorLabels, rows: number): void {
    this.#rowsLate.inc(labelsOf(l), rows);
  }
  framesReplayed(l: ActorLabels, frames: number): void {
    this.#replayed.inc(labelsOf(l), frames);
  }
  epochSeconds(l: ActorLabels, seconds: number): void {
    this.#stageSeconds.observe({ query: l.query, stage: l.stage }, seconds);
  }
  state(l: ActorLabels, rows: number, bytes: number): void {
    const labels = labelsOf(l);
    this.#stateRows.set(labels, rows);
    this.#stateBytes.set(labels, bytes);
  }
  snapshot(l: ActorLabels, bytes: number): void {
    this.#snapshotBytes.inc(labelsOf(l), bytes);
  }
  restart(l: ActorLabels): void {
    this.#restarts.inc(labelsOf(l));
  }
  epochCommitted(query: string, epoch: number, seconds: number): void {
    this.#epochs.inc({ query });
    this.#epoch.set({ query }, epoch);
    this.#epochSeconds.observe({ query }, Math.max(0, seconds));
  }
  epochWaiting(query: string, seconds: number, missing: readonly MissingActor[]): void {
    this.#waiting.set({ query }, seconds);
    for (const l of this.#told) if (l.query === query) this.#missing.remove({ ...labelsOf(l), node: l.node });
    const now = missing.map((m) => ({ query, ...m }));
    for (const l of now) this.#missing.set({ ...labelsOf(l), node: l.node }, 1);
    this.#told = [...this.#told.filter((l) => l.query !== query), ...now];
  }
  watermark(query: string, watermarkMs: number, lagMs: number): void {
    this.#watermark.set({ query }, watermarkMs / 1000);
    this.#watermarkLag.set({ query }, lagMs / 1000);
  }
  backlog(query: string, source: string, offsets: number): void {
    this.#sourceLag.set({ query, source }, offsets);
  }

  text(): Promise<string> {
    return this.registry.metrics();
  }
}
