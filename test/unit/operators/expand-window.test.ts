import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { field, STRING, TIMESTAMP, WINDOW } from "../../../src/core/data-type.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import {
  expandWindowKind,
  type ExpandWindowSpec,
  windowStarts,
} from "../../../src/operators/expand-window.ts";
import { assertSameAnyhow, type Subject } from "../../support/operator-harness.ts";
import { slot } from "../../support/typed-exprs.ts";

const input = schemaOf([field("k", STRING), field("ts", TIMESTAMP)]);
const subject: Subject<ExpandWindowSpec> = {
  kind: expandWindowKind,
  spec: { time: slot(input, "ts"), sizeMs: 10000, slideMs: 4000, offsetMs: 0 },
  inputs: [input],
  output: schemaOf([...input.fields, field("w", WINDOW)]),
};

test("a row comes once for each window that its time falls in; a null time falls in none", async () => {
  const [out] = await assertSameAnyhow(subject, [
    {
      rows: [
        [0, ["a", 0]],
        [0, ["b", null]],
        [0, ["c", 10000]],
      ],
      watermarkMs: 0,
    },
  ]);
  assert.deepEqual(out!.rows, [
    ["a", 0, [0, 10000]],
    ["a", 0, [-4000, 6000]],
    ["a", 0, [-8000, 2000]],
    ["c", 10000, [8000, 18000]],
    ["c", 10000, [4000, 14000]],
  ]);
});

test("property: windows are exactly those aligned ones that hold the time", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -500, max: 500 }),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 30 }),
      fc.integer({ min: -40, max: 40 }),
      (time, sizeMs, slideMs, offsetMs) => {
        const got: number[] = [];
        windowStarts(time, { ...subject.spec, sizeMs, slideMs, offsetMs }, (start) => got.push(start));
        const expected: number[] = [];
        for (let start = time; start > time - sizeMs; start--)
          if ((start - offsetMs) % slideMs === 0) expected.push(start);
        assert.deepEqual(got, expected);
      },
    ),
  );
});
