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
