import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../../../src/core/clock.ts";
import { rowsOf } from "../../../src/core/batch.ts";
import { ConfigurationError } from "../../../src/core/errors.ts";
import type { Row } from "../../../src/core/value.ts";
import { rateSourceFactory as rate } from "../../../src/connectors/rate-source.ts";
import type { Options, Source, SourceContext, SplitRange } from "../../../src/connectors/source.ts";

let now = 0;
const clock: Clock = { now: () => now, monotonic: () => now, after: () => () => {} };
const context = { clock, queryName: "q", sourceId: "s0", timeZone: "UTC" } as unknown as SourceContext;
const source = (options: Options): Source =>
  rate.create(
    { format: "rate", options, schema: rate.defaultSchema(options), pushed: [] },
    context,
    "stream",
  );
const read = async (s: Source, ranges: readonly SplitRange[]): Promise<Row[]> => {
  const rows: Row[] = [];
  for (const range of ranges)
    for await (const batch of s.reader().read(range, new AbortController().signal))
      rows.push(...rowsOf(batch));
  return rows;
};

test("rows follow the clock of the plan and read the same again", async () => {
  now = 10_000;
  const s = source({ rowsPerSecond: "4" });
  const e = s.enumerator();
  await e.open(undefined);
  assert.deepEqual(await e.plan({}), []);
  now = 11_000;
  const first = await e.plan({});
  now = 11_500;
  const second = await e.plan({});
  assert.deepEqual(second[0]!.from, first[0]!.to);
  const rows = await read(s, [...first, ...second]);
  assert.deepEqual(rows, [
    [10_000, 0],
    [10_250, 1],
    [10_500, 2],
    [10_750, 3],
    [11_000, 4],
    [11_250, 5],
  ]);
  now = 99_999;
  assert.deepEqual(await read(s, [...first, ...second]), rows);
});

test("a limit cuts, the rest comes later; splits share the values", async () => {
  now = 0;
  const s = source({ rowsPerSecond: "10", numPartitions: "3" });
  const e = s.enumerator();
  await e.open(undefined);
  now = 1_000;
  assert.equal(await e.backlog(), 10);
  const ranges = [...(await e.plan({ maxOffsets: 4 })), ...(await e.plan({}))];
  const values = (await read(s, ranges)).map((r) => r[1] as number);
  assert.deepEqual(
    values.toSorted((a, b) => a - b),
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  assert.equal(
    ranges.reduce((n, r) => n + r.rows!, 0),
    10,
  );
});

test("values go on after a restart with another rate", async () => {
  now = 0;
  const slow = source({ rowsPerSecond: "10" });
  const e = slow.enumerator();
  await e.open(undefined);
  now = 1_000;
  const [range] = await e.plan({});
  const fast = source({ rowsPerSecond: "100" });
  const again = fast.enumerator();
  await again.open({ "0": range!.to });
  now = 1_020;
  const next = await again.plan({});
  assert.deepEqual(next[0]!.from, range!.to);
  assert.deepEqual(await read(fast, next), [
    [1_000, 10],
    [1_010, 11],
  ]);
});

test("options are checked", () => {
  assert.throws(() => rate.validate({ rowsPerSecnd: "1" }, "stream"), /did you mean "rowsPerSecond"/);
  assert.throws(() => rate.validate({ rowsPerSecond: "-1" }, "stream"), /option "rowsPerSecond".*"-1"/);
  assert.throws(() => rate.validate({}, "batch"), ConfigurationError);
});
