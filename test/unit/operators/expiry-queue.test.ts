import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ExpiryQueue } from "../../../src/operators/expiry-queue.ts";

test("property: takes what expired by time, then in order of adding; the rest stays", () => {
  const times = fc.array(
    fc.oneof(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -5000, max: 5000 }), fc.constant(Infinity)),
    { maxLength: 40 },
  );
  fc.assert(
    fc.property(
      times,
      times,
      fc.oneof(fc.integer({ min: -10, max: 10 }), fc.integer({ min: -5000, max: 5000 })),
      (first, second, limit) => {
        const queue = new ExpiryQueue<number>();
        const all = [...first, ...second].map((time, id) => ({ time, id }));
        const sorted = (list: typeof all): number[] =>
          [...list].sort((a, b) => (a.time === b.time ? a.id - b.id : a.time - b.time)).map((x) => x.id);
        const early = all.slice(0, first.length);
        for (const x of early) queue.add(x.time, x.id);
        const gone = early.filter((x) => x.time <= limit);
        assert.deepEqual(queue.takeThrough(limit), sorted(gone));
        for (const x of all.slice(first.length)) queue.add(x.time, x.id);
        const rest = all.filter((x) => !gone.includes(x));
        assert.ok(queue.first <= Math.min(Infinity, ...rest.map((x) => x.time)));
        assert.deepEqual([...queue.items()], sorted(rest));
        assert.deepEqual(queue.takeThrough(Infinity), sorted(rest));
        assert.equal(queue.first, Infinity);
      },
    ),
  );
});
