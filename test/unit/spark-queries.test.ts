/** Rules of Spark's queries: [SQL, column names | rows, or { error class }]. Rows are cells joined by a space; NULL is null. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { MillraceError } from "../../src/core/errors.ts";
import { valueText } from "../../src/expr/value-text.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import { SqlSession } from "../../src/sql/session.ts";
import { TestCluster } from "../../src/testing/cluster.ts";

const cluster = new TestCluster({ compatibility: "spark" });
const session = new SqlSession({
  catalog: new SessionCatalog(),
  runtime: async () => (await cluster.node(0)).runtime,
  compatibility: "spark",
});

const SETUP = [
  "create temporary view pets as select * from values ('cat', 3, 1), ('dog', 5, 1), ('cow', 400, 2), ('cat', 4, null) as t(kind, kilos, home)",
  "create temporary view homes as select * from values (1, 'flat'), (2, 'farm'), (3, 'hut') as t(id, what)",
];
before(async () => {
  for (const sql of SETUP) await session.run(sql);
});
after(() => cluster.close());

const run = async (sql: string): Promise<string> => {
  const r = (await session.run(sql)).at(-1);
  if (r?.kind !== "rows") return "";
  const texts = r.schema.fields.map((f) => valueText(f.type, "UTC"));
  const rows = r.rows.map((row) => row.map((v, i) => (v === null ? "NULL" : texts[i]!(v))).join(" "));
  return `${r.schema.fields.map((f) => f.name).join(", ")} | ${rows.join("; ")}`;
};

type Case = readonly [sql: string, expected: string | { readonly error: string }];
const holds = async (cases: readonly Case[]): Promise<void> => {
  for (const [sql, expected] of cases) {
    if (typeof expected === "string") assert.equal(await run(sql), expected, sql);
    else
      await assert.rejects(
        run(sql),
        (e) => e instanceof MillraceError && (assert.equal(e.errorClass, expected.error, sql), true),
        sql,
      );
  }
};

test("ORDER BY sees the output first; what the output cannot answer is taken from the input", () =>
  holds([
    ["select kilos - 2 * kilos as kilos from pets order by kilos + 0", "kilos | -400; -5; -4; -3"],
    ["select kilos, 0 as kilos from pets order by kilos desc limit 2", "kilos, kilos | 400 0; 5 0"],
    ["select 1 as a, 2 as a order by a", { error: "AMBIGUOUS_REFERENCE" }],
    [
      "select 1 as kilos, 2 as kilos from pets group by all order by kilos",
      { error: "UNRESOLVED_COLUMN.WITH_SUGGESTION" },
    ],
    [
      "select array(kilos) as kind from pets where kilos < 5 group by kind, kilos order by kind[0]",
      "kind | [3]; [4]",
    ],
    ["select distinct kind as k from pets order by length(k), k desc", "k | dog; cow; cat"],
    [
      "select kind from pets order by kilos in (select id from homes)",
      { error: "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY" },
    ],
  ]));

test("HAVING sees grouping keys first, then the output; its condition is cast to boolean", () =>
  holds([
    ["select 7 as kilos from pets group by kind having kilos > 6", "kilos | 7; 7; 7"],
    ["select kind from pets group by kind having count(*) - 1", "kind | cat"],
    ["select 1 as x, 2 as x from pets group by all having x > 0", { error: "AMBIGUOUS_REFERENCE" }],
    [
      "select kind from pets p group by kind having exists (select 1 from homes where id = count(p.kilos)) order by kind",
      "kind | cat; cow; dog",
    ],
    [
      "select kind from pets p group by kind having exists (select 1 from homes where id > count(p.kilos) + 1)",
      "kind | dog; cow",
    ],
  ]));

test("behind a HAVING that needs more than is selected, ORDER BY sees output and grouping columns", () =>
  holds([
    ["select sum(kilos) s from pets group by kind having kind > 'cat' order by kind", "s | 400; 5"],
    [
      "select kind from pets group by kind having max(kilos) > 4 order by max(kind)",
      { error: "UNSUPPORTED_EXPR_FOR_OPERATOR" },
    ],
    [
      "select kind from pets group by kind having max(kilos) > 4 order by max(kilos)",
      { error: "UNRESOLVED_COLUMN.WITH_SUGGESTION" },
    ],
    [
      "select kind, max(kilos) from pets group by kind having max(kilos) > 4 order by max(kilos)",
      "kind, max(kilos) | dog 5; cow 400",
    ],
  ]));

test("GROUP BY takes the name of an item without an alias", () =>
  holds([
    [
      "select upper(kind) from pets where home = 1 group by `upper(kind)` order by 1",
      "upper(kind) | CAT; DOG",
    ],
  ]));

test("the name of a subquery lists its uses of the columns around; a lateral column shows what it belongs to", () =>
  holds([
    [
      "select (select max(what) from homes where id = p.home or p.kilos > 100) from pets p where home = 2",
      "scalarsubquery(home, kilos) | hut",
    ],
    [
      "select not exists (select 1 from homes where id = home) from pets where home = 2",
      "(NOT exists(home)) | false",
    ],
    ["select v from pets, lateral (select kilos + 1) l(v) where home = 2", "v | 401"],
    ["select * from (select 1 a) t, lateral (select a + 1, a)", "a, (outer(t.a) + 1), a | 1 2 1"],
  ]));

test("a subquery in the condition of an outer, semi or anti join is a column of the side it uses", () =>
  holds([
    [
      "select id, kind from homes left join pets on id = home and exists (select 1 from homes h where h.id + 2 = kilos) order by id, kind",
      "id, kind | 1 cat; 1 dog; 2 NULL; 3 NULL",
    ],
    ["select id from homes left anti join pets on id = home and id in (select 2) order by id", "id | 1; 3"],
    [
      "select id, kind from homes full join pets on id = home and what not in (select 'flat') order by id, kind",
      "id, kind | NULL cat; NULL cat; NULL dog; 1 NULL; 2 cow; 3 NULL",
    ],
    [
      "select id from homes left join pets on exists (select 1 from homes h where h.id = home and h.what = homes.what)",
      {
        error: "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_EXPRESSION_IN_JOIN_CONDITION",
      },
    ],
  ]));

test("an equality on a function of a column does not group the subquery by the column", () =>
  holds([
    [
      "select what, (select count(*) from pets where substring(kind, 1, 1) = lower(x)) n from (select what, 'C' x from homes where id = 1)",
      "what, n | flat 3",
    ],
  ]));

test("stars: EXCEPT leaves out fields, a lateral query takes those of the tables around, WHERE expands them in calls", () =>
  holds([
    ["select * except (s.a) from (select 1 id, named_struct('a', 1, 'b', 2) s)", "id, s | 1 {2}"],
    [
      "select s.* except (b.c) from (select named_struct('a', 1, 'b', named_struct('c', 2, 'd', 3)) s)",
      "a, b | 1 {3}",
    ],
    ["select * except (h.id) from homes h where id = 1", "what | flat"],
    ["select * except (id, id) from homes", { error: "EXCEPT_OVERLAPPING_COLUMNS" }],
    ["select l.* from homes, lateral (select homes.*) l where l.id = 2", "id, what | 2 farm"],
    ["select id from homes where concat(*) = '3hut'", "id | 3"],
    ["select count(distinct *) from (values (1, 2), (1, 2), (1, 3))", "count(DISTINCT col1, col2) | 2"],
  ]));

test("pipe operators see the output before them, and only it", () =>
  holds([
    ["from pets |> aggregate sum(kilos) s group by 1 |> order by kind", "kind, s | cat 7; cow 400; dog 5"],
    ["from pets |> select kind |> order by kilos", { error: "UNRESOLVED_COLUMN.WITH_SUGGESTION" }],
    ["from pets |> extend sum(kilos)", { error: "PIPE_OPERATOR_CONTAINS_AGGREGATE_FUNCTION" }],
    [
      "from pets |> aggregate kind group by kind",
      { error: "PIPE_OPERATOR_AGGREGATE_EXPRESSION_CONTAINS_NO_AGGREGATE_FUNCTION" },
    ],
    ["from pets |> set colour = 1", { error: "UNRESOLVED_COLUMN.WITH_SUGGESTION" }],
    ["from pets |> drop colour", { error: "UNRESOLVED_COLUMN.WITH_SUGGESTION" }],
  ]));

test("a recursion ends where a LIMIT has its rows", () =>
  holds([
    [
      "with recursive r(n) as (values 1 union all select n + 1 from r) select n * 2 m from r limit 3 offset 1",
      "m | 4; 6; 8",
    ],
    [
      "with recursive r(n) as (values 1 union all select n + 1 from r) select n from r where n > 0 limit 3",
      { error: "RECURSION_LEVEL_LIMIT_EXCEEDED" },
    ],
  ]));
