/** A pattern keeps the text of its last instant: what it gives may not depend on the instants before. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatInstant } from "../../src/expr/time/pattern-format.ts";

const PATTERNS = [
  "yyyy-MM-dd",
  "HH:mm",
  "yyyy-MM-dd HH:mm:ss.SSS",
  "G y QQQ D E F [a hh]",
  "VV O x XXX z SSSSSS",
  "k K s m",
];
const ZONES = ["UTC", "Europe/Berlin", "+05:30", "Africa/Monrovia"];

let fresh = 0;
/** By a pattern that nobody used before. */
const alone = (t: number, zone: string, pattern: string): string => {
  const mark = `#${fresh++}`;
  return formatInstant(t, zone, `${pattern}'${mark}'`).slice(0, -mark.length);
};

const instant = fc.oneof(
  fc.integer({ min: 1_700_000_000_000, max: 1_700_000_200_000 }),
  fc.double({ min: -6e13, max: 2e14, noNaN: true }),
);

test("an instant has the text it has alone", () => {
  fc.assert(
    fc.property(
      fc.array(instant, { minLength: 2, maxLength: 8 }),
      fc.constantFrom(...PATTERNS),
      fc.constantFrom(...ZONES),
      (instants, pattern, zone) => {
        for (const t of instants)
          assert.equal(formatInstant(t, zone, pattern), alone(t, zone, pattern), `${t} ${zone} ${pattern}`);
      },
    ),
    { numRuns: 300 },
  );
});

test("where a span ends, so does its text", () => {
  const at = Date.UTC(2024, 1, 29, 23, 59, 59, 999);
  assert.equal(formatInstant(at, "UTC", "yyyy-MM-dd HH:mm"), "2024-02-29 23:59");
  assert.equal(formatInstant(at + 1, "UTC", "yyyy-MM-dd HH:mm"), "2024-03-01 00:00");
  assert.equal(formatInstant(at, "UTC", "ss.SSS 'of' yyyy"), "59.999 of 2024");
  assert.equal(formatInstant(at + 1, "UTC", "ss.SSS 'of' yyyy"), "00.000 of 2024");
  const summer = Date.UTC(2024, 2, 31, 1);
  assert.equal(formatInstant(summer - 1, "Europe/Berlin", "HH:mm"), "01:59");
  assert.equal(formatInstant(summer, "Europe/Berlin", "HH:mm"), "03:00");
});
