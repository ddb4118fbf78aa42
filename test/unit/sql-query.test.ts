/** Queries: clauses, joins, set operations, WITH, grouping, pivots and pipes. Each line is a text and the outline of its tree. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { parseQuery } from "../../src/sql/parser.ts";
import { outline } from "../support/sql-outline.ts";

const check = (cases: readonly (readonly [string, string])[]): void => {
  for (const [text, expected] of cases) assert.equal(outline(parseQuery(text)), expected, text);
};

test("the clauses of SELECT nest in the order of their meaning", () => {
  check([
    ["SELECT 1", "select[1:int](one)"],
    ["select distinct a, b c from t where a > 1;", "select[distinct a, b as c](filter[(> a 1:int)](t))"],
    [
      "SELECT k, count(*) AS n FROM t GROUP BY k HAVING n > 1 ORDER BY n DESC NULLS FIRST, k LIMIT 3 OFFSET 1",
      "limit[3:int 1:int](sort[n desc nf, k nf](select[k, (count 1:int) as n; by k; having (> n 1:int)](t)))",
    ],
    ["SELECT /*+ BROADCAST(t) */ a -- c\nFROM /* x /* y */ z */ t", "select[a](t)"],
    ["SELECT all a FROM t LIMIT ALL OFFSET 2", "limit[- 2:int](select[a](t))"],
    ["SELECT a FROM t ORDER BY ALL DESC", "sort[all ALL desc nl](select[a](t))"],
    ["SELECT a FROM t SORT BY a", "sort[a nf](select[a](t))"],
    ["SELECT a FROM t DISTRIBUTE BY a", "select[a](t)"],
    [
      "SELECT sum(v) OVER w FROM t WINDOW w AS (PARTITION BY k)",
      "select[over{(sum v); window=w}; window w=over{null:void; by k}](t)",
    ],
    ["TABLE a.b", "a.b"],
    ["(SELECT 1)", "select[1:int](one)"],
    ["FROM t SELECT a WHERE b", "select[a](filter[b](t))"],
    ["SELECT end, order FROM t", "select[end, order](t)"],
  ]);
});

test("relations: names, aliases, subqueries, VALUES, functions, samples", () => {
  check([
    ["SELECT * FROM `a.b`.c AS t(x, y)", "select[*](as[t(x,y)](a.b.c))"],
    ["SELECT * FROM (SELECT 1 AS a) s", "select[*](as[s](select[1:int as a](one)))"],
    [
      "SELECT * FROM VALUES (1, 'a'), (2, 'b') AS v(i, s)",
      "select[*](as[v(i,s)](values[(1:int, 'a':string) (2:int, 'b':string)]))",
    ],
    ["VALUES 1, (2)", "values[(1:int) (2:int)]"],
    ["SELECT * FROM range(1, 10) r", "select[*](as[r](range[1:int, 10:int]))"],
    ["SELECT * FROM explode(array(1)) AS e(x)", "select[*](generate[(explode (array 1:int)) e(x)](one))"],
    ["SELECT * FROM t TABLESAMPLE (10 PERCENT) REPEATABLE (7) s", "select[*](as[s](sample[0.1 7](t)))"],
    ["SELECT * FROM t TABLESAMPLE (5 ROWS)", "select[*](limit[5:int -](t))"],
    [
      "SELECT * FROM STREAM(t) WATERMARK ts DELAY OF INTERVAL 2 SECONDS s",
      "select[*](as[s](watermark[ts 2000](t)))",
    ],
    ["SELECT * FROM IDENTIFIER('a.t')", "select[*](a.t)"],
    ["SELECT * FROM __proto__", "select[*](__proto__)"],
  ]);
});

