/** Types of the verbs: what a select, an aggregate or a join makes of the columns, and the flags that tell which queries can run. */
import type {
  Aggregated,
  Cols,
  FieldsOf,
  HasName,
  Named,
  SortKey,
  Typed,
  TypeOf,
  Value,
} from "./expression.ts";
import type { Base, BooleanIn, Columns, Common, Flat, Keys, NumericTag, Opt, OptAll } from "./tags.ts";

export declare const COLUMNS: unique symbol;
export declare const FLAGS: unique symbol;

/**
 * The shape of a query, as far as output modes ask for it: whether it is a stream; whether it aggregates (`open`: groups that no watermark ever
 * closes, `early`: groups given early too); the column with a watermark, never for none.
 */
export interface Flags {
  readonly stream: boolean;
  readonly agg: "none" | "open" | "closing" | "early";
  readonly wm: string;
}
export interface Fl<S extends boolean, A extends Flags["agg"], W extends string> {
  readonly stream: S;
  readonly agg: A;
  readonly wm: W;
}
export type StaticFlags = Fl<false, "none", never>;
export type StreamFlags = Fl<true, "none", never>;
/** What other frames see of a frame. */
export interface Frame<S, F> {
  readonly [COLUMNS]: S;
  readonly [FLAGS]: F;
}
export type AnyFrame = Frame<unknown, unknown>;

type Either<A, B> = [A | B] extends [false] ? false : true;
type WorstAgg<A, B> = "open" extends A | B
  ? "open"
  : "early" extends A | B
    ? "early"
    : "closing" extends A | B
      ? "closing"
      : "none";
/** Flags of two inputs. */
export type Merged<A extends Flags, B extends Flags> = Fl<
  Either<A["stream"], B["stream"]>,
  WorstAgg<A["agg"], B["agg"]>,
  A["wm"] | B["wm"]
>;
/** Flags after grouping by columns `K`: with a watermark, groups end when a key is a time or a window (Spark's rule for append). */
export type Grouped<F extends Flags, K> = Fl<
  F["stream"],
  "open" extends F["agg"]
    ? "open"
    : [F["wm"]] extends [never]
      ? "open"
      : HasTime<K[keyof K]> extends true
        ? "closing"
        : "open",
  F["wm"]
>;
type HasTime<T> = true extends (
  T extends unknown
    ? Base<T> extends
        | "timestamp"
        | "timestamp_ntz"
        | "untyped"
        | { readonly struct: { readonly start: unknown; readonly end: unknown } }
      ? true
      : never
    : never
)
  ? true
  : false;
/** Flags of an aggregate with early rows, which append mode alone has; as they were without a marker `M`. */
export type Early<F extends Flags, M> = [M] extends [never]
  ? F
  : Fl<F["stream"], F["agg"] extends "closing" ? "early" : F["agg"], F["wm"]>;
/** The output modes that a query of this shape may have. */
export type OutputModes<F extends Flags> = F["agg"] extends "none"
  ? "append" | "update"
  : F["agg"] extends "closing"
    ? "append" | "update" | "complete"
    : F["agg"] extends "early"
      ? "append"
      : "update" | "complete";

/** An item of select or groupBy: a column's name, or something with a name. */
export type Item<S> = Keys<S> | (Typed<unknown> & HasName<string>);
/** What a callback of select may give. */
export type Shape<V extends Value> =
  readonly (Typed<unknown> & HasName<string>)[] | { readonly [name: string]: V };
type ItemName<P> = P extends string ? P : P extends HasName<infer N> ? N : never;
type ItemType<S, P> = P extends keyof S ? S[P] : P extends Typed<infer D> ? D : never;
/** Columns that a list of items makes. */
export type ItemsOut<S, X extends readonly unknown[]> = {
  readonly [P in X[number] as ItemName<P>]: ItemType<S, P>;
};
export type ShapeOut<S, R> = R extends readonly unknown[] ? ItemsOut<S, R> : FieldsOf<R>;
/** Columns of `select`: from its items, or what its callback gave. */
export type SelectOut<S, X extends readonly unknown[], R> = number extends X["length"]
  ? Shape<Value> extends R
    ? ItemsOut<S, X>
    : ShapeOut<S, R>
  : ItemsOut<S, X>;
/** Key columns of `groupBy`, from names and expressions or from its callback. */
export type KeysOut<S, X extends readonly unknown[], I> = number extends X["length"]
  ? Item<S> extends I
    ? ItemsOut<S, X>
    : ItemsOut<S, readonly I[]>
  : ItemsOut<S, X>;
/** `S` with the columns of `N` replaced or added. */
export type With<S, N> = {
  readonly [K in keyof S | keyof N]: K extends keyof N ? N[K] : K extends keyof S ? S[K] : never;
};
export type Renamed<S, N> = {
  readonly [K in keyof S as K extends keyof N ? (N[K] extends string ? N[K] : never) : K]: S[K];
};

/** What `agg` takes: aggregates by name, or a list of named ones. */
export type Aggregates =
  | { readonly [name: string]: Aggregated<unknown> | Typed<unknown> }
  | readonly ((Aggregated<unknown> | Typed<unknown>) & HasName<string>)[];
