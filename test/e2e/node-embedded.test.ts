/** A node on the embedded log, as a process: signals, kill -9, the lock of its data directory, a pause past its lease. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { millrace, NodeBed, rowsBetween, sorted, windowsOf } from "./node-bed.ts";

test("SIGTERM ends the node in order with 0, and a restart goes on exactly", async (t) => {
  const bed = new NodeBed(t);
  bed.feed(rowsBetween(0, 400));
  const first = bed.start();
  await bed.untilWritten(windowsOf(rowsBetween(0, 400)).length, first);
  const end = await first.kill("SIGTERM");
  assert.deepEqual([end.code, end.signal], [0, null], end.stderr);
  assert.match(end.stderr, /finishing the epoch and leaving/);
  bed.feed(rowsBetween(400, 900));
  const second = bed.start();
  const expected = windowsOf(rowsBetween(0, 900));
  await bed.untilWritten(expected.length, second);
  assert.equal((await second.kill("SIGINT")).code, 0);
  assert.deepEqual(sorted(bed.written()), expected);
});

test("kill -9 at any time and a restart within two seconds: each row once", async (t) => {
  const bed = new NodeBed(t);
  for (let i = 0; i < 12; i++) bed.feed(rowsBetween(i * 200, (i + 1) * 200));
  const expected = windowsOf(rowsBetween(0, 2400));
  for (const share of [0.1, 0.4, 0.7]) {
    const node = bed.start();
    await bed.untilWritten(Math.ceil(expected.length * share), node);
    await node.kill("SIGKILL");
  }
  const started = performance.now();
  const last = bed.start();
  await last.waitFor(/up \d+/);
  t.diagnostic(
    `taken over from a dead process in ${Math.round(performance.now() - started)} ms, start of the process included`,
  );
  await bed.untilWritten(expected.length, last);
  assert.equal((await last.kill("SIGTERM")).code, 0);
  assert.deepEqual(sorted(bed.written()), expected);
});

test("a data directory in use is refused with the pid of its process", async (t) => {
  const bed = new NodeBed(t);
  bed.feed(rowsBetween(0, 100));
  const first = bed.start();
  const pid = (await first.waitFor(/up (\d+)/))[1];
  const second = await bed.start().ended;
  assert.equal(second.code, 2);
  assert.match(second.stderr, new RegExp(`is in use by process ${pid}\\b`));
  assert.doesNotMatch(second.stderr, /\n\s+at .*\(.*:\d+:\d+\)/);
});

test("a node that was paused past its lease joins again under another id, and no row is lost or doubled", async (t) => {
  const bed = new NodeBed(t);
  bed.feed(rowsBetween(0, 400));
  const node = bed.start(["--lease-ms", "500"]);
  await bed.untilWritten(windowsOf(rowsBetween(0, 400)).length, node);
  await node.pause();
  await new Promise((resolve) => setTimeout(resolve, 900));
  node.resume();
  bed.feed(rowsBetween(400, 900));
  await node.waitFor(/joined again/);
  const expected = windowsOf(rowsBetween(0, 900));
  await bed.untilWritten(expected.length, node);
  assert.equal((await node.kill("SIGTERM")).code, 0);
  assert.deepEqual(sorted(bed.written()), expected);
});

test("start to first row, from the command line", async (t) => {
  const bed = new NodeBed(t);
  bed.feed(rowsBetween(0, 400));
  const started = performance.now();
  const node = bed.start();
  await bed.untilWritten(1, node);
  t.diagnostic(
    `start to first row: ${Math.round(performance.now() - started)} ms (sources compiled on the way)`,
  );
  assert.equal((await node.kill("SIGTERM")).code, 0);
});

test("a program whose queries have ended ends by itself; its status stays to be asked", async (t) => {
  const bed = new NodeBed(t, "await query.processAllAvailable(); await query.stop();");
  bed.feed(rowsBetween(0, 400));
  const end = await bed.start().ended;
  assert.deepEqual([end.code, end.stderr.includes("error")], [0, false], end.stderr);
  const status = await millrace(["status", "counts", "--data", bed.data, "--json"]);
  assert.equal(status.code, 0, status.stderr);
  const { state, name, session, committedEpoch } = JSON.parse(status.stdout) as Record<string, unknown>;
  assert.deepEqual([state, name, session, Number(committedEpoch) > 0], ["stopped", "counts", "bed", true]);
  const none = await millrace(["status", "cuonts", "--data", bed.data]);
  assert.equal(none.code, 2);
  assert.match(none.stderr, /there is no query "cuonts"[\s\S]*bed\.counts/);
});

test("SIGTERM while queries start ends the node with 0 and no error", async (t) => {
  const bed = new NodeBed(t);
  bed.feed(rowsBetween(0, 100));
  for (const waitMs of [0, 60]) {
    const node = bed.start();
    await node.waitFor(/HTTP on/);
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    const end = await node.kill("SIGTERM");
    assert.equal(end.code, 0, end.stderr);
    assert.doesNotMatch(end.stderr, /Error/);
  }
});
