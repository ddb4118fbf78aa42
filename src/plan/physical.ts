/**
 * Physical plans: stages joined by exchanges. One stage is a tree of operators fused into one actor behaviour; its leaves are the
 * edges that reach its mailbox, or its source. Frozen plain data, the same on every node (its fingerprint is compared).
 */
import type { Schema } from "../core/schema.ts";
import type { TypedExpr } from "../expr/ast.ts";
import type { OperatorNode, StageInput } from "../operators/operator.ts";
import type { SinkSpec, OutputMode } from "../connectors/sink.ts";
import type { SourceSpec } from "../connectors/source.ts";

/** Rows from one stage to another. */
export interface Edge {
  /** Unique within the plan, `e0`, `e1`, …: frames carry it. */
  readonly id: string;
  readonly from: number;
  readonly to: number;
  readonly schema: Schema;
  /** Key columns (bound to `schema`) whose hash picks the partition; [] sends all rows to partition 0. */
  readonly hashBy: readonly TypedExpr[];
}

/** An event-time column whose maximum the stage reports (law 12). `slot` is bound to the output of the operator below it. */
export interface WatermarkColumn {
  readonly name: string;
  /** Columns of the same `withWatermark` count as one: below a union there are several, and where a view is read twice (Spark keeps one maximum per node, too). */
  readonly column: string;
  readonly delayMs: number;
  /** Id of the `watermark` operator that sees the column. */
  readonly operatorId: string;
  /** The stage that operator runs in. */
  readonly stage: number;
}

export interface StagePlan {
  readonly id: number;
  readonly kind: "source" | "stage" | "sink";
  /** "source": as many as the source wants; "keyed": the query's partitions; 1: a single actor. */
  readonly partitioning: "source" | "keyed" | 1;
  readonly root: OperatorNode | StageInput;
  readonly source: { readonly id: string; readonly spec: SourceSpec } | undefined;
  readonly inputs: readonly Edge[];
  readonly outputs: readonly Edge[];
  /** The sink fused into this stage. */
  readonly sink: SinkSpec | undefined;
}

export interface PhysicalPlan {
  readonly stages: readonly StagePlan[];
  readonly outputMode: OutputMode;
  readonly output: Schema;
  readonly watermarks: readonly WatermarkColumn[];
  readonly watermarkPolicy: "min" | "max";
  /** Hash of all that decides state and routing: operators with state, edges, sources. */
  readonly fingerprint: string;
  /** What the fingerprint covers, line by line, to name differences. */
  readonly fingerprintLines: readonly string[];
  /** Hash of the whole plan, stateless operators included: two programs that differ in it may not work on one epoch. */
  readonly program: string;
  readonly sinkSpec: SinkSpec;
  /** What becomes of a row that cannot be computed. */
  readonly onError: "fail" | "skip" | "deadLetter";
}
