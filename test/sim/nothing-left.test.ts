/** What a cluster held is free once it is closed: nothing outlives a stopped actor (a joined AbortSignal that somebody listens to did). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { benchOf } from "./bench.ts";
import { shape } from "./shapes.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

const closedCluster = async (): Promise<WeakRef<object>> => {
  const b = await benchOf(shape("two sources, windowed count, append"), { nodes: 2 });
  await b.add("a", "b");
  await b.settle();
  await b.sim.drive(b.cluster.kill(0, "kept"));
  await b.sim.drive(b.cluster.restart(0));
  await b.add("c");
  await b.settle();
  const ref = new WeakRef(b.cluster);
  assert.equal(await b.finish(), undefined);
  return ref;
};

test("a closed cluster is collected", async () => {
  const ref = await closedCluster();
  for (let i = 0; i < 20 && ref.deref() !== undefined; i++) {
    await new Promise((resolve) => setImmediate(resolve));
    collect();
  }
  assert.equal(ref.deref(), undefined);
});
