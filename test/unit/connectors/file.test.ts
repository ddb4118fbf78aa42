import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { batchFromRows, rowsOf } from "../../../src/core/batch.ts";
import type { Clock } from "../../../src/core/clock.ts";
import * as T from "../../../src/core/data-type.ts";
import {
  AnalysisError,
  ConfigurationError,
  DataLossError,
  ExecutionError,
} from "../../../src/core/errors.ts";
import { type Schema, schemaOf } from "../../../src/core/schema.ts";
import type { Row } from "../../../src/core/value.ts";
import { sinkFactory, sourceFactory } from "../../../src/connectors/registry.ts";
import type { SinkContext, SinkSpec } from "../../../src/connectors/sink.ts";
import type { Options, Source, SourceContext, SplitRange } from "../../../src/connectors/source.ts";
import { MemoryStore } from "../../../src/log/memory-log.ts";
import { temporaryDirectory } from "../../support/temporary.ts";

const clock: Clock = { now: () => 0, monotonic: () => 0, after: () => () => {} };
const KV = schemaOf([T.field("k", T.STRING), T.field("v", T.LONG)]);
const source = (
  format: string,
  options: Options,
  more: { store?: MemoryStore; schema?: Schema; declared?: Schema; mode?: "batch" | "stream" } = {},
): Source => {
  const { store = new MemoryStore({ clock }), schema = KV, declared = schema, mode = "stream" } = more;
  sourceFactory(format).validate(options, mode);
  return sourceFactory(format).create(
    { format, options, schema, declared, pushed: [] },
    { store, clock, queryName: "q", sourceId: "s0", timeZone: "UTC" } as SourceContext,
    mode,
  );
};
const read = async (s: Source, ranges: readonly SplitRange[]): Promise<Row[]> => {
  const rows: Row[] = [];
  // Through JSON, as the plan log keeps it.
  for (const range of JSON.parse(JSON.stringify(ranges)) as SplitRange[])
    for await (const batch of s.reader().read(range, new AbortController().signal))
      rows.push(...rowsOf(batch));
  return rows;
};
const all = async (
  format: string,
  options: Options,
  schema: Schema = KV,
  declared = schema,
): Promise<Row[]> => {
  const s = source(format, options, { schema, declared, mode: "batch" });
  const e = s.enumerator();
  await e.open(undefined);
  return read(s, await e.plan({}));
};
/** A file that appears whole, with a modification time. */
const drop = (dir: string, name: string, text: string, time: number): void => {
  writeFileSync(join(dir, `.${name}`), text);
  utimesSync(join(dir, `.${name}`), time, time);
  renameSync(join(dir, `.${name}`), join(dir, name));
};

test("files once each, oldest first, limited, over a restart, read again the same", async (t) => {
  const dir = temporaryDirectory(t);
  const store = new MemoryStore({ clock });
  drop(dir, "b.json", '{"k":"b","v":2}\n{"k":"b","v":3}', 100);
  drop(dir, "z.json", '{"k":"z","v":1}\n\n', 50);
  drop(dir, "_hidden", "x", 10);
  const s = source("file", { path: dir, fileFormat: "json" }, { store });
  const e = s.enumerator();
  await e.open(undefined);
  const first = await e.plan({ maxOffsets: 1 });
  assert.deepEqual(await read(s, first), [["z", 1]]);
  assert.deepEqual(e.unread!(), ["files"]);
  drop(dir, "late.json", '{"k":"l","v":9}', 20);
  const again = source("file", { path: dir, fileFormat: "json" }, { store });
  const e2 = again.enumerator();
  await e2.open({ files: first[0]!.to });
  assert.equal(await e2.backlog(), 2);
  const rest = await e2.plan({});
  assert.deepEqual(await read(again, rest), [
    ["b", 2],
    ["b", 3],
    ["l", 9],
  ]);
  assert.deepEqual(await e2.plan({}), []);
  assert.deepEqual(await read(again, [...first, ...rest]), [
    ["z", 1],
    ["b", 2],
    ["b", 3],
    ["l", 9],
  ]);
  writeFileSync(join(dir, "b.json"), '{"k":"b","v":2}\n{"k":"b","v":3}\n{"k":"b","v":4}\n');
  assert.equal((await read(again, rest)).length, 3, "a file that grew is read as far as it was planned");
  writeFileSync(join(dir, "b.json"), "");
  await assert.rejects(
    read(again, rest),
    (x: unknown) => x instanceof DataLossError && /b\.json shrank from 31 to 0/.test(x.message),
  );
  rmSync(join(dir, "b.json"));
  await assert.rejects(read(again, rest), DataLossError);
});

