import assert from "node:assert/strict";
import { test } from "node:test";
import { batchFromRows, rowsOf } from "../../../src/core/batch.ts";
import type { Clock } from "../../../src/core/clock.ts";
import { field, INT, LONG, STRING, TIMESTAMP } from "../../../src/core/data-type.ts";
import { schemaOf } from "../../../src/core/schema.ts";
import type { Row } from "../../../src/core/value.ts";
import { mapRowsKind, type MapRowsSpec } from "../../../src/operators/map-rows.ts";
import { assertSameAnyhow, runOperator, type Subject } from "../../support/operator-harness.ts";

const input = schemaOf([field("v", INT), field("__proto__", STRING), field("ts", TIMESTAMP)]);
const output = schemaOf([field("x", LONG), field("s", STRING)]);

const subject = (
  mode: MapRowsSpec["mode"],
  apply: (row: never) => unknown,
  rest: Partial<MapRowsSpec> = {},
): Subject<MapRowsSpec> => ({
  kind: mapRowsKind,
  spec: { name: "f", mode, apply, ...rest },
  inputs: [input],
  output: mode === "filter" ? input : output,
});
const epoch = (...values: number[]) => ({
  rows: values.map((v) => [0, [v, `p${v}`, v]] as const),
  watermarkMs: 0,
});
type In = { v: number; ts: Date };

test("map, flatMap and filter see objects by column name, also by odd names, and Dates", async () => {
  const mapped = await assertSameAnyhow(
    subject("map", (r: In) => ({
      x: r.v + r.ts.getTime(),
      s: Object.getOwnPropertyDescriptor(r, "__proto__")!.value,
    })),
    [epoch(1, 2)],
  );
  assert.deepEqual(mapped[0]!.rows, [
    [2, "p1"],
    [4, "p2"],
  ]);
  const flat = await assertSameAnyhow(
    subject("flatMap", function* (r: In) {
      for (let i = 0; i < r.v; i++) yield { x: i };
    }),
    [epoch(0, 2)],
  );
  assert.deepEqual(flat[0]!.rows, [
    [0, null],
    [1, null],
  ]);
  const kept = await assertSameAnyhow(
    subject("filter", (r: In) => r.v > 1),
    [epoch(1, 2, 3)],
  );
  assert.deepEqual(
    kept[0]!.rows.map((r) => r[0]),
    [2, 3],
  );
});

test("what throws, and what returns the wrong thing, is an error of its row that names the function", async () => {
  const errors = async (mode: MapRowsSpec["mode"], apply: (row: never) => unknown): Promise<string> => {
    const rowErrors: Error[] = [];
    const [out] = await runOperator(subject(mode, apply), [epoch(1, 2)], { rowErrors });
    assert.equal(out!.rows.length, 1);
    return rowErrors.map((e) => e.message).join();
  };
  const boom = (r: In): unknown => {
    if (r.v === 1) throw new Error("boom");
    return { x: r.v };
  };
  assert.match(await errors("map", boom), /the user function f failed: boom/);
  assert.match(
    await errors("map", (r: In) => (r.v === 1 ? 7 : { x: 1 })),
    /f must return rows as objects, not a value of type number/,
  );
  assert.match(
    await errors("flatMap", (r: In) => (r.v === 1 ? null : [{ x: 1 }])),
    /iterable of rows, not null/,
  );
  assert.match(
    await errors("filter", (r: In) => (r.v === 1 ? "yes" : true)),
    /true or false, not a value of type string/,
  );
  assert.match(await errors("mapAsync", (r: In) => Promise.resolve(boom(r))), /boom/);
});

/** A clock moved by hand. */
const manualClock = () => {
  const waiting: { at: number; f: () => void }[] = [];
  let now = 0;
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    after: (ms, f) => {
      const entry = { at: now + ms, f };
      waiting.push(entry);
      return () => void waiting.splice(waiting.indexOf(entry) >>> 0, 1);
    },
  };
  const advance = async (ms: number): Promise<void> => {
    now += ms;
    for (const w of waiting.filter((x) => x.at <= now)) {
      waiting.splice(waiting.indexOf(w), 1);
      w.f();
    }
    await new Promise(setImmediate);
  };
  return { clock, advance };
};

const running = (spec: Partial<MapRowsSpec>, apply: (row: never) => unknown, clock: Clock) => {
  const operator = mapRowsKind.create({ name: "lookup", mode: "mapAsync", apply, ...spec }, [input], output);
  const errors: unknown[] = [];
  operator.open!({ clock, onRowError: (e: unknown) => void errors.push(e) } as never);
  const rows: Row[] = [];
  const out = { emit: (b: Parameters<typeof rowsOf>[0]) => void rows.push(...rowsOf(b)), late: () => {} };
  const done = operator.process(
    batchFromRows(
      input,
      [1, 2, 3, 4].map((v): Row => [v, "", 0]),
    ),
    0,
    out,
  );
  return { done, rows, errors };
};

test("mapAsync keeps the order of rows with calls under way side by side", async () => {
  const { clock } = manualClock();
  let under = 0;
  let most = 0;
  const finish: (() => void)[] = [];
  const { done, rows } = running(
    { concurrency: 3 },
    async (r: In) => {
      most = Math.max(most, ++under);
      await new Promise<void>((resolve) => finish.unshift(resolve));
      under--;
      return { x: r.v, s: null };
    },
    clock,
  );
  while (rows.length === 0) {
    finish.shift()?.();
    await new Promise(setImmediate);
  }
  await done;
  assert.equal(most, 3);
  assert.deepEqual(
    rows.map((r) => r[0]),
    [1, 2, 3, 4],
  );
});

test("mapAsync retries and gives up after its timeout", async () => {
  const { clock, advance } = manualClock();
  const calls: number[] = [];
  const { done, rows, errors } = running(
    { concurrency: 4, retries: 1, retryDelayMs: 10, timeoutMs: 100 },
    (r: In) => {
      calls.push(r.v);
      if (r.v === 2) return new Promise(() => {});
      if (r.v === 3 && calls.filter((c) => c === 3).length === 1)
        return Promise.reject(new Error("try again"));
      return Promise.resolve({ x: r.v });
    },
    clock,
  );
  for (const ms of [10, 90, 10, 100]) await advance(ms);
  await done;
  assert.deepEqual(
    rows.map((r) => r[0]),
    [1, 3, 4],
  );
  assert.deepEqual(
    calls.filter((c) => c === 2 || c === 3).sort((a, b) => a - b),
    [2, 2, 3, 3],
  );
  assert.match(String(errors[0]), /lookup took longer than 100 ms/);
});
