/**
 * DataFrame: a query under construction. Every verb is Spark's, gives a new frame, and infers the columns of its result (`S`) and the shape of the
 * query (`F`); nothing runs before an action or `writeStream…start()`.
 */
import type { Expr } from "../expr/ast.ts";
import type { Relation } from "../plan/relation.ts";
import { conditionFrom } from "./expression-builder.ts";
import type { ArrayIn, Cols, FieldsOf, Typed, TypeOf, Value } from "./expression.ts";
import { FrameActions, limited, wholeNumber } from "./frame-actions.ts";
import { functionArgument, relationArgument, schemaArgument, textArgument } from "./arguments.ts";
import { exploded, named, renamed, sampled, watermarked, withColumns } from "./frame-relations.ts";
import { aggregatesOf, given, itemsOf, namedExpr, namesOf, sortOrdersOf, sqlItems } from "./frame-items.ts";
import { cubeSets, keysOfSets, rollupSets } from "./grouping-sets.ts";
import { conditionJoin, usingJoin } from "./frame-join.ts";
import type {
  Aggregates,
  AggregatesOut,
  Callback,
  COLUMNS,
  Condition,
  FLAGS,
  Fl,
  Flags,
  Frame,
  Grouped,
  Item,
  JoinOnOut,
  JoinOut,
  JoinType,
  KeysOut,
  Merged,
  NoClash,
  Renamed,
  SameColumns,
  SelectOut,
  Shape,
  SortKeys,
  SummaryOut,
  TimeKeys,
  UnionOut,
  With,
} from "./frame-types.ts";
import { GroupedData, type Sets } from "./grouped-data.ts";
import { MissingValues } from "./missing-values.ts";
import { asyncFunction, type AsyncOptions, rowFunction } from "./row-functions.ts";
import type { TypedSchema } from "./schema.ts";
import { conformed, described, type Statistic, summarised } from "./summary.ts";
import { DataStreamWriter } from "./stream-writer.ts";
import { DataFrameWriter } from "./batch-writer.ts";
import type { BooleanIn, Duration, Flat, InputRowOf, Keys, Opt, RowOf, UntypedColumns } from "./tags.ts";

/** Makes the frame of a relation, with whatever columns the verb promised. */
export type FrameMaker = <S, F extends Flags>(relation: Relation) => DataFrame<S, F>;

export class DataFrame<S, F extends Flags> extends FrameActions<S> implements Frame<S, F> {
  declare readonly [COLUMNS]: S;
  declare readonly [FLAGS]: F;

