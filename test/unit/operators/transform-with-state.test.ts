import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { field, INT, LONG, STRING, TIMESTAMP } from "../../../src/core/data-type.ts";
import { keyGroupOf } from "../../../src/core/hash.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import type { Row } from "../../../src/core/value.ts";
import {
  type StatefulProcessor,
  type StatefulProcessorHandle,
  transformWithStateKind,
  type TransformWithStateSpec,
} from "../../../src/operators/transform-with-state.ts";
import { hashRow } from "../../../src/state/key-codec.ts";
import {
  assertSameAnyhow,
  type EpochInput,
  runOperator,
  type Subject,
} from "../../support/operator-harness.ts";
import { slot } from "../../support/typed-exprs.ts";

const input = schemaOf([field("k", STRING), field("v", INT), field("ts", TIMESTAMP)]);
const output = schemaOf([field("k", STRING), field("what", STRING), field("n", LONG)]);

interface Key {
  readonly k: string;
}
interface Event {
  readonly v: number;
}
type Processor = StatefulProcessor<Key, Event, unknown>;
type Handlers = Omit<Processor, "init">;

const subject = (
  make: (handle: StatefulProcessorHandle) => Handlers,
  rest: Partial<TransformWithStateSpec> = {},
): Subject<TransformWithStateSpec> => ({
  kind: transformWithStateKind,
  spec: {
    name: "processor",
    timeMode: "processingTime",
    outputMode: "append",
    keys: [slot(input, "k")],
    keyNames: ["k"],
    apply: () => {
      let handlers: Handlers;
      const processor: Processor = {
        init: (handle) => {
          handlers = make(handle);
        },
        handleInputRows: (...a) => handlers.handleInputRows(...a),
        handleExpiredTimer: (...a) => handlers.handleExpiredTimer?.(...a),
        handleInitialState: (...a) => handlers.handleInitialState?.(...a),
      };
      return processor as StatefulProcessor<never, never, unknown>;
    },
    ...rest,
  },
  inputs: [input],
  output,
  route: (_, row) => keyGroupOf(hashRow([row[0]!], [STRING])),
});

const epoch = (clockMs: number, watermarkMs: number, ...rows: Row[]): EpochInput => ({
  rows: rows.map((r) => [0, r] as const),
  watermarkMs,
  clockMs,
});

test("value, list and map state belong to the key at hand", async () => {
  const s = subject((h) => {
    const total = h.getValueState<number>("total", LONG);
    const all = h.getListState<number>("all");
    const times = h.getMapState<number, number>("times", INT, INT);
    return {
      *handleInputRows(key, rows) {
        for (const { v } of rows) {
          total.update((total.getOption() ?? 0) + v);
          all.appendValue(v);
          times.updateValue(v, (times.getValue(v) ?? 0) + 1);
        }
        yield { k: key.k, what: all.get().join(), n: total.get() };
        yield {
          k: key.k,
          what: times
            .iterator()
            .map(([v, n]) => `${v}x${n}`)
            .join(),
          n: times.keys().length,
        };
      },
    };
  });
  const out = await assertSameAnyhow(s, [
    epoch(0, 0, ["b", 5, 0], ["a", 20, 0], ["a", 3, 0]),
    epoch(0, 0, ["a", 20, 0]),
  ]);
  assert.deepEqual(out[1]!.rows, [
    ["a", "20,3,20", 43],
    ["a", "3x1,20x2", 2],
  ]);
  assert.equal(out[0]!.rows.length, 4);
});

test("clear, remove and replace", async () => {
  const s = subject((h) => {
    const list = h.getListState<number>("list");
    const map = h.getMapState<string, number>("map");
    return {
      *handleInputRows(key, rows) {
        for (const { v } of rows) {
          if (v < 0) list.clear();
          else list.put([...list.get(), v]);
          if (v === 0) map.removeKey("x");
          else map.updateValue(v > 0 ? "x" : "y", v);
        }
        yield {
          k: key.k,
          what: `${map.containsKey("x")} ${map.values().join()} ${list.exists()}`,
          n: list.get().length,
        };
      },
    };
  });
  const out = await assertSameAnyhow(s, [
    epoch(0, 0, ["a", 1, 0], ["a", 2, 0]),
    epoch(0, 0, ["a", -1, 0], ["a", 0, 0]),
  ]);
  assert.deepEqual(
    [out[0]!.rows[0], out[1]!.rows[0]],
    [
      ["a", "true 2 true", 2],
      ["a", "false -1 true", 1],
    ],
  );
});

test("many timers per key, in processing time, listed, deleted and fired in order", async () => {
  const s = subject((h) => ({
    *handleInputRows(key, rows, timers) {
      for (const { v } of rows) {
        if (v < 0) h.deleteTimer(-v);
        else h.registerTimer(timers.getCurrentProcessingTimeInMs() + v);
      }
      yield { k: key.k, what: h.listTimers().join(), n: 0 };
    },
    *handleExpiredTimer(key, _timers, expired) {
      if (expired.getExpiryTimeInMs() === 1100) h.deleteTimer(1150);
      yield { k: key.k, what: "timer", n: expired.getExpiryTimeInMs() };
    },
  }));
  const out = await assertSameAnyhow(s, [
    epoch(1000, 0, ["b", 150, 0], ["a", 200, 0], ["a", 100, 0], ["a", 150, 0], ["b", 100, 0]),
    epoch(1200, 0, ["c", 5000, 0]),
    epoch(1201, 0, ["c", -6200, 0]),
    epoch(9999, 0),
  ]);
  assert.deepEqual(
    out.map((e) => e.rows),
    [
      [
        ["a", "1100,1150,1200", 0],
        ["b", "1100,1150", 0],
      ],
      [
        ["c", "6200", 0],
        ["a", "timer", 1100],
        ["b", "timer", 1100],
      ],
      [
        ["c", "", 0],
        ["a", "timer", 1200],
      ],
      [],
    ],
  );
  assert.equal(out[3]!.stateRows, 0);
});

