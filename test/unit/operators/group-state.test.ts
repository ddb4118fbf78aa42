import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { field, INT, LONG, STRING, TIMESTAMP } from "../../../src/core/data-type.ts";
import { keyGroupOf } from "../../../src/core/hash.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import type { Row } from "../../../src/core/value.ts";
import type { GroupState } from "../../../src/operators/group-state-handle.ts";
import { groupStateKind, type GroupStateSpec } from "../../../src/operators/group-state.ts";
import { hashRow } from "../../../src/state/key-codec.ts";
import {
  assertSameAnyhow,
  type EpochInput,
  runOperator,
  type Subject,
} from "../../support/operator-harness.ts";
import { slot } from "../../support/typed-exprs.ts";

const input = schemaOf([field("k", STRING), field("v", INT), field("ts", TIMESTAMP)]);
const output = schemaOf([field("k", STRING), field("n", LONG), field("why", STRING)]);

interface Event {
  readonly k: string;
  readonly v: number;
}
type Counter = (key: { k: string }, rows: Iterable<Event>, state: GroupState<{ n: number }>) => unknown;

const subject = (apply: Counter, rest: Partial<GroupStateSpec> = {}): Subject<GroupStateSpec> => ({
  kind: groupStateKind,
  spec: {
    name: "count",
    mode: "flatMapGroups",
    timeout: "none",
    keys: [slot(input, "k")],
    keyNames: ["k"],
    stateType: undefined,
    apply: apply as GroupStateSpec["apply"],
    ...rest,
  },
  inputs: [input],
  output,
  route: (_, row) => keyGroupOf(hashRow([row[0]!], [STRING])),
});

const epoch = (watermarkMs: number, clockMs: number, ...rows: Row[]): EpochInput => ({
  rows: rows.map((r) => [0, r] as const),
  watermarkMs,
  clockMs,
});

/** Counts rows; a timeout emits the count and ends the group. */
const counting = (setTimeout: (state: GroupState<{ n: number }>) => void): Counter =>
  function* (key, rows, state) {
    if (state.hasTimedOut) {
      yield { k: key.k, n: state.get().n, why: "timeout" };
      state.remove();
      return;
    }
    const n = (state.getOption()?.n ?? 0) + [...rows].length;
    state.update({ n });
    setTimeout(state);
    yield { k: key.k, n, why: "rows" };
  };

test("the function sees all rows of a key at once and its state, keys in order", async () => {
  const out = await assertSameAnyhow(subject(counting(() => {})), [
    epoch(0, 0, ["b", 1, 0], ["a", 1, 0], ["b", 2, 0]),
    epoch(0, 0, ["b", 3, 0]),
  ]);
  assert.deepEqual(
    out.map((e) => e.rows),
    [
      [
        ["a", 1, "rows"],
        ["b", 2, "rows"],
      ],
      [["b", 3, "rows"]],
    ],
  );
  assert.equal(out[1]!.stateRows, 2);
});

test("processing-time timeouts fire when the clock is beyond; a call resets them", async () => {
  const out = await assertSameAnyhow(
    subject(
      counting((s) => s.setTimeoutDuration("10 seconds")),
      { timeout: "processingTime" },
    ),
    [
      epoch(0, 1000, ["a", 1, 0], ["b", 1, 0]),
      epoch(0, 11000, ["b", 2, 0]),
      epoch(0, 11001),
      epoch(0, 21001),
    ],
  );
  assert.deepEqual(
    out.map((e) => e.rows.map((r) => [r[0], r[2]])),
    [
      [
        ["a", "rows"],
        ["b", "rows"],
      ],
      [["b", "rows"]],
      [["a", "timeout"]],
      [["b", "timeout"]],
    ],
  );
  assert.equal(out[3]!.stateRows, 0);
});

test("event-time timeouts fire below the watermark, and then late rows are dropped", async () => {
  const out = await assertSameAnyhow(
    subject(
      counting((s) => s.setTimeoutTimestamp(5000)),
      { timeout: "eventTime", late: { expr: slot(input, "ts"), form: "column" } },
    ),
    [epoch(0, 0, ["a", 1, 1]), epoch(5000, 0), epoch(5001, 0, ["b", 1, 5000]), epoch(5001, 0)],
  );
  assert.deepEqual(
    out.map((e) => e.rows.map((r) => [r[0], r[2]])),
    [[["a", "rows"]], [], [["a", "timeout"]], []],
  );
  assert.deepEqual(out[2]!.late, [["b", 1, 5000]]);
});

