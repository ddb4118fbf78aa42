/** Frames as relations: what the verbs of the typed API hand to the analyser, and what they refuse from JavaScript. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { setRuntimeProvider } from "../../src/api/runtime-provider.ts";
import {
  AnalysisError,
  ConfigurationError,
  count,
  lit,
  max,
  ParseError,
  schema,
  session,
  sum,
  t,
  when,
  window,
} from "../../src/index.ts";
import type { SessionRuntime, StartRequest } from "../../src/query/runtime.ts";

const columns = schema({ k: t.string, v: t.long, ts: t.timestamp });
const mill = session({ name: "frames", print: () => {} });
const rows = mill.createDataFrame([{ k: "a", v: 1, ts: new Date(0) }], columns);
const source = mill.memorySource(columns);
const stream = mill.readStream.memory(source);

/** The error of JavaScript code: types do not count here. */
const refused = (f: () => unknown, message: RegExp, hint?: RegExp): void => {
  assert.throws(f, (e: unknown) => {
    assert.ok(e instanceof AnalysisError || e instanceof ConfigurationError, String(e));
    assert.match(e.message, message);
    if (hint !== undefined) assert.match(e.hint ?? "", hint);
    return true;
  });
};
const js = (x: unknown): never => x as never;

/** A column that would make a promise of its row. */
const THEN = ["t", "hen"].join("");

test("the windowed count of the first issue becomes this relation", async () => {
  let started: StartRequest | undefined;
  const runtime = { start: async (r: StartRequest) => ((started = r), {}) } as unknown as SessionRuntime;
  const before = setRuntimeProvider(async () => runtime);
  try {
    const own = session({ name: "counts" });
    const events = own.readStream.memory(own.memorySource(columns));
    const counts = events
      .filter((c) => c.v.ge(0))
      .withWatermark("ts", "5 seconds")
      .groupBy((c) => [window(c.ts, "10 seconds"), c.k])
      .agg((c) => ({ n: count(), total: sum(c.v) }))
      .select((c) => ({ start: c.window.start, k: c.k, n: c.n, total: c.total }));
    assert.deepEqual(counts.columns, ["start", "k", "n", "total"]);
    assert.equal(counts.isStreaming, true);
    await counts.writeStream
      .queryName("counts")
      .outputMode("append")
      .trigger({ processingTime: "200 milliseconds" })
      .format("console")
      .start();
  } finally {
    setRuntimeProvider(before);
  }
  assert.equal(started?.name, "counts");
  assert.deepEqual(started.trigger, { kind: "processingTime", intervalMs: 200 });
  const select = started.relation;
  assert.ok(select.kind === "select" && select.child.kind === "aggregate");
  assert.deepEqual(
    select.child.keys.map((k) => (k.kind === "call" ? k.fn : k.kind === "column" ? k.parts : k.kind)),
    ["window", ["k"]],
  );
  const watermark = select.child.child;
  assert.ok(watermark.kind === "watermark" && watermark.delayMs === 5000);
  assert.ok(watermark.child.kind === "filter");
  assert.deepEqual(JSON.parse(JSON.stringify(watermark.child.condition)), {
    kind: "call",
    fn: ">=",
    args: [
      { kind: "column", parts: ["v"] },
      { kind: "literal", value: 0, type: { kind: "int" } },
    ],
  });
});

