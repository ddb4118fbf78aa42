/**
 * What a session needs to run its frames: made by src/node for programs (broker, disk, real time), by src/testing for tests. The API knows only this.
 */
import type { Row } from "../core/value.ts";
import type { Schema } from "../core/schema.ts";
import type { SinkSpec, OutputMode } from "../connectors/sink.ts";
import type { Relation } from "../plan/relation.ts";
import type { Catalog } from "../plan/catalog.ts";
import type { Trigger } from "../runtime/trigger.ts";
import type { StreamingQuery, StreamingQueryManager } from "./streaming-query.ts";

/** A query to start: unresolved relation, sink and settings, as `writeStream` collected them. */
export interface StartRequest {
  /** Undefined: a name is made up; refused on NATS, where the name is the checkpoint's. */
  readonly name: string | undefined;
  readonly relation: Relation;
  readonly catalog: Catalog;
  readonly outputMode: OutputMode;
  readonly trigger: Trigger;
  readonly sink: SinkSpec;
  readonly partitions: number | undefined;
  /** What becomes of a row that cannot be computed; default "fail". */
  readonly onError?: "fail" | "skip" | "deadLetter";
}

export type ExplainMode = "simple" | "extended" | "codegen" | "cost";

/** A query to explain as it would start. */
export type ExplainRequest = Pick<StartRequest, "relation" | "catalog" | "sink"> & Partial<StartRequest>;

export interface SessionRuntime {
  /** Analyses and starts; AnalysisError before anything connects. */
  start(request: StartRequest): Promise<StreamingQuery>;
  /** Runs a batch relation to its end. */
  collect(
    relation: Relation,
    catalog: Catalog,
  ): Promise<{ readonly schema: Schema; readonly rows: readonly Row[] }>;
  /** The relation's columns, without running anything. Throws AnalysisError. */
  analyse(relation: Relation, catalog: Catalog): { readonly schema: Schema; readonly streaming: boolean };
  /** `sink` undefined: explains the frame itself. */
  explain(
    request: Pick<StartRequest, "relation" | "catalog"> & Partial<StartRequest>,
    mode: ExplainMode,
  ): string;
  /** As `explain` of a query, after the sink has looked at its target where a broker is configured: which fence it uses there. */
  explainThere?(request: ExplainRequest, mode: ExplainMode): Promise<string>;
  readonly queries: StreamingQueryManager;
  close(): Promise<void>;
}
