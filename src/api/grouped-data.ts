/** What `groupBy`, `rollup`, `cube` and `groupingSets` give: groups, to aggregate or to keep state for. */
import { INT } from "../core/data-type.ts";
import type { Expr } from "../expr/ast.ts";
import { aliased, call, columnsOf } from "./expression-builder.ts";
import type { DataFrame, FrameMaker } from "./data-frame.ts";
import type { FrameCore } from "./frame-core.ts";
import { aggregatesOf } from "./frame-items.ts";
import type { Aggregates, AggregatesOut, Callback, Flags } from "./frame-types.ts";
import { literal } from "./literal.ts";
import type { Flat } from "./tags.ts";

/** Plain keys, or grouping sets over them. */
export type GroupingOf =
  { readonly kind: "keys" } | { readonly kind: "sets"; readonly sets: readonly (readonly Expr[])[] };

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

  /** The keys, and aggregates of each group: `agg(c => ({ n: count(), total: sum(c.price) }))`. */
  agg<R extends Aggregates>(aggregates: R | Callback<S, R>): DataFrame<Flat<K & AggregatesOut<R>>, F> {
    return this.#aggregated(aggregatesOf("agg", aggregates, this.#columns()));
  }

  /** The keys and the number of rows of each group, in a column `count`. */
  count(): DataFrame<Flat<K & { readonly count: "long" }>, F> {
    return this.#aggregated([aliased(call("count", [literal(1, INT)]), "count")]);
  }

  #aggregated<S2>(aggregates: readonly Expr[]): DataFrame<S2, F> {
    const child = this.#input.relation;
    const keys = this.#keys;
    if (this.#grouping.kind === "keys") return this.#make({ kind: "aggregate", child, keys, aggregates });
    const { sets } = this.#grouping;
    const groupBy = { kind: "sets", exprs: keys.map(withoutAlias), sets } as const;
    return this.#make({ kind: "select", child, exprs: [...keys, ...aggregates], groupBy });
  }
}

const withoutAlias = (e: Expr): Expr => (e.kind === "alias" ? e.child : e);