test("csv: header, separators, quotes, nulls, pruned columns, malformed lines", async (t) => {
  const dir = temporaryDirectory(t);
  const wide = schemaOf([...KV.fields, T.field("at", T.TIMESTAMP), T.field("_corrupt_record", T.STRING)]);
  writeFileSync(
    join(dir, "a.csv"),
    'k;v;at\n"a;""x""";1;2024-01-01T00:00:00Z\n;2;\n"";3;\nb;x;\nc;1\n"open;1;\n\n',
  );
  const rows = await all("csv", { path: dir, header: "true", sep: ";" }, wide);
  assert.deepEqual(rows, [
    ['a;"x"', 1, Date.UTC(2024, 0, 1), null],
    [null, 2, null, null],
    ["", 3, null, null],
    ["b", null, null, "b;x;"],
    ["c", 1, null, "c;1"],
    [null, null, null, '"open;1;'],
  ]);
  const pruned = schemaOf([wide.fields[1]!]);
  assert.deepEqual(
    await all("csv", { path: dir, header: "true", sep: ";", mode: "dropMalformed" }, pruned, wide),
    [[1], [2], [3]],
  );
  await assert.rejects(
    all("csv", { path: dir, header: "true", sep: ";", mode: "failFast" }, wide),
    (e: unknown) =>
      e instanceof ExecutionError && /a\.csv, line 5: column v: "x" is no bigint/.test(e.message),
  );
  writeFileSync(join(dir, "a.csv"), "v,k\n1,a\n");
  assert.deepEqual(await all("csv", { path: dir, header: "true" }), [["a", 1]]);
  writeFileSync(join(dir, "a.csv"), "x,1\r\ny,2\r\n");
  assert.deepEqual(await all("csv", { path: join(dir, "*.csv") }), [
    ["x", 1],
    ["y", 2],
  ]);
});

test("text, multi-line JSON, patterns, key=value directories", async (t) => {
  const dir = temporaryDirectory(t);
  mkdirSync(join(dir, "day=2024-01-02/k=x%2Fy"), { recursive: true });
  writeFileSync(join(dir, "day=2024-01-02/k=x%2Fy/p.json"), '{"v":5}\n');
  const keyed = schemaOf([...KV.fields, T.field("day", T.DATE)]);
  assert.deepEqual(await all("json", { path: dir }, keyed), [["x/y", 5, 19724]]);
  const other = temporaryDirectory(t);
  writeFileSync(join(other, "doc.json"), '[{"k":"a","v":1},\n {"k":"b",\n"v":2}]');
  writeFileSync(join(other, "lines.txt"), `one\ntwo\r\n\n${"x".repeat(3_000_000)}`);
  assert.deepEqual(await all("json", { path: other, multiLine: "true", pathGlobFilter: "*.{json,x}" }), [
    ["a", 1],
    ["b", 2],
  ]);
  const text = await all(
    "text",
    { path: join(other, "l*.txt") },
    sourceFactory("text").defaultSchema({ path: other }),
  );
  assert.deepEqual(
    text.map(([v]) => (v as string).length),
    [3, 3, 0, 3_000_000],
  );
  await assert.rejects(all("json", { path: join(other, "nothing") }), ConfigurationError);
  assert.throws(() => source("csv", { path: dir, heder: "true" }), /did you mean "header"/);
  assert.throws(() => sourceFactory("json").defaultSchema({ path: dir }), AnalysisError);
});

