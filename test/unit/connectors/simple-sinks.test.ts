import assert from "node:assert/strict";
import { test } from "node:test";
import { batchFromRows, batchOf } from "../../../src/core/batch.ts";
import * as T from "../../../src/core/data-type.ts";
import { ConfigurationError, ExecutionError } from "../../../src/core/errors.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import { Utf8Strings } from "../../../src/core/utf8-strings.ts";
import type { Vector } from "../../../src/core/vector.ts";
import { tableText } from "../../../src/connectors/formats/display.ts";
import type { EpochInfo, RowFunctions } from "../../../src/connectors/function-sink.ts";
import { NoopWriter } from "../../../src/connectors/noop-sink.ts";
import { sinkFactory, sourceFactory } from "../../../src/connectors/registry.ts";
import type { SinkContext, SinkSpec } from "../../../src/connectors/sink.ts";

const SCHEMA = schemaOf([T.field("k", T.STRING), T.field("v", T.DOUBLE)]);
const context = { queryName: "q", queryId: "id", partition: 0, token: 5, timeZone: "UTC" } as SinkContext;
const spec = (format: string, handle: unknown, options: Record<string, string> = {}): SinkSpec => ({
  format,
  options,
  partitionBy: [],
  handle,
});
const batch = (n: number) =>
  batchFromRows(
    SCHEMA,
    Array.from({ length: n }, (_, i) => [`k${i}`, i / 2]),
  );

test("noop counts what it is given, strings in both forms by their bytes", async () => {
  const writer = new NoopWriter();
  const bytes = new Utf8Strings();
  const ids = Int32Array.from(["aü", "never", "b"], (s) => bytes.push(s));
  const vectors: Vector[] = [
    { layout: "dict", data: ids, dictionary: bytes, nulls: undefined },
    { layout: "f64", data: new Float64Array(3), nulls: undefined },
  ];
  writer.write(batchOf(SCHEMA, 3, vectors, Int32Array.of(0, 2)));
  writer.write(batch(2));
  await writer.commit();
  assert.deepEqual([writer.rows, writer.bytes], [4, 3 + 1 + 16 + 4 + 16]);
});

test("console prints as Spark does, each epoch once", async () => {
  let out = "";
  const s = spec("console", (text: string) => (out += text), { numRows: "2", truncate: "false" });
  sinkFactory("console").validate(s, SCHEMA, "append");
  const w = sinkFactory("console").writer(s, SCHEMA, context);
  await w.open(1);
  await w.begin(1);
  await w.write(batch(1));
  await w.commit(1);
  assert.equal(out, "");
  await w.begin(2);
  await w.write(batch(2));
  await w.write(batch(2));
  await w.commit(2);
  assert.equal(
    out,
    `-------------------------------------------
Batch: 1
-------------------------------------------
+---+---+
|k  |v  |
+---+---+
|k0 |0.0|
|k1 |0.5|
+---+---+
only showing top 2 rows

`,
  );
});

test("a table shows values as Spark's casts do", () => {
  const cases: readonly (readonly [T.DataType, never, string])[] = [
    [T.DOUBLE, 1e7 as never, "1.0E7"],
    [T.DOUBLE, 1.5e-5 as never, "1.5E-5"],
    [T.FLOAT, Math.fround(0.1) as never, "0.1"],
    [T.DOUBLE, -0 as never, "-0.0"],
    [T.decimal(5, 2), -5n as never, "-0.05"],
    [T.TIMESTAMP, Date.UTC(2024, 0, 2, 10, 20, 0) as never, "2024-01-02 10:20:00"],
    [T.TIMESTAMP, (Date.UTC(2024, 0, 2, 3, 4, 5, 120) + 0.5) as never, "2024-01-02 03:04:05.1205"],
    [T.array(T.INT), [1, null] as never, "[1, NULL]"],
    [T.map(T.STRING, T.INT), [["a", 1]] as never, "{a -> 1}"],
    [T.WINDOW, [0, 10_000] as never, "{1970-01-01 00:00:00, 1970-01-01 00:00:10}"],
    [T.BINARY, new Uint8Array([1, 171]) as never, "[01 AB]"],
    [T.STRING, "a\nb" as never, "a\\nb"],
  ];
  for (const [type, value, text] of cases) {
    const table = tableText(schemaOf([T.field("x", type)]), [[value]], { truncate: 0, timeZone: "UTC" });
    assert.equal(table.split("\n")[3]!.slice(1, -1).trimEnd(), text);
  }
  const long = tableText(SCHEMA, [["x".repeat(30), null]], { timeZone: "UTC" });
  assert.equal(long.split("\n")[3], `|${"x".repeat(17)}...|NULL|`);
});

test("foreachBatch gets every epoch with all rows and who asks; its failure is the cause", async () => {
  const calls: [number, EpochInfo][] = [];
  const call = (batches: readonly { length: number }[], info: EpochInfo): void => {
    if (info.epoch === 4) throw new Error("no");
    calls.push([batches.reduce((n, b) => n + b.length, 0), info]);
  };
  const w = sinkFactory("foreachbatch").writer(spec("foreachBatch", call), SCHEMA, context);
  await w.open(1);
  for (const epoch of [1, 2, 3]) {
    await w.begin(epoch);
    if (epoch !== 3) await w.write(batch(2));
    if (epoch !== 3) await w.write(batch(1));
    await w.commit(epoch);
  }
  assert.deepEqual(
    calls.map(([n, i]) => [n, i.epoch, i.token]),
    [
      [3, 2, 5],
      [0, 3, 5],
    ],
  );
  await w.begin(4);
  await assert.rejects(
    w.commit(4),
    (e: unknown) => e instanceof ExecutionError && (e.cause as Error).message === "no",
  );
});

test("foreach opens, processes and closes; open may skip", async () => {
  const seen: string[] = [];
  const functions: RowFunctions = {
    open: (info) => (seen.push(`open ${info.epoch}`), info.epoch !== 2),
    process: (row) => {
      if (row[0] === "k2") throw new Error("bad row");
      seen.push(String(row[0]));
    },
    close: (error) => void seen.push(`close ${error === undefined ? "" : "error"}`),
  };
  const w = sinkFactory("foreach").writer(spec("foreach", functions), SCHEMA, context);
  await w.open(0);
  for (const epoch of [1, 2]) {
    await w.begin(epoch);
    await w.write(batch(2));
    await w.commit(epoch);
  }
  assert.deepEqual(seen.splice(0), ["open 1", "k0", "k1", "close ", "open 2", "close "]);
  await w.begin(3);
  await w.write(batch(3));
  await assert.rejects(w.commit(3), /foreach function failed in epoch 3: bad row/);
  assert.deepEqual(seen, ["open 3", "k0", "k1", "close error"]);
});

test("formats and options that do not exist are refused with a suggestion", () => {
  assert.throws(() => sinkFactory("consol"), /did you mean "console"/);
  assert.throws(() => sourceFactory("ratee"), /did you mean "rate"/);
  assert.throws(() => sourceFactory("constructor"), ConfigurationError);
  assert.throws(
    () => sinkFactory("console").validate(spec("console", undefined, { numRow: "3" }), SCHEMA, "append"),
    /unknown option "numRow" of the console sink; did you mean "numRows"\?/,
  );
  assert.throws(
    () => sinkFactory("console").validate(spec("console", undefined, { numRows: "x" }), SCHEMA, "append"),
    /option "numRows" of the console sink is "x"; it takes an integer/,
  );
});
