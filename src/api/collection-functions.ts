/** Functions of arrays, maps and JSON, higher-order functions and generators, under Spark's names. */
import type { Expr as Node } from "../expr/ast.ts";
import { column, call, expressionOf } from "./expression-builder.ts";
import type { ArrayIn, Expr, Typed, TypeOf, Value } from "./expression.ts";
import {
  type ArrArg,
  type CommonOf,
  type IntArg,
  type MapArg,
  type NullableFn,
  scalar,
  type StrArg,
  type StrictFn,
  type TotalFn,
} from "./function-types.ts";
import { lift } from "./literal.ts";
import type { ArrayTag, Base, BooleanIn, MapTag, Opt, OptIf } from "./tags.ts";

type NullIfArray<X, D> = Expr<OptIf<TypeOf<X>, D>>;
/** The element of an array type. */
type ElementOf<X> = Base<TypeOf<X>> extends { readonly array: infer E } ? E : "untyped";
type SameArray = <const X extends ArrArg>(x: X) => Expr<TypeOf<X>>;
type WithElement = <const X extends ArrArg>(x: X, element: Value) => Expr<TypeOf<X>>;
type MapParts<X> =
  Base<TypeOf<X>> extends { readonly map: readonly [infer K, infer V] } ? [K, V] : ["untyped", "untyped"];

export const array: <const A extends readonly Value[]>(...values: A) => Expr<ArrayTag<CommonOf<A>>> =
  scalar("array");
/** Elements, or entries of a map; of null, null. */
export const size: <const X extends ArrArg | MapArg>(x: X) => NullIfArray<X, "int"> = scalar("size");
export const cardinality = size;
export const array_contains: <const X extends ArrArg>(x: X, element: Value) => Expr<"boolean?"> =
  scalar("array_contains");
export const array_position: <const X extends ArrArg>(x: X, element: Value) => NullIfArray<X, "long"> =
  scalar("array_position");
export const array_distinct: SameArray = scalar("array_distinct");
export const array_compact: <const X extends ArrArg>(x: X) => NullIfArray<X, ArrayTag<Base<ElementOf<X>>>> =
  scalar("array_compact");
export const array_append: WithElement = scalar("array_append");
export const array_prepend: WithElement = scalar("array_prepend");
export const array_remove: WithElement = scalar("array_remove");
export const array_repeat: <const X extends Value>(x: X, times: IntArg) => Expr<ArrayTag<TypeOf<X>>> =
  scalar("array_repeat");
type Both = <const X extends ArrArg>(x: X, y: ArrArg) => Expr<TypeOf<X>>;
export const array_union: Both = scalar("array_union");
export const array_intersect: Both = scalar("array_intersect");
export const array_except: Both = scalar("array_except");
export const arrays_overlap: NullableFn<readonly [ArrArg, ArrArg], "boolean"> = scalar("arrays_overlap");
export const array_join: StrictFn<readonly [ArrArg, StrArg, StrArg?], "string"> = scalar("array_join");
export const array_max: <const X extends ArrArg>(x: X) => Expr<Opt<ElementOf<X>>> = scalar("array_max");
export const array_min: <const X extends ArrArg>(x: X) => Expr<Opt<ElementOf<X>>> = scalar("array_min");
export const array_sort: SameArray = scalar("array_sort");
export const sort_array: <const X extends ArrArg>(x: X, ascending?: boolean) => Expr<TypeOf<X>> =
  scalar("sort_array");
export const slice: <const X extends ArrArg>(x: X, start: IntArg, length: IntArg) => Expr<TypeOf<X>> =
  scalar("slice");
export const flatten: <const X extends ArrArg>(x: X) => Expr<OptIf<TypeOf<X>, ElementOf<X>>> =
  scalar("flatten");
/** The element at `index` from 0, null when there is none. */
export const get: <const X extends ArrArg>(x: X, index: IntArg) => Expr<Opt<ElementOf<X>>> = scalar("get");
/** An array's element from 1 (negative: from the end), or a map's value. */
export const element_at: <const X extends ArrArg | MapArg>(
  x: X,
  at: Value,
) => Expr<Opt<X extends MapArg ? MapParts<X>[1] : ElementOf<X>>> = scalar("element_at");
export const sequence: <const X extends Typed<unknown> | number>(
  start: X,
  stop: X | IntArg,
  step?: IntArg | Typed<"interval">,
) => Expr<ArrayTag<Base<TypeOf<X>>>> = scalar("sequence");

