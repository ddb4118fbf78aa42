/** User code that throws: what the error names, and what `onError` makes of the row, through a crash between the dead letters and the commit. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { type GroupState, schema, type StatefulProcessor, t, type ValueState } from "../../src/index.ts";
import { position } from "../../src/core/brands.ts";
import { ExecutionError } from "../../src/core/errors.ts";
import { deadLetterLog } from "../../src/log/names.ts";
import { MemoryStore } from "../../src/log/memory-log.ts";
import type { StatefulProcessorHandle } from "../../src/operators/transform-with-state.ts";
import { type DeadLetter, decodeDeadLetter, type OnError } from "../../src/runtime/dead-letters.ts";
import { FrameCluster, type Writer } from "../support/frame-cluster.ts";

type Frame = ReturnType<FrameCluster["source"]>["frame"];

interface In {
  readonly k: string;
  readonly v: number;
  readonly ts: Date;
}
const kv = schema({ k: t.string, v: t.long });

/** The value that user code does not take. */
const BAD = 13;
const boom = (v: number): number => {
  if (v === BAD) throw new RangeError("thirteen");
  return v;
};
const sumOf = (rows: Iterable<In>): number => [...rows].reduce((n, r) => n + boom(r.v), 0);

/** Adds up; an addition that fails halfway must leave the total as it was. */
class Totals implements StatefulProcessor<{ k: string }, In, { k: string; v: number }> {
  #total!: ValueState<number>;
  init(handle: StatefulProcessorHandle): void {
    this.#total = handle.getValueState<number>("total", t.long.type);
  }
  *handleInputRows({ k }: { k: string }, rows: Iterable<In>): Iterable<{ k: string; v: number }> {
    for (const { v } of rows) {
      this.#total.update((this.#total.getOption() ?? 0) + v);
      boom(v);
    }
    yield { k, v: this.#total.get() };
  }
}

/** A timer that throws for one key. */
class Alarms implements StatefulProcessor<{ k: string }, In, { k: string; v: number }> {
  #handle!: StatefulProcessorHandle;
  init(handle: StatefulProcessorHandle): void {
    this.#handle = handle;
  }
  handleInputRows(_: unknown, rows: Iterable<In>): undefined {
    for (const { v, ts } of rows) if (v < 90) this.#handle.registerTimer(ts.getTime() + v);
  }
  handleExpiredTimer(
    { k }: { k: string },
    _: unknown,
    expired: { getExpiryTimeInMs(): number },
  ): { k: string; v: number }[] {
    return [{ k, v: boom(expired.getExpiryTimeInMs() - T0) }];
  }
}

const T0 = 1_000_000;
/** Two epochs; the bad row is in the second, beside another row of its key. */
const FIRST = [
  ["a", 1, T0],
  ["b", 2, T0],
] as const;
const SECOND = [
  ["a", 3, T0],
  ["b", BAD, T0],
  ["c", 5, T0],
] as const;
/** Lets the timers fire. */
const THIRD = [["z", 90, T0 + 100_000]] as const;

interface Case {
  readonly name: string;
  readonly query: (frame: Frame, f: FrameCluster) => Writer;
  /** Part of the error: the function. */
  readonly says: RegExp;
  readonly mode?: "append" | "update";
  /** Rows when the bad one is left out. */
  readonly rows: readonly (readonly unknown[])[];
  /** The rows that become dead letters. */
  readonly letters: readonly (readonly unknown[])[];
}

const plain = [
  ["a", 1],
  ["b", 2],
  ["a", 3],
  ["c", 5],
  ["z", 90],
];
const totals = [
  ["a", 1],
  ["b", 2],
  ["a", 4],
  ["c", 5],
  ["z", 90],
];
const bad = [["b", BAD, T0]];

const CASES: readonly Case[] = [
  {
    name: "udf",
    query: (frame, f) => {
      const checked = f.mill.udf("checked", { parameters: [t.long], returns: t.long }, (v) =>
        boom(Number(v)),
      );
      return frame.select((c) => ({ k: c.k, v: checked(c.v) })).writeStream;
    },
    says: /checked/,
    rows: plain,
    letters: bad,
  },
  {
    name: "udf of an aggregate's argument",
    query: (frame, f) => {
      f.mill.udf("checked", { parameters: [t.long], returns: t.long }, (v) => boom(Number(v)));
      frame.createTempView("s");
      return f.mill.sql("SELECT k, sum(checked(v)) AS v FROM s GROUP BY k").writeStream as unknown as Writer;
    },
    says: /checked/,
    mode: "update",
    rows: totals,
    letters: bad,
  },
  {
    name: "map",
    query: (frame) =>
      frame.map(kv, function doubled(r) {
        return { k: r.k, v: boom(Number(r.v)) };
      }).writeStream,
    says: /doubled/,
    rows: plain,
    letters: bad,
  },
  {
    name: "flatMap",
    query: (frame) =>
      frame.flatMap(kv, function spread(r) {
        return [{ k: r.k, v: boom(Number(r.v)) }];
      }).writeStream,
    says: /spread/,
    rows: plain,
    letters: bad,
  },
  {
    name: "filterRows",
    query: (frame) =>
      frame
        .filterRows(function wanted(r) {
          return boom(Number(r.v)) > 0;
        })
        .select("k", "v").writeStream,
    says: /wanted/,
    rows: plain,
    letters: bad,
  },
  {
    name: "mapAsync",
    query: (frame) =>
      frame.mapAsync(kv, async function looked(r) {
        await Promise.resolve();
        return { k: r.k, v: boom(Number(r.v)) };
      }).writeStream,
    says: /looked/,
    rows: plain,
    letters: bad,
  },
  {
    name: "mapGroupsWithState",
    query: (frame) =>
      frame
        .groupBy("k")
        .mapGroupsWithState(kv, function added({ k }, rows, s: GroupState<number>) {
          const v = (s.getOption() ?? 0) + sumOf(rows as unknown as Iterable<In>);
          s.update(v);
          return { k, v };
        })
        .writeStream.outputMode("update"),
    says: /added/,
    mode: "update",
    rows: totals,
    letters: bad,
  },
  {
    name: "flatMapGroupsWithState",
    query: (frame) =>
      frame.groupBy("k").flatMapGroupsWithState(kv, function every({ k }, rows, s: GroupState<number>) {
        const v = (s.getOption() ?? 0) + sumOf(rows as unknown as Iterable<In>);
        s.update(v);
        return [{ k, v }];
      }).writeStream,
    says: /every/,
    rows: totals,
    letters: bad,
  },
  {
    name: "transformWithState",
    query: (frame) =>
      frame.groupBy("k").transformWithState(kv, () => new Totals(), { name: "Totals" }).writeStream,
    says: /Totals/,
    rows: totals,
    letters: bad,
  },
  {
    name: "transformWithState, a timer",
    query: (frame) =>
      frame.groupBy("k").transformWithState(kv, () => new Alarms(), { name: "Alarms", timeMode: "eventTime" })
        .writeStream,
    says: /Alarms/,
    rows: [
      ["a", 1],
      ["b", 2],
      ["a", 3],
      ["c", 5],
    ],
    letters: [["b"]],
  },
];

const sorted = (rows: readonly (readonly unknown[])[]): string[] =>
  rows.map((r) => JSON.stringify(r, (_, v: unknown) => (typeof v === "bigint" ? Number(v) : v))).sort();

const ISO_TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
/** The values of a dead letter's row in the order of its columns, times in milliseconds as the sink has them. */
const valuesOf = (row: object): unknown[] =>
  Object.values(row).map((v: unknown) => (typeof v === "string" && ISO_TIME.test(v) ? Date.parse(v) : v));

interface Run {
  readonly f: FrameCluster;
  readonly letters: () => Promise<readonly DeadLetter[]>;
  readonly feed: () => Promise<void>;
}

const run = async (c: Case, onError: OnError, crashes: boolean): Promise<Run> => {
  let store: MemoryStore | undefined;
  const crashed = new Set<string>();
  const f = new FrameCluster({
    partitions: 3,
    store: (clock) => Promise.resolve((store = new MemoryStore({ clock }))),
    // Every actor falls over once in every epoch, when its letters are written and nothing else is.
    probe: (_, { stage, partition }, point, epoch) => {
      const at = `${stage}/${partition}/${epoch}`;
      if (!crashes || point !== "sinkCommitted" || crashed.has(at)) return;
      crashed.add(at);
      throw new Error("a crash");
    },
    settings: { maxRestarts: 1_000 },
  });
  const s = f.source("a", "1 second");
  await f.start(c.query(s.frame, f), { onError, outputMode: c.mode ?? "append" });
  const feed = async (): Promise<void> => {
    for (const rows of [FIRST, SECOND, THIRD]) {
      await s.add(rows);
      await f.settle();
    }
  };
  const letters = async (): Promise<readonly DeadLetter[]> => {
    const log = await store!.open(deadLetterLog("test", "q"));
    const { last } = await log.bounds();
    const records = await Promise.all(Array.from({ length: last }, (_, i) => log.get(position(i + 1))));
    return records.map((r) => decodeDeadLetter(r!.payload));
  };
  return { f, letters, feed };
};

for (const c of CASES) {
  test(`${c.name} that throws fails the query; the error names function, operator, epoch and row`, async () => {
    const { f, feed } = await run(c, "fail", false);
    await assert.rejects(feed(), (e: unknown) => {
      assert.ok(e instanceof ExecutionError);
      assert.match(e.message, c.says);
      assert.match(e.message, /thirteen/);
      assert.equal(e.errorClass, "FAILED_EXECUTE_UDF");
      const where = e.where ?? e.message;
      assert.match(where, /operator \w+/);
      assert.match(where, /epoch \d+/);
      assert.match(where, c.letters === bad ? /input 0 \d+\.\.\d+/ : /input none/);
      assert.match(where, /row \["b"/);
      return true;
    });
    assert.equal((await f.query()).isActive, false);
    await f.close();
  });

  for (const crashes of [false, true])
    test(`${c.name} that throws, left out or a dead letter${crashes ? ", through crashes" : ""}`, async () => {
      const skipping = await run(c, "skip", crashes);
      await skipping.feed();
      assert.deepEqual(sorted(skipping.f.sink.rows()), sorted(c.rows));
      assert.deepEqual(await skipping.letters(), []);
      await skipping.f.close();
      const writing = await run(c, "deadLetter", crashes);
      await writing.feed();
      assert.deepEqual(sorted(writing.f.sink.rows()), sorted(c.rows));
      const letters = await writing.letters();
      assert.deepEqual(sorted(letters.map((l) => valuesOf(l.row as object))), sorted(c.letters));
      for (const l of letters) {
        assert.equal(l.errorClass, "FAILED_EXECUTE_UDF");
        assert.match(l.error, c.says);
        assert.match(l.where!, /operator \w+/);
      }
      await writing.f.close();
    });
}

for (const format of ["foreach", "foreachBatch"] as const)
  test(`${format} that throws fails the query${format === "foreach" ? "" : ", whatever onError says"}`, async () => {
    const f = new FrameCluster({ partitions: 2 });
    const s = f.source("a");
    const { writeStream } = s.frame;
    const writer =
      format === "foreach"
        ? writeStream.foreach((r) => void boom(Number(r.v)))
        : writeStream.foreachBatch(async (rows) => {
            for (const r of await rows.collect()) boom(Number(r.v));
          });
    // A function of a row may be told to skip it (foreach-on-error.test.ts); one of a batch cannot.
    await f.cluster.start({ ...writer.onError(format === "foreach" ? "fail" : "skip").request(), name: "q" });
    await s.add(FIRST);
    await f.settle();
    await s.add(SECOND);
    await assert.rejects(f.settle(), (e: Error & { where?: string }) => {
      assert.match(e.message, new RegExp(`the ${format} function failed in epoch \\d+: thirteen`));
      if (format === "foreach") assert.match(e.where!, /foreach, partition 0, epoch \d+, row \["b",13/);
      return true;
    });
    await f.close();
  });