export type AggregatesOut<R> = R extends readonly unknown[]
  ? { readonly [P in R[number] as P extends HasName<infer N> ? N : never]: TypeOf<P> }
  : FieldsOf<R>;
export type SortItem<S> = Keys<S> | SortKey | Typed<unknown>;
export type Callback<S, R> = (c: Cols<S>) => R;

/** Arguments of orderBy: names and keys, or one callback. */
export type SortKeys<S> =
  readonly SortItem<S>[] | readonly [Callback<S, SortItem<S> | readonly SortItem<S>[]>];
/** A condition, or a callback that gives one. */
export type Condition<S> = Typed<BooleanIn> | Callback<S, Typed<BooleanIn>>;

/** Spark's names of joins. */
export type JoinType =
  | "inner"
  | "left"
  | "leftouter"
  | "left_outer"
  | "right"
  | "rightouter"
  | "right_outer"
  | "full"
  | "outer"
  | "fullouter"
  | "full_outer"
  | "semi"
  | "leftsemi"
  | "left_semi"
  | "anti"
  | "leftanti"
  | "left_anti";
type Semi = "semi" | "leftsemi" | "left_semi" | "anti" | "leftanti" | "left_anti";
type Full = "full" | "outer" | "fullouter" | "full_outer";
type KeepsLeft = "left" | "leftouter" | "left_outer" | Full;
type KeepsRight = "right" | "rightouter" | "right_outer" | Full;
type LeftSide<A, H> = [H] extends [KeepsRight] ? OptAll<A> : A;
type RightSide<B, H> = [H] extends [KeepsLeft] ? OptAll<B> : B;
/** `join(other, keys)`: the keys once, then the other columns of both. */
export type JoinOut<A, B, K extends string, H> = [H] extends [Semi]
  ? A
  : Flat<{ readonly [P in K]: JoinKey<A, B, P, H> } & Omit<LeftSide<A, H>, K> & Omit<RightSide<B, H>, K>>;
type JoinKey<A, B, P, H> = P extends keyof A & keyof B
  ? [H] extends [Full]
    ? Common<A[P], B[P]>
    : [H] extends [KeepsRight]
      ? B[P]
      : A[P]
  : never;
/** `joinOn(other, condition)`: all columns of both. */
export type JoinOnOut<A, B, H> = [H] extends [Semi] ? A : Flat<LeftSide<A, H> & RightSide<B, H>>;
/** Refuses columns that both sides have: in the result their name would be ambiguous. */
export type NoClash<A, B, K, H> = [H] extends [Semi]
  ? unknown
  : [Exclude<Keys<A> & Keys<B>, K>] extends [never]
    ? unknown
    : { readonly "error: both sides have this column; drop or rename it": Exclude<Keys<A> & Keys<B>, K> };
/** Refuses inputs of a set operation with other columns. */
export type SameColumns<A, B> = [Exclude<keyof A, keyof B> | Exclude<keyof B, keyof A>] extends [never]
  ? [MismatchedTypes<A, B>] extends [never]
    ? unknown
    : { readonly "error: these columns have another type": MismatchedTypes<A, B> }
  : {
      readonly "error: only one side has these columns":
        Exclude<keyof A, keyof B> | Exclude<keyof B, keyof A>;
    };
type MismatchedTypes<A, B> = {
  [K in keyof A]: K extends keyof B ? (Meets<Base<A[K]>, Base<B[K]>> extends true ? never : K) : never;
}[keyof A];
type Meets<A, B> = [A] extends [B]
  ? true
  : [B] extends [A]
    ? true
    : [A, B] extends [NumericTag, NumericTag]
      ? true
      : [A] extends ["void" | "untyped"]
        ? true
        : [B] extends ["void" | "untyped"]
          ? true
          : false;
/** Columns of a set operation: types widened, nullable when one side is. */
export type UnionOut<A, B> = {
  readonly [K in keyof A | keyof B]: K extends keyof A
    ? K extends keyof B
      ? Common<A[K], B[K]>
      : Opt<A[K]>
    : K extends keyof B
      ? Opt<B[K]>
      : never;
};
/** Columns that can carry a watermark. */
export type TimeKeys<S> = {
  [K in Keys<S>]: Base<S[K]> extends "timestamp" | "timestamp_ntz" | "untyped" ? K : never;
}[Keys<S>];
/** `describe` and `summary`: texts for the columns that have statistics. */
export type SummaryOut<S> = Flat<
  { readonly summary: "string" } & {
    readonly [K in Keys<S> as Base<S[K]> extends NumericTag | "string" | "untyped" ? K : never]: "string?";
  }
>;
/** `na.fill`: what is filled is not null any more. */
export type Filled<S, V> = {
  readonly [K in keyof S]: V extends { readonly [name: string]: unknown }
    ? K extends keyof V
      ? Base<S[K]>
      : S[K]
    : Base<S[K]> extends FillTags<V>
      ? Base<S[K]>
      : S[K];
};
type FillTags<V> = V extends number
  ? NumericTag
  : V extends string
    ? "string"
    : V extends boolean
      ? "boolean"
      : never;
export type { Columns, Named };
