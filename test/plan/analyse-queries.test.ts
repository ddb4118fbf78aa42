/** Queries whose plans, as analysed and as optimised, give the rows that Spark's rules say. Rows by hand; a plain evaluator runs the plans. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { ExecutionError } from "../../src/core/errors.ts";
import type { Row } from "../../src/core/value.ts";
import { optimise } from "../../src/plan/optimise.ts";
import { evaluatePlan, sameRows } from "../support/plan-evaluator.ts";
import { planOf } from "../support/plans.ts";

const A = [1, [5, "z"], [1, 2], [[7], [8]]] as const;
const SOURCES = {
  n: [
    { id: A[0], s: A[1], xs: A[2], many: A[3] },
    { id: 2, s: null, xs: null, many: null },
  ],
};

/** SQL, names of the columns, rows. */
const QUERIES: readonly (readonly [string, string, readonly Row[]])[] = [
  [
    "SELECT * FROM t WHERE v > 3",
    "k,v,x",
    [
      [null, 4, 2],
      ["b", 6, 0],
    ],
  ],
  ["SELECT * EXCEPT (x) FROM t WHERE v = 1", "k,v", [["a", 1]]],
  ["SELECT T.K, V FROM t WHERE v = 1", "K,V", [["a", 1]]],
  [
    "SELECT v + 1 AS w, w * 2 AS z FROM t WHERE v < 3",
    "w,z",
    [
      [2, 4],
      [3, 6],
    ],
  ],
  ["SELECT k, sum(v) AS s, s + 1 AS s1 FROM t WHERE k = 'b' GROUP BY k", "k,s,s1", [["b", 8, 9]]],
  [
    "SELECT upper(k) || 'x' AS u, count(*) FROM t WHERE v < 3 GROUP BY upper(k)",
    "u,count(1)",
    [
      ["Ax", 1],
      ["Bx", 1],
    ],
  ],
  ["SELECT max(v) FROM t HAVING count(*) > 100", "max(v)", []],
  ["SELECT count(*) FROM (SELECT k FROM t WHERE v > 100)", "count(1)", [[0]]],
  [
    "SELECT k, v, grouping_id() FROM t WHERE v < 3 GROUP BY ROLLUP(k, v) HAVING grouping_id() > 0",
    "k,v,grouping_id()",
    [
      ["a", null, 1],
      ["b", null, 1],
      [null, null, 3],
    ],
  ],
  [
    "SELECT k, count(*) FROM t WHERE v = 1 GROUP BY GROUPING SETS ((k), (k), ())",
    "k,count(1)",
    [
      ["a", 1],
      ["a", 1],
      [null, 1],
    ],
  ],
  [
    "SELECT k, count(*) FILTER (WHERE v > 1) AS c FROM t GROUP BY ALL",
    "k,c",
    [
      ["a", 1],
      ["b", 2],
      ["c", 0],
      [null, 1],
    ],
  ],
  [
    "SELECT first(v, true), count(DISTINCT k), count(k, x) FROM t",
    "first(v),count(DISTINCT k),count(k, x)",
    [[1, 3, 4]],
  ],
  [
    "SELECT k, sum(sum(v)) OVER (ORDER BY k) AS r FROM t GROUP BY k",
    "k,r",
    [
      [null, 4],
      ["a", 8],
      ["b", 16],
      ["c", 16],
    ],
  ],
  [
    "SELECT v, rank() OVER w AS r FROM t WHERE k = 'b' WINDOW w AS (PARTITION BY k ORDER BY v DESC)",
    "v,r",
    [
      [6, 1],
      [2, 2],
    ],
  ],
  ["SELECT k FROM t ORDER BY x DESC NULLS LAST LIMIT 1", "k", [["a"]]],
  [
    "SELECT * FROM t NATURAL JOIN u WHERE v = 2",
    "k,v,x,name",
    [
      ["b", 2, null, "B"],
      ["b", 2, null, "B2"],
    ],
  ],
  [
    "SELECT * FROM (SELECT k, v FROM t WHERE v IN (1, 4)) FULL JOIN (SELECT * FROM u WHERE name IN ('A', 'D')) USING (k)",
    "k,v,name",
    [
      ["a", 1, "A"],
      [null, 4, null],
      ["d", null, "D"],
    ],
  ],
  [
    "SELECT t.k, u.k, name FROM t RIGHT JOIN u USING (k) WHERE name >= 'D'",
    "k,k,name",
    [
      [null, "d", "D"],
      [null, null, "N"],
    ],
  ],
  ["SELECT k FROM t INTERSECT ALL SELECT k FROM u", "k", [["a"], ["b"], ["b"], [null]]],
  ["SELECT k FROM t EXCEPT ALL SELECT k FROM u", "k", [["a"], ["c"]]],
  ["SELECT k FROM t EXCEPT SELECT k FROM u", "k", [["c"]]],
  [
    "SELECT s.p, s.*, xs[0], n.s.q, many.p AS ps FROM n",
    "p,p,q,xs[0],q,ps",
    [
      [5, 5, "z", 1, "z", [7, 8]],
      [null, null, null, null, null, null],
    ],
  ],
  [
    "SELECT id, e FROM n, LATERAL explode(xs) AS z(e)",
    "id,e",
    [
      [1, 1],
      [1, 2],
    ],
  ],
  [
    "SELECT id, e FROM n LEFT JOIN LATERAL explode(xs) AS z(e)",
    "id,e",
    [
      [1, 1],
      [1, 2],
      [2, null],
    ],
  ],
  [
    "SELECT t.v, l.name FROM t, LATERAL (SELECT name FROM u WHERE u.k = t.k ORDER BY name DESC LIMIT 1) l",
    "v,name",
    [
      [1, "A"],
      [2, "B2"],
      [3, "A"],
      [6, "B2"],
    ],
  ],
  [
    "SELECT * FROM (SELECT k, v, x FROM t) PIVOT (sum(v) AS s, count(x) AS c FOR k IN ('a', 'zz' AS z))",
    "a_s,a_c,z_s,z_c",
    [[4, 2, null, null]],
  ],
  [
    "SELECT * FROM (SELECT k, v, CAST(x AS INT) AS x FROM t WHERE v < 3) UNPIVOT (val FOR name IN (v, x))",
    "k,name,val",
    [
      ["a", "v", 1],
      ["a", "x", 10],
      ["b", "v", 2],
    ],
  ],
  [
    "WITH RECURSIVE r(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM r WHERE i < 4) SELECT * FROM r",
    "i",
    [[1], [2], [3], [4]],
  ],
  ["WITH a AS (SELECT 1 AS x), b AS (SELECT x + 1 AS y FROM a) SELECT x, y FROM a, b", "x,y", [[1, 2]]],
  ["SELECT * FROM range(1, 10, 4)", "id", [[1], [5], [9]]],
  [
    "SELECT window(ts, '10 minutes', '5 minutes').start AS s, count(*) AS n FROM (SELECT TIMESTAMP '1970-01-01 00:07:00' AS ts) GROUP BY 1",
    "s,n",
    [
      [0, 1],
      [300_000, 1],
    ],
  ],
  [
    "SELECT window.start, n FROM (SELECT window(ts, '10 minutes'), count(*) AS n FROM (SELECT TIMESTAMP '1970-01-01 00:07:00' AS ts) GROUP BY window(ts, '10 minutes'))",
    "start,n",
    [[0, 1]],
  ],
  [
    "FROM t |> WHERE v > 2 |> EXTEND v * 2 AS w |> DROP v, x",
    "k,w",
    [
      ["a", 6],
      [null, 8],
      ["b", 12],
    ],
  ],
];

