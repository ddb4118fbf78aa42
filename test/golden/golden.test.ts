/**
 * The golden cases of Spark, run in process by the functions of the command-line runner: no difference but those that docs/differences.json lists.
 * The whole of it with restarts is `npx tsx test/golden/run.ts … --restart-every-epoch`; here a part of it, and a wrong case that must be found.
 */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import type { StreamCase } from "./streams-runner.ts";
import { knownDifferences, type Result, runnerOf, type RunOptions, runStreamsTogether } from "./runners.ts";

const here = fileURLToPath(new URL(".", import.meta.url));
const known = knownDifferences(join(here, "../../docs/differences.json"));
const RESTARTED_EVERY = 6;
const AT_A_TIME = 6;
/** The whole of it: test/nightly/golden-wide.test.ts. */
const WIDE_EVERY = 5;

const casesOf = (file: string): object =>
  JSON.parse(readFileSync(join(here, "cases", file), "utf8")) as object;

const streamCases = (): readonly StreamCase[] =>
  (casesOf("streams.json") as { cases: readonly StreamCase[] }).cases;

const run = async (data: object, options: Partial<RunOptions> = {}): Promise<readonly Result[]> => {
  const results: Result[] = [];
  const o = { partitions: 1, restartEveryEpoch: false, filter: "", ...options };
  await runnerOf(data)!("test", data as never, o, (r) => results.push(r));
  return results;
};

const assertNoDifference = (results: readonly Result[], least: number): void => {
  assert.ok(results.length >= least, `only ${results.length} cases ran`);
  const unknown = results.filter((r) => r.difference !== undefined && !known.has(r.name));
  assert.deepEqual(
    unknown.map((r) => `${r.name}\n${r.difference}`),
    [],
  );
};

for (const [file, least] of [
  ["expressions.json", 811],
  ["expressions-more.json", 1100],
  ["queries.json", 53],
  ["queries-more.json", 650],
  ["scripts.json", 60],
  ["scripts-more.json", 140],
] as const)
  test(`${file} gives what Spark gave`, async () => assertNoDifference(await run(casesOf(file)), least));

const runStreams = (cases: readonly object[], options: Partial<RunOptions>): Promise<readonly Result[]> =>
  runStreamsTogether(cases, { partitions: 1, restartEveryEpoch: false, filter: "", ...options }, AT_A_TIME);

for (const partitions of [1, 4])
  test(`streams.json gives what Spark gave, ${partitions} partitions`, async () =>
    assertNoDifference(await runStreams(streamCases(), { partitions }), 313));

test("streams-more.json gives what Spark gave, 3 partitions", async () => {
  const { cases } = casesOf("streams-more.json") as { cases: readonly StreamCase[] };
  assertNoDifference(await runStreams(cases, { partitions: 3 }), 382);
});

test("streams-rules.json gives what Spark gave, 2 partitions", async () => {
  const { cases } = casesOf("streams-rules.json") as { cases: readonly StreamCase[] };
  assertNoDifference(await runStreams(cases, { partitions: 2 }), 115);
});

test("streams-shapes.json: refused or not, as Spark, in every mode", async () => {
  const { cases } = casesOf("streams-shapes.json") as { cases: readonly StreamCase[] };
  assertNoDifference(await runStreams(cases, { partitions: 2 }), 302);
});

test("a part of streams-wide.json gives what Spark gave, 2 partitions", async () => {
  const { cases } = casesOf("streams-wide.json") as { cases: readonly StreamCase[] };
  const some = cases.filter((_, i) => i % WIDE_EVERY === 0);
  assertNoDifference(await runStreams(some, { partitions: 2 }), 140);
});

test("a part of streams.json with a kill after every step, 4 partitions", async () => {
  const some = streamCases().filter((_, i) => i % RESTARTED_EVERY === 0);
  assertNoDifference(await runStreams(some, { partitions: 4, restartEveryEpoch: true }), 50);
});

test("every known difference is one: a case that agrees leaves the list", async () => {
  const listed = streamCases().filter((c) => known.has(c.name));
  assert.equal(listed.length, known.size);
  assert.ok(known.size <= 10);
  for (const r of await run({ cases: listed })) assert.notEqual(r.difference, undefined, r.name);
});

test("planted wrong cases are found in every format", async () => {
  const differences = async (data: object): Promise<number> =>
    (await run(data)).filter((r) => r.difference !== undefined).length;
  const right = { category: "x", sql: "1 + 1", type: "int", value: 2 };
  const expressions = [
    right,
    { ...right, value: 3 },
    { ...right, type: "bigint" },
    { category: "x", sql: "1 + 1", error: "DIVIDE_BY_ZERO" },
    { category: "x", sql: "1 / 0", type: "double", value: 1 },
  ];
  assert.equal(await differences({ expressions }), 4);
  const query = { sql: "SELECT 1 AS a", names: ["a"], types: ["int"], rows: [[1]] };
  const queries = [query, { ...query, names: ["b"] }, { ...query, rows: [[1], [1]] }];
  assert.equal(await differences({ tables: {}, queries }), 2);
  assert.equal(await differences({ scripts: [{ name: "s", statements: queries }] }), 2);
  const plain = streamCases().find((c) => c.spark.steps?.[0]?.rows !== undefined)!;
  const [first, ...rest] = plain.spark.steps!;
  const wrong = { ...plain, spark: { steps: [{ ...first, rows: [...first!.rows!, { nope: 1 }] }, ...rest] } };
  assert.equal(await differences({ cases: [plain, wrong] }), 1);
});
