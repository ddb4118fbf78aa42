/** Arrays that grow in place or by moving: their elements stay, zeros follow (G1). */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { grown, grownBytes } from "../../src/core/growing-array.ts";
import { Utf8Strings } from "../../src/core/utf8-strings.ts";

/** From ordinary memory to shared, past its reserve. */
const LENGTHS = [0, 1, 64, 40_000, 70_000, 1_100_000, 1_100_000, 2_000_000];

for (const Kind of [Float64Array, Int32Array, Int16Array, Uint8Array, BigInt64Array]) {
  test(`${Kind.name} keeps what it has and gets zeros`, () => {
    let a = new Kind(0) as Float64Array;
    const one = (x: number): number => (Kind === BigInt64Array ? BigInt(x) : x) as number;
    let before = 0;
    for (const length of LENGTHS) {
      a = grown(a, length);
      assert.equal(a.length, length);
      assert.equal(a.byteOffset, 0);
      for (let i = 0; i < before; i += 997) assert.equal(a[i], one((i % 100) + 1));
      for (let i = before; i < length; i += 101) assert.equal(a[i], one(0));
      for (let i = before; i < length; i++) a[i] = one((i % 100) + 1);
      before = length;
    }
  });
}

test("large arrays grow where they stand, small ones are not shared", () => {
  assert.ok(grown(new Float64Array(0), 1000).buffer instanceof ArrayBuffer);
  const large = grown(new Float64Array(0), 100_000);
  assert.ok(large.buffer instanceof SharedArrayBuffer);
  large[99_999] = 7;
  const larger = grown(large, 300_000);
  assert.equal(larger.buffer, large.buffer);
  assert.equal(larger[99_999], 7);
  assert.equal(larger.length, 300_000);
});

test("bytes keep what is used of them", () => {
  let bytes: Buffer = Buffer.allocUnsafeSlow(0);
  let used = 0;
  for (const length of [10, 1000, 300_000, 900_000, 9_000_000]) {
    bytes = grownBytes(bytes, used, length);
    assert.equal(bytes.length, length);
    for (let i = 0; i < used; i++) if (bytes[i] !== (i * 7) % 251) assert.fail(`byte ${String(i)}`);
    used = length - 3;
    for (let i = 0; i < used; i++) bytes[i] = (i * 7) % 251;
  }
});

test("lasting strings are those that were put in, through growth in place", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "grapheme", maxLength: 12 }), { minLength: 1, maxLength: 40 }),
      (some) => {
        const strings = Utf8Strings.lasting();
        const copies = 3000;
        for (let k = 0; k < copies; k++) for (const s of some) strings.push(`${s}${String(k)}`);
        for (const k of [0, 17, copies - 1])
          some.forEach((s, i) => assert.equal(strings.at(k * some.length + i), `${s}${String(k)}`));
        const ids = Int32Array.from(some, (_, i) => i);
        const [shown, taken] = [strings.show(ids, ids.length), strings.take(ids, ids.length)];
        some.forEach((s, i) => {
          assert.equal(shown.at(i), `${s}0`);
          assert.equal(taken.at(i), `${s}0`);
        });
      },
    ),
    { numRuns: 10 },
  );
});
