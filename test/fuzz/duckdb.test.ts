/**
 * Random queries give the rows that DuckDB gives, as multisets. MILLRACE_SEED and MILLRACE_COUNT or MILLRACE_SECONDS choose the run.
 *
 * D1  Where they differ, DuckDB is asked again without its optimiser: what it then gives as we do was its own mistake, and is counted.
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { DuckDBInstance, type DuckDBConnection } from "@duckdb/node-api";
import { ExecutionError } from "../../src/core/errors.ts";
import { javaDecimalString } from "../../src/expr/decimal.ts";
import { formatDate } from "../../src/expr/time/calendar.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import type { Schema } from "../../src/core/schema.ts";
import type { Value } from "../../src/core/value.ts";
import { rowsDifference } from "../golden/values.ts";
import { budget, Random, seedOfRun } from "./random.ts";
import type { Column } from "./sql-expressions.ts";
import { Queries, type Query, randomTable, type Table } from "./sql-queries.ts";

const integer = (v: number | bigint): unknown =>
  Number.isSafeInteger(Number(v)) ? Number(v) : { digits: String(v) };

const ours = (schema: Schema, row: readonly Value[]): unknown[] =>
  row.map((v, i) => {
    const { type } = schema.fields[i]!;
    if (v === null) return null;
    if (type.kind === "date") return formatDate(v as number);
    if (type.kind === "decimal") return Number(javaDecimalString(v as bigint, type.scale));
    return type.kind === "long" ? integer(v as number | bigint) : (v as unknown);
  });

/** Dates as text and timestamps as milliseconds, whatever the client makes of them. */
const readable = (c: Column): string => {
  if (c.kind === "date") return `CAST(${c.name} AS VARCHAR)`;
  if (c.kind === "timestamp") return `epoch_ms(${c.name})`;
  return c.kind === "decimal" ? `CAST(${c.name} AS DOUBLE)` : c.name;
};

const theirs = async (duck: DuckDBConnection, query: Query): Promise<unknown[][]> => {
  const names = query.columns.map((c) => c.name).join(", ");
  const sql = `SELECT ${query.columns.map(readable).join(", ")} FROM (${query.duck}) AS result(${names})`;
  const rows = (await duck.runAndReadAll(sql)).getRowsJS();
  return rows.map((r) => r.map((v) => (typeof v === "bigint" ? integer(v) : (v as unknown))));
};

const prepare = async (
  duck: DuckDBConnection,
  catalog: SessionCatalog,
  tables: readonly Table[],
): Promise<void> => {
  for (const t of tables) {
    catalog.define({ name: t.name, kind: "view", relation: parseQuery(t.definition.spark) }, true);
    await duck.run(`CREATE OR REPLACE TABLE ${t.name} AS ${t.definition.duck}`);
  }
};

/** DuckDB without its optimiser. */
const unoptimised = async (duck: DuckDBConnection, query: Query): Promise<unknown[][]> => {
  await duck.run("PRAGMA disable_optimizer");
  try {
    return await theirs(duck, query);
  } finally {
    await duck.run("PRAGMA enable_optimizer");
  }
};

const connect = async (): Promise<DuckDBConnection> => (await DuckDBInstance.create(":memory:")).connect();

test("random queries agree with DuckDB", async () => {
  const seed = seedOfRun();
  const more = budget();
  const cluster = new TestCluster({ compatibility: "spark" });
  const { runtime } = await cluster.node(0);
  let duck = await connect();
  let [done, refused, mistaken] = [0, 0, 0];
  for (; more(done); done++) {
    const r = new Random(seed + done);
    const catalog = new SessionCatalog();
    const tables = ["ta", "tb", "tc"].map((name) => randomTable(r, name));
    await prepare(duck, catalog, tables);
    const queries = new Queries(r, tables);
    for (let i = 0; i < 4; i++) {
      const query = queries.query(2);
      const shown = `MILLRACE_SEED=${seed + done} MILLRACE_COUNT=1, query ${i}\n${tables.map((t) => `${t.name}: ${t.definition.spark}`).join("\n")}\n${query.spark}\nDuckDB: ${query.duck}`;
      let expected: unknown[][];
      try {
        expected = await theirs(duck, query);
      } catch (e) {
        refused++;
        // After an internal error DuckDB takes no more queries.
        if (String(e).includes("INTERNAL Error")) {
          duck = await connect();
          await prepare(duck, catalog, tables);
        }
        if (process.env["MILLRACE_SHOW_REFUSED"]) process.stdout.write(`${String(e)}\n${query.duck}\n`);
        continue;
      }
      const { schema, rows } = await runtime.collect(parseQuery(query.spark), catalog).catch((e: unknown) => {
        const kind = e instanceof ExecutionError ? "failed" : "refused";
        throw new Error(`${kind}: ${String(e)}\n${shown}`, { cause: e });
      });
      const mine = rows.map((row) => ours(schema, row));
      const difference = rowsDifference(mine, expected, false);
      if (
        difference !== undefined &&
        rowsDifference(mine, await unoptimised(duck, query), false) === undefined
      ) {
        mistaken++;
        continue;
      }
      assert.equal(difference, undefined, `${difference}\n${shown}`);
    }
  }
  process.stdout.write(
    `# seed ${seed}: ${done} cases of 4 queries, ${refused} queries DuckDB refused, ${mistaken} it answered otherwise without its optimiser\n`,
  );
  assert.ok(refused <= done, "most queries must run in both engines");
  await cluster.close();
});
