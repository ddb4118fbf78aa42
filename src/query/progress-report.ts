/** Spark's StreamingQueryProgress from a commit entry (spark.md 1.18). Pure: every node makes the same. */
import type { Json, Source } from "../connectors/source.ts";
import { operatorsOf } from "../runtime/empty-epoch.ts";
import type { CommitEntry, EpochEntry } from "../runtime/entries.ts";
import { sinkFactory } from "../connectors/registry.ts";
import { isStageInput, type OperatorNode, type StageInput } from "../operators/operator.ts";
import { operatorKind } from "../operators/registry.ts";
import type { QueryDefinition } from "./query-host.ts";
import type { SourceProgress, StateOperatorProgress, StreamingQueryProgress } from "./streaming-query.ts";

export interface ReportInput {
  readonly definition: QueryDefinition;
  readonly entry: EpochEntry;
  readonly commit: CommitEntry;
  readonly sources: ReadonlyMap<string, Source>;
  /** End of the progress before, for the input rate. */
  readonly previousEndMs: number | undefined;
  readonly before: EpochEntry | undefined;
}

const iso = (ms: number): string => new Date(ms).toISOString();
const perSecond = (rows: number, ms: number): number => (ms <= 0 ? 0 : Math.round((rows * 10_000) / ms) / 10);

const phaseOf = (node: OperatorNode): string | undefined => (node.spec as { readonly phase?: string }).phase;

/** The stages' edges that reach an operator. */
const edgesBelow = (node: OperatorNode | StageInput): readonly string[] =>
  isStageInput(node) ? [node.edge] : node.inputs.flatMap(edgesBelow);

/** Late rows of the partial phases in front of an operator: they are dropped there, before the exchange. */
const droppedBefore = (node: OperatorNode, { definition, commit }: ReportInput): number => {
  if (phaseOf(node) !== "final") return 0;
  const edges = new Set(edgesBelow(node));
  return definition.plan.stages
    .filter((s) => s.outputs.some((e) => edges.has(e.id)))
    .map((s) => s.root)
    .filter((root) => !isStageInput(root) && root.kind === node.kind && phaseOf(root) === "partial")
    .reduce((n, root) => n + (commit.progress.operators[(root as OperatorNode).id]?.rowsLate ?? 0), 0);
};

const stateOperators = (input: ReportInput): readonly StateOperatorProgress[] => {
  const out: StateOperatorProgress[] = [];
  for (const node of operatorsOf(input.definition.plan)) {
    const o = input.commit.progress.operators[node.id];
    if (o === undefined || phaseOf(node) === "partial" || !operatorKind(node.kind).stateful) continue;
    out.push({
      operatorName: node.kind,
      numRowsTotal: o.rowsTotal,
      numRowsUpdated: o.rowsUpdated,
      allUpdatesTimeMs: 0,
      numRowsRemoved: o.rowsRemoved,
      allRemovalsTimeMs: 0,
      commitTimeMs: Math.round(o.commitMs),
      memoryUsedBytes: o.bytes,
      numRowsDroppedByWatermark: o.rowsLate + droppedBefore(node, input),
      numShufflePartitions: o.partitions,
      numStateStoreInstances: o.partitions,
      customMetrics:
        o.spilledBytes === undefined ? {} : { spilledRows: o.spilledRows ?? 0, spilledBytes: o.spilledBytes },
    });
  }
  return out;
};

const sourceProgress = (input: ReportInput, tookMs: number, sinceMs: number): readonly SourceProgress[] =>
  [...input.sources].map(([id, source]) => {
    const rows = input.commit.progress.inputRows[id] ?? 0;
    const end: Json = input.entry.ends[id] ?? null;
    return {
      description: source.description,
      startOffset: input.before?.ends[id] ?? null,
      endOffset: end,
      latestOffset: end,
      numInputRows: rows,
      inputRowsPerSecond: perSecond(rows, sinceMs),
      processedRowsPerSecond: perSecond(rows, tookMs),
      metrics: {},
    };
  });

/** In Spark's order. The sources are asked before the epoch begins. */
const durationsOf = ({ durationMs }: CommitEntry["progress"], tookMs: number): Record<string, number> => {
  const { latestOffset = 0 } = durationMs ?? {};
  const all = { ...durationMs, triggerExecution: tookMs + latestOffset };
  return Object.fromEntries(Object.entries(all).toSorted(([a], [b]) => (a < b ? -1 : 1)));
};

export const progressReport = (input: ReportInput): StreamingQueryProgress => {
  const { definition, entry, commit } = input;
  const { startMs, endMs, inputRows, outputRows, eventTime, observed } = commit.progress;
  const tookMs = Math.max(0, Math.round(endMs - startMs));
  const sinceMs = input.previousEndMs === undefined ? tookMs : endMs - input.previousEndMs;
  const rows = Object.values(inputRows).reduce((a, b) => a + b, 0);
  const times = Object.values(eventTime)[0];
  const watermark = definition.plan.watermarks.length === 0 ? {} : { watermark: iso(entry.watermark) };
  return {
    id: entry.queryId,
    runId: entry.runId,
    name: definition.name,
    timestamp: iso(startMs),
    batchId: entry.epoch - 1,
    batchDuration: tookMs,
    numInputRows: rows,
    inputRowsPerSecond: perSecond(rows, sinceMs),
    processedRowsPerSecond: perSecond(rows, tookMs),
    durationMs: durationsOf(commit.progress, tookMs),
    eventTime:
      times === undefined || times.count === 0
        ? watermark
        : { min: iso(times.min), max: iso(times.max), avg: iso(times.sum / times.count), ...watermark },
    stateOperators: stateOperators(input),
    sources: sourceProgress(input, tookMs, sinceMs),
    sink: {
      description: sinkFactory(definition.plan.sinkSpec.format).describe(definition.plan.sinkSpec),
      numOutputRows: outputRows,
    },
    observedMetrics: observed,
  };
};
