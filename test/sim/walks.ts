/** Runs many walks and fails with the seed of the first that is wrong. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { walk } from "./walk.ts";

const given = process.env["MILLRACE_SEED"];
/** Walks of one build, over both files. */
const WALKS = Number(process.env["MILLRACE_WALKS"] ?? 1_000);

/** Half of the walks of a build: two files, so that two processes share them. */
export const testWalks = (half: 0 | 1): void => {
  const count = Math.ceil(WALKS / 2);
  const base = given === undefined ? Math.floor(Date.now() / 1000) % 1_000_000_000 : Number(given);
  test(`${count} random walks over all faults from seed ${base + half * count}`, async () => {
    for (let i = 0; i < count; i++) {
      const seed = base + half * count + i;
      const { problem, trace } = await walk(seed);
      assert.equal(
        problem,
        undefined,
        `MILLRACE_SEED=${seed} MILLRACE_WALKS=1: ${problem}\n  ${trace.join("\n  ")}`,
      );
    }
  });
};