test("event-time timers fire below the watermark; late rows are dropped", async () => {
  const s = subject(
    (h) => ({
      handleInputRows: (_key, rows) => {
        for (const { v } of rows) h.registerTimer(v);
      },
      handleExpiredTimer: (key, timers) => [{ k: key.k, what: "timer", n: timers.getCurrentWatermarkInMs() }],
    }),
    { timeMode: "eventTime", late: { expr: slot(input, "ts"), form: "column" } },
  );
  const out = await assertSameAnyhow(s, [
    epoch(0, 0, ["a", 100, 1]),
    epoch(0, 100),
    epoch(0, 101, ["b", 7, 100]),
  ]);
  assert.deepEqual(
    out.map((e) => e.rows),
    [[], [], [["a", "timer", 101]]],
  );
  assert.deepEqual(out[2]!.late, [["b", 7, 100]]);
});

test("a time to live hides and removes what was not written for that long", async () => {
  const s = subject((h) => {
    const v = h.getValueState<number>("v", INT, { ttlMs: 100 });
    const l = h.getListState<number>("l", INT, { ttlMs: 100 });
    return {
      *handleInputRows(key, rows) {
        yield { k: key.k, what: `${v.exists()} ${l.get().join()}`, n: v.getOption() ?? -1 };
        for (const r of rows) {
          if (r.v % 2 === 0) v.update(r.v);
          l.appendValue(r.v);
        }
      },
    };
  });
  const out = await assertSameAnyhow(s, [
    epoch(0, 0, ["a", 2, 0]),
    epoch(60, 0, ["a", 3, 0]),
    epoch(99, 0),
    epoch(100, 0, ["a", 5, 0]),
    epoch(500, 0),
  ]);
  assert.deepEqual(
    out.flatMap((e) => e.rows.map((r) => [r[1], r[2]])),
    [
      ["false ", -1],
      ["true 2", 2],
      ["false 3", -1],
    ],
  );
  assert.deepEqual(
    out.map((e) => e.stateRows),
    [2, 3, 3, 2, 0],
  );
});

test("initial state is handled before the rows", async () => {
  const initial = schemaOf([field("k", STRING), field("n", INT)]);
  const s = subject(
    (h) => {
      const v = h.getValueState<number>("v");
      return {
        handleInitialState: (_key, row) => v.update((row as { n: number }).n),
        handleInputRows: (key) => [{ k: key.k, what: "v", n: v.getOption() ?? 0 }],
      };
    },
    { initial: { keys: [slot(initial, "k")] } },
  );
  const out = await assertSameAnyhow({ ...s, inputs: [input, initial] }, [
    {
      rows: [
        [0, ["a", 1, 0]],
        [1, ["a", 42]],
        [1, ["z", 1]],
        [0, ["b", 1, 0]],
      ],
      watermarkMs: 0,
    },
  ]);
  assert.deepEqual(out[0]!.rows, [
    ["a", "v", 42],
    ["b", "v", 0],
  ]);
});

test("wrong use is refused", async () => {
  const failure = async (
    f: (h: StatefulProcessorHandle) => void,
    rest: Partial<TransformWithStateSpec> = {},
  ) => {
    const rowErrors: Error[] = [];
    const s = subject((h) => ({ handleInputRows: () => f(h) }), rest);
    await runOperator(s, [epoch(0, 0, ["a", 1, 0])], { rowErrors });
    return rowErrors.map((e) => e.message).join();
  };
  assert.match(await failure((h) => h.getValueState("late")), /must be made in init/);
  assert.match(await failure((h) => h.registerTimer(1), { timeMode: "none" }), /need a time mode/);
  assert.match(await failure((h) => h.registerTimer(NaN)), /needs a time/);
  const twice = subject((h) => {
    h.getValueState("a");
    h.getListState("a");
    return { handleInputRows: () => [] };
  });
  await assert.rejects(runOperator(twice, []), /defined twice/);
  const outside = subject((h) => {
    h.getValueState("v").exists();
    return { handleInputRows: () => [] };
  });
  await assert.rejects(runOperator(outside, []), /only while a key is handled/);
});

test("property: a running count survives any cuts, restores and partitions", async () => {
  const s = subject((h) => {
    const seen = h.getMapState<number, number>("seen", INT, INT);
    return {
      *handleInputRows(key, rows, timers) {
        for (const { v } of rows) seen.updateValue(v, (seen.getValue(v) ?? 0) + 1);
        // Several epochs register timers of one time, for keys in any order.
        h.registerTimer(Math.ceil((timers.getCurrentProcessingTimeInMs() + 15) / 20) * 20);
        yield { k: key.k, what: JSON.stringify(seen.iterator()), n: h.listTimers().length };
      },
      handleExpiredTimer: (key) => {
        const [first] = seen.keys();
        if (first !== undefined) seen.removeKey(first);
        return [{ k: key.k, what: "dropped", n: first ?? null }];
      },
    };
  });
  const rows = fc.array(fc.tuple(fc.constantFrom("a", "b", "c"), fc.integer({ min: 0, max: 4 })), {
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(rows, { maxLength: 6 }), (steps) =>
      assertSameAnyhow(
        s,
        steps.map((list, i) => epoch(i * 10, 0, ...list.map(([k, v]): Row => [k, v, 0]))),
      ).then(() => {}),
    ),
    { numRuns: 30 },
  );
});
