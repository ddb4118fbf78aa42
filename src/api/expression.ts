/**
 * Column expressions as TypeScript sees them: `c => c.price.gt(10)`. Methods depend on the type of the column; what does not fit does not compile.
 * The objects behind them are made in `expression-builder.ts`.
 *
 *  X1 an expression carries its SQL type (`Typed`), a column or alias also its name (`Named`), an aggregate another mark (`Agg`), so that an
 *     aggregate is no column.
 */
import type {
  ArrayTag,
  Base,
  BooleanIn,
  Columns,
  Common,
  DateTimeIn,
  Duration,
  LiteralIn,
  LiteralType,
  NumericIn,
  NumericTag,
  Opt,
  OptIf,
  Promote,
  StringIn,
} from "./tags.ts";
import type { TypeDef } from "./schema.ts";

declare const TYPE: unique symbol;
declare const NAME: unique symbol;
declare const AGGREGATE: unique symbol;
declare const SORT: unique symbol;

/** Anything with the SQL type `D`. */
export interface Typed<D> {
  readonly [TYPE]: D;
}
/** Anything with a column name. */
export interface HasName<N extends string> {
  readonly [NAME]: N;
}
/** A column with a name, as `select` and `groupBy` take it: a column of the frame, or `expr.as("name")`. */
export interface Named<N extends string, D> extends Typed<D>, HasName<N> {}
/** A sort key: `c.price.desc()`. */
export interface SortKey {
  readonly [SORT]: true;
}

/** The names by which `cast` knows types: Spark's. */
export interface CastNames {
  readonly boolean: "boolean";
  readonly tinyint: "byte";
  readonly byte: "byte";
  readonly smallint: "short";
  readonly short: "short";
  readonly int: "int";
  readonly integer: "int";
  readonly bigint: "long";
  readonly long: "long";
  readonly float: "float";
  readonly double: "double";
  readonly decimal: "decimal";
  readonly string: "string";
  readonly binary: "binary";
  readonly date: "date";
  readonly timestamp: "timestamp";
  readonly timestamp_ntz: "timestamp_ntz";
}
/** What `cast` takes: a name, `decimal(p,s)` or a type of `t`. */
export type CastTo = keyof CastNames | `decimal(${number},${number})` | TypeDef<unknown>;
export type CastType<C> = C extends keyof CastNames
  ? CastNames[C]
  : C extends string
    ? "decimal"
    : C extends TypeDef<infer D>
      ? Base<D>
      : never;

/** Expressions that compare with one of type `D`. */
type Comparable<D> =
  Base<D> extends NumericTag | "untyped"
    ? Typed<NumericIn>
    : Base<D> extends "string"
      ? Typed<StringIn>
      : Base<D> extends "timestamp" | "timestamp_ntz" | "date"
        ? Typed<DateTimeIn>
        : Typed<D | Base<D> | Opt<D> | "untyped">;
/** What stands on the other side of a comparison. */
export type Operand<D> =
  Base<D> extends "untyped" ? LiteralIn<D> | Typed<unknown> : LiteralIn<D> | Comparable<D>;
type NumberOperand = number | bigint | Typed<NumericIn>;
/** The type of an operand: an expression's, or a literal's. */
export type TypeOf<X> = X extends Typed<infer D> ? D : X extends Aggregated<infer D> ? D : LiteralType<X>;
type BooleanOf<D> = OptIf<D, "boolean">;
type BooleanWith<D, X> = OptIf<D, OptIf<TypeOf<X>, "boolean">>;

