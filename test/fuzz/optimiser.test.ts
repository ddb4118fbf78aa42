/** The optimiser changes no row: random queries over small tables, run as analysed, as optimised, and with each rule alone. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ExecutionError } from "../../src/core/errors.ts";
import type { LogicalPlan } from "../../src/plan/logical.ts";
import { optimise, rulesOf } from "../../src/plan/optimise.ts";
import { evaluatePlan, sameRows } from "../support/plan-evaluator.ts";
import { planOf } from "../support/plans.ts";

/** A query with columns k (text), v and w (int). */
const base = fc.constantFrom(
  "SELECT k, v, CAST(x AS INT) AS w FROM t",
  "SELECT k, length(name) AS v, CAST(NULL AS INT) AS w FROM u",
  "SELECT * FROM VALUES ('a', 1, 2), (NULL, NULL, 0), ('b', 2, NULL) AS z(k, v, w)",
);

const condition: fc.Arbitrary<string> = fc.letrec<{ c: string }>((tie) => ({
  c: fc.oneof(
    { maxDepth: 3 },
    fc.constantFrom(
      "v > 1",
      "w IS NULL",
      "k = 'a'",
      "k <> 'b'",
      "v + 1 < 4",
      "true",
      "NULL",
      "v = w",
      "k IN ('a', 'c')",
      "coalesce(w, 0) > 0",
      "1 > 2",
    ),
    fc.tuple(tie("c"), fc.constantFrom("AND", "OR"), tie("c")).map(([a, op, b]) => `(${a} ${op} ${b})`),
    tie("c").map((a) => `NOT (${a})`),
  ),
})).c;

const query: fc.Arbitrary<string> = fc.letrec<{ q: string }>((tie) => ({
  q: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    base,
    fc.tuple(tie("q"), condition).map(([q, c]) => `SELECT * FROM (${q}) WHERE ${c}`),
    tie("q").map((q) => `SELECT k, v + 1 AS v, CASE WHEN v > 2 THEN w ELSE v * 2 END AS w FROM (${q})`),
    tie("q").map((q) => `SELECT upper(k) AS k, w AS v, v AS w FROM (${q})`),
    tie("q").map((q) => `SELECT k, CAST(count(*) AS INT) AS v, max(w) AS w FROM (${q}) GROUP BY k`),
    tie("q").map((q) => `SELECT DISTINCT k, v, w FROM (${q})`),
    tie("q").map((q) => `SELECT k, v, rank() OVER (PARTITION BY k ORDER BY v, w) AS w FROM (${q})`),
    fc.tuple(tie("q"), tie("q")).map(([a, b]) => `${a} UNION ALL (${b})`),
    fc
      .tuple(tie("q"), tie("q"), fc.constantFrom("EXCEPT", "INTERSECT", "EXCEPT ALL", "UNION"))
      .map(([a, b, op]) => `(${a}) ${op} (${b})`),
    fc
      .tuple(tie("q"), tie("q"), fc.constantFrom("JOIN", "LEFT JOIN", "RIGHT JOIN", "FULL JOIN"), condition)
      .map(
        ([a, b, how, c]) =>
          `SELECT a.k, b.v, a.w FROM (${a}) a ${how} (SELECT k AS bk, v AS bv, w AS bw, v FROM (${b})) b ON a.k = bk AND a.v <= bv AND (${c.replaceAll(/\b[vwk]\b/g, "a.$&")})`,
      ),
    fc
      .tuple(tie("q"), tie("q"), fc.constantFrom("SEMI JOIN", "ANTI JOIN"))
      .map(([a, b, how]) => `SELECT a.* FROM (${a}) a ${how} (${b}) b ON a.k = b.k AND b.v > 1`),
    fc
      .tuple(tie("q"), tie("q"))
      .map(
        ([a, b]) =>
          `SELECT * FROM (${a}) a WHERE EXISTS (SELECT 1 FROM (${b}) b WHERE b.k = a.k AND b.w > 0) OR v = 1`,
      ),
    fc
      .tuple(tie("q"), tie("q"))
      .map(([a, b]) => `SELECT k, (SELECT max(b.v) FROM (${b}) b WHERE b.k = a.k) AS v, w FROM (${a}) a`),
    fc
      .tuple(tie("q"), tie("q"))
      .map(([a, b]) => `SELECT * FROM (${a}) WHERE k NOT IN (SELECT k FROM (${b}))`),
    fc
      .tuple(tie("q"), fc.nat(4))
      .map(([q, n]) => `SELECT * FROM (SELECT k, v, w FROM (${q}) ORDER BY k, v, w LIMIT ${n})`),
  ),
})).q;

/** The rows, or the class of the error a row made. */
const outcome = (p: LogicalPlan): ReturnType<typeof evaluatePlan> | string => {
  try {
    return evaluatePlan(p);
  } catch (e) {
    if (e instanceof ExecutionError) return e.errorClass ?? "error";
    throw e;
  }
};

const SEED = Number(process.env["FUZZ_SEED"] ?? 20261121);
const RUNS = Number(process.env["FUZZ_RUNS"] ?? 150);

test(`optimised plans give the rows of analysed ones (seed ${SEED})`, () => {
  fc.assert(
    fc.property(query, (sql) => {
      const plan = planOf(sql);
      const wanted = outcome(plan);
      // rows that are never computed make no errors: only results are compared
      if (typeof wanted === "string") return;
      const plans = [optimise(plan, { timeZone: "UTC" }), ...rulesOf("UTC").map((r) => r.apply(plan))];
      for (const p of plans) {
        assert.deepEqual(
          p.output.map((a) => a.id),
          plan.output.map((a) => a.id),
        );
        const got = outcome(p);
        assert.ok(
          typeof got !== "string" && sameRows(got, wanted, plan.output),
          `${sql}\n${JSON.stringify(got)}\n${JSON.stringify(wanted)}`,
        );
      }
    }),
    { seed: SEED, numRuns: RUNS },
  );
});
