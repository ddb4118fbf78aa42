/** All 700 cases of streams-wide.json: at 1 and 4 partitions, and with a kill after every step. Continuous integration runs a part of them. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { runStreamsTogether } from "../golden/runners.ts";

const AT_A_TIME = 6;
const FILE = new URL("../golden/cases/streams-wide.json", import.meta.url);
const { cases } = JSON.parse(readFileSync(FILE, "utf8")) as { cases: readonly object[] };

for (const [partitions, restartEveryEpoch] of [
  [1, false],
  [4, false],
  [4, true],
] as const)
  test(`streams-wide.json gives what Spark gave: ${partitions} partitions${restartEveryEpoch ? ", killed after every step" : ""}`, async () => {
    const results = await runStreamsTogether(cases, { partitions, restartEveryEpoch, filter: "" }, AT_A_TIME);
    assert.ok(results.length >= 700);
    assert.deepEqual(
      results.filter((r) => r.difference !== undefined).map((r) => `${r.name}\n${r.difference}`),
      [],
    );
  });
