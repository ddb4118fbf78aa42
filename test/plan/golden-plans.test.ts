/** Every recorded batch query and script analysed: names, types and error classes; its rows by the plain evaluator, before and after optimising. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { typeName } from "../../src/core/data-type.ts";
import { MillraceError } from "../../src/core/errors.ts";
import { analyse } from "../../src/plan/analyse.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import type { LogicalPlan } from "../../src/plan/logical.ts";
import { optimise } from "../../src/plan/optimise.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { rowsDifference, toGolden } from "../golden/values.ts";
import { evaluatePlan } from "../support/plan-evaluator.ts";
import { OPTIONS } from "../support/plans.ts";

interface Query {
  readonly sql: string;
  readonly names?: readonly string[];
  readonly types?: readonly string[];
  readonly rows?: readonly (readonly unknown[])[];
  readonly error?: string;
}

const read = <T>(name: string): T =>
  JSON.parse(readFileSync(new URL(`../golden/cases/${name}.json`, import.meta.url), "utf8")) as T;

const VIEW = /^CREATE (?:OR REPLACE )?TEMP(?:ORARY)? VIEW (\w+) AS (.*)$/s;

const define = (catalog: SessionCatalog, sql: string): void => {
  const [, name, query] = VIEW.exec(sql)!;
  catalog.define({ name: name!, kind: "view", relation: parseQuery(query!) }, true);
};

const rowsOf = (plan: LogicalPlan): readonly unknown[] =>
  evaluatePlan(plan).map((r) => r.map((v, i) => toGolden(v, plan.output[i]!.type)));

const check = (catalog: SessionCatalog, q: Query): void => {
  const analysed = (): LogicalPlan =>
    analyse(parseQuery(q.sql), catalog, { ...OPTIONS, compatibility: "spark" });
  if (q.error !== undefined)
    return assert.throws(
      () => rowsOf(analysed()),
      (e) => e instanceof MillraceError && e.errorClass === q.error,
      q.sql,
    );
  const plan = analysed();
  assert.deepEqual(
    plan.output.map((a) => a.name),
    q.names,
    q.sql,
  );
  assert.deepEqual(
    plan.output.map((a) => typeName(a.type)),
    q.types,
    q.sql,
  );
  const ordered = /ORDER BY[^()]*$/i.test(q.sql);
  for (const p of [plan, optimise(plan, { timeZone: "UTC" })])
    assert.equal(rowsDifference(rowsOf(p), q.rows!, ordered), undefined, q.sql);
};

const queries = read<{ readonly tables: Record<string, string>; readonly queries: readonly Query[] }>(
  "queries",
);

test(`${queries.queries.length} recorded queries`, async (t) => {
  const catalog = new SessionCatalog();
  for (const ddl of Object.values(queries.tables)) define(catalog, ddl);
  for (const q of queries.queries) await t.test(q.sql, () => check(catalog, q));
});

const { scripts } = read<{
  readonly scripts: readonly { readonly name: string; readonly statements: readonly Query[] }[];
}>("scripts");

for (const script of scripts)
  test(`script ${script.name}`, async (t) => {
    const catalog = new SessionCatalog();
    for (const q of script.statements)
      if (VIEW.test(q.sql)) define(catalog, q.sql);
      else await t.test(q.sql, () => check(catalog, q));
  });
