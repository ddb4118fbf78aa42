/** State beyond memory (laws 6, 7, 13): a query whose groups are all on disk survives kills of its node with the disk kept and lost, and rescales. */
import { test } from "node:test";
import assert from "node:assert/strict";
import { MemoryBackend } from "../../src/state/backend.ts";
import { StateMemory } from "../../src/state/parts.ts";
import { benchOf } from "./bench.ts";
import { shape } from "./shapes.ts";

const NAMES = ["two sources, windowed count, append", "window of a window, two exchanges"];
const KEYS = ["a", "b", "c", "d", "e", "f"];

for (const name of NAMES)
  test(`${name}: on disk as a whole, killed and rescaled`, async () => {
    for (let seed = 1; seed <= 4; seed++) {
      const backends: MemoryBackend[] = [];
      const backend = (): Promise<MemoryBackend> => {
        backends.push(new MemoryBackend(new StateMemory(1)));
        return Promise.resolve(backends.at(-1)!);
      };
      const b = await benchOf(shape(name), { backend, settings: { snapshotIntervalMs: 0 } }, {}, seed);
      let parts = 0;
      for (const fate of ["kept", "lost", "rescale", "kept", "rescale"] as const) {
        await b.add(...KEYS);
        await b.settle();
        for (const one of backends) parts += (await one.keys("")).filter((k) => /\/p\d{3}\//.test(k)).length;
        await b.add(...KEYS);
        if (fate === "rescale") {
          const [first] = b.cluster.running;
          await b.sim.drive((await b.cluster.query("q", first)).rescale((seed + parts) % 2 === 0 ? 3 : 1));
        } else {
          await b.sim.drive(b.cluster.kill(0, fate));
          await b.sim.drive(b.cluster.restart(0));
        }
        await b.settle();
      }
      assert.ok(parts > 0, "nothing went to disk");
      assert.equal(await b.finish(), undefined, `seed ${seed}`);
    }
  });