test("joins of every kind are left-associative", () => {
  check([
    ["SELECT * FROM a, b, c", "select[*](join[inner](join[inner](a, b), c))"],
    [
      "SELECT * FROM a JOIN b ON x = y LEFT JOIN c USING (k, l)",
      "select[*](join[left using k,l](join[inner on (= x y)](a, b), c))",
    ],
    ["SELECT * FROM a RIGHT OUTER JOIN b ON true", "select[*](join[right on true:boolean](a, b))"],
    ["SELECT * FROM a FULL OUTER JOIN b ON c", "select[*](join[full on c](a, b))"],
    [
      "SELECT * FROM a LEFT SEMI JOIN b ON c ANTI JOIN d ON e",
      "select[*](join[anti on e](join[semi on c](a, b), d))",
    ],
    ["SELECT * FROM a CROSS JOIN b", "select[*](join[cross](a, b))"],
    ["SELECT * FROM a NATURAL LEFT JOIN b", "select[*](join[natural left](a, b))"],
    ["SELECT * FROM a JOIN (b JOIN c ON d) ON e", "select[*](join[inner on e](a, join[inner on d](b, c)))"],
    ["SELECT * FROM a, LATERAL (SELECT a.x) l", "select[*](join[inner lateral](a, as[l](select[a.x](one))))"],
    [
      "SELECT * FROM a LEFT JOIN LATERAL explode(a.xs) e(x)",
      "select[*](join[left lateral](a, generate[(explode a.xs) e(x)](one)))",
    ],
    ["SELECT * FROM ((SELECT 1) x JOIN b)", "select[*](join[inner](as[x](select[1:int](one)), b))"],
    [
      "SELECT * FROM t LATERAL VIEW OUTER explode(xs) v AS e WHERE e",
      "select[*](filter[e](generate[outer (explode xs) v(e)](t)))",
    ],
    [
      "SELECT * FROM t LATERAL VIEW posexplode(xs) v AS p, e",
      "select[*](generate[(posexplode xs) v(p,e)](t))",
    ],
  ]);
});

test("INTERSECT binds tighter than UNION and EXCEPT; ORDER BY belongs to the whole", () => {
  check([
    [
      "SELECT 1 UNION SELECT 2 INTERSECT SELECT 3",
      "union(select[1:int](one), intersect(select[2:int](one), select[3:int](one)))",
    ],
    [
      "SELECT 1 UNION ALL SELECT 2 MINUS SELECT 3",
      "except(unionAll(select[1:int](one), select[2:int](one)), select[3:int](one))",
    ],
    [
      "SELECT a FROM t EXCEPT ALL (SELECT b FROM u LIMIT 1) ORDER BY a",
      "sort[a nf](exceptAll(select[a](t), limit[1:int -](select[b](u))))",
    ],
    ["SELECT * EXCEPT (a) FROM t EXCEPT (SELECT 1)", "except(select[*-{a}](t), select[1:int](one))"],
  ]);
});

test("WITH, recursive and with columns", () => {
  check([
    [
      "WITH a AS (SELECT 1), b(x) AS (TABLE a) SELECT * FROM b",
      "with[a=select[1:int](one); b(x)=a](select[*](b))",
    ],
    [
      "WITH RECURSIVE r(n) AS (VALUES 1 UNION ALL SELECT n + 1 FROM r) TABLE r",
      "with recursive[r(n)=unionAll(values[(1:int)], select[(+ n 1:int)](r))](r)",
    ],
    ["WITH t (SELECT 1) TABLE t", "with[t=select[1:int](one)](t)"],
    ["SELECT * FROM (WITH a AS (SELECT 1) TABLE a) b", "select[*](as[b](with[a=select[1:int](one)](a)))"],
  ]);
});

