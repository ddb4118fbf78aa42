/** What `groupBy`, `rollup`, `cube` and `groupingSets` give: groups, to aggregate or to keep state for. */
import { INT } from "../core/data-type.ts";
import type { Expr } from "../expr/ast.ts";
import type { Relation } from "../plan/relation.ts";
import type { GroupState } from "../operators/group-state-handle.ts";
import type { StatefulProcessor } from "../operators/transform-with-state.ts";
import { type EmitOptions, emitOf } from "./early-rows.ts";
import { aliased, call, columnsOf } from "./expression-builder.ts";
import type { DataFrame, FrameMaker } from "./data-frame.ts";
import type { FrameCore } from "./frame-core.ts";
import { aggregatesOf } from "./frame-items.ts";
import type { Aggregates, AggregatesOut, Callback, Early, Fl, Flags, Grouped } from "./frame-types.ts";
import { keyedState, type StateOptions, type TransformOptions } from "./keyed-state.ts";
import { literal } from "./literal.ts";
import { type PivotColumn, PivotedData, type PivotValue } from "./pivoted-data.ts";
import type { TypedSchema } from "./schema.ts";
import type { Flat, InputRowOf, Keys, OptAll, RowOf } from "./tags.ts";

/** Plain keys, or grouping sets over them. */
export type GroupingOf =
  { readonly kind: "keys" } | { readonly kind: "sets"; readonly sets: readonly (readonly Expr[])[] };

/** Groups by sets of the keys `K`: where a key is left out it is null. */
export type Sets<S, K extends keyof S, F extends Flags> = GroupedData<
  S,
  Flat<OptAll<Pick<S, K>>>,
  Grouped<F, Pick<S, K>>
>;
/** Flags behind keyed state: what it emits is final, no output mode needs an aggregate any more. */
type Stateful<F extends Flags> = Fl<F["stream"], "none", F["wm"]>;

export class GroupedData<S, K, F extends Flags> {
  readonly #input: FrameCore;
  readonly #make: FrameMaker;
  readonly #keys: readonly Expr[];
  readonly #grouping: GroupingOf;

  constructor(input: FrameCore, make: FrameMaker, keys: readonly Expr[], grouping: GroupingOf) {
    this.#input = input;
    this.#make = make;
    this.#keys = keys;
    this.#grouping = grouping;
  }

  #columns(): never {
    return columnsOf(() => this.#input.columns);
  }

  /**
   * The keys, and aggregates of each group: `agg(c => ({ n: count(), total: sum(c.price) }))`. With `{ emit: { marker: "final" } }` a stream in append
   * mode gives groups before they close too (extension): see EmitOptions.
   */
  agg<R extends Aggregates, const M extends string = never>(
    aggregates: R | Callback<S, R>,
    options?: { readonly emit?: EmitOptions<M> },
  ): DataFrame<Flat<K & AggregatesOut<R> & { readonly [P in M]: "boolean" }>, Early<F, M>> {
    return this.#aggregated(aggregatesOf("agg", aggregates, this.#columns()), emitOf(options));
  }

  /** The keys and the number of rows of each group, in a column `count`. */
  count(): DataFrame<Flat<K & { readonly count: "long" }>, F> {
    return this.#aggregated([aliased(call("count", [literal(1, INT)]), "count")]);
  }

  /** The aggregates once for each of the values of a column, in columns named by the values (batch). */
  pivot<C extends Keys<S>, const V extends readonly PivotValue[]>(
    column: PivotColumn<S, C>,
    values: V,
  ): PivotedData<S, K, F, V> {
    return new PivotedData(this.#input, this.#make, this.#keys, column, values);
  }

  /** Spark's mapGroupsWithState: one row per group and epoch, from its key, its rows and its state. */
  mapGroupsWithState<O, St = unknown>(
    output: TypedSchema<O>,
    f: (key: RowOf<K>, rows: Iterable<RowOf<S>>, state: GroupState<St>) => InputRowOf<NoInfer<O>>,
    options: StateOptions = {},
  ): DataFrame<O, Stateful<F>> {
    return this.#make(keyedState(this.#input, this.#keys, "mapGroups", output, f, options));
  }

  /** Spark's flatMapGroupsWithState: any number of rows. `outputMode` (default append) is the query's. */
  flatMapGroupsWithState<O, St = unknown>(
    output: TypedSchema<O>,
    f: (key: RowOf<K>, rows: Iterable<RowOf<S>>, state: GroupState<St>) => Iterable<InputRowOf<NoInfer<O>>>,
    options: StateOptions = {},
  ): DataFrame<O, Stateful<F>> {
    return this.#make(keyedState(this.#input, this.#keys, "flatMapGroups", output, f, options));
  }

  /** Spark's transformWithState: a processor with state variables and timers; `create` makes one per partition. */
  transformWithState<O>(
    output: TypedSchema<O>,
    create: () => StatefulProcessor<RowOf<K>, RowOf<S>, InputRowOf<NoInfer<O>>>,
    options: TransformOptions = {},
  ): DataFrame<O, Stateful<F>> {
    return this.#make(keyedState(this.#input, this.#keys, "transform", output, create, options));
  }

  #aggregated<S2, F2 extends Flags>(
    aggregates: readonly Expr[],
    emit?: ReturnType<typeof emitOf>,
  ): DataFrame<S2, F2> {
    const relation = this.#relation(aggregates);
    return this.#make(emit === undefined ? relation : { kind: "emit", child: relation, ...emit });
  }

  #relation(aggregates: readonly Expr[]): Relation {
    const child = this.#input.relation;
    const keys = this.#keys;
    if (this.#grouping.kind === "keys") return { kind: "aggregate", child, keys, aggregates };
    const { sets } = this.#grouping;
    const groupBy = { kind: "sets", exprs: keys.map(withoutAlias), sets } as const;
    return { kind: "select", child, exprs: [...keys, ...aggregates], groupBy };
  }
}

const withoutAlias = (e: Expr): Expr => (e.kind === "alias" ? e.child : e);