const sink = (
  format: string,
  options: Options,
  partitionBy: readonly string[] = [],
  queryId = "id",
  schema = KV,
) => {
  const spec: SinkSpec = { format, options, partitionBy };
  sinkFactory(format).validate(spec, schema, "append");
  return sinkFactory(format).writer(spec, schema, {
    queryId,
    partition: 0,
    token: 1,
    timeZone: "UTC",
    alive: () => true,
  } as SinkContext);
};
const put = async (w: ReturnType<typeof sink>, epoch: number, rows: Row[], commit = true): Promise<void> => {
  await w.begin(epoch);
  for (const row of rows) await w.write(batchFromRows(KV, [row]));
  if (commit) await w.commit(epoch);
};

test("the file sink: each epoch once, nothing visible before its manifest entry, read back by the source", async (t) => {
  const dir = join(temporaryDirectory(t), "out");
  const w = sink("json", { path: dir });
  await w.open(0);
  await put(w, 1, [
    ["a", 1],
    ["b", null],
  ]);
  await put(w, 2, []);
  await put(w, 3, [["c", 9007199254740993n]], false);
  assert.deepEqual(await all("json", { path: dir }), [
    ["a", 1],
    ["b", null],
  ]);
  // A crash; the successor writes 2 and 3 again, a zombie 3 once more.
  const next = sink("json", { path: dir });
  await next.open(0);
  await put(next, 2, [["never", 0]]);
  await put(next, 3, [["c", 9007199254740993n]]);
  await w.commit(3);
  assert.deepEqual(await all("json", { path: dir }), [
    ["a", 1],
    ["b", null],
    ["c", 9007199254740993n],
  ]);
  writeFileSync(join(dir, "part-99.json"), '{"k":"stray","v":1}\n');
  assert.equal((await all("json", { path: dir })).length, 3, "what no entry names is not output");
  assert.equal(
    readFileSync(join(dir, "part-00000001-00000.json"), "utf8"),
    '{"k":"a","v":1}\n{"k":"b","v":null}\n',
  );
  await assert.rejects(sink("json", { path: dir }, [], "other").open(0), /holds the output of another query/);
});

test("the file sink: csv, directories by key, compaction of the manifest", async (t) => {
  const dir = join(temporaryDirectory(t), "out");
  const w = sink("csv", { path: dir, header: "true" }, ["k"]);
  await w.open(0);
  for (let epoch = 1; epoch <= 102; epoch++) await put(w, epoch, [[epoch % 2 === 0 ? "a b/c" : null, epoch]]);
  assert.deepEqual(readdirSync(dir).sort(), [
    "_millrace_metadata",
    "k=__HIVE_DEFAULT_PARTITION__",
    "k=a b%2Fc",
  ]);
  assert.deepEqual(readdirSync(join(dir, "_millrace_metadata")).sort(), ["100", "101", "102"]);
  const schema = schemaOf([KV.fields[1]!, KV.fields[0]!]);
  const rows = await all("csv", { path: dir, header: "true" }, schema, schemaOf([KV.fields[1]!]));
  assert.deepEqual(
    rows.toSorted((a, b) => (a[0] as number) - (b[0] as number)),
    Array.from({ length: 102 }, (_, i) => [i + 1, i % 2 === 1 ? "a b/c" : null]),
  );
  assert.throws(
    () =>
      sinkFactory("csv").validate({ format: "csv", options: { path: dir }, partitionBy: [] }, KV, "update"),
    AnalysisError,
  );
  assert.throws(() => sink("csv", { path: dir }, ["nope"]), /nope/);
});
