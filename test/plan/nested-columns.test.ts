/** Queries over structs of JSON files give the same rows with and without the rule that takes the structs apart. */
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import fc from "fast-check";
import { rowsOf } from "../../src/core/batch.ts";
import type { Row } from "../../src/core/value.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import { analyse } from "../../src/plan/analyse.ts";
import { explainLogical } from "../../src/plan/explain-logical.ts";
import { optimise } from "../../src/plan/optimise.ts";
import { planBatch } from "../../src/plan/physical-planner.ts";
import { runBatchPlan } from "../../src/query/batch-runner.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { MemoryStore } from "../../src/log/memory-log.ts";
import { VirtualClock } from "../../src/testing/virtual-clock.ts";
import { jsonSource, OPTIONS } from "../support/plans.ts";
import { temporaryDirectory } from "../support/temporary.ts";

const QUERIES = [
  "SELECT a.s, a.n FROM j WHERE a IS NOT NULL",
  "SELECT a.inner.x, a.inner, b.t FROM j",
  "SELECT id, a.inner.y AS y FROM j WHERE a.inner IS NOT NULL OR b IS NULL",
  "SELECT a.n + 1 AS m, a IS NULL AS none, b FROM j WHERE b.s <=> a.s",
  "SELECT count(*) AS c FROM j WHERE a IS NOT NULL",
  "SELECT a.s AS s, sum(a.n) AS n, count(b.s) AS c FROM j GROUP BY a.s",
  "SELECT x.s, y.inner.x FROM (SELECT b.s AS s, id FROM j) x JOIN (SELECT a.inner AS inner, id FROM j) y ON x.id = y.id",
  "SELECT CASE WHEN a.inner.x > 0 THEN a.s ELSE b.s END AS v FROM j WHERE coalesce(a.n, 0) < 3",
];
const clock = new VirtualClock(0);

const rows = async (path: string, sql: string, without: readonly string[]): Promise<Row[]> => {
  const catalog = new SessionCatalog();
  const name = "j";
  catalog.define({ name, kind: "view", relation: jsonSource(path) });
  const plan = optimise(analyse(parseQuery(sql), catalog, OPTIONS), { timeZone: "UTC", without });
  assert.equal(explainLogical(plan).includes("IS NOT NULL)#") && without.length > 0, false);
  const batch = planBatch(plan, { runBatch: async () => [] });
  const services = { clock, timeZone: "UTC", store: async () => new MemoryStore({ clock }) };
  return (await runBatchPlan(batch, services)).flatMap(rowsOf);
};

const small = fc.constantFrom("null", "0", "1", "-2", "9007199254740993", '"x"', "[]", "{}", "true");
const text = fc.constantFrom("null", '"u"', '"v"', '"\\u00e9"', "7");
const inner = fc.oneof(
  small,
  fc.tuple(small, text).map(([x, y]) => `{"x":${x},"z":[1],"y":${y}}`),
  fc.tuple(small, text).map(([x, y]) => `[${x},${y}]`),
);
const a = fc.oneof(
  small,
  fc.tuple(text, small, inner).map(([s, n, i]) => `{"s":${s},"inner":${i},"n":${n}}`),
  fc.tuple(text, small, inner).map(([s, n, i]) => `[${s},${n},${i}]`),
);
const b = fc.oneof(
  small,
  fc.tuple(text, fc.constantFrom("5", '"2024-01-01"', '"no"')).map(([s, t]) => `{"s":${s},"t":${t}}`),
);
const line = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.nat(3), a, b).map(([i, x, y]) => `{"id":${i},"a":${x},"b":${y}}`) },
  fc.constantFrom("{}", '{"id":1}', "oops", '{"a":{"s":"u"},"a":null}', '[{"id":5,"b":{"s":"u"}}]'),
);

test("the same rows with the structs taken apart", async (t) => {
  const seed = Number(process.env["FUZZ_SEED"] ?? Date.now() % 2 ** 31);
  t.diagnostic(`seed ${seed}`);
  const directory = temporaryDirectory();
  let n = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 8 }), fc.constantFrom(...QUERIES), async (lines, sql) => {
      const path = join(directory, `${n++}.json`);
      writeFileSync(path, lines.join("\n"));
      assert.deepEqual(await rows(path, sql, []), await rows(path, sql, ["nestedColumns"]));
    }),
    { seed, numRuns: 300, includeErrorInReport: true },
  );
});
