/** What `groupBy(…).pivot(column, values)` gives. */
import { AnalysisError } from "../core/errors.ts";
import type { Expr } from "../expr/ast.ts";
import { textArgument } from "./arguments.ts";
import { column as columnNode, columnsOf } from "./expression-builder.ts";
import type { DataFrame, FrameMaker } from "./data-frame.ts";
import type { FrameCore } from "./frame-core.ts";
import { aggregatesOf } from "./frame-items.ts";
import type { Aggregates, AggregatesOut, Callback, Flags } from "./frame-types.ts";
import { lift } from "./literal.ts";
import type { Flat, Opt } from "./tags.ts";

export type PivotValue = string | number | boolean;
export type PivotColumn<S, C extends keyof S & string> = C & keyof S;

type IsUnion<T, U = T> = T extends unknown ? ([U] extends [T] ? false : true) : never;
/** One aggregate: columns by value; several: `value_aggregate`. */
type PivotOut<V extends readonly PivotValue[], O> =
  IsUnion<keyof O> extends false
    ? { readonly [P in V[number] as `${P}`]: Opt<O[keyof O]> }
    : {
        readonly [N in `${V[number]}_${keyof O & string}`]: Opt<
          { [A in keyof O & string]: N extends `${V[number]}_${A}` ? O[A] : never }[keyof O & string]
        >;
      };

export class PivotedData<S, K, F extends Flags, V extends readonly PivotValue[]> {
  readonly #input: FrameCore;
  readonly #make: FrameMaker;
  readonly #keys: readonly Expr[];
  readonly #column: string;
  readonly #values: V;

  constructor(input: FrameCore, make: FrameMaker, keys: readonly Expr[], column: string, values: V) {
    if (!Array.isArray(values) || values.length === 0)
      throw new AnalysisError("pivot needs the values of its column", {
        hint: 'pivot("quarter", ["Q1", "Q2"]): the columns of a frame are known before it runs',
      });
    this.#input = input;
    this.#make = make;
    this.#keys = keys;
    this.#column = textArgument("pivot", "the name of a column", column);
    this.#values = values;
  }

  /** The keys, and each aggregate for each value; null where a group has no row of the value. */
  agg<R extends Aggregates>(
    aggregates: R | Callback<S, R>,
  ): DataFrame<Flat<K & PivotOut<V, AggregatesOut<R>>>, F> {
    return this.#make({
      kind: "pivot",
      child: this.#input.relation,
      aggregates: aggregatesOf(
        "agg",
        aggregates,
        columnsOf(() => this.#input.columns),
      ),
      columns: [columnNode(this.#column)],
      values: this.#values.map((v) => lift(v)),
      groupBy: this.#keys,
    });
  }
}
