/** Runs expressions.json, queries.json and scripts.json: batch, in process. */
import { typeName } from "../../src/core/data-type.ts";
import { MillraceError } from "../../src/core/errors.ts";
import { SessionCatalog } from "../../src/plan/catalog.ts";
import type { Relation } from "../../src/plan/relation.ts";
import { parseQuery } from "../../src/sql/parser.ts";
import { SqlSession } from "../../src/sql/session.ts";
import type { QueryRuntime } from "../../src/query/query-runtime.ts";
import { TestCluster } from "../../src/testing/cluster.ts";
import { equalValues, rowsDifference, toGolden } from "./values.ts";

export interface ExpressionCase {
  readonly category: string;
  readonly sql: string;
  readonly type?: string;
  readonly value?: unknown;
  readonly error?: string;
}
export interface QueryCase {
  readonly sql: string;
  readonly types?: readonly string[];
  readonly names?: readonly string[];
  readonly rows?: readonly (readonly unknown[])[];
  readonly error?: string;
  readonly message?: string;
}

export class BatchSession {
  readonly catalog = new SessionCatalog();
  readonly #cluster = new TestCluster({ compatibility: "spark" });
  readonly #sql = new SqlSession({
    catalog: this.catalog,
    runtime: async () => (await this.#cluster.node(0)).runtime,
    compatibility: "spark",
  });
  #runtime: QueryRuntime | undefined;

  async #run(relation: Relation): Promise<Awaited<ReturnType<QueryRuntime["collect"]>>> {
    this.#runtime ??= (await this.#cluster.node(0)).runtime;
    return this.#runtime.collect(relation, this.catalog);
  }

  async expression(c: ExpressionCase): Promise<string | undefined> {
    try {
      const { schema, rows } = await this.#run(parseQuery(`SELECT ${c.sql} AS r`));
      const { type } = schema.fields[0]!;
      const value = toGolden(rows[0]![0]!, type);
      if (c.error !== undefined) return `  gave ${JSON.stringify(value)}, Spark ${c.error}`;
      if (typeName(type) !== c.type) return `  type ${typeName(type)}, Spark's ${c.type}`;
      return equalValues(value, c.value)
        ? undefined
        : `  ${JSON.stringify(value)}, Spark ${JSON.stringify(c.value)}`;
    } catch (e) {
      return failure(e, c.error, c.value);
    }
  }

  /** One statement or query, by the executor of SQL sessions. */
  async statement(c: QueryCase): Promise<string | undefined> {
    try {
      const [result] = await this.#sql.run(c.sql);
      if (result?.kind !== "rows") return c.error === undefined ? undefined : `  accepted, Spark ${c.error}`;
      const { schema, rows } = result;
      if (c.error !== undefined) return `  gave ${rows.length} rows, Spark ${c.error}`;
      if (c.rows === undefined) return undefined;
      return this.#compare(
        c,
        schema.fields.map((f) => [f.name, typeName(f.type)]),
        rows.map((r) => r.map((v, i) => toGolden(v, schema.fields[i]!.type))),
      );
    } catch (e) {
      return failure(e, c.error, c.rows);
    }
  }

  #compare(
    c: QueryCase,
    columns: readonly (readonly string[])[],
    rows: readonly (readonly unknown[])[],
  ): string | undefined {
    const names = columns.map(([n]) => n);
    const types = columns.map(([, t]) => t);
    if (JSON.stringify(names) !== JSON.stringify(c.names))
      return `  names ${names.join(", ")}, Spark's ${c.names?.join(", ")}`;
    if (JSON.stringify(types) !== JSON.stringify(c.types))
      return `  types ${types.join(", ")}, Spark's ${c.types?.join(", ")}`;
    return rowsDifference(rows, c.rows ?? [], endsOrdered(c.sql));
  }

  close(): Promise<void> {
    return this.#cluster.close();
  }
}

/** Whether the query ends in ORDER BY (and maybe LIMIT) outside of brackets. */
const endsOrdered = (sql: string): boolean => /\border\s+by\b(?![^()]*\))/i.test(sql);

const failure = (e: unknown, error: string | undefined, wanted: unknown): string | undefined => {
  const text = e instanceof MillraceError ? (e.errorClass ?? e.name) : "";
  if (
    error !== undefined &&
    (text === error || (error === "ParseException" && text === "PARSE_SYNTAX_ERROR"))
  )
    return undefined;
  const shown =
    e instanceof MillraceError
      ? `${text}: ${e.message.slice(0, 300)}`
      : e instanceof Error
        ? (e.stack ?? e.message)
        : String(e);
  return error === undefined
    ? `  failed with ${shown}\n  Spark: ${JSON.stringify(wanted)?.slice(0, 300)}`
    : `  failed with ${shown}\n  Spark with ${error}`;
};