const SUBQUERIES: typeof QUERIES = [
  [
    "SELECT v, (SELECT count(*) FROM u WHERE u.k = t.k) AS c FROM t WHERE v > 2",
    "v,c",
    [
      [3, 1],
      [4, 0],
      [6, 2],
    ],
  ],
  [
    "SELECT v, (SELECT max(name) FROM u WHERE u.k = t.k) AS m FROM t WHERE v > 2",
    "v,m",
    [
      [3, "A"],
      [4, null],
      [6, "B2"],
    ],
  ],
  ["SELECT v FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.k AND u.name > 'A')", "v", [[2], [6]]],
  ["SELECT v FROM t WHERE NOT EXISTS (SELECT 1 FROM u WHERE u.k = t.k)", "v", [[4], [null]]],
  ["SELECT v FROM t WHERE EXISTS (SELECT 1 FROM u WHERE u.k = t.k) OR v = 4", "v", [[1], [2], [3], [4], [6]]],
  [
    "SELECT v, k IN (SELECT k FROM u) AS b FROM t WHERE v > 2 OR v IS NULL",
    "v,b",
    [
      [3, true],
      [4, false],
      [null, false],
      [6, true],
    ],
  ],
  ["SELECT k FROM t WHERE k NOT IN (SELECT k FROM u)", "k", []],
  ["SELECT k FROM t WHERE k NOT IN (SELECT k FROM u WHERE k IS NOT NULL)", "k", [["c"]]],
  ["SELECT k FROM t WHERE NOT (k IN (SELECT k FROM u WHERE k IS NOT NULL))", "k", [["c"]]],
  ["SELECT k FROM t WHERE (k, v) IN (SELECT k, 2 FROM u)", "k", [["b"]]],
  [
    "SELECT k, v FROM t WHERE v = (SELECT max(v) FROM t t2 WHERE t2.k = t.k)",
    "k,v",
    [
      ["a", 3],
      ["b", 6],
    ],
  ],
  ["SELECT k, sum(v) AS s FROM t GROUP BY k HAVING sum(v) > (SELECT avg(v) + 2 FROM t)", "k,s", [["b", 8]]],
  [
    "SELECT k, (SELECT max(name) FROM u WHERE u.k = t.k) AS m, count(*) AS n FROM t WHERE v < 4 GROUP BY k",
    "k,m,n",
    [
      ["a", "A", 2],
      ["b", "B2", 1],
    ],
  ],
];

