/** A small run of every benchmark: results right, nothing timed. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { benchExpressions } from "../../src/bench/expressions.ts";
import { measureFrames } from "../../src/bench/frames.ts";
import { measureHeap } from "../../ops/bench/heap/heap.ts";
import { measureJson } from "../../src/bench/json.ts";
import { benchMain } from "../../src/bench/main.ts";
import { type CheckOptions, checkNexmark, readCheckFile } from "../../src/bench/nexmark/check.ts";
import { nexmarkFiles, type NexmarkParameters } from "../../src/bench/nexmark/data.ts";
import { NEXMARK_QUERY_NAMES } from "../../src/bench/nexmark/queries.ts";
import { type NexmarkRun, runNexmark } from "../../src/bench/nexmark/run.ts";
import { measureRecovery } from "../../src/bench/recovery.ts";
import { measureState } from "../../src/bench/state.ts";
import { measureWordCount } from "../../src/bench/wordcount.ts";
import { measureYsb } from "../../src/bench/ysb.ts";
import { ConfigurationError } from "../../src/core/errors.ts";
import { PLAIN_RUN } from "../support/nexmark-runs.ts";
import { removeTemporary, temporaryDirectory } from "../support/temporary.ts";

let root: string;
before(() => void (root = temporaryDirectory()));
after(() => removeTemporary(root));

const DATA: NexmarkParameters = { events: 4_000, delayUs: 10_000, group: 1 };
const runOf = (query: string, more: Partial<NexmarkRun> = {}): NexmarkRun => ({
  query,
  data: DATA,
  files: nexmarkFiles(root, DATA),
  ...PLAIN_RUN,
  ...more,
});
const OPTIONS = (): CheckOptions => ({
  root,
  partitions: 1,
  source: "file",
  rowsPerMessage: 1,
  durable: true,
  kill: undefined,
  url: undefined,
});

test("a query's result does not depend on partitions, epochs, source, disk or a kill", async () => {
  for (const query of ["q5", "q9", "q19"]) {
    const plain = (await runNexmark(runOf(query))).result;
    assert.ok(plain!.rows > 0, query);
    const others: readonly Partial<NexmarkRun>[] = [
      { partitions: 4 },
      { filesPerEpoch: 9 },
      { source: "memory" },
      { durable: true, kill: "kept" },
      { durable: true, kill: "lost", partitions: 3 },
    ];
    for (const more of others)
      assert.deepEqual((await runNexmark(runOf(query, more))).result, plain, JSON.stringify({ query, more }));
  }
});

test("a result is the same when the engine's process is killed", async () => {
  for (const query of ["q11", "q19"]) {
    const plain = (await runNexmark(runOf(query))).result;
    const killed = await runNexmark(runOf(query, { durable: true, kill: "process", partitions: 2 }));
    assert.deepEqual(killed.result, plain, query);
  }
});

test("every Nexmark query runs", async () => {
  for (const query of NEXMARK_QUERY_NAMES) {
    const { result, epochs } = await runNexmark(runOf(query, { filesPerEpoch: 3 }));
    assert.ok(epochs >= 3 && result !== undefined, query);
  }
});

test("a check compares hashes and row counts, and reports what it cannot run", async () => {
  const { rows, hash } = (await runNexmark(runOf("q2"))).result!;
  const path = join(root, "check.json");
  const queries = { q2: { rows, hash }, q0: { rows, hash }, qx: { rows, hash } };
  writeFileSync(path, JSON.stringify({ data: [DATA], queries }));
  const seen: string[] = [];
  const results = await checkNexmark(readCheckFile(path), OPTIONS(), (r) => void seen.push(r.query));
  assert.deepEqual(
    results.map((r) => [r.query, r.passed]),
    [
      ["q2", true],
      ["q0", false],
      ["qx", false],
    ],
  );
  assert.deepEqual(seen, ["q2", "q0", "qx"]);
  assert.match(results[1]!.detail, /3680 rows .* expected/);
  assert.match(results[2]!.detail, /no Nexmark query qx/);
  writeFileSync(path, JSON.stringify({ data: [{ events: 0, delayUs: 1, group: 1 }], queries }));
  assert.throws(() => readCheckFile(path), ConfigurationError);
  writeFileSync(path, JSON.stringify({ data: [{ ...DATA, crc32: "00000000" }], queries }));
  await assert.rejects(
    checkNexmark(readCheckFile(path), OPTIONS(), () => {}),
    /expected 00000000/,
  );
});

test("word count and Yahoo count what a plain loop counts", async () => {
  assert.ok((await measureWordCount({ lines: 500, partitions: 2 })).correct);
  const ysb = await measureYsb({ events: 3_000, partitions: 2 });
  assert.ok(ysb.correct && ysb.rows > 100);
});

test("state and recovery find every key", async () => {
  const sizes = { keys: 20_000, changed: 20, random: 500, partitions: 2 };
  for (const memory of [null, 1]) {
    const state = await measureState({ ...sizes, memory });
    assert.equal(state.stateRows, 20_000);
    // How many depends on what a row is counted as; without a limit it is none.
    assert.equal(state.spilledRows > 5_000, memory === 1, String(state.spilledRows));
    for (const { ownPeakMb, rssPeakMb } of state.phases)
      if (process.platform === "linux")
        assert.ok(ownPeakMb! > 50 && ownPeakMb! < rssPeakMb, String(ownPeakMb));
  }
  const recovery = await measureRecovery({ keys: 2_000, partitions: 2 });
  assert.equal(recovery.stateRows, 2_000);
});

test("decoders give every row, frames come out as they went in, generated loops agree with the interpreter", async () => {
  assert.equal((await measureJson({ events: 500, rounds: 1 })).length, 5);
  assert.equal((await measureFrames({ frames: 4, rowsPerFrame: 200 })).length, 2);
  assert.equal(benchExpressions(1).length, 4);
});

test("memory over virtual time is looked at twice", async () => {
  const row = await measureHeap({ minutes: 1, rate: 100, keys: 50 });
  assert.equal(row["rows"], 6_000);
  assert.ok(Number(row["rssMbAtEnd"]) > 0 && typeof row["passed"] === "boolean");
});

test("usage is exit code 2", async () => {
  assert.equal(await benchMain(["nexmark", "--events", "none"]), 2);
  assert.equal(await benchMain(["nexmark", "--unknown"]), 2);
  assert.equal(await benchMain(["nothing"]), 2);
});
