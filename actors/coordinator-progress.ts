/** Sums what the actors of an epoch report into the progress that its commit entry carries to all nodes. */
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
  startMs: number,
  endMs: number,
): EpochProgress => {
  const inputRows: Record<string, number> = {};
  const operators: Record<string, OperatorProgress> = {};
  const eventTime: Record<string, EventTimeStats> = {};
  const observed: Record<string, Json> = {};
  let outputRows = 0;
  let lateRows = 0;
  for (const { stage, work: w } of work) {
    const of = plan.stages.find((s) => s.id === stage);
    if (of?.source !== undefined) inputRows[of.source.id] = (inputRows[of.source.id] ?? 0) + w.inputRows;
    if (of?.sink !== undefined) outputRows += w.outputRows;
    lateRows += w.lateRows;
    for (const [id, o] of Object.entries(w.operators)) operators[id] = addOperator(operators[id], o);
    for (const [id, t] of Object.entries(w.eventTime)) eventTime[id] = addTimes(eventTime[id], t);
    Object.assign(observed, w.observed);
  }
  return {
    startMs: Math.min(startMs, entry.clockMs),
    endMs,
    inputRows,
    outputRows,
    lateRows,
    operators,
    eventTime,
    observed,
  };
};
