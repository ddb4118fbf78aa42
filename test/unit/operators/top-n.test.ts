import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { field, INT, STRING, TIMESTAMP } from "../../../src/core/data-type.ts";
import { combineHash, keyGroupOf } from "../../../src/core/hash.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import type { Row } from "../../../src/core/value.ts";
import { type RankFunction, topNKind, type TopNSpec } from "../../../src/operators/top-n.ts";
import { hashValue } from "../../../src/state/key-codec.ts";
import { assertSameAnyhow, type EpochInput, type EpochOutput } from "../../support/operator-harness.ts";
import { slot } from "../../support/typed-exprs.ts";

const input = schemaOf([field("k", STRING), field("v", INT), field("id", INT), field("day", TIMESTAMP)]);
const output = schemaOf([...input.fields, field("rank", INT)]);
const descending = [{ expr: slot(input, "v"), descending: true, nullsFirst: false }];

const specOf = (fn: RankFunction, limit: number, mode: TopNSpec["mode"]): TopNSpec => ({
  phase: "final",
  mode,
  partitionBy: [slot(input, "k"), slot(input, "day")],
  orderBy: descending,
  fn,
  limit,
  eventTime: mode === "append" ? { key: 1, form: "column" } : undefined,
});

const run = (spec: TopNSpec, epochs: readonly EpochInput[]): Promise<readonly EpochOutput[]> =>
  assertSameAnyhow(
    {
      kind: topNKind,
      spec,
      inputs: [input],
      output: spec.phase === "partial" ? input : output,
      route: (_port, row) =>
        keyGroupOf(combineHash(combineHash(0, hashValue(row[0]!, STRING)), hashValue(row[3]!, TIMESTAMP))),
    },
    epochs,
  );

const epoch = (rows: readonly Row[], watermarkMs = 0): EpochInput => ({
  rows: rows.map((r) => [0, r] as const),
  watermarkMs,
});

test("update mode gives a rank again when its row changes, and only then", async () => {
  const [first, second, third] = await run(specOf("row_number", 2, "update"), [
    epoch([
      ["a", 1, 1, 0],
      ["a", 5, 2, 0],
      ["b", 7, 3, 0],
      ["a", 0, 4, 0],
    ]),
    epoch([
      ["a", 5, 5, 0],
      ["b", 6, 6, 0],
    ]),
    epoch([["a", 4, 7, 0]]),
  ]);
  assert.deepEqual(first!.rows, [
    ["a", 5, 2, 0, 1],
    ["a", 1, 1, 0, 2],
    ["b", 7, 3, 0, 1],
  ]);
  // The later of two equal rows comes second.
  assert.deepEqual(second!.rows, [
    ["a", 5, 5, 0, 2],
    ["b", 6, 6, 0, 2],
  ]);
  assert.deepEqual(third!.rows, []);
  assert.equal(third!.stateRows, 2);
});

test("append mode gives a partition once, when its time is behind the watermark, and takes no late rows", async () => {
  const [first, second, third] = await run(specOf("rank", 1, "append"), [
    epoch([
      ["a", 3, 1, 10],
      ["a", 3, 2, 10],
      ["a", 2, 3, 10],
      ["a", 1, 4, 20],
      ["b", null, 5, 10],
    ]),
    epoch([["a", 9, 6, 20]], 10),
    epoch(
      [
        ["a", 9, 7, 10],
        ["c", 1, 8, 30],
      ],
      25,
    ),
  ]);
  assert.deepEqual(first!.rows, []);
  assert.deepEqual(second!.rows, [
    ["a", 3, 1, 10, 1],
    ["a", 3, 2, 10, 1],
    ["b", null, 5, 10, 1],
  ]);
  assert.deepEqual(third!.late, [["a", 9, 7, 10]]);
  assert.deepEqual(third!.rows, [["a", 9, 6, 20, 1]]);
  assert.equal(third!.stateRows, 1);
});

test("the partial phase sends the best rows of each epoch without ranks", async () => {
  const spec: TopNSpec = { ...specOf("row_number", 1, "append"), phase: "partial" };
  const [first, second] = await run({ ...spec, eventTime: undefined, mode: "update" }, [
    epoch([
      ["a", 1, 1, 0],
      ["b", 1, 2, 0],
      ["a", 2, 3, 0],
    ]),
    epoch([["a", 1, 4, 0]]),
  ]);
  assert.deepEqual(first!.rows, [
    ["a", 2, 3, 0],
    ["b", 1, 2, 0],
  ]);
  assert.deepEqual(second!.rows, [["a", 1, 4, 0]]);
});

/** Ranks as SQL defines them, over the whole input. */
const ranked = (rows: readonly Row[], fn: RankFunction, limit: number): readonly Row[] => {
  const keys = [...new Set(rows.map((r) => r[0]))];
  return keys.flatMap((k) => {
    const own = rows.filter((r) => r[0] === k).sort((a, b) => Number(b[1]) - Number(a[1]));
    return own.flatMap((r, i) => {
      const better = own.filter((o) => Number(o[1]) > Number(r[1])).map((o) => o[1]);
      const rank = { row_number: i, rank: better.length, dense_rank: new Set(better).size }[fn] + 1;
      return rank <= limit ? [[...r, rank]] : [];
    });
  });
};

test("property: what append gives, and the last of what update gave, is the rank of SQL over the whole input", async () => {
  const row = fc.tuple(fc.constantFrom("a", "b"), fc.nat({ max: 4 }));
  const fns = fc.constantFrom<RankFunction>("row_number", "rank", "dense_rank");
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.array(row, { maxLength: 8 }), { maxLength: 4 }),
      fns,
      fc.integer({ min: 1, max: 3 }),
      async (lists, fn, limit) => {
        let id = 0;
        const epochs = lists.map((rows) => epoch(rows.map(([k, v]): Row => [k, v, ++id, 5])));
        const all = epochs.flatMap((e) => e.rows.map(([, r]) => r));
        const sorted = (rows: readonly Row[]): string[] => rows.map((r) => r.join()).sort();
        const closed = await run(specOf(fn, limit, "append"), [...epochs, epoch([], 5)]);
        assert.deepEqual(sorted(closed.at(-1)!.rows), sorted(ranked(all, fn, limit)));
        if (fn !== "row_number") return;
        const updates = await run(specOf(fn, limit, "update"), epochs);
        const last = new Map(
          updates.flatMap((e) => e.rows).map((r) => [`${String(r[0])} ${String(r[4])}`, r]),
        );
        assert.deepEqual(sorted([...last.values()]), sorted(ranked(all, fn, limit)));
      },
    ),
    { numRuns: 60 },
  );
});
