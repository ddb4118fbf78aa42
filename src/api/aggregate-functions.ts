/** Aggregate functions under Spark's names. Nulls are left out; of no rows the result is null, of `count` 0 (Spark: functions.scala). */
import { aggregate, aggregateCall, type AggFn, type AggSameFn, type NumArg } from "./function-types.ts";
import type { Agg, Typed } from "./expression.ts";
import { literal, lift } from "./literal.ts";
import { INT } from "../core/data-type.ts";
import type { ArrayTag, Base, NumericIn, Opt } from "./tags.ts";

type SumType<D> =
  Base<D> extends "byte" | "short" | "int" | "long"
    ? "long?"
    : Base<D> extends "bigint"
      ? "long?"
      : Base<D> extends "decimal"
        ? "decimal?"
        : Base<D> extends "untyped"
          ? "untyped"
          : "double?";
type AvgType<D> = Base<D> extends "decimal" ? "decimal?" : Base<D> extends "untyped" ? "untyped" : "double?";
type Numeric = Typed<NumericIn>;

/** Rows, or rows where the column is not null. */
export const count = (column?: Typed<unknown>): Agg<"long"> =>
  aggregateCall({ kind: "call", fn: "count", args: [column === undefined ? literal(1, INT) : lift(column)] });
/** Different values (of several columns: combinations) without null. */
export const countDistinct: AggFn<readonly [Typed<unknown>, ...Typed<unknown>[]], "long"> = aggregate(
  "count",
  {
    distinct: true,
  },
);
export const count_distinct = countDistinct;
/** Sum: of whole numbers long (overflow is an error), of decimals decimal, else double. */
export const sum: <D extends NumericIn>(column: Typed<D>) => Agg<SumType<D>> = aggregate("sum");
export const sum_distinct: <D extends NumericIn>(column: Typed<D>) => Agg<SumType<D>> = aggregate("sum", {
  distinct: true,
});
export const avg: <D extends NumericIn>(column: Typed<D>) => Agg<AvgType<D>> = aggregate("avg");
export const mean = avg;
export const min: AggSameFn = aggregate("min");
export const max: AggSameFn = aggregate("max");
export const min_by: <D>(column: Typed<D>, by: Typed<unknown>) => Agg<Opt<D>> = aggregate("min_by");
export const max_by: <D>(column: Typed<D>, by: Typed<unknown>) => Agg<Opt<D>> = aggregate("max_by");
/** The first row's value; null too, unless `ignoreNulls`. Depends on the order of rows. */
export const first: <D>(column: Typed<D>, ignoreNulls?: boolean) => Agg<Opt<D>> = aggregate("first");
export const last: <D>(column: Typed<D>, ignoreNulls?: boolean) => Agg<Opt<D>> = aggregate("last");
export const any_value: <D>(column: Typed<D>, ignoreNulls?: boolean) => Agg<Opt<D>> = aggregate("any_value");
export const mode: AggSameFn = aggregate("mode");
export const median: AggFn<readonly [Numeric], "double?"> = aggregate("median");
export const percentile: AggFn<readonly [Numeric, NumArg], "double?"> = aggregate("percentile");
export const percentile_approx: <D extends NumericIn>(
  column: Typed<D>,
  percentage: NumArg,
  accuracy?: number,
) => Agg<Opt<D>> = aggregate("percentile_approx");
/** HyperLogLog++; `rsd` is the relative standard deviation (default 0.05). */
export const approx_count_distinct: AggFn<readonly [Typed<unknown>, number?], "long"> =
  aggregate("approx_count_distinct");
export const count_if: AggFn<readonly [Typed<"boolean" | "boolean?" | "untyped">], "long"> =
  aggregate("count_if");
type BoolAgg = AggFn<readonly [Typed<"boolean" | "boolean?" | "untyped">], "boolean?">;
export const bool_and: BoolAgg = aggregate("bool_and");
export const bool_or: BoolAgg = aggregate("bool_or");
export const every: BoolAgg = aggregate("bool_and");
export const some: BoolAgg = aggregate("bool_or");
export const bit_and: AggSameFn = aggregate("bit_and");
export const bit_or: AggSameFn = aggregate("bit_or");
export const bit_xor: AggSameFn = aggregate("bit_xor");
type Moment = AggFn<readonly [Numeric], "double?">;
export const stddev: Moment = aggregate("stddev");
export const stddev_samp: Moment = aggregate("stddev_samp");
export const stddev_pop: Moment = aggregate("stddev_pop");
export const variance: Moment = aggregate("variance");
export const var_samp: Moment = aggregate("var_samp");
export const var_pop: Moment = aggregate("var_pop");
export const skewness: Moment = aggregate("skewness");
export const kurtosis: Moment = aggregate("kurtosis");
type Moment2 = AggFn<readonly [Numeric, Numeric], "double?">;
export const corr: Moment2 = aggregate("corr");
export const covar_pop: Moment2 = aggregate("covar_pop");
export const covar_samp: Moment2 = aggregate("covar_samp");
/** Values without nulls, in the order of rows. */
export const collect_list: <D>(column: Typed<D>) => Agg<ArrayTag<Base<D>>> = aggregate("collect_list");
export const collect_set: <D>(column: Typed<D>) => Agg<ArrayTag<Base<D>>> = aggregate("collect_set");
export const array_agg: <D>(column: Typed<D>) => Agg<ArrayTag<Base<D>>> = aggregate("collect_list");
export const listagg: (
  column: Typed<"string" | "string?" | "untyped">,
  delimiter?: string,
) => Agg<"string?"> = aggregate("listagg");
export const string_agg = listagg;
/** 1 where the key is aggregated away by its grouping set. */
export const grouping: AggFn<readonly [Typed<unknown>], "byte"> = aggregate("grouping");
export const grouping_id: AggFn<readonly Typed<unknown>[], "long"> = aggregate("grouping_id");
