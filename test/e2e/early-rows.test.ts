/**
 * Early rows (`emit`): open groups given before they close, marked; final rows are those without emit; the same at any number of partitions and through
 * lost disks; refused where they have no meaning.
 */
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { AnalysisError } from "../../src/core/errors.ts";
import { count, expr, session_window, sum, window } from "../../src/index.ts";
import type { TestClusterOptions } from "../../src/testing/cluster.ts";
import { FrameCluster, type Writer } from "../support/frame-cluster.ts";

type Source = ReturnType<FrameCluster["source"]>["frame"];
type Emit = { readonly marker: "final"; readonly every?: "10 seconds" | "1 hour" };

const S = 1_000;
const counts = (frame: Source, emit: Emit): Writer =>
  frame
    .groupBy((c) => [window(c.ts, "10 seconds"), c.k])
    .agg((c) => ({ n: count(), total: sum(c.v), mean: expr("avg(v) * 2") }), { emit })
    .select((c) => ({ at: c.window.start, k: c.k, n: c.n, total: c.total, mean: c.mean, final: c.final }))
    .writeStream as unknown as Writer;

/** Epochs of rows; the watermark is 10 s behind the newest time of the epochs before. */
const EPOCHS: readonly (readonly (readonly [string, number, number])[])[] = [
  [
    ["x", 1, 1 * S],
    ["y", 5, 2 * S],
  ],
  [["x", 2, 3 * S]],
  // Moves the watermark to 20 s.
  [
    ["z", 1, 30 * S],
    ["x", 4, 4 * S],
  ],
  // Late for [0, 10), which closes here.
  [["y", 9, 5 * S]],
  [["z", 2, 31 * S]],
  [["end", 0, 1_000 * S]],
  [["end", 0, 1_001 * S]],
];

const text = (row: readonly unknown[]): string =>
  `${Number(row[0]) / S} ${String(row[1])} n=${Number(row[2])} total=${Number(row[3])} mean=${Number(row[4])} ${row[5] === true ? "final" : "early"}`;

const run = async (
  emit: Emit,
  options: TestClusterOptions,
  crash: boolean,
  advance = 0,
): Promise<readonly (readonly string[])[]> => {
  const f = new FrameCluster(options);
  const a = f.source("a");
  const query = await f.start(counts(a.frame, emit), { outputMode: "append" });
  assert.match(query.explain("extended"), /Early rows \(emit\) are not a part of Spark/);
  assert.match(query.explain("simple"), /early rows every (epoch|\d+ ms) \(extension\)/);
  const given: (readonly string[])[] = [];
  let before = 0;
  for (const [i, rows] of EPOCHS.entries()) {
    await a.add(rows);
    await f.settle();
    given.push(f.sink.rows().slice(before).map(text).sort());
    before = f.sink.rows().length;
    if (crash) await f.crash(i % 2 === 0 ? "lost" : "kept");
    if (advance > 0) await f.cluster.advanceTime(advance);
  }
  await f.close();
  return given;
};

const EVERY_EPOCH = [
  ["0 x n=1 total=1 mean=2 early", "0 y n=1 total=5 mean=10 early"],
  ["0 x n=2 total=3 mean=3 early"],
  // The watermark moves behind the epoch; the epoch without data that follows closes [0, 10).
  [
    "0 x n=3 total=7 mean=4.666666666666667 early",
    "0 x n=3 total=7 mean=4.666666666666667 final",
    "0 y n=1 total=5 mean=10 final",
    "30 z n=1 total=1 mean=2 early",
  ],
  [],
  ["30 z n=2 total=3 mean=3 early"],
  ["1000 end n=1 total=0 mean=0 early", "30 z n=2 total=3 mean=3 final"],
  ["1000 end n=2 total=0 mean=0 early"],
];

describe("early rows in every epoch", () => {
  test("one partition", async () => {
    assert.deepEqual(await run({ marker: "final" }, { partitions: 1 }, false), EVERY_EPOCH);
  });
  test("three partitions, a crash after each epoch, disks lost and kept", async () => {
    assert.deepEqual(await run({ marker: "final" }, { partitions: 3 }, true), EVERY_EPOCH);
  });
});

const finals = (epochs: readonly (readonly string[])[]): readonly string[] =>
  epochs
    .flat()
    .filter((r) => r.endsWith("final"))
    .sort();

