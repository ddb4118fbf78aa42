import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { DAY_TIME_INTERVAL, field, LONG, STRING, TIMESTAMP } from "../../../src/core/data-type.ts";
import { keyGroupOf } from "../../../src/core/hash.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import type { Row } from "../../../src/core/value.ts";
import { streamJoinKind } from "../../../src/operators/stream-join.ts";
import type { StreamJoinSpec } from "../../../src/operators/stream-join-spec.ts";
import { hashRow } from "../../../src/state/key-codec.ts";
import {
  assertSameAnyhow,
  bag,
  type EpochInput,
  runOperator,
  type Subject,
} from "../../support/operator-harness.ts";
import { call, literal, slot } from "../../support/typed-exprs.ts";

const left = schemaOf([field("k", STRING), field("v", LONG), field("ts", TIMESTAMP)]);
const right = schemaOf([field("k2", STRING), field("w", LONG), field("ts2", TIMESTAMP)]);
const both = schemaOf([...left.fields, ...right.fields]);

/** s.k = r.k2 AND r.ts2 BETWEEN s.ts AND s.ts + 8 ms, with watermarks on both sides. */
const RANGE = call("and", [
  call(">=", [slot(both, "ts2"), slot(both, "ts")]),
  call("<=", [slot(both, "ts2"), call("+", [slot(both, "ts"), literal(8000, DAY_TIME_INTERVAL)], TIMESTAMP)]),
]);

const join = (how: StreamJoinSpec["how"], rest: Partial<StreamJoinSpec> = {}): Subject<StreamJoinSpec> => ({
  kind: streamJoinKind,
  spec: {
    how,
    left: {
      keys: [slot(left, "k")],
      late: { expr: slot(left, "ts"), form: "column" },
      evict: { kind: "value", expr: slot(left, "ts"), form: "column", offsetMs: -9 },
    },
    right: {
      keys: [slot(right, "k2")],
      late: { expr: slot(right, "ts2"), form: "column" },
      evict: { kind: "value", expr: slot(right, "ts2"), form: "column", offsetMs: -1 },
    },
    condition: RANGE,
    ...rest,
  },
  inputs: [left, right],
  output: how === "semi" || how === "anti" ? left : both,
  route: (_, row) => keyGroupOf(hashRow([row[0]!], [STRING])),
});

type Side = "s" | "r";
const epoch = (watermarkMs: number, ...rows: (readonly [Side, ...Row])[]): EpochInput => ({
  rows: rows.map(([side, ...row]) => [side === "s" ? 0 : 1, row] as const),
  watermarkMs,
});

const STEPS = [
  epoch(0, ["s", "a", 1, 10], ["r", "a", 7, 12], ["s", "b", 2, 10], ["r", "a", 8, 30]),
  epoch(0, ["r", "b", 9, 18], ["s", "a", 3, 25], ["s", null, 4, 11], ["r", null, 5, 11]),
  epoch(40),
];

test("inner: every pair once, whichever side comes first; state goes with the watermark", async () => {
  const out = await assertSameAnyhow(join("inner"), STEPS);
  assert.deepEqual(
    out.map((e) => e.rows.map((r) => [r[1], r[4]])),
    [
      [[1, 7]],
      [
        [2, 9],
        [3, 8],
      ],
      [],
    ],
  );
  assert.deepEqual(
    out.map((e) => e.stateRows),
    [4, 6, 0],
  );
});

test("left, right and full: unmatched rows come out with nulls when they are evicted", async () => {
  const nulls = async (how: "left" | "right" | "full"): Promise<unknown[]> =>
    (await assertSameAnyhow(join(how), STEPS))[2]!.rows.map((r) => [r[1], r[4]]);
  assert.deepEqual(await nulls("left"), [[4, null]]);
  assert.deepEqual(await nulls("right"), [[null, 5]]);
  // As Spark: a full join takes null = null.
  assert.deepEqual(await nulls("full"), []);
});

test("semi: a left row once, at its first match; anti: one without any, when evicted", async () => {
  const steps = [...STEPS.slice(0, 2), epoch(0, ["r", "a", 77, 13], ["r", "a", 78, 14]), STEPS[2]!];
  const semi = await assertSameAnyhow(join("semi"), steps);
  assert.deepEqual(
    semi.map((e) => e.rows.map((r) => r[1])),
    [[1], [2, 3], [], []],
  );
  const anti = await assertSameAnyhow(join("anti"), steps);
  assert.deepEqual(
    anti.map((e) => e.rows.map((r) => r[1])),
    [[], [], [], [4]],
  );
});

