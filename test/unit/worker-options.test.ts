/** Node's options for workers are known to this Node, and do what they are for. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { test } from "node:test";
import { WORKER_NODE_OPTIONS } from "../../src/node/workers.ts";

test("a worker's young generation has its full size from the start", () => {
  const space = "require('v8').getHeapSpaceStatistics().find((s) => s.space_name === 'new_space').space_size";
  const size = (options: readonly string[]): number =>
    Number(execFileSync(process.execPath, [...options, "-p", space], { env: {} }).toString());
  assert.ok(size([]) < 16 * 1024 * 1024);
  assert.equal(size(WORKER_NODE_OPTIONS), 16 * 1024 * 1024);
});
