/**
 * What every part of the analyser shares: settings, fresh attribute ids, the names visible at a point of the query, and errors.
 *
 *  A1 every occurrence of a relation is analysed anew, so attribute ids never clash, self joins included.
 *  A2 analysis is deterministic: the same relation and catalog give the same ids.
 */
import type { DataType } from "../core/data-type.ts";
import type { Attribute, Expr, SourcePosition, TypedExpr } from "../expr/ast.ts";
import type { ResolvedColumn } from "../expr/scope.ts";
import { analysisError } from "../expr/type-errors.ts";
import type { Catalog } from "./catalog.ts";
import type { LogicalPlan } from "./logical.ts";
import type { Relation } from "./relation.ts";

export interface AnalyseOptions {
  /** IANA name of the session's zone. */
  readonly timeZone: string;
  readonly compatibility: "extended" | "spark";
  /** Values of `:name` parameters. */
  readonly parameters?: Readonly<Record<string, Expr>> | undefined;
}

/** A column that a name can reach. Names compare without case; `qualifier` is the alias or table name parts in front of it. */
export interface ScopeColumn {
  readonly name: string;
  readonly qualifier: readonly string[];
  readonly attribute: Attribute;
}

/** A plan with the names of its columns. `hidden` columns are reached by a qualified name only (both sides of USING). */
export interface Resolved {
  readonly plan: LogicalPlan;
  readonly columns: readonly ScopeColumn[];
  readonly hidden: readonly ScopeColumn[];
}

/** A WITH definition: analysed at each use. `recursion` is set inside its own recursive body. */
export interface Cte {
  readonly relation: Relation;
  readonly columns: readonly string[] | undefined;
  readonly names: Names;
  readonly recursive: boolean;
  readonly recursion?: { readonly reference: number; readonly output: readonly Attribute[] };
}

/** The query around a correlated subquery. `resolve` notes in `used` what it answers. */
export interface OuterQuery {
  readonly used: ReadonlyMap<number, Attribute>;
  readonly resolve: (
    parts: readonly string[],
    position: SourcePosition | undefined,
  ) => ResolvedColumn | undefined;
  /** The column with all that qualifies it, for names: `outer(t.a)`. */
  readonly text: (parts: readonly string[]) => string | undefined;
  /** The columns of a table around, for `t.*`. */
  readonly star: (qualifier: readonly string[]) => readonly ScopeColumn[] | undefined;
  /** An aggregate over columns of a query around, where that one may hold aggregates: its value there. */
  readonly aggregate?: (call: Expr & { readonly kind: "call" }) => TypedExpr | undefined;
}

/** What is visible at a point of the query besides the columns of its FROM clause. */
export interface Names {
  readonly ctes: ReadonlyMap<string, Cte>;
  readonly outer: OuterQuery | undefined;
  /** Views being expanded, to refuse a view that contains itself. */
  readonly views: readonly string[];
}

export const NO_NAMES: Names = Object.freeze({ ctes: new Map(), outer: undefined, views: [] });

/** One run of the analyser. */
export class Analysis {
  readonly catalog: Catalog;
  readonly options: AnalyseOptions;
  /** By a subquery's relation: the names of the columns around that it uses, once for each use. */
  readonly outerUses = new WeakMap<object, readonly string[]>();
  readonly #watermarks = new WeakMap<object, number>();
  #watermarkCount = 0;
  #id = 0;
  #reference = 0;

  /** Analyses any relation; given by analyse.ts. */
  readonly relation: (relation: Relation, names: Names) => Resolved;

  constructor(
    catalog: Catalog,
    options: AnalyseOptions,
    relation: (analysis: Analysis, relation: Relation, names: Names) => Resolved,
  ) {
    this.catalog = catalog;
    this.options = options;
    this.relation = (r, names) => relation(this, r, names);
  }

  /** Number of a `withWatermark` node: the same wherever a view that holds it is read. */
  watermark(rel: object): number {
    const known = this.#watermarks.get(rel) ?? this.#watermarkCount++;
    this.#watermarks.set(rel, known);
    return known;
  }

  /** Whether the session has aggregates of its own. */
  get hasUserAggregates(): boolean {
    const { catalog } = this;
    return catalog.functionNames().some((name) => catalog.function(name)?.aggregate !== undefined);
  }

  /** A call by the name of a session's aggregate, made a call of it. */
  userAggregate(e: Expr): Expr {
    if (e.kind !== "call" || e.udf !== undefined) return e;
    const udf = this.catalog.function(e.fn);
    return udf?.aggregate === undefined ? e : { ...e, udf };
  }

  attribute(name: string, type: DataType, nullable: boolean, eventTimeDelayMs?: number): Attribute {
    const base = { kind: "attribute" as const, id: ++this.#id, name, type, nullable };
    return Object.freeze(eventTimeDelayMs === undefined ? base : { ...base, eventTimeDelayMs });
  }

  /** A column that renames or computes `expr`. */
  named(name: string, expr: TypedExpr): Attribute {
    return this.attribute(name, expr.type, expr.nullable, eventTimeDelayOf(expr));
  }

  nextReference(): number {
    return ++this.#reference;
  }
}

/** The watermark's delay of an event-time expression: a plain reference or the `window_time` of one, as in Spark; else undefined. */
export const eventTimeDelayOf = (expr: TypedExpr): number | undefined => {
  if (expr.kind === "attribute") return expr.eventTimeDelayMs;
  if (expr.kind !== "call" || expr.fn !== "window_time") return undefined;
  const window = expr.args[0];
  return window?.kind === "attribute" ? window.eventTimeDelayMs : undefined;
};

/** Throws an AnalysisError in Spark's form. */
export const fail = (
  errorClass: string,
  message: string,
  position?: SourcePosition | undefined,
  hint?: string,
): never => {
  throw analysisError(errorClass, message, position, hint);
};

/** `a`.`b` */
export const quoted = (parts: readonly string[]): string =>
  parts.map((p) => `\`${p.replaceAll("`", "``")}\``).join(".");

export const sameName = (a: string, b: string): boolean => a === b || a.toLowerCase() === b.toLowerCase();

/** Columns as a plan gives them, all reachable without qualifier. */
export const resolvedOf = (plan: LogicalPlan, qualifier: readonly string[] = []): Resolved => ({
  plan,
  columns: plan.output.map((attribute) => ({ name: attribute.name, qualifier, attribute })),
  hidden: [],
});
