/** Names of a session: temporary views, tables and user functions. Names compare without case; relations are kept unresolved. */
import { AnalysisError } from "../core/errors.ts";
import type { DataType } from "../core/data-type.ts";
import type { Schema } from "../core/schema.ts";
import type { Value } from "../core/value.ts";
import type { Expr, UserFunction } from "../expr/ast.ts";
import type { Relation } from "./relation.ts";

/** Where the rows of a table go, and what they must be. */
export interface TableTarget {
  readonly format: string;
  readonly options: Readonly<Record<string, string>>;
  readonly partitionBy: readonly string[];
  /** The columns that CREATE TABLE declared: rows are cast to them. Undefined: any. */
  readonly columns: Schema | undefined;
  /** By column in lower case: what a column that INSERT leaves out becomes; without one, null. */
  readonly defaults?: Readonly<Record<string, Expr>>;
  /** In-process target, for the sink. */
  readonly handle?: unknown;
}

/** Settings of a session that SET changes while it runs; what is absent is as the runtime was made. */
export interface SessionOverrides {
  readonly timeZone?: string;
  readonly watermarkPolicy?: "min" | "max";
  readonly staticReload?: "epoch" | "once";
}

/** A table or view by name. `schema` prefixes (`spark_catalog.default.t`) are ignored for temporary names. */
export interface CatalogEntry {
  readonly name: string;
  readonly kind: "view" | "table";
  readonly relation: Relation;
  /** Column names given by CREATE VIEW v (a, b). */
  readonly columns?: readonly string[] | undefined;
  readonly comment?: string | undefined;
  /** Where INSERT INTO writes. Absent: a view, or a table that cannot be written. */
  readonly target?: TableTarget;
}

/** A variable of the session (DECLARE), or of a block of a SQL script. */
export interface SessionVariable {
  readonly name: string;
  readonly type: DataType;
  readonly value: Value;
  /** What SET VAR x = DEFAULT computes again. */
  readonly default: Expr | undefined;
}

export interface SqlParameter {
  readonly name: string;
  readonly type: DataType;
  readonly default: Expr | undefined;
}

/** CREATE FUNCTION … RETURN: its body stands in place of each call. */
export interface SqlFunction {
  readonly name: string;
  readonly parameters: readonly SqlParameter[];
  /** Undefined: the type of the body. */
  readonly returns: DataType | undefined;
  readonly body: Expr;
  /** RETURNS TABLE: the query in place of `body`, and its columns where they are declared. */
  readonly table?: { readonly query: Relation; readonly columns: Schema | undefined };
}

/** Variables of a block of a script; `label` may stand in front of their names. */
export interface VariableScope {
  readonly label: string | undefined;
  /** Whether DECLARE puts its variables here; not in the scope of a FOR's row. */
  readonly declares: boolean;
  /** By name in lower case. */
  readonly variables: Map<string, SessionVariable>;
}

export interface Catalog {
  table(name: readonly string[]): CatalogEntry | undefined;
  function(name: string): UserFunction | undefined;
  tableNames(): readonly string[];
  functionNames(): readonly string[];
  /** The variable that the leading parts name, and the parts left over (fields of it). */
  variable?(
    parts: readonly string[],
  ): { readonly variable: SessionVariable; readonly rest: readonly string[] } | undefined;
  sqlFunction?(name: string): SqlFunction | undefined;
  /** What SET changed. */
  readonly overrides?: SessionOverrides;
}

/** What may stand in front of a name: there is one catalog with one schema, and temporary views are of the session. */
const NAMESPACES: ReadonlySet<string> = new Set([
  "",
  "default",
  "spark_catalog.default",
  "global_temp",
  "session",
  "system.session",
]);

/** The mutable catalog of a session. */
export class SessionCatalog implements Catalog {
  readonly #tables = new Map<string, CatalogEntry>();
  readonly #functions = new Map<string, UserFunction>();
  readonly #sqlFunctions = new Map<string, SqlFunction>();
  readonly #variables: VariableScope = { label: undefined, declares: false, variables: new Map() };
  /** Blocks of the script that runs, innermost last. */
  readonly scopes: VariableScope[] = [];
  overrides: SessionOverrides = {};

  variable(parts: readonly string[]): ReturnType<NonNullable<Catalog["variable"]>> {
    const lower = parts.map((p) => p.toLowerCase());
    for (const { label, variables } of this.scopes.toReversed()) {
      const own = variables.get(lower[0]!);
      if (own !== undefined) return { variable: own, rest: parts.slice(1) };
      const labelled = label === lower[0] && lower.length > 1 ? variables.get(lower[1]!) : undefined;
      if (labelled !== undefined) return { variable: labelled, rest: parts.slice(2) };
    }
    for (const at of [
      0,
      lower[0] === "session" ? 1 : -1,
      lower[0] === "system" && lower[1] === "session" ? 2 : -1,
    ]) {
      const found = at < 0 || at >= lower.length ? undefined : this.#variables.variables.get(lower[at]!);
      if (found !== undefined) return { variable: found, rest: parts.slice(at + 1) };
    }
    return undefined;
  }

  get sessionVariables(): VariableScope {
    return this.#variables;
  }

  sqlFunction(name: string): SqlFunction | undefined {
    return this.#sqlFunctions.get(name.toLowerCase());
  }

  defineSqlFunction(fn: SqlFunction): void {
    this.#sqlFunctions.set(fn.name.toLowerCase(), fn);
  }

  dropSqlFunction(name: string): boolean {
    return this.#sqlFunctions.delete(name.toLowerCase());
  }

  table(name: readonly string[]): CatalogEntry | undefined {
    const last = name.at(-1);
    if (last === undefined) return undefined;
    const exact = this.#tables.get(name.join(".").toLowerCase());
    const known = NAMESPACES.has(name.slice(0, -1).join(".").toLowerCase());
    return exact ?? (known ? this.#tables.get(last.toLowerCase()) : undefined);
  }

  function(name: string): UserFunction | undefined {
    return this.#functions.get(name.toLowerCase());
  }

  tableNames(): readonly string[] {
    return [...this.#tables.values()].map((e) => e.name).sort();
  }

  functionNames(): readonly string[] {
    return [...this.#functions.values(), ...this.#sqlFunctions.values()].map((f) => f.name).sort();
  }

  /** Throws AnalysisError TEMP_TABLE_OR_VIEW_ALREADY_EXISTS unless `replace`. */
  define(entry: CatalogEntry, replace = false): void {
    const key = entry.name.toLowerCase();
    if (!replace && this.#tables.has(key)) {
      const errorClass =
        entry.kind === "view" ? "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS" : "TABLE_OR_VIEW_ALREADY_EXISTS";
      throw new AnalysisError(
        `[${errorClass}] Cannot create the ${entry.kind} \`${entry.name}\` because it already exists.`,
        { errorClass, hint: "use CREATE OR REPLACE, or drop it first" },
      );
    }
    this.#tables.set(key, entry);
  }

  /** Whether there was one. */
  drop(name: string): boolean {
    return this.#tables.delete(name.toLowerCase());
  }

  defineFunction(fn: UserFunction): void {
    this.#functions.set(fn.name.toLowerCase(), fn);
  }

  dropFunction(name: string): boolean {
    return this.#functions.delete(name.toLowerCase());
  }
}

export const EMPTY_CATALOG: Catalog = Object.freeze({
  table: () => undefined,
  function: () => undefined,
  tableNames: () => [],
  functionNames: () => [],
});
