/**
 * A query of the typed API against one list of rows: run straight, killed after every epoch (disks kept and lost in turn), and rescaled under way.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { OutputMode } from "../../src/connectors/sink.ts";
import { MemoryBackend } from "../../src/state/backend.ts";
import { FrameCluster, type Writer } from "./frame-cluster.ts";

type Frame = ReturnType<FrameCluster["source"]>["frame"];
type Input = readonly [k: string, v: number, ms: number];
/** Time that passes, then rows, which are one epoch. */
export interface Step {
  readonly passMs?: number;
  readonly rows: readonly Input[];
  /** Rows of the second source, if the query has one. */
  readonly others?: readonly Input[];
}

export interface FrameCase {
  readonly name: string;
  /** Of the sources a and b; the second is made when it is asked for. */
  readonly query: (a: Frame, f: FrameCluster, b: () => Frame) => Writer;
  readonly mode?: OutputMode;
  readonly steps: readonly Step[];
  /** All rows that the sink gets, in any order. */
  readonly rows: readonly (readonly unknown[])[];
}

const plain = (row: readonly unknown[]): string =>
  JSON.stringify(row, (_, v: unknown) => (typeof v === "bigint" ? Number(v) : v));

type Run = (f: FrameCluster, epoch: number) => Promise<void>;
const RUNS: Readonly<Record<string, readonly [partitions: number, between: Run]>> = {
  "run straight": [1, async () => {}],
  "killed after every epoch": [3, (f, epoch) => f.crash(epoch % 2 === 0 ? "lost" : "kept")],
  "rescaled from 1 to 4 to 2": [
    1,
    async (f, epoch) => {
      const to = [4, undefined, 2][epoch];
      if (to === undefined) return;
      await (await f.query()).rescale(to);
      await f.settle();
    },
  ],
};

const run = async (
  c: FrameCase,
  [partitions, between]: readonly [number, Run],
): Promise<readonly string[]> => {
  // In memory: waiting for a disk would move the clock, and timers of the clock with it.
  const f = new FrameCluster({ partitions, backend: async () => new MemoryBackend() });
  const a = f.source("a");
  let b: typeof a | undefined;
  const writer = c.query(a.frame, f, () => (b ??= f.source("b")).frame);
  await f.start(writer, { outputMode: c.mode ?? "append" });
  for (const [i, { rows, others = [], passMs = 0 }] of c.steps.entries()) {
    await f.cluster.advanceTime(passMs);
    await f.settle();
    await a.add(rows);
    await b?.add(others);
    await f.settle();
    await between(f, i);
  }
  await f.settle();
  const found = f.sink.rows().map(plain).sort();
  await f.close();
  return found;
};

/** Registers the tests of a case. */
export const testInAllRuns = (c: FrameCase): void => {
  for (const [how, way] of Object.entries(RUNS))
    test(`${c.name}: ${how}`, async () => {
      assert.deepEqual(await run(c, way), c.rows.map(plain).sort());
    });
};
