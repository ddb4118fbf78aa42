/** Before a query starts its sink's target is asked, so that `start()` says what is missing there, not the first epoch. */
import { sinkFactory } from "../connectors/registry.ts";
import type { SinkContext } from "../connectors/sink.ts";
import { sleep } from "../core/clock.ts";
import { ConfigurationError } from "../core/errors.ts";
import { REQUEST_TIMEOUT_MS } from "../core/limits.ts";
import type { PhysicalPlan } from "../plan/physical.ts";

/** Throws ConfigurationError where the target refuses what the sink would write. One that cannot be asked, or does not answer in time, is waited for by the query. */
export const refuseTarget = async (
  { stages }: PhysicalPlan,
  services: Pick<SinkContext, "store" | "clock">,
): Promise<void> => {
  const sink = stages.find((s) => s.sink !== undefined)?.sink;
  const asked = sink === undefined ? undefined : sinkFactory(sink.format).checkTarget?.(sink, services);
  if (asked === undefined) return;
  const answered = new AbortController();
  const refusal = asked.then(
    () => undefined,
    (e: unknown) => (e instanceof ConfigurationError ? e : undefined),
  );
  const late = sleep(services.clock, REQUEST_TIMEOUT_MS, answered.signal).then(() => undefined);
  const error = await Promise.race([refusal, late]);
  answered.abort();
  if (error !== undefined) throw error;
};
