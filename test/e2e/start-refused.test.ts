/** A query that cannot start says so to whoever started it, and leaves nothing running. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemorySource } from "../../src/connectors/memory-input.ts";
import { MemorySink } from "../../src/connectors/memory-sink.ts";
import { ConfigurationError } from "../../src/core/errors.ts";
import { field, LONG } from "../../src/core/data-type.ts";
import { schemaOf } from "../../src/core/schema.ts";
import { EMPTY_CATALOG } from "../../src/plan/catalog.ts";
import type { SinkSpec } from "../../src/connectors/sink.ts";
import type { SourceSpec } from "../../src/connectors/source.ts";
import type { StartRequest } from "../../src/query/runtime.ts";
import { TestCluster } from "../../src/testing/cluster.ts";

const requestOf = (source: SourceSpec, sink: SinkSpec): StartRequest => ({
  name: "q",
  relation: { kind: "source", source, streaming: true, name: "s" },
  catalog: EMPTY_CATALOG,
  outputMode: "append",
  trigger: { kind: "default" },
  sink,
  partitions: undefined,
});

test("a source that is not there refuses the start with its own error, once", async () => {
  const logged: string[] = [];
  const cluster = new TestCluster({
    log: (level, message) => void (level === "error" && logged.push(message)),
  });
  const schema = schemaOf([field("v", LONG)]);
  const source = { format: "nats", options: { stream: "NOWHERE" }, schema, pushed: [] };
  const sink = { format: "memory", options: {}, partitionBy: [], handle: new MemorySink() };
  const start = cluster.start(requestOf(source, sink));
  await assert.rejects(start, (e) => e instanceof ConfigurationError && /NATS server/.test(e.message));
  assert.ok(logged.length <= 1, logged.join("\n"));
  await cluster.close();
});

test("a sink whose target is not there refuses the start, before anything runs", async () => {
  const logged: string[] = [];
  const cluster = new TestCluster({ log: (_, message) => void logged.push(message) });
  const schema = schemaOf([field("v", LONG)]);
  const source = { format: "memory", options: {}, schema, pushed: [], handle: new MemorySource(schema) };
  const start = cluster.start(
    requestOf(source, { format: "nats", options: { subject: "out" }, partitionBy: [] }),
  );
  await assert.rejects(start, (e) => e instanceof ConfigurationError && /NATS server/.test(e.message));
  assert.deepEqual(logged, []);
  await cluster.close();
});

test("of two starts of one name at the same time one is refused", async () => {
  const cluster = new TestCluster();
  const schema = schemaOf([field("v", LONG)]);
  const source = { format: "memory", options: {}, schema, pushed: [], handle: new MemorySource(schema) };
  const sink = { format: "memory", options: {}, partitionBy: [], handle: new MemorySink() };
  const { runtime } = await cluster.node(0);
  const starts = [0, 1].map(() => runtime.start(requestOf(source, sink)));
  const ended = await Promise.allSettled(starts);
  assert.deepEqual(
    ended.map((e) => (e.status === "fulfilled" ? "started" : String((e.reason as Error).message))),
    ["started", "a query named q is already active in this session"],
  );
  await cluster.close();
});