/** What every expression has. Comparisons with null are null, as in SQL. */
export interface AnyOps<D> extends Typed<D> {
  /** `=`. */
  eq<X extends Operand<D>>(x: X): Expr<BooleanWith<D, X>>;
  /** `!=`. */
  ne<X extends Operand<D>>(x: X): Expr<BooleanWith<D, X>>;
  /** `<=>`: null equals null; never null. */
  eqNullSafe(x: Operand<D> | null): Expr<"boolean">;
  isNull(): Expr<"boolean">;
  isNotNull(): Expr<"boolean">;
  /** `IN (…)`. */
  in(...xs: readonly Operand<D>[]): Expr<BooleanOf<D>>;
  /** Spark's name of `in`. */
  isin(...xs: readonly Operand<D>[]): Expr<BooleanOf<D>>;
  /** The value, or `x` where it is null. */
  coalesce<X extends Operand<D>>(x: X): Expr<OptIf<TypeOf<X>, Base<D>>>;
  /** `CAST`: an ExecutionError for a value that does not fit (ANSI). */
  cast<C extends CastTo>(to: C): Expr<OptIf<D, CastType<C>>>;
  /** `TRY_CAST`: null for a value that does not fit. */
  try_cast<C extends CastTo>(to: C): Expr<Opt<CastType<C>>>;
  /** Gives the expression a name. */
  as<N extends string>(name: N): Expr<D> & HasName<N>;
  /** Spark's name of `as`. */
  alias<N extends string>(name: N): Expr<D> & HasName<N>;
  asc(): SortKey;
  desc(): SortKey;
  asc_nulls_first(): SortKey;
  asc_nulls_last(): SortKey;
  desc_nulls_first(): SortKey;
  desc_nulls_last(): SortKey;
}
export interface OrderedOps<D> {
  gt<X extends Operand<D>>(x: X): Expr<BooleanWith<D, X>>;
  ge<X extends Operand<D>>(x: X): Expr<BooleanWith<D, X>>;
  lt<X extends Operand<D>>(x: X): Expr<BooleanWith<D, X>>;
  le<X extends Operand<D>>(x: X): Expr<BooleanWith<D, X>>;
  /** `low <= x AND x <= high`. */
  between<A extends Operand<D>, B extends Operand<D>>(
    low: A,
    high: B,
  ): Expr<OptIf<D, OptIf<TypeOf<A>, OptIf<TypeOf<B>, "boolean">>>>;
}
type Quotient<P> = OptIf<P, Base<P> extends "decimal" | "untyped" ? Base<P> : "double">;
/** Arithmetic: overflow and division by zero are ExecutionErrors (ANSI). */
export interface NumberOps<D> extends OrderedOps<D> {
  add<X extends NumberOperand>(x: X): Expr<Promote<D, TypeOf<X>>>;
  sub<X extends NumberOperand>(x: X): Expr<Promote<D, TypeOf<X>>>;
  mul<X extends NumberOperand>(x: X): Expr<Promote<D, TypeOf<X>>>;
  /** `/`: double, of decimals decimal. */
  div<X extends NumberOperand>(x: X): Expr<Quotient<Promote<D, TypeOf<X>>>>;
  /** `%`: remainder with the sign of the dividend. */
  mod<X extends NumberOperand>(x: X): Expr<Promote<D, TypeOf<X>>>;
  neg(): Expr<D>;
}
export interface StringOps<D> extends OrderedOps<D> {
  /** SQL pattern: `%` any text, `_` one character. */
  like(pattern: string | Typed<StringIn>): Expr<BooleanOf<D>>;
  ilike(pattern: string | Typed<StringIn>): Expr<BooleanOf<D>>;
  /** Java regular expression, anywhere in the text. */
  rlike(pattern: string | Typed<StringIn>): Expr<BooleanOf<D>>;
  startsWith(x: string | Typed<StringIn>): Expr<BooleanOf<D>>;
  endsWith(x: string | Typed<StringIn>): Expr<BooleanOf<D>>;
  contains(x: string | Typed<StringIn>): Expr<BooleanOf<D>>;
  /** From `start` (1 is the first character), `length` characters. */
  substr(start: number | Typed<NumericIn>, length?: number | Typed<NumericIn>): Expr<D>;
  lower(): Expr<D>;
  upper(): Expr<D>;
  trim(): Expr<D>;
  length(): Expr<OptIf<D, "int">>;
}
/** Three-valued logic. */
export interface BooleanOps<D> {
  and<X extends boolean | Typed<BooleanIn>>(x: X): Expr<OptIf<TypeOf<X>, D>>;
  or<X extends boolean | Typed<BooleanIn>>(x: X): Expr<OptIf<TypeOf<X>, D>>;
  not(): Expr<D>;
}
export interface TimeOps<D> extends OrderedOps<D> {
  plus(duration: Duration | Typed<"interval" | "interval?">): Expr<D>;
  minus(duration: Duration | Typed<"interval" | "interval?">): Expr<D>;
  /** The time between two times. */
  sub<X extends Typed<DateTimeIn>>(x: X): Expr<OptIf<D, OptIf<TypeOf<X>, "interval">>>;
}
/** A field by name, also one whose name is a method's. */
export interface StructOps<D, S> {
  field<K extends keyof S & string>(name: K): Expr<OptIf<D, S[K]>> & HasName<K>;
}
type StructFields<D, S> = {
  readonly [K in keyof S as K extends keyof AnyOps<D> | "field" ? never : K]: Expr<OptIf<D, S[K]>> &
    HasName<K & string>;
};
export interface ArrayOps<E> {
  /** The element at `index`, from 0. Out of bounds: an ExecutionError, as in Spark; see `get` for null. */
  at(index: number | Typed<NumericIn>): Expr<Opt<E>>;
  getItem(index: number | Typed<NumericIn>): Expr<Opt<E>>;
}
export interface MapOps<K, V> {
  /** The value of `key`, null when there is none. */
  at(key: LiteralIn<K> | Typed<K>): Expr<Opt<V>>;
  getItem(key: LiteralIn<K> | Typed<K>): Expr<Opt<V>>;
}
interface UntypedOps
  extends NumberOps<"untyped">, Omit<StringOps<"untyped">, keyof OrderedOps<never>>, BooleanOps<"untyped"> {
  plus(duration: Duration): Expr<"untyped">;
  minus(duration: Duration): Expr<"untyped">;
  field(name: string): Expr<"untyped">;
  at(key: number | string | Typed<unknown>): Expr<"untyped">;
  getItem(key: number | string | Typed<unknown>): Expr<"untyped">;
}