test("GROUP BY expands grouping sets", () => {
  const by = (text: string): string =>
    /by (.*)\]\(t\)$/.exec(outline(parseQuery(`SELECT 1 FROM t GROUP BY ${text}`)))![1]!;
  assert.equal(by("a, b"), "a, b");
  assert.equal(by("ALL"), "all");
  assert.equal(by("all, b"), "all, b");
  assert.equal(by("ROLLUP (a, b)"), "sets(a, b: {a,b} {a} {})");
  assert.equal(by("CUBE (a, b)"), "sets(a, b: {a,b} {a} {b} {})");
  assert.equal(by("a, b WITH ROLLUP"), "sets(a, b: {a,b} {a} {})");
  assert.equal(by("a, b WITH CUBE"), "sets(a, b: {a,b} {a} {b} {})");
  assert.equal(by("GROUPING SETS ((a, b), A, ())"), "sets(a, b: {a,b} {A} {})");
  assert.equal(by("a, b GROUPING SETS ((a), (b))"), "sets(a, b: {a} {b})");
  assert.equal(by("a, ROLLUP ((b, c), d)"), "sets(a, b, c, d: {a,b,c,d} {a,b,c} {a})");
  assert.equal(by("GROUPING SETS (ROLLUP (a), b)"), "sets(a, b: {a} {} {b})");
  assert.throws(
    () => by(`CUBE (${Array.from({ length: 30 }, (_, i) => `c${i}`).join()})`),
    /more than 4096 grouping sets/,
  );
});

test("PIVOT and UNPIVOT", () => {
  check([
    [
      "SELECT * FROM t PIVOT (sum(v) AS s, count(*) FOR k IN ('a' AS x, 'b'))",
      "select[*](pivot[(sum v) as s, (count 1:int) for k in 'a':string as x, 'b':string](t))",
    ],
    [
      "SELECT * FROM t PIVOT (sum(v) FOR (a, b) IN ((1, 2) AS c))",
      "select[*](pivot[(sum v) for a, b in (struct 1:int 2:int) as c](t))",
    ],
    [
      "SELECT * FROM t UNPIVOT (v FOR n IN (a AS x, b)) u",
      "select[*](as[u](unpivot[v for n in a as x, b](t)))",
    ],
    [
      "SELECT * FROM t UNPIVOT INCLUDE NULLS ((v, w) FOR n IN ((a, b), (c, d) AS y))",
      "select[*](unpivot[nulls v+w for n in a+b, c+d as y](t))",
    ],
  ]);
});

test("pipes make one relation over the other", () => {
  check([
    ["FROM t", "t"],
    ["FROM t |> WHERE a |> SELECT b, c AS d", "select[b, c as d](filter[a](t))"],
    [
      "TABLE t |> EXTEND a + 1 AS b |> SET a = 1, c = a |> DROP d, e",
      "drop[d,e](with[c=a](with[a=1:int](select[*, (+ a 1:int) as b](t))))",
    ],
    [
      "FROM t |> AGGREGATE sum(v) AS s GROUP BY k, f(x) AS y",
      "select[k, (f x) as y, (sum v) as s; by k, (f x)](t)",
    ],
    ["FROM t |> AGGREGATE count(*)", "select[(count 1:int); by ](t)"],
    [
      "FROM t |> AS u |> JOIN v ON u.k = v.k |> ORDER BY k |> LIMIT 2 OFFSET 1",
      "limit[2:int 1:int](sort[k nf](join[inner on (= u.k v.k)](as[u](t), v)))",
    ],
    [
      "FROM t |> UNION ALL (SELECT 1) |> INTERSECT VALUES 1",
      "intersect(unionAll(t, select[1:int](one)), values[(1:int)])",
    ],
    ["SELECT 1 UNION SELECT 2 |> LIMIT 1", "limit[1:int -](union(select[1:int](one), select[2:int](one)))"],
    [
      "FROM t |> TABLESAMPLE (50 PERCENT) |> PIVOT (sum(v) FOR k IN (1))",
      "pivot[(sum v) for k in 1:int](sample[0.5 0](t))",
    ],
    ["SELECT * FROM (FROM t |> WHERE a) s", "select[*](as[s](filter[a](t)))"],
  ]);
});
