import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { array, DOUBLE, field, LONG, STRING, TIMESTAMP, WINDOW } from "../../../src/core/data-type.ts";
import { keyGroupOf } from "../../../src/core/hash.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import type { Row } from "../../../src/core/value.ts";
import { sessionAggregateKind, type SessionAggregateSpec } from "../../../src/operators/session-aggregate.ts";
import { hashRow } from "../../../src/state/key-codec.ts";
import { assertSameAnyhow, bag, type EpochInput, type Subject } from "../../support/operator-harness.ts";
import { aggregate, slot } from "../../support/typed-exprs.ts";

const input = schemaOf([field("k", STRING), field("v", DOUBLE), field("ts", TIMESTAMP), field("gap", LONG)]);
const output = schemaOf([
  field("w", WINDOW),
  field("k", STRING),
  field("n", LONG),
  field("total", DOUBLE),
  field("vs", array(DOUBLE)),
]);

const sessions = (mode: SessionAggregateSpec["mode"]): Subject<SessionAggregateSpec> => ({
  kind: sessionAggregateKind,
  spec: {
    mode,
    keys: [slot(input, "k")],
    windowAt: 0,
    time: slot(input, "ts"),
    gap: slot(input, "gap"),
    aggregates: [
      aggregate("count", []),
      aggregate("sum", [slot(input, "v")], DOUBLE),
      aggregate("collect_list", [slot(input, "v")], array(DOUBLE)),
    ],
    watermarked: true,
  },
  inputs: [input],
  output,
  route: (_, row) => keyGroupOf(hashRow([row[0]!], [STRING])),
});

const row = (k: string | null, v: number, ts: number | null, gap: number | null = 5000): Row => [
  k,
  v,
  ts,
  gap,
];
const epoch = (watermarkMs: number, ...rows: Row[]): EpochInput => ({
  rows: rows.map((r) => [0, r] as const),
  watermarkMs,
});
const short = (rows: readonly Row[]): unknown[] => rows.map((r) => [...(r[0] as number[]), r[1], r[2]]);

test("rows that overlap or touch form a session, emitted when its end is passed", async () => {
  const out = await assertSameAnyhow(sessions("append"), [
    epoch(0, row("a", 1, 1000), row("b", 2, 2000), row("a", 3, 6000), row(null, 1, 0)),
    epoch(11000),
  ]);
  assert.deepEqual(short(out[1]!.rows), [
    [0, 5000, null, 1],
    [2000, 7000, "b", 1],
    [1000, 11000, "a", 2],
  ]);
  assert.equal(out[1]!.stateRows, 0);
});

test("a row between two sessions makes them one; lists keep the order of rows", async () => {
  const out = await assertSameAnyhow(sessions("append"), [
    epoch(0, row("a", 1, 10000), row("a", 2, 0), row("a", 3, 5000), row("a", 4, 1)),
    epoch(99000),
  ]);
  assert.deepEqual(out[1]!.rows, [[[0, 15000], "a", 4, 10, [2, 1, 3, 4]]]);
});

test("a row is late by its own end, whatever session is open; null times and gaps <= 0 are left out, not late", async () => {
  const out = await assertSameAnyhow(sessions("append"), [
    epoch(9000, row("a", 1, 8000)),
    epoch(
      9000,
      row("a", 2, 4000),
      row("a", 3, 4001),
      row("a", 4, null),
      row("a", 5, 9000, 0),
      row("a", 6, 9000, null),
    ),
    epoch(20000),
  ]);
  assert.deepEqual(out[1]!.late, [row("a", 2, 4000)]);
  assert.deepEqual(short(out[2]!.rows), [[4001, 13000, "a", 2]]);
});

test("gaps may differ by row", async () => {
  const out = await assertSameAnyhow(sessions("append"), [
    epoch(0, row("a", 1, 0, 20000), row("a", 2, 1000, 1000)),
    epoch(19999),
    epoch(20000),
  ]);
  assert.deepEqual(
    out.map((e) => short(e.rows)),
    [[], [], [[0, 20000, "a", 2]]],
  );
});

test("complete keeps and emits all; update emits the sessions that changed", async () => {
  const epochs = [
    epoch(0, row("a", 1, 0), row("b", 1, 0)),
    epoch(9000, row("a", 1, 4000)),
    epoch(9000, row("b", 1, 3000)),
  ];
  const complete = await assertSameAnyhow(sessions("complete"), epochs);
  assert.deepEqual(short(complete[2]!.rows), [
    [0, 9000, "a", 2],
    [0, 5000, "b", 1],
  ]);
  assert.equal(complete[2]!.stateRows, 2);
  const update = await assertSameAnyhow(sessions("update"), epochs);
  assert.deepEqual(
    update.map((e) => short(e.rows)),
    [
      [
        [0, 5000, "a", 1],
        [0, 5000, "b", 1],
      ],
      [[0, 9000, "a", 2]],
      [],
    ],
  );
  assert.equal(update[2]!.stateRows, 0);
});

test("property: sessions are the connected components, however rows are cut, restored or spread", async () => {
  const one = fc.tuple(
    fc.constantFrom("a", "b"),
    fc.double({ min: -1, max: 1, noNaN: true }),
    fc.integer({ min: 0, max: 60 }),
    fc.integer({ min: 1, max: 9 }),
  );
  const steps = fc.array(fc.array(one, { maxLength: 8 }), { maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(steps, async (rows) => {
      const epochs = [
        ...rows.map((list) => epoch(0, ...list.map(([k, v, t, g]) => row(k, v, t, g)))),
        epoch(1000),
      ];
      const out = await assertSameAnyhow(sessions("append"), epochs);
      const expected: unknown[] = [];
      for (const k of ["a", "b"]) {
        let open: number[] | undefined;
        const mine = rows.flat().filter((r) => r[0] === k);
        for (const [, , t, g] of mine.sort((x, y) => x[2] - y[2])) {
          if (open !== undefined && t <= open[1]!) {
            open[1] = Math.max(open[1]!, t + g);
            open[2]!++;
          } else expected.push((open = [t, t + g, 1]));
        }
      }
      const got = out.at(-1)!.rows.map((r) => [...(r[0] as number[]), r[2]]) as Row[];
      assert.deepEqual(bag(got), bag(expected as Row[]));
    }),
    { numRuns: 50 },
  );
});
