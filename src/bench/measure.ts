/** What a piece of work cost this process. */
import { constants, PerformanceObserver } from "node:perf_hooks";

export interface Measured {
  readonly seconds: number;
  /** User and system time of this process, all threads. */
  readonly cpuSeconds: number;
  /** The process's peak so far: of a fresh process it is the work's. */
  readonly peakRssMb: number;
  /** Part of the time in which the garbage collector stopped the program. */
  readonly gcShare: number;
  /** The longest of these stops. */
  readonly gcPauseMaxMs: number;
}

const round = (x: number, digits: number): number => Number(x.toFixed(digits));

export const measure = async (work: () => Promise<void>): Promise<Measured> => {
  let [gcMs, longest] = [0, 0];
  const observer = new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      const kind = (entry as { detail?: { kind?: number } }).detail?.kind;
      if (kind === constants.NODE_PERFORMANCE_GC_INCREMENTAL) continue;
      gcMs += entry.duration;
      longest = Math.max(longest, entry.duration);
    }
  });
  observer.observe({ entryTypes: ["gc"] });
  const cpu = process.cpuUsage();
  const start = performance.now();
  await work();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  // Entries are delivered by a task of their own.
  await new Promise((resolve) => setImmediate(resolve));
  observer.disconnect();
  return {
    seconds: round(seconds, 3),
    cpuSeconds: round((user + system) / 1e6, 3),
    peakRssMb: Math.round(process.resourceUsage().maxRSS / 1024),
    gcShare: round(gcMs / 1000 / seconds, 4),
    gcPauseMaxMs: round(longest, 1),
  };
};
