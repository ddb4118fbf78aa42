/**
 * SQL types at the level of TypeScript: string tags, a trailing `?` for nullable; structs, arrays and maps are small interfaces. They exist
 * for the checker only; the values of `src/core/data-type.ts` are what runs.
 *
 *  T1 a tag says what the analyser would infer: Spark 4's ANSI promotion, nullability included. Precision of decimals is not tracked.
 *  T2 `bigint` is SQL's bigint whose values user code sees as JS bigint; `untyped` is a column of which only the analyser knows the type.
 */

/** @internal Whole numbers. */
export type IntegralTag = "byte" | "short" | "int" | "long" | "bigint";
/** Numeric tags, for generic code: `Typed<NumericTag>`. */
export type NumericTag = IntegralTag | "float" | "double" | "decimal";
/** Tags of types without parts. */
export type Primitive =
  | NumericTag
  | "string"
  | "boolean"
  | "timestamp"
  | "timestamp_ntz"
  | "date"
  | "binary"
  | "interval"
  | "yearMonthInterval"
  | "variant"
  | "void";
export type Tag = Primitive | `${Primitive}?` | "untyped";

export interface StructTag<S> {
  readonly struct: S;
}
export interface ArrayTag<E> {
  readonly array: E;
}
export interface MapTag<K, V> {
  readonly map: readonly [key: K, value: V];
}
/** A struct, array or map that may be null. */
export interface NullableTag<T> {
  readonly nullable: T;
}
/** A SQL type with its nullability. */
export type SqlType =
  | Tag
  | { readonly struct: object }
  | { readonly array: unknown }
  | { readonly map: readonly [unknown, unknown] }
  | { readonly nullable: unknown };
/** The columns of a frame: name → type. */
export type Columns = { readonly [name: string]: SqlType };
/** Columns of which nothing is known: `session.sql(…)` before `.as(schema)`. */
export type UntypedColumns = { readonly [name: string]: "untyped" };

/** The type without its nullability. */
export type Base<T> = T extends `${infer P extends Primitive}?`
  ? P
  : T extends { readonly nullable: infer N }
    ? N
    : T;
/** The type, nullable. */
export type Opt<T> = T extends Primitive
  ? `${T}?`
  : T extends string
    ? T
    : T extends { readonly nullable: unknown }
      ? T
      : { readonly nullable: T };
/** `T`, nullable when `C` is. */
export type OptIf<C, T> = C extends `${string}?` | { readonly nullable: unknown } ? Opt<T> : T;
export type OptAll<S> = { readonly [K in keyof S]: Opt<S[K]> };

type Both<T extends Primitive> = T | `${T}?`;
/** Tags that functions of numbers take. */
export type NumericIn = Both<NumericTag> | "untyped";
export type IntegralIn = Both<IntegralTag> | "untyped";
export type StringIn = Both<"string"> | "untyped";
export type BooleanIn = Both<"boolean"> | "untyped";
export type TimeIn = Both<"timestamp" | "timestamp_ntz"> | "untyped";
/** Dates and timestamps. */
export type DateTimeIn = Both<"timestamp" | "timestamp_ntz" | "date"> | "untyped";
export type BinaryIn = Both<"binary" | "string"> | "untyped";

interface Wider {
  readonly byte: Promoted<"byte", "short", "int", "long", "bigint">;
  readonly short: Promoted<"short", "short", "int", "long", "bigint">;
  readonly int: Promoted<"int", "int", "int", "long", "bigint">;
  readonly long: Promoted<"long", "long", "long", "long", "bigint">;
  readonly bigint: Promoted<"bigint", "bigint", "bigint", "bigint", "bigint">;
  readonly float: {
    readonly [K in NumericTag]: K extends "float" ? "float" : "double";
  };
  readonly double: { readonly [K in NumericTag]: "double" };
  readonly decimal: { readonly [K in NumericTag]: K extends "float" | "double" ? "double" : "decimal" };
}
interface Promoted<B, S, I, L, G> {
  readonly byte: B;
  readonly short: S;
  readonly int: I;
  readonly long: L;
  readonly bigint: G;
  readonly float: "double";
  readonly double: "double";
  readonly decimal: "decimal";
}
/** The type in which two numbers meet (Spark: AnsiTypeCoercion.findTightestCommonType), nullable when one of them is. */
export type Promote<A, B> = OptIf<
  A,
  OptIf<
    B,
    Base<A> extends keyof Wider
      ? Base<B> extends keyof Wider[Base<A>]
        ? Wider[Base<A>][Base<B>]
        : "untyped"
      : "untyped"
  >