test("JavaScript's operators are refused with the method to use", () => {
  refused(
    () => rows.filter((c) => js((c.v as unknown as number) > 1)),
    /used as a JavaScript value/,
    /c\.a\.gt\(1\)/,
  );
  refused(
    () => rows.select((c) => ({ x: js((c.v as unknown as number) + 1) })),
    /used as a JavaScript value/,
  );
  refused(() => rows.filter((c) => js(c.v.gt(1) && c.v.lt(3))), /left out of the result/, /\.and\(/);
  refused(() => rows.filter((c) => js(!c.v.gt(1))), /value of type boolean/, /filterRows/);
  refused(() => rows.filter(() => js(undefined)), /value of type undefined/);
  refused(
    () => rows.filter(js((c: { v: { gtt(x: number): unknown } }) => c.v.gtt(1))),
    /no method "gtt"/,
    /gt/,
  );
});

test("wrong columns from JavaScript are AnalysisErrors with a suggestion, before anything starts", () => {
  refused(
    () => (rows as unknown as { select(name: string): typeof rows }).select("kk").schema,
    /UNRESOLVED_COLUMN[^]*`k`/,
  );
  refused(
    () => rows.filter(js((c: { vv: { gt(x: number): unknown } }) => c.vv.gt(1))).schema,
    /UNRESOLVED_COLUMN/,
  );
  refused(() => rows.select(js(max(rows.c.v))), /aggregate cannot stand in select/);
  refused(
    () => (rows as unknown as { writeStream: unknown }).writeStream,
    /WRITE_STREAM_NOT_ALLOWED/,
    /write/,
  );
  refused(() => stream.withWatermark("ts", js("10 minuts")), /unknown unit "minuts"/);
  refused(
    () =>
      rows.join(
        js(rows),
        js(() => lit(true)),
      ),
    /names of equal columns/,
    /joinOn/,
  );
  refused(() => rows.join(js(rows), js("k"), js("leftish")), /UNSUPPORTED_JOIN_TYPE/, /left/);
  refused(() => stream.writeStream.outputMode(js("upsert")), /upsert/);
  refused(
    () => stream.writeStream.trigger(js({ processingTme: "1 second" })),
    /exactly one of/,
    /processingTime/,
  );
  refused(() => rows.limit(-1), /whole number from 0/);
  refused(() => session(js({})), /needs a name/);
  refused(() => mill.createDataFrame([js({ k: "a", ts: new Date(0) })], columns), /not nullable/);
  assert.throws(() => mill.sql("SELEC 1"), ParseError);
});

test("a batch verb on a stream is refused before a runtime is made", async () => {
  const before = setRuntimeProvider(undefined);
  try {
    await assert.rejects(stream.collect(), /writeStream\.start\(\)/);
    await assert.rejects(rows.collect(), ConfigurationError);
  } finally {
    setRuntimeProvider(before);
  }
});

test("columns of any name are only names", () => {
  const odd = schema({
    ["__proto__"]: t.long,
    constructor: t.string,
    "a.b": t.long,
    length: t.long,
  });
  const frame = mill.createDataFrame([], odd);
  assert.deepEqual(frame.columns, ["__proto__", "constructor", "a.b", "length"]);
  const kept = frame.select((c) => ({
    p: c["__proto__"].add(1),
    k: c.constructor,
    d: c["a.b"],
    l: c.length,
  }));
  assert.deepEqual(kept.columns, ["p", "k", "d", "l"]);
  assert.deepEqual(frame.select((c) => ({ ...c, more: 1 })).columns, [...frame.columns, "more"]);
  const awaited = mill.createDataFrame([], schema(Object.fromEntries([[THEN, t.long]])));
  assert.deepEqual(awaited.select((c) => ({ n: c[THEN]! })).columns, ["n"]);
  assert.deepEqual(frame.withColumnRenamed("__proto__", "x").columns[0], "x");
});

test("the analyser agrees with the types of the sample", () => {
  const frame = rows.select((c) => ({
    sum: c.v.add(1),
    half: c.v.div(2),
    text: when(c.v.gt(1), "big").otherwise("small"),
    open: when(c.v.gt(1), c.v),
    later: c.ts.plus("1 hour"),
    filled: c.k.try_cast("int").coalesce(0),
  }));
  assert.deepEqual(
    frame.schema.fields.map((f) => `${f.name} ${f.type.kind}${f.nullable ? "?" : ""}`),
    ["sum long", "half double", "text string", "open long?", "later timestamp", "filled int"],
  );
});

test("joins qualify each side, also of a frame with itself", () => {
  const other = rows.withColumnRenamed("v", "w").drop("ts");
  const joined = rows.joinOn(other, (l, r) => l.k.eq(r.k).and(l.v.lt(r.w)), "semi");
  assert.deepEqual(joined.columns, ["k", "v", "ts"]);
  assert.deepEqual(rows.joinOn(rows, (l, r) => l.v.eq(r.v), "anti").columns, ["k", "v", "ts"]);
  assert.deepEqual(rows.join(other, "k", "left").columns, ["k", "v", "ts", "w"]);
});

test("sql parameters are values, never text", () => {
  rows.createOrReplaceTempView("frame_rows");
  const frame = mill.sql("SELECT k FROM frame_rows WHERE k = :name", { name: "x' OR '1'='1" });
  assert.deepEqual(frame.columns, ["k"]);
  assert.match(JSON.stringify(frame.relation), /"value":"x' OR '1'='1"/);
});
