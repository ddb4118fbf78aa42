/** A CPU profile of a piece of work alone: neither the start of the process nor the loading of its modules. */
import { writeFileSync } from "node:fs";
import { Session } from "node:inspector/promises";

const SAMPLE_US = 500;

/** Writes a `.cpuprofile` to `path`, where one is given. */
export const profiled = async <A>(path: string | undefined, work: () => Promise<A>): Promise<A> => {
  if (path === undefined) return work();
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.setSamplingInterval", { interval: SAMPLE_US });
  await session.post("Profiler.start");
  const result = await work();
  const { profile } = await session.post("Profiler.stop");
  session.disconnect();
  writeFileSync(path, JSON.stringify(profile));
  return result;
};