test("late rows are dropped where the side has an event time, and only there", async () => {
  const late = [
    epoch(20),
    epoch(20, ["s", "a", 1, 20], ["r", "a", 2, 20], ["s", "a", 3, 21], ["r", "a", 4, 21]),
  ];
  const out = await assertSameAnyhow(join("inner"), late);
  assert.deepEqual(
    out[1]!.rows.map((r) => [r[1], r[4]]),
    [[3, 4]],
  );
  assert.equal(out[1]!.metrics!.rowsDroppedByWatermark, 2);
  const side = join("inner").spec;
  const open = await runOperator(join("inner", { left: { ...side.left, late: undefined } }), late);
  assert.deepEqual(
    open[1]!.rows.map((r) => [r[1], r[4]]),
    [
      [1, 4],
      [3, 4],
    ],
  );
});

test("a condition on one side alone: failing rows of a preserved side come out at once and are not kept", async () => {
  const condition = call("and", [call(">", [slot(both, "v"), literal(1, LONG)]), RANGE]);
  const out = await assertSameAnyhow(join("left", { condition }), STEPS);
  assert.deepEqual(
    out.map((e) => e.rows.map((r) => [r[1], r[4]])),
    [
      [[1, null]],
      [
        [2, 9],
        [3, 8],
      ],
      [[4, null]],
    ],
  );
});

test("a watermark on a key evicts both sides by the key", async () => {
  const evict = { kind: "key", key: 1, form: "column" } as const;
  const spec: Partial<StreamJoinSpec> = {
    left: { keys: [slot(left, "k"), slot(left, "ts")], late: undefined, evict },
    right: { keys: [slot(right, "k2"), slot(right, "ts2")], late: undefined, evict },
    condition: undefined,
  };
  const out = await assertSameAnyhow(
    {
      ...join("left", spec),
      route: (_, row) => keyGroupOf(hashRow([row[0]!, row[2]!], [STRING, TIMESTAMP])),
    },
    [epoch(0, ["s", "a", 1, 5], ["r", "a", 2, 6], ["s", "a", 3, 9]), epoch(6, ["r", "a", 4, 9])],
  );
  assert.deepEqual(
    out[1]!.rows.map((r) => [r[1], r[4]]),
    [
      [3, 4],
      [1, null],
    ],
  );
  assert.equal(out[1]!.stateRows, 2);
});

const anyRow = fc.tuple(
  fc.constantFrom("a", "b", null),
  fc.integer({ min: 0, max: 5 }),
  fc.integer({ min: 1, max: 30 }),
);
const anySteps = fc.array(fc.array(fc.tuple(fc.constantFrom<Side>("s", "r"), anyRow), { maxLength: 8 }), {
  maxLength: 5,
});

test("property: with all input on time, any cuts, restores and partitions give the join of the tables", async () => {
  const hows = ["inner", "left", "right", "semi", "anti"] as const;
  await fc.assert(
    fc.asyncProperty(anySteps, fc.constantFrom(...hows), async (steps, how) => {
      const epochs = [
        ...steps.map((rows) => epoch(0, ...rows.map(([s, r]) => [s, ...r] as const))),
        epoch(1000),
      ];
      const out = await assertSameAnyhow(join(how), epochs);
      const rows = (side: Side): Row[] =>
        steps
          .flat()
          .filter(([s]) => s === side)
          .map(([, r]) => r);
      const matches = (l: Row, r: Row): boolean =>
        l[0] !== null && l[0] === r[0] && r[2]! >= l[2]! && (r[2] as number) <= (l[2] as number) + 8;
      const none = [null, null, null];
      const expected: Row[] = [];
      for (const l of rows("s")) {
        const found = rows("r").filter((r) => matches(l, r));
        if (how === "semi" || how === "anti") {
          if (found.length > 0 === (how === "semi")) expected.push(l);
        } else expected.push(...found.map((r) => [...l, ...r]));
        if (how === "left" && found.length === 0) expected.push([...l, ...none]);
      }
      if (how === "right")
        for (const r of rows("r")) if (!rows("s").some((l) => matches(l, r))) expected.push([...none, ...r]);
      assert.deepEqual(bag(out.flatMap((e) => e.rows)), bag(expected));
      assert.equal(out.at(-1)!.stateRows, 0);
    }),
    { numRuns: 60 },
  );
});

test("an empty epoch is wanted only where the watermark cleans state", () => {
  const wants = (spec: StreamJoinSpec): boolean => streamJoinKind.wantsEmptyEpoch!(spec, 1, 2);
  const { left: l, right: r } = join("inner").spec;
  assert.equal(wants(join("inner").spec), true);
  const never = { kind: "never" } as const;
  assert.equal(
    wants(join("inner", { left: { ...l, evict: never }, right: { ...r, evict: never } }).spec),
    false,
  );
});