  #to<S2, F2 extends Flags = F>(relation: Relation): DataFrame<S2, F2> {
    return new DataFrame(this.session, relation);
  }

  get #make(): FrameMaker {
    return (relation) => new DataFrame(this.session, relation);
  }

  /** Columns by name, named expressions, or a callback that gives an object of expressions or a list of named ones. */
  select<const X extends readonly Item<S>[], V extends Value, R extends Shape<V>>(
    ...items: X | readonly [Callback<S, R>]
  ): DataFrame<Flat<SelectOut<S, X, R>>, F> {
    return this.#to({ kind: "select", child: this.relation, exprs: itemsOf("select", items, this.c) });
  }

  /** Items as SQL text: `selectExpr("a + 1 AS b", "*")`; give them types with `.as(schema)`. Throws ParseError. */
  selectExpr(...texts: readonly string[]): DataFrame<UntypedColumns, F> {
    return this.#to({ kind: "select", child: this.relation, exprs: sqlItems(texts, this.session.timeZone) });
  }

  /** Adds a column, or replaces the one of that name. */
  withColumn<N extends string, X extends Value>(
    name: N,
    column: X | Callback<S, X>,
  ): DataFrame<Flat<With<S, { readonly [K in N]: TypeOf<X> }>>, F> {
    return this.#to(withColumns(this.relation, new Map([[name, column]]), this.c));
  }

  /** Adds or replaces several columns; all see the frame as it was. */
  withColumns<V extends Value, O extends { readonly [name: string]: V }>(
    columns: O | Callback<S, O>,
  ): DataFrame<Flat<With<S, FieldsOf<O>>>, F> {
    return this.#to(withColumns(this.relation, columns, this.c));
  }

  /** Another name for a column. */
  withColumnRenamed<A extends Keys<S>, B extends string>(
    from: A,
    to: B,
  ): DataFrame<Renamed<S, { readonly [K in A]: B }>, F> {
    return this.#to(renamed(this.relation, new Map([[from, to]])));
  }

  /** Other names for columns: `{ old: "new" }`. */
  withColumnsRenamed<const N extends { readonly [K in Keys<S>]?: string }>(
    names: N,
  ): DataFrame<Renamed<S, N>, F> {
    return this.#to(renamed(this.relation, names));
  }

  /** Leaves columns out. */
  drop<K extends Keys<S>>(...names: readonly K[]): DataFrame<Omit<S, K>, F> {
    return this.#to({ kind: "drop", child: this.relation, names: namesOf("drop", names) });
  }

  /** The rows for which the condition is true (not false, not null). Anything but a column expression is an AnalysisError. */
  filter(condition: Condition<S>): DataFrame<S, F> {
    const { c } = this;
    const built = conditionFrom("filter", () => given(condition, c));
    return this.#to({ kind: "filter", child: this.relation, condition: built, verb: true });
  }

  /** Spark's other name of `filter`. */
  where(condition: Condition<S>): DataFrame<S, F> {
    return this.filter(condition);
  }

  /** Groups by names and named expressions, or by what a callback gives: `groupBy(c => [window(c.ts, "1 minute"), c.k])`. */
  groupBy<const X extends readonly Item<S>[], I extends Item<S>>(
    ...keys: X | readonly [Callback<S, readonly I[]>]
  ): GroupedData<S, Flat<KeysOut<S, X, I>>, Grouped<F, KeysOut<S, X, I>>> {
    return new GroupedData(this, this.#make, itemsOf("groupBy", keys, this.c), { kind: "keys" });
  }

  /** Groups by the keys, then by one fewer at a time from the right: (a, b), (a), (). Keys left out are null. */
  rollup<K extends Keys<S>>(...names: readonly K[]): Sets<S, K, F> {
    return this.#grouped(names, rollupSets(names));
  }

  /** Groups by every subset of the keys. */
  cube<K extends Keys<S>>(...names: readonly K[]): Sets<S, K, F> {
    return this.#grouped(names, cubeSets(names));
  }

  /** Groups by each of the sets: `groupingSets([["a", "b"], ["a"], []])`. */
  groupingSets<K extends Keys<S>>(sets: readonly (readonly K[])[]): Sets<S, K, F> {
    return this.#grouped(keysOfSets(sets), sets);
  }

  #grouped<K extends Keys<S>>(names: readonly K[], sets: readonly (readonly K[])[]): Sets<S, K, F> {
    const of = (list: readonly string[]): readonly Expr[] => itemsOf("grouping sets", list, this.c);
    return new GroupedData(this, this.#make, of(names), { kind: "sets", sets: sets.map(of) });
  }

  /** Aggregates of all rows: `agg(c => ({ n: count() }))`. */
  agg<R extends Aggregates>(
    aggregates: R | Callback<S, R>,
  ): DataFrame<Flat<AggregatesOut<R>>, Grouped<F, object>> {
    const list = aggregatesOf("agg", aggregates, this.c);
    return this.#to({ kind: "aggregate", child: this.relation, keys: [], aggregates: list });
  }

  /** Distinct rows: `dropDuplicates` of all columns, as in Spark. On a stream it keeps every row it saw, unless a watermark's column is among them. */
  distinct(): DataFrame<S, F> {
    return this.#deduplicated([], false);
  }

  /** One row of those that agree in the columns (all of them when none is named). On a stream with the event-time column named, the watermark bounds its state. */
  dropDuplicates<K extends Keys<S>>(...names: readonly K[]): DataFrame<S, F> {
    return this.#deduplicated(names, false);
  }

  /** One row of those that agree in the columns and come within the watermark's delay of each other. */
  dropDuplicatesWithinWatermark<K extends Keys<S>>(
    this: [F["wm"]] extends [never] ? "error: call withWatermark before it" : DataFrame<S, F>,
    ...names: readonly K[]
  ): DataFrame<S, F> {
    return (this as unknown as DataFrame<S, F>).#deduplicated(names, true);
  }

  #deduplicated(names: readonly string[], withinWatermark: boolean): DataFrame<S, F> {
    const columns = names.length === 0 ? undefined : namesOf("dropDuplicates", names);
    return this.#to({ kind: "dropDuplicates", child: this.relation, columns, withinWatermark });
  }

  /** Joins on equal columns, which the result has once. */
  join<S2, F2 extends Flags, K extends Keys<S> & Keys<S2>, H extends JoinType = "inner">(
    other: Frame<S2, F2> & NoClash<S, S2, NoInfer<K>, NoInfer<H>>,
    keys: K | readonly K[],
    how?: H,
  ): DataFrame<JoinOut<S, S2, K, H>, Merged<F, F2>> {
    return this.#to(usingJoin(this, other, typeof keys === "string" ? [keys] : keys, how));
  }

  /** Joins on a condition over both sides. */
  joinOn<S2, F2 extends Flags, H extends JoinType = "inner">(
    other: Frame<S2, F2> & NoClash<S, S2, never, NoInfer<H>>,
    condition: (left: Cols<S>, right: Cols<S2>) => Typed<BooleanIn>,
    how?: H,
  ): DataFrame<JoinOnOut<S, S2, H>, Merged<F, F2>> {
    return this.#to(conditionJoin(this, other, condition as (l: never, r: never) => unknown, how));
  }

  /** Every row with every row. */
  crossJoin<S2, F2 extends Flags>(
    other: Frame<S2, F2> & NoClash<S, S2, never, "inner">,
  ): DataFrame<JoinOnOut<S, S2, "inner">, Merged<F, F2>> {
    return this.#to({
      kind: "join",
      left: this.relation,
      right: relationArgument("crossJoin", other),
      how: "cross",
    });
  }

  /** The rows of both, duplicates kept. Columns meet by position, as in Spark; their names must agree here. */
  union<S2, F2 extends Flags>(
    other: Frame<S2, F2> & SameColumns<S, S2>,
  ): DataFrame<UnionOut<S, S2>, Merged<F, F2>> {
    return this.#combined("union", other, true, false);
  }

  /** The rows of both, columns by name; `allowMissingColumns` fills what one side lacks with null. */
  unionByName<S2, F2 extends Flags, const M extends boolean = false>(
    other: Frame<S2, F2> & (NoInfer<M> extends true ? unknown : SameColumns<S, S2>),
    allowMissingColumns?: M,
  ): DataFrame<UnionOut<S, S2>, Merged<F, F2>> {
    return this.#combined("union", other, true, true, allowMissingColumns);
  }

  /** Distinct rows that both have. */
  intersect<S2, F2 extends Flags>(other: Frame<S2, F2> & SameColumns<S, S2>): DataFrame<S, Merged<F, F2>> {
    return this.#combined("intersect", other, false, false);
  }

  /** Rows that both have, each as often as both do. */
  intersectAll<S2, F2 extends Flags>(other: Frame<S2, F2> & SameColumns<S, S2>): DataFrame<S, Merged<F, F2>> {
    return this.#combined("intersect", other, true, false);
  }

  /** Distinct rows that the other lacks (SQL: EXCEPT). */
  except<S2, F2 extends Flags>(other: Frame<S2, F2> & SameColumns<S, S2>): DataFrame<S, Merged<F, F2>> {
    return this.#combined("except", other, false, false);
  }

  /** Rows less those of the other, one for one. */
  exceptAll<S2, F2 extends Flags>(other: Frame<S2, F2> & SameColumns<S, S2>): DataFrame<S, Merged<F, F2>> {
    return this.#combined("except", other, true, false);
  }

  #combined<S2, F2 extends Flags>(
    op: "union" | "intersect" | "except",
    other: unknown,
    all: boolean,
    byName: boolean,
    allowMissing = false,
  ): DataFrame<S2, F2> {
    const right = relationArgument(op, other);
    return this.#to({ kind: "setOperation", op, all, byName, allowMissing, left: this.relation, right });
  }

  /** Sorts by names and keys such as `c.price.desc()`; nulls first when ascending, last when descending. */
  orderBy(...keys: SortKeys<S>): DataFrame<S, F> {
    return this.#to({ kind: "sort", child: this.relation, orders: sortOrdersOf(keys, this.c) });
  }

  /** Spark's other name of `orderBy`. */
  sort(...keys: SortKeys<S>): DataFrame<S, F> {
    return this.orderBy(...keys);
  }

  /** At most `n` rows; on a stream, the first `n` ever. */
  limit(n: number): DataFrame<S, F> {
    return this.#to(limited(this.relation, wholeNumber("limit", n)));
  }

  /** Leaves out the first `n` rows. */
  offset(n: number): DataFrame<S, F> {
    return this.#to(limited(this.relation, undefined, wholeNumber("offset", n)));
  }

  /** About the fraction (0 to 1) of the rows. The same seed (default 0: all nodes must agree) takes the same rows. */
  sample(fraction: number, seed = 0): DataFrame<S, F> {
    return this.#to(sampled(this.relation, fraction, seed));
  }

  /** Makes `column` the event time: rows later than `delay` behind the newest are late. */
  withWatermark<K extends TimeKeys<S>>(
    column: K,
    delay: Duration,
  ): DataFrame<S, Fl<F["stream"], F["agg"], F["wm"] | K>> {
    return this.#to(watermarked(this.relation, column, delay));
  }

  /** A name for the frame, for SQL text above it: `selectExpr("t.price")`. */
  alias(name: string): DataFrame<S, F> {
    return this.#to(named(this.relation, name));
  }

  /** With a schema: the frame cast to its columns, by name, and typed so. With a name: as `alias`. */
  as<const A extends string | TypedSchema<unknown>>(
    what: A,
  ): DataFrame<A extends TypedSchema<infer S2> ? S2 : S, F> {
    if (typeof what === "string") return this.#to({ kind: "alias", child: this.relation, name: what });
    return this.#to(
      conformed(this.relation, schemaArgument("as", what as TypedSchema<unknown>), this.schema),
    );
  }

  /** Missing values: `na.fill`, `na.drop`, `na.replace`. */
  get na(): MissingValues<S, F> {
    return new MissingValues(this, this.#make);
  }

  /** A row for each element of an array, in a column `name` behind the others; `outer` keeps rows without elements, with null. */
  explode<E, N extends string, const O extends boolean = false>(
    array: Callback<S, ArrayIn<E>>,
    name: N,
    outer?: O,
  ): DataFrame<Flat<With<S, { readonly [K in N]: O extends true ? Opt<E> : E }>>, F> {
    return this.#to(exploded(this.relation, namedExpr(array, this.c), name, outer === true));
  }

  /** `f` of this frame: chains functions over frames. */
  transform<R>(f: (frame: this) => R): R {
    return functionArgument("transform", "a function of the frame", f)(this);
  }

  /** count, mean, stddev, min and max, as text, of the numeric and string columns (of those named, when some are). */
  describe<K extends Keys<S>>(...names: readonly K[]): DataFrame<SummaryOut<Pick<S, K>>, Grouped<F, object>> {
    return this.#to(described(this.relation, this.schema, names));
  }

  /** Statistics of the numeric and string columns, as text: count, mean, stddev, min, 25%, 50%, 75% and max, or those named; also count_distinct and approx_count_distinct. */
  summary(...statistics: readonly Statistic[]): DataFrame<SummaryOut<S>, Grouped<F, object>> {
    return this.#to(summarised(this.relation, this.schema, statistics));
  }

  /** Metrics of the rows that pass, per epoch: `progress.observedMetrics[name]`. */
  observe<R extends Aggregates>(name: string, metrics: R | Callback<S, R>): DataFrame<S, F> {
    textArgument("observe", "a name", name);
    const list = aggregatesOf("observe", metrics, this.c);
    return this.#to({ kind: "observe", child: this.relation, name, metrics: list });
  }

  /** The rows that the stateful operator below refused as late, as a stream of their own (extension). */
  late<const L extends TypedSchema<unknown> | undefined = undefined>(
    columns?: L,
  ): DataFrame<L extends TypedSchema<infer S2> ? S2 : UntypedColumns, Fl<F["stream"], "none", F["wm"]>> {
    const late = this.#to<UntypedColumns>({ kind: "late", child: this.relation });
    return (columns === undefined ? late : late.as(columns)) as never;
  }

  /** A row for each row: `f` sees plain objects and must be deterministic. */
  map<O>(output: TypedSchema<O>, f: (row: RowOf<S>) => InputRowOf<NoInfer<O>>): DataFrame<O, F> {
    return this.#to({ kind: "mapRows", child: this.relation, fn: rowFunction("map", f, output) });
  }

  /** Any number of rows for each row. */
  flatMap<O>(
    output: TypedSchema<O>,
    f: (row: RowOf<S>) => Iterable<InputRowOf<NoInfer<O>>>,
  ): DataFrame<O, F> {
    return this.#to({ kind: "mapRows", child: this.relation, fn: rowFunction("flatMap", f, output) });
  }

  /** The rows for which `f` returns true; `filter` is faster where an expression can say it. */
  filterRows(f: (row: RowOf<S>) => boolean): DataFrame<S, F> {
    return this.#to({ kind: "mapRows", child: this.relation, fn: rowFunction("filter", f, { fields: [] }) });
  }

  /** A row for each row, by an asynchronous lookup; several at a time, the order is kept. */
  mapAsync<O>(
    output: TypedSchema<O>,
    f: (row: RowOf<S>) => Promise<InputRowOf<NoInfer<O>>>,
    options: AsyncOptions = {},
  ): DataFrame<O, F> {
    return this.#to({ kind: "mapRows", child: this.relation, fn: asyncFunction(f, output, options) });
  }

  /** Starts a streaming query: `df.writeStream.format("nats")…start()`. Throws AnalysisError WRITE_STREAM_NOT_ALLOWED on a static frame. */
  get writeStream(): [F["stream"]] extends [false]
    ? "error: writeStream needs a streaming DataFrame; use write"
    : DataStreamWriter<S, F, "append"> {
    return new DataStreamWriter(this, this.#make) as never;
  }

  /** Writes the rows of a batch query. */
  get write(): DataFrameWriter {
    return new DataFrameWriter(this);
  }
}
