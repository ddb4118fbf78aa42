/**
 * Relations: the unresolved plan, as the typed API and the SQL parser build it. Frozen plain data; names are not looked up, nothing has a
 * type. `analyse` (src/plan/analyse.ts) turns one into a `LogicalPlan` or throws an AnalysisError.
 */
import type { Schema } from "../core/schema.ts";
import type { DataType } from "../core/data-type.ts";
import type { Row } from "../core/value.ts";
import type { Expr, SortOrder, SourcePosition, UserFunction } from "../expr/ast.ts";
import type { SourceSpec } from "../connectors/source.ts";

export type JoinHow = "inner" | "left" | "right" | "full" | "semi" | "anti" | "cross";

/** Functions over whole rows, called with user values. `apply` depends on `mode`. */
export interface RowFunction {
  readonly name: string;
  readonly mode: "map" | "flatMap" | "filter" | "mapAsync";
  readonly apply: (...args: never[]) => unknown;
  readonly output: Schema;
  readonly options?: Readonly<Record<string, unknown>>;
}

/** Arbitrary keyed state: mapGroupsWithState, flatMapGroupsWithState, transformWithState. */
export interface StatefulFunction {
  readonly name: string;
  readonly mode: "mapGroups" | "flatMapGroups" | "transform";
  readonly outputMode: "append" | "update";
  readonly timeout: "none" | "processingTime" | "eventTime";
  /** The user's function or a factory of StatefulProcessors; see src/operators/transform-with-state. */
  readonly apply: unknown;
  readonly output: Schema;
  readonly stateType: DataType | undefined;
  readonly initial: Relation | undefined;
  readonly initialKeys?: readonly Expr[];
}

export type Relation = { readonly position?: SourcePosition | undefined } & (
  | {
      readonly kind: "source";
      readonly source: SourceSpec;
      readonly streaming: boolean;
      readonly name: string;
    }
  /** A name of the catalog or of a CTE around it. */
  | { readonly kind: "table"; readonly name: readonly string[] }
  | { readonly kind: "rows"; readonly schema: Schema; readonly rows: readonly Row[] }
  | { readonly kind: "values"; readonly rows: readonly (readonly Expr[])[] }
  | { readonly kind: "range"; readonly args: readonly Expr[] }
  | { readonly kind: "oneRow" }
  /** SELECT: `exprs` may hold stars, aliases, aggregates, window and generator calls; GROUP BY and HAVING included. */
  | {
      readonly kind: "select";
      readonly child: Relation;
      readonly exprs: readonly Expr[];
      readonly distinct?: boolean;
      readonly groupBy?: Grouping;
      readonly having?: Expr;
      /** A condition on window functions. */
      readonly qualify?: Expr;
      readonly windows?: Readonly<Record<string, Expr>>;
      /** A pipe operator: an ORDER BY behind it sees its output only, a position in its GROUP BY is one of the input. */
      readonly pipe?: "SELECT" | "EXTEND" | "SET" | "AGGREGATE";
    }
  | {
      readonly kind: "filter";
      readonly child: Relation;
      readonly condition: Expr;
      /** A verb, not SQL's WHERE: it may name columns that the projections below it left out. */
      readonly verb?: true;
    }
  | {
      readonly kind: "withColumns";
      readonly child: Relation;
      readonly columns: readonly (readonly [string, Expr])[];
      /** `|> SET`: the columns must be there. */
      readonly existing?: boolean;
    }
  | { readonly kind: "renamed"; readonly child: Relation; readonly names: Readonly<Record<string, string>> }
  | {
      readonly kind: "drop";
      readonly child: Relation;
      readonly names: readonly string[];
      readonly existing?: boolean;
    }
  /** The typed API's groupBy().agg(): output is the keys, then `aggregates` (each an alias). */
  | {
      readonly kind: "aggregate";
      readonly child: Relation;
      readonly keys: readonly Expr[];
      readonly aggregates: readonly Expr[];
    }
  | {
      readonly kind: "watermark";
      readonly child: Relation;
      readonly column: readonly string[] | Expr;
      readonly delayMs: number;
      readonly name?: string;
    }
  | {
      readonly kind: "join";
      readonly left: Relation;
      readonly right: Relation;
      readonly how: JoinHow;
      readonly condition?: Expr;
      readonly using?: readonly string[];
      readonly natural?: boolean;
      readonly lateral?: boolean;
    }
  | {
      readonly kind: "setOperation";
      readonly op: "union" | "intersect" | "except";
      readonly all: boolean;
      readonly byName: boolean;
      readonly allowMissing?: boolean;
      readonly left: Relation;
      readonly right: Relation;
    }
  | { readonly kind: "distinct"; readonly child: Relation }
  | {
      readonly kind: "dropDuplicates";
      readonly child: Relation;
      readonly columns: readonly string[] | undefined;
      readonly withinWatermark: boolean;
    }
  | {
      readonly kind: "sort";
      readonly child: Relation;
      readonly orders: readonly SortOrder<Expr>[];
      readonly all?: boolean;
    }
  | {
      readonly kind: "limit";
      readonly child: Relation;
      readonly limit: Expr | undefined;
      readonly offset: Expr | undefined;
    }
  | { readonly kind: "sample"; readonly child: Relation; readonly fraction: number; readonly seed: number }
  | {
      readonly kind: "alias";
      readonly child: Relation;
      readonly name: string;
      readonly columns?: readonly string[];
    }
  /** WITH. */
  | {
      readonly kind: "with";
      readonly definitions: readonly (readonly [string, Relation, readonly string[] | undefined])[];
      readonly recursive: boolean;
      readonly child: Relation;
    }
  /** LATERAL VIEW, explode(): `call` is a generator function of the registry. */
  | {
      readonly kind: "generate";
      readonly child: Relation;
      readonly call: Expr;
      readonly outer: boolean;
      readonly tableAlias?: string;
      readonly columns?: readonly string[];
    }
  | {
      readonly kind: "pivot";
      readonly child: Relation;
      readonly aggregates: readonly Expr[];
      readonly columns: readonly Expr[];
      readonly values: readonly Expr[];
      readonly groupBy?: readonly Expr[];
    }
  | {
      readonly kind: "unpivot";
      readonly child: Relation;
      readonly includeNulls: boolean;
      readonly valueColumns: readonly string[];
      readonly nameColumn: string;
      readonly groups: readonly { readonly columns: readonly Expr[]; readonly alias?: string }[];
    }
  | { readonly kind: "mapRows"; readonly child: Relation; readonly fn: RowFunction }
  | {
      readonly kind: "groupState";
      readonly child: Relation;
      readonly keys: readonly Expr[];
      readonly fn: StatefulFunction;
    }
  | {
      readonly kind: "observe";
      readonly child: Relation;
      readonly name: string;
      readonly metrics: readonly Expr[];
    }
  /** `df.late()`: the rows that the stateful operator below refused as late. */
  | { readonly kind: "late"; readonly child: Relation }
  /** The `emit` option of `agg`: groups are given early too; the column `marker` tells which rows are final. */
  | {
      readonly kind: "emit";
      readonly child: Relation;
      readonly marker: string;
      readonly everyMs: number | undefined;
    }
);

export type Grouping =
  | { readonly kind: "keys"; readonly exprs: readonly Expr[] }
  | { readonly kind: "all" }
  | { readonly kind: "sets"; readonly exprs: readonly Expr[]; readonly sets: readonly (readonly Expr[])[] };

/** Scalar and row user functions known to SQL text by name. */
export interface UserFunctions {
  readonly scalar: ReadonlyMap<string, UserFunction>;
}
