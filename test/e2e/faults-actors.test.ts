/** Actors that fail, mailboxes that are full, and a disk that is (issue 3, sections 4 and 5, "Bad input, faults"), in one process. */
import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { MemorySource } from "../../src/connectors/memory-input.ts";
import { MemorySink } from "../../src/connectors/memory-sink.ts";
import { field, LONG, STRING } from "../../src/core/data-type.ts";
import { StorageError } from "../../src/core/errors.ts";
import { schemaOf } from "../../src/core/schema.ts";
import { EmbeddedStore } from "../../src/log/embedded-log.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import type { StreamingQuery } from "../../src/query/streaming-query.ts";
import type { ActorIdentity } from "../../src/runtime/behaviour.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { TestCluster, type TestClusterOptions } from "../../src/testing/cluster.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const schema = schemaOf([field("k", STRING), field("v", LONG)]);

interface Bed {
  readonly cluster: TestCluster;
  readonly input: MemorySource;
  readonly sink: MemorySink;
  readonly query: StreamingQuery;
  /** Adds rows and compares what is counted. */
  readonly counts: (rows: number) => Promise<void>;
}

const bed = async (t: TestContext, options: TestClusterOptions, keys = 20): Promise<Bed> => {
  const input = new MemorySource(schema);
  const sink = new MemorySink();
  const catalog = new SessionCatalog();
  const source = { format: "memory", options: {}, schema, pushed: [], handle: input };
  catalog.define({
    name: "t",
    kind: "view",
    relation: { kind: "source", source, streaming: true, name: "t" },
  });
  const cluster = new TestCluster({ partitions: 3, ...options });
  t.after(() => cluster.close());
  const query = await cluster.start({
    name: "query",
    relation: parseQuery("SELECT k, count(*) AS n, sum(v) AS total FROM t GROUP BY k"),
    catalog,
    outputMode: "complete",
    trigger: { kind: "default" },
    sink: { format: "memory", options: {}, partitionBy: [], handle: sink },
    partitions: undefined,
  });
  let added = 0;
  const counts = async (rows: number): Promise<void> => {
    await input.addData(
      Array.from({ length: rows }, (_, i) => [`k${(added + i) % keys}`, BigInt(added + i)]),
    );
    added += rows;
    await cluster.processAllAvailable();
    const expected = Array.from({ length: keys }, (_, k) => {
      const values = Array.from({ length: Math.ceil((added - k) / keys) }, (_, i) => k + i * keys);
      return `k${k} ${values.length} ${values.reduce((a, b) => a + b, 0)}`;
    });
    assert.deepEqual(
      sink
        .rows()
        .map((r) => r.join(" "))
        .sort(),
      expected.sort(),
    );
  };
  return { cluster, input, sink, query, counts };
};

test("an actor that throws restarts alone, and no row is counted twice", async (t) => {
  const restarts: string[] = [];
  const begun = new Map<string, number>();
  let left = 0;
  const b = await bed(t, {
    probe: (_node, actor: ActorIdentity, point, epoch) => {
      const key = `${actor.stage}/${actor.partition} ${epoch}`;
      if (point === "begin") begun.set(key, (begun.get(key) ?? 0) + 1);
      if (point === "input" && actor.stage === 1 && actor.partition === 2 && left-- > 0)
        throw new Error("the operator broke");
    },
    log: (_level, message, fields) => {
      if (message === "actor restarts")
        restarts.push(`${String(fields?.["stage"])}/${String(fields?.["partition"])}`);
    },
  });
  await b.counts(1_000);
  left = 3;
  await b.counts(1_000);
  assert.deepEqual(restarts, ["1/2", "1/2", "1/2"]);
  const again = [...begun].filter(([key, n]) => n > 1 && !key.startsWith("1/2 "));
  assert.deepEqual(again, [], "other actors went through an epoch again");
});

test("an actor that goes on throwing fails the query with the cause", async (t) => {
  let broken = false;
  const b = await bed(t, {
    settings: { maxRestarts: 3 },
    probe: (_node, actor, point) => {
      if (broken && point === "input" && actor.stage === 1 && actor.partition === 0)
        throw new Error("the operator broke");
    },
  });
  await b.counts(100);
  broken = true;
  await assert.rejects(b.counts(100), /the operator broke/);
  assert.match(b.query.exception?.message ?? "", /the operator broke/);
  assert.equal(b.query.isActive, false);
});

test("mailboxes much smaller than an epoch hold back and never lock up", async (t) => {
  const said = new Set<string>();
  const b = await bed(
    t,
    { settings: { mailboxMaxBytes: 16 * 1024 }, log: (_level, message) => said.add(message) },
    10_000,
  );
  for (const rows of [20_000, 50_000, 20_000]) await b.counts(rows);
  assert.ok(
    [...said].some((m) => m.includes("mailbox")),
    "no mailbox was full: the test shows nothing",
  );
});

test("a full disk fails the query with its cause; with room again it goes on exactly", async (t) => {
  const directory = temporaryDirectory(t);
  let full = false;
  let fills = false;
  const b = await bed(t, {
    store: (clock) =>
      EmbeddedStore.open({
        directory,
        clock,
        beforeWrite: () => {
          if (full) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
        },
      }),
    probe: (_node, actor, point) => {
      if (point === "input" && actor.stage === 1 && fills) full = true;
    },
  });
  await b.counts(500);
  fills = true;
  await assert.rejects(b.counts(500), (e: unknown) => {
    assert.ok(e instanceof StorageError, String(e));
    assert.match(e.message, /no space left on device/);
    return true;
  });
  assert.equal(b.query.isActive, false);
  assert.ok(b.query.exception instanceof StorageError);
  fills = full = false;
  await b.cluster.kill(0);
  await b.cluster.restart(0);
  await b.counts(500).catch((e: unknown) => assert.fail(String(e)));
});
