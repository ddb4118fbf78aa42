/**
 * What the runtime counts. The interface is here, so that actors need no metrics library; `src/http` fills it with prom-client, tests with plain
 * counters. Labels as DESIGN section 10 has them.
 */
export interface ActorLabels {
  readonly query: string;
  readonly stage: number;
  readonly partition: number;
}

export interface MissingActor {
  readonly stage: number;
  readonly partition: number;
  /** The node it is assigned to; "" for none. */
  readonly node: string;
}

export interface RuntimeMetrics {
  rowsIn(labels: ActorLabels, rows: number): void;
  rowsOut(labels: ActorLabels, rows: number): void;
  rowsLate(labels: ActorLabels, rows: number): void;
  framesReplayed(labels: ActorLabels, frames: number): void;
  epochSeconds(labels: ActorLabels, seconds: number): void;
  state(labels: ActorLabels, rows: number, bytes: number): void;
  snapshot(labels: ActorLabels, bytes: number): void;
  restart(labels: ActorLabels): void;
  /** Coordinator: epochs committed, watermark lag and backlog. */
  epochCommitted(query: string, epoch: number, seconds: number): void;
  /** Coordinator: how long the oldest planned epoch has waited, and the actors that have not acknowledged it. */
  epochWaiting(query: string, seconds: number, missing: readonly MissingActor[]): void;
  watermark(query: string, watermarkMs: number, lagMs: number): void;
  backlog(query: string, source: string, offsets: number): void;
}

const nothing = (): void => {};

/** Counts nothing. */
export const NO_METRICS: RuntimeMetrics = {
  rowsIn: nothing,
  rowsOut: nothing,
  rowsLate: nothing,
  framesReplayed: nothing,
  epochSeconds: nothing,
  state: nothing,
  snapshot: nothing,
  restart: nothing,
  epochCommitted: nothing,
  epochWaiting: nothing,
  watermark: nothing,
  backlog: nothing,
};
