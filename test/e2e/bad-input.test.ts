/** What a program may get wrong beyond its arguments (api-misuse.test.ts): processors, results, rows and queries too deep. Each is an error that says what to do. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { MillraceError } from "../../src/core/errors.ts";
import { lit, schema, session, t } from "../../src/index.ts";
import { FrameCluster, type Writer } from "../support/frame-cluster.ts";
import { MemoryBackend } from "../../src/state/backend.ts";
import { temporaryDirectory } from "../support/temporary.ts";

type Any = any; // oxlint-disable-line typescript/no-explicit-any -- what JavaScript sees

const mill: Any = session({ name: "bad", print: () => {} });
const out = schema({ k: t.string });

const rejects = (run: () => unknown, errorClass: string, message: RegExp): Promise<void> =>
  assert.rejects(
    async () => run(),
    (e: unknown) => {
      assert.ok(e instanceof MillraceError, String(e));
      assert.equal(e.errorClass, errorClass, e.message);
      assert.match(`${e.message} ${e.hint ?? ""}`, message);
      return true;
    },
  );

/** Starts the query and gives it one row. */
const oneRow = async (make: (a: Any) => Any): Promise<void> => {
  const f = new FrameCluster({ partitions: 1, backend: async () => new MemoryBackend() });
  try {
    const a = f.source("a");
    await f.start(make(a.frame).writeStream as Writer);
    await a.add([["x", 1, 1_000]]);
    await f.settle();
  } finally {
    await f.close();
  }
};
const transformed = (made: unknown, options = {}) =>
  oneRow((a) => a.groupBy("k").transformWithState(out, () => made, options));
/** A processor with this `init`. */
const made = (init: (handle: Any) => void, handleInputRows: () => unknown = () => undefined) =>
  transformed({ init, handleInputRows });

const QUERIES: readonly (readonly [string, () => Promise<void>, string, RegExp])[] = [
  ["a processor that is none", () => transformed(5), "INVALID_UDF_RESULT", /no method init/],
  [
    "a processor without handleInputRows",
    () => transformed({ init() {} }),
    "INVALID_UDF_RESULT",
    /no method handleInputRows/,
  ],
  [
    "an asynchronous processor",
    () =>
      made(
        () => {},
        async () => [],
      ),
    "INVALID_UDF_RESULT",
    /not a promise[^]*mapAsync/,
  ],
  [
    "a processor that gives a text",
    () =>
      made(
        () => {},
        () => "rows",
      ),
    "INVALID_UDF_RESULT",
    /iterable of rows/,
  ],
  [
    "an asynchronous map",
    () => oneRow((a) => a.map(out, async () => ({ k: "x" }))),
    "INVALID_UDF_RESULT",
    /not a promise[^]*mapAsync/,
  ],
  [
    "an asynchronous flatMap",
    () => oneRow((a) => a.flatMap(out, async () => [])),
    "INVALID_UDF_RESULT",
    /not a promise[^]*mapAsync/,
  ],
  [
    "a map that leaves out a column that is not nullable",
    () => oneRow((a) => a.map(out, () => ({}))),
    "NOT_NULL_CONSTRAINT_VIOLATION",
    /`k`[^]*nullable/,
  ],
  [
    "flatMapGroupsWithState that gives one row",
    () => oneRow((a) => a.groupBy("k").flatMapGroupsWithState(out, () => ({ k: "x" }))),
    "INVALID_UDF_RESULT",
    /iterable of rows/,
  ],
  [
    "an asynchronous udf",
    () =>
      oneRow((a) => {
        const f = mill.udf("slow", { parameters: [t.long], returns: t.long }, async (x: number) => x);
        return a.select((c: Any) => ({ x: f(c.v) }));
      }),
    "UDF_RESULT_TYPE",
    /a promise where bigint[^]*mapAsync/,
  ],
];
for (const [name, run, errorClass, message] of QUERIES)
  test(`${name} fails the query and says why`, () => rejects(run, errorClass, message));

