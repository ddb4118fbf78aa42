/**
 * Random scalar expressions over the subset of SQL that Spark and DuckDB agree on, each as a pair of texts.
 *
 * E1  No expression overflows, divides by zero or depends on the order of additions: doubles are quarters of small integers.
 * E2  Where the two differ in a rule (integer casts, weekday numbers, types of sums) the DuckDB text spells Spark's rule out.
 */
import type { Random } from "./random.ts";

export type Kind = "int" | "long" | "double" | "string" | "boolean" | "date" | "timestamp" | "decimal";
export const KINDS: readonly Kind[] = [
  "int",
  "long",
  "double",
  "string",
  "boolean",
  "date",
  "timestamp",
  "decimal",
];

/** One expression in both dialects. */
export interface Sql {
  readonly spark: string;
  readonly duck: string;
}
export interface Column {
  readonly name: string;
  readonly kind: Kind;
}

export const same = (text: string): Sql => ({ spark: text, duck: text });
const both = (f: (texts: readonly string[]) => string, ...parts: readonly Sql[]): Sql => ({
  spark: f(parts.map((p) => p.spark)),
  duck: f(parts.map((p) => p.duck)),
});
const pair = (spark: string, duck: string): Sql => ({ spark, duck });

export const SPARK_TYPES: Readonly<Record<Kind, string>> = {
  int: "INT",
  long: "BIGINT",
  double: "DOUBLE",
  string: "STRING",
  boolean: "BOOLEAN",
  date: "DATE",
  timestamp: "TIMESTAMP_NTZ",
  decimal: "DECIMAL(10,2)",
};
export const DUCK_TYPES: Readonly<Record<Kind, string>> = {
  ...SPARK_TYPES,
  string: "VARCHAR",
  timestamp: "TIMESTAMP",
};

const TEXTS = [
  "",
  "a",
  "b",
  "ab",
  "Abc",
  "a b",
  "é",
  "日本",
  "x1",
  " pad ",
  "zz%",
  "A_b",
  "constructor",
  "O''Neil",
];

/** The text of a random literal without its type; some are null. */
export const literalText = (r: Random, kind: Kind): string => {
  if (r.chance(0.12)) return "NULL";
  const two = (n: number): string => String(n).padStart(2, "0");
  const day = (): string => `20${two(r.int(18, 24))}-${two(r.int(1, 12))}-${two(r.int(1, 28))}`;
  switch (kind) {
    case "int":
      return String(r.int(-9, 20));
    case "long":
      return r.chance(0.1)
        ? String(r.pick([9007199254740993n, -9007199254740995n, 4294967296n]))
        : String(r.int(-50, 50));
    case "double":
      return String(r.int(-40, 40) / 4);
    case "string":
      return `'${r.pick(TEXTS)}'`;
    case "boolean":
      return r.pick(["TRUE", "FALSE"]);
    case "date":
      return `'${day()}'`;
    case "timestamp":
      return `'${day()} ${two(r.int(0, 23))}:${two(r.int(0, 59))}:${two(r.int(0, 59))}'`;
    case "decimal":
      return `${r.int(-99, 99)}.${two(r.int(0, 99))}`;
  }
};

export const literal = (r: Random, kind: Kind): Sql => {
  const text = literalText(r, kind);
  return pair(`CAST(${text} AS ${SPARK_TYPES[kind]})`, `CAST(${text} AS ${DUCK_TYPES[kind]})`);
};

const COMPARISONS = ["=", "<>", "<", "<=", ">", ">="];

export class Expressions {
  readonly #r: Random;
  readonly #columns: readonly Column[];

  constructor(random: Random, columns: readonly Column[]) {
    this.#r = random;
    this.#columns = columns;
  }

  kind(): Kind {
    return this.#r.pick(KINDS);
  }

  /** A column of this kind if there is one, else a literal. */
  leaf(kind: Kind): Sql {
    const found = this.#columns.filter((c) => c.kind === kind);
    return found.length > 0 && this.#r.chance(0.85) ? same(this.#r.pick(found).name) : literal(this.#r, kind);
  }

