/**
 * The typed API called as JavaScript may: every verb with arguments of the wrong kind gives an error of Millrace that names the verb or the column, never a
 * TypeError from inside, and nothing runs.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { MillraceError } from "../../src/core/errors.ts";
import { col, count, lit, schema, session, sum, t, window } from "../../src/index.ts";

type Any = any; // oxlint-disable-line typescript/no-explicit-any -- what JavaScript sees

const mill: Any = session({ name: "misuse", print: () => {} });
const columns: Any = schema({ k: t.string, v: t.long, ts: t.timestamp, xs: t.array(t.int).nullable() });
const frame = (): Any => mill.createDataFrame([], columns);
const stream = (): Any => mill.readStream.memory(mill.memorySource(columns));
const WRONG: readonly unknown[] = [
  undefined,
  null,
  5,
  "no_such",
  "",
  true,
  {},
  [],
  [undefined],
  Symbol("s"),
  () => undefined,
  () => 5,
  new Date(NaN),
  5n,
];

/** Verbs with the arguments that may stand first; those in `right` are right for it and must not be refused. */
const VERBS: Readonly<Record<string, (f: Any, x: unknown) => unknown>> = {
  select: (f, x) => f.select(x),
  selectExpr: (f, x) => f.selectExpr(x),
  "withColumn name": (f, x) => f.withColumn(x, lit(1)),
  "withColumn value": (f, x) => f.withColumn("a", x),
  withColumns: (f, x) => f.withColumns(x),
  "withColumnRenamed from": (f, x) => f.withColumnRenamed(x, "b"),
  "withColumnRenamed to": (f, x) => f.withColumnRenamed("k", x),
  withColumnsRenamed: (f, x) => f.withColumnsRenamed(x),
  drop: (f, x) => f.drop(x),
  filter: (f, x) => f.filter(x),
  where: (f, x) => f.where(x),
  groupBy: (f, x) => f.groupBy(x).count(),
  rollup: (f, x) => f.rollup(x).count(),
  cube: (f, x) => f.cube(x).count(),
  groupingSets: (f, x) => f.groupingSets(x).count(),
  agg: (f, x) => f.agg(x),
  "groupBy.agg": (f, x) => f.groupBy("k").agg(x),
  "groupBy.agg options": (f, x) => f.groupBy("k").agg({ n: count() }, x),
  "pivot column": (f, x) => f.groupBy("k").pivot(x, ["a"]).agg({ n: count() }),
  "pivot values": (f, x) => f.groupBy("k").pivot("k", x).agg({ n: count() }),
  "pivot.agg": (f, x) => f.groupBy("v").pivot("k", ["a"]).agg(x),
  dropDuplicates: (f, x) => f.dropDuplicates(x),
  dropDuplicatesWithinWatermark: (f, x) => f.withWatermark("ts", "1 second").dropDuplicatesWithinWatermark(x),
  "join other": (f, x) => f.join(x, "k"),
  "join keys": (f, x) => f.join(frame().select("k"), x),
  "join how": (f, x) => f.join(frame().select("k"), "k", x),
  "joinOn other": (f, x) => f.joinOn(x, () => lit(true)),
  "joinOn condition": (f, x) => f.joinOn(frame(), x),
  crossJoin: (f, x) => f.crossJoin(x),
  union: (f, x) => f.union(x),
  unionByName: (f, x) => f.unionByName(x),
  intersect: (f, x) => f.intersect(x),
  intersectAll: (f, x) => f.intersectAll(x),
  except: (f, x) => f.except(x),
  exceptAll: (f, x) => f.exceptAll(x),
  orderBy: (f, x) => f.orderBy(x),
  sort: (f, x) => f.sort(x),
  limit: (f, x) => f.limit(x),
  offset: (f, x) => f.offset(x),
  sample: (f, x) => f.sample(x),
  "sample seed": (f, x) => f.sample(0.5, x),
  "withWatermark column": (f, x) => f.withWatermark(x, "1 second"),
  "withWatermark delay": (f, x) => f.withWatermark("ts", x),
  alias: (f, x) => f.alias(x),
  as: (f, x) => f.as(x),
  "na.fill": (f, x) => f.na.fill(x),
  "na.fill columns": (f, x) => f.na.fill(1, x),
  "na.drop": (f, x) => f.na.drop(x),
  "na.drop columns": (f, x) => f.na.drop("any", x),
  "na.replace": (f, x) => f.na.replace(x),
  "na.replace columns": (f, x) => f.na.replace([["a", "b"]], x),
  "explode array": (f, x) => f.explode(x, "e"),
  "explode name": (f, x) => f.explode((c: Any) => c.xs, x),
  transform: (f, x) => f.transform(x),
  describe: (f, x) => f.describe(x),
  summary: (f, x) => f.summary(x),
  tail: (f, x) => f.tail(x),
  "observe name": (f, x) => f.observe(x, { n: count() }),
  "observe metrics": (f, x) => f.observe("m", x),
  late: (f, x) => f.late(x),
  "map schema": (f, x) => f.map(x, () => ({})),
  "map function": (f, x) => f.map(columns, x),
  "flatMap schema": (f, x) => f.flatMap(x, () => []),
  "flatMap function": (f, x) => f.flatMap(columns, x),
  filterRows: (f, x) => f.filterRows(x),
  "mapAsync schema": (f, x) => f.mapAsync(x, async () => ({})),
  "mapAsync function": (f, x) => f.mapAsync(columns, x),
  "mapAsync options": (f, x) => f.mapAsync(columns, async () => ({}), x),
  "mapAsync concurrency": (f, x) => f.mapAsync(columns, async () => ({}), { concurrency: x }),
  "mapAsync timeout": (f, x) => f.mapAsync(columns, async () => ({}), { timeout: x }),
  "mapGroupsWithState schema": (f, x) => f.groupBy("k").mapGroupsWithState(x, () => ({})),
  "mapGroupsWithState function": (f, x) => f.groupBy("k").mapGroupsWithState(columns, x),
  "mapGroupsWithState options": (f, x) => f.groupBy("k").mapGroupsWithState(columns, () => ({}), x),
  "flatMapGroupsWithState timeout": (f, x) =>
    f.groupBy("k").flatMapGroupsWithState(columns, () => [], { timeout: x }),
  "flatMapGroupsWithState state": (f, x) =>
    f.groupBy("k").flatMapGroupsWithState(columns, () => [], { state: x }),
  "flatMapGroupsWithState initialState": (f, x) =>
    f.groupBy("k").flatMapGroupsWithState(columns, () => [], { initialState: x }),
  "transformWithState create": (f, x) => f.groupBy("k").transformWithState(columns, x),
  "transformWithState timeMode": (f, x) =>
    f.groupBy("k").transformWithState(columns, () => ({}), { timeMode: x }),
  createTempView: (f, x) => f.createTempView(x),
  createOrReplaceTempView: (f, x) => f.createOrReplaceTempView(x),
  take: (f, x) => f.take(x),
  show: (f, x) => f.show(x),
  "write.format": (f, x) => f.write.format(x).save(),
  "write.mode": (f, x) => f.write.mode(x),
  "write.option": (f, x) => f.write.option("a", x),
  "write.options": (f, x) => f.write.options(x),
  "write.partitionBy": (f, x) => f.write.partitionBy(x).format("noop").save(),
  saveAsTable: (f, x) => f.write.saveAsTable(x),
  outputMode: (_, x) => stream().writeStream.outputMode(x),
  trigger: (_, x) => stream().writeStream.trigger(x),
  "trigger.processingTime": (_, x) => stream().writeStream.trigger({ processingTime: x }),
  "trigger.count": (_, x) => stream().writeStream.trigger({ count: x }),
  "writeStream.format": (_, x) => stream().writeStream.format(x).request(),
  "writeStream.option": (_, x) => stream().writeStream.option("path", x),
  "writeStream.options": (_, x) => stream().writeStream.options(x),
  queryName: (_, x) => stream().writeStream.queryName(x),
  "writeStream.partitionBy": (_, x) => stream().writeStream.partitionBy(x).format("noop").request(),
  partitions: (_, x) => stream().writeStream.partitions(x),
  onError: (_, x) => stream().writeStream.onError(x),
  foreachBatch: (_, x) => stream().writeStream.foreachBatch(x),
  foreach: (_, x) => stream().writeStream.foreach(x),
  toTable: (_, x) => stream().writeStream.toTable(x),
  "read.format": (_, x) => mill.read.format(x).load(),
  "read.option": (_, x) => mill.read.format("json").option("mode", x),
  "read.options": (_, x) => mill.read.options(x),
  "read.schema": (_, x) => mill.read.schema(x),
  "read.memory": (_, x) => mill.read.memory(x),
  "read.table": (_, x) => mill.read.table(x),
  "read.json": (_, x) => mill.read.schema(columns).json(x),
  sql: (_, x) => mill.sql(x),
  "sql parameters": (_, x) => mill.sql("SELECT :p", { p: x }),
  table: (_, x) => mill.table(x),
  range: (_, x) => mill.range(x),
  "createDataFrame rows": (_, x) => mill.createDataFrame(x, columns),
  "createDataFrame schema": (_, x) => mill.createDataFrame([], x),
  memorySource: (_, x) => mill.memorySource(x),
  "udf name": (_, x) => mill.udf(x, { parameters: [], returns: t.int }, () => 1),
  "udf types": (_, x) => mill.udf("f1", x, () => 1),
  "udf function": (_, x) => mill.udf("f2", { parameters: [], returns: t.int }, x),
  "udaf types": (_, x) =>
    mill.udaf("f3", x, { zero: () => 0, update: () => 0, merge: () => 0, finish: () => 0 }),
  "udaf functions": (_, x) => mill.udaf("f4", { parameters: [], state: t.int, returns: t.int }, x),
  "streams.addListener": (_, x) => mill.streams.addListener(x),
  session: (_, x) => session(x as Any),
  schema: (_, x) => schema(x as Any),
  "schema column": (_, x) => schema({ a: x } as Any),
  "t.array": (_, x) => (t as Any).array(x),
  "t.struct": (_, x) => (t as Any).struct(x),
  "t.map": (_, x) => (t as Any).map(x, t.int),
  "t.decimal": (_, x) => (t as Any).decimal(x, 0),
  "window time": (f, x) => f.groupBy(() => [window(x as Any, "1 minute")]).count(),
  "window duration": (f, x) => f.groupBy((c: Any) => [window(c.ts, x as Any)]).count(),
  "sum argument": (f, x) => f.agg({ s: sum(x as Any) }),
  "col name": (f, x) => f.select(col(x as Any)),
  "expression argument": (f, x) => f.filter((c: Any) => c.k.eq(x)),
  "cast type": (f, x) => f.select((c: Any) => ({ a: c.k.cast(x) })),
  "alias name": (f, x) => f.select((c: Any) => [c.k.as(x)]),
};

const show = (x: unknown): string =>
  typeof x === "object" && x !== null ? JSON.stringify(x) : typeof x === "bigint" ? `${x}n` : String(x);

/** Runs as far as the analyser and no further; gives what was thrown. */
const thrown = async (call: () => unknown): Promise<unknown> => {
  try {
    const made: unknown = await call();
    // Frames are analysed late: what is wrong shows here at the latest.
    void (made as { schema?: unknown } | undefined)?.schema;
    return undefined;
  } catch (e) {
    return e;
  }
};

for (const [name, call] of Object.entries(VERBS))
  test(`${name}: what JavaScript may give`, async () => {
    const wrong: string[] = [];
    for (const x of WRONG) {
      const e = await thrown(() => call(frame(), x));
      if (e !== undefined && !(e instanceof MillraceError))
        wrong.push(`${show(x)}: ${e instanceof Error ? `${e.name}: ${e.message}` : show(e)}`);
    }
    assert.deepEqual(wrong, []);
  });