export const map_keys: <const X extends MapArg>(x: X) => NullIfArray<X, ArrayTag<MapParts<X>[0]>> =
  scalar("map_keys");
export const map_values: <const X extends MapArg>(x: X) => NullIfArray<X, ArrayTag<MapParts<X>[1]>> =
  scalar("map_values");
export const map_contains_key: <const X extends MapArg>(x: X, key: Value) => NullIfArray<X, "boolean"> =
  scalar("map_contains_key");
export const map_from_arrays: <K, V>(keys: ArrayIn<K>, values: ArrayIn<V>) => Expr<Opt<MapTag<Base<K>, V>>> =
  scalar("map_from_arrays");
/** A map of keys and values by turns. */
export const create_map: TotalFn<readonly Value[], "untyped"> = scalar("map");

export const get_json_object: NullableFn<readonly [StrArg, StrArg], "string"> = scalar("get_json_object");
/** Parsed by a schema in DDL; give the column its type with `.as(schema)` or a cast. */
export const from_json: NullableFn<readonly [StrArg, string], "untyped"> = scalar("from_json");
export const to_json: NullableFn<readonly [Typed<unknown>], "string"> = scalar("to_json");
export const json_array_length: NullableFn<readonly [StrArg], "int"> = scalar("json_array_length");
export const parse_json: StrictFn<readonly [StrArg], "variant"> = scalar("parse_json");

// Higher-order functions: the callback builds an expression of the elements, once.
let depth = 0;
const lambda = (arity: number, build: (...args: never[]) => unknown): Node => {
  // Names that no column has in practice, different at each depth: an inner lambda sees the parameters of the outer one.
  const parameters = Array.from({ length: arity }, (_, i) => `λ${depth}_${i}`);
  depth++;
  try {
    const body = lift(build(...(parameters.map((p) => expressionOf(column(p))) as never[])));
    return Object.freeze({ kind: "lambda", parameters, body });
  } finally {
    depth--;
  }
};
const arityOf = (f: (...args: never[]) => unknown, max: number): number =>
  Math.min(max, Math.max(1, f.length));
const higher =
  (fn: string, most: number) =>
  (x: unknown, f: (...args: never[]) => unknown): never =>
    expressionOf(call(fn, [lift(x), lambda(arityOf(f, most), f)]));

/** `f` of each element (and its index). */
export const transform: <const X extends ArrArg, const R extends Value>(
  x: X,
  f: (element: Expr<ElementOf<X>>, index: Expr<"int">) => R,
) => NullIfArray<X, ArrayTag<TypeOf<R>>> = higher("transform", 2);
type Predicate = <const X extends ArrArg>(
  x: X,
  f: (element: Expr<ElementOf<X>>) => Typed<BooleanIn>,
) => Expr<"boolean?">;
/** The elements for which `f` is true. */
export const filter: <const X extends ArrArg>(
  x: X,
  f: (element: Expr<ElementOf<X>>, index: Expr<"int">) => Typed<BooleanIn>,
) => Expr<TypeOf<X>> = higher("filter", 2);
export const exists: Predicate = higher("exists", 1);
export const forall: Predicate = higher("forall", 1);
/** Folds the elements into `start`. */
export const aggregate = <const X extends ArrArg, A extends Typed<unknown>>(
  x: X,
  start: A,
  merge: (acc: Expr<TypeOf<A>>, element: Expr<ElementOf<X>>) => Value,
): Expr<Opt<TypeOf<A>>> => expressionOf(call("aggregate", [lift(x), lift(start), lambda(2, merge)]));
export const reduce = aggregate;
export const zip_with = <const X extends ArrArg, const Y extends ArrArg, const R extends Value>(
  x: X,
  y: Y,
  f: (left: Expr<Opt<ElementOf<X>>>, right: Expr<Opt<ElementOf<Y>>>) => R,
): Expr<OptIf<TypeOf<X>, OptIf<TypeOf<Y>, ArrayTag<TypeOf<R>>>>> =>
  expressionOf(call("zip_with", [lift(x), lift(y), lambda(2, f)]));

/** A row for each element, as an item of select; `explode_outer` keeps rows without elements. */
export const explode: <E>(array: ArrayIn<E>) => Expr<E> = scalar("explode");
export const explode_outer: <E>(array: ArrayIn<E>) => Expr<Opt<E>> = scalar("explode_outer");