test("state variables take a type of t or the type in it, and nothing else; they need names", async () => {
  const seen: unknown[] = [];
  let v: Any;
  let m: Any;
  await made(
    (h) => {
      v = h.getValueState("__proto__", t.long);
      m = h.getMapState("constructor", t.string.type, t.int);
    },
    () => {
      v.update(7);
      m.updateValue("__proto__", 8);
      seen.push(v.get(), [...m.iterator()]);
    },
  );
  assert.deepEqual(seen, [7, [["__proto__", 8]]]);
  for (const wrong of [5, "long", {}, null])
    await assert.rejects(
      made((h) => h.getValueState("v", wrong)),
      /the type of state v is no type/,
    );
  for (const wrong of [5, "", undefined])
    await assert.rejects(
      made((h) => h.getValueState(wrong)),
      /needs a name/,
    );
});

test("the times of mapAsync", () => {
  const frame = mill.createDataFrame([], out);
  const lookedUp = (options: object) => () => frame.mapAsync(out, async (r: Any) => r, options);
  assert.throws(lookedUp({ timeout: "0 seconds" }), /timeout must be above zero/);
  assert.throws(lookedUp({ timeout: -1 }), /timeout must be above zero/);
  assert.throws(lookedUp({ retryDelay: "-1 seconds" }), /retryDelay must not be negative/);
  assert.doesNotThrow(lookedUp({ timeout: 1, retryDelay: 0 }));
});

const DEPTH = 20_000;
test("queries nested too deep are errors of the query", async () => {
  const deep = (step: (f: Any, i: number) => Any): Any => {
    let f = mill.range(1);
    for (let i = 0; i < DEPTH; i++) f = step(f, i);
    return f;
  };
  const TOO_DEEP = ["FAILED_TO_PARSE_TOO_COMPLEX", /nested too deep/] as const;
  await rejects(() => deep((f, i) => f.withColumn("x", lit(i))).collect(), ...TOO_DEEP);
  await rejects(() => deep((f) => f.union(mill.range(1))).count(), ...TOO_DEEP);
  let sum: Any = lit(1);
  for (let i = 0; i < DEPTH; i++) sum = sum.add(1);
  await rejects(
    () =>
      mill
        .range(1)
        .select(() => ({ sum }))
        .collect(),
    ...TOO_DEEP,
  );
});

test("a JSON value nested too deep is a corrupt record; a row of a memory source is refused", async (c) => {
  const folder = join(temporaryDirectory(c), "in");
  mkdirSync(folder);
  const deep = "[".repeat(DEPTH * 5) + "]".repeat(DEPTH * 5);
  writeFileSync(join(folder, "a.ndjson"), `{"k":"ok"}\n{"k":${deep}}\n`);
  const read = mill.read.schema(schema({ k: t.string.nullable() }));
  assert.deepEqual(await read.json(folder).collect(), [{ k: "ok" }, { k: null }]);
  await rejects(
    () => read.option("mode", "FAILFAST").json(folder).collect(),
    "MALFORMED_RECORD_IN_PARSING",
    /nested too deep/,
  );
  let row: unknown = 1;
  for (let i = 0; i < DEPTH; i++) row = [row];
  const source = mill.memorySource(schema({ xs: t.array(t.int) }));
  await assert.rejects(async () => source.addData([[row]]), /nested too deep/);
});

test("rows of a memory source that are lists have values of the columns' types", async () => {
  const source = mill.memorySource(schema({ k: t.string, v: t.long, b: t.boolean, xs: t.array(t.int) }));
  const wrong: readonly (readonly [unknown, RegExp])[] = [
    [[5, 1, true, []], /column k: 5 is no string/],
    [["a", "1", true, []], /column v: "1" is no bigint/],
    [["a", 1, 0, []], /column b: 0 is no boolean/],
    [["a", 1, true, {}], /column xs: an object is no array<int>/],
    [["a"], /1 values for 4 columns/],
    [null, /a list or an object/],
    [{ k: "a", w: 1 }, /no column "w"/],
  ];
  for (const [row, message] of wrong)
    await assert.rejects(async () => source.addData([["ok", 1, true, [1]], row]), message);
  await source.addData([["a", 2n, null, [1]]]);
  assert.deepEqual(await mill.read.memory(source).select("k", "v").collect(), [{ k: "a", v: 2 }]);
});
