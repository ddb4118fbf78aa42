import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { batchFromRows } from "../../../src/core/batch.ts";
import { field, LONG, STRING } from "../../../src/core/data-type.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import type { Row } from "../../../src/core/value.ts";
import { staticJoinKind, type StaticJoinSpec } from "../../../src/operators/static-join.ts";
import {
  assertSameAnyhow,
  bag,
  type EpochInput,
  runOperator,
  type Subject,
} from "../../support/operator-harness.ts";
import { call, slot } from "../../support/typed-exprs.ts";

const left = schemaOf([field("k", STRING), field("v", LONG)]);
const right = schemaOf([field("k2", STRING), field("w", LONG)]);
const both = schemaOf([...left.fields, ...right.fields]);

const join = (how: StaticJoinSpec["how"], rest: Partial<StaticJoinSpec> = {}): Subject<StaticJoinSpec> => ({
  kind: staticJoinKind,
  spec: {
    how,
    leftKeys: [slot(left, "k")],
    rightKeys: [slot(right, "k2")],
    condition: undefined,
    build: "right",
    ...rest,
  },
  inputs: [left, right],
  output: how === "semi" || how === "anti" ? left : both,
});

const epoch = (lefts: readonly Row[], rights: readonly Row[]): EpochInput => ({
  rows: [...lefts.map((r) => [0, r] as const), ...rights.map((r) => [1, r] as const)],
  watermarkMs: 0,
  final: true,
});
const L: Row[] = [
  ["a", 1],
  ["b", 2],
  [null, 3],
];
const R: Row[] = [
  ["a", 10],
  ["a", 0],
  ["c", 5],
  [null, 6],
];

const rowsOf = async (subject: Subject<StaticJoinSpec>, l = L, r = R): Promise<readonly Row[]> =>
  (await assertSameAnyhow(subject, [epoch(l, r)]))[0]!.rows;

test("every kind of batch join; null keys match nothing", async () => {
  const pairs = [
    ["a", 1, "a", 10],
    ["a", 1, "a", 0],
  ];
  const onlyLeft = [
    ["b", 2, null, null],
    [null, 3, null, null],
  ];
  const onlyRight = [
    [null, null, "c", 5],
    [null, null, null, 6],
  ];
  assert.deepEqual(bag(await rowsOf(join("inner"))), bag(pairs));
  assert.deepEqual(bag(await rowsOf(join("left"))), bag([...pairs, ...onlyLeft]));
  assert.deepEqual(bag(await rowsOf(join("right"))), bag([...pairs, ...onlyRight]));
  assert.deepEqual(bag(await rowsOf(join("full"))), bag([...pairs, ...onlyLeft, ...onlyRight]));
  assert.deepEqual(await rowsOf(join("semi")), [["a", 1]]);
  assert.deepEqual(await rowsOf(join("anti")), [
    ["b", 2],
    [null, 3],
  ]);
  for (const how of ["inner", "left", "right", "full"] as const)
    assert.deepEqual(bag(await rowsOf(join(how, { build: "left" }))), bag(await rowsOf(join(how))));
});

test("null-safe keys match null with null", async () => {
  assert.deepEqual(bag(await rowsOf(join("inner", { nullSafe: [true] }))).length, 3);
});

test("a condition beyond the keys; without keys a nested loop; cross", async () => {
  const condition = call("<", [slot(both, "v"), slot(both, "w")]);
  assert.deepEqual(await rowsOf(join("inner", { condition })), [["a", 1, "a", 10]]);
  const loop = { leftKeys: [], rightKeys: [] };
  assert.equal((await rowsOf(join("inner", { ...loop, condition }))).length, 9);
  assert.equal((await rowsOf(join("cross", loop))).length, 12);
});

test("NOT IN: a null on either side keeps rows out, an empty right side keeps all", async () => {
  const notIn = join("anti", { nullAware: true });
  assert.deepEqual(await rowsOf(notIn), []);
  assert.deepEqual(await rowsOf(notIn, L, R.slice(0, 3)), [["b", 2]]);
  assert.deepEqual(await rowsOf(notIn, L, []), L);
});

test("stream-static: the loaded side is read anew in every epoch, or once", async () => {
  const rights = [R, [["b", 7]] as Row[]];
  const loads: number[] = [];
  const load = (e: number): ReturnType<NonNullable<StaticJoinSpec["load"]>> => {
    loads.push(e);
    return Promise.resolve([batchFromRows(right, rights[e - 1]!)]);
  };
  const epochs = [epoch(L, []), epoch(L, [])];
  const anew = await runOperator(join("left", { load }), epochs);
  assert.deepEqual(
    anew.map((e) => e.rows.map((r) => r[3])),
    [
      [10, 0, null, null],
      [null, 7, null],
    ],
  );
  assert.deepEqual(loads, [1, 2]);
  const once = await runOperator(join("semi", { load, reload: "once" }), epochs, { cut: () => 1 });
  assert.deepEqual(
    once.map((e) => e.rows),
    [[["a", 1]], [["a", 1]]],
  );
  assert.deepEqual(loads, [1, 2, 1]);
});

test("property: a hash join is a nested loop with the keys in its condition", async () => {
  const row = fc.tuple(fc.constantFrom("a", "b", null), fc.integer({ min: 0, max: 5 }));
  const rows = fc.array(row, { maxLength: 10 });
  const condition = call("<=", [slot(both, "v"), slot(both, "w")]);
  const whole = call("and", [call("=", [slot(both, "k"), slot(both, "k2")]), condition]);
  const hows = ["inner", "left", "right", "full", "semi", "anti"] as const;
  await fc.assert(
    fc.asyncProperty(rows, rows, fc.constantFrom(...hows), async (l, r, how) => {
      const hash = await rowsOf(join(how, { condition }), l, r);
      const loop = await rowsOf(join(how, { leftKeys: [], rightKeys: [], condition: whole }), l, r);
      assert.deepEqual(bag(hash), bag(loop));
    }),
    { numRuns: 40 },
  );
});
