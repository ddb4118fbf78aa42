/**
 * One query in several processes that share the embedded log of their parent, as `millrace run --workers N` has it. The processes are started and have
 * loaded their code before the clock runs.
 */
import type { ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { LogStore } from "../log/log.ts";
import { serveEmbedded } from "../node/log-host.ts";
import { WORKER_NODE_OPTIONS } from "../node/workers.ts";
import { startChild } from "./child.ts";
import { type Measured, measure } from "./measure.ts";

/** Plain data: where a worker finds the others. */
export interface WorkerPlace {
  readonly index: number;
  readonly of: number;
  readonly address: string;
  readonly session: string;
  /** Of its own, for state. */
  readonly directory: string;
}

const READY = "bench.ready";
const GO = "bench.go";
const READY_REPEAT_MS = 20;

/** In a worker: says that it is there until it is told to begin. */
export const untilAllAreReady = async (store: LogStore, place: WorkerPlace): Promise<void> => {
  const say = (): void => store.bus.publish(READY, Uint8Array.of(place.index));
  const timer = setInterval(say, READY_REPEAT_MS);
  await new Promise<void>((resolve) => store.bus.subscribe(GO, () => resolve()));
  clearInterval(timer);
};

const outcomeOf = <Outcome>(child: ChildProcess): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    let [out, error] = ["", ""];
    child.stdout!.on("data", (chunk: Buffer) => {
      out += chunk.toString();
      if (out.endsWith("\n")) resolve(JSON.parse(out.trim().split("\n").at(-1)!) as Outcome);
    });
    child.stderr!.on("data", (chunk: Buffer) => void (error += chunk.toString()));
    child.once("close", (code) => reject(new Error(`a worker ended with ${code}: ${error.slice(-2000)}`)));
  });

export interface WorkersMeasured extends Measured {
  /** CPU seconds of the process that serves the log, and of each worker. */
  readonly logCpuSeconds: number;
  readonly workerCpuSeconds: readonly number[];
}

const sum = (numbers: readonly number[]): number => Number(numbers.reduce((a, b) => a + b, 0).toFixed(3));

/** Starts `work` with `parameters` and a place in `count` processes, and measures from the common start until each has given its outcome. */
export const inWorkers = async <Outcome extends Measured>(
  count: number,
  directory: string,
  work: string,
  parameters: object,
): Promise<{ readonly measured: WorkersMeasured; readonly outcomes: readonly Outcome[] }> => {
  const host = await serveEmbedded(directory);
  const session = `bench-${randomUUID().slice(0, 8)}`;
  const children: ChildProcess[] = [];
  try {
    const ready = new Set<number>();
    const allReady = new Promise<void>((resolve) => {
      host.store.bus.subscribe(READY, (who) => {
        ready.add(who[0]!);
        if (ready.size === count) resolve();
      });
    });
    for (let index = 0; index < count; index++) {
      const own = join(directory, `node-${index + 1}`);
      const place: WorkerPlace = { index, of: count, address: host.address, session, directory: own };
      children.push(startChild(work, { ...parameters, place }, false, WORKER_NODE_OPTIONS));
    }
    const ended = children.map((c) => outcomeOf<Outcome>(c));
    const failed = Promise.all(ended);
    await Promise.race([allReady, failed]);
    const served = await measure(async () => {
      host.store.bus.publish(GO, new Uint8Array());
      await failed;
    });
    const outcomes = await failed;
    const workerCpuSeconds = outcomes.map((o) => o.cpuSeconds);
    const measured: WorkersMeasured = {
      seconds: Math.max(...outcomes.map((o) => o.seconds)),
      cpuSeconds: sum([served.cpuSeconds, ...workerCpuSeconds]),
      peakRssMb: sum([served.peakRssMb, ...outcomes.map((o) => o.peakRssMb)]),
      gcShare: sum(outcomes.map((o) => o.gcShare / count)),
      gcPauseMaxMs: Math.max(...outcomes.map((o) => o.gcPauseMaxMs)),
      logCpuSeconds: served.cpuSeconds,
      workerCpuSeconds,
    };
    return { measured, outcomes };
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await host.close();
  }
};