const LOOKUPS: typeof QUERIES = [
  [
    "SELECT (SELECT name FROM u WHERE k = 'd') AS a, (SELECT name FROM u WHERE k = 'zz') AS b",
    "a,b",
    [["D", null]],
  ],
  [
    "SELECT v, (SELECT name FROM u WHERE u.k = t.k) AS m FROM t WHERE k = 'a'",
    "v,m",
    [
      [1, "A"],
      [3, "A"],
    ],
  ],
  [
    "SELECT v, l.name FROM t, LATERAL (SELECT name FROM u WHERE u.k = t.k AND name > 'B') l",
    "v,name",
    [
      [2, "B2"],
      [6, "B2"],
    ],
  ],
  [
    "SELECT v, l.name FROM t LEFT JOIN LATERAL (SELECT name FROM u WHERE u.k = t.k AND name > 'B') l WHERE v < 3",
    "v,name",
    [
      [1, null],
      [2, "B2"],
    ],
  ],
];

for (const [sql, names, rows] of [...QUERIES, ...SUBQUERIES, ...LOOKUPS])
  test(sql, () => {
    const plan = planOf(sql);
    assert.equal(plan.output.map((a) => a.name).join(","), names);
    const analysed = evaluatePlan(plan, SOURCES);
    assert.ok(sameRows(analysed, rows, plan.output), `analysed: ${JSON.stringify(analysed)}`);
    const optimised = optimise(plan, { timeZone: "UTC" });
    assert.deepEqual(
      optimised.output.map((a) => a.id),
      plan.output.map((a) => a.id),
    );
    const again = evaluatePlan(optimised, SOURCES);
    assert.ok(sameRows(again, rows, plan.output), `optimised: ${JSON.stringify(again)}`);
  });

test("parameters are expressions", () => {
  const p = { kind: "literal", value: 2, type: { kind: "int" }, nullable: false } as const;
  assert.deepEqual(evaluatePlan(planOf("SELECT :p + 1 AS x", { parameters: { p } })), [[3]]);
});

test("a plan has the same ids whenever it is analysed", () => {
  const sql = "SELECT a.k, count(*) FROM t a JOIN u ON a.k = u.k GROUP BY a.k";
  assert.deepEqual(planOf(sql), planOf(sql));
});

test("a scalar subquery of several rows fails when it is reached", () => {
  for (const sql of [
    "SELECT (SELECT name FROM u WHERE k = 'b') AS m",
    "SELECT (SELECT name FROM u WHERE u.k = t.k) AS m FROM t",
  ]) {
    const plan = planOf(sql);
    for (const p of [plan, optimise(plan, { timeZone: "UTC" })])
      assert.throws(
        () => evaluatePlan(p),
        (e) => e instanceof ExecutionError && e.errorClass === "SCALAR_SUBQUERY_TOO_MANY_ROWS",
      );
  }
});
