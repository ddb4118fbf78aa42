/** `make bench-peers`: the table beside other engines, the line that counts, and the order of runs, also of a comparison that goes on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { comparison, type PeerResult, summary } from "../../ops/bench/peers/comparison.ts";
import { ALL, ENGINES, missing } from "../../ops/bench/peers/engines.ts";
import { type Measurements, runRounds } from "../../ops/bench/peers/rounds.ts";

const result = (peer: string, query: string, rate: number, more: Partial<PeerResult> = {}): PeerResult => ({
  peer,
  version: "1",
  query,
  events: 1000,
  seconds: 1,
  eventsPerSecond: rate,
  cpuSeconds: 2,
  peakRssMb: 100,
  rowsOut: 10,
  ...more,
});

const cellsOf = (table: string, start: string): readonly string[] =>
  table
    .split("\n")
    .find((l) => l.startsWith(start))!
    .split("|")
    .map((c) => c.trim());

test("the ratio is the better of ours over the other's median; per CPU second it is our single process", () => {
  const results = [
    result("millrace", "q0", 100, { cpuSeconds: 2 }),
    result("millrace-2", "q0", 300, { cpuSeconds: 3 }),
    ...[140, 150, 600].map((rate) => result("spark", "q0", rate, { cpuSeconds: 7 })),
  ];
  const table = comparison(results);
  const header = cellsOf(table, "| query");
  const spark = cellsOf(table, "| q0 | spark");
  const of = (name: string): string => spark[header.indexOf(name)]!;
  assert.deepEqual(["runs", "events/s", "ours / it", "ours, per CPU"].map(of), ["3", "150", "2", "3.5"]);
  assert.equal(cellsOf(table, "| q0 | millrace-2")[header.indexOf("ours / it")], "");
});

test("rows out that differ are marked, except where an engine merges updates", () => {
  const table = (query: string): string =>
    comparison([result("millrace", query, 1), result("spark", query, 1, { rowsOut: 11 })]);
  assert.match(table("q2"), /11 \(differs\)/);
  for (const query of ["count", "q17", "q18"]) assert.doesNotMatch(table(query), /differs/);
});

test("a rewritten query and a run that failed are rows with a note", () => {
  const config = { rewritten: "max_by() instead of rank()" };
  const table = comparison([result("spark", "q7", 1, { config }), result("millrace", "q7", 1)], {
    "spark q23": "ended after 300 s",
  });
  assert.match(table, /\| q7 \| spark 1 .*\| max_by\(\) instead of rank\(\) \|/);
  assert.match(table, /\| q23 \| spark \|.*\| does not run it: ended after 300 s \|/);
});

test("the summary counts queries where ours is faster and names the others", () => {
  const results = [
    ...["q0", "q1", "q2"].map((q) => result("millrace", q, 100)),
    result("spark", "q0", 50),
    result("spark", "q1", 200, { cpuSeconds: 1 }),
    result("spark", "q2", 10),
    result("flink", "q3", 10),
  ];
  assert.deepEqual(summary(results), [
    "ours is faster than spark on 2 of 3 queries (not q1: 0.5), per CPU second on 0 of 3 queries (not q0: 1, q1: 0.5, q2: 1)",
  ]);
});

test("all of q0 to q23 are compared, and what an engine has no program for is said", () => {
  const numbers = ALL.flatMap((q) => /^q(\d+)$/.exec(q)?.[1] ?? []).map(Number);
  assert.deepEqual(
    numbers,
    Array.from({ length: 24 }, (_, i) => i),
  );
  for (const peer of ["spark", "flink"])
    assert.deepEqual(
      ENGINES[peer]!.queries,
      ALL.filter((q) => q !== "q6"),
    );
  assert.deepEqual(missing(["spark", "bytewax"], ["q0", "q3", "q4"]), [
    "bytewax does not run q3, q4: no program for it in this package",
  ]);
});

const order = async (m: Measurements, rounds: number, runs = Infinity): Promise<readonly string[]> => {
  const started: string[] = [];
  const left = await runRounds(
    { peers: ["millrace", "spark"], queries: ["q0", "q3"], rounds },
    m,
    ({ peer, query, round }) => {
      started.push(`${round} ${peer} ${query}`);
      if (peer === "spark" && query === "q3") m.failures[`${peer} ${query}`] = "reason";
      else m.results.push(result(peer, query, 1));
      return Promise.resolve();
    },
    () => started.length >= runs,
  );
  return left === 0 ? started : [...started, `left ${left}`];
};

test("engines alternate within a round; a failure is not tried again", async () => {
  assert.deepEqual(await order({ results: [], failures: {} }, 2), [
    ...["1 millrace q0", "1 spark q0", "1 millrace q3", "1 spark q3"],
    ...["2 millrace q0", "2 spark q0", "2 millrace q3"],
  ]);
});

test("a comparison that was stopped goes on where it was", async () => {
  const m: Measurements = { results: [], failures: {} };
  assert.deepEqual(await order(m, 2, 3), ["1 millrace q0", "1 spark q0", "1 millrace q3", "left 5"]);
  assert.deepEqual(await order(m, 2), [...["1 spark q3", "2 millrace q0", "2 spark q0", "2 millrace q3"]]);
  assert.deepEqual(await order(m, 2), []);
});
