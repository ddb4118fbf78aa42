import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { field, LONG, STRING, TIMESTAMP } from "../../../src/core/data-type.ts";
import { keyGroupOf } from "../../../src/core/hash.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import type { Row } from "../../../src/core/value.ts";
import { dedupKind, type DedupSpec } from "../../../src/operators/dedup.ts";
import { hashRow } from "../../../src/state/key-codec.ts";
import { assertSameAnyhow, bag, type EpochInput, type Subject } from "../../support/operator-harness.ts";
import { slot } from "../../support/typed-exprs.ts";

const input = schemaOf([field("k", STRING), field("v", LONG), field("ts", TIMESTAMP)]);
const ts = { expr: slot(input, "ts"), form: "column" as const };

const dedup = (
  keys: readonly string[],
  expires: DedupSpec["expires"],
  watermarked = true,
): Subject<DedupSpec> => ({
  kind: dedupKind,
  spec: { keys: keys.map((k) => slot(input, k)), late: watermarked ? ts : undefined, expires },
  inputs: [input],
  output: input,
  route: (_, row) =>
    keyGroupOf(
      hashRow(
        keys.map((k) => row[k === "k" ? 0 : 2]!),
        keys.map((k) => (k === "k" ? STRING : TIMESTAMP)),
      ),
    ),
});

const epoch = (watermarkMs: number, ...rows: Row[]): EpochInput => ({
  rows: rows.map((r) => [0, r] as const),
  watermarkMs,
});

test("without a watermark a key passes once, for ever", async () => {
  const out = await assertSameAnyhow(dedup(["k"], { kind: "never" }, false), [
    epoch(0, ["a", 1, 1000], ["a", 2, 1000], [null, 1, 0]),
    epoch(0, ["b", 1, 0], [null, 2, 0], ["a", 3, -5]),
  ]);
  assert.deepEqual(
    out.map((e) => e.rows),
    [
      [
        ["a", 1, 1000],
        [null, 1, 0],
      ],
      [["b", 1, 0]],
    ],
  );
});

test("with the event time among the keys, keys leave at the watermark and late rows are dropped", async () => {
  const out = await assertSameAnyhow(dedup(["k", "ts"], { kind: "key", key: 1, form: "column" }), [
    epoch(0, ["a", 1, 1000], ["a", 2, 1000], ["b", 1, 2000]),
    epoch(0, ["a", 3, 1000], ["c", 1, 15000]),
    epoch(2000),
    epoch(2000, ["a", 4, 2000], ["a", 5, 2001]),
  ]);
  assert.deepEqual(
    out.map((e) => e.rows.map((r) => r[1])),
    [[1, 1], [1], [], [5]],
  );
  assert.deepEqual(
    out.map((e) => e.stateRows),
    [2, 3, 1, 2],
  );
  assert.deepEqual(out[3]!.late, [["a", 4, 2000]]);
  assert.deepEqual(out[2]!.metrics, { rowsUpdated: 0, rowsRemoved: 2, rowsDroppedByWatermark: 0 });
});

test("late rows are dropped by the watermarked column even where it is no key; the key stays for ever", async () => {
  const out = await assertSameAnyhow(dedup(["k"], { kind: "never" }), [
    epoch(5000, ["a", 1, 9000]),
    epoch(5000, ["b", 1, 5000], ["a", 2, 99000]),
    epoch(99000),
  ]);
  assert.deepEqual(out[1]!.rows, []);
  assert.equal(out[1]!.late.length, 1);
  assert.equal(out[2]!.stateRows, 1);
});

test("within the watermark a key is kept for the delay after its first row; duplicates do not prolong it", async () => {
  const out = await assertSameAnyhow(dedup(["k"], { kind: "delay", delayMs: 10000 }), [
    epoch(0, ["a", 1, 1000]),
    epoch(5000, ["a", 2, 8000]),
    epoch(11000, ["a", 3, 30000]),
    epoch(11000, ["a", 4, 12000]),
  ]);
  assert.deepEqual(
    out.map((e) => e.rows.map((r) => r[1])),
    [[1], [], [], [4]],
  );
});

test("property: any cuts, restores and partitions give the first row of every live key", async () => {
  const row = fc.tuple(
    fc.constantFrom("a", "b", null),
    fc.integer({ min: 0, max: 9 }),
    fc.integer({ min: 0, max: 9 }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.array(row, { maxLength: 8 }), fc.integer({ min: 0, max: 4 })), { maxLength: 7 }),
      async (steps) => {
        let watermark = 0;
        const epochs = steps.map(([rows, step]) =>
          epoch((watermark += step), ...rows.map(([k, v, t]): Row => [k, v, t])),
        );
        const out = await assertSameAnyhow(
          dedup(["k", "ts"], { kind: "key", key: 1, form: "column" }),
          epochs,
        );
        const seen = new Map<string, number>();
        let late = 0;
        epochs.forEach((e, i) => {
          const passed: Row[] = [];
          for (const [, r] of e.rows) {
            const id = JSON.stringify([r[0], r[2]]);
            if ((r[2] as number) <= late || seen.has(id)) continue;
            seen.set(id, r[2] as number);
            passed.push(r);
          }
          late = e.watermarkMs;
          for (const [id, t] of seen) if (t <= late) seen.delete(id);
          assert.deepEqual(bag(out[i]!.rows), bag(passed));
          assert.equal(out[i]!.stateRows, seen.size);
        });
      },
    ),
    { numRuns: 50 },
  );
});