  /** `depth`: how many calls inside each other at most. */
  of(kind: Kind, depth: number): Sql {
    if (depth <= 0 || this.#r.chance(0.25)) return this.leaf(kind);
    if (this.#r.chance(0.2)) return this.#conditional(kind, depth - 1);
    switch (kind) {
      case "int":
        return this.#int(depth - 1);
      case "long":
        return this.#long(depth - 1);
      case "double":
        return this.#double(depth - 1);
      case "string":
        return this.#string(depth - 1);
      case "boolean":
        return this.condition(depth - 1);
      case "date":
        return this.#date(depth - 1);
      case "timestamp":
        return this.#timestamp(depth - 1);
      case "decimal":
        return both(([a]) => `CAST(abs(${a}) AS DECIMAL(10,2))`, this.of("decimal", depth - 1));
    }
  }

  #conditional(kind: Kind, depth: number): Sql {
    const [a, b] = [this.of(kind, depth), this.of(kind, depth)];
    switch (this.#r.int(0, 4)) {
      case 0:
        return both(([c, x, y]) => `CASE WHEN ${c} THEN ${x} ELSE ${y} END`, this.condition(depth), a, b);
      case 1:
        return both(([x, y]) => `coalesce(${x}, ${y})`, a, b);
      case 2:
        return both(([x, y]) => `nullif(${x}, ${y})`, a, b);
      case 3:
        return kind === "boolean" ? a : both(([x, y]) => `greatest(${x}, ${y})`, a, b);
      default:
        return both(([c, x]) => `CASE WHEN ${c} THEN ${x} END`, this.condition(depth), a);
    }
  }

  condition(depth: number): Sql {
    const kind = this.#r.pick(KINDS);
    switch (this.#r.int(0, 9)) {
      case 0:
        return both(([a, b]) => `(${a} AND ${b})`, this.of("boolean", depth), this.of("boolean", depth));
      case 1:
        return both(([a, b]) => `(${a} OR ${b})`, this.of("boolean", depth), this.of("boolean", depth));
      case 2:
        return both(([a]) => `(NOT ${a})`, this.of("boolean", depth));
      case 3: {
        const not = this.#r.pick(["", "NOT "]);
        return both(([a]) => `(${a} IS ${not}NULL)`, this.of(kind, depth));
      }
      case 4: {
        const items = this.#r.many(1, 3, () => literal(this.#r, kind));
        const not = this.#r.pick(["", "NOT "]);
        return both(([a, ...rest]) => `(${a} ${not}IN (${rest.join(", ")}))`, this.of(kind, depth), ...items);
      }
      case 5:
        return both(
          ([a, b, c]) => `(${a} BETWEEN ${b} AND ${c})`,
          this.of(kind, depth),
          this.leaf(kind),
          this.leaf(kind),
        );
      case 6: {
        const pattern = this.#r.pick(["%a%", "a_", "%", "_b%", "A%", "", "%1"]);
        return both(([a]) => `(${a} LIKE '${pattern}')`, this.of("string", depth));
      }
      case 7: {
        const not = this.#r.pick(["", "NOT "]);
        return both(
          ([a, b]) => `(${a} IS ${not}DISTINCT FROM ${b})`,
          this.of(kind, depth),
          this.of(kind, depth),
        );
      }
      default: {
        const op = this.#r.pick(COMPARISONS);
        return both(([a, b]) => `(${a} ${op} ${b})`, this.of(kind, depth), this.of(kind, depth));
      }
    }
  }

  #int(depth: number): Sql {
    const [a, b] = [this.of("int", Math.min(depth, 1)), this.leaf("int")];
    const text = this.of("string", depth);
    const date = this.of("date", depth);
    switch (this.#r.int(0, 9)) {
      case 0:
        return both(([x, y]) => `(${x} + ${y})`, a, b);
      case 1:
        return both(([x, y]) => `(${x} * ${y})`, this.leaf("int"), this.leaf("int"));
      case 2:
        return both(([x, y]) => `(${x} % nullif(${y}, 0))`, a, b);
      case 3:
        return pair(`length(${text.spark})`, `CAST(length(${text.duck}) AS INT)`);
      case 4:
        return pair(`year(${date.spark})`, `CAST(year(${date.duck}) AS INT)`);
      case 5:
        return pair(`month(${date.spark})`, `CAST(month(${date.duck}) AS INT)`);
      case 6:
        return pair(`dayofweek(${date.spark})`, `CAST(dayofweek(${date.duck}) + 1 AS INT)`);
      case 7:
        return pair(`instr(${text.spark}, 'b')`, `CAST(instr(${text.duck}, 'b') AS INT)`);
      case 8:
        return both(([x]) => `CAST(${x} AS INT)`, this.of("boolean", depth));
      default: {
        const other = this.leaf("date");
        return pair(`datediff(${date.spark}, ${other.spark})`, `CAST(${date.duck} - ${other.duck} AS INT)`);
      }
    }
  }

