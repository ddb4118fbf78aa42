/**
 * The registry of aggregate functions: one line per file of this folder. R1: the input vectors of an accumulator are `accumulatorInputs(call)`: its arguments, then the
 * expressions of its WITHIN GROUP order. FILTER is the caller's mask, DISTINCT is made here.
 */
import { BYTE, LONG } from "../../core/data-type.ts";
import type { AggregateCall, TypedExpr } from "../ast.ts";
import type { Accumulator } from "../contract.ts";
import { any, signature } from "../rules.ts";
import { analysisError } from "../type-errors.ts";
import { APPROX_COUNT_AGGREGATES } from "./approx-count.ts";
import { BITMAP_AGGREGATES } from "./bitmaps.ts";
import { COLLECTION_AGGREGATES } from "./collections.ts";
import { COUNT_AGGREGATES } from "./count.ts";
import type { AggregateDefinition } from "./definition.ts";
import { distinctAccumulator } from "./distinct.ts";
import { countsByPairs, distinctCount } from "./distinct-count.ts";
import { EXTREME_AGGREGATES } from "./extremes.ts";
import { HISTOGRAM_AGGREGATES } from "./histogram.ts";
import { MERGED_AGGREGATES } from "./merged.ts";
import { MOMENT_AGGREGATES } from "./moments.ts";
import { PERCENTILE_AGGREGATES } from "./percentiles.ts";
import { SUM_AGGREGATES } from "./sum.ts";
import { VECTOR_AGGREGATES } from "./vectors.ts";
import { userAccumulator } from "./user.ts";

/** `grouping` and `grouping_id` have types only: the analyser replaces them by bits of the grouping set's id. */
const placeholder = (name: string): never => {
  throw analysisError(
    "UNSUPPORTED_GROUPING_EXPRESSION",
    `${name}() can only be used with GROUPING SETS, CUBE or ROLLUP.`,
  );
};

const GROUPING_AGGREGATES: readonly AggregateDefinition[] = [
  {
    name: "grouping",
    usage: "grouping(column)",
    summary: "1 where the column is aggregated away by its grouping set, else 0.",
    resolve: signature([any], BYTE, { nullable: false }),
    create: () => placeholder("grouping"),
  },
  {
    name: "grouping_id",
    usage: "grouping_id([column, …])",
    summary: "The bits of grouping() of the columns as a number.",
    resolve: (args) => ({ args, type: LONG, nullable: false }),
    create: () => placeholder("grouping_id"),
  },
];

const FILES: readonly (readonly AggregateDefinition[])[] = [
  COUNT_AGGREGATES,
  SUM_AGGREGATES,
  EXTREME_AGGREGATES,
  MOMENT_AGGREGATES,
  COLLECTION_AGGREGATES,
  PERCENTILE_AGGREGATES,
  APPROX_COUNT_AGGREGATES,
  BITMAP_AGGREGATES,
  VECTOR_AGGREGATES,
  MERGED_AGGREGATES,
  HISTOGRAM_AGGREGATES,
  GROUPING_AGGREGATES,
];

let byName: Map<string, AggregateDefinition> | undefined;

const registered = (): Map<string, AggregateDefinition> => {
  if (byName !== undefined) return byName;
  const names = new Map<string, AggregateDefinition>();
  for (const d of FILES.flat())
    for (const name of [d.name, ...(d.aliases ?? [])]) {
      if (names.has(name)) throw new Error(`the aggregate ${name} is registered twice`);
      names.set(name, d);
    }
  byName = names;
  return names;
};

/** The definition of an aggregate by name or alias, in any case. */
export const aggregateDefinition = (name: string): AggregateDefinition | undefined =>
  registered().get(name.toLowerCase());

/** Every definition once. */
export const aggregateDefinitions = (): readonly AggregateDefinition[] => FILES.flat();

/** What the caller evaluates per row for an accumulator (R1). */
export const accumulatorInputs = (call: AggregateCall): readonly TypedExpr[] =>
  call.orderBy.length === 0 ? call.args : [...call.args, ...call.orderBy.map((o) => o.expr)];

/** The state of one call over many groups. `call.fn` is a registered name or alias. */
export const createAccumulator = (call: AggregateCall): Accumulator => {
  if (call.udf !== undefined)
    return call.distinct ? distinctAccumulator(call, userAccumulator) : userAccumulator(call);
  const definition = aggregateDefinition(call.fn);
  if (definition === undefined)
    throw analysisError("UNRESOLVED_ROUTINE", `Cannot resolve the aggregate \`${call.fn}\`.`);
  if (call.distinct && definition.name === "count" && call.args.length === 1 && call.orderBy.length === 0) {
    const { type } = call.args[0]!;
    if (countsByPairs(type)) return distinctCount(type);
  }
  if (call.distinct && definition.ignoresDuplicates !== true)
    return distinctAccumulator({ ...call, fn: definition.name }, definition.create);
  return definition.create(call);
};
