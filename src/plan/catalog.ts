/** Names of a session: temporary views, tables and user functions. Names compare without case; relations are kept unresolved. */
import { AnalysisError } from "../core/errors.ts";
import type { Schema } from "../core/schema.ts";
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

export interface Catalog {
  table(name: readonly string[]): CatalogEntry | undefined;
  function(name: string): UserFunction | undefined;
  tableNames(): readonly string[];
  functionNames(): readonly string[];
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
  overrides: SessionOverrides = {};

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
    return [...this.#functions.values()].map((f) => f.name).sort();
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
