/** `onError` with `foreach`: a row at which the function throws fails the query, is left out, or becomes a dead letter; the rows behind it go on. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ExecutionError } from "../../src/core/errors.ts";
import { FrameCluster, type Writer } from "../support/frame-cluster.ts";

const rows = [1, 2, 3, 4].map((v) => ["x", v, v * 1_000] as const);

const run = async (onError: "fail" | "skip" | "deadLetter") => {
  const f = new FrameCluster({ partitions: 1 });
  const { frame, add } = f.source("a");
  const seen: number[] = [];
  const writer = frame.writeStream.onError(onError).foreach((row) => {
    if (row.v === 2) throw new RangeError("two is too much");
    seen.push(row.v);
  });
  const request = writer.request();
  await f.cluster.start({ ...request, name: "q" });
  await add(rows);
  return { f, add, seen };
};

test('"fail": the query fails at the row, with it in the message', async () => {
  const { f } = await run("fail");
  await assert.rejects(f.settle(), (e: unknown) => {
    assert.ok(e instanceof ExecutionError);
    assert.equal(e.errorClass, "FOREACH_USER_FUNCTION_ERROR");
    assert.match(`${e.message} ${e.where ?? ""}`, /foreach function failed in epoch 1: two is too much.*row/);
    return true;
  });
  await f.close();
});

test('"skip": the other rows are processed, in order, and the query goes on', async () => {
  const { f, add, seen } = await run("skip");
  await f.settle();
  await add([["x", 9, 9_000]]);
  await f.settle();
  assert.deepEqual(seen, [1, 3, 4, 9]);
  assert.deepEqual(await (await f.query()).inspection.deadLetters(), []);
  await f.close();
});

test('"deadLetter": the row is set aside with its error, once, through a crash', async () => {
  const { f, add, seen } = await run("deadLetter");
  await f.settle();
  await f.crash("lost");
  await add([["x", 2, 9_000]]);
  await f.settle();
  assert.deepEqual([...new Set(seen)], [1, 3, 4]);
  const letters = await (await f.query()).inspection.deadLetters();
  assert.deepEqual(
    letters.map((l) => [l.errorClass, (l.row as { v: number }).v, (l.row as { ts: string }).ts]),
    [
      ["FOREACH_USER_FUNCTION_ERROR", 2, "1970-01-01T00:00:02.000Z"],
      ["FOREACH_USER_FUNCTION_ERROR", 2, "1970-01-01T00:00:09.000Z"],
    ],
  );
  assert.match(letters[0]!.error, /two is too much/);
  assert.match(letters[0]!.where ?? "", /foreach, partition 0, epoch 1/);
  await f.close();
});

test("foreachBatch and close() fail the query whatever the policy", async () => {
  for (const write of [
    (w: Writer) =>
      (w as unknown as { foreachBatch(g: () => void): Writer }).foreachBatch(() => {
        throw new Error("whole batch");
      }),
    (w: Writer) =>
      (w as unknown as { foreach(g: object): Writer }).foreach({
        process: () => {},
        close: () => {
          throw new Error("at the end");
        },
      }),
  ]) {
    const f = new FrameCluster({ partitions: 1 });
    const { frame, add } = f.source("a");
    const writer = write(frame.writeStream.onError("skip") as unknown as Writer) as unknown as {
      request(): Parameters<FrameCluster["cluster"]["start"]>[0];
    };
    await f.cluster.start({ ...writer.request(), name: "q" });
    await add(rows);
    await assert.rejects(f.settle(), /whole batch|at the end/);
    await f.close();
  }
});