  #long(depth: number): Sql {
    const a = this.of("int", depth);
    switch (this.#r.int(0, 4)) {
      case 0:
        return both(([x]) => `CAST(${x} AS BIGINT)`, a);
      case 1: {
        const op = this.#r.pick(["+", "-"]);
        return both(([x, y]) => `(${x} ${op} ${y})`, this.leaf("long"), this.leaf("long"));
      }
      case 2: {
        const fn = this.#r.pick(["floor", "ceil"]);
        const x = this.of("double", depth);
        return pair(`${fn}(${x.spark})`, `CAST(${fn}(${x.duck}) AS BIGINT)`);
      }
      case 3:
        return both(([x]) => `abs(${x})`, this.leaf("long"));
      default:
        return both(([x]) => `(-${x})`, this.leaf("long"));
    }
  }

  #double(depth: number): Sql {
    const [a, b] = [this.of("double", Math.min(depth, 1)), this.leaf("double")];
    switch (this.#r.int(0, 6)) {
      case 0: {
        const op = this.#r.pick(["+", "-", "*"]);
        return both(([x, y]) => `(${x} ${op} ${y})`, a, b);
      }
      case 1:
        return both(([x, y]) => `(${x} / nullif(${y}, 0))`, this.of("int", depth), this.leaf("int"));
      case 2:
        return both(([x]) => `CAST(${x} AS DOUBLE)`, this.of("int", depth));
      case 3:
        return both(([x]) => `abs(${x})`, a);
      case 4:
        return both(([x]) => `sqrt(abs(${x}))`, a);
      case 5:
        return both(([x]) => `round(${x})`, b);
      default:
        return both(([x]) => `(-${x})`, b);
    }
  }

  #string(depth: number): Sql {
    const a = this.of("string", depth);
    const n = this.#r.int(0, 4);
    switch (this.#r.int(0, 9)) {
      case 0:
        return both(([x]) => `upper(${x})`, a);
      case 1:
        return both(([x]) => `lower(${x})`, a);
      case 2:
        return both(([x, y]) => `(${x} || ${y})`, a, this.leaf("string"));
      case 3:
        return both(([x]) => `substring(${x}, ${n + 1}, 2)`, a);
      case 4:
        return both(([x]) => `trim(${x})`, a);
      case 5:
        return both(([x]) => `replace(${x}, 'a', 'qq')`, a);
      case 6:
        return both(([x]) => `lpad(${x}, ${n + 2}, '*')`, a);
      case 7:
        return both(([x]) => `repeat(${x}, ${n})`, this.leaf("string"));
      case 8:
        return pair(`CAST(${this.leafText("int")} AS STRING)`, `CAST(${this.leafText("int")} AS VARCHAR)`);
      default:
        return both(([x]) => `left(${x}, ${n})`, a);
    }
  }

  /** The same column or literal in both texts of a caller that writes them itself. */
  leafText(kind: "int"): string {
    const found = this.#columns.filter((c) => c.kind === kind);
    return found.length > 0 ? found[0]!.name : "7";
  }

  #date(depth: number): Sql {
    const a = this.of("date", depth);
    const n = this.#r.int(-40, 40);
    switch (this.#r.int(0, 3)) {
      case 0:
        return pair(`date_add(${a.spark}, ${n})`, `(${a.duck} + ${n})`);
      case 1:
        return pair(`last_day(${a.spark})`, `last_day(${a.duck})`);
      case 2:
        return both(([x]) => `CAST(${x} AS DATE)`, this.of("timestamp", depth));
      default:
        return pair(`add_months(${a.spark}, ${n})`, `CAST(${a.duck} + INTERVAL (${n}) MONTH AS DATE)`);
    }
  }

  #timestamp(depth: number): Sql {
    const a = this.of("timestamp", depth);
    if (this.#r.chance(0.5))
      return pair(
        `CAST(date_trunc('${this.#r.pick(["hour"])}', ${a.spark}) AS TIMESTAMP_NTZ)`,
        `date_trunc('hour', ${a.duck})`,
      );
    const n = this.#r.int(1, 300);
    return both(([x]) => `(${x} + INTERVAL '${n}' MINUTE)`, a);
  }
}
