/** Sums what the actors of an epoch report into the progress that its commit entry carries to all nodes. */
import type { Value } from "../src/core/value.ts";
import type { EvaluationContext } from "../src/expr/contract.ts";
import { toUserValue } from "../src/expr/user-values.ts";
import { mergeObserved, type ObserveSpec } from "../src/operators/observe.ts";
import { operatorsOf } from "../src/runtime/empty-epoch.ts";
import type { PhysicalPlan } from "../src/plan/physical.ts";
import type {
  ActorWork,
  EpochEntry,
  EpochProgress,
  EventTimeStats,
  OperatorProgress,
} from "../src/runtime/entries.ts";
import type { Json } from "../src/connectors/source.ts";

const addOperator = (a: OperatorProgress | undefined, b: OperatorProgress): OperatorProgress =>
  a === undefined
    ? b
    : {
        rowsTotal: a.rowsTotal + b.rowsTotal,
        bytes: a.bytes + b.bytes,
        rowsUpdated: a.rowsUpdated + b.rowsUpdated,
        rowsRemoved: a.rowsRemoved + b.rowsRemoved,
        rowsLate: a.rowsLate + b.rowsLate,
        commitMs: Math.max(a.commitMs, b.commitMs),
        partitions: a.partitions + b.partitions,
        ...(a.spilledBytes === undefined && b.spilledBytes === undefined
          ? {}
          : {
              spilledRows: (a.spilledRows ?? 0) + (b.spilledRows ?? 0),
              spilledBytes: (a.spilledBytes ?? 0) + (b.spilledBytes ?? 0),
            }),
      };

const addTimes = (a: EventTimeStats | undefined, b: EventTimeStats): EventTimeStats =>
  a === undefined
    ? b
    : {
        min: Math.min(a.min, b.min),
        max: Math.max(a.max, b.max),
        sum: a.sum + b.sum,
        count: a.count + b.count,
      };

export const progressOf = (
  plan: PhysicalPlan,
  entry: EpochEntry,
  work: readonly { readonly stage: number; readonly work: ActorWork }[],
  times: Pick<EpochProgress, "startMs" | "endMs" | "durationMs">,
  timeZone: string,
): EpochProgress => {
  const inputRows: Record<string, number> = {};
  const operators: Record<string, OperatorProgress> = {};
  const eventTime: Record<string, EventTimeStats> = {};
  const seen: Record<string, (readonly Value[])[]> = {};
  let outputRows = 0;
  let lateRows = 0;
  for (const { stage, work: w } of work) {
    const of = plan.stages.find((s) => s.id === stage);
    if (of?.source !== undefined) inputRows[of.source.id] = (inputRows[of.source.id] ?? 0) + w.inputRows;
    if (of?.sink !== undefined) outputRows += w.outputRows;
    lateRows += w.lateRows;
    for (const [id, o] of Object.entries(w.operators)) operators[id] = addOperator(operators[id], o);
    for (const [id, t] of Object.entries(w.eventTime)) eventTime[id] = addTimes(eventTime[id], t);
    for (const [id, states] of Object.entries(w.observed))
      if (states !== null) (seen[id] ??= []).push(states as unknown as readonly Value[]);
  }
  const observed = observedMetrics(plan, seen, { clockMs: entry.clockMs, timeZone });
  return {
    ...times,
    startMs: Math.min(times.startMs, entry.clockMs),
    inputRows,
    outputRows,
    lateRows,
    operators,
    eventTime,
    observed,
  };
};

/** `observe()` metrics of the epoch by name, as JSON: a row of named values each. */
const observedMetrics = (
  plan: PhysicalPlan,
  states: Readonly<Record<string, readonly (readonly Value[])[]>>,
  context: EvaluationContext,
): Record<string, Json> => {
  const out: Record<string, Json> = {};
  for (const node of operatorsOf(plan)) {
    if (node.kind !== "observe") continue;
    const spec = node.spec as ObserveSpec;
    const row = mergeObserved(spec, states[node.id] ?? [], context);
    out[spec.name] = Object.fromEntries(
      spec.metrics
        .map((m, i) => [m.name, toUserValue(row[i]!, m.expr.type)] as const)
        .map(([k, v]) => [k, plainJson(v)]),
    );
  }
  return out;
};

const plainJson = (v: unknown): Json =>
  v === undefined
    ? null
    : (JSON.parse(JSON.stringify(v, (_, x: unknown) => (typeof x === "bigint" ? x.toString() : x))) as Json);
