/**
 * Random queries over random tables, each in both dialects (Spark's and DuckDB's), with the kinds of their columns.
 *
 * Q1  A query's rows do not depend on an order that it does not say: LIMIT, ranks and frames sort by all columns.
 * Q2  Nulls are placed by every ORDER BY: the two engines place them differently.
 */
import type { Random } from "./random.ts";
import {
  type Column,
  DUCK_TYPES,
  Expressions,
  KINDS,
  type Kind,
  literalText,
  same,
  SPARK_TYPES,
  type Sql,
} from "./sql-expressions.ts";

export interface Table {
  readonly name: string;
  readonly columns: readonly Column[];
  /** What makes it: `CREATE TABLE … AS` in DuckDB, a view here. */
  readonly definition: Sql;
}
export interface Query extends Sql {
  readonly columns: readonly Column[];
}

export const randomTable = (r: Random, name: string): Table => {
  const columns = [
    { name: "k", kind: "int" as const },
    ...r.many(2, 5, (i): Column => ({ name: `c${i}`, kind: r.pick(KINDS) })),
  ];
  const count = r.chance(0.05) ? 0 : r.int(1, 14);
  const row = (): string =>
    `(${columns.map((c) => (c.name === "k" && r.chance(0.9) ? String(r.int(0, 4)) : literalText(r, c.kind))).join(", ")})`;
  const rows = Array.from({ length: Math.max(1, count) }, row).join(", ");
  const select = (types: Readonly<Record<Kind, string>>): string =>
    `SELECT ${columns.map((c) => `CAST(${c.name} AS ${types[c.kind]}) AS ${c.name}`).join(", ")} ` +
    `FROM (VALUES ${rows}) AS v(${columns.map((c) => c.name).join(", ")})${count === 0 ? " WHERE false" : ""}`;
  return { name, columns, definition: { spark: select(SPARK_TYPES), duck: select(DUCK_TYPES) } };
};

const join = (parts: readonly Sql[], separator: string): Sql => ({
  spark: parts.map((p) => p.spark).join(separator),
  duck: parts.map((p) => p.duck).join(separator),
});
const text = (strings: TemplateStringsArray, ...parts: readonly (Sql | string)[]): Sql => {
  const build = (dialect: "spark" | "duck"): string =>
    strings.reduce((out, s, i) => {
      const p = parts[i - 1]!;
      return out + (typeof p === "string" ? p : p[dialect]) + s;
    });
  return { spark: build("spark"), duck: build("duck") };
};

/** `AS name` of each column. */
const listed = (items: readonly (Sql & { readonly name: string })[]): Sql =>
  join(
    items.map((i) => text`${i} AS ${i.name}`),
    ", ",
  );

interface From {
  readonly sql: Sql;
  readonly columns: readonly Column[];
}

export class Queries {
  readonly #r: Random;
  readonly #tables: readonly Table[];
  #aliases = 0;

  constructor(random: Random, tables: readonly Table[]) {
    this.#r = random;
    this.#tables = tables;
  }

  query(depth: number): Query {
    if (depth > 0 && this.#r.chance(0.15)) return this.#setOperation(depth - 1);
    if (depth > 0 && this.#r.chance(0.08)) return this.#common(depth - 1);
    const made = [this.#plain, this.#grouped, this.#windowed, this.#distinct];
    const query = this.#r.pick(made).call(this, depth);
    return this.#r.chance(0.25) ? this.#limited(query) : query;
  }

  #alias(): string {
    return `t${this.#aliases++}`;
  }

  #expressions(columns: readonly Column[]): Expressions {
    return new Expressions(this.#r, columns);
  }

  #relation(depth: number): From {
    const alias = this.#alias();
    const inside = depth > 0 && this.#r.chance(0.3) ? this.query(depth - 1) : undefined;
    const columns = inside?.columns ?? undefined;
    const table = this.#r.pick(this.#tables);
    const sql = inside === undefined ? same(`${table.name} AS ${alias}`) : text`(${inside}) AS ${alias}`;
    const qualified = (columns ?? table.columns).map((c) => ({ ...c, name: `${alias}.${c.name}` }));
    return { sql, columns: qualified };
  }

  /** One relation, or a join of two or three. */
  #from(depth: number): From {
    let left = this.#relation(depth);
    const joins = this.#r.pick([0, 0, 0, 1, 1, 2]);
    for (let i = 0; i < joins; i++) left = this.#join(left, this.#relation(depth - 1));
    return left;
  }

