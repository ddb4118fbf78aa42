/**
 * Each rule of the optimiser: plans before and after it, compared with `optimise.txt` beside this file (written anew with UPDATE_PLANS=1; read the
 * difference before committing it). A rule applied twice does what it does once, and leaves the ids of the output.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { optimise, rulesOf } from "../../src/plan/optimise.ts";
import { planOf, textOf } from "../support/plans.ts";

const CASES: readonly (readonly [string, string, "spark"?])[] = [
  ["constantFolding", "SELECT v + (1 + 2) AS w, upper('a') AS u, 1 / 0 AS bad FROM s0"],
  [
    "nullPropagation",
    "SELECT upper(NULL) AS u, v + NULL AS w, k IS NULL AS n, coalesce(NULL, k) AS c FROM s0",
  ],
  [
    "booleanSimplification",
    "SELECT CASE WHEN false THEN 1 WHEN v > 1 THEN 2 WHEN true THEN 3 ELSE 4 END AS c FROM s0 WHERE true AND (v > 1 OR false)",
  ],
  ["booleanSimplification", "SELECT k FROM s0 WHERE true OR v > 1"],
  ["filterMerge", "FROM s0 |> WHERE v > 1 |> WHERE k = 'a'"],
  ["filterMerge", "FROM s0 |> WHERE v > 1 |> WHERE raise_error('x') IS NULL"],
  ["projectMerge", "SELECT a + 1 AS b FROM (SELECT v * 2 AS a, k FROM s0)"],
  ["projectMerge", "SELECT a + a AS b FROM (SELECT v * 2 AS a FROM s0)"],
  ["projectMerge", "SELECT a AS b, a AS c FROM (SELECT raise_error('x') AS a FROM s0)"],
  ["filterPushDown", "SELECT * FROM (SELECT k, v + 1 AS w FROM s) WHERE k = 'a' AND w > 2"],
  ["filterPushDown", "SELECT * FROM s WHERE k = 'a' AND ts > TIMESTAMP '2024-01-01 00:00:00'"],
  [
    "filterPushDown",
    "SELECT s0.k FROM s0 LEFT JOIN d ON s0.k = d.k AND d.rank > 1 AND s0.v > 1 WHERE s0.v < 9 AND d.label = 'x'",
  ],
  ["filterPushDown", "SELECT s0.k FROM s0 FULL JOIN d ON s0.k = d.k AND d.rank > 1 WHERE s0.v < 9"],
  ["filterPushDown", "SELECT s0.k FROM s0 LEFT JOIN d ON s0.k = d.k WHERE coalesce(d.rank, 5) > 3"],
  ["filterPushDown", "SELECT s0.k FROM s0 RIGHT JOIN d ON s0.k = d.k WHERE s0.v > 3 OR s0.v + 1 IS NOT NULL"],
  ["filterPushDown", "SELECT s0.k FROM s0, d WHERE s0.k = d.k AND d.rank > 1"],
  [
    "filterPushDown",
    "SELECT k FROM s0 WHERE NOT EXISTS (SELECT 1 FROM d WHERE d.k = s0.k AND d.rank > 1 AND s0.v > 1)",
  ],
  ["filterPushDown", "SELECT k, n FROM (SELECT k, count(*) AS n FROM s0 GROUP BY k) WHERE k = 'a' AND n > 1"],
  ["filterPushDown", "SELECT n FROM (SELECT count(*) AS n FROM s0) WHERE 1 = 2"],
  ["filterPushDown", "SELECT * FROM (SELECT k FROM s0 UNION ALL SELECT label FROM d) WHERE k = 'a'"],
  ["filterPushDown", "SELECT * FROM (SELECT k, v FROM s0 LIMIT 3) WHERE v > 1"],
  [
    "filterPushDown",
    "SELECT * FROM (SELECT k, rank() OVER (PARTITION BY k ORDER BY v) AS r FROM t) WHERE k = 'a' AND r = 1",
  ],
  [
    "filterPushDown",
    "SELECT w, n FROM (SELECT window(ts, '10 seconds', '5 seconds') AS w, k, count(*) AS n FROM s GROUP BY 1, k) WHERE k = 'a' AND w.start > TIMESTAMP '2024-01-01 00:00:00'",
  ],
  [
    "joinFilters",
    "SELECT s0.k FROM (SELECT * FROM s0 WHERE k = 'a') s0 JOIN d ON s0.k = d.k AND s0.v < d.rank",
  ],
  ["joinFilters", "SELECT s0.k FROM s0 LEFT JOIN d ON s0.k = d.k"],
  ["joinFilters", "SELECT s0.k FROM s0 FULL JOIN d ON s0.k = d.k"],
  ["joinFilters", "SELECT s0.k FROM s0 JOIN d ON s0.k <=> d.k"],
  [
    "joinFilters",
    "SELECT s0.k FROM (SELECT * FROM s0 WHERE v > 3) s0 LEFT JOIN d ON s0.v = d.rank AND s0.k LIKE d.label",
  ],
  ["extraJoinFilters", "SELECT s.k FROM s JOIN r ON s.k = r.k AND (s.v > 3 AND r.w > 1 OR s.v < 1)"],
  ["extraJoinFilters", "SELECT s.k FROM s LEFT JOIN r ON s.k = r.k AND (s.v > 3 OR r.w > 1 AND s.v = r.w)"],
  ["inferredFilters", "SELECT k FROM s WHERE v > second(ts) AND k IS NOT NULL"],
  ["inferredFilters", "SELECT k FROM s WHERE v IS NULL OR v > second(ts)"],
  ["inferredFilters", "SELECT k FROM s WHERE NOT ((v + 1) IS NOT NULL)"],
  ["inferredFilters", "SELECT k FROM s WHERE (v + 1) IS NOT NULL"],
  ["inferredFilters", "SELECT explode(a) FROM (SELECT ts, split(k, ',') AS a FROM s)"],
  ["inferredFilters", "SELECT explode_outer(a) FROM (SELECT ts, split(k, ',') AS a FROM s)"],
  [
    "localRows",
    "SELECT s.k FROM s JOIN (SELECT upper(c) AS k FROM VALUES ('a', 1), ('b', 2) AS t(c, n) WHERE n > 1) x ON s.k = x.k",
  ],
  [
    "needlessNodes",
    "SELECT w, max(v) AS m FROM (SELECT DISTINCT window(ts, '10 seconds') AS w, v FROM s) GROUP BY w",
  ],
  [
    "needlessNodes",
    "SELECT w, sum(v) AS m FROM (SELECT DISTINCT window(ts, '10 seconds') AS w, v FROM s) GROUP BY w",
  ],
  ["needlessNodes", "SELECT DISTINCT k, n FROM (SELECT k, count(*) AS n FROM s GROUP BY k)"],
  ["needlessNodes", "SELECT DISTINCT s.k FROM s LEFT JOIN r ON s.k = r.k"],
  ["needlessNodes", "SELECT DISTINCT s.k FROM s LEFT JOIN r ON s.k = r.k", "spark"],
  ["needlessNodes", "SELECT s.k, count(*) AS n FROM s LEFT JOIN r ON s.k = r.k GROUP BY s.k"],
  ["needlessNodes", "SELECT s.v FROM s LEFT JOIN (SELECT k, max(w) AS w FROM r GROUP BY k) r ON s.k = r.k"],
  ["needlessNodes", "SELECT count(*) AS n FROM s WHERE false"],
  ["needlessNodes", "SELECT count(*) AS n FROM s WHERE false", "spark"],
  ["limitPushDown", "SELECT v + 1 AS w FROM s0 LIMIT 3"],
  ["limitPushDown", "SELECT k FROM d UNION ALL SELECT label FROM d LIMIT 2 OFFSET 1"],
  ["subqueryPushDown", "SELECT k, v FROM s WHERE k IN (SELECT k FROM d) AND ts > TIMESTAMP '1970-01-01'"],
  ["subqueryPushDown", "SELECT k FROM s WHERE EXISTS (SELECT 1 FROM d WHERE d.k = s.k AND s.ts IS NOT NULL)"],
  ["subqueryPushDown", "SELECT k FROM s WHERE v > (SELECT max(rank) FROM d WHERE d.k = s.k)"],
  ["subqueryPushDown", "SELECT s.k FROM s LEFT SEMI JOIN d ON s.k = d.k"],
  [
    "subqueryPushDown",
    "SELECT k FROM (SELECT k, count(*) AS n FROM s GROUP BY k) WHERE k IN (SELECT k FROM d) AND n NOT IN (SELECT rank FROM d)",
  ],
  ["limitPushDown", "SELECT k FROM s0 UNION ALL SELECT k FROM r0 LIMIT 2"],
  ["columnPruning", "SELECT k, count(*) AS n FROM (SELECT k, v, v + 1 AS w FROM s) GROUP BY k"],
  ["columnPruning", "SELECT s.k FROM s JOIN r ON s.k = r.k"],
  ["columnPruning", "SELECT count(*) AS n FROM d"],
  ["columnPruning", "SELECT k FROM (SELECT k, label FROM d UNION ALL SELECT k, 'x' FROM s0)"],
  ["columnPruning", "SELECT k FROM (SELECT k, v, grouping(v) AS g FROM t GROUP BY CUBE(k, v))"],
  ["nestedColumns", "SELECT a.s, a.inner.x + a.n AS w FROM j WHERE a IS NOT NULL AND b.t IS NULL"],
  ["nestedColumns", "SELECT a.inner, b.s FROM j WHERE a.inner.x > 1 AND b IS NULL"],
  ["nestedColumns", "SELECT a, b.s, id FROM j"],
  ["nestedColumns", "SELECT n.s.p FROM n"],
  ["sourceFilters", "SELECT k FROM s0 WHERE v > 1 AND k = 'a'"],
];

const GOLDEN = new URL("optimise.txt", import.meta.url);

const section = ([name, sql, compatibility]: (typeof CASES)[number]): string => {
  const rule = rulesOf("UTC", compatibility).find((r) => r.name === name)!;
  const plan = planOf(sql);
  const next = rule.apply(plan);
  assert.equal(textOf(rule.apply(next)), textOf(next), `${name} twice: ${sql}`);
  assert.deepEqual(
    next.output.map((a) => a.id),
    plan.output.map((a) => a.id),
  );
  return `## ${name}${compatibility === undefined ? "" : ` (${compatibility})`}: ${sql}\n${textOf(plan)}\n-->\n${textOf(next)}\n`;
};

test("each rule makes of a plan what optimise.txt says", () => {
  const sections = CASES.map(section);
  if (process.env["UPDATE_PLANS"] === "1") writeFileSync(GOLDEN, sections.join("\n"));
  const wanted = readFileSync(GOLDEN, "utf8");
  assert.deepEqual(sections.join("\n").split("\n## "), wanted.split("\n## "));
});

test("every rule has a case", () => {
  const covered = new Set(CASES.map(([name]) => name));
  assert.deepEqual(
    [...new Set(rulesOf("UTC").map((r) => r.name))].filter((n) => !covered.has(n)),
    [],
  );
});

test("all rules together reach the source", () => {
  const plan = planOf(
    "SELECT w, total FROM (SELECT window(ts, '10 seconds') AS w, k, sum(v) AS total, max(v) AS top FROM s WHERE v > 0 + 1 GROUP BY 1, k) WHERE k = 'a'",
  );
  assert.equal(
    textOf(optimise(plan, { timeZone: "UTC" })),
    [
      "Project [window#4 as w#6, sum(v)#5 as total#7]",
      "+- Aggregate [window#4 (event time), k#1] [sum(v#2) as sum(v)#5]",
      "   +- Project [k#1, v#2, window(ts#3, 10000000, 10000000, 0) as window#4]",
      "      +- Filter isnotnull(ts#3)",
      "         +- Watermark ts#3 delay 10000 ms",
      "            +- Filter ((v#2 > 1) and (k#1 = 'a'))",
      "               +- Source memory s [k#1, v#2, ts#3] pushed [(v > 1), (k = 'a')]",
    ].join("\n"),
  );
});
