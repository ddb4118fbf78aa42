/** Law 12, `idleTimeout`: of two event-time columns one falls silent; it holds the watermark back only until the timeout, and the plan entry says so. */
import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { TestCluster } from "../../src/testing/cluster.ts";
import { BEGIN_MS, prepare, shape } from "./shapes.ts";

const TIMEOUT_MS = 5_000;

const scene = async (t: TestContext, idleTimeoutMs: number | undefined) => {
  const cluster = new TestCluster({ partitions: 2, settings: { idleTimeoutMs } });
  t.after(() => cluster.close());
  const query = prepare(shape("stream-stream join"));
  await cluster.start(query.request);
  const entry = async () => (await cluster.node(0)).runtime.hosts.get("q")!.follower.latest!.entry;
  let n = 0;
  const add = async (source: string): Promise<void> => {
    n += 100_000;
    await query.add(source, [["k", n, BEGIN_MS + n]]);
    for (let i = 0; i < 10; i++) await cluster.advanceTime(100);
  };
  return { cluster, entry, add };
};

test("a silent column holds the watermark back until its timeout", async (t) => {
  const { cluster, entry, add } = await scene(t, TIMEOUT_MS);
  await add("a");
  await add("b");
  await add("a");
  const held = (await entry()).watermark;
  assert.ok(held > 0);
  for (let i = 0; i < 6; i++) await add("a");
  const passed = await entry();
  assert.equal(passed.idle?.length, 1);
  assert.ok(passed.watermark > held, "the other column moves it");
  // It comes back: the watermark does not fall, and the column counts again.
  await add("b");
  await add("a");
  const after = await entry();
  assert.equal(after.idle, undefined);
  assert.ok(after.watermark >= passed.watermark);
  // Another start sees the same entries.
  await cluster.kill(0, "lost");
  await cluster.restart(0);
  assert.equal((await entry()).watermark, after.watermark);
});

test("without the setting it waits for ever, as in Spark", async (t) => {
  const { entry, add } = await scene(t, undefined);
  await add("a");
  await add("b");
  await add("a");
  const held = (await entry()).watermark;
  for (let i = 0; i < 20; i++) await add("a");
  assert.equal((await entry()).idle, undefined);
  const { watermark } = await entry();
  assert.ok(watermark <= held + 200_000, `${watermark} after ${held}`);
});