>;
/** The type in which the values of a `when`, `coalesce` or `greatest` meet; nullable when one of them is. */
export type Common<A, B> = [A] extends [B]
  ? B
  : [B] extends [A]
    ? A
    : Base<A> extends "void"
      ? Opt<B>
      : Base<B> extends "void"
        ? Opt<A>
        : Base<A> extends Base<B>
          ? OptIf<A, B>
          : Promote<A, B>;

/** The type of a literal: int or double (by its digits), string, boolean, timestamp, bigint, null. */
export type LiteralType<V> = V extends number
  ? number extends V
    ? "double"
    : `${V}` extends `${bigint}`
      ? "int"
      : "double"
  : V extends string
    ? "string"
    : V extends boolean
      ? "boolean"
      : V extends bigint
        ? "long"
        : V extends Date
          ? "timestamp"
          : V extends Uint8Array
            ? "binary"
            : V extends null
              ? "void?"
              : "untyped";

interface JsOf {
  readonly byte: number;
  readonly short: number;
  readonly int: number;
  readonly long: number;
  readonly bigint: bigint;
  readonly float: number;
  readonly double: number;
  readonly decimal: string;
  readonly string: string;
  readonly boolean: boolean;
  readonly timestamp: Date;
  readonly timestamp_ntz: Date;
  readonly date: Date;
  readonly binary: Uint8Array;
  /** Microseconds. */
  readonly interval: number;
  /** Months. */
  readonly yearMonthInterval: number;
  readonly variant: unknown;
  readonly void: null;
}
/** A value of the type as user code sees it (src/expr/user-values.ts). */
export type Js<T> = T extends keyof JsOf
  ? JsOf[T]
  : T extends `${infer P extends Primitive}?`
    ? JsOf[P] | null
    : T extends { readonly nullable: infer N }
      ? Js<N> | null
      : T extends { readonly struct: infer S }
        ? RowOf<S>
        : T extends { readonly array: infer E }
          ? Js<E>[]
          : T extends { readonly map: readonly [infer K, infer V] }
            ? Map<Js<K>, Js<V>>
            : unknown;
/** A row as user code sees it. */
export type RowOf<S> = { [K in keyof S]: Js<S[K]> };
/** A row that user code gives: columns that may be null may be left out, a map may be a plain object. */
export type InputRowOf<S> = { readonly [K in keyof S as null extends Js<S[K]> ? never : K]: JsIn<S[K]> } & {
  readonly [K in keyof S as null extends Js<S[K]> ? K : never]?: JsIn<S[K]> | undefined;
};
/** What is taken where a value of the type is due. */
export type JsIn<T> =
  Base<T> extends infer B
    ? | (B extends "long" | "bigint"
          ? number | bigint
          : B extends "decimal"
            ? string | number | bigint
            : B extends "timestamp" | "timestamp_ntz" | "date"
              ? Date | string | number
              : B extends { readonly struct: infer S }
                ? InputRowOf<S>
                : B extends { readonly array: infer E }
                  ? readonly JsIn<E>[]
                  : B extends { readonly map: readonly [infer K, infer V] }
                    ? ReadonlyMap<JsIn<K>, JsIn<V>> | Readonly<Record<string, JsIn<V>>>
                    : Js<B>)
      | (T extends B ? never : null)
    : never;
/** JS values that may stand where an expression of the type is due. */
export type LiteralIn<T> =
  Base<T> extends infer B
    ? B extends NumericTag
      ? number | bigint
      : B extends "string"
        ? string
        : B extends "boolean"
          ? boolean
          : B extends "timestamp" | "timestamp_ntz" | "date"
            ? Date | string
            : B extends "binary"
              ? Uint8Array
              : B extends "untyped"
                ? number | bigint | string | boolean | Date
                : never
    : never;

type Unit =
  | "microsecond"
  | "millisecond"
  | "second"
  | "minute"
  | "hour"
  | "day"
  | "week"
  | "microseconds"
  | "milliseconds"
  | "seconds"
  | "minutes"
  | "hours"
  | "days"
  | "weeks";
/** A duration of fixed length: a number and a unit. */
export type Duration = `${number} ${Unit}`;

/** Shows a computed type as one flat object. */
export type Flat<T> = { readonly [K in keyof T]: T[K] };
export type Keys<S> = keyof S & string;
/** The struct of `window(…)`; its fields are never null (Spark's schema says they may be). */
export type WindowStruct = StructTag<{ readonly start: "timestamp"; readonly end: "timestamp" }>;
