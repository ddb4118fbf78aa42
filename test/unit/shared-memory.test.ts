import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { grown } from "../../src/core/growing-array.ts";
import { MemoryCount } from "../../src/core/shared-memory.ts";

const MB = 1024 * 1024;

test("a collection is asked for when memory has doubled since the last one, and when a query with a large state ends", () => {
  let asked = 0;
  const count = new MemoryCount(() => asked++);
  for (let i = 0; i < 255; i++) count.add(MB);
  assert.equal(asked, 0);
  count.add(MB);
  assert.equal(asked, 1);
  for (let i = 0; i < 255; i++) count.add(MB);
  assert.equal(asked, 1);
  count.add(MB);
  assert.equal(asked, 2);
  // Half was dead: the next is asked for at twice what is left, and not below the floor.
  count.collected(256 * MB);
  for (let i = 0; i < 255; i++) count.add(MB);
  assert.equal(asked, 2);
  count.add(MB);
  assert.equal(asked, 3);
  count.dropped();
  assert.equal(asked, 4);
  count.collected(500 * MB);
  count.dropped();
  assert.equal(asked, 4);
});

test("arrays that nobody has any more do not stay: twenty states of 64 MB, one after another", async () => {
  const live = new Map<number, Float64Array>();
  const before = process.memoryUsage().rss;
  let highest = 0;
  for (let state = 0; state < 20; state++) {
    for (let column = 0; column < 8; column++)
      live.set(column, grown(new Float64Array(0), (8 * MB) / 8).fill(1));
    // What lives through some young collections is left to the full ones.
    for (let i = 0; i < 40; i++) {
      Array.from({ length: 20_000 }, (_, k) => ({ k, s: `x${k}` }));
      await pause(0);
    }
    highest = Math.max(highest, process.memoryUsage().rss - before);
    live.clear();
  }
  assert.ok(highest < 900 * MB, `${Math.round(highest / MB)} MB`);
});
