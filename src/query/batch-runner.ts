/** Runs a batch plan in this process: sources read to their end, one operator tree, one epoch that closes everything. */
import { type Batch, batchFromRows } from "../core/batch.ts";
import type { Clock } from "../core/clock.ts";
import { sourceFactory } from "../connectors/registry.ts";
import type { SourceSpec } from "../connectors/source.ts";
import type { Row } from "../core/value.ts";
import type { LogStore } from "../log/log.ts";
import type { BatchPlan } from "../plan/physical-planner.ts";
import { Chain } from "../runtime/chain.ts";
import { MemoryBackend } from "../state/backend.ts";
import { StateStore } from "../state/store.ts";

export interface BatchServices {
  readonly clock: Clock;
  readonly timeZone: string;
  /** Asked for only when a source needs a broker. */
  readonly store: () => Promise<LogStore>;
}

const ROWS_PER_BATCH = 4096;
const NO_LINEAGE = { checkpoint: "", stage: 0, topology: 1, partition: 0, fingerprint: "" };

async function* readSource(
  spec: SourceSpec,
  sourceId: string,
  services: BatchServices,
): AsyncIterable<Batch> {
  if (spec.format === "rows") {
    const rows = spec.handle as readonly Row[];
    for (let i = 0; i < rows.length; i += ROWS_PER_BATCH)
      yield batchFromRows(spec.schema, rows.slice(i, i + ROWS_PER_BATCH));
    return;
  }
  const { clock, timeZone } = services;
  const context = { store: await services.store(), clock, queryName: "batch", sourceId, timeZone };
  const factory = sourceFactory(spec.format);
  factory.validate(spec.options, "batch");
  const source = factory.create(spec, context, "batch");
  const enumerator = source.enumerator();
  const reader = source.reader();
  const signal = new AbortController().signal;
  try {
    await enumerator.open(undefined);
    for (let ranges = await enumerator.plan({}); ranges.length > 0; ranges = await enumerator.plan({}))
      for (const range of ranges) yield* reader.read(range, signal);
  } finally {
    await reader.close();
    await enumerator.close();
  }
}

/** The result's batches, in the order the plan gives them. */
export const runBatchPlan = async (plan: BatchPlan, services: BatchServices): Promise<readonly Batch[]> => {
  const out: Batch[] = [];
  const store = new StateStore(new MemoryBackend(), "batch", NO_LINEAGE);
  const chain = new Chain(plan.root, store, { index: 0, of: 1 }, (b) => void out.push(b), {
    clock: services.clock,
  });
  chain.restored();
  const clockMs = services.clock.now();
  chain.begin({
    epoch: 1,
    clockMs,
    timeZone: services.timeZone,
    watermark: 0,
    lateWatermark: 0,
    final: true,
  });
  for (let i = 0; i < plan.sources.length; i++)
    for await (const batch of readSource(plan.sources[i]!, `b${i}`, services))
      await chain.feed(`source:${i}`, batch);
  await chain.end();
  await chain.close();
  return out;
};