type OpsOf<D> =
  Base<D> extends infer B
    ? B extends NumericTag
      ? NumberOps<D>
      : B extends "string"
        ? StringOps<D>
        : B extends "boolean"
          ? BooleanOps<D>
          : B extends "timestamp" | "timestamp_ntz"
            ? TimeOps<D>
            : B extends "date" | "interval" | "yearMonthInterval"
              ? OrderedOps<D>
              : B extends { readonly struct: infer S }
                ? StructOps<D, S> & StructFields<D, S>
                : B extends { readonly array: infer E }
                  ? ArrayOps<E>
                  : B extends { readonly map: readonly [infer K, infer V] }
                    ? MapOps<K, V>
                    : B extends "untyped"
                      ? UntypedOps
                      : unknown
    : never;
/** A column expression of the SQL type `D`. */
export type Expr<D> = AnyOps<D> & OpsOf<D>;
/** The columns of a frame, as callbacks get them. */
export type Cols<S> = { readonly [K in keyof S]: Expr<S[K]> & HasName<K & string> };

/** Anything that aggregates to the SQL type `D`. */
export interface Aggregated<D> {
  readonly [AGGREGATE]: D;
}
/** An aggregate: for `agg`, `pivot`, `observe`, and `over` in batch. */
export interface Agg<D> extends Aggregated<D> {
  /** Names it, where a name is not given by `agg(c => ({ name: … }))`. */
  as<N extends string>(name: N): Agg<D> & HasName<N>;
  /** `FILTER (WHERE …)`: only the rows for which the condition is true. */
  filter(condition: Typed<BooleanIn>): Agg<D>;
  /** As a window function (batch). */
  over(spec: WindowSpec): Expr<D>;
  /** The aggregate as a value to compute with: `sum(c.a).expr.div(count().expr)`; stays an aggregate, so only `agg` takes it. */
  readonly expr: Expr<D>;
}
/** `row_number()` and its kin: a column with `over` only. */
export interface WindowFunction<D> {
  over(spec: WindowSpec): Expr<D>;
}
/** PARTITION BY, ORDER BY and frame of a window function; made by `Window`. */
export interface WindowSpec {
  partitionBy(...columns: readonly Typed<unknown>[]): WindowSpec;
  orderBy(...keys: readonly (Typed<unknown> | SortKey)[]): WindowSpec;
  /** Rows relative to the current one; `Window.unboundedPreceding` and its kin stand for the ends. */
  rowsBetween(start: number, end: number): WindowSpec;
  rangeBetween(start: number, end: number): WindowSpec;
}
/** `when(…).when(…)`, an expression already: null where no condition is true. */
export type When<D> = Expr<Opt<D>> & {
  when<X extends Value>(condition: Typed<BooleanIn>, value: X): When<Common<D, TypeOf<X>>>;
  otherwise<X extends Value>(value: X): Expr<Common<D, TypeOf<X>>>;
};
/** A value of an expression: another expression or a literal. */
export type Value = Typed<unknown> | string | number | bigint | boolean | Date | Uint8Array | null;
/** An array expression. */
export type ArrayIn<E> = Typed<ArrayTag<E> | { readonly nullable: ArrayTag<E> }>;
/** The columns that an object of expressions makes. */
export type FieldsOf<O> = { readonly [K in keyof O]: TypeOf<O[K]> };
export type AnyColumns = Columns;
