/** An epoch that does not end: the leader says what it waits for, in the log and as metrics, and what only waits begins again. */
import { test, type TestContext } from "node:test";
import assert from "node:assert/strict";
import { PrometheusMetrics } from "../../src/http/metrics.ts";
import type { LogRecord, Reader } from "../../src/log/log.ts";
import { mailboxLog } from "../../src/log/names.ts";
import { MemoryStore } from "../../src/log/memory-log.ts";
import { TestCluster, type TestClusterOptions } from "../../src/testing/cluster.ts";
import { BEGIN_MS, END_MS, prepare, type Prepared, problemOf, shape } from "./shapes.ts";

const STALL_MS = 8_000;

interface Line {
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

interface Scene {
  readonly cluster: TestCluster;
  readonly query: Prepared;
  readonly metrics: PrometheusMetrics;
  readonly lines: Line[];
  readonly pass: (ms: number) => Promise<void>;
  readonly committed: () => Promise<number>;
}

const scene = async (t: TestContext, options: TestClusterOptions): Promise<Scene> => {
  const lines: Line[] = [];
  const metrics = new PrometheusMetrics();
  const cluster = new TestCluster({
    nodes: 2,
    partitions: 2,
    settings: { stallMs: STALL_MS },
    log: (level, message, fields = {}) => void (level === "warn" && lines.push({ message, fields })),
    metrics,
    ...options,
  });
  t.after(() => cluster.close());
  const query = prepare(shape("two sources, windowed count, append"));
  await cluster.start(query.request);
  return {
    cluster,
    query,
    metrics,
    lines,
    pass: async (ms) => {
      for (let at = 0; at < ms; at += 250) await cluster.advanceTime(250);
    },
    committed: async () => (await cluster.node(0)).runtime.hosts.get("q")!.follower.committed,
  };
};

/** Readers of `name` opened from now on say nothing until they are closed, as long as `deaf()`. */
const deafen = (store: MemoryStore, name: string, deaf: () => boolean): void => {
  const open = store.open.bind(store);
  store.open = async (...args): ReturnType<typeof open> => {
    const log = await open(...args);
    if (args[0] !== name) return log;
    const reader = log.reader.bind(log);
    log.reader = (from): Reader => {
      if (!deaf()) return reader(from);
      let end!: (none: readonly LogRecord[]) => void;
      const closed = new Promise<readonly LogRecord[]>((resolve) => (end = resolve));
      return { next: () => closed, close: () => end([]) };
    };
    return log;
  };
};

test("an actor whose mailbox falls silent is named and started again; no row is lost", async (t) => {
  const name = mailboxLog("test", "q", 2, 1, 0);
  let deaf = true;
  const s = await scene(t, {
    store: (clock) => {
      const store = new MemoryStore({ clock });
      deafen(store, name, () => deaf);
      return Promise.resolve(store);
    },
  });
  const { query, lines, pass, committed, metrics } = s;
  for (const source of ["a", "b"])
    await query.add(
      source,
      Array.from({ length: 8 }, (_, i) => [`k${i}`, i, BEGIN_MS + i]),
    );
  await pass(STALL_MS / 2);
  assert.equal(await committed(), 0);
  assert.equal(lines.length, 0);
  deaf = false;
  await pass(STALL_MS);
  const told = lines.find((l) => l.message === "an epoch is not committed in time");
  assert.match(
    String(told?.fields["waitsFor"]),
    /^acknowledgements of stage 2 partition 0 on node\d-\d+, stage 3/,
  );
  const actor = lines.find((l) => l.message === "an epoch waits for an actor");
  assert.deepEqual(
    { ...actor?.fields, seconds: 8 },
    { query: "q", stage: 2, partition: 0, loop: "input", commit: "idle", seconds: 8, restarts: true },
  );
  assert.ok(lines.some((l) => l.message === "actor restarts"));
  await pass(STALL_MS);
  assert.ok((await committed()) > 0);
  for (const source of ["a", "b"]) await query.add(source, [["end", 0, END_MS]]);
  await pass(STALL_MS);
  assert.equal(problemOf(query), undefined);
  assert.match(await metrics.text(), /millrace_epoch_waiting_seconds\{query="q"\} 0\n/);
});

test("while an epoch is late the metrics name the actors it waits for, with their nodes", async (t) => {
  const name = mailboxLog("test", "q", 2, 1, 1);
  const s = await scene(t, {
    store: (clock) => {
      const store = new MemoryStore({ clock });
      deafen(store, name, () => true);
      return Promise.resolve(store);
    },
  });
  for (const source of ["a", "b"]) await s.query.add(source, [["k", 1, BEGIN_MS]]);
  await s.pass(STALL_MS * 1.5);
  const text = await s.metrics.text();
  assert.match(
    text,
    /millrace_epoch_missing_acknowledgements\{query="q",stage="2",partition="1",node="node\d-\d+"\} 1\n/,
  );
  assert.match(text, /millrace_epoch_waiting_seconds\{query="q"\} (8|9|1\d)/);
});

test("an actor whose sink is at work is told, and left alone", async (t) => {
  let go!: () => void;
  const written = new Promise<void>((resolve) => (go = resolve));
  const { query, pass, lines, committed } = await scene(t, {
    probe: (_, { stage }, point) => (stage === 3 && point === "sinkWritten" ? written : undefined),
  });
  for (const source of ["a", "b"]) await query.add(source, [["k", 1, BEGIN_MS]]);
  await pass(STALL_MS * 3);
  const actor = lines.find((l) => l.message === "an epoch waits for an actor");
  assert.deepEqual([actor?.fields["commit"], actor?.fields["restarts"]], ["sink", false]);
  assert.ok(!lines.some((l) => l.message === "actor restarts"));
  go();
  await pass(1_000);
  assert.ok((await committed()) > 0);
});
