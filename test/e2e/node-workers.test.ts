/** `--workers N`: node processes under one parent that serves them its embedded log. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { Process } from "../support/process.ts";
import { NodeBed, rowsBetween, sorted, until, windowsOf } from "./node-bed.ts";

/** Without a process 1 that fetches orphans they stay as zombies: dead all the same. */
const isGone = (pid: number): boolean => {
  try {
    return /\) Z/.test(readFileSync(`/proc/${pid}/stat`, "latin1"));
  } catch {
    return true;
  }
};

test("a worker that is killed is taken over and started again; SIGTERM to the parent ends all in order", async (t) => {
  const bed = new NodeBed(t);
  bed.feed(rowsBetween(0, 400));
  const parent = bed.start(["--workers", "2", "--lease-ms", "1000"]);
  await until(() => parent.stdout.match(/up \d+/g)?.length === 2, "two workers", parent);
  await bed.untilWritten(windowsOf(rowsBetween(0, 400)).length, parent);
  const victim = Number(/up (\d+)/.exec(parent.stdout)![1]);
  process.kill(victim, "SIGKILL");
  await parent.waitFor(/worker \d ended: SIGKILL; the others take over; it starts again in \d+ ms/);
  await until(() => parent.stdout.match(/up \d+/g)?.length === 3, "the worker again", parent);
  bed.feed(rowsBetween(400, 900));
  const expected = windowsOf(rowsBetween(0, 900));
  await bed.untilWritten(expected.length, parent);
  assert.equal((await parent.kill("SIGTERM")).code, 0);
  assert.deepEqual(sorted(bed.written()), expected);
});

test("workers end with their parent, and the next start goes on exactly", async (t) => {
  const bed = new NodeBed(t);
  bed.feed(rowsBetween(0, 400));
  const parent = bed.start(["--workers", "2"]);
  await until(() => parent.stdout.match(/up \d+/g)?.length === 2, "two workers", parent);
  const workers = [...parent.stdout.matchAll(/up (\d+)/g)].map((m) => Number(m[1]));
  parent.signal("SIGKILL");
  // Its output stays open as long as a worker lives.
  await parent.ended;
  for (const pid of workers) assert.ok(isGone(pid), `worker ${pid} lives`);
  const next = bed.start();
  await next.waitFor(/up \d+/);
  const expected = windowsOf(rowsBetween(0, 400));
  await bed.untilWritten(expected.length, next);
  assert.equal((await next.kill("SIGTERM")).code, 0);
  assert.deepEqual(sorted(bed.written()), expected);
});

/** Files of a size that several splits share. */
const BIG = 12_000;

test("the same rows with any number of workers and splits, killed and started again in between", async (t) => {
  const bed = new NodeBed(t);
  const app = readFileSync(join(bed.folder, "app.ts"), "utf8");
  bed.writeApp("split.ts", app.replace(".option(", '.option("splits", "4").option('));
  let fed = 0;
  const feed = (count: number): void => bed.feed(rowsBetween(fed, (fed += count)));
  const written = (parent: Process): Promise<void> =>
    bed.untilWritten(windowsOf(rowsBetween(0, fed)).length, parent);
  feed(400);
  feed(BIG);
  const two = bed.start(["--workers", "2", "--lease-ms", "1000"]);
  await until(() => two.stdout.match(/up \d+/g)?.length === 2, "two workers", two);
  process.kill(Number(/up (\d+)/.exec(two.stdout)![1]), "SIGKILL");
  feed(BIG);
  await written(two);
  feed(BIG);
  two.signal("SIGKILL");
  await two.ended;
  const one = bed.start([], "split.ts");
  await written(one);
  assert.equal((await one.kill("SIGTERM")).code, 0);
  feed(BIG);
  const again = bed.start(["--workers", "2"], "split.ts");
  await written(again);
  assert.equal((await again.kill("SIGTERM")).code, 0);
  assert.deepEqual(sorted(bed.written()), windowsOf(rowsBetween(0, fed)));
});
