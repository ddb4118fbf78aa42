/** `onError`: a row that cannot be computed fails the query, is left out, or becomes a dead letter. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MemorySink } from "../../src/connectors/memory-sink.ts";
import { MemorySource } from "../../src/connectors/memory-input.ts";
import { position } from "../../src/core/brands.ts";
import { field, STRING } from "../../src/core/data-type.ts";
import { schemaOf } from "../../src/core/schema.ts";
import { deadLetterLog } from "../../src/log/names.ts";
import { MemoryStore } from "../../src/log/memory-log.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import { decodeDeadLetter, type OnError } from "../../src/runtime/dead-letters.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { TestCluster } from "../../src/testing/cluster.ts";

const run = async (onError: OnError) => {
  const schema = schemaOf([field("s", STRING)]);
  const input = new MemorySource(schema);
  const sink = new MemorySink();
  const catalog = new SessionCatalog();
  const source = { format: "memory", options: {}, schema, pushed: [], handle: input };
  catalog.define({
    name: "t",
    kind: "view",
    relation: { kind: "source", source, streaming: true, name: "t" },
  });
  let store: MemoryStore | undefined;
  const cluster = new TestCluster({
    partitions: 2,
    store: (clock) => Promise.resolve((store = new MemoryStore({ clock }))),
  });
  const query = await cluster.start({
    name: "casts",
    relation: parseQuery("SELECT CAST(s AS INT) AS n FROM t"),
    catalog,
    outputMode: "append",
    trigger: { kind: "default" },
    sink: { format: "memory", options: {}, partitionBy: [], handle: sink },
    partitions: undefined,
    onError,
  });
  await input.addData([["1"], ["two"], ["3"]]);
  return { cluster, query, sink, store: store! };
};

test('"fail": the query fails with the error class, the operator and the input position', async () => {
  const { cluster, query } = await run("fail");
  await assert.rejects(cluster.processAllAvailable("casts"), (e: Error & { errorClass?: string }) => {
    assert.equal(e.errorClass, "CAST_INVALID_INPUT");
    return true;
  });
  assert.equal(query.isActive, false);
  await cluster.close();
});

test('"skip": the other rows pass', async () => {
  const { cluster, sink } = await run("skip");
  await cluster.processAllAvailable("casts");
  assert.deepEqual(sink.rows(), [[1], [3]]);
  await cluster.close();
});

test('"deadLetter": the other rows pass, and the log has the row with its error', async () => {
  const { cluster, sink, store } = await run("deadLetter");
  await cluster.processAllAvailable("casts");
  assert.deepEqual(sink.rows(), [[1], [3]]);
  const log = await store.open(deadLetterLog("test", "casts"));
  const letter = decodeDeadLetter((await log.get(position(1)))!.payload);
  assert.equal(letter.errorClass, "CAST_INVALID_INPUT");
  assert.ok(letter.epoch >= 1);
  assert.match(JSON.stringify(letter.row), /two/);
  await cluster.close();
});
