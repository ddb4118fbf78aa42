/** How the exported functions are made: a call of the registry with typed arguments. One generic shape per kind of function. */
import type { Expr as Node } from "../expr/ast.ts";
import { call, expressionOf } from "./expression-builder.ts";
import type { Agg, Expr, Typed, TypeOf, Value } from "./expression.ts";
import { lift } from "./literal.ts";
import { AGGREGATE_NODE } from "./node.ts";
import type {
  ArrayTag,
  Base,
  BinaryIn,
  BooleanIn,
  Common,
  DateTimeIn,
  IntegralIn,
  NumericIn,
  Opt,
  OptIf,
  StringIn,
} from "./tags.ts";

export type NumArg = Typed<NumericIn> | number | bigint;
export type IntArg = Typed<IntegralIn> | number;
export type StrArg = Typed<StringIn> | string;
export type BoolArg = Typed<BooleanIn> | boolean;
export type DateArg = Typed<DateTimeIn> | Typed<StringIn> | Date;
export type BinArg = Typed<BinaryIn> | string | Uint8Array;
export type ArrArg = Typed<ArrayTag<unknown> | { readonly nullable: ArrayTag<unknown> } | "untyped">;
export type MapArg = Typed<
  | { readonly map: readonly [unknown, unknown] }
  | { readonly nullable: { readonly map: readonly [unknown, unknown] } }
  | "untyped"
>;

type IsOptional<T> = T extends `${string}?` | { readonly nullable: unknown } ? true : never;
type AnyOptional<A extends readonly unknown[]> = true extends {
  [I in keyof A]: IsOptional<TypeOf<A[I]>>;
}[number]
  ? true
  : false;
/** `D`, nullable when one of the arguments is. */
export type Strict<A extends readonly unknown[], D> = AnyOptional<A> extends true ? Opt<D> : D;

/** A function of fixed result type that is null when an argument is. */
export type StrictFn<P extends readonly unknown[], D> = <const A extends P>(...args: A) => Expr<Strict<A, D>>;
/** A function whose result may be null whatever the arguments. */
export type NullableFn<P extends readonly unknown[], D> = (...args: P) => Expr<Opt<D>>;
/** A function whose result is never null. */
export type TotalFn<P extends readonly unknown[], D> = (...args: P) => Expr<D>;
/** A function that gives the type of its first argument. */
export type SameFn<T, P extends readonly unknown[] = []> = <const X extends T>(
  x: X,
  ...more: P
) => Expr<TypeOf<X>>;
/** An aggregate of fixed result type. */
export type AggFn<P extends readonly unknown[], D> = (...args: P) => Agg<D>;
/** An aggregate that gives the (nullable) type of its argument. */
export type AggSameFn = <D>(column: Typed<D>) => Agg<Opt<D>>;

/** What several values have in common. */
export type CommonOf<A extends readonly unknown[]> = A extends readonly [infer H, ...infer R]
  ? R extends readonly []
    ? TypeOf<H>
    : Common<TypeOf<H>, CommonOf<R>>
  : "untyped";
/** `coalesce`: null only when the last may be. */
export type CoalesceOf<A extends readonly unknown[]> = A extends readonly [...unknown[], infer L]
  ? OptIf<TypeOf<L>, Base<CommonOf<A>>>
  : "untyped";

/** The function `name` of the registry, typed by where it is assigned. */
export const scalar = (name: string): never =>
  ((...args: readonly Value[]) => expressionOf(call(name, args.filter(isGiven).map(lift)))) as never;

const isGiven = (x: unknown): boolean => x !== undefined;

interface CallOptions {
  readonly distinct?: boolean;
  readonly ignoreNulls?: boolean;
}

/** An aggregate call as an object of the API. */
export const aggregateCall = (node: Node): never => {
  const self = {
    [AGGREGATE_NODE]: node,
    as: (name: string) => aggregateCall({ kind: "alias", child: bare(node), names: [name] }),
    filter: (condition: unknown) =>
      aggregateCall(node.kind === "call" ? { ...node, filter: lift(condition) } : node),
    over: (spec: { readonly over: (call: Node) => Node }) => expressionOf(spec.over(bare(node))),
    get expr(): unknown {
      return expressionOf(bare(node));
    },
  };
  return Object.freeze(self) as never;
};

const bare = (node: Node): Node => (node.kind === "alias" ? node.child : node);

/** The aggregate `name` of the registry. */
export const aggregate = (name: string, options: CallOptions = {}): never =>
  ((...args: readonly Value[]) =>
    aggregateCall(
      Object.freeze({ kind: "call", fn: name, args: args.filter(isGiven).map(lift), ...options }),
    )) as never;
