/**
 * Expressions as frozen plain data, in two forms.
 *
 *  - `Expr`: what the typed API and the SQL parser build: names, no types.
 *  - `TypedExpr`: what the analyser makes of it: every node has a type and nullability, coercions are explicit casts, columns
 *    are attributes (by id, in logical plans) or slots (by ordinal, bound to a batch, in physical plans). Compiler and
 *    interpreter take bound typed expressions only.
 *
 * Names and literals never reach generated source as text: the compiler binds them as arguments.
 */
import type { DataType } from "../core/data-type.ts";
import type { Value } from "../core/value.ts";

/** Where an expression stands in a SQL text; absent for the typed API. Lines and columns from 1. */
export interface SourcePosition {
  readonly line: number;
  readonly column: number;
  readonly length?: number;
}

export interface SortOrder<E> {
  readonly expr: E;
  readonly descending: boolean;
  readonly nullsFirst: boolean;
}

export interface WindowFrame<E> {
  readonly unit: "rows" | "range";
  readonly start: FrameBound<E>;
  readonly end: FrameBound<E>;
}
export type FrameBound<E> =
  | { readonly kind: "unboundedPreceding" | "unboundedFollowing" | "currentRow" }
  | { readonly kind: "preceding" | "following"; readonly offset: E };

interface Positioned {
  readonly position?: SourcePosition | undefined;
}

export type Expr = Positioned &
  /** `zone`: where a timestamp was written in, for its text in column names. */
  (
    | { readonly kind: "literal"; readonly value: Value; readonly type: DataType; readonly zone?: string }
    /** `parts`: ["t", "price"] or ["window", "start"]; which of them is a table, a column or a field the analyser finds out. */
    | { readonly kind: "column"; readonly parts: readonly string[] }
    | {
        readonly kind: "star";
        readonly qualifier: readonly string[];
        /** Columns, or fields of them, by their parts. */
        readonly except?: readonly (readonly string[])[];
      }
    | { readonly kind: "alias"; readonly child: Expr; readonly names: readonly string[] }
    /** Any function or operator of the registry: `+`, `=`, `and`, `concat`, `window`, `sum`. Operators use their SQL symbol, lower case. */
    | {
        readonly kind: "call";
        readonly fn: string;
        readonly args: readonly Expr[];
        readonly distinct?: boolean;
        readonly filter?: Expr;
        readonly orderBy?: readonly SortOrder<Expr>[];
        readonly ignoreNulls?: boolean;
        readonly named?: Readonly<Record<string, Expr>>;
        /** What a column is named by where that is another call: `likeany(k)` for the disjunction that it is here. */
        readonly shown?: Expr;
        /** A user function: called with JS values; not in the registry. */
        readonly udf?: UserFunction;
      }
    | { readonly kind: "cast"; readonly child: Expr; readonly to: DataType; readonly tryCast: boolean }
    | {
        readonly kind: "case";
        readonly branches: readonly (readonly [Expr, Expr])[];
        readonly otherwise: Expr | undefined;
      }
    /** Field of a struct, element of an array or value of a map: `child.name`, `child[key]`. */
    | { readonly kind: "field"; readonly child: Expr; readonly name: string }
    | { readonly kind: "item"; readonly child: Expr; readonly key: Expr }
    | { readonly kind: "lambda"; readonly parameters: readonly string[]; readonly body: Expr }
    | {
        readonly kind: "over";
        readonly call: Expr;
        readonly partitionBy: readonly Expr[];
        readonly orderBy: readonly SortOrder<Expr>[];
        readonly frame: WindowFrame<Expr> | undefined;
        readonly windowName?: string;
      }
    /** `relation` is a Relation of src/plan/relation (opaque here: arrows point down). */
    | {
        readonly kind: "subquery";
        readonly mode: "scalar" | "exists" | "in";
        readonly relation: unknown;
        readonly values: readonly Expr[];
        readonly negated: boolean;
        /** The call of the SQL function whose body holds it: the same text reads other arguments in another call. */
        readonly inCall?: string;
      }
    | { readonly kind: "parameter"; readonly name: string }
  );

/** A scalar function of the user's: called once a row with JS values (see `toUserValue`), must be deterministic. */
export interface UserFunction {
  readonly name: string;
  readonly parameters: readonly DataType[];
  readonly returns: DataType;
  readonly apply: (...args: never[]) => unknown;
  /** Present: it aggregates rows, and `apply` is never called. */
  readonly aggregate?: UserAggregate;
}

/** An aggregate of the user's over states of the type `state`: must be deterministic, `merge` as if the rows of both came one after the other. */
export interface UserAggregate {
  readonly state: DataType;
  /** The result is the same to the last bit in whatever order rows come and parts are merged. */
  readonly commutative: boolean;
  readonly zero: () => unknown;
  readonly update: (state: never, ...args: never[]) => unknown;
  readonly merge: (state: never, other: never) => unknown;
  readonly finish: (state: never) => unknown;
}

export interface Typed {
  readonly type: DataType;
  readonly nullable: boolean;
  readonly position?: SourcePosition | undefined;
}

/** A column of a logical plan, identified by `id`, unique within a query. */
export interface Attribute extends Typed {
  readonly kind: "attribute";
  readonly id: number;
  readonly name: string;
  /** Present on an event-time column: the delay of its watermark. Passes through projections as Spark's column metadata does. */
  readonly eventTimeDelayMs?: number;
}

/** A column of a batch, by ordinal. */
export interface Slot extends Typed {
  readonly kind: "slot";
  readonly index: number;
  readonly name: string;
}

export type TypedExpr =
  | (Typed & { readonly kind: "literal"; readonly value: Value })
  | Attribute
  | Slot
  | TypedCall
  | (Typed & { readonly kind: "cast"; readonly child: TypedExpr; readonly tryCast: boolean })
  | (Typed & {
      readonly kind: "case";
      readonly branches: readonly (readonly [TypedExpr, TypedExpr])[];
      /** A null literal when the SQL has no ELSE. */
      readonly otherwise: TypedExpr;
    })
  | (Typed & { readonly kind: "field"; readonly child: TypedExpr; readonly index: number })
  | (Typed & {
      readonly kind: "lambda";
      readonly parameters: readonly LambdaVariable[];
      readonly body: TypedExpr;
    })
  | LambdaVariable;

/** A call of a registered scalar function (or of `udf`), its arguments already coerced to what the function takes. */
export interface TypedCall extends Typed {
  readonly kind: "call";
  readonly fn: string;
  readonly args: readonly TypedExpr[];
  readonly udf?: UserFunction;
}

export interface LambdaVariable extends Typed {
  readonly kind: "variable";
  readonly id: number;
  readonly name: string;
}

/** An aggregate call, arguments coerced. Lives in Aggregate and window nodes only, never inside a scalar expression. */
export interface AggregateCall extends Typed {
  readonly fn: string;
  /** A user's aggregate; `fn` is then `udaf:` and its name. */
  readonly udf?: UserFunction;
  readonly args: readonly TypedExpr[];
  readonly distinct: boolean;
  readonly filter: TypedExpr | undefined;
  readonly orderBy: readonly SortOrder<TypedExpr>[];
  readonly ignoreNulls: boolean;
}