test("mapGroups gives one row a call; initial states come first, and call the function even without rows", async () => {
  const initial = schemaOf([field("k", STRING), field("n", INT)]);
  const map: Counter = (key, rows, state) => {
    const n = (state.getOption()?.n ?? 0) + [...rows].length;
    state.update({ n });
    return { k: key.k, n, why: state.exists ? "state" : "none" };
  };
  const s = subject(map, {
    mode: "mapGroups",
    stateType: { kind: "struct", fields: [field("n", INT)] },
    initial: { keys: [slot(initial, "k")], values: [1] },
  });
  const out = await assertSameAnyhow({ ...s, inputs: [input, initial] }, [
    {
      rows: [
        [0, ["a", 1, 0]],
        [1, ["a", 10]],
        [1, ["z", 5]],
      ],
      watermarkMs: 0,
    },
  ]);
  assert.deepEqual(out[0]!.rows, [
    ["a", 11, "state"],
    ["z", 5, "state"],
  ]);
});

test("wrong use is refused by name; what throws leaves the state as it was", async () => {
  const errors = async (apply: Counter, timeout: GroupStateSpec["timeout"] = "none"): Promise<string> => {
    const rowErrors: Error[] = [];
    const out = await runOperator(subject(apply, { timeout }), [epoch(9000, 0, ["a", 1, 0])], { rowErrors });
    assert.equal(out[0]!.stateRows, 0);
    return rowErrors.map((e) => e.message).join();
  };
  assert.match(await errors((_k, _r, s) => [s.get()]), /not defined or has been removed/);
  assert.match(await errors((_k, _r, s) => s.setTimeoutDuration(1)), /needs the processing-time timeout/);
  assert.match(await errors((_k, _r, s) => s.setTimeoutDuration("soon"), "processingTime"), /not a duration/);
  assert.match(
    await errors((_k, _r, s) => s.setTimeoutTimestamp(8999), "eventTime"),
    /before the current watermark/,
  );
  assert.match(await errors((_k, _r, s) => s.update(null as never)), /cannot be null/);
  assert.match(
    await errors((_k, _r, s) => {
      s.update({ n: 1 });
      throw new Error("boom");
    }),
    /the user function count failed: boom/,
  );
  assert.match(await errors((_k, _r, s) => s.update({ n: (() => 1) as never })), /function cannot be kept/);
});

test("property: plain states survive restoring as they were", async () => {
  const apply: Counter = (key, rows, state) => {
    const before = state.getOption() as unknown as { list: unknown[] } | undefined;
    const list = [...(before?.list ?? []), ...[...rows].map((r) => new Map([[r.v, new Date(r.v)]]))];
    state.update({ list, when: new Date(7), __proto__x: 1n, n: 0 } as never);
    return [
      {
        k: key.k,
        n: list.length,
        why: list.map((m) => [...(m as Map<number, Date>)][0]![1].getTime()).join(),
      },
    ];
  };
  const rows = fc.array(fc.tuple(fc.constantFrom("a", "b"), fc.integer({ min: 0, max: 99 })), {
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(fc.array(rows, { maxLength: 5 }), async (steps) => {
      await assertSameAnyhow(
        subject(apply),
        steps.map((list) => epoch(0, 0, ...list.map(([k, v]): Row => [k, v, 0]))),
      );
    }),
    { numRuns: 30 },
  );
});

test("property: timeouts of one time, set in different epochs, fire in the same order everywhere", async () => {
  const timing = subject(
    counting((s) => s.setTimeoutDuration(100 - s.getCurrentProcessingTimeMs())),
    { timeout: "processingTime" },
  );
  const keys = fc.array(fc.constantFrom("a", "b", "c", "d"), { maxLength: 4 });
  await fc.assert(
    fc.asyncProperty(fc.array(keys, { maxLength: 5 }), async (steps) => {
      const epochs = steps.map((list, i) => epoch(0, i, ...list.map((k): Row => [k, 1, 0])));
      const out = await assertSameAnyhow(timing, [...epochs, epoch(0, 101)]);
      assert.deepEqual(
        out.at(-1)!.rows.map((r) => r[0]),
        [...new Set(steps.flat())].sort(),
      );
    }),
    { numRuns: 40 },
  );
});

test("epochs for timers are wanted with processing-time timeouts only", () => {
  const wants = (timeout: GroupStateSpec["timeout"]): unknown[] => {
    const { spec } = subject(() => [], { timeout });
    return [groupStateKind.wantsTimerEpoch!(spec, 0, 1000), groupStateKind.wantsEmptyEpoch!(spec, 1, 2)];
  };
  assert.deepEqual(
    [wants("none"), wants("processingTime"), wants("eventTime")],
    [
      [false, false],
      [true, false],
      [false, true],
    ],
  );
});