  #join(left: From, right: From): From {
    const how = this.#r.pick(["INNER", "INNER", "LEFT", "RIGHT", "FULL", "SEMI", "ANTI", "CROSS"]);
    const columns = how === "SEMI" || how === "ANTI" ? left.columns : [...left.columns, ...right.columns];
    if (how === "CROSS") return { sql: text`${left.sql} CROSS JOIN ${right.sql}`, columns };
    const on = this.#joinCondition(left.columns, right.columns, how);
    const word = how === "SEMI" || how === "ANTI" ? { spark: `LEFT ${how}`, duck: how } : same(how);
    return { sql: text`${left.sql} ${word} JOIN ${right.sql} ON ${on}`, columns };
  }

  #joinCondition(left: readonly Column[], right: readonly Column[], how: string): Sql {
    const l = this.#r.pick(left);
    const match = right.filter((c) => c.kind === l.kind);
    const equal = match.length === 0 ? same("1 = 1") : same(`${l.name} = ${this.#r.pick(match).name}`);
    if (how !== "INNER" || this.#r.chance(0.7)) return equal;
    return text`${equal} AND ${this.#expressions([...left, ...right]).condition(1)}`;
  }

  #where(from: From, depth: number): Sql {
    if (this.#r.chance(0.4)) return same("");
    if (depth > 0 && this.#r.chance(0.3)) return text` WHERE ${this.#subqueryCondition(from)}`;
    return text` WHERE ${this.#expressions(from.columns).condition(2)}`;
  }

  #subqueryCondition(from: From): Sql {
    const table = this.#r.pick(this.#tables);
    const alias = this.#alias();
    const c = this.#r.pick(from.columns);
    const found = table.columns.filter((x) => x.kind === c.kind);
    const inner = found.length === 0 ? undefined : `${alias}.${this.#r.pick(found).name}`;
    const not = this.#r.pick(["", "NOT "]);
    if (inner === undefined || this.#r.chance(0.2)) {
      const fn = this.#r.pick(["max", "min", "count"]);
      const k = from.columns.find((x) => x.kind === "int");
      return same(`${k?.name ?? "1"} <= (SELECT ${fn}(${alias}.k) FROM ${table.name} AS ${alias})`);
    }
    if (this.#r.chance(0.5))
      return same(`${c.name} ${not}IN (SELECT ${inner} FROM ${table.name} AS ${alias})`);
    return same(`${not}EXISTS (SELECT 1 FROM ${table.name} AS ${alias} WHERE ${inner} = ${c.name})`);
  }

  #items(columns: readonly Column[], low: number, high: number): (Sql & Column)[] {
    const e = this.#expressions(columns);
    return this.#r.many(low, high, (i) => {
      const kind = e.kind();
      return { ...e.of(kind, 3), name: `r${i}`, kind };
    });
  }

  #plain(depth: number): Query {
    const from = this.#from(depth);
    const items = this.#items(from.columns, 1, 4);
    return { ...text`SELECT ${listed(items)} FROM ${from.sql}${this.#where(from, depth)}`, columns: items };
  }

  #distinct(depth: number): Query {
    const from = this.#from(depth);
    const items = this.#items(from.columns, 1, 2);
    return {
      ...text`SELECT DISTINCT ${listed(items)} FROM ${from.sql}${this.#where(from, depth)}`,
      columns: items,
    };
  }

  #aggregate(columns: readonly Column[]): Sql & { readonly kind: Kind } {
    const e = this.#expressions(columns);
    const filter = this.#r.chance(0.15) ? text` FILTER (WHERE ${e.condition(1)})` : same("");
    const distinct = this.#r.chance(0.15) ? "DISTINCT " : "";
    switch (this.#r.int(0, 7)) {
      case 0:
        return { ...text`count(*)${filter}`, kind: "long" };
      case 1:
        return { ...text`count(${distinct}${e.of(e.kind(), 1)})${filter}`, kind: "long" };
      case 2: {
        const x = e.of("int", 1);
        const spark = text`sum(${distinct}${x})${filter}`;
        return { spark: spark.spark, duck: `CAST(${spark.duck} AS BIGINT)`, kind: "long" };
      }
      case 3:
        return { ...text`sum(${e.leaf("double")})${filter}`, kind: "double" };
      case 4:
        return { ...text`avg(${distinct}${e.of("int", 1)})${filter}`, kind: "double" };
      case 5: {
        const kind = e.kind();
        return { ...text`${this.#r.pick(["min", "max"])}(${e.of(kind, 1)})${filter}`, kind };
      }
      case 6:
        return {
          ...text`${this.#r.pick(["bool_and", "bool_or"])}(${e.of("boolean", 1)})${filter}`,
          kind: "boolean",
        };
      default:
        return { ...text`${this.#r.pick(["var_pop", "stddev_samp"])}(${e.of("int", 1)})`, kind: "double" };
    }
  }

  #grouped(depth: number): Query {
    const from = this.#from(depth);
    const keys = this.#items(from.columns, 0, 2).map((k, i) => ({ ...k, name: `g${i}` }));
    const made = this.#r.many(1, 3, (i) => ({ ...this.#aggregate(from.columns), name: `a${i}` }));
    const by = this.#groupBy(keys);
    // Without rows Spark's grouping sets give none, not even the total of the empty set.
    const sets = by.spark.includes("ROLLUP") || by.spark.includes("CUBE");
    const having = this.#r.chance(0.25) || sets ? same(` HAVING count(*) > ${sets ? 0 : 1}`) : same("");
    const sql = text`SELECT ${listed([...keys, ...made])} FROM ${from.sql}${this.#where(from, depth)}${by}${having}`;
    return { ...sql, columns: [...keys, ...made] };
  }

  #groupBy(keys: readonly Sql[]): Sql {
    if (keys.length === 0) return same("");
    const list = join(keys, ", ");
    if (keys.length < 2 || this.#r.chance(0.8)) return text` GROUP BY ${list}`;
    return this.#r.chance(0.5) ? text` GROUP BY ROLLUP (${list})` : text` GROUP BY CUBE (${list})`;
  }

  #windowed(depth: number): Query {
    const from = this.#from(depth);
    const order = from.columns.map((c) => this.#ordered(c.name)).join(", ");
    const part = this.#r.chance(0.7) ? `PARTITION BY ${this.#r.pick(from.columns).name} ` : "";
    const items = this.#items(from.columns, 0, 2);
    const numbers = from.columns.filter((c) => c.kind === "int");
    const value = this.#r.pick(from.columns);
    const frame = `ROWS BETWEEN ${this.#r.pick(["UNBOUNDED PRECEDING", "2 PRECEDING", "CURRENT ROW"])} AND ${this.#r.pick(["CURRENT ROW", "1 FOLLOWING", "UNBOUNDED FOLLOWING"])}`;
    const choices: (Sql & { kind: Kind })[] = [
      { ...same(`rank() OVER (${part}ORDER BY ${this.#ordered(value.name)})`), kind: "int" },
      { ...same(`dense_rank() OVER (${part}ORDER BY ${this.#ordered(value.name)})`), kind: "int" },
      { ...same(`count(*) OVER (${part}ORDER BY ${order} ${frame})`), kind: "long" },
      { ...same(`max(${value.name}) OVER (${part}ORDER BY ${order} ${frame})`), kind: value.kind },
      { ...same(`lag(${value.name}) OVER (${part}ORDER BY ${order})`), kind: value.kind },
      { ...same(`lead(${value.name}, 2) OVER (${part}ORDER BY ${order})`), kind: value.kind },
      { ...same(`first_value(${value.name}) OVER (${part}ORDER BY ${order} ${frame})`), kind: value.kind },
      { ...same(`last_value(${value.name}) OVER (${part}ORDER BY ${order} ${frame})`), kind: value.kind },
      { ...same(`percent_rank() OVER (${part}ORDER BY ${this.#ordered(value.name)})`), kind: "double" },
      { ...same(`cume_dist() OVER (${part}ORDER BY ${this.#ordered(value.name)})`), kind: "double" },
      ...numbers.slice(0, 1).map((n) => this.#windowSum(part, n.name)),
    ];
    const windows = this.#r.many(1, 2, (i) => ({ ...this.#r.pick(choices), name: `w${i}` }));
    const sql = text`SELECT ${listed([...items, ...windows])} FROM ${from.sql}${this.#where(from, depth)}`;
    return { ...sql, columns: [...items, ...windows] };
  }

  #windowSum(part: string, column: string): Sql & { readonly kind: Kind } {
    const spark = `sum(${column}) OVER (${part}ORDER BY ${this.#ordered(column)})`;
    return { spark, duck: `CAST(${spark} AS BIGINT)`, kind: "long" };
  }

  #ordered(column: string): string {
    return `${column} ${this.#r.pick(["ASC", "DESC"])} NULLS ${this.#r.pick(["FIRST", "LAST"])}`;
  }

  #limited(query: Query): Query {
    const order = query.columns.map((c) => this.#ordered(c.name)).join(", ");
    const offset = this.#r.chance(0.2) ? ` OFFSET ${this.#r.int(0, 3)}` : "";
    const rest = `ORDER BY ${order} LIMIT ${this.#r.int(0, 6)}${offset}`;
    return { ...text`SELECT * FROM (${query}) AS ${this.#alias()} ${rest}`, columns: query.columns };
  }

  #setOperation(depth: number): Query {
    const a = this.query(depth);
    const from = this.#from(depth);
    const e = this.#expressions(from.columns);
    const items = a.columns.map((c) => ({ ...e.of(c.kind, 1), name: c.name }));
    const b = text`SELECT ${listed(items)} FROM ${from.sql}`;
    const op = this.#r.pick(["UNION ALL", "UNION", "INTERSECT", "INTERSECT ALL", "EXCEPT", "EXCEPT ALL"]);
    return { ...text`(${a}) ${op} (${b})`, columns: a.columns };
  }

  #common(depth: number): Query {
    const inner = this.query(depth);
    const name = `q${this.#aliases++}`;
    const columns = inner.columns.map((c) => ({ ...c, name: `${name}.${c.name}` }));
    const items = this.#items(columns, 1, 3);
    return { ...text`WITH ${name} AS (${inner}) SELECT ${listed(items)} FROM ${name}`, columns: items };
  }
}