describe("early rows by time", () => {
  const emit: Emit = { marker: "final", every: "10 seconds" };

  test("nothing is early while no interval passes", async () => {
    // Settling moves the virtual clock by a little.
    const given = await run({ marker: "final", every: "1 hour" }, { partitions: 2 }, false);
    assert.deepEqual(
      given.flat().filter((r) => r.endsWith("early")),
      [],
    );
    assert.deepEqual(finals(given), finals(EVERY_EPOCH));
  });

  test("a changed group is given once per interval, an unchanged one not again, through crashes too", async () => {
    // 5 s between the epochs: two of them in each interval of 10 s.
    const plain = await run(emit, { partitions: 2 }, false, 5 * S);
    const crashed = await run(emit, { partitions: 2 }, true, 5 * S);
    assert.deepEqual(finals(plain), finals(EVERY_EPOCH));
    assert.deepEqual(finals(crashed), finals(EVERY_EPOCH));
    for (const epochs of [plain, crashed]) {
      const early = epochs.flat().filter((r) => r.endsWith("early"));
      assert.ok(early.length > 0, "nothing came early");
      assert.equal(new Set(early).size, early.length, `given twice without a change: ${early.join("; ")}`);
      assert.ok(early.length < EVERY_EPOCH.flat().length - finals(EVERY_EPOCH).length);
    }
  });

  test("a quiet stream gives what waits when the interval has passed", async () => {
    const f = new FrameCluster({ partitions: 1 });
    const a = f.source("a");
    await f.start(counts(a.frame, emit), { outputMode: "append" });
    await a.add(EPOCHS[0]!);
    await f.settle();
    assert.deepEqual(f.sink.rows(), []);
    await f.crash("lost");
    await f.cluster.advanceTime(10 * S);
    await f.settle();
    assert.deepEqual(f.sink.rows().map(text).sort(), EVERY_EPOCH[0]);
    await f.cluster.advanceTime(30 * S);
    await f.settle();
    assert.equal(f.sink.rows().length, 2, "unchanged groups are given again");
    await f.close();
  });
});

test("early rows go on after a rescale", async () => {
  const f = new FrameCluster({ partitions: 1 });
  const a = f.source("a");
  const query = await f.start(counts(a.frame, { marker: "final", every: "10 seconds" }), {
    outputMode: "append",
  });
  await a.add(EPOCHS[0]!);
  await f.settle();
  await query.rescale(3);
  await a.add([["x", 2, 3 * S]]);
  await f.settle();
  await f.cluster.advanceTime(10 * S);
  await f.settle();
  assert.deepEqual(f.sink.rows().map(text).sort(), [
    "0 x n=2 total=3 mean=3 early",
    "0 y n=1 total=5 mean=10 early",
  ]);
  await f.close();
});

test("in a batch every row is final", async () => {
  const f = new FrameCluster();
  const rows = [{ k: "x", v: 1, ts: new Date(1_000) }];
  const { rowsSchema } = await import("../support/frame-cluster.ts");
  const result = await f.mill
    .createDataFrame(rows, rowsSchema)
    .groupBy("k")
    .agg((c) => ({ n: sum(c.v) }), { emit: { marker: "last" } })
    .collect();
  assert.deepEqual(result, [{ k: "x", n: 1, last: true }]);
  await f.close();
});

describe("what early rows refuse", () => {
  const refused = async (
    make: (a: Source) => unknown,
    change: object,
    message: RegExp,
    options: TestClusterOptions = {},
  ): Promise<void> => {
    const f = new FrameCluster(options);
    const { frame } = f.source("a");
    const start = async (): Promise<unknown> => f.start(make(frame) as Writer, change);
    await assert.rejects(start(), (e: unknown) => e instanceof AnalysisError && message.test(e.message));
    await f.close();
  };
  const early = (a: Source) =>
    a.groupBy((c) => [window(c.ts, "10 seconds")]).agg({ n: count() }, { emit: { marker: "final" } });

  test("compatibility spark", () =>
    refused(
      (a) => early(a).writeStream,
      { outputMode: "append" },
      /Early rows \(emit\) are not a part of Spark/,
      { compatibility: "spark" },
    ));
  test("update and complete mode", async () => {
    for (const outputMode of ["update", "complete"])
      await refused((a) => early(a).writeStream, { outputMode }, /early rows \(emit\).*use append/);
  });
  test("a group that nothing closes", () =>
    refused(
      (a) => a.groupBy("k").agg({ n: count() }, { emit: { marker: "final" } }).writeStream,
      { outputMode: "append" },
      /without watermark/,
    ));
  test("session windows", () =>
    refused(
      (a) =>
        a
          .groupBy((c) => [session_window(c.ts, "5 seconds"), c.k])
          .agg({ n: count() }, { emit: { marker: "final" } }).writeStream,
      { outputMode: "append" },
      /a session's window changes while it grows/,
    ));
  test("a stateful operator above", () =>
    refused(
      (a) =>
        early(a)
          .groupBy((c) => [window(c.window, "1 minute")])
          .agg({ n: count() }).writeStream,
      { outputMode: "append" },
      /would count a group several times/,
    ));
  test("a marker that is a column already, is no name, or an interval that is none", async () => {
    const group = (a: Source) => a.groupBy((c) => [window(c.ts, "10 seconds")]);
    for (const [emit, message] of [
      [{ marker: "n" }, /is a column of the result already/],
      [{ marker: "" }, /agg: emit\.marker takes the name of a column/],
      [{}, /agg: emit\.marker takes the name of a column, not undefined/],
      ["early", /agg: emit takes an object with a marker, not a string/],
      [{ marker: "m", every: "0 seconds" }, /must be above zero/],
      [{ marker: "m", every: {} }, /takes a duration/],
    ] as const)
      await refused(
        (a) => group(a).agg({ n: count() }, { emit: emit as never }).writeStream,
        { outputMode: "append" },
        message,
      );
  });
});
